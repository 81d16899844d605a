/// Where each generator of the simulation starts.
///
/// Seed 0 is the published stream: NumPy seeded by 0 for the customers, by 1 for the terminals, by
/// the customer's number or the day's number elsewhere, and Python's `random` by the same numbers.
///
/// Any other seed s uses key seeding with the four words (number, low half of s, high half of s,
/// role), where the role tells the uses apart. No two streams of any two seeds share a key. The
/// same streams are had in Python by `numpy.random.seed([number, low, high, role])` and
/// `random.seed(number | s << 32 | role << 96)`. What the book has not is seeded that way with seed 0
/// as well.
struct HandbookSeeds {
  private enum Role: UInt32 {
    case customers = 1
    case terminals
    case customerDraws
    case terminalChoices
    case compromisedTerminals
    case compromisedCustomers
    case compromisedTransactions
    case cardTesting
  }

  let seed: UInt64

  var customers: NumPyLegacyRandom { numPy(0, .customers) }
  var terminals: NumPyLegacyRandom { numPy(1, .terminals) }

  func draws(ofCustomer customer: Int) -> NumPyLegacyRandom { numPy(customer, .customerDraws) }
  func choices(ofCustomer customer: Int) -> CPythonRandom { python(customer, .terminalChoices) }
  func compromisedTerminals(onDay day: Int) -> NumPyLegacyRandom {
    numPy(day, .compromisedTerminals)
  }
  func compromisedCustomers(onDay day: Int) -> NumPyLegacyRandom {
    numPy(day, .compromisedCustomers)
  }
  func compromisedTransactions(onDay day: Int) -> CPythonRandom {
    python(day, .compromisedTransactions)
  }
  func cardTesting(onDay day: Int) -> CPythonRandom { CPythonRandom(key: key(day, .cardTesting)) }

  private func numPy(_ number: Int, _ role: Role) -> NumPyLegacyRandom {
    seed == 0
      ? NumPyLegacyRandom(seed: UInt32(number)) : NumPyLegacyRandom(key: key(number, role))
  }

  private func python(_ number: Int, _ role: Role) -> CPythonRandom {
    seed == 0 ? CPythonRandom(seed: UInt64(number)) : CPythonRandom(key: key(number, role))
  }

  private func key(_ number: Int, _ role: Role) -> [UInt32] {
    [
      UInt32(number), UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32),
      role.rawValue,
    ]
  }
}
