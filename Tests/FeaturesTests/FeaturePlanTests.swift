import Features
import Foundation
import LinearAlgebra
import Testing

@Suite struct FeaturePlanTests {
  static let schema = EventSchema(
    id: nil, time: .init(name: "t"), entities: [],
    values: [
      .init(name: "a", type: .number, missing: .number(0)), .init(name: "b", type: .number),
      .init(name: "c", type: .category),
    ], label: nil)

  func compute(_ definitions: [FeatureDefinition], _ events: [String]) throws -> [[String: Double]]
  {
    let (plan, matrix, _) = try computedFeatures(definitions, Self.schema, events)
    return (0..<matrix.rows).map { row in
      Dictionary(uniqueKeysWithValues: plan.names.enumerated().map { ($1, matrix[row, $0]) })
    }
  }

  @Test func computesEveryKindOfFeature() throws {
    let rows = try compute(
      [
        .init(.number("a")), .init(.log("a")), .init(.difference("a", "b")),
        .init(.ratio("a", "b")),
        .init(.hour), .init(.weekday), .init(.night(throughHour: 6)), .init(.weekend),
        .init(.oneHot("c", categories: ["x", "y"])), .init(.isMissing("a")),
      ],
      [
        #"{"t": "2018-04-01 06:59:59", "a": -3, "b": 2, "c": "y"}"#,
        #"{"t": "2018-04-02 07:00:00", "b": 0, "c": "other"}"#,
        #"{"t": "2018-04-06 23:00:00", "a": 3e38, "b": -3e38, "c": "x"}"#,
      ])
    #expect(rows[0]["a"] == -3)
    #expect(rows[0]["log(a)"] == -log(4.0))
    #expect(rows[0]["a-b"] == -5)
    #expect(rows[0]["a/b"] == -1.5)
    #expect(rows.map { $0["hour"] } == [6, 7, 23])
    #expect(rows.map { $0["weekday"] } == [6, 0, 4])
    #expect(rows.map { $0["night"] } == [1, 0, 0])
    #expect(rows.map { $0["weekend"] } == [1, 0, 0])
    #expect(rows.map { $0["c=x"] } == [0, 0, 1])
    #expect(rows.map { $0["c=y"] } == [1, 0, 0])
    #expect(rows.map { $0["missing(a)"] } == [0, 1, 0])
    #expect(rows[1]["a/b"] == 0)
    #expect(rows[2]["a-b"] == Double(Float.greatestFiniteMagnitude))
  }

  @Test func hashedCategoriesFillOneBucketAndStayPut() throws {
    let rows = try compute(
      [.init(.hashed("c", buckets: 16))],
      ["x", "y", "x", "zebra"].map { "{\"t\": 1, \"b\": 1, \"c\": \"\($0)\"}" })
    #expect(rows.allSatisfy { $0.values.reduce(0, +) == 1 })
    #expect(rows[0] == rows[2])
    // The hash is part of what parameters mean: it must never change.
    #expect(stableHash("x".utf8) == 0xc2a2_92bb_cf4e_82aa)
  }

  @Test func namesTheWrongField() {
    func message(_ definition: FeatureDefinition) -> String? {
      do {
        _ = try FeaturePlan([definition, .init(.hour)], schema: Self.schema)
        return nil
      } catch { return "\(error)" }
    }
    #expect(message(.init(.number("A1")))?.contains("did you mean 'a'") == true)
    #expect(message(.init(.number("c"))) == "'c' is not a number")
    #expect(message(.init(.number("a"), name: "hour"))?.contains("two features") == true)
  }

  /// The feature that names no field is refused, and not those that build on it as well.
  @Test func aFeatureOfAWrongOneIsNoOtherProblem() {
    let wrong = FeatureDefinition(.number("e"))
    for definition in [
      FeatureDefinition(.ratio("a", "e")), .init(.ratio("e", "a")), .init(.difference("e", "e")),
      .init(.difference("a", "e")), .init(.log("e")), .init(.bins("e", count: 4)),
    ] {
      #expect {
        try FeaturePlan(
          [wrong, definition, .init(.ratio("a", definition.name))], schema: Self.schema)
      } throws: { error in
        (error as? FeatureError)?.problems.map(\.feature) == [0]
      }
    }
  }
}
