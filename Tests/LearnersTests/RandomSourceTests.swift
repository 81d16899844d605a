import Learners
import Testing

@Suite struct RandomSourceTests {
  @Test func followsTheReferenceImplementation() throws {
    // First outputs of xoshiro256** from the state 1, 2, 3, 4, as its authors' C code prints them.
    var source = try #require(RandomSource(state: [1, 2, 3, 4]))
    let expected: [UInt64] = [
      11_520, 0, 1_509_978_240, 1_215_971_899_390_074_240, 1_216_172_134_540_287_360,
    ]
    for value in expected { #expect(source.next() == value) }
    // SplitMix64 from the seed 0.
    #expect(RandomSource(seed: 0).state[0] == 0xE220_A839_7B1D_CDAF)
    #expect(RandomSource(seed: 0).state[1] == 0x6E78_9E6A_A1B9_65F4)
  }

  @Test func stateGoesOnWhereItStood() throws {
    var source = RandomSource(seed: 3)
    _ = source.next()
    var copy = try #require(RandomSource(state: source.state))
    for _ in 0..<10 { #expect(copy.next() == source.next()) }
    #expect(RandomSource(state: [0, 0, 0, 0]) == nil)
    #expect(RandomSource(state: [1, 2, 3]) == nil)
  }

  @Test func numbersAreInRangeAndEven() {
    var source = RandomSource(seed: 5)
    var counts = [Int](repeating: 0, count: 7)
    var sum = 0.0
    for _ in 0..<70_000 {
      counts[source.below(7)] += 1
      let value = source.uniform()
      #expect(value >= 0 && value < 1)
      sum += value
    }
    #expect(abs(sum / 70_000 - 0.5) < 0.006)
    for count in counts { #expect(abs(count - 10_000) < 500) }
  }
}
