/// Places the names of curves beside them, where they cover neither a curve nor each other, so that
/// no legend is needed.
struct LabelLayout {
  /// A curve and its name.
  struct Curve {
    let points: [Point]
    let text: String
    /// Classes of the name and its pointer.
    let style: String
  }

  /// Where a name goes.
  private struct Place {
    let anchor: Point
    let box: Box
    let isLeftOfAnchor: Bool
    let cost: Double
  }

  private struct Box {
    let left, right, top, bottom: Double

    /// Whether a point of a curve is in it, or so near that a dot there would touch the name.
    func touches(_ point: Point) -> Bool {
      point.x > left - 2 && point.x < right + 2 && point.y > top - 2 && point.y < bottom + 2
    }

    func meets(_ other: Box) -> Bool {
      left < other.right && other.left < right && top < other.bottom && other.top < bottom
    }
  }

  /// The usual advance of a character of a label, and the height of its line.
  static let advance = 7.2
  private static let lineHeight = 15.0

  /// Adds the names to a picture.
  static func place(_ curves: [Curve], on plot: inout Plot) {
    let dense = curves.map { resampled($0.points, spacing: 4) }
    var taken: [Box] = []
    for (index, curve) in curves.enumerated() where !curve.points.isEmpty {
      guard let place = best(index, curves, dense, taken, plot) else { continue }
      taken.append(place.box)
      let x = place.isLeftOfAnchor ? place.box.right : place.box.left
      let y = (place.box.top + place.box.bottom) / 2
      plot.add("<line class=\"pointer \(curve.style)\" x1=\"\(place.anchor.x)\" ")
      plot.add("y1=\"\(place.anchor.y)\" x2=\"\(x)\" y2=\"\(y)\"/>")
      plot.dot(place.anchor, curve.style, radius: 2.5)
      plot.text(
        curve.text, at: Point(x: x + (place.isLeftOfAnchor ? -3 : 3), y: y + 4),
        anchor: place.isLeftOfAnchor ? "end" : "start", "name \(curve.style)")
    }
  }

  private static func best(
    _ index: Int, _ curves: [Curve], _ dense: [[Point]], _ taken: [Box], _ plot: Plot
  ) -> Place? {
    let width = Double(curves[index].text.count) * advance + 6
    let own = dense[index]
    var best: Place?
    for step in stride(from: 0, to: own.count, by: max(1, own.count / 40)) {
      let anchor = own[step]
      var nearest = Double.infinity
      for (other, points) in dense.enumerated() where other != index {
        for point in points { nearest = min(nearest, distance(point, anchor)) }
      }
      // Curves meet at their ends, and those lie on the axes; a pointer between two curves that
      // are close may be of either.
      let along = Double(min(step, own.count - 1 - step)) / Double(own.count)
      let atAnchor = 30 * max(0, 1 - along / 0.1) + 60 * max(0, 1 - nearest / 7)
      for reach in [10.0, 18, 30, 44, 62, 84] {
        for (across, down) in [
          (0.8, 0.6), (0.8, -0.6), (-0.8, -0.6), (-0.8, 0.6), (1, 0), (-1, 0), (0.3, 0.95),
          (0.3, -0.95), (-0.3, 0.95), (-0.3, -0.95),
        ] {
          let isLeft = across < 0
          let x = anchor.x + across * reach
          let y = anchor.y + down * reach
          let box = Box(
            left: isLeft ? x - width : x, right: isLeft ? x : x + width, top: y - lineHeight / 2,
            bottom: y + lineHeight / 2)
          guard box.left >= plot.left + 2, box.right <= plot.width, box.top >= plot.top - 4,
            box.bottom <= plot.bottom - 2, !taken.contains(where: box.meets)
          else { continue }
          // Short pointers before all: one across the picture is read as a mark of its own.
          var cost = atAnchor + reach + 2 * max(0, reach - 30)
          // It can only become more.
          if let best, cost >= best.cost { continue }
          for (other, points) in dense.enumerated() {
            cost += Double(points.count(where: box.touches)) * (other == index ? 14 : 30)
          }
          // The pointer crosses no other curve.
          for share in [0.3, 0.5, 0.7, 0.9] {
            let between = Point(
              x: anchor.x + (x - anchor.x) * share, y: anchor.y + (y - anchor.y) * share)
            for (other, points) in dense.enumerated() where other != index {
              if points.contains(where: { distance($0, between) < 4 }) { cost += 40 }
            }
          }
          if best.map({ cost < $0.cost }) ?? true {
            best = Place(anchor: anchor, box: box, isLeftOfAnchor: isLeft, cost: cost)
          }
        }
      }
    }
    return best
  }

  private static func distance(_ a: Point, _ b: Point) -> Double {
    ((a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y)).squareRoot()
  }

  /// Points along a line, at most so far apart.
  private static func resampled(_ points: [Point], spacing: Double) -> [Point] {
    guard var last = points.first else { return [] }
    var result = [last]
    for point in points.dropFirst() {
      let pieces = Int((distance(last, point) / spacing).rounded(.up))
      for piece in stride(from: 1, through: pieces, by: 1) {
        let share = Double(piece) / Double(pieces)
        result.append(
          Point(x: last.x + (point.x - last.x) * share, y: last.y + (point.y - last.y) * share))
      }
      last = point
    }
    return result
  }

  /// Heights for names beside the right ends of lines, so that none covers another.
  /// - Parameters:
  ///   - wanted: where the lines end.
  ///   - range: of the heights.
  /// - Returns: in the order of `wanted`.
  static func spread(_ wanted: [Double], within range: ClosedRange<Double>) -> [Double] {
    let order = wanted.indices.sorted { wanted[$0] < wanted[$1] }
    var heights = wanted
    var limit = range.lowerBound
    for index in order {
      heights[index] = max(heights[index], limit)
      limit = heights[index] + lineHeight
    }
    limit = range.upperBound
    for index in order.reversed() {
      heights[index] = min(heights[index], limit)
      limit = heights[index] - lineHeight
    }
    return heights
  }
}
