/// The fields of a serialised protobuf message, as far as mutants of it need: in order, with the
/// bytes of those that have a length.
struct ProtobufFields {
  /// One field.
  struct Field {
    var number: UInt64
    var wireType: UInt64
    /// What stands behind the tag: for a field with a length, without it.
    var content: [UInt8]
  }

  var fields: [Field] = []

  /// Reads the fields up to the first that makes no sense.
  init(_ bytes: [UInt8]) {
    var at = 0
    func varint() -> UInt64? {
      var value: UInt64 = 0
      var shift: UInt64 = 0
      while at < bytes.count, shift < 64 {
        let byte = bytes[at]
        at += 1
        value |= UInt64(byte & 0x7f) << shift
        if byte < 0x80 { return value }
        shift += 7
      }
      return nil
    }
    while at < bytes.count {
      guard let tag = varint() else { return }
      let start = at
      var length = 0
      switch tag & 7 {
      case 0: guard varint() != nil else { return }
      case 1: at += 8
      case 2:
        guard let count = varint(), count <= UInt64(bytes.count - at) else { return }
        length = Int(count)
        let content = Array(bytes[at..<at + length])
        fields.append(Field(number: tag >> 3, wireType: 2, content: content))
        at += length
        continue
      case 5: at += 4
      default: return
      }
      guard at <= bytes.count else { return }
      fields.append(
        Field(number: tag >> 3, wireType: tag & 7, content: Array(bytes[start..<at])))
    }
  }

  /// The message.
  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    func put(_ value: UInt64) {
      var rest = value
      while rest >= 0x80 {
        bytes.append(UInt8(rest & 0x7f) | 0x80)
        rest >>= 7
      }
      bytes.append(UInt8(rest))
    }
    for field in fields {
      put(field.number << 3 | field.wireType)
      if field.wireType == 2 { put(UInt64(field.content.count)) }
      bytes += field.content
    }
    return bytes
  }

  /// The content of the last field of that number that has a length.
  func content(_ number: UInt64) -> [UInt8]? {
    fields.last { $0.number == number && $0.wireType == 2 }?.content
  }
}
