import Glibc

/// The terminals' places, indexed by x so that a customer's search touches a strip only.
struct TerminalMap {
  private struct Place {
    let x: Double
    let y: Double
    let number: Int32
  }

  private let byX: [Place]

  init(count: Int, generator: NumPyLegacyRandom) {
    var generator = generator
    let places = (0..<count).map { number in
      let x = generator.uniform(0, 100)
      return Place(x: x, y: generator.uniform(0, 100), number: Int32(number))
    }
    byX = places.sorted { ($0.x, $0.number) < ($1.x, $1.number) }
  }

  /// The terminals at a Euclidean distance below `radius`, by rising number.
  func terminals(within radius: Double, ofX x: Double, y: Double) -> [Int32] {
    // Subtraction rounds monotonically and √(d²) is d, so no terminal outside the strip can pass
    // the exact test below.
    var index = firstIndex { $0.x - x > -radius }
    var found: [Int32] = []
    while index < byX.count, byX[index].x - x < radius {
      let place = byX[index]
      let dx = place.x - x
      let dy = place.y - y
      if sqrt(dx * dx + dy * dy) < radius { found.append(place.number) }
      index += 1
    }
    return found.sorted()
  }

  private func firstIndex(where isPast: (Place) -> Bool) -> Int {
    var low = 0
    var high = byX.count
    while low < high {
      let middle = (low + high) / 2
      if isPast(byX[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
