import Features
import LinearAlgebra

/// The features of events given as JSON, with what they were computed by and from.
func computedFeatures(
  _ definitions: [FeatureDefinition], _ schema: EventSchema, _ events: [String]
) throws -> (plan: FeaturePlan, matrix: Matrix, block: EventBlock) {
  let plan = try FeaturePlan(definitions, schema: schema)
  let decoder = EventDecoder(schema: schema, readsLabel: false)
  var block = EventBlock(schema: schema, capacity: 8)
  for event in events {
    try Array(event.utf8).withUnsafeBytes {
      try decoder.decode(json: $0, position: 0, timestamp: 0, into: &block)
    }
  }
  var matrix = Matrix(columns: plan.count, capacity: 8)
  var memory = FeatureMemory(plan, capacity: 8)
  memory.compute(block, into: &matrix)
  return (plan, matrix, block)
}
