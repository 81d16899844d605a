import Features
import LinearAlgebra
import Testing

@Suite struct SparseFeatureTests {
  private static let schema = EventSchema(
    id: nil, time: nil,
    entities: [.init(name: "terminal", type: .category, missing: .category(""))],
    values: [
      .init(name: "amount", type: .number),
      .init(name: "merchant", type: .category),
      .init(name: "country", type: .category, missing: .category("none")),
    ], label: nil)

  private func compute(
    _ definitions: [FeatureDefinition], _ events: [String]
  ) throws -> (plan: FeaturePlan, matrix: Matrix, block: EventBlock) {
    try computedFeatures(definitions, Self.schema, events)
  }

  /// Numbers computed by a program in another language.
  @Test(arguments: [
    ("merchant", ["m1"], 571_384), ("country", ["m1"], 698_489),
    ("merchant*country", ["m1", "CH"], 165_220), ("merchant*country", ["m1C", "H"], 447_201),
    ("x", ["é"], 47_512), ("x", ["a", ""], -1), ("x", [""], -1),
  ])
  func categoriesHaveTheNumbersThatTheDocumentationGives(
    _ feature: String, _ categories: [String], _ expected: Int
  ) {
    let value = CategoryHash(feature: feature).value(categories.map { Array($0.utf8) })
    #expect(value == Double(expected))
    #expect(Double(Float(value)) == value)
  }

  @Test func columnsOfHashesComeLastAndAreNamedByTheirFields() throws {
    let (plan, matrix, block) = try compute(
      [
        .init(.sparse(["merchant"])), .init(.number("amount")),
        .init(.sparse(["merchant", "country"])), .init(.log("amount")),
        .init(.sparse(["terminal"]), name: "where"),
      ],
      [
        #"{"amount": 1, "merchant": "m1", "country": "CH", "terminal": "t9"}"#,
        #"{"amount": 1, "merchant": "m1"}"#,
        #"{"amount": 1, "merchant": "m2", "country": "CH", "terminal": 9}"#,
      ])
    #expect(plan.names == ["amount", "log(amount)", "merchant", "merchant*country", "where"])
    #expect(plan.denseCount == 2)
    #expect(plan.sparseCount == 3)
    let hash = CategoryHash(feature: "merchant*country")
    #expect(matrix[0, 2] == 571_384)
    #expect(matrix[0, 3] == 165_220)
    #expect(matrix[1, 2] == matrix[0, 2])
    #expect(matrix[2, 2] != matrix[0, 2])
    // A stand-in is a category like any other; an entity that is not there is none.
    #expect(matrix[1, 3] == hash.value([Array("m1".utf8), Array("none".utf8)]))
    #expect(matrix[1, 4] == CategoryHash.none)
    #expect(matrix[2, 4] == CategoryHash(feature: "where").value([Array("9".utf8)]))
    #expect(plan.categories(0, of: block, row: 0) == nil)
    let found = plan.categories(3, of: block, row: 2)?.map { String(decoding: $0, as: UTF8.self) }
    #expect(found == ["m2", "CH"])
  }

  @Test func mistakesAreNamed() {
    func expect(_ definitions: [FeatureDefinition], _ words: String...) {
      #expect {
        try FeaturePlan(definitions, schema: Self.schema)
      } throws: { error in
        words.allSatisfy { "\(error)".contains($0) }
      }
    }
    expect([.init(.sparse(["amount"]))], "'amount' is not a category or an entity")
    expect([.init(.sparse(["merchent"]))], "'merchent'", "did you mean 'merchant'?")
    expect([.init(.sparse([]), name: "x")], "no field")
    expect([.init(.sparse(["merchant", "country", "merchant"]))], "names 'merchant' twice")
    expect(
      [.init(.sparse(["merchant"])), .init(.log("merchant"))],
      "'merchant' is a hash of categories, not a number")
    expect([.init(.sparse(["merchant"])), .init(.sparse(["merchant"]))], "two features", "name")
  }
}
