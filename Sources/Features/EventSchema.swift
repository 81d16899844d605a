/// What a pipeline reads of an event: which fields, of which type, and what a missing one means.
public struct EventSchema: Sendable, Equatable {
  /// The event's identifier. Nil: the position in the stream is the identifier.
  public var id: Field?
  /// When the event happened. Nil: the record's own timestamp; in a file, one second a row.
  public var time: TimeField?
  /// Whom or what the event is about: what windows are kept by. One that may not be missing is
  /// `.reject`, which windows need.
  public var entities: [Field]
  /// The values that features are made of.
  public var values: [Field]
  /// The label, where a file of history carries it.
  public var label: Field?
  /// An event that lies further behind event time is marked late, ms.
  public var lateness: Int64
  /// Events larger than this many bytes are refused.
  public var maximumBytes: Int
  /// An event with the identifier of one of so many events before it is refused; 0: never. Without
  /// an `id` no event repeats another.
  public var uniqueWithin: Int

  /// A schema. Field names are not checked here; `FeaturePlan` finds those that features miss.
  public init(
    id: Field?, time: TimeField?, entities: [Field], values: [Field], label: Field?,
    lateness: Int64 = 3_600_000, maximumBytes: Int = 1 << 20, uniqueWithin: Int = 1_000_000
  ) {
    self.id = id
    self.time = time
    self.entities = entities
    self.values = values
    self.label = label
    self.lateness = lateness
    self.maximumBytes = maximumBytes
    self.uniqueWithin = id == nil ? 0 : uniqueWithin
  }

  /// One field of an event.
  public struct Field: Sendable, Equatable {
    /// The name features refer to, and the first name looked for.
    public var name: String
    /// Further names under which the field may come.
    public var aliases: [String]
    /// How the field's value is read.
    public var type: FieldType
    /// What takes the place of an absent value.
    public var missing: MissingPolicy

    /// A field that may come under `name` or any of `aliases`.
    public init(
      name: String, aliases: [String] = [], type: FieldType, missing: MissingPolicy = .reject
    ) {
      self.name = name
      self.aliases = aliases
      self.type = type
      self.missing = missing
    }
  }

  /// The field of the event time and how a number in it counts.
  public struct TimeField: Sendable, Equatable {
    /// The first name looked for.
    public var name: String
    /// Further names under which the time may come.
    public var aliases: [String]
    /// How a time that is a bare number counts.
    public var unit: EventTime.Unit

    /// A field of event times; texts are read by `EventTime.parse`, whatever the unit.
    public init(name: String, aliases: [String] = [], unit: EventTime.Unit = .seconds) {
      self.name = name
      self.aliases = aliases
      self.unit = unit
    }
  }
}

/// The type of an event's field.
public enum FieldType: String, Sendable, CaseIterable {
  /// A finite number within Float32's range.
  case number
  /// A string, or a number or boolean taken as it is written.
  case category
}

/// What a field that is absent, null or (in a CSV file) empty means.
public enum MissingPolicy: Sendable, Equatable {
  /// The event is refused.
  case reject
  /// This number stands in.
  case number(Double)
  /// This category stands in.
  case category(String)

  /// As a pipeline file writes it.
  public var definition: String {
    switch self {
    case .reject: "dead-letter"
    case .number(let number): "\(number)"
    case .category(let text): text
    }
  }
}

/// Why an event was refused.
public enum Rejection: Error, Sendable, Equatable, CustomStringConvertible {
  /// No JSON object, or no row of the file's format; the text says why.
  case malformed(String)
  /// Larger than the schema allows.
  case oversized(bytes: Int, limit: Int)
  /// A field is absent, null or empty that has no stand-in.
  case missing(field: String)
  /// A field has a value of another type; `expected` names what would do.
  case wrongType(field: String, expected: String)
  /// A number is NaN, infinite or beyond Float32's range.
  case notFinite(field: String)
  /// An event time in no known form, or before 1970 or after 9999.
  case unreadableTime(field: String)
  /// An identifier that is empty or longer than 256 bytes.
  case badIdentifier(field: String)
  /// An event with this identifier was taken in before.
  case duplicate(id: String)

  /// The kind of refusal, for counting: one of a fixed few words.
  public var kind: String {
    switch self {
    case .malformed: "malformed"
    case .oversized: "oversized"
    case .missing: "missing-field"
    case .wrongType: "wrong-type"
    case .notFinite: "not-finite"
    case .unreadableTime: "unreadable-time"
    case .badIdentifier: "bad-identifier"
    case .duplicate: "duplicate"
    }
  }

  /// The reason in a few words, naming the field.
  public var description: String {
    switch self {
    case .malformed(let reason): reason
    case .oversized(let bytes, let limit): "\(bytes) bytes, the limit is \(limit)"
    case .missing(let field): "field '\(field)' is missing"
    case .wrongType(let field, let expected): "field '\(field)' is not \(expected)"
    case .notFinite(let field): "field '\(field)' is not a finite number in Float32's range"
    case .unreadableTime(let field): "field '\(field)' is not a time between 1970 and 9999"
    case .badIdentifier(let field): "field '\(field)' must have 1 to 256 bytes"
    case .duplicate(let id): "an event with the identifier '\(id)' was taken in before"
    }
  }
}
