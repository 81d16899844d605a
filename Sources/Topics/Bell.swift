import CLinux
import Glibc

/// The shared word that followers sleep on: a count of commits, and a count of sleepers.
///
/// Memory: UInt32 commits, UInt32 sleepers, in a page mapped by every process. A commit adds one to
/// the first, then makes the wake call only if the second is not zero. A sleeper adds itself to the
/// second, then lets the kernel compare the first once more before it sleeps. Both sides write
/// first and read afterwards, sequentially consistent, so one of the two sees the other.
///
/// A sleeper that is killed never takes itself off. The count is then too high for as long as the
/// file exists, which costs every commit a needless system call and nothing else.
///
/// `@unchecked Sendable`: the mapping is constant until deinit, and is touched only by atomic
/// operations.
final class Bell: @unchecked Sendable {
  private static let size = 4096
  private let page: UnsafeMutableRawPointer
  private let commits: UnsafeMutablePointer<UInt32>
  private let sleepers: UnsafeMutablePointer<UInt32>

  /// Opens the bell in a file, which is made if needed, for all processes that open it.
  convenience init(file: String, folder: String) throws(TopicError) {
    let descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o660)
    guard descriptor >= 0 else {
      throw systemError(errno, "cannot open the file 'bell'", folder: folder)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw systemError(errno, "cannot examine the file 'bell'", folder: folder)
    }
    // Growing is idempotent and fills with zeros, so it does not matter who comes first.
    if status.st_size < Self.size {
      guard ftruncate(descriptor, off_t(Self.size)) == 0 else {
        throw systemError(errno, "cannot size the file 'bell'", folder: folder)
      }
    }
    let page = mmap(nil, Self.size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
    guard let page, page != MAP_FAILED else {
      throw systemError(errno, "cannot map the file 'bell'", folder: folder)
    }
    self.init(page)
  }

  /// Makes a bell for the threads of this process.
  convenience init() {
    let page = mmap(nil, Self.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)
    guard let page, page != MAP_FAILED else { fatalError("no memory for a page") }
    self.init(page)
  }

  private init(_ page: UnsafeMutableRawPointer) {
    self.page = page
    commits = page.bindMemory(to: UInt32.self, capacity: 2)
    sleepers = commits + 1
  }

  deinit { munmap(page, Self.size) }

  var token: ChangeToken { ChangeToken(sequence: weir_atomic_load(commits)) }

  func ring() {
    weir_atomic_add(commits, 1)
    if weir_atomic_load(sleepers) != 0 { _ = weir_futex_wake_all(commits) }
  }

  func wait(since token: ChangeToken, timeoutMilliseconds: Int) -> Bool {
    if self.token != token { return true }
    guard timeoutMilliseconds > 0 else { return false }
    var deadline = timespec()
    clock_gettime(CLOCK_MONOTONIC, &deadline)
    // A hundred years is for ever, and keeps the sum in range.
    let timeout = min(timeoutMilliseconds, 100 * 365 * 86_400_000)
    let nanoseconds = deadline.tv_nsec + timeout % 1000 * 1_000_000
    deadline.tv_sec += timeout / 1000 + nanoseconds / 1_000_000_000
    deadline.tv_nsec = nanoseconds % 1_000_000_000

    weir_atomic_add(sleepers, 1)
    defer { weir_atomic_subtract(sleepers, 1) }
    while true {
      switch weir_futex_wait(commits, token.sequence, deadline) {
      case 0, EAGAIN, EINTR:
        if self.token != token { return true }
      default:
        return self.token != token
      }
    }
  }
}
