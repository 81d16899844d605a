/// The upper median of the values, which are permuted.
func upperMedian<T: Comparable>(_ values: inout [T]) -> T {
  select(values.count / 2, from: &values)
}

/// The value that would stand at a place were the values in ascending order. They are permuted
/// (Hoare, "Algorithm 65: FIND", 1961).
///
/// Expected time is linear for data in any order that does not depend on this code, which takes its
/// pivots from the middle.
func select<T: Comparable>(_ target: Int, from values: inout [T]) -> T {
  precondition(values.indices.contains(target), "no such place")
  return values.withUnsafeMutableBufferPointer { values in
    var low = 0
    var high = values.count - 1
    while low < high {
      let pivot = values[(low + high) / 2]
      var left = low
      var right = high
      while left <= right {
        while values[left] < pivot { left += 1 }
        while pivot < values[right] { right -= 1 }
        if left <= right {
          values.swapAt(left, right)
          left += 1
          right -= 1
        }
      }
      if target <= right {
        high = right
      } else if target >= left {
        low = left
      } else {
        break
      }
    }
    return values[target]
  }
}

extension [Float] {
  /// The value that would stand at a place were the values in ascending order. They are permuted.
  package mutating func select(at place: Int) -> Float {
    Learners.select(place, from: &self)
  }
}
