/// The pipeline that the tools run: three models on card transactions, published often.
enum HuntPipeline {
  static let name = "hunt"

  /// The text of a pipeline file.
  /// - Parameters:
  ///   - publishEvery: rows between two versions of a model.
  ///   - snapshotEvery: versions between two snapshots.
  ///   - trees: of the forest; 400 make a snapshot of more than one record.
  ///   - batch: rows of a mini-batch.
  ///   - uniqueWithin: events among which one that comes again is recognised.
  ///   - labelDelay: how long an event waits for its label.
  ///   - limit: where thresholds come from.
  ///   - hasGuards: whether a version is compared with the one before it.
  static func text(
    publishEvery: Int, snapshotEvery: Int, trees: Int, batch: Int = 128,
    uniqueWithin: Int = 1_000_000, labelDelay: String = "1d", limit: String = "budget: 1 %",
    hasGuards: Bool = true
  ) -> String {
    """
    pipeline: \(name)
    events:
      id: TRANSACTION_ID
      unique_within: \(uniqueWithin)
      time: TX_DATETIME
      entities: [CUSTOMER_ID]
      fields:
        TX_AMOUNT: number
    label:
      field: TX_FRAUD
      delay: \(labelDelay)
    features:
      - number: TX_AMOUNT
      - log: TX_AMOUNT
      - time: hour
      - time: weekday
    models:
      fraud:
        kind: logistic-regression
        batch: \(batch)
      clusters:
        kind: k-means
        clusters: 8
        batch: \(batch)
      outlier:
        kind: isolation-forest
        trees: \(trees)
        sample_size: 256
        batch: \(batch)
    decisions:
      by: [fraud, outlier]
      \(limit)
    publish:
      every: \(publishEvery)
      snapshot_every: \(snapshotEvery)
    \(hasGuards ? "" : "  guards: off\n")
    """
  }
}
