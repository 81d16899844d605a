import Evaluation

/// A figure over the test windows in which it is defined.
public struct TestSpread: Sendable {
  /// Its values, in the order of the windows.
  public let values: [Double]

  /// Takes a figure of a column of the replay's table; nil if none of the windows has it.
  public init?(
    _ tests: some Sequence<ReplayFigures.TestFigures>, _ column: Int, _ name: FigureName
  ) {
    values = tests.compactMap { $0.columns[column][name] }
    if values.isEmpty { return nil }
  }

  /// The mean over the windows.
  public var mean: Double { values.reduce(0, +) / Double(values.count) }

  /// The standard deviation over the windows, dividing by their number, as NumPy does.
  public var deviation: Double {
    let mean = mean
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (squares / Double(values.count)).squareRoot()
  }
}
