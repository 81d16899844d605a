import Glibc

/// Unbuffered output, so that lines are there when somebody follows a long run.
enum Output {
  static func printError(_ text: String) { write(Array(text.utf8), to: STDERR_FILENO) }

  /// Writes bytes to a descriptor; ends the program quietly when nobody reads them any more.
  static func write(_ bytes: [UInt8], to descriptor: Int32) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count > 0 {
        rest = rest.dropFirst(count)
      } else if errno != EINTR {
        exit(0)
      }
    }
  }
}
