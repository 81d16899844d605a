import Glibc

extension LogFolder {
  /// Waits until a file, or the names in a folder, are on the disk.
  static func sync(_ path: String, in folder: String) throws(TopicError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw systemError(errno, "cannot open '\(path)'", folder: folder) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else {
      throw systemError(errno, "cannot write '\(path)' to the disk", folder: folder)
    }
  }

  /// Gives a file another name, in place of any file there.
  static func rename(_ path: String, to other: String, in folder: String) throws(TopicError) {
    guard Glibc.rename(path, other) == 0 else {
      throw systemError(errno, "cannot rename '\(path)' to '\(other)'", folder: folder)
    }
  }

  /// Removes the folder of an environment that was under construction, if it is there.
  static func removeEnvironment(_ path: String) {
    for name in ["data.mdb", "lock.mdb"] { unlink("\(path)/\(name)") }
    rmdir(path)
  }

  /// The size of a file; nil if there is none.
  static func size(of path: String) -> UInt64? {
    var status = stat()
    return stat(path, &status) == 0 ? UInt64(max(0, status.st_size)) : nil
  }

  static func isEmpty(_ folder: String) throws(TopicError) -> Bool {
    try entries(of: folder).isEmpty
  }

  /// The names in a folder, sorted, without those that begin with a dot.
  static func names(in folder: String) throws(TopicError) -> [String] {
    try entries(of: folder).filter { $0.first != "." }.sorted()
  }

  private static func entries(of folder: String) throws(TopicError) -> [String] {
    guard let directory = opendir(folder) else {
      throw systemError(errno, "cannot list the folder", folder: folder)
    }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }
}
