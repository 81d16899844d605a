import Glibc

/// The bytes of an LMDB data file, read without LMDB, which may crash on a damaged one.
///
/// Nothing is mapped, so that a file which is cut short meanwhile gives an error and no signal.
final class DataFile {
  private enum Source {
    case descriptor(Int32)
    case memory([UInt8])
  }

  /// The size of a page, a power of two; LMDB takes it from the machine that made the file.
  let pageSize: Int
  /// The size of the file in bytes when it was opened.
  let byteCount: UInt64
  /// The whole pages there are.
  var pageCount: UInt64 { byteCount / UInt64(pageSize) }

  private let source: Source

  /// Opens a file for reading.
  convenience init(path: String, folder: String) throws(TopicError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw systemError(errno, "cannot open the data file", folder: folder)
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let number = errno
      close(descriptor)
      throw systemError(number, "cannot examine the data file", folder: folder)
    }
    self.init(.descriptor(descriptor), byteCount: UInt64(max(0, status.st_size)))
  }

  /// Takes the bytes of a file.
  convenience init(bytes: [UInt8]) { self.init(.memory(bytes), byteCount: UInt64(bytes.count)) }

  private init(_ source: Source, byteCount: UInt64) {
    self.source = source
    self.byteCount = byteCount
    pageSize = MetaPage.pageSize { at, count in Self.read(source, at: at, count: count) }
  }

  deinit { if case .descriptor(let descriptor) = source { close(descriptor) } }

  /// The bytes at a place; nil if the file ends before or the disk fails.
  func read(at place: UInt64, count: Int) -> [UInt8]? {
    let (end, overflow) = place.addingReportingOverflow(UInt64(max(0, count)))
    guard !overflow, end <= byteCount else { return nil }
    return Self.read(source, at: place, count: count)
  }

  /// A whole page; nil if the file ends before or the disk fails.
  func page(_ number: UInt64) -> [UInt8]? {
    guard number < pageCount else { return nil }
    return read(at: number * UInt64(pageSize), count: pageSize)
  }

  private static func read(_ source: Source, at place: UInt64, count: Int) -> [UInt8]? {
    switch source {
    case .memory(let bytes):
      guard place <= UInt64(bytes.count), count <= bytes.count - Int(place) else { return nil }
      return [UInt8](bytes[Int(place)..<Int(place) + count])
    case .descriptor(let descriptor):
      guard place <= UInt64(Int64.max) else { return nil }
      var filled = 0
      let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
        while filled < count {
          let got = pread(
            descriptor, buffer.baseAddress! + filled, count - filled, off_t(place) + off_t(filled))
          if got < 0, errno == EINTR { continue }
          guard got > 0 else { break }
          filled += got
        }
        initialized = filled
      }
      return filled == count ? bytes : nil
    }
  }
}

extension [UInt8] {
  /// A little-endian number at a place, which has to lie within.
  @inline(__always)
  func number<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type, _ place: Int) -> T {
    precondition(place >= 0 && place <= count - MemoryLayout<T>.size)
    return withUnsafeBytes {
      T(littleEndian: $0.loadUnaligned(fromByteOffset: place, as: T.self))
    }
  }
}
