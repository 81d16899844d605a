/// Written by Golden/k_means.py: scikit-learn's k-means on the mixture of the test.
enum GoldenClusters {
  /// Sum of all values, to check that the mixture is the same.
  static let sum = 72742.445379
  /// Mean squared standardised distance to the nearest centre, best of 20 starts.
  static let inertia: [Int: Double] = [
    4: 0.77529850,
    6: 0.26363990,
    9: 0.21147627,
  ]
}
