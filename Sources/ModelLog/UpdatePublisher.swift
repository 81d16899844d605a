import Learners

/// Numbers a model's versions and decides between snapshots and deltas.
public struct UpdatePublisher {
  /// The last version that was made, 0 before the first.
  public private(set) var version: UInt64
  /// A snapshot is made at least every this many versions.
  public let snapshotEvery: Int

  private var encoded: EncodedParameters?
  private var sinceSnapshot = 0

  /// A publisher that goes on after `version`. The first update it makes is a snapshot.
  public init(after version: UInt64 = 0, snapshotEvery: Int) {
    precondition(snapshotEvery > 0, "a snapshot every so many versions")
    self.version = version
    self.snapshotEvery = snapshotEvery
  }

  /// The update that brings a reader of the last one to `parameters`.
  /// - Parameter header: version and base are filled in here.
  public mutating func makeUpdate(
    of parameters: any ModelParameters, header: ParameterUpdate.Header, definition: String,
    features: [String]
  ) -> ParameterUpdate {
    let next = ParameterCodec.encode(parameters, reusing: encoded)
    var changed: [(index: Int, part: EncodedParameters.Part)]?
    if let encoded, encoded.parts.count == next.parts.count, sinceSnapshot + 1 < snapshotEvery {
      let differing = next.parts.indices.filter {
        next.parts[$0].digest != encoded.parts[$0].digest
      }
      // A delta that carries most of it is better a snapshot: it needs no base.
      if differing.count * 2 <= next.parts.count || next.parts.count <= 2 {
        changed = differing.map { ($0, next.parts[$0]) }
      }
    }
    var header = header
    header.base = changed == nil ? nil : version
    version += 1
    header.version = version
    sinceSnapshot = changed == nil ? 0 : sinceSnapshot + 1
    encoded = next
    return ParameterUpdate(
      header: header, definition: changed == nil ? definition : nil,
      features: changed == nil ? features : [], digest: next.digest, partCount: next.parts.count,
      parts: changed ?? next.parts.enumerated().map { ($0.offset, $0.element) })
  }
}
