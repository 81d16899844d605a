/// Binds feature definitions one after the other, noting every problem on the way.
struct FeaturePlanBuilder {
  private let schema: EventSchema
  private let numbers: [String]
  private let categories: [String]
  /// The entities come behind the categories in a block.
  private let categoriesAndEntities: [String]

  private(set) var problems: [FeatureError.Problem] = []
  private(set) var steps: [FeaturePlan.Step] = []
  private(set) var sketches: [Int] = []
  private(set) var places: [FeaturePlan.Place] = []
  private(set) var windowColumns: [Int] = []
  private(set) var inputNames: [String] = []
  private(set) var sparseFields: [[Int]] = []
  /// Columns of hashes: all, and those that are inputs.
  private var sparseColumns: Set<Int> = []
  private var sparseInputs: [Int] = []
  private var names: [String] = []
  private var windows: [(position: Int, feature: WindowFeature)] = []
  /// Features by name, each with its columns.
  private var features: [(name: String, columns: Range<Int>)] = []
  private var hidden = 0
  private var position = 0

  init(schema: EventSchema) {
    self.schema = schema
    numbers = schema.values.filter { $0.type == .number }.map(\.name)
    categories = schema.values.filter { $0.type == .category }.map(\.name)
    categoriesAndEntities = categories + schema.entities.map(\.name)
  }

  mutating func add(_ definition: FeatureDefinition, _ position: Int) {
    self.position = position
    let start = names.count
    switch definition.operation {
    case .number(let a): addEach(definition, a) { .number($0, into: $1) }
    case .log(let a): addEach(definition, a) { .log($0, into: $1) }
    case .squareRoot(let a): addEach(definition, a) { .squareRoot($0, into: $1) }
    case .difference(let a, let b):
      addEach(definition, a, b) { .difference($0, $1, into: $2) }
    case .ratio(let a, let b): addEach(definition, a, b) { .ratio($0, $1, into: $2) }
    case .bins(let a, let count): addBins(definition, a, count)
    case .window(let window): addWindows(definition, window)
    case .hour: steps.append(.hour(into: makeColumn(definition, definition.name)))
    case .weekday: steps.append(.weekday(into: makeColumn(definition, definition.name)))
    case .night(let hour): steps.append(.night(hour, into: makeColumn(definition, definition.name)))
    case .weekend: steps.append(.weekend(into: makeColumn(definition, definition.name)))
    case .oneHot(let a, let list):
      let columns = makeColumns(definition, list.map { "\(definition.name)=\($0)" })
      guard let field = find(a, in: categories, "category") else { break }
      steps.append(.oneHot(field, list.map { Array($0.utf8) }, into: columns))
    case .hashed(let a, let buckets):
      let columns = makeColumns(definition, (0..<buckets).map { "\(definition.name)#\($0)" })
      guard let field = find(a, in: categories, "category") else { break }
      steps.append(.hashed(field, into: columns))
    case .sparse(let list): addSparse(definition, list)
    case .isMissing(let a):
      let column = makeColumn(definition, definition.name)
      guard let field = find(a, in: schema.values.map(\.name), "field") else { break }
      steps.append(.isMissing(field, into: column))
    }
    features.append((definition.name, start..<names.count))
  }

  /// Binds the windows of all features added.
  mutating func bindWindows(_ settings: WindowSettings) -> WindowPlan {
    do throws(FeatureError) {
      return try WindowPlan(windows, schema: schema, settings: settings)
    } catch {
      problems += error.problems
      return WindowPlan.none
    }
  }

  /// Gives the columns of hashes their places, behind all others.
  mutating func placeSparse() {
    for column in sparseInputs {
      places[column] = .input(inputNames.count)
      inputNames.append(names[column])
    }
  }

  // MARK: Columns

  private mutating func makeColumns(
    _ definition: FeatureDefinition, _ names: [String]
  ) -> Range<Int> {
    let start = self.names.count
    for name in names { _ = makeColumn(definition, name) }
    return start..<self.names.count
  }

  private mutating func makeColumn(_ definition: FeatureDefinition, _ name: String) -> Int {
    if names.contains(name) {
      note("two features have the name '\(name)'; give one a 'name'")
    } else if numbers.contains(name), definition.operation != .number(name) {
      note("a feature has the name of the field '\(name)'; give it another 'name'")
    }
    names.append(name)
    if case .sparse = definition.operation { sparseColumns.insert(names.count - 1) }
    if definition.isInput, sparseColumns.contains(names.count - 1) {
      // Not known before the others are.
      places.append(.input(0))
      sparseInputs.append(names.count - 1)
    } else if definition.isInput {
      places.append(.input(inputNames.count))
      inputNames.append(name)
    } else {
      places.append(.hidden(hidden))
      hidden += 1
    }
    return names.count - 1
  }

