import LinearAlgebra
import StateCoding

/// Decayed normal equations of one half-life.
///
/// The intercept is the last coefficient.
struct LogisticExpert: Sendable {
  let halfLife: Double
  /// Decayed sum of w · z zᵀ.
  private(set) var gram: SymmetricMatrix
  /// Decayed sum of w · z · (working response).
  private(set) var response: [Double]

  init(halfLife: Double, featureCount: Int) {
    self.halfLife = halfLife
    gram = SymmetricMatrix(order: featureCount + 1)
    response = [Double](repeating: 0, count: featureCount + 1)
  }

  /// Adds the linearised rows of a batch.
  /// - Parameter index: Row of the batch's responses that is this expert's.
  mutating func add(_ batch: LogisticBatch, index: Int) {
    let decay = exponentialDecay(Double(batch.rows), halfLife: halfLife)
    gram.add(batch.gram, decaying: decay)
    let responses = batch.responses
    for column in response.indices {
      response[column] =
        decay * response[column] + responses.values[column * responses.stride + index]
    }
  }

  /// The coefficients that solve the equations with a penalty on their distance from a centre.
  ///
  /// - Parameters:
  ///   - penalty: A half of the factor on the squared distance, one a coefficient.
  ///   - workspace: See ``SymmetricMatrix/solve(_:ridge:workspace:)``.
  func solve(
    penalty: [Double], centre: [Double], workspace: inout [Double]
  ) -> Result<[Double], SolveFailure> {
    var right = response
    for index in right.indices { right[index] += penalty[index] * centre[index] }
    return gram.solve(right, ridge: penalty, workspace: &workspace)
  }

  /// Rewrites the equations for another standardisation, as if the past had been learned in the new
  /// units. Exact but for what the limit does to values far out.
  mutating func rebase(_ change: UnitChange) {
    let features = response.count - 1
    let (ratio, shift) = (change.ratio, change.shift)
    let last = features
    let total = gram[last, last]
    for i in 0..<features {
      for j in 0...i {
        gram[i, j] =
          ratio[i] * ratio[j] * gram[i, j] + ratio[i] * shift[j] * gram[last, i]
          + shift[i] * ratio[j] * gram[last, j] + shift[i] * shift[j] * total
      }
    }
    for j in 0..<features {
      gram[last, j] = ratio[j] * gram[last, j] + shift[j] * total
      response[j] = ratio[j] * response[j] + shift[j] * response[last]
    }
  }
}

/// How standardised values change when their units do: z' = ratio · z + shift.
struct UnitChange: Sendable {
  private(set) var ratio: [Double]
  private(set) var shift: [Double]

  init(from old: Standardisation, to new: Standardisation) {
    ratio = [Double](repeating: 1, count: old.featureCount)
    shift = [Double](repeating: 0, count: old.featureCount)
    for j in ratio.indices {
      let step = new.clip((old.mean[j] - new.mean[j]) * new.scale[j])
      let quotient = new.scale[j] / old.scale[j]
      if old.scale[j] == 0 {
        // So far the feature was constant: it takes no part in the equations but as a shift.
        ratio[j] = 0
        shift[j] = step
      } else if quotient > 1e-3 && quotient < 1e3 {
        ratio[j] = quotient
        shift[j] = step
      } else {
        // Another unit altogether, in which the past says nothing.
        ratio[j] = 0
      }
    }
  }

  /// Rewrites coefficients, of which the last is the intercept, so that log-odds stay what they are.
  func apply(to coefficients: inout [Double]) {
    let last = ratio.count
    for j in 0..<last {
      coefficients[j] = ratio[j] > 0 ? coefficients[j] / ratio[j] : 0
      coefficients[last] -= coefficients[j] * shift[j]
    }
  }
}

extension LogisticExpert {
  func write(to writer: inout StateWriter) {
    writer.write(gram.values)
    writer.write(response)
  }

  init(
    from reader: inout StateReader, halfLife: Double, featureCount: Int
  ) throws(StateError) {
    let order = featureCount + 1
    self.halfLife = halfLife
    gram = SymmetricMatrix(order: order, values: try reader.readFinites(count: order * order))
    response = try reader.readFinites(count: order)
  }
}
