// A second process for the tests of the embedded log. It does what its arguments say and reports
// on standard output:
//
//   append FOLDER TAG COUNT PER-BATCH   appends records 0 ..< COUNT as a producer
//   stream FOLDER TAG PER-BATCH         the same without end; says "streaming" after a few commits
//   follow FOLDER COUNT                 says "following", waits for COUNT records, prints them
//   relay FOLDER                        appends an event, then as the scorer decides it; many times
//   rewrite FOLDER                      says "rewriting", rewrites all roles, again and again
//   epoch FOLDER                        becomes the exclusive scorer and prints the epoch
//   damage FOLDER read|truncate SIZE    says "open", truncates the producers' file or not, reads all
//                                       events and prints their number; errors go to its output, too
//
// A record's value is "TAG NUMBER" as text.

import Glibc
import Topics

func say(_ line: String) {
  print(line)
  fflush(nil)
}

enum Parent {
  private static let processID = getppid()

  /// Ends this process once the test that has started it is gone, so that what goes on without end
  /// does not fill the disk.
  static func check() {
    if getppid() != processID { exit(1) }
  }
}

func append(_ log: EmbeddedLog, tag: String, count: Int, perBatch: Int) throws {
  let writer = try log.writer(.producers, exclusive: false)
  var batch = RecordBatch()
  var number = 0
  while number < count {
    Parent.check()
    batch.removeAll()
    for _ in 0..<min(perBatch, count - number) {
      batch.append(key: nil, value: Array("\(tag) \(number)".utf8), timestamp: Int64(number))
      number += 1
    }
    try writer.transact { _ = try $0.append(batch, to: TopicPartition("events")) }
    if count == .max, number == 5 * perBatch { say("streaming") }
  }
}

func follow(_ log: EmbeddedLog, count: Int) throws {
  let reader = try log.reader(TopicPartition("events"), of: .producers)
  _ = try reader.endOffset()
  say("following")
  var next: UInt64 = 0
  var lines: [String] = []
  while next < UInt64(count) {
    let token = log.changeToken()
    let start = next
    next = try reader.read(from: start, limit: 1000) { record in
      lines.append("\(record.offset) \(String(decoding: record.value, as: UTF8.self))")
      return true
    }
    if next == start, !log.waitForChange(since: token, timeoutMilliseconds: 60_000) {
      say("nothing came for a minute")
      exit(1)
    }
  }
  for line in lines { print(line) }
  fflush(nil)
}

/// Ends when there is enough to look at, lest a slow machine never catch up with what it looks at.
func relay(_ log: EmbeddedLog) throws {
  let producer = try log.writer(.producers, exclusive: false)
  let scorer = try log.writer(WriterRole("scorer"), exclusive: true)
  let events = TopicPartition("events")
  var number: UInt64 = 0
  while number < 50_000 {
    Parent.check()
    var batch = RecordBatch()
    batch.append(key: nil, value: Array("\(number)".utf8), timestamp: Int64(number))
    number += 1
    try producer.transact { _ = try $0.append(batch, to: events) }
    try scorer.transact {
      _ = try $0.append(batch, to: TopicPartition("decisions"))
      try $0.commit(position: number, of: events, group: "scorer")
    }
    if number == 3 { say("relaying") }
  }
}

func damage(_ log: EmbeddedLog, _ folder: String, truncatingTo size: Int?) throws {
  dup2(STDOUT_FILENO, STDERR_FILENO)
  let reader = try log.reader(TopicPartition("events"), of: .producers)
  _ = try reader.endOffset()
  say("open")
  if let size, truncate(folder + "/producers/data.mdb", off_t(size)) != 0 { exit(2) }
  var count = 0
  _ = try reader.read(from: 0, limit: .max) { _ in
    count += 1
    return true
  }
  say("\(count) records")
}

let arguments = CommandLine.arguments
do {
  switch (arguments.dropFirst().first, arguments.count) {
  case ("append", 6):
    let log = try EmbeddedLog(folder: arguments[2], access: .readWrite)
    try append(log, tag: arguments[3], count: Int(arguments[4])!, perBatch: Int(arguments[5])!)
  case ("stream", 5):
    let log = try EmbeddedLog(folder: arguments[2], access: .readWrite)
    try append(log, tag: arguments[3], count: .max, perBatch: Int(arguments[4])!)
  case ("follow", 4):
    let log = try EmbeddedLog(folder: arguments[2], access: .readOnly)
    try follow(log, count: Int(arguments[3])!)
  case ("relay", 3):
    try relay(EmbeddedLog(folder: arguments[2], access: .readWrite))
  case ("rewrite", 3):
    say("rewriting")
    while true {
      Parent.check()
      _ = try TopicMaintenance(folder: arguments[2]).repair(all: true)
    }
  case ("epoch", 3):
    let log = try EmbeddedLog(folder: arguments[2], access: .readWrite)
    say("\(try log.writer(WriterRole("scorer"), exclusive: true).epoch)")
  case ("damage", 5):
    let log = try EmbeddedLog(folder: arguments[2], access: .readOnly)
    let size = arguments[3] == "truncate" ? Int(arguments[4]) : nil
    try damage(log, arguments[2], truncatingTo: size)
  default:
    say("usage: see the top of Tests/TopicPeer/main.swift")
    exit(64)
  }
} catch {
  say("\(error)")
  exit(1)
}
