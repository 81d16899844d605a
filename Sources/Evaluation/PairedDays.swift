/// How a figure differs between two runs over the same days, with an interval by resampling days.
public struct PairedDays: Sendable, Equatable {
  /// Days that have the figure in both.
  public let days: Int
  /// The mean over days of the second's figure minus the first's.
  public let difference: Double
  /// Where 95 of 100 resampled means lie; nil with fewer than two days.
  public let interval: FigureInterval?

  /// Compares day by day; days that only one of the two has are left out. Nil if there is no day in
  /// both.
  ///
  /// - Parameters:
  ///   - first: figures by day; the days' names are anything that sorts and is the same in both.
  ///   - second: likewise.
  ///   - resamples: 0: no interval.
  public init?(
    _ first: [String: Double], _ second: [String: Double], resamples: Int, seed: UInt64
  ) {
    let differences = first.keys.sorted().compactMap { day in
      second[day].map { $0 - first[day]! }
    }
    guard !differences.isEmpty else { return nil }
    days = differences.count
    difference = differences.reduce(0, +) / Double(differences.count)
    guard days > 1, resamples > 0 else {
      interval = nil
      return
    }
    var generator = ResamplingGenerator(seed: seed)
    let means = (0..<resamples).map { _ in
      var sum = 0.0
      for _ in differences { sum += differences[generator.below(differences.count)] }
      return sum / Double(differences.count)
    }.sorted()
    interval = FigureInterval(low: means.quantile(0.025), high: means.quantile(0.975))
  }
}
