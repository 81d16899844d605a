/// Names one number of ``Figures``.
public enum FigureName: Hashable, Sendable {
  case areaUnderROC
  case averagePrecision
  case logLoss
  case brierScore
  case accuracy
  case calibrationError
  case thresholdPrecision
  case thresholdRecall
  case thresholdF1
  case budgetPrecision
  case budgetRecall
  case budgetF1
  /// Recall at this false-positive rate.
  case recall(Double)
  /// Card Precision at this k.
  case cardPrecision(Int)
  case cost

  /// The name in documents, for instance `at_budget_recall`.
  public var key: String {
    switch self {
    case .areaUnderROC: "auroc"
    case .averagePrecision: "average_precision"
    case .logLoss: "log_loss"
    case .brierScore: "brier"
    case .accuracy: "accuracy"
    case .calibrationError: "calibration_error"
    case .thresholdPrecision: "at_threshold_precision"
    case .thresholdRecall: "at_threshold_recall"
    case .thresholdF1: "at_threshold_f1"
    case .budgetPrecision: "at_budget_precision"
    case .budgetRecall: "at_budget_recall"
    case .budgetF1: "at_budget_f1"
    case .recall(let rate): "recall_at_fpr_\(rate)"
    case .cardPrecision(let k): "card_precision_\(k)"
    case .cost: "cost"
    }
  }

  /// Whether the figure lies between 0 and 1.
  var isShare: Bool {
    switch self {
    case .logLoss, .cost: false
    default: true
    }
  }
}

extension Figures {
  /// The names of all figures that these have, defined or not, in the order of documents.
  public var names: [FigureName] {
    [
      .areaUnderROC, .averagePrecision, .logLoss, .brierScore, .accuracy, .calibrationError,
      .thresholdPrecision, .thresholdRecall, .thresholdF1, .budgetPrecision, .budgetRecall,
      .budgetF1,
    ] + recallAtFalsePositiveRate.map { .recall($0.falsePositiveRate) }
      + cardPrecision.map { .cardPrecision($0.k) } + [.cost]
  }

  /// A figure by its name; nil where it is undefined.
  public subscript(name: FigureName) -> Double? {
    switch name {
    case .areaUnderROC: areaUnderROC
    case .averagePrecision: averagePrecision
    case .logLoss: logLoss
    case .brierScore: brierScore
    case .accuracy: accuracy
    case .calibrationError: calibrationError
    case .thresholdPrecision: atThreshold?.precision
    case .thresholdRecall: atThreshold?.recall
    case .thresholdF1: atThreshold?.f1
    case .budgetPrecision: atBudget?.precision
    case .budgetRecall: atBudget?.recall
    case .budgetF1: atBudget?.f1
    case .recall(let rate):
      recallAtFalsePositiveRate.first { $0.falsePositiveRate == rate }?.recall
    case .cardPrecision(let k): cardPrecision.first { $0.k == k }?.value
    case .cost: cost
    }
  }
}
