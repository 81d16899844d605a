import Glibc

/// The folder of an embedded log: `FORMAT`, `bell`, and a folder for each role.
enum LogFolder {
  /// The content of the file FORMAT without its line end: the format's name and version. It covers
  /// the layout of the folder, of the databases and of `bell`; batches carry their own version.
  static let format = "weir-topic-log 2"

  static func mismatch(found: String, folder: String) -> TopicError {
    TopicError(
      .formatMismatch,
      "the folder has the format '\(found)', which cannot be read; known is '\(format)'. Use the "
        + "version of Weir that wrote it, or a new folder", folder: folder)
  }

  /// Checks the folder's format; makes the folder and its FORMAT first if asked to.
  static func prepare(_ folder: String, create: Bool) throws(TopicError) {
    if create { try makeFolder(folder) }
    if let found = try readFormat(folder) {
      return try check(found, folder)
    }
    guard create else {
      let reason =
        access(folder, F_OK) == 0
        ? "the folder holds no topic log: it has no file FORMAT" : "the folder does not exist"
      throw TopicError(.notFound, reason, folder: folder)
    }
    // FORMAT is the first thing written, so what has a bell but no FORMAT has lost it.
    guard access(folder + "/bell", F_OK) != 0 else {
      throw mismatch(found: "none: the file FORMAT is missing", folder: folder)
    }
    try writeFormat(folder)
    // Another process may have been faster, perhaps one of another version.
    try check(readFormat(folder) ?? "", folder)
  }

  /// Makes a folder and those above it, if they do not exist.
  static func makeFolder(_ path: String) throws(TopicError) {
    if mkdir(path, 0o770) == 0 { return }
    var number = errno
    if number == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex {
      try makeFolder(String(path[..<slash]))
      if mkdir(path, 0o770) == 0 { return }
      number = errno
    }
    var status = stat()
    if number == EEXIST {
      if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { return }
      number = ENOTDIR
    }
    throw systemError(number, "cannot create the folder", folder: path)
  }

  /// The names of the folders inside a folder that hold an LMDB data file, sorted.
  static func roles(in folder: String) throws(TopicError) -> [String] {
    try names(in: folder).filter { access("\(folder)/\($0)/data.mdb", F_OK) == 0 }
  }

  /// Whether a line names a version of the format, known or not.
  static func isVersion(_ line: String) -> Bool {
    let name = format.prefix { $0 != " " } + " "
    return line.hasPrefix(name) && UInt(line.dropFirst(name.count)) != nil
  }

  private static func check(_ found: String, _ folder: String) throws(TopicError) {
    if found != format { throw mismatch(found: found, folder: folder) }
  }

  /// The first line of FORMAT, nil if there is no such file.
  static func readFormat(_ folder: String) throws(TopicError) -> String? {
    let descriptor = open(folder + "/FORMAT", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw systemError(errno, "cannot open the file FORMAT", folder: folder)
    }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 200)
    let count = read(descriptor, &bytes, bytes.count)
    guard count >= 0 else {
      throw systemError(errno, "cannot read the file FORMAT", folder: folder)
    }
    let line = bytes[..<count].prefix { $0 != UInt8(ascii: "\n") }
    return String(decoding: line, as: UTF8.self)
  }

  /// Writes FORMAT under another name and links it into place, so that nobody ever sees half of it
  /// and nobody's is replaced, unless asked to.
  static func writeFormat(_ folder: String, replacing: Bool = false) throws(TopicError) {
    let temporary = "\(folder)/FORMAT.\(getpid()).\(UInt32.random(in: 0 ... .max))"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o660)
    guard descriptor >= 0 else {
      throw systemError(errno, "cannot create the file FORMAT", folder: folder)
    }
    defer { unlink(temporary) }
    let bytes = Array((format + "\n").utf8)
    let written = write(descriptor, bytes, bytes.count)
    let number = errno
    close(descriptor)
    guard written == bytes.count else {
      throw systemError(
        written < 0 ? number : ENOSPC, "cannot write the file FORMAT", folder: folder)
    }
    let result =
      replacing
      ? Glibc.rename(temporary, folder + "/FORMAT") : link(temporary, folder + "/FORMAT")
    guard result == 0 || errno == EEXIST else {
      throw systemError(errno, "cannot create the file FORMAT", folder: folder)
    }
  }
}
