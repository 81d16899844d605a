import ModelLog

extension Pipeline {
  /// The model that decides: the first of the policy's list that has parameters.
  func deciding(_ served: [ServedModel?]) -> Int? {
    decisions.by.compactMap(modelIndex).first { served[$0] != nil }
  }

  /// The score from which on a model flags.
  func threshold(_ model: Int, _ served: [ServedModel?]) -> Float? {
    switch decisions.limit {
    case .budget: served[model]?.header.threshold
    case .thresholds(let fixed): fixed[models[model].name]
    }
  }
}
