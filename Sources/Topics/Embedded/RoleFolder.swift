import Glibc

/// The folder of a role whose environment is being created.
///
/// A data file that is missing or ends before its second meta page may be the beginning of one, or
/// the rest of one. It is begun anew only while the file `unfinished` lies beside it: a folder
/// appears with that in it, and loses it after the first commit.
enum RoleFolder {
  private static let marker = "unfinished"

  /// Makes the folder with the marker in it, unless it is there and not empty.
  static func make(_ path: String) throws(TopicError) {
    if access(path + "/data.mdb", F_OK) == 0 { return }
    let slash = path.lastIndex(of: "/")!
    let temporary =
      "\(path[...slash]).\(path[slash...].dropFirst()).\(getpid()).\(UInt32.random(in: 0 ... .max))"
    guard mkdir(temporary, 0o770) == 0 else {
      throw systemError(errno, "cannot create the folder", folder: path)
    }
    defer {
      unlink("\(temporary)/\(marker)")
      rmdir(temporary)
    }
    let descriptor = open("\(temporary)/\(marker)", O_WRONLY | O_CREAT | O_CLOEXEC, 0o660)
    guard descriptor >= 0 else {
      throw systemError(errno, "cannot create the file '\(marker)'", folder: path)
    }
    close(descriptor)
    // In one step, also where somebody else is doing the same: an empty folder is replaced, and one
    // that holds anything stays.
    guard rename(temporary, path) != 0 else { return }
    let number = errno
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      throw systemError(number, "cannot create the folder", folder: path)
    }
  }

  /// Whether nothing has been committed in the folder yet, as far as its creator has told.
  static func isUnfinished(_ path: String) -> Bool { access("\(path)/\(marker)", F_OK) == 0 }

  /// Something has been committed.
  static func finish(_ path: String) { unlink("\(path)/\(marker)") }
}
