import Foundation
import Learners
import LinearAlgebra

/// A generated stream shaped like card transactions: 28 components of falling spread, a logarithm of
/// an amount, and one event in a hundred that is fraud and shifted in a third of its features.
struct CardStream {
  static let featureCount = 29
  static let blockSize = 256

  /// Rows of ``featureCount`` numbers.
  let rows: [[Double]]
  /// 0 or 1, one a row.
  let labels: [Double]

  /// The same rows on every machine with the same mathematical library.
  init(rows count: Int, seed: UInt64 = 20_130_901) {
    var random = RandomSource(seed: seed)
    var rows: [[Double]] = []
    var labels: [Double] = []
    rows.reserveCapacity(count)
    labels.reserveCapacity(count)
    for _ in 0..<count {
      let isFraud = random.uniform() < 0.01
      var row: [Double] = []
      row.reserveCapacity(Self.featureCount)
      for feature in 0..<Self.featureCount - 1 {
        let shift = isFraud && feature % 3 == 0 ? 2.5 : 0
        row.append((random.normal() + shift) * 2 / (1 + 0.1 * Double(feature)))
      }
      row.append(log1p(exp(3 + 1.2 * random.normal())))
      rows.append(row)
      labels.append(isFraud ? 1 : 0)
    }
    self.rows = rows
    self.labels = labels
  }

  /// The rows in full blocks of a size, with their labels.
  func blocks(of size: Int = Self.blockSize) -> [(features: Matrix, labels: [Double])] {
    stride(from: 0, to: rows.count - size + 1, by: size).map { start in
      (Matrix(rows: Array(rows[start..<start + size])), Array(labels[start..<start + size]))
    }
  }

  /// NumPy's format 1.0 of a row-major matrix: the features, and the label as the last column.
  func npy() -> [UInt8] {
    let shape = "(\(rows.count), \(Self.featureCount + 1))"
    var header = "{'descr': '<f8', 'fortran_order': False, 'shape': \(shape), }"
    // Magic, version and length take 10 bytes; the data begins at a multiple of 64.
    let padding = 64 - (10 + header.utf8.count + 1) % 64
    header += String(repeating: " ", count: padding % 64) + "\n"
    var bytes = Array("\u{93}NUMPY".unicodeScalars.map { UInt8($0.value) }) + [1, 0]
    bytes += [UInt8(header.utf8.count & 0xff), UInt8(header.utf8.count >> 8)]
    bytes += Array(header.utf8)
    bytes.reserveCapacity(bytes.count + rows.count * (Self.featureCount + 1) * 8)
    for (row, label) in zip(rows, labels) {
      for value in row + [label] {
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
      }
    }
    return bytes
  }

  // MARK: As events of models/credit-card.yaml

  static let header =
    (["Time"] + (1..<featureCount).map { "V\($0)" } + ["Amount"]).joined(separator: ",")

  /// JSON objects of exactly `size` bytes with 30 numbers: `Time`, `V1` … `V28` and `Amount`.
  func jsonEvents(_ count: Int, size: Int = 488) -> [[UInt8]] {
    (0..<count).map { index in
      var text = "{\"Time\":\(100_000 + index)"
      for feature in 0..<Self.featureCount - 2 {
        text += ",\"V\(feature + 1)\":" + String(format: "%.7f", rows[index][feature])
      }
      text += ",\"V28\":"
      let end = ",\"Amount\":\(amount(index))}"
      // The last component takes as many digits as bring the event to its size; a double has no
      // use for more than 17, spaces do the rest.
      let last = min(abs(rows[index][Self.featureCount - 2]), 9)
      let room = size - text.utf8.count - "0.".utf8.count - end.utf8.count
      precondition(room > 0, "an event has no room for its last number")
      text += String(format: "%.\(min(room, 16))f", last)
      text += String(repeating: " ", count: max(room - 16, 0)) + end
      return Array(text.utf8)
    }
  }

  /// A CSV file of the first `count` rows with its header, with the label's column if asked.
  func csv(_ count: Int, label: Bool) -> [UInt8] {
    var text = Self.header + (label ? ",Class\n" : "\n")
    for index in 0..<count {
      text += "\(100_000 + index)"
      for feature in 0..<Self.featureCount - 1 {
        text += "," + String(format: "%.7f", rows[index][feature])
      }
      text += ",\(amount(index))" + (label ? ",\(Int(labels[index]))\n" : "\n")
    }
    return Array(text.utf8)
  }

  private func amount(_ index: Int) -> String {
    String(format: "%.2f", expm1(rows[index][Self.featureCount - 1]))
  }
}

extension RandomSource {
  /// A standard normal number (Box and Muller, "A note on the generation of random normal deviates",
  /// 1958).
  fileprivate mutating func normal() -> Double {
    let radius = (-2 * log(1 - uniform())).squareRoot()
    return radius * cos(2 * .pi * uniform())
  }
}
