import Detection
import Foundation
import Testing

@Suite struct DetectorTests {
  /// Rows around two centres, and at the given rows one that is far from both in column b, to
  /// either side and each farther than the one before, so that they are no cluster of their own.
  private func twoClusters(
    rows: Int, odd: Set<Int>, missingEvery: Int? = nil, isStream: Bool, seed: UInt64 = 3
  ) throws -> TableFeatures {
    var state = seed
    func uniform() -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 11) * 0x1p-53
    }
    var text = "a,b,c,colour\n"
    for row in 0..<rows {
      let centre = uniform() < 0.5 ? 0.0 : 10
      let far = (row % 40 == 0 ? 1 : -1) * (60 + Double(row) / 10)
      let b = odd.contains(row) ? far : centre + uniform()
      let isMissing = missingEvery.map { row % $0 == 0 } ?? false
      text += "\(centre + uniform()),\(b),\(isMissing ? "" : "\(uniform())"),"
      text += "\(["red", "blue", "green", "red"][row % 4])\n"
    }
    return try TableFeatures(table(text), isStream: isStream)
  }

  @Test(arguments: Detector.Model.allCases, [false, true])
  func oddRowsScoreHighAndTheGuiltyColumnIsNamed(model: Detector.Model, isStream: Bool) throws {
    let odd = Set((0..<10).map { 160 + 60 * $0 })
    let features = try twoClusters(rows: 800, odd: odd, missingEvery: 10, isStream: isStream)
    var detector = Detector(model: model, seed: 5)
    detector.clusters.clusters = 2
    // A stream's first models know little, and find much unusual.
    detector.top = isStream ? 100 : 40
    let found = try #require(
      isStream ? detector.testThenTrain(features) : detector.fit(features))
    #expect(found.scored == (isStream ? 800 - 16 : 800))
    #expect(found.scores.allSatisfy { $0.isNaN || ($0 >= 0 && $0 <= 1) })
    let top = found.top.filter { odd.contains($0.row) }
    #expect(top.count >= 9, "\(found.top.map(\.row))")
    let highest = found.scores.filter { !$0.isNaN }.sorted(by: >).prefix(detector.top)
    #expect(found.top.map(\.score) == Array(highest))
    for unusual in top {
      #expect(found.scores[unusual.row] == unusual.score)
      #expect(features.table.columns[unusual.reasons[0].column].name == "b")
      #expect(abs(unusual.reasons[0].value.double ?? 0) > 60)
      let positive = unusual.reasons.filter { $0.contribution > 0 }
      #expect(abs(positive.map(\.share).reduce(0, +) - 1) < 1e-9)
      let colour = try #require(unusual.reasons.first { $0.column == 3 })
      #expect(["red", "blue", "green"].contains(colour.value.text))
      #expect(colour.typical.text == "red")
    }
  }

  /// Forests compare in Float32, which cannot tell long identifiers apart as they are.
  @Test(arguments: Detector.Model.allCases)
  func numbersThatDifferInTheirLastDigitsAreToldApart(model: Detector.Model) throws {
    var text = "account\n"
    for row in 0..<600 {
      text += "\(1_000_000_000_000_000 + row * 7_919 % 1_000 + (row == 400 ? 1_000_000 : 0))\n"
    }
    let found = try #require(Detector(model: model).fit(try TableFeatures(table(text))))
    #expect(found.top.first?.row == 400)
    #expect(found.top.first?.reasons.first?.typical.double ?? 0 > 999_999_999_999_999)
  }

  @Test(arguments: Detector.Model.allCases, [false, true])
  func sameSeedSameScores(model: Detector.Model, isStream: Bool) throws {
    let features = try twoClusters(rows: 700, odd: [300], missingEvery: 7, isStream: isStream)
    func scores(seed: UInt64) throws -> [UInt32] {
      let detector = Detector(model: model, seed: seed)
      let found = isStream ? detector.testThenTrain(features) : detector.fit(features)
      return try #require(found).scores.map(\.bitPattern)
    }
    #expect(try scores(seed: 1) == scores(seed: 1))
    #expect(try scores(seed: 1) != scores(seed: 2))
  }

  @Test(arguments: Detector.Model.allCases)
  func aStreamsScoreDependsOnRowsBeforeItOnly(model: Detector.Model) throws {
    let whole = try twoClusters(rows: 900, odd: [850], missingEvery: 5, isStream: true)
    let part = try twoClusters(rows: 500, odd: [], missingEvery: 5, isStream: true)
    let detector = Detector(model: model)
    let ofWhole = try #require(detector.testThenTrain(whole)).scores
    let ofPart = try #require(detector.testThenTrain(part)).scores
    #expect(ofPart.map(\.bitPattern) == ofWhole[..<500].map(\.bitPattern))
    #expect(ofPart[..<16].allSatisfy(\.isNaN) && !ofPart[16].isNaN)
  }

  @Test(arguments: Detector.Model.allCases)
  func theOrderOfTheRowsMattersLittleToAFit(model: Detector.Model) throws {
    // All of one cluster first: what is learnt last must not count more.
    let rows = 3_000
    let text =
      "x,y\n"
      + (0..<rows).map { row in
        let centre = row < rows / 2 ? 0.0 : 10
        return "\(centre + sin(Double(row))),\(centre + cos(Double(row) * 1.7))\n"
      }.joined()
    let scores = try #require(Detector(model: model).fit(TableFeatures(table(text)))).scores
    let first = scores[..<(rows / 2)].reduce(0, +)
    let second = scores[(rows / 2)...].reduce(0, +)
    #expect(abs(first - second) < 0.1 * (first + second))
  }

  @Test func tooFewRowsGiveNothing() throws {
    let two = try TableFeatures(table("a\n1\n2\n"))
    #expect(Detector(model: .isolationForest).fit(two)?.scores.count == 2)
    #expect(Detector(model: .kMeans).fit(two) == nil)
    let sixteen = try TableFeatures(table("a\n" + (0..<16).map { "\($0 * $0)\n" }.joined()))
    #expect(Detector(model: .kMeans).fit(sixteen)?.scored == 16)
    for model in Detector.Model.allCases {
      #expect(Detector(model: model).testThenTrain(sixteen) == nil)
    }
  }
}
