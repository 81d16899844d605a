import Foundation
import Testing
import Topics

extension WriterRole {
  /// Two exclusive roles to test with.
  static let scorer = WriterRole("scorer")
  static let trainer = WriterRole("trainer")
}

/// A backend under test, made anew for each test.
enum Backend: String, CaseIterable, CustomTestStringConvertible {
  case memory, embedded
  var testDescription: String { rawValue }

  /// Runs `body` on an empty log.
  func withLog<T>(_ body: (any TopicLog) throws -> T) throws -> T {
    switch self {
    case .memory: try body(MemoryLog())
    case .embedded:
      try withFolder { folder in
        try body(EmbeddedLog(folder: folder, access: .readWrite))
      }
    }
  }

  /// Runs `body` on an empty log; for tests that need threads.
  func withLog<T>(_ body: (any TopicLog) async throws -> T) async throws -> T {
    switch self {
    case .memory: return try await body(MemoryLog())
    case .embedded:
      let folder = newFolder()
      defer { try? FileManager.default.removeItem(atPath: folder) }
      return try await body(EmbeddedLog(folder: folder, access: .readWrite))
    }
  }
}

/// The path of a folder that does not exist yet.
/// - Parameter inMemory: on a file system in memory, if there is one: for many syncs.
func newFolder(inMemory: Bool = false) -> String {
  let base =
    inMemory && FileManager.default.isWritableFile(atPath: "/dev/shm")
    ? "/dev/shm" : FileManager.default.temporaryDirectory.path
  return base + "/topics-test-\(UUID().uuidString)"
}

/// Runs `body` with the path of a folder that does not exist yet, and removes it afterwards.
func withFolder<T>(_ body: (String) throws -> T) throws -> T {
  let folder = newFolder()
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try body(folder)
}

/// The same for tests that need threads.
func withFolder(_ body: (String) async throws -> Void) async throws {
  let folder = newFolder()
  defer { try? FileManager.default.removeItem(atPath: folder) }
  try await body(folder)
}

/// A record copied out of the log.
struct Copied: Equatable {
  var offset: UInt64
  var timestamp: Int64
  var key: [UInt8]?
  var value: [UInt8]

  init(_ record: RecordView) {
    offset = record.offset
    timestamp = record.timestamp
    key = record.key.map { [UInt8]($0) }
    value = [UInt8](record.value)
  }

  init(_ offset: UInt64, _ timestamp: Int64, _ key: [UInt8]?, _ value: [UInt8]) {
    self.offset = offset
    self.timestamp = timestamp
    self.key = key
    self.value = value
  }
}

extension TopicReader {
  func copies(from offset: UInt64 = 0, limit: Int = .max) throws -> [Copied] {
    var copies: [Copied] = []
    _ = try read(from: offset, limit: limit) {
      copies.append(Copied($0))
      return true
    }
    return copies
  }

  /// The values as text.
  func texts(from offset: UInt64 = 0, limit: Int = .max) throws -> [String] {
    try copies(from: offset, limit: limit).map { String(decoding: $0.value, as: UTF8.self) }
  }
}

extension TopicWriter {
  /// Appends a batch of texts in a transaction of its own.
  @discardableResult
  func append(_ texts: [String], to partition: TopicPartition, timestamp: Int64 = 0) throws
    -> UInt64
  {
    try transact { try $0.append(RecordBatch(texts, timestamp: timestamp), to: partition) }
  }
}

extension RecordBatch {
  init(_ texts: [String], timestamp: Int64 = 0) {
    self.init()
    for text in texts { append(key: nil, value: Array(text.utf8), timestamp: timestamp) }
  }
}

/// Runs blocking work on a thread of its own, off the tests' shared pool.
func onThread<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
  try await withCheckedThrowingContinuation { continuation in
    Thread { continuation.resume(with: Result { try body() }) }.start()
  }
}

/// The error that `body` throws, which has to be a topic's.
func topicError(
  _ sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) throws -> TopicError {
  try #require(throws: TopicError.self, sourceLocation: sourceLocation) { try body() }
}

/// Expects `body` to throw a topic's error of a kind.
func expectError(
  _ code: TopicError.Code, _ sourceLocation: SourceLocation = #_sourceLocation,
  _ body: () throws -> Void
) throws {
  let error = try topicError(sourceLocation, body)
  #expect(error.code == code, sourceLocation: sourceLocation)
}

/// A generator that repeats from its seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
