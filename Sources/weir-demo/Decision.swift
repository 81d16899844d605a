import Foundation

/// A record of `decisions`, as far as the demo reads it.
struct Decision: Decodable {
  struct Score: Decodable {
    var score: Float
    var threshold: Float?
    var version: UInt64
  }
  struct Reason: Decodable {
    var model: String
    var feature: String
    var contribution: Double
    var value: Double
    var typical: Double
  }
  enum Outcome: String, Decodable { case alert, pass, none }

  var outcome: Outcome
  /// By model; empty before the first versions.
  var scores: [String: Score]
  var reasons: [Reason]

  /// What spoke for fraud, strongest first, in words; without what hardly mattered.
  func explanation(of model: String) -> String {
    let reasons = reasons.filter { $0.model == model }
    let strongest = reasons.first?.contribution ?? 0
    let phrases = reasons.filter { $0.contribution >= strongest / 10 }.map(\.phrase)
    return phrases.isEmpty ? "the values are unusual together" : phrases.joined(separator: "; ")
  }
}

extension Decision.Reason {
  /// The features of models/card-fraud.yaml in words.
  fileprivate var phrase: String {
    switch feature {
    case "TX_AMOUNT": String(format: "it is for %.2f, %.2f is usual", value, typical)
    case "log(TX_AMOUNT)": "the amount is of an unusual size"
    case "hour": String(format: "it was made at %.0f o'clock, usual is about %.0f", value, typical)
    case "weekday": "it was made on a \(Self.weekdays[Int(value) % 7])"
    case "night": value == 1 ? "it was made at night" : "it was made by day"
    case "weekend": value == 1 ? "it was made on a weekend" : "it was made on a working day"
    default: String(format: "\(feature) is %.2f, %.2f is usual", value, typical)
    }
  }

  private static let weekdays = [
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
  ]
}
