import Glibc

/// The input that a fuzzer is reading, in a file: so it outlives a crash, and whoever watches sees
/// that the fuzzer goes on.
final class InputFile {
  private let descriptor: Int32
  private let path: String

  init(path: String, create: Bool) throws {
    self.path = path
    descriptor = open(path, O_RDWR | O_CLOEXEC | (create ? O_CREAT | O_TRUNC : 0), 0o600)
    guard descriptor >= 0 else { throw Failure("\(path): \(String(cString: strerror(errno)))") }
  }

  deinit { close(descriptor) }

  /// Before an input is read: its number and the input.
  func write(_ number: Int, _ input: [UInt8]) throws {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(16 + input.count)
    for value in [UInt64(number), UInt64(input.count)] {
      for shift in stride(from: UInt64(0), to: 64, by: 8) {
        bytes.append(UInt8(truncatingIfNeeded: value >> shift))
      }
    }
    bytes += input
    guard pwrite(descriptor, bytes, bytes.count, 0) == bytes.count else {
      throw Failure("\(path): \(String(cString: strerror(errno)))")
    }
  }

  /// The number of the input being read; 0 before the first.
  var number: Int { Int(word(at: 0)) }

  /// The input being read.
  var input: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Int(word(at: 8)))
    let count = pread(descriptor, &bytes, bytes.count, 16)
    return Array(bytes.prefix(max(0, count)))
  }

  private func word(at offset: off_t) -> UInt64 {
    var bytes = [UInt8](repeating: 0, count: 8)
    guard pread(descriptor, &bytes, 8, offset) == 8 else { return 0 }
    return bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
