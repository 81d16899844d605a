import Glibc
import Processes

/// A folder in memory that goes with its object.
final class TemporaryFolder {
  let path: String

  init() throws {
    var template = Array("/dev/shm/weir-fuzz-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw Finding("no folder in memory: \(errno)") }
    path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  deinit { removeTree(path) }

  /// Removes what is in a folder within.
  func removeAll(in folder: String) {
    removeTree(path + folder)
    mkdir(path + folder, 0o700)
  }

  func write(_ bytes: [UInt8], to name: String) throws {
    let descriptor = open(path + name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Finding("\(path)\(name): \(errno)") }
    defer { close(descriptor) }
    guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
      throw Finding("\(path)\(name): \(errno)")
    }
  }

  func read(_ name: String) throws -> [UInt8] {
    let descriptor = open(path + name, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Finding("\(path)\(name): \(errno)") }
    defer { close(descriptor) }
    var status = stat()
    fstat(descriptor, &status)
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    guard Glibc.read(descriptor, &bytes, bytes.count) == bytes.count else {
      throw Finding("\(path)\(name): \(errno)")
    }
    return bytes
  }
}
