/// The families of models, by the name that pipeline files and parameter updates use.
public enum ModelKind: String, Sendable, CaseIterable {
  /// ``LogisticRegression``.
  case logisticRegression = "logistic-regression"
  /// ``KMeans``.
  case kMeans = "k-means"
  /// ``IsolationForest``.
  case isolationForest = "isolation-forest"
}
