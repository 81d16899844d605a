import Learners

extension LearnerDefinition {
  /// A learner that has seen nothing.
  func makeLearner(featureCount: Int, seed: UInt64) -> any Learner {
    switch self {
    case .logisticRegression(let options):
      LogisticRegression(featureCount: featureCount, options: options, seed: seed)
    case .kMeans(let options): KMeans(featureCount: featureCount, options: options, seed: seed)
    case .isolationForest(let options):
      IsolationForest(featureCount: featureCount, options: options, seed: seed)
    }
  }

  /// A learner as it was when its state was saved.
  func restoreLearner(featureCount: Int, state: [UInt8]) throws -> any Learner {
    switch self {
    case .logisticRegression(let options):
      try LogisticRegression(featureCount: featureCount, options: options, state: state)
    case .kMeans(let options):
      try KMeans(featureCount: featureCount, options: options, state: state)
    case .isolationForest(let options):
      try IsolationForest(featureCount: featureCount, options: options, state: state)
    }
  }
}
