import CZlib
import Glibc

/// An input that cannot be read: what, which file, and where in it.
public struct FileError: Error, CustomStringConvertible {
  /// The file, or `standard input` or `standard output`.
  public let path: String
  /// What is wrong, to be read after the path.
  public let reason: String

  /// An error about a file, or about a place in it that the reason names.
  public init(path: String, reason: String) {
    self.path = path
    self.reason = reason
  }

  /// The path and the reason.
  public var description: String { "\(path): \(reason)" }
}

/// Reads a file, gzipped or plain (told apart by its first bytes), in large pieces.
public final class GzipInput {
  /// For messages: the path as given, or `standard input`.
  public let path: String
  /// Size of the file as it lies on disk, 0 if unknown (standard input, a pipe).
  public let fileSize: Int
  private let file: gzFile
  private var hasPassedMark = false

  /// Opens `path`; `-` is standard input.
  public init(path: String) throws(FileError) {
    self.path = path == "-" ? "standard input" : path
    var status = stat()
    if path != "-" {
      guard stat(path, &status) == 0 else {
        throw FileError(path: path, reason: String(cString: strerror(errno)))
      }
      guard status.st_mode & S_IFMT != S_IFDIR else {
        throw FileError(path: path, reason: "is a folder")
      }
    }
    fileSize = Int(status.st_size)
    guard let file = path == "-" ? gzdopen(dup(0), "rb") : gzopen(path, "rb") else {
      throw FileError(path: path, reason: String(cString: strerror(errno)))
    }
    self.file = file
    gzbuffer(file, 1 << 18)
  }

  deinit { gzclose(file) }

  /// Bytes of the file on disk that were consumed so far: for progress, in the unit of `fileSize`.
  public var consumed: Int { Int(gzoffset(file)) }

  /// Passes over a byte-order mark at the start, which is no part of a text. Only before the first
  /// `read`; a second call does nothing.
  public func passByteOrderMark() {
    guard !hasPassedMark else { return }
    hasPassedMark = true
    var passed: [Int32] = []
    for expected: Int32 in [0xef, 0xbb, 0xbf] {
      let byte = gzgetc(file)
      guard byte >= 0 else { break }
      passed.append(byte)
      guard byte == expected else { break }
    }
    guard passed != [0xef, 0xbb, 0xbf] else { return }
    for byte in passed.reversed() { gzungetc(byte, file) }
  }

  /// The first byte of a text that is no blank, without consuming it; nil if there is none. Those
  /// before it are consumed. Only before the first `read`.
  public func peek() -> UInt8? {
    passByteOrderMark()
    var byte: Int32
    repeat { byte = gzgetc(file) } while [0x20, 0x09, 0x0a, 0x0d].contains(byte)
    guard byte >= 0 else { return nil }
    gzungetc(byte, file)
    return UInt8(byte)
  }

  /// Fills the start of `buffer`; returns the number of bytes read, 0 at the end.
  /// - Throws: `FileError` when the file cannot be read or its compressed data is damaged or torn.
  public func read(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
    let count = gzread(file, buffer.baseAddress, UInt32(min(buffer.count, 1 << 30)))
    var code: Int32 = 0
    guard count >= 0 else {
      let text = String(cString: gzerror(file, &code))
      throw FileError(
        path: path, reason: code == Z_ERRNO ? String(cString: strerror(errno)) : "damaged: \(text)")
    }
    if count == 0 {
      // A file cut off in the middle reads as an end with this error set.
      _ = gzerror(file, &code)
      guard code == Z_OK || code == Z_STREAM_END else {
        throw FileError(path: path, reason: "ends in the middle of its compressed data")
      }
    }
    return Int(count)
  }
}
