/// Which figures are asked for beyond those that always are.
public struct FigureOptions: Sendable {
  /// What ``Figures/atBudget`` is asked for; it is spent day by day.
  public var budget: AlertBudget?
  /// What ``Figures/recallAtFalsePositiveRate`` is asked for.
  public var falsePositiveRates = [0.001, 0.01, 0.05]
  /// Whom ``Figures/cardPrecision`` is about; nil: it is not asked for.
  public var cards: Cards?
  /// What ``Figures/cost`` is computed from; nil: it is not asked for.
  public var costs: EventCosts?
  /// Whether ``ModelFigures/curves`` are asked for.
  public var curves = false
  /// Resamples of days for ``Figures/intervals`` over all rows asked for; 0: none.
  public var resamples = 0
  /// Of the resampling.
  public var seed: UInt64 = 0

  /// Cards, or whatever entities are looked at day by day.
  public struct Cards: Sendable {
    /// The number of each row's entity; `UInt32.max` for a row without one.
    public var entities: [UInt32]
    /// How many entities a day are looked at: one figure for each.
    public var k: [Int]

    /// Entities, one a row of the table.
    public init(entities: [UInt32], k: [Int] = [100]) {
      self.entities = entities
      self.k = k
    }
  }

  /// Options that ask for nothing more.
  public init(budget: AlertBudget? = nil) { self.budget = budget }
}

/// What decisions cost, in any one unit.
public struct EventCosts: Sendable {
  /// Of an alert, right or wrong.
  public var alert: Double
  /// Of a positive that was not flagged.
  public var missed: Amount
  /// What a positive that was flagged saves.
  public var caught: Amount

  /// An amount of every event.
  public enum Amount: Sendable {
    /// The same for all.
    case constant(Double)
    /// One a row of the table.
    case column([Float])

    @inline(__always)
    subscript(row: Int) -> Double {
      switch self {
      case .constant(let amount): amount
      case .column(let amounts): Double(amounts[row])
      }
    }
  }

  /// Costs of alerts and missed positives.
  public init(alert: Double, missed: Amount, caught: Amount = .constant(0)) {
    self.alert = alert
    self.missed = missed
    self.caught = caught
  }

  /// The cost of a decision.
  @inline(__always)
  func cost(flagged: Bool, isPositive: Bool, row: Int) -> Double {
    if flagged { return alert - (isPositive ? caught[row] : 0) }
    return isPositive ? missed[row] : 0
  }
}
