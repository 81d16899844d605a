import Glibc

/// The largest resident memory this program has had, in bytes; nil where /proc does not say.
///
/// Not `ru_maxrss` of getrusage(2): Linux carries that over from the program that started this one.
func peakMemory() -> Int? {
  let file = open("/proc/self/status", O_RDONLY | O_CLOEXEC)
  guard file >= 0 else { return nil }
  defer { close(file) }
  var bytes = [UInt8](repeating: 0, count: 1 << 14)
  let count = read(file, &bytes, bytes.count)
  guard count > 0 else { return nil }
  for line in String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n")
  where line.hasPrefix("VmHWM:") {
    // VmHWM:     12345 kB
    return line.split(whereSeparator: \.isWhitespace).dropFirst().first
      .flatMap { Int($0) }.map { $0 * 1024 }
  }
  return nil
}
