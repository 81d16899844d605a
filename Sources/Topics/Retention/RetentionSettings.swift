import Glibc

/// What is to be kept of each topic of a folder: the file `retention` in it, one topic a line.
///
/// ```
/// # a comment
/// events age=90d size=50GB
/// scored size=2TB
/// ```
///
/// A topic without a line is kept for ever, and so is everything if there is no file.
public struct RetentionSettings: Hashable, Sendable {
  /// The file's name.
  public static let fileName = "retention"
  private var byTopic: [String: Retention] = [:]

  /// Settings that keep everything.
  public init() {}

  /// Reads a folder's settings; those that keep everything if it has none.
  /// - Throws: `.invalid` naming the line and what is wrong with it; `.io`.
  public init(folder: String) throws(TopicError) {
    do throws(TopicError) {
      try self.init(text: Self.read(folder) ?? "")
    } catch {
      throw error.at(folder: folder)
    }
  }

  /// Reads settings from the file's text.
  /// - Throws: `.invalid` naming the line and what is wrong with it.
  public init(text: String) throws(TopicError) {
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (index, line) in lines.enumerated() {
      let words = line.split { $0 == " " || $0 == "\t" }
      guard let topic = words.first, !topic.hasPrefix("#") else { continue }
      func wrong(_ reason: String) -> TopicError {
        TopicError(.invalid, "line \(index + 1) of the file '\(Self.fileName)': \(reason)")
      }
      guard Names.isTopic(topic) else { throw wrong("'\(topic)' is no topic's name") }
      guard byTopic[String(topic)] == nil else { throw wrong("'\(topic)' occurs twice") }
      var retention = Retention()
      for word in words.dropFirst() {
        if word.hasPrefix("age="), retention.maximumAge == nil {
          guard let age = Retention.age(word.dropFirst(4)) else {
            throw wrong("'\(word)' is no age such as age=90d")
          }
          retention.maximumAge = age
        } else if word.hasPrefix("size="), retention.maximumBytes == nil {
          guard let size = Retention.size(word.dropFirst(5)) else {
            throw wrong("'\(word)' is no size such as size=50GB")
          }
          retention.maximumBytes = size
        } else {
          throw wrong("'\(word)' is neither an age such as age=90d nor a size such as size=50GB")
        }
      }
      guard !retention.isUnlimited else { throw wrong("'\(topic)' has neither an age nor a size") }
      byTopic[String(topic)] = retention
    }
  }

  /// The topics that have a limit, in order.
  public var topics: [String] { byTopic.keys.sorted() }

  /// A topic's limits; nil to keep all of it.
  public subscript(topic: String) -> Retention? {
    get { byTopic[topic] }
    set { byTopic[topic] = newValue.flatMap { $0.isUnlimited ? nil : $0 } }
  }

  /// The file's text.
  public var text: String { topics.map { "\($0) \(byTopic[$0]!)\n" }.joined() }

  /// Writes the folder's file in one step: a reader sees the old one or the new one.
  /// - Throws: `.invalid` for a topic's name that is none; `.io`, `.full`.
  public func write(folder: String) throws(TopicError) {
    for topic in topics { try Names.check(TopicPartition(topic)) }
    let temporary = "\(folder)/\(Self.fileName).\(getpid()).\(UInt32.random(in: 0 ... .max))"
    func failure(_ number: Int32) -> TopicError {
      systemError(number, "cannot write the file '\(Self.fileName)'", folder: folder)
    }
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o660)
    guard descriptor >= 0 else { throw failure(errno) }
    defer { unlink(temporary) }
    let bytes = Array(text.utf8)
    let written = Glibc.write(descriptor, bytes, bytes.count)
    var number = written < 0 ? errno : written < bytes.count ? ENOSPC : 0
    // Lest a power cut leave the name with nothing behind it.
    if number == 0, fsync(descriptor) != 0 { number = errno }
    close(descriptor)
    guard number == 0 else { throw failure(number) }
    guard rename(temporary, folder + "/" + Self.fileName) == 0 else { throw failure(errno) }
  }

  private static func read(_ folder: String) throws(TopicError) -> String? {
    let descriptor = open(folder + "/" + fileName, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw systemError(errno, "cannot open the file '\(fileName)'", folder: folder)
    }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      guard count >= 0 else {
        throw systemError(errno, "cannot read the file '\(fileName)'", folder: folder)
      }
      guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
      bytes += chunk[..<count]
      guard bytes.count <= 1 << 24 else {
        throw TopicError(.invalid, "the file '\(fileName)' is over 16 MiB", folder: folder)
      }
    }
  }
}