  private mutating func note(_ description: String) {
    problems.append(.init(feature: position, description: description))
  }

  // MARK: Sources

  private mutating func find(_ name: String, in list: [String], _ what: String) -> Int? {
    if let found = list.firstIndex(of: name) { return found }
    let other = schema.values.contains { $0.name == name }
    note(
      other
        ? "'\(name)' is not a \(what)"
        : "there is no field '\(name)'" + nearestName(to: name, in: list))
    return nil
  }

  /// What a name stands for: a feature before this one, a column of one, or a number of the event.
  private mutating func sources(
    _ name: String
  ) -> (sources: [FeaturePlan.Source], suffixes: [String])? {
    if let column = names.firstIndex(of: name), sparseColumns.contains(column) {
      note("'\(name)' is a hash of categories, not a number")
      return nil
    }
    if let feature = features.first(where: { $0.name == name }) {
      // Why it has none has been noted.
      guard !feature.columns.isEmpty else { return nil }
      return (
        feature.columns.map { .column($0) },
        feature.columns.map {
          names[$0].hasPrefix(name) ? String(names[$0].dropFirst(name.count)) : ""
        }
      )
    }
    if let column = names.firstIndex(of: name) { return ([.column(column)], [""]) }
    if let field = numbers.firstIndex(of: name) { return ([.field(field)], [""]) }
    let isOther = schema.values.contains { $0.name == name }
    note(
      isOther
        ? "'\(name)' is not a number"
        : "there is no field or earlier feature '\(name)'"
          + nearestName(to: name, in: numbers + features.map(\.name) + names))
    return nil
  }

  private mutating func addEach(
    _ definition: FeatureDefinition, _ name: String,
    _ step: (FeaturePlan.Source, Int) -> FeaturePlan.Step
  ) {
    guard let (sources, suffixes) = sources(name) else { return }
    for (source, suffix) in zip(sources, suffixes) {
      steps.append(step(source, makeColumn(definition, definition.name + suffix)))
    }
  }

  private mutating func addEach(
    _ definition: FeatureDefinition, _ a: String, _ b: String,
    _ step: (FeaturePlan.Source, FeaturePlan.Source, Int) -> FeaturePlan.Step
  ) {
    guard let left = sources(a), let right = sources(b) else { return }
    let (m, n) = (left.sources.count, right.sources.count)
    guard m == n || m == 1 || n == 1 else {
      return note("'\(a)' has \(m) columns and '\(b)' has \(n)")
    }
    for index in 0..<max(m, n) {
      let suffix = n > 1 ? right.suffixes[index] : left.suffixes[index]
      steps.append(
        step(
          left.sources[m == 1 ? 0 : index], right.sources[n == 1 ? 0 : index],
          makeColumn(definition, definition.name + suffix)))
    }
  }

  private mutating func addSparse(_ definition: FeatureDefinition, _ list: [String]) {
    let column = makeColumn(definition, definition.name)
    let fields = list.compactMap { find($0, in: categoriesAndEntities, "category or an entity") }
    // Counted in any case, so that a wrong field is not taken for a missing feature as well.
    if definition.isInput { sparseFields.append(fields) }
    guard !fields.isEmpty, fields.count == list.count else {
      if list.isEmpty { note("'sparse' names no field") }
      return
    }
    if let twice = list.indices.first(where: { list[..<$0].contains(list[$0]) }) {
      note("'sparse' names '\(list[twice])' twice")
    }
    steps.append(.sparse(fields, CategoryHash(feature: definition.name), into: column))
  }

  private mutating func addBins(_ definition: FeatureDefinition, _ name: String, _ count: Int) {
    guard let (sources, suffixes) = sources(name) else { return }
    for (source, suffix) in zip(sources, suffixes) {
      let columns = makeColumns(
        definition, (1..<count).map { "\(definition.name)\(suffix)#\($0)" })
      steps.append(.bins(source, sketches.count, into: columns))
      sketches.append(count)
    }
  }

  private mutating func addWindows(_ definition: FeatureDefinition, _ window: WindowFeature) {
    windows.append((position, window))
    windowColumns += makeColumns(
      definition,
      window.spans.map { "\(definition.name)_\(WindowFeature.spanText($0))" })
  }
}
