/// Something that reads what others wrote, and what must hold for whatever it is given.
public protocol FuzzTarget {
  /// As the command line names it.
  static var name: String { get }
  /// Sound inputs to start from.
  var seeds: [[UInt8]] { get }
  /// Pieces that inputs are made of: names, numbers, delimiters.
  var tokens: [[UInt8]] { get }

  /// The most bytes of an input.
  var longest: Int { get }

  /// Reads an input.
  /// - Returns: in a few words what came of it. An input of which something new comes is kept, and
  ///   others are made from it.
  /// - Throws: `Finding` if something does not hold. It may also crash or never return.
  mutating func read(_ input: [UInt8]) throws -> String

  /// Makes lengths and checksums of a mutated input right again, so that it is not refused at once.
  func mend(_ input: [UInt8], random: inout Mutator) -> [UInt8]
}

extension FuzzTarget {
  /// 32 KiB.
  public var longest: Int { 1 << 15 }

  /// Leaves the input as it is.
  public func mend(_ input: [UInt8], random: inout Mutator) -> [UInt8] { input }
}

/// Something that must hold for every input and does not for this one.
public struct Finding: Error, CustomStringConvertible {
  /// What does not hold.
  public let description: String

  /// A finding in a sentence.
  public init(_ description: String) { self.description = description }

  /// - Throws: a finding unless `condition` holds.
  static func unless(_ condition: Bool, _ description: @autoclosure () -> String) throws {
    if !condition { throw Finding(description()) }
  }
}
