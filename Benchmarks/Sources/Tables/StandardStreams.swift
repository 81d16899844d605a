import Foundation
import LinearAlgebra

/// How the small programs of the benchmarks get tables from Python and give numbers back.
public enum StandardStreams {
  /// The table on standard input, row by row, as little-endian doubles; nil if it has another size.
  public static func readTable(rows: Int, columns: Int) -> Matrix? {
    let input = FileHandle.standardInput.readDataToEndOfFile()
    guard rows > 0, columns > 0, input.count == 8 * rows * columns else { return nil }
    var table = Matrix(columns: columns, capacity: rows)
    input.withUnsafeBytes { bytes in
      for row in 0..<rows {
        table.append(
          (0..<columns).map {
            bytes.loadUnaligned(fromByteOffset: 8 * (row * columns + $0), as: Double.self)
          })
      }
    }
    return table
  }

  /// Writes numbers to standard output as they are in memory.
  public static func write<Number: BitwiseCopyable>(_ numbers: [Number]) {
    FileHandle.standardOutput.write(numbers.withUnsafeBytes { Data($0) })
  }

  /// Ends the program, saying how it is called.
  public static func fail(usage: String) -> Never {
    FileHandle.standardError.write(Data("usage: \(usage)\n".utf8))
    exit(64)
  }
}

extension Matrix {
  /// Consecutive rows, all columns but the last `dropped`.
  public func block(_ rows: Range<Int>, dropping dropped: Int = 0) -> Matrix {
    var block = Matrix(columns: columns - dropped, capacity: rows.count)
    for row in rows { block.append(self.row(row).dropLast(dropped)) }
    return block
  }

  /// All rows in blocks of a size, the last one with what is left.
  public func blocks(of size: Int, dropping dropped: Int = 0) -> [Matrix] {
    Swift.stride(from: 0, to: rows, by: size).map {
      block($0..<Swift.min($0 + size, rows), dropping: dropped)
    }
  }
}
