import Foundation

/// A program that does what a figure measures in another way: an executable file in
/// `Benchmarks/peers`. Called with `--list` it prints one JSON object,
/// `{"figures": [name, …], "versions": {name: version}}`; called with a figure's name and the path of
/// the data (see ``CardStream/npy()``) it measures once and prints lines `{"name", "value", "unit"}`.
struct Peer {
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  private struct Listing: Decodable {
    let figures: [String]
    let versions: [String: String]
  }

  private struct Line: Decodable {
    let name: String
    let value: Double
    let unit: String
  }

  let name: String
  let figures: [String]
  let versions: [(String, String)]
  private let path: String

  private init(name: String, path: String) throws {
    self.name = name
    self.path = path
    let output = try ChildProcess.run([path, "--list"])
    guard let listing = try? JSONDecoder().decode(Listing.self, from: Data(output.utf8)) else {
      throw Failure(description: "\(path) --list: expected figures and versions, got \(output)")
    }
    figures = listing.figures
    versions = listing.versions.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// All peers in a folder, in the order of their names.
  static func all(in folder: String) throws -> [Peer] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted().compactMap { name in
      let path = "\(folder)/\(name)"
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder),
        !isFolder.boolValue, FileManager.default.isExecutableFile(atPath: path)
      else { return nil }
      return try Peer(name: name, path: path)
    }
  }

  /// Measures a figure once.
  func run(_ figure: String, data: String) throws -> [Measurement] {
    let output = try ChildProcess.run([path, figure, data])
    return try output.split(separator: "\n").map { text in
      guard let line = try? JSONDecoder().decode(Line.self, from: Data(text.utf8)) else {
        throw Failure(description: "\(name): expected name, value and unit, got \(text)")
      }
      return Measurement(name: line.name, value: line.value, unit: line.unit)
    }
  }
}
