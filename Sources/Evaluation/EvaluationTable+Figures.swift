extension EvaluationTable {
  /// The figures of one model over all events.
  ///
  /// - Parameters:
  ///   - model: the column's position.
  ///   - budget: what ``Figures/atBudget`` is asked for; it is spent day by day.
  /// - Precondition: there is such a column.
  public func figures(model: Int, budget: AlertBudget? = nil) -> Figures {
    evaluate(model: model, options: FigureOptions(budget: budget)).overall
  }

  /// The figures of one model, day by day, in the order of days; only days with an event appear.
  ///
  /// Parameters are those of ``figures(model:budget:)``.
  public func figuresByDay(model: Int, budget: AlertBudget? = nil) -> [DayFigures] {
    evaluate(model: model, options: FigureOptions(budget: budget)).byDay
  }

  /// All figures of one model over some rows, in time that rises with the rows but for one sort.
  ///
  /// - Precondition: there is such a column; columns of the options have a value for every row.
  public func evaluate(
    model: Int, rows: RowSelection = .all, options: FigureOptions
  ) -> ModelFigures {
    ModelEvaluation(self, model: model, rows: rows, options: options).result
  }

  /// The figures of each version of a model that scored an event, in the order of serving, without
  /// those that need days.
  public func figuresByVersion(model: Int, options: FigureOptions) -> [VersionFigures] {
    var options = options
    options.budget = nil
    options.cards = nil
    options.resamples = 0
    let starts = served[model]
    return starts.indices.compactMap { index in
      let end = index + 1 < starts.count ? starts[index + 1].row : count
      guard starts[index].row < end else { return nil }
      let figures = evaluate(
        model: model, rows: .range(starts[index].row..<end), options: options
      ).overall
      return VersionFigures(version: starts[index].version, figures: figures)
    }
  }
}
