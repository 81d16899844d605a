import Datasets
import Files
import Glibc
import Pipeline
import Processes

/// The Handbook's stream as a file, as `weir generate handbook` writes it.
struct StreamFile {
  private let folder: String
  private var path: String { folder + "/handbook.csv" }

  /// Simulates the whole stream, since later days have a part in what is drawn for earlier ones, and
  /// writes the days that are needed.
  init(customers: Int, terminals: Int, drift: HandbookDrift) throws {
    let transactions = try HandbookSimulator(
      customers: customers, terminals: terminals, drift: drift
    ).generate()
    let temporary = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(temporary)/weir-handbook-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw Failure("no folder in \(temporary): \(String(cString: strerror(errno)))")
    }
    folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    do {
      let output = try GzipOutput(path: path)
      try transactions.writeCSV(days: BookProtocol.days) { try output.write($0) }
      try output.close()
    } catch {
      removeTree(folder)
      throw error
    }
  }

  /// Opens the file once for each pipeline, and removes it: who has it open reads on, and nothing
  /// is left behind however the program ends.
  func histories(for pipelines: [Pipeline]) throws -> [HistoryReader] {
    defer { removeTree(folder) }
    return try pipelines.map { try HistoryReader(path: path, schema: $0.schema) }
  }
}
