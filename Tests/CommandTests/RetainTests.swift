import Foundation
import Testing
import Topics

@Suite struct RetainTests {
  @Test func limitsAreSetChangedPrintedAndTakenAway() throws {
    try withFolder { folder in
      _ = try EmbeddedLog(folder: folder, access: .readWrite)
      func retain(_ arguments: String...) throws -> String {
        let command = try Command(["topics", "retain", "--topics", folder] + arguments)
        #expect(command.wait() == 0, "\(command.errors)")
        return command.output
      }
      #expect(try retain() == "")
      #expect(try retain("events", "--age", "90d") == "events age=90d\n")
      #expect(try retain("scored", "--size", "2TB") == "scored size=2TB\n")
      #expect(try retain("events", "--size", "50GB") == "events age=90d size=50GB\n")
      #expect(try retain("events", "--age", "36h") == "events age=36h size=50GB\n")
      #expect(try retain() == "events age=36h size=50GB\nscored size=2TB\n")
      #expect(try retain("labels") == "labels is kept for ever\n")
      #expect(try retain("events", "--off") == "events is kept for ever\n")
      #expect(try RetentionSettings(folder: folder).topics == ["scored"])
    }
  }
}
