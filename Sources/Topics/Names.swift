/// The rules for names, the same for every backend, so that what works in memory works on disk.
enum Names {
  static func check(_ partition: TopicPartition) throws(TopicError) {
    guard isTopic(partition.topic) else {
      throw TopicError(
        .invalid, "a topic's name is 1 to 200 letters, digits, '.', '_' or '-'",
        partition: partition)
    }
    guard (0...Int(Int32.max)).contains(partition.partition) else {
      throw TopicError(
        .invalid, "a partition's number is 0 to \(Int32.max)", partition: partition)
    }
  }

  static func isTopic(_ name: some StringProtocol) -> Bool {
    (1...200).contains(name.utf8.count) && name.utf8.allSatisfy(isWordOrDot)
  }

  static func check(_ role: WriterRole) throws(TopicError) {
    // The leading lower-case letter also keeps roles clear of the folder's own files: FORMAT by
    // its case, `bell` and `retention` by name.
    let name = role.name.utf8
    guard (1...64).contains(name.count), name.allSatisfy({ isWordOrDot($0) && $0 != dot }),
      let first = name.first, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first),
      role.name != "bell", role.name != RetentionSettings.fileName
    else {
      throw TopicError(
        .invalid,
        "the role '\(role.name)' is not 1 to 64 letters, digits, '_' or '-' after a lower-case "
          + "letter, or is 'bell' or 'retention'")
    }
  }

  static func check(group: String) throws(TopicError) {
    guard (1...200).contains(group.utf8.count), !group.utf8.contains(0) else {
      throw TopicError(.invalid, "a group's name is 1 to 200 UTF-8 bytes without NUL")
    }
  }

  static func check(stateKey key: String) throws(TopicError) {
    guard (1...500).contains(key.utf8.count), !key.utf8.contains(0) else {
      throw TopicError(.invalid, "a state key is 1 to 500 UTF-8 bytes without NUL")
    }
  }

  private static let dot = UInt8(ascii: ".")

  private static func isWordOrDot(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), dot:
      true
    default: false
    }
  }
}
