/// Splits a file into lines ending in LF or CRLF.
public struct LineReader {
  /// Lines given so far; the number of the current line, from 1.
  public private(set) var lineNumber = 0
  /// The file read, for its path and progress.
  public let input: GzipInput
  private var buffer: [UInt8]
  private var start = 0
  private var end = 0
  private var atEnd = false

  /// A reader at the start of `input`; nothing is read yet.
  public init(_ input: GzipInput) {
    self.input = input
    buffer = [UInt8](repeating: 0, count: 1 << 18)
  }

  /// Calls `body` with the next line without its ending; nil at the end of the file.
  /// The bytes are only valid inside the call.
  public mutating func next<T>(_ body: (UnsafeRawBufferPointer) throws -> T) throws -> T? {
    var searched = 0
    while true {
      let found = buffer[(start + searched)..<end].firstIndex(of: UInt8(ascii: "\n"))
      if found != nil || (atEnd && start < end) {
        let lineEnd = found ?? end
        var last = lineEnd
        if last > start, buffer[last - 1] == UInt8(ascii: "\r") { last -= 1 }
        let line = start..<last
        start = found.map { $0 + 1 } ?? end
        lineNumber += 1
        return try buffer.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[line])) }
      }
      if atEnd { return nil }
      searched = end - start
      try refill()
    }
  }

  /// Likewise, passing over empty lines.
  public mutating func nextNonEmpty<T>(
    _ body: (UnsafeRawBufferPointer) throws -> T
  ) throws -> T? {
    while true {
      var result: T?
      let line: Void? = try next { if !$0.isEmpty { result = try body($0) } }
      if line == nil || result != nil { return result }
    }
  }

  private mutating func refill() throws(FileError) {
    if start > 0 {
      buffer.replaceSubrange(0..<(end - start), with: buffer[start..<end])
      end -= start
      start = 0
    }
    if end == buffer.count { buffer.append(contentsOf: repeatElement(0, count: buffer.count)) }
    var failure: FileError?
    let count = buffer.withUnsafeMutableBytes { raw -> Int in
      do throws(FileError) {
        return try input.read(into: UnsafeMutableRawBufferPointer(rebasing: raw[end...]))
      } catch {
        failure = error
        return 0
      }
    }
    if let failure { throw failure }
    if count == 0 { atEnd = true }
    end += count
  }
}
