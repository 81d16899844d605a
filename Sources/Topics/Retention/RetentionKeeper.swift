import Glibc

/// Trims the partitions that a writer owns to the folder's ``RetentionSettings``, a bounded piece
/// at a time, for a service to call between its transactions. Used by one thread at a time.
public final class RetentionKeeper {
  /// A partition that was trimmed.
  public struct Trimmed: Hashable, Sendable {
    /// Which one.
    public let partition: TopicPartition
    /// The offsets that went.
    public let offsets: Range<UInt64>
  }

  /// The most batches of a partition that one call removes.
  private static let batchesAtOnce = 64
  private static let settingsInterval: Int64 = 60_000
  private static let restInterval: Int64 = 10_000

  private let folder: String
  private let now: () -> Int64
  private var settings = RetentionSettings()
  private var settingsFile: FileState?
  private var settingsDue: Int64?
  private var trimmingDue: Int64?

  /// Which content of the settings file was read.
  private struct FileState: Equatable {
    let file: FileIdentity
    let seconds: Int
    let nanoseconds: Int
    let size: Int
  }

  /// - Parameters:
  ///   - folder: The log's folder.
  ///   - now: The time of day, ms since 1970.
  public init(folder: String, now: @escaping () -> Int64) {
    self.folder = folder
    self.now = now
  }

  /// Removes up to 64 batches from the start of each partition that is over its topic's limits, in
  /// one transaction. Does nothing for ten seconds after a call that found nothing to remove, and
  /// looks once a minute whether the settings have changed; so it may be called as often as one
  /// likes.
  ///
  /// - Parameters:
  ///   - partitions: Partitions of the writer's role.
  ///   - keepingFrom: The position of the partition's slowest reader, from which on everything is
  ///     kept whatever its age; nil if nobody reads it. Asked only when there are limits to apply.
  /// - Returns: What was removed.
  /// - Throws: As ``TopicWriter/transact(_:)``. Settings that cannot be read are `.invalid` or
  ///   `.io`, once for each change of the file: the last that could be read hold until then.
  public func tend(
    _ partitions: [TopicPartition], of writer: any TopicWriter,
    keepingFrom: (TopicPartition) throws -> UInt64?
  ) throws -> [Trimmed] {
    let now = now()
    try readSettings(now)
    guard Self.isDue(&trimmingDue, now, every: Self.restInterval) else { return [] }
    var limits: [(partition: TopicPartition, retention: Retention, keepingFrom: UInt64?)] = []
    for partition in partitions {
      guard let retention = settings[partition.topic] else { continue }
      limits.append((partition, retention, try keepingFrom(partition)))
    }
    guard !limits.isEmpty else { return [] }
    let trimmed = try writer.transact { transaction in
      var trimmed: [Trimmed] = []
      for (partition, retention, keepingFrom) in limits {
        let start = try transaction.trim(partition, before: 0, limit: 0)
        let kept = try transaction.retain(
          partition, by: retention, keepingFrom: keepingFrom, now: now, limit: Self.batchesAtOnce)
        if kept > start { trimmed.append(Trimmed(partition: partition, offsets: start..<kept)) }
      }
      return trimmed
    }
    // There may be more.
    if !trimmed.isEmpty { trimmingDue = nil }
    return trimmed
  }

  private func readSettings(_ now: Int64) throws(TopicError) {
    guard Self.isDue(&settingsDue, now, every: Self.settingsInterval) else { return }
    var status = stat()
    let exists = stat(folder + "/" + RetentionSettings.fileName, &status) == 0
    let state =
      exists
      ? FileState(
        file: FileIdentity(status), seconds: status.st_mtim.tv_sec,
        nanoseconds: status.st_mtim.tv_nsec, size: Int(status.st_size)) : nil
    guard state != settingsFile else { return }
    settingsFile = state
    settings = try RetentionSettings(folder: folder)
    trimmingDue = nil
  }

  /// Whether it is time; if so, it is next after the interval. A clock set back makes it time too.
  private static func isDue(_ due: inout Int64?, _ now: Int64, every interval: Int64) -> Bool {
    if let due, now < due, now >= due - interval { return false }
    due = now + interval
    return true
  }
}
