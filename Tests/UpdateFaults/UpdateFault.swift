import CSodium
import ModelLog

/// What can be wrong with an update on its way.
public enum UpdateFault: String, CaseIterable, Sendable {
  case missing, corrupt, truncated, pieceMissing, piecesReordered, pieceDoubled, halfArrived
  case notWhatItsPiecesSay, anotherFingerprint, olderEpoch, wrongDigest, notFinite, newerFormat
  case reusedVersion

  /// The word by which it is reported.
  public var code: String {
    switch self {
    case .missing: "gap"
    case .corrupt, .truncated, .notWhatItsPiecesSay: "corrupt"
    case .pieceMissing, .piecesReordered, .halfArrived: "incomplete"
    case .pieceDoubled: "out-of-order"
    case .anotherFingerprint: "fingerprint"
    case .olderEpoch: "older-epoch"
    case .wrongDigest: "digest"
    case .notFinite: "non-finite"
    case .newerFormat: "newer-format"
    case .reusedVersion: "reused-version"
    }
  }

  /// The records of an update, a delta of a logistic regression, that arrives with the fault.
  func records(of update: ParameterUpdate) -> [[UInt8]] {
    let size = update.encode().count
    var pieces = UpdateChunks.split(update, largestBody: size / 4 + 1)
    var update = update
    switch self {
    case .missing: return []
    case .corrupt:
      // The body is a record's last field.
      pieces[1][pieces[1].count - 1] ^= 1
      return pieces
    case .truncated:
      let whole = UpdateChunks.split(update)[0]
      return [Array(whole[..<(whole.count / 2)])]
    case .pieceMissing: return [pieces[0], pieces[2], pieces[3]]
    case .piecesReordered: return [pieces[0], pieces[2], pieces[1], pieces[3]]
    case .pieceDoubled: return [pieces[0], pieces[1], pieces[1], pieces[2], pieces[3]]
    case .halfArrived: return [pieces[0], pieces[1]]
    case .notWhatItsPiecesSay:
      var piece = Wire(UpdateChunks.split(update)[0])
      piece[4] = Wire.varint(update.header.version + 1)
      return [piece.bytes]
    case .anotherFingerprint: update.header.fingerprint = Digest(of: [1])
    case .olderEpoch: update.header.epoch -= 1
    case .reusedVersion:
      update.header.version -= 1
      update.header.base = update.header.version - 1
    case .wrongDigest: return [changed(update) { $0[18][0] ^= 1 }]
    case .newerFormat:
      return [changed(update) { $0[1] = Wire.varint(UInt64(ParameterUpdate.format) + 1) }]
    case .notFinite: return [changed(update, Self.makeInfinite)]
    }
    return UpdateChunks.split(update)
  }

  /// An infinite intercept, and the digest that belongs to it.
  private static func makeInfinite(_ message: inout Wire) {
    let infinity = withUnsafeBytes(of: Double.infinity.bitPattern.littleEndian) { [UInt8]($0) }
    var digests: [Digest] = []
    for place in message.fields.indices where message.fields[place].number == 20 {
      var part = Wire(message.fields[place].content)
      var content = Wire(part[2])
      // The intercept is the only single number in any of the parts.
      if let intercept = content.fields.firstIndex(where: { $0.type == 1 }) {
        content.fields[intercept].content = infinity
        part[2] = content.bytes
      }
      message.fields[place].content = part.bytes
      digests.append(Digest(of: part[2]))
    }
    message[18] = Digest(of: digests).bytes
  }

  /// An update as one piece, with a message in it that was changed and a checksum that fits.
  private func changed(_ update: ParameterUpdate, _ change: (inout Wire) -> Void) -> [UInt8] {
    var message = Wire(update.encode())
    change(&message)
    let body = message.bytes
    var piece = Wire(UpdateChunks.split(update)[0])
    piece[8] = body
    var checksum = [UInt8](repeating: 0, count: 16)
    crypto_generichash(&checksum, 16, body, UInt64(body.count), nil, 0)
    piece[7] = checksum
    return piece.bytes
  }
}
