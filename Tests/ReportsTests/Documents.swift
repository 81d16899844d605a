import Files

/// Documents like those of `weir replay --json` and `weir compare --json`, small.
enum Documents {
  /// A replay with everything in it.
  /// - Parameter name: goes into every place where a document has a name of the user's.
  static func full(name: String = "fraud") throws -> JSONValue {
    let days = (1...28).map { $0 < 10 ? "2018-04-0\($0)" : "2018-04-\($0)" }
    let byDay = days.enumerated().map { index, day in
      "{\"day\":\"\(day)\",\"figures\":\(figures(0.8 + 0.002 * Double(index)))}"
    }
    let byWeek = (0..<4).map { index in
      """
      {"week":"2018-W\(14 + index)","from":"\(days[7 * index])",
       "to":"\(index == 3 ? "2018-04-29" : days[7 * index + 7])",
       "figures":\(figures(0.81 + 0.02 * Double(index)))}
      """
    }
    let overTime = """
      "overall":\(figures(0.8671234, intervals)),
      "by_day":[\(byDay.joined(separator: ","))],"by_week":[\(byWeek.joined(separator: ","))]
      """
    let decided = days.map { "{\"day\":\"\($0)\",\"figures\":\(detection)}" }
    let text = #"""
      {"weir":"9.8.7","command":["weir","replay","NAME"],"input":"NAME.csv","pipeline":"NAME",
       "fingerprint":"f1f2f3f4","seed":17,"label_delay_ms":604800000,"events":1754155,
       "labelled":1754000,"learnt":1700000,"refused":3,"late":0,"seconds":11.4,
       "first_time":"2018-04-01T00:00:31Z","last_time":"2018-04-28T23:59:59Z",
       "events_per_second":153604.6,"peak_memory_bytes":402653184,"notes":["note about NAME"],
       "models":{"NAME":{OVERTIME,MODEL},"other":{OVERTIME,MODEL}},
       "baselines":{"rule NAME":{OVERTIME}},
       "policies":{"online":POLICY,"frozen":POLICY},
       "tests":[{"from":"2018-04-15","to":"2018-04-22","left_out_known":2345,
         "models":{"NAME":FIGURES}},
        {"from":"2018-04-22","to":"2018-04-24T12:00:00.000Z","left_out_known":0,
         "models":{"NAME":FIGURES}}],
       "tests_summary":{"NAME":SUMMARY,"policies":{"online":{"NAME":SUMMARY},
         "frozen":{"NAME":SUMMARY}}},
       "decision":{"by":["NAME"],"budget":"100 a day","alerts":2800,"alerts_per_day":100,
         "overall":DETECTION,"by_day":[DECIDED],"cost":{"total":712345.25,"per_event":0.406}},
       "withheld":[{"model":"NAME","version":7,"reason":"NAME"}],
       "features":[{"name":"NAME","mean":47.25,"deviation":0.0123,"drift":[
         {"week":"2018-W14","index":null},{"week":"2018-W15","index":0.01},
         {"week":"2018-W16","index":0.2},{"week":"2018-W17","index":0.34}]}],
       "reasons":[{"model":"NAME","feature":"NAME","alerts":7382,"share":0.412}]}
      """#
    let model = #"""
      "kind":"NAME","versions":4392,"final":{"epoch":1,"version":4392,"digest":"d1d2d3d4"},
      "score_scale":"probability","versions_left_out":4390,"by_version":[
        {"epoch":1,"version":2,"time":"2018-04-02T12:30:00Z","figures":FIGURES},
        {"epoch":1,"version":5,"time":"2018-04-05T12:30:00Z","figures":FIGURES}],
      "curves":{"roc":[[0,0],[0.1,0.6],[0.3,0.9],[1,1]],
        "precision_recall":[[0,1],[0.4,0.8],[1,0.01]]},
      "calibration":[{"mean_score":0.0001,"positive_share":0,"events":100},
        {"mean_score":0.01,"positive_share":0.012,"events":100},
        {"mean_score":0.5,"positive_share":0.4,"events":100}],
      "histogram":{"edges":[0,0.25,0.5,1],"negatives":[900,50,42],"positives":[0,3,5]},
      "published":[{"version":2,"time":"2018-04-02T12:30:00Z"},
        {"version":5,"time":"2018-04-05T00:00:00Z"}]
      """#
    let policy = #"""
      {"description":"about NAME","models":{"NAME":{OVERTIME}},"decision":{"overall":DETECTION}}
      """#
    let summary = #"{"auroc":{"mean":0.8831,"spread":0.0149,"values":[0.87,0.8962]}}"#
    return try document(
      text, name: name,
      [
        ("MODEL", model), ("POLICY", policy), ("SUMMARY", summary), ("OVERTIME", overTime),
        ("FIGURES", figures(0.8655)), ("DETECTION", detection),
        ("DECIDED", decided.joined(separator: ",")),
      ])
  }

  private static let detection = """
    {"events":1000,"positives":80,"alerts":100,"true_positives":48,"alerts_per_day":100,
     "precision":0.4763,"recall":0.5812,"f1":0.5235}
    """

  private static let intervals = #","intervals":{"auroc":[0.8520,0.8813]}"#

  private static func figures(_ auroc: Double, _ more: String = "") -> String {
    """
    {"events":1000,"positives":8,"unscored":86143,"auroc":\(auroc),
     "average_precision":\(auroc - 0.2),
     "log_loss":0.0234,"brier":0.00512,"accuracy":0.994,"calibration_error":0.0000021,
     "at_threshold":\(detection),"at_budget":\(detection),"recall_at_fpr":{"0.001":0.3,"0.01":0.5},
     "card_precision":{"entity":"card","k":100,"mean":0.3046},"cost":3357226.5\(more)}
    """
  }

  /// A comparison of two replays.
  static func comparison(name: String = "fraud") throws -> JSONValue {
    let lines = [
      ("auroc", 0.0213, 0.0101, 0.0325), ("log_loss", 0.0042, 0.0011, 0.0073),
      ("brier", -0.0000013, -0.0004, 0.0002), ("new NAME", 0.01, -0.01, 0.03),
      ("alerts_per_day", 12, 10, 14),
    ].map { figure, difference, low, high in
      """
      {"of":"NAME","figure":"\(figure)","a":0.5,"b":\(0.5 + difference),"difference":\(difference),
       "a_interval":[0.4321,0.5678],"b_interval":null,
       "by_day":{"days":28,"difference":\(difference),"interval":[\(low),\(high)]}}
      """
    }
    return try document(
      """
      {"a":"NAME-a.json","b":"NAME-b.json","same_events":true,
       "figures":[\(lines.joined(separator: ","))],"left_out":[
        {"of":"NAME","figure":"at_budget_f1","why":"the budgets differ"},
        {"of":"NAME","figure":"recall_at_fpr_0.01","why":"the budgets differ"}],
       "only_a":["NAME alone"],"only_b":[]}
      """, name: name, [])
  }

  private static func document(
    _ text: String, name: String, _ parts: [(name: String, text: String)]
  ) throws -> JSONValue {
    var escaped: [UInt8] = []
    escaped.append(jsonString: name)
    let whole = parts.reduce(text) { $0.replacing($1.name, with: $1.text) }
      .replacing("NAME", with: String(decoding: escaped.dropFirst().dropLast(), as: UTF8.self))
    return try JSONValue(parsing: Array(whole.utf8))
  }
}

extension JSONValue {
  /// The document with a member left out, or with another value.
  func replacing(_ path: [String], with value: JSONValue?) -> JSONValue {
    guard let name = path.first else { return value ?? .null }
    return .object(
      members.compactMap { member in
        guard member.name == name else { return (member.name, member.value) }
        if path.count == 1 { return value.map { (name, $0) } }
        return (name, member.value.replacing(Array(path.dropFirst()), with: value))
      })
  }

  /// The ways to all members of objects within objects, to the given depth.
  func paths(depth: Int) -> [[String]] {
    guard depth > 0 else { return [] }
    return members.flatMap { member in
      [[member.name]] + member.value.paths(depth: depth - 1).map { [member.name] + $0 }
    }
  }
}
