/// How long a commit of an ``EmbeddedLog`` waits for the disk, and so what a mishap can undo.
///
/// In all three a process that dies, however suddenly, loses nothing that it has committed: the
/// kernel has it. They differ when the kernel dies with it, in a crash of the system or a power
/// cut:
///
/// | setting | process crash | system crash | power cut |
/// | ------- | ------------- | ------------ | --------- |
/// | `none` | nothing | the last seconds; perhaps a role's file | the same |
/// | `batch` | nothing | a role's last commit | the same |
/// | `always` | nothing | nothing | nothing |
///
/// The last two rest on a file system and a disk that keep what they have acknowledged.
public enum Durability: String, CaseIterable, Sendable {
  /// A commit hands its pages to the kernel, which writes them when it likes and in any order. A
  /// system crash or power cut may undo the last commits (by default Linux writes within half a
  /// minute), each role's on its own, and may leave a role's data file damaged.
  case none
  /// A commit waits for its data, but not for the page that makes it the last. A system crash or
  /// power cut may undo the last commit of each role; the data files stay sound.
  case batch
  /// A commit waits until all of it is on the disk. A system crash or power cut undoes nothing for
  /// which ``TopicWriter/transact(_:)`` has returned.
  case always
}
