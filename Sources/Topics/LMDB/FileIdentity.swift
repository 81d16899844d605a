import Glibc

/// A file, whatever its path.
struct FileIdentity: Hashable {
  let device: UInt64
  let inode: UInt64

  init(_ status: stat) {
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
  }

  init(of descriptor: Int32, folder: String) throws(TopicError) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw systemError(errno, "cannot examine the data file", folder: folder)
    }
    self.init(status)
  }
}
