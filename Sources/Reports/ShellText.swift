/// Commands as they are typed into a shell.
enum ShellText {
  private static let plain = Set(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./,:@%".unicodeScalars)

  /// The words of a command, quoted where a shell would take them for something else; options begin
  /// lines of their own.
  static func command(_ words: [String]) -> String {
    var text = ""
    for (index, word) in words.enumerated() {
      if index > 0 { text += word.hasPrefix("--") ? " \\\n  " : " " }
      text += quoted(word)
    }
    return text
  }

  private static func quoted(_ word: String) -> String {
    guard word.isEmpty || !word.unicodeScalars.allSatisfy(plain.contains) else { return word }
    return "'\(word.replacing("'", with: "'\\''"))'"
  }
}
