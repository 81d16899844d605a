/// Computes the figures of one column over some rows: ranks of the whole first, then a pass over
/// the days, whose sums give the weeks and the whole.
struct ModelEvaluation {
  static let calibrationBins = 15

  let result: ModelFigures

  init(_ table: EvaluationTable, model: Int, rows: RowSelection, options: FigureOptions) {
    let grouping = DayGrouping(table.days, rows: rows)
    let isProbability = table.models[model].isProbability
    let column = table.scores[model]

    var whole = ScoreRanking()
    for place in 0..<grouping.count {
      let row = grouping.row(at: place)
      if !column[row].isNaN { whole.add(column[row], isPositive: table.isPositive(row: row)) }
    }
    whole.rank()

    let counter = RowCounter(table, model: model, options: options)
    let cardValues =
      options.cards.map { cards in
        cards.k.map { k in
          CardRanking(entities: cards.entities).precision(
            k: k, column: column, table: table, grouping: grouping)
        }
      } ?? []
    var bootstrap =
      options.resamples > 0 && grouping.days.count > 1
      ? DayBootstrap(whole, days: grouping.days.count, isProbability: isProbability) : nil

    func figures(_ ranking: ScoreRanking, _ tally: DayTally, _ days: Range<Int>) -> Figures {
      let cards = zip(options.cards?.k ?? [], cardValues).map { k, values in
        let defined = values[days].compactMap { $0 }
        return CardPrecision(
          k: k, value: defined.isEmpty ? nil : defined.reduce(0, +) / Double(defined.count))
      }
      return Figures(
        ranking, tally, isProbability: isProbability, options: options,
        hasThreshold: counter.hasThreshold, cardPrecision: cards)
    }

    var total = DayTally()
    var weekTally = DayTally()
    var weekStart = 0
    var byDay: [DayFigures] = []
    var byWeek: [WeekFigures] = []
    byDay.reserveCapacity(grouping.days.count)
    var ranking = ScoreRanking()
    var weekRanking = ScoreRanking()
    for (position, day) in grouping.days.enumerated() {
      let places = grouping.places(ofDayAt: position)
      var tally = DayTally()
      ranking.removeAll()
      for place in places {
        let row = grouping.row(at: place)
        counter.add(row, to: &tally)
        if !column[row].isNaN { ranking.add(column[row], isPositive: table.isPositive(row: row)) }
      }
      ranking.rank()
      counter.finish(&tally)
      if let budget = options.budget {
        tally.atBudget = counter.detections(grouping, places, ranking, budget)
      }
      byDay.append(
        DayFigures(day: day, figures: figures(ranking, tally, position..<position + 1)))
      bootstrap?.add(ranking, tally, cards: cardValues.map { $0[position] })
      weekRanking.add(ranking)
      weekTally += tally
      total += tally
      let next = position + 1 < grouping.days.count ? grouping.days[position + 1] : nil
      if next.map({ $0.monday != day.monday }) ?? true {
        weekRanking.rank()
        byWeek.append(
          WeekFigures(
            monday: day.monday, figures: figures(weekRanking, weekTally, weekStart..<position + 1)))
        weekRanking.removeAll()
        weekTally = DayTally()
        weekStart = position + 1
      }
    }
    var overall = figures(whole, total, 0..<grouping.days.count)
    if let bootstrap { overall.intervals = bootstrap.intervals(of: overall, options: options) }
    result = ModelFigures(
      overall: overall, byDay: byDay, byWeek: byWeek,
      curves: options.curves ? whole.curves(isProbability: isProbability) : nil)
  }
}
