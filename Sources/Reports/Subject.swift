import Files

/// A model, a baseline or a policy, and the colour of its curves.
struct Subject {
  let name: String
  let value: JSONValue
  /// A class of the style sheet: s1 to s6, s0 for what others are compared with.
  let style: String

  init(name: String, value: JSONValue, style: String) {
    self.name = name
    self.value = value
    self.style = style
  }

  /// The name as it is written into a picture, which has no room for long ones.
  var label: String { Self.label(name) }

  /// A name, or its beginning.
  static func label(_ name: String) -> String {
    name.count > 22 ? "\(name.prefix(21))…" : name
  }

  /// The members of an object, each in a colour of its own as far as there are some.
  static func all(_ object: JSONValue?) -> [Subject] {
    (object?.members ?? []).enumerated().map { index, member in
      Subject(name: member.name, value: member.value, style: "s\(index % 6 + 1)")
    }
  }
}
