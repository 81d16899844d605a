import LinearAlgebra

/// Standardised rows of single precision, stored twice: row by row, for differences from a centre,
/// and feature by feature, for products with all centres, whose kernels then take neighbouring rows
/// as they lie.
struct StandardisedRows: Sendable {
  /// One row after the other.
  private(set) var byRow: FloatRows
  /// One feature after the other: a row for each feature, a column for each row.
  private(set) var byFeature: FloatRows

  /// No rows.
  init(featureCount: Int, capacity: Int) {
    byRow = FloatRows(columns: featureCount, capacity: capacity)
    byFeature = FloatRows(columns: capacity, capacity: featureCount)
  }

  /// Number of rows.
  var count: Int { byRow.rows }
  /// Largest number of rows.
  var capacity: Int { byRow.capacity }
  /// Number of features.
  var featureCount: Int { byRow.columns }

  /// Replaces all rows by some of a matrix, standardised.
  mutating func standardise(_ features: Matrix, rows range: Range<Int>, _ units: Standardisation) {
    precondition(
      features.columns == featureCount && units.featureCount == featureCount
        && range.upperBound <= features.rows && capacity >= range.count && !units.isSoft,
      "shapes do not fit")
    byFeature.resize(rows: featureCount)
    let featureCount = featureCount
    let step = byFeature.stride
    let limit = units.limit
    features.values.withUnsafeBufferPointer { source in
      byFeature.values.withUnsafeMutableBufferPointer { target in
        for feature in 0..<featureCount {
          let first = feature * features.stride
          let from = UnsafeBufferPointer(
            rebasing: source[first + range.lowerBound..<first + range.upperBound])
          let to = UnsafeMutableBufferPointer(
            rebasing: target[feature * step..<feature * step + range.count])
          let mean = units.mean[feature]
          let scale = units.scale[feature]
          for row in 0..<range.count {
            to[row] = Float(Standardisation.clip((from[row] - mean) * scale, limit))
          }
        }
      }
    }
    byFeature.transpose(columns: range.count, into: &byRow)
  }

  /// Replaces all rows by others, standardised.
  ///
  /// - Parameters:
  ///   - values: ``featureCount`` for each row, one row after the other.
  ///   - count: Number of rows.
  mutating func standardise(rowMajor values: [Double], count: Int, _ units: Standardisation) {
    precondition(
      units.featureCount == featureCount && values.count == count * featureCount && !units.isSoft,
      "shapes do not fit")
    byRow.resize(rows: count)
    let featureCount = featureCount
    let step = byRow.stride
    let limit = units.limit
    values.withUnsafeBufferPointer { source in
      byRow.values.withUnsafeMutableBufferPointer { target in
        units.mean.withUnsafeBufferPointer { mean in
          units.scale.withUnsafeBufferPointer { scale in
            for row in 0..<count {
              let from = UnsafeBufferPointer(
                rebasing: source[row * featureCount..<(row + 1) * featureCount])
              let to = UnsafeMutableBufferPointer(
                rebasing: target[row * step..<row * step + featureCount])
              for column in 0..<featureCount {
                let z = (from[column] - mean[column]) * scale[column]
                to[column] = Float(Standardisation.clip(z, limit))
              }
            }
          }
        }
      }
    }
    byRow.transpose(columns: featureCount, into: &byFeature)
  }
}
