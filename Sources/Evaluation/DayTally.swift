/// What adds up over days: everything about a model's scores but their ranks.
struct DayTally {
  var events = 0
  var unscored = 0
  var positives = 0
  var correct = 0
  var logLoss = 0.0
  var squaredError = 0.0
  var cost = 0.0
  var atThreshold = DetectionFigures.none
  var atBudget = DetectionFigures.none

  static func += (total: inout Self, day: Self) {
    total.events += day.events
    total.unscored += day.unscored
    total.positives += day.positives
    total.correct += day.correct
    total.logLoss += day.logLoss
    total.squaredError += day.squaredError
    total.cost += day.cost
    total.atThreshold = total.atThreshold + day.atThreshold
    total.atBudget = total.atBudget + day.atBudget
  }
}

extension DetectionFigures {
  /// Of no events.
  static let none = DetectionFigures(
    events: 0, positives: 0, alerts: 0, truePositives: 0, days: 0)
}
