import Evaluation
import Learners
import ModelLog

/// Why parameters are not fit to be published.
public struct GuardObjection: Sendable, Equatable {
  /// Which guard speaks.
  public let code: WithheldUpdate.Code
  /// One sentence with the numbers.
  public let reason: String

  /// What a scorer would refuse.
  public static func toNonFinite(
    _ parameters: any ModelParameters, threshold: Float?
  ) -> GuardObjection? {
    if !parameters.isFinite {
      return GuardObjection(
        code: .nonFinite, reason: "the parameters are not all finite and in range")
    }
    if let threshold, !threshold.isFinite {
      return GuardObjection(code: .nonFinite, reason: "the threshold is not finite")
    }
    return nil
  }

  /// Parameters that are larger than any sane model's.
  public static func toExploding(_ parameters: any ModelParameters) -> GuardObjection? {
    let largest = parameters.largestMagnitude
    let bound = Guards.largestMagnitude(of: type(of: parameters).kind)
    guard largest > bound else { return nil }
    return GuardObjection(
      code: .exploding,
      reason: "the largest parameter in standardised units would be \(rounded(largest)), "
        + "more than \(rounded(bound))")
  }

  /// How many standard deviations of a small sample's figure are put down to chance.
  static let chanceDeviations = 2.0

  /// Figures that collapse from the last published version's, both on the same rows.
  static func toFigures(
    _ candidate: SampleFigures, against served: SampleFigures, _ guards: Guards
  ) -> GuardObjection? {
    let chance = chanceDeviations * candidate.areaDeviation
    if served.areaUnderROC - candidate.areaUnderROC > guards.figureDrop + chance {
      return GuardObjection(
        code: .figureDrop,
        reason: "AUROC on \(candidate.events) recent labelled rows would fall from "
          + "\(rounded(served.areaUnderROC)) to \(rounded(candidate.areaUnderROC)), "
          + "by more than \(rounded(guards.figureDrop)) and \(rounded(chance)) for chance")
    }
    if let before = served.logLoss, let after = candidate.logLoss,
      after - before > guards.logLossRise, after > 2 * before
    {
      return GuardObjection(
        code: .figureDrop,
        reason: "log loss on \(candidate.events) recent labelled rows would rise from "
          + "\(rounded(before)) to \(rounded(after)), to more than the double and by more than "
          + "\(rounded(guards.logLossRise))")
    }
    return nil
  }

  /// A share of flagged events that jumps.
  /// - Parameter served: the last published version's share.
  static func toAlertRate(
    _ candidate: Double, against served: Double, _ guards: Guards
  ) -> GuardObjection? {
    guard candidate > served * guards.alertRateFactor, candidate - served > guards.alertRateFloor
    else { return nil }
    return GuardObjection(
      code: .alertRate,
      reason: "the share of recent events that are flagged would rise from "
        + "\(rounded(served * 100)) % to \(rounded(candidate * 100)) %, to more than "
        + "\(rounded(guards.alertRateFactor)) times as many")
  }

  /// Three digits behind the point at most.
  private static func rounded(_ value: Double) -> String {
    let text = "\((value * 1000).rounded() / 1000)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}
