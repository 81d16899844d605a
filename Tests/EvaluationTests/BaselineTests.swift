import Evaluation
import Testing

@Suite("Baselines")
struct BaselineTests {
  @Test("the base rate is smoothed and sees only labels that have arrived")
  func baseRate() {
    var baseline = BaseRateBaseline()
    #expect(baseline.probability == 0.5)
    baseline.learn(false)
    #expect(baseline.probability == 1.0 / 3)
    for _ in 0..<7 { baseline.learn(false) }
    baseline.learn(true)
    #expect(baseline.labels == 9 && baseline.positives == 1)
    #expect(baseline.probability == 2.0 / 11)
  }

  @Test("the last class leans to the newest label, the more the longer its run")
  func lastClass() {
    var baseline = LastClassBaseline()
    #expect(baseline.probability == 0.5 && baseline.predictedClass == nil)
    baseline.learn(true)
    #expect(baseline.probability == 2.0 / 3 && baseline.predictedClass == true)
    baseline.learn(true)
    #expect(baseline.probability == 3.0 / 4)
    baseline.learn(false)
    #expect(isClose(baseline.probability, 1.0 / 3) && baseline.predictedClass == false)
    #expect(baseline.runLength == 1)
  }

  @Test("accuracy of the last class is the share of labels equal to the one before")
  func accuracy() {
    for seed in 1...10 as ClosedRange<UInt64> {
      var generator = SeededGenerator(seed: seed)
      let labels = (0..<500).map { _ in Int.random(in: 0..<5, using: &generator) == 0 }
      var baseline = LastClassBaseline()
      var scores: [Float] = []
      for label in labels {
        scores.append(Float(baseline.probability))
        baseline.learn(label)
      }
      let repeats = zip(labels, labels.dropFirst()).count { $0 == $1 }
      let figures = table(Array(scores.dropFirst()), Array(labels.dropFirst())).figures(model: 0)
      #expect(figures.accuracy == Double(repeats) / 499, "seed \(seed)")
    }
  }
}
