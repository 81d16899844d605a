extension JSONValue {
  /// Reads a document: one value of RFC 8259, with white space around it. A number without point and
  /// exponent that fits into 64 bits is an ``integer(_:)``, any other a ``number(_:)``.
  /// - Throws: for anything else, also for a member that is given twice, a number no double can
  ///   hold, half a surrogate pair, and more than 128 arrays and objects within each other.
  public init(parsing bytes: [UInt8]) throws(JSONSyntaxError) {
    var parser = JSONParser(bytes)
    self = try parser.document()
  }

  /// A member of an object; nil if this is none, or has no such member, or the member is null.
  public subscript(name: String) -> JSONValue? {
    guard case .object(let members) = self,
      let value = members.first(where: { $0.0 == name })?.1
    else { return nil }
    if case .null = value { return nil }
    return value
  }

  /// The members of an object in their order; none for anything else.
  public var members: [(name: String, value: JSONValue)] {
    guard case .object(let members) = self else { return [] }
    return members.map { (name: $0.0, value: $0.1) }
  }

  /// The elements of an array; none for anything else.
  public var elements: [JSONValue] {
    guard case .array(let values) = self else { return [] }
    return values
  }

  /// The value of a number, whole or not.
  public var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  /// The value of a whole number.
  public var integer: Int64? {
    guard case .integer(let value) = self else { return nil }
    return value
  }

  /// The text of a string.
  public var text: String? {
    guard case .string(let value) = self else { return nil }
    return value
  }
}
