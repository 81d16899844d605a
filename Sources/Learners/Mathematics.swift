import Glibc

/// 1 / (1 + e⁻ˣ).
@inline(__always)
func logistic(_ x: Double) -> Double {
  1 / (1 + exp(-x))
}

/// log(1 + eˣ) without overflow.
@inline(__always)
func softplus(_ x: Double) -> Double {
  max(x, 0) + log1p(exp(-abs(x)))
}

/// What is left of a weight after `examples` with the given half-life.
@inline(__always)
func exponentialDecay(_ examples: Double, halfLife: Double) -> Double {
  exp2(-examples / halfLife)
}
