import Learners
import ModelLog
import StateCoding

/// What is done about versions that are withheld one after the other: from the mildest step to the
/// hardest, and in the end the guard gives way. Each published version begins it anew.
struct RecoveryLadder: Equatable {
  /// An alert rate that jumps is learnt on so many times: it may be an adaptation that settles.
  static let patience = 3
  /// Times that the model falls back to its last good state before it begins anew.
  static let fallBacks = 2
  /// Versions of a model that began anew that are withheld before guards against being worse than
  /// the served version give way: it has learnt nothing but what came since, so the stream has
  /// changed. Its first versions come at doubling distances: most of these are its youth.
  static let patienceAfterReset = 16

  private var jumps = 0
  private var fallBacks = 0
  /// How often the model began anew, and versions withheld since.
  private(set) var resets = 0
  private var sinceReset = 0

  /// Whether a version is to be published all the same.
  func givesWay(to code: WithheldUpdate.Code) -> Bool {
    let comparing = code == .figureDrop || code == .alertRate
    return comparing && sinceReset >= Self.patienceAfterReset
  }

  /// The next step.
  /// - Parameter canFallBack: whether there is a last good state.
  mutating func step(_ code: WithheldUpdate.Code, canFallBack: Bool) -> WithheldUpdate.Action {
    let comparing = code == .figureDrop || code == .alertRate
    if code == .alertRate {
      jumps += 1
      if jumps <= Self.patience, resets == 0 { return .learnsOn }
    }
    if comparing, resets > 0 {
      sinceReset += 1
      return .learnsOn
    }
    // An alert rate that jumps again after one falling back will do so after the next.
    let most = code == .alertRate ? 1 : Self.fallBacks
    if resets == 0, canFallBack, fallBacks < most {
      fallBacks += 1
      return .fellBack
    }
    resets += 1
    return .reset
  }

  // MARK: State

  init() {}

  func encode(into writer: inout StateWriter) {
    writer.write(UInt64(jumps))
    writer.write(UInt64(fallBacks))
    writer.write(UInt64(resets))
    writer.write(UInt64(sinceReset))
  }

  init(from reader: inout StateReader) throws {
    jumps = try reader.readCount(limit: Int.max / 2)
    fallBacks = try reader.readCount(limit: Self.fallBacks)
    resets = try reader.readCount(limit: Int.max / 2)
    sinceReset = try reader.readCount(limit: Int.max / 2)
  }
}
