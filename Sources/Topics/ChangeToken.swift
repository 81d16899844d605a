/// A moment in a log's history, for ``TopicLog/waitForChange(since:timeoutMilliseconds:)``.
///
/// Take the token first, then read to the end, then wait with the token: a commit that falls
/// between the read and the wait has changed the token and ends the wait at once. Tokens are only
/// comparable for equality. The count behind it wraps after 2³² commits; a wait is mistaken only if
/// exactly that many fall between taking the token and using it.
public struct ChangeToken: Hashable, Sendable {
  let sequence: UInt32

  init(sequence: UInt32) { self.sequence = sequence }
}
