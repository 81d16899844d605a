/// A little of protobuf's encoding: messages taken to pieces and put together with a field changed,
/// as no program would write them.
struct Wire {
  /// A field's number, its wire type, and its bytes without number, type and length.
  typealias Field = (number: UInt64, type: UInt64, content: [UInt8])

  var fields: [Field] = []

  init(_ fields: [Field]) { self.fields = fields }

  /// Takes a sound message to pieces.
  init(_ bytes: [UInt8]) {
    var rest = bytes[...]
    func varint() -> UInt64 {
      var value: UInt64 = 0
      var shift: UInt64 = 0
      while let byte = rest.popFirst() {
        value |= UInt64(byte & 0x7f) << shift
        if byte & 0x80 == 0 { break }
        shift += 7
      }
      return value
    }
    while !rest.isEmpty {
      let tag = varint()
      let count: Int
      switch tag & 7 {
      case 0:
        fields.append((tag >> 3, 0, Self.varint(varint())))
        continue
      case 1: count = 8
      case 5: count = 4
      default: count = Int(varint())
      }
      fields.append((tag >> 3, tag & 7, Array(rest.prefix(count))))
      rest = rest.dropFirst(count)
    }
  }

  /// The message.
  var bytes: [UInt8] {
    fields.flatMap { field in
      Self.varint(field.number << 3 | field.type)
        + (field.type == 2 ? Self.varint(UInt64(field.content.count)) : []) + field.content
    }
  }

  /// The content of a field that occurs once; setting it puts the field in if it is not there.
  subscript(number: UInt64) -> [UInt8] {
    get { fields.first { $0.number == number }?.content ?? [] }
    set {
      if let place = fields.firstIndex(where: { $0.number == number }) {
        fields[place].content = newValue
      } else {
        fields.append((number, 2, newValue))
      }
    }
  }

  static func varint(_ value: UInt64) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }
}
