/// A value of one of a role's own databases, as a writer can have put it there.
///
/// Whoever reads a file that may be damaged asks here, and so does whoever copies it: what is
/// copied is what is found sound. A value may be whole and in the wrong place all the same, when a
/// tree has come to lead to pages of another.
enum OwnValue {
  case format(String)
  /// The name of the role that the environment is of.
  case owner(String)
  case epoch(UInt64)
  case position(RoleReport.Position)
  case state(key: String)

  /// Why something is no such value.
  struct Problem: Error {
    let reason: String
  }

  /// Takes what a tree has under a key.
  /// - Parameters:
  ///   - stored: The value as it is stored, nil if it cannot be reached.
  ///   - database: One of `RoleStore.ownDatabases`.
  init(_ stored: UnsafeRawBufferPointer?, under key: [UInt8], in database: String) throws(Problem) {
    guard let stored else { throw Problem(reason: "it cannot be read") }
    guard let key = String(validating: key, as: UTF8.self) else {
      throw Problem(reason: "its key is no text")
    }
    guard let value = try? StoredValue.decode(stored, key: key) else {
      throw Problem(reason: "its checksum does not match")
    }
    switch database {
    case RoleStore.meta: self = try Self.description(key, value)
    case RoleStore.positions: self = try Self.position(key, value)
    default:
      guard (try? Names.check(stateKey: key)) != nil else {
        throw Problem(reason: "it is no state value")
      }
      self = .state(key: key)
    }
  }

  private static func description(_ key: String, _ value: UnsafeRawBufferPointer) throws(Problem)
    -> OwnValue
  {
    switch key {
    case RoleStore.formatKey: return .format(String(decoding: value, as: UTF8.self))
    case RoleStore.ownerKey: return .owner(String(decoding: value, as: UTF8.self))
    case RoleStore.epochKey:
      guard value.count == 8 else { throw Problem(reason: "it is no epoch") }
      return .epoch(BatchFormat.load(UInt64.self, value, 0))
    default: throw Problem(reason: "it describes nothing of a role")
    }
  }

  private static func position(_ key: String, _ value: UnsafeRawBufferPointer) throws(Problem)
    -> OwnValue
  {
    guard let (partition, group) = RoleStore.position(ofKey: key), value.count == 8 else {
      throw Problem(reason: "it is no position")
    }
    return .position(
      RoleReport.Position(
        group: group, partition: partition, offset: BatchFormat.load(UInt64.self, value, 0)))
  }
}
