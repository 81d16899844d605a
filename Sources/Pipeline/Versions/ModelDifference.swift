import ModelLog

/// What moved between two versions of a model.
public struct ModelDifference: Sendable {
  /// One parameter that moved.
  public struct Move: Sendable {
    /// Where the parameter belongs, see `NamedParameter`.
    public var group: String
    /// A feature's name, or empty for a number of the model as a whole.
    public var feature: String
    /// Nil where the parameter is in one version only.
    public var from: Double?
    /// Nil where the parameter is in the other version only.
    public var to: Double?

    /// To minus from; what there is where one is missing.
    public var change: Double { (to ?? 0) - (from ?? 0) }
  }

  /// The version compared.
  public let from: ServedModel
  /// The version it is compared with.
  public let to: ServedModel
  /// In the order of the parameters.
  public let moved: [Move]
  /// Parameters of the version that has more.
  public let parameterCount: Int
  /// Parts (weights, centres, trees) of the later version, and how many of them the earlier one
  /// does not have in the same place.
  public let partCount: Int
  /// Parts that differ, by position.
  public let changedParts: Int

  /// Versions that cannot be compared.
  public struct Incomparable: Error, CustomStringConvertible {
    /// Both versions and why they cannot be compared.
    public let description: String
  }

  /// Compares two versions of models of the same kind.
  public init(_ from: ServedModel, _ to: ServedModel) throws(Incomparable) {
    guard from.header.kind == to.header.kind else {
      throw Incomparable(
        description: "\(from.header.name) is a \(from.header.kind.rawValue), \(to.header.name) a "
          + to.header.kind.rawValue)
    }
    self.from = from
    self.to = to
    let old = from.namedParameters
    let new = to.namedParameters
    parameterCount = max(old.count, new.count)
    struct Key: Hashable {
      var group: String
      var feature: String
    }
    let before = Dictionary(
      old.map { (Key(group: $0.group, feature: $0.feature), $0.value) },
      uniquingKeysWith: { a, _ in a })
    let after = Set(new.map { Key(group: $0.group, feature: $0.feature) })
    moved =
      new.compactMap { parameter in
        let earlier = before[Key(group: parameter.group, feature: parameter.feature)]
        return earlier == parameter.value
          ? nil
          : Move(
            group: parameter.group, feature: parameter.feature, from: earlier, to: parameter.value)
      }
      + old.filter { !after.contains(Key(group: $0.group, feature: $0.feature)) }.map {
        Move(group: $0.group, feature: $0.feature, from: $0.value, to: nil)
      }
    partCount = to.partDigests.count
    changedParts = zip(to.partDigests.indices, to.partDigests).count { index, digest in
      index >= from.partDigests.count || from.partDigests[index] != digest
    }
  }
}
