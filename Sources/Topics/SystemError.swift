import Glibc

/// The error for a failed system call.
func systemError(_ number: Int32, _ action: String, folder: String) -> TopicError {
  let text = String(cString: strerror(number))
  let code: TopicError.Code =
    switch number {
    case ENOSPC, EDQUOT, EFBIG: .full
    case ENOENT: .notFound
    default: .io
    }
  return TopicError(
    code, "\(action): \(text)", folder: folder, isRetriable: number == EINTR || number == EAGAIN)
}
