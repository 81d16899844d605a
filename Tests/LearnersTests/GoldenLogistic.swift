/// Written by Golden/logistic_regression.py: scikit-learn's solution.
enum GoldenLogistic {
  /// Positive labels among 20,000, to check that the stream is the same.
  static let positives = 6894
  /// Weights of the standardised features.
  static let weights = [1.495524, -0.776125, 0.292878, 0.004402]
  static let intercept = -0.966585
}
