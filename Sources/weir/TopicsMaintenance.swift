import ArgumentParser
import Files
import Pipeline
import Topics

extension TopicsCommand {
  struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Reads everything and names what is damaged, by topic and offset.",
      discussion: """
        Services may go on meanwhile. Exit status: 0 if all is sound, 1 if anything is damaged.
        """)

    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var topics: TopicOptions

    func run() throws {
      let inspector = TopicInspector()
      let report = try topics.maintenance().verify(
        check: inspector.check, gather: inspector.gather)
      if json {
        printBytes(report.json.encode(pretty: true) + [0x0a])
      } else {
        printLine(report.table.text)
        for finding in report.findings { printLine("damaged: \(finding)") }
        for role in report.unpinned {
          printError("warning: what is being written to '\(role)' now may be taken for damage\n")
        }
        printLine(report.summary)
      }
      if !report.findings.isEmpty { throw ExitCode.failure }
    }
  }

  struct Repair: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Keeps all that is sound and names what could not be kept.",
      discussion: """
        Every service must be stopped. A damaged role is written anew; its old file stays beside \
        the new one, as data.mdb.damaged-N. Offsets stay what they were: services step over those \
        whose records are lost. Sound roles are left alone.
        """)

    @Flag(help: "Write sound roles anew as well.") var all = false
    @Option(
      help: ArgumentHelp(
        "Also forget the state of this role, so that it begins anew at its positions.",
        valueName: "role"))
    var dropState: [String] = []
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var topics: TopicOptions

    func run() throws {
      let inspector = TopicInspector()
      let report = try topics.maintenance().repair(
        all: all, dropState: Set(dropState.map { WriterRole($0) }), check: inspector.check,
        gather: inspector.gather)
      if json {
        printBytes(report.json.encode(pretty: true) + [0x0a])
        return
      }
      for finding in report.folderFindings { printLine("repaired: \(finding)") }
      for role in report.roles {
        for finding in role.findings { printLine("damaged: \(finding)") }
        for loss in role.lost {
          let consequence = TopicInspector.consequence(of: loss).map { " (\($0))" } ?? ""
          printLine("lost: \(loss)\(consequence)")
        }
        let salvaged =
          role.salvagedBatches > 0 ? ", \(role.salvagedBatches.grouped) batches found again" : ""
        let old = role.damagedFile.map { ", the old file is \($0)" } ?? ""
        printLine(
          "rewritten: role \(role.role), \(role.bytesBefore.grouped) bytes before, "
            + "\(role.bytesAfter.grouped) after\(salvaged)\(old)")
      }
      if report.roles.isEmpty, report.folderFindings.isEmpty { printLine("all is sound") }
    }
  }

  struct Compact: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Gives back the space that is not used any more.",
      discussion: """
        Every service must be stopped. Each role is written anew beside the old file, for which \
        there has to be room.
        """)

    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var topics: TopicOptions

    func run() throws { printRewritten(try topics.maintenance().compact(), json: json) }
  }

  struct Backup: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Copies all topics as they are at one moment.",
      discussion: """
        Services may go on meanwhile. Positions, state and records fit together in the copy, which \
        can be used as a folder of topics at once. Everything is verified on the way.
        """)

    @Option(
      help: ArgumentHelp("A folder that does not exist yet, or is empty.", valueName: "folder"))
    var to: String
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var topics: TopicOptions

    func run() throws { printRewritten(try topics.maintenance().backup(to: to), json: json) }
  }
}

/// Prints what compaction or a backup has done.
private func printRewritten(_ roles: [TopicMaintenance.RewrittenRole], json: Bool) {
  if json {
    let list = roles.map { role in
      JSONValue.object([
        ("role", .string(role.report.role.name)),
        ("records", JSONValue(role.report.partitions.reduce(0) { $0 + $1.records })),
        ("bytes_before", JSONValue(role.bytesBefore)),
        ("bytes_after", JSONValue(role.bytesAfter)),
      ])
    }
    printBytes(JSONValue.array(list).encode(pretty: true) + [0x0a])
    return
  }
  var table = TextTable([
    .left("role"), .right("records"), .right("bytes before"), .right("bytes after"),
  ])
  for role in roles {
    table.add([
      role.report.role.name, role.report.partitions.reduce(0) { $0 + $1.records }.grouped,
      role.bytesBefore.grouped, role.bytesAfter.grouped,
    ])
  }
  printLine(table.text)
}

