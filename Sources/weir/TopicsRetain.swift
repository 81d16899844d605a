import ArgumentParser
import Features
import Pipeline
import Topics

extension TopicsCommand {
  struct Retain: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Says how long topics are kept, or sets it.",
      discussion: """
        What is over either limit is removed by the service that writes the topic, a piece at a \
        time, within a minute or so of a change; never what a reader has still to read. Age is \
        counted back from the newest records, so a stream that has stopped keeps what it has. \
        Without a limit a topic is kept for ever. The limits stand in the file 'retention' of the \
        topics' folder.
        """)

    @Argument(help: "The topic (default: print all that have limits).")
    var topic: String?
    @Option(help: ArgumentHelp("Keep records up to this age, for instance 90d.", valueName: "age"))
    var age: String?
    @Option(
      help: ArgumentHelp("Keep up to this many bytes, for instance 50GB.", valueName: "size"))
    var size: String?
    @Flag(help: "Keep the topic for ever.") var off = false
    @OptionGroup var topics: TopicOptions

    private func limits() throws -> Retention {
      var limits = Retention()
      if let age {
        guard let value = Retention.age(age) else {
          throw ValidationError("--age is a length of time such as 90d or 36h, not '\(age)'")
        }
        limits.maximumAge = value
      }
      if let size {
        guard let value = Retention.size(size) else {
          throw ValidationError("--size is a number of bytes such as 50GB or 2TB, not '\(size)'")
        }
        limits.maximumBytes = value
      }
      return limits
    }

    func validate() throws {
      let isChange = try !limits().isUnlimited
      guard !(isChange && off) else {
        throw ValidationError("--off goes with neither --age nor --size")
      }
      guard topic != nil || !(isChange || off) else {
        throw ValidationError("say which topic")
      }
      if let topic, !PipelineTopics.names.contains(topic) {
        throw ValidationError(
          "there is no topic '\(topic)'" + nearestName(to: topic, in: PipelineTopics.names)
            + " (topics are \(PipelineTopics.names.joined(separator: ", ")))")
      }
    }

    func run() throws {
      let folder = try topics.openForReading().folder
      var settings = try RetentionSettings(folder: folder)
      let limits = try limits()
      if let topic, off || !limits.isUnlimited {
        var changed = off ? Retention() : settings[topic] ?? Retention()
        changed.maximumAge = limits.maximumAge ?? changed.maximumAge
        changed.maximumBytes = limits.maximumBytes ?? changed.maximumBytes
        settings[topic] = changed
        try settings.write(folder: folder)
      }
      for name in topic.map({ [$0] }) ?? settings.topics {
        printLine("\(name) \(settings[name]?.description ?? "is kept for ever")")
      }
    }
  }
}
