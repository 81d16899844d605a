import Datasets
import Testing

@Suite("Mersenne Twister")
struct MersenneTwisterTests {
  @Test(
    "a single word seeds as NumPy does",
    arguments: [
      (0, GoldenRandom.words0), (1, GoldenRandom.words1), (4357, GoldenRandom.words4357),
      (UInt32.max, GoldenRandom.words4294967295),
    ] as [(UInt32, [UInt32])])
  func seedByWord(seed: UInt32, golden: [UInt32]) {
    var generator = MersenneTwister(seed: seed)
    let words = (0..<2_000).map { _ in generator.next() }
    #expect(Array(words.prefix(4) + words.suffix(4)) == golden)
  }

  @Test("a key seeds as in the authors' published output")
  func seedByKey() {
    var generator = MersenneTwister(key: [0x123, 0x234, 0x345, 0x456])
    let words = (0..<1_000).map { _ in generator.next() }
    #expect(Array(words.prefix(4) + words.suffix(4)) == GoldenRandom.wordsOfKey)
    #expect(Array(words.prefix(3)) == [1_067_595_299, 955_945_823, 477_289_528])
  }

  @Test("a key longer than the state is used whole")
  func seedByLongKey() {
    var generator = MersenneTwister(key: (0..<700).map { UInt32($0) })
    #expect((0..<4).map { _ in generator.next() } == GoldenRandom.wordsOfLongKey)
  }

  @Test("a copy goes on by itself")
  func valueSemantics() {
    var one = MersenneTwister(seed: 5)
    _ = one.next()
    var other = one
    let fromOne = (0..<700).map { _ in one.next() }
    #expect((0..<700).map { _ in other.next() } == fromOne)
  }
}

@Suite("NumPy's legacy generator")
struct NumPyLegacyRandomTests {
  @Test("uniform, normal and Poisson draws interleave as in NumPy, cached normal included")
  func draws() {
    var generator = NumPyLegacyRandom(seed: 7)
    #expect((0..<8).map { _ in generator.uniform(5, 100) } == GoldenRandom.uniforms)
    #expect(
      (0..<9).map { _ in generator.normal(mean: 43_200, deviation: 20_000) } == GoldenRandom.normals
    )
    let counts = [0, 0.1, 1, 2.5, 4, 9.75].flatMap { rate in
      (0..<4).map { _ in generator.poisson(rate: rate) }
    }
    #expect(counts == GoldenRandom.poissons)
    #expect(
      (0..<3).map { _ in generator.normal(mean: 0, deviation: 1) }
        == GoldenRandom.normalsAfterPoissons)
  }

  @Test("permutations, from a word and from a key")
  func permutations() {
    var one = NumPyLegacyRandom(seed: 3)
    #expect(one.permutation(1) == GoldenRandom.permutation1)
    var forty = NumPyLegacyRandom(seed: 3)
    #expect(forty.permutation(40) == GoldenRandom.permutation40)
    var keyed = NumPyLegacyRandom(key: [3, 1, 4])
    #expect(keyed.permutation(40) == GoldenRandom.permutation40Key)
    #expect(keyed.permutation(0) == [])
  }

  @Test("samples are those of pandas")
  func samples() {
    let drawn = (0..<6).flatMap { day in
      var generator = NumPyLegacyRandom(seed: UInt32(day))
      return generator.sample(3, from: 10_000)
    }
    #expect(drawn == GoldenRandom.pandasSamples)
  }

  @Test("bounded integers reach both ends and nothing beyond")
  func boundedIntegers() {
    var generator = NumPyLegacyRandom(seed: 11)
    let drawn = Set((0..<1_000).map { _ in generator.integer(through: 4) })
    #expect(drawn == [0, 1, 2, 3, 4])
    #expect(generator.integer(through: 0) == 0)
  }
}

@Suite("CPython's random")
struct CPythonRandomTests {
  @Test("uniforms, bits, choices and samples are those of CPython, in one stream")
  func draws() {
    var generator = CPythonRandom(seed: 2018)
    #expect((0..<6).map { _ in generator.uniform() } == GoldenRandom.pythonUniforms)
    #expect([1, 5, 17, 31, 32].map { generator.bits($0) } == GoldenRandom.pythonBits)
    let bounds = [1, 2, 3, 7, 8, 9, 1000, 4096, 1 << 31, (1 << 32) - 1]
    #expect(bounds.map { generator.integer(below: $0) } == GoldenRandom.pythonChoices)
    let shapes = [
      (0, 0), (0, 5), (1, 1), (3, 3), (5, 21), (5, 22), (6, 85), (6, 86), (30, 91), (20, 300),
      (21, 277), (22, 278),
    ]
    #expect(
      shapes.flatMap { generator.sample($0.0, from: $0.1) } == GoldenRandom.pythonSamples)
  }

  @Test("seeds beyond 32 bits")
  func largeSeeds() {
    var large = CPythonRandom(seed: (1 << 40) + 3)
    #expect((0..<3).map { _ in large.uniform() } == GoldenRandom.pythonUniformsOfLargeSeed)
    var keyed = CPythonRandom(key: [9, 8, 0, 7])
    #expect((0..<3).map { _ in keyed.uniform() } == GoldenRandom.pythonUniformsOfKey)
  }
}
