import Glibc

/// c(n): average path length of an unsuccessful search in a binary search tree of `count` keys,
/// by which the depth of an isolation tree is normalised (Liu, Ting and Zhou, "Isolation Forest",
/// 2008, equation 1, with 0 and 1 for one and two keys as in their 2012 paper).
public func averagePathLength(_ count: Int) -> Double {
  guard count > 2 else { return count == 2 ? 1 : 0 }
  let eulerMascheroni = 0.577_215_664_901_532_9
  let last = Double(count - 1)
  return 2 * (log(last) + eulerMascheroni) - 2 * last / Double(count)
}
