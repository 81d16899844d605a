/// All figures of one model over some rows.
public struct ModelFigures: Sendable, Equatable {
  /// Over all of the rows, with intervals if they were asked for.
  public let overall: Figures
  /// Day by day, in the order of days; only days with an event appear.
  public let byDay: [DayFigures]
  /// Week by week likewise; weeks begin on Mondays.
  public let byWeek: [WeekFigures]
  /// Curves, calibration and histogram over all of the rows; nil unless they were asked for.
  public let curves: ScoreCurves?
}

/// The figures of one week.
public struct WeekFigures: Sendable, Equatable {
  /// The Monday, whole days since 1970-01-01 UTC.
  public let monday: Int32
  /// The model's figures over the week's events.
  public let figures: Figures
}

/// The figures of what one version scored.
public struct VersionFigures: Sendable, Equatable {
  /// What was served.
  public let version: ServedVersion
  /// Over the events that it scored.
  public let figures: Figures
}

/// Parameters that score from some row on.
public struct ServedVersion: Sendable, Equatable {
  /// Of the trainer that published them.
  public var epoch: UInt64
  /// The version's number.
  public var version: UInt64
  /// The event time at which they began to serve, ms since 1970.
  public var time: Int64
  /// A score at or above it is flagged; nil: none is.
  public var threshold: Float?

  /// Describes a version.
  public init(epoch: UInt64, version: UInt64, time: Int64, threshold: Float?) {
    self.epoch = epoch
    self.version = version
    self.time = time
    self.threshold = threshold
  }
}

/// Pictures of a model's scores.
public struct ScoreCurves: Sendable, Equatable {
  /// The share of negatives and the share of positives at or above falling thresholds, from (0, 0)
  /// to (1, 1), at most 200 points at least one percent of either apart; empty unless there are
  /// both classes.
  public let roc: [CurvePoint]
  /// Recall and precision at falling thresholds, at most 200 points half a percent of recall apart.
  public let precisionRecall: [CurvePoint]
  /// Bins of equal mass, at most 20; empty for scores that are no probabilities.
  public let calibration: [CalibrationBin]
  /// The scores by class.
  public let histogram: ScoreHistogram

  /// A point of a curve.
  public struct CurvePoint: Sendable, Equatable {
    /// To the right.
    public let x: Double
    /// Upwards.
    public let y: Double
  }

  /// What scores promised and what came.
  public struct CalibrationBin: Sendable, Equatable {
    /// The mean probability.
    public let meanScore: Double
    /// The share of positives.
    public let positiveShare: Double
    /// Events in the bin.
    public let events: Int
  }

  /// Counts of scores in bins of equal width, a bin without its upper edge but for the last.
  public struct ScoreHistogram: Sendable, Equatable {
    /// One more than there are bins; 0 to 1 for probabilities, otherwise from the lowest finite
    /// score to the highest. Empty without scores.
    public let edges: [Double]
    /// Negatives a bin.
    public let negatives: [Int]
    /// Positives a bin.
    public let positives: [Int]
  }
}