extension TopicMaintenance.Report {
  fileprivate var table: TextTable {
    var table = TextTable([
      .left("role"), .left("topic"), .right("batches"), .right("records"), .right("offsets"),
      .right("lost before"), .right("bytes"),
    ])
    for role in roles {
      for partition in role.partitions {
        table.add([
          role.role.name, partition.partition.description, partition.batches.grouped,
          partition.records.grouped, "\(partition.startOffset)–\(partition.endOffset)",
          partition.gaps.reduce(0) { $0 + $1.count }.grouped, partition.bytes.grouped,
        ])
      }
    }
    return table
  }

  private func total(_ count: (RoleReport.Partition) -> Int) -> Int {
    roles.flatMap(\.partitions).reduce(0) { $0 + count($1) }
  }

  fileprivate var summary: String {
    let read =
      "\(total(\.records).grouped) records in \(total(\.batches).grouped) batches, "
      + "\(total(\.bytes).grouped) bytes"
    return findings.isEmpty
      ? "sound: \(read)" : "damaged: \(findings.count.grouped) findings; sound are \(read)"
  }

  fileprivate var json: JSONValue {
    .object([
      ("sound", .bool(findings.isEmpty)), ("batches", JSONValue(total(\.batches))),
      ("records", JSONValue(total(\.records))), ("bytes", JSONValue(total(\.bytes))),
      ("findings", .array(findings.map(\.json))),
      ("roles", .array(roles.map(\.json))),
      ("unpinned", .array(unpinned.map { .string($0.name) })),
    ])
  }
}

extension RoleReport {
  fileprivate var json: JSONValue {
    .object([
      ("role", .string(role.name)), ("epoch", JSONValue(epoch)),
      ("file_bytes", JSONValue(fileBytes)), ("free_pages", JSONValue(freePages)),
      ("forgotten_pages", JSONValue(forgottenPages)),
      (
        "topics",
        .array(
          partitions.map { partition in
            .object([
              ("topic", .string(partition.partition.topic)),
              ("partition", JSONValue(partition.partition.partition)),
              ("start_offset", JSONValue(partition.startOffset)),
              ("end_offset", JSONValue(partition.endOffset)),
              ("batches", JSONValue(partition.batches)),
              ("records", JSONValue(partition.records)), ("bytes", JSONValue(partition.bytes)),
              (
                "lost_before",
                .array(
                  partition.gaps.map {
                    .object([
                      ("first_offset", JSONValue($0.lowerBound)),
                      ("end_offset", JSONValue($0.upperBound)),
                    ])
                  })
              ),
            ])
          })
      ),
      (
        "positions",
        .array(
          positions.map { position in
            .object([
              ("group", .string(position.group)), ("topic", .string(position.partition.topic)),
              ("partition", JSONValue(position.partition.partition)),
              ("offset", JSONValue(position.offset)),
            ])
          })
      ),
    ])
  }
}

extension TopicFinding {
  fileprivate var json: JSONValue { .object(members) }

  fileprivate var members: [(String, JSONValue)] {
    [
      ("role", JSONValue(role?.name)), ("topic", JSONValue(partition?.topic)),
      ("partition", JSONValue(partition?.partition)), ("first_offset", JSONValue(firstOffset)),
      ("end_offset", JSONValue(endOffset)), ("key", JSONValue(key)), ("reason", .string(reason)),
    ]
  }
}

extension TopicMaintenance.RepairReport {
  fileprivate var json: JSONValue {
    .object([
      ("folder", .array(folderFindings.map(\.json))),
      (
        "roles",
        .array(
          roles.map { role in
            .object([
              ("role", .string(role.role.name)),
              ("damage", .array(role.findings.map(\.json))),
              (
                "lost",
                .array(
                  role.lost.map {
                    .object(
                      $0.members + [
                        ("consequence", JSONValue(TopicInspector.consequence(of: $0)))
                      ])
                  })
              ),
              ("salvaged_batches", JSONValue(role.salvagedBatches)),
              ("damaged_file", JSONValue(role.damagedFile)),
              ("bytes_before", JSONValue(role.bytesBefore)),
              ("bytes_after", JSONValue(role.bytesAfter)),
            ])
          })
      ),
    ])
  }
}
