/// Decides batch by batch, from the oldest on, how far a partition is trimmed; for backends.
struct RetentionRule {
  /// How many of the newest batches say what time it is on the stream.
  static let newestBatches = 3

  private let cutoff: Int64?
  private let keepingFrom: UInt64
  /// Bytes still to go until the partition is within its limit.
  private var excess: Int

  /// What is to be done with a batch, if all before it were not to be kept.
  enum Verdict {
    case remove
    case keep
    /// Not to be told from itself: it goes if one after it goes.
    case unknown
  }

  /// - Parameters:
  ///   - newest: The base timestamps and running maxima of the newest few batches.
  ///   - bytes: What the partition takes.
  ///   - now: The time of day, ms since 1970.
  init(
    _ retention: Retention, newest: [(base: Int64, maximum: Int64)], bytes: Int,
    keepingFrom: UInt64?, now: Int64
  ) {
    self.keepingFrom = keepingFrom ?? .max
    excess = retention.maximumBytes.map { bytes - $0 } ?? 0
    // The least of several, so that one batch that is dated ahead does not age the others.
    if let age = retention.maximumAge, let time = newest.map({ min($0.base, $0.maximum) }).min() {
      let (cutoff, overflow) = min(time, now).subtractingReportingOverflow(age)
      self.cutoff = overflow ? nil : cutoff
    } else {
      cutoff = nil
    }
  }

  /// - Parameters:
  ///   - end: The offset after the batch.
  ///   - runningMaximum: Nil if the batch is damaged.
  ///   - ownMaximum: The greatest timestamp in the batch itself, found only if it matters: an
  ///     earlier record that was dated ahead has raised the running maximum for good.
  mutating func verdict(
    end: UInt64, bytes: Int, runningMaximum: Int64?, ownMaximum: () -> Int64
  ) -> Verdict {
    guard end <= keepingFrom else { return .keep }
    if excess > 0 {
      excess -= bytes
      return .remove
    }
    guard let cutoff else { return .keep }
    guard let runningMaximum else { return .unknown }
    return runningMaximum < cutoff || ownMaximum() < cutoff ? .remove : .keep
  }

  /// The greatest timestamp of encoded records.
  static func maximumTimestamp(of records: UnsafeRawBufferPointer) -> Int64 {
    var cursor = RecordCursor(records)
    var maximum = Int64.min
    while let record = cursor.next() { maximum = max(maximum, record.timestamp) }
    return maximum
  }
}
