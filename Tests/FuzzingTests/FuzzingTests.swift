import Fuzzing
import Testing

/// A bounded run of each fuzzer; scripts/fuzz runs them longer. A crash names the test, a finding
/// its input.
@Suite struct FuzzingTests {
  private func fuzz(_ target: some FuzzTarget, inputs: Int) throws {
    let seed = UInt64.random(in: 0..<1 << 32)
    var fuzzer = Fuzzer(target, seed: seed)
    for _ in 0..<inputs {
      let input = fuzzer.next()
      do { try fuzzer.read(input) } catch {
        Issue.record(
          "seed \(seed), input \(fuzzer.count): \(error)\n\(String(decoding: input, as: UTF8.self))"
        )
        return
      }
    }
    // Mutants that were all refused for one reason would test nothing.
    #expect(fuzzer.outcomes > 10, "seed \(seed)")
  }

  @Test func everyEventIsReadOrRefused() throws { try fuzz(EventTarget(), inputs: 20_000) }

  @Test func everyDocumentIsReadOrRefused() throws { try fuzz(JSONTarget(), inputs: 20_000) }

  @Test func everyHistoryIsReadOrRefused() throws { try fuzz(CSVTarget(), inputs: 1_000) }

  @Test func everyTableIsReadOrRefused() throws { try fuzz(TableTarget(), inputs: 1_000) }

  @Test func everyPipelineFileIsReadOrRefusedByLine() throws {
    try fuzz(PipelineFileTarget(), inputs: 1_000)
  }

  @Test func everyDataFileIsReadAndRepaired() throws { try fuzz(TopicFileTarget(), inputs: 200) }

  @Test func everyUpdateIsReadOrRefused() throws { try fuzz(UpdateTarget(), inputs: 5_000) }
}
