import Evaluation
import Features

/// Everything that a replay came to, in figures.
public struct ReplayFigures: Sendable {
  /// One a column of the replay's table, those of models with curves.
  public let columns: [ModelFigures]
  /// By model, what each of its versions came to.
  public let versions: [[VersionFigures]]
  /// The test windows.
  public let tests: [TestFigures]
  /// Decisions of the further policies.
  public let policyDecisions: [DetectionFigures]

  /// The figures of a test window.
  public struct TestFigures: Sendable {
    /// When it was.
    public let window: TestWindow
    /// One a column of the replay's table.
    public let columns: [Figures]
    /// Events left out because their entity was known.
    public let leftOut: Int
  }
}

extension Replay {
  /// Computes all figures of what was replayed.
  public func figures() -> ReplayFigures {
    let options = figureOptions
    let table = table
    var pictured = options
    pictured.curves = true
    let columns = table.models.indices.map {
      table.evaluate(
        model: $0, options: $0 < pipeline.models.count ? pictured : options)
    }
    let versions = pipeline.models.indices.map {
      table.figuresByVersion(model: $0, options: options)
    }
    let tests = self.options.tests.map { window in
      let (rows, leftOut) = record.rows(
        in: window, leavingOutKnown: knownField, since: self.options.knownSince, delay: labelDelay)
      let figures = table.models.indices.map {
        table.evaluate(model: $0, rows: rows, options: options).overall
      }
      return ReplayFigures.TestFigures(window: window, columns: figures, leftOut: leftOut)
    }
    return ReplayFigures(
      columns: columns, versions: versions, tests: tests,
      policyDecisions: record.policyOutcomes.map { table.decisionFigures($0) })
  }

  /// From an event to its label, ms.
  public var labelDelay: Int64 { options.labelDelay ?? pipeline.labels?.delay ?? 0 }

  /// The field of Card Precision; nil: the events have no entities.
  public var cardEntity: String? { cardField.map { pipeline.schema.entities[$0].name } }

  /// What the decisions cost; nil: the pipeline file does not say.
  public var decisionCost: (total: Double, alerts: Double, missed: Double)? {
    costs.map { table.decisionCost($0) }
  }

  private var costs: EventCosts? {
    pipeline.decisions.cost.map {
      EventCosts(alert: $0.alert, missed: amount($0.missed), caught: amount($0.caught))
    }
  }

  private func amount(_ amount: CostPolicy.Amount) -> EventCosts.Amount {
    switch amount {
    case .number(let number): return .constant(number)
    case .field(let name):
      let numbers = pipeline.schema.values.filter { $0.type == .number }.map(\.name)
      return numbers.firstIndex(of: name).map { .column(record.amounts[$0]) } ?? .constant(0)
    }
  }

  private var figureOptions: FigureOptions {
    var result = FigureOptions(budget: pipeline.decisions.budget)
    result.cards = cardField.map { .init(entities: record.entities[$0], k: options.top) }
    result.costs = costs
    result.resamples = options.resamples
    result.seed = options.seed
    return result
  }
}
