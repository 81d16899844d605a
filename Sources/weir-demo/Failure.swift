/// Something the demo promised and that did not hold.
struct Failure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// Somebody pressed Ctrl-C, or nobody reads the output any more.
struct Interrupted: Error {}
