import LinearAlgebra

/// Clusters of events. An event is suspicious when it is far from every centre of a cluster of some
/// weight, measured by how far the members of the nearest one usually are from theirs.
public struct KMeansParameters: ModelParameters, Equatable {
  /// Family of the model.
  public static let kind = ModelKind.kMeans

  /// Units in which distances are measured.
  public let standardisation: Standardisation
  /// Centres in the features' own units, row-major: feature j of centre i at `i * featureCount + j`.
  public let centres: [Double]
  /// Root mean square distance of its members from each centre, in standardised units, positive.
  public let spreads: [Double]
  /// Share of the examples that each cluster holds; they add up to 1.
  public let weights: [Double]

  /// A cluster of less than this share of the average weight is no reference to measure events by: it
  /// may be a few anomalies of a kind, which would excuse each other.
  private static let smallestShare = 0.1

  /// Clusters that events are measured by, at least one.
  let references: [Int]
  /// Clusters scored together, see ``score(_:into:)``.
  static let tile = 4
  /// Standardised centres of the references, in tiles of ``tile`` clusters: `(tile, feature, cluster
  /// in tile)`. The last tile is filled up with repetitions of the last cluster.
  let tiles: [Double]

  /// A model of `spreads.count` clusters, at least one.
  public init(
    standardisation: Standardisation, centres: [Double], spreads: [Double], weights: [Double]
  ) {
    let features = standardisation.featureCount
    precondition(
      !spreads.isEmpty && centres.count == spreads.count * features
        && weights.count == spreads.count, "one centre, spread and weight a cluster")
    self.standardisation = standardisation
    self.centres = centres
    self.spreads = spreads
    self.weights = weights
    let smallest = Self.smallestShare * weights.reduce(0, +) / Double(weights.count)
    let heavy = weights.indices.filter { weights[$0] >= smallest }
    let references = heavy.isEmpty ? [Int](weights.indices) : heavy
    self.references = references
    let tileCount = (references.count + Self.tile - 1) / Self.tile
    var tiles: [Double] = []
    tiles.reserveCapacity(tileCount * Self.tile * features)
    for tile in 0..<tileCount {
      for feature in 0..<features {
        for lane in 0..<Self.tile {
          let cluster = references[min(tile * Self.tile + lane, references.count - 1)]
          tiles.append(
            standardisation.standardise(centres[cluster * features + feature], feature: feature))
        }
      }
    }
    self.tiles = tiles
  }

  /// Number of features.
  public var featureCount: Int { standardisation.featureCount }

  /// Number of clusters.
  public var clusterCount: Int { spreads.count }

  /// Whether every number is finite and in range.
  public var isFinite: Bool {
    standardisation.isFinite && centres.allSatisfy(\.isFinite)
      && spreads.allSatisfy { $0 >= Self.smallestSpread && $0.isFinite }
      && weights.allSatisfy { $0 >= 0 && $0.isFinite }
  }

  /// Of the centres, which are not clipped here, and the spreads.
  public var largestMagnitude: Double {
    var largest = spreads.reduce(0) { max($0, abs($1)) }
    for (index, centre) in centres.enumerated() {
      let feature = index % featureCount
      let standardised = (centre - standardisation.mean[feature]) * standardisation.scale[feature]
      largest = max(largest, abs(standardised))
    }
    return largest
  }

  /// Smallest spread, in standard deviations: keeps a cluster of equal points from dividing by 0, and
  /// lies well above what single precision, in which centres are learnt, can tell apart.
  public static let smallestSpread = 1e-4

  /// Contributions to (distance ÷ spread)², to which they add up, and from which the score follows
  /// as r / (1 + r) with r the square root. Typical is the nearest centre.
  public func contributions(row: Int, of features: Matrix) -> [Contribution] {
    let (cluster, _) = nearest(row: row, of: features)
    let inverse = 1 / (spreads[cluster] * spreads[cluster])
    return (0..<featureCount).map { feature in
      let delta =
        standardisation.standardise(features[row, feature], feature: feature)
        - standardisation.standardise(
          centres[cluster * featureCount + feature], feature: feature)
      return Contribution(
        feature: feature, contribution: delta * delta * inverse,
        typical: centres[cluster * featureCount + feature])
    }
  }

  /// Two parameters are equal when what they were made from is.
  public static func == (left: Self, right: Self) -> Bool {
    left.standardisation == right.standardisation && left.centres == right.centres
      && left.spreads == right.spreads && left.weights == right.weights
  }
}
