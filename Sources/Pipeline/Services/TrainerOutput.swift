import ModelLog
import Topics

/// What a trainer writes in one transaction; more than one commit's share where one before failed.
final class TrainerOutput {
  var updates: [ParameterUpdate] = []
  /// The records of the updates and the withheld ones, for `models`.
  var records = RecordBatch()
  /// The first record of each update.
  private var places: [(header: ParameterUpdate.Header, record: Int)] = []
  /// By key; nil: to be removed.
  var states: [String: [UInt8]?] = [:]

  func add(
    _ updates: [ParameterUpdate], _ withheld: [WithheldUpdate],
    _ changes: [(key: String, bytes: [UInt8]?)]
  ) {
    self.updates += updates
    var withheld = withheld
    for update in updates {
      // What was withheld stands between the version that was served on and the next.
      func isBefore(_ statement: WithheldUpdate) -> Bool {
        statement.model == update.header.model && statement.servedVersion < update.header.version
      }
      for statement in withheld where isBefore(statement) { append(statement) }
      withheld.removeAll(where: isBefore)
      places.append((update.header, records.count))
      let key = Array("\(update.header.pipeline)/\(update.header.model)".utf8)
      for chunk in UpdateChunks.split(update) {
        records.append(key: key, value: chunk, timestamp: update.header.time)
      }
    }
    for statement in withheld { append(statement) }
    for (key, bytes) in changes { states[key] = .some(bytes) }
  }

  /// All of it is written.
  func removeAll() {
    updates.removeAll()
    records.removeAll()
    places.removeAll()
    states.removeAll()
  }

  /// The index once the records stand on `models` from `first` on.
  func index(
    _ index: UpdateIndex, from first: UInt64, models: some Sequence<String>
  ) -> UpdateIndex {
    var index = index
    for (header, record) in places { index.add(header, at: first + UInt64(record)) }
    index.close(at: first + UInt64(records.count), models: models)
    return index
  }

  private func append(_ statement: WithheldUpdate) {
    records.append(
      key: Array("\(statement.pipeline)/\(statement.model)".utf8),
      value: UpdateChunks.record(of: statement), timestamp: statement.time)
  }
}
