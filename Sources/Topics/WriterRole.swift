/// Who writes. Each role has an LMDB environment of its own, so that a role's outputs and its
/// position share a transaction, and roles never wait for each other's lock.
///
/// A partition belongs to the role that writes it: `events` of the producers and `events` of
/// another role are different logs.
public struct WriterRole: Hashable, Sendable, CustomStringConvertible {
  /// The role's name, which is also its folder: 1 to 64 letters, digits, `_` or `-`, starting with
  /// a lower-case letter. Checked where it is used.
  public let name: String

  /// Names a role.
  public init(_ name: String) { self.name = name }

  /// Everything that brings records in from outside; several processes at once, no epoch.
  public static let producers = WriterRole("producers")

  /// The role's name.
  public var description: String { name }
}
