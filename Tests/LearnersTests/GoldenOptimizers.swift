/// Written by Golden/logistic_optimizers.py. The last number is the intercept.
enum GoldenOptimizers {
  /// Positive labels among 2,000, to check that the stream is the same.
  static let positives = 814
  /// River's SGD, learning rate 0.05.
  static let sgd = [1.18531335, -0.64437955, 0.54707830, 0.23252718, -0.26348022]
  /// River's AdaGrad, learning rate 0.1.
  static let adagrad = [1.12876338, -0.62761149, 0.29899017, 0.00659378, -0.47717596]
  /// FTRL-Proximal, α = 0.1, β = 1.
  static let ftrl = [1.09774435, -0.60879161, 0.28812046, 0.00394752, -0.45962504]
  /// The same with λ₁ = 20, λ₂ = 3.
  static let sparse = [1.04585490, -0.56815967, 0.25378358, 0.00000000, -0.44076828]
}
