import CLMDB

/// How an environment is opened. If the process has it open already, only the durability counts.
struct LMDBSettings {
  /// Bytes of address space to begin with; more if the file needs more.
  var initialSize: Int
  /// The most bytes that the map, and so the data file, may come to.
  var maximumSize: Int
  /// Nil from those who only read, and have no say in it.
  var durability: Durability?
  /// Otherwise no page is looked at but the meta pages, for LMDB may crash on damaged ones.
  var opensDatabases = true

  /// To look after an environment.
  static func maintenance(initialSize: Int = 1 << 30, opensDatabases: Bool = true) -> Self {
    LMDBSettings(
      initialSize: initialSize, maximumSize: 16 << 40, durability: nil,
      opensDatabases: opensDatabases)
  }
}

extension Durability {
  /// MDB_NOSYNC: a commit waits for nothing. MDB_NOMETASYNC: it waits for its data pages, which
  /// takes the meta page of the commit before along.
  var flags: UInt32 {
    switch self {
    case .none: UInt32(MDB_NOSYNC)
    case .batch: UInt32(MDB_NOMETASYNC)
    case .always: 0
    }
  }

  static let allFlags = UInt32(MDB_NOSYNC) | UInt32(MDB_NOMETASYNC)

  /// Higher is stricter.
  var rank: Int { Self.allCases.firstIndex(of: self)! }
}
