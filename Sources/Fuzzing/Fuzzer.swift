/// Gives a target one input after the other and keeps those of which something new comes.
public struct Fuzzer<Target: FuzzTarget> {
  /// What reads the inputs.
  public private(set) var target: Target
  /// Inputs read so far.
  public private(set) var count = 0
  /// Outcomes met so far.
  public var outcomes: Int { seen.count }

  private var mutator: Mutator
  private var corpus: [[UInt8]]
  private var corpusBytes: Int
  private var seen: Set<String> = []
  private var seedsLeft: Int

  private static var largestCorpus: Int { 2_000 }
  /// Some inputs are whole data files: what is kept of them must not look like a target's growth.
  private static var largestCorpusBytes: Int { 16 << 20 }

  /// A fuzzer whose inputs follow from the seed.
  public init(_ target: Target, seed: UInt64) {
    self.target = target
    corpus = target.seeds
    corpusBytes = corpus.reduce(0) { $0 + $1.count }
    seedsLeft = corpus.count
    mutator = Mutator(seed: seed, tokens: target.tokens, longest: target.longest)
  }

  /// The input to be read next: the sound ones first, then mutants.
  public mutating func next() -> [UInt8] {
    if seedsLeft > 0 {
      seedsLeft -= 1
      return corpus[seedsLeft]
    }
    let corpus = corpus
    let input = mutator.mutate(corpus[mutator.random.below(corpus.count)]) {
      corpus[$0.below(corpus.count)]
    }
    return target.mend(input, random: &mutator)
  }

  /// Has an input read.
  /// - Throws: `Finding`.
  public mutating func read(_ input: [UInt8]) throws {
    count += 1
    let outcome = try target.read(input)
    guard seen.insert(outcome).inserted, corpus.count < Self.largestCorpus,
      corpusBytes + input.count <= Self.largestCorpusBytes
    else { return }
    corpus.append(input)
    corpusBytes += input.count
  }
}
