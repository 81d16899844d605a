/// A setting of a learner that makes no sense.
public struct InvalidOption: Error, Sendable, Equatable, CustomStringConvertible {
  /// Name of the setting, as the property is called.
  public var option: String
  /// What the setting has to be.
  public var requirement: String

  /// An error about `option`.
  public init(option: String, requirement: String) {
    self.option = option
    self.requirement = requirement
  }

  /// One sentence.
  public var description: String { "\(option) must be \(requirement)" }

  /// Throws unless the requirement holds.
  static func require(
    _ holds: Bool, _ option: String, _ requirement: String
  ) throws(InvalidOption) {
    guard holds else { throw InvalidOption(option: option, requirement: requirement) }
  }
}
