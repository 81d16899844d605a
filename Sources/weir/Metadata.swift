import Features
import Logging
import ModelLog
import Pipeline

extension Logger.Metadata {
  init(_ header: ParameterUpdate.Header) {
    self = [
      "version": "\(header.name)", "examples": "\(header.examples)",
      "type": "\(header.isSnapshot ? "snapshot" : "delta")",
    ]
  }

  init(_ counters: ScorerService.Counters, _ service: ScorerService) {
    self = [
      "events": "\(counters.events)", "alerts": "\(counters.alerts)",
      "late": "\(counters.late)", "refused": "\(counters.refused)",
      "updates": "\(counters.updates.applied)", "updates_refused": "\(counters.updates.refused)",
      "position": "\(service.position)",
      "models": "\(service.servedNames.joined(separator: " "))",
    ]
  }
}

extension Logger.Metadata {
  /// What windows hold, and what did not enter them or left before its time.
  init(_ windows: WindowMemory) {
    self = [:]
    for (name, count) in windows.tallies { self["windows_\(name)"] = "\(count)" }
  }
}

/// Says how many rows of a history were refused, and why the first ones were.
func report(refusals history: HistoryReader, _ logger: Logger) {
  guard history.refused > 0 else { return }
  logger.warning(
    "rows refused", metadata: ["file": "\(history.path)", "rows": "\(history.refused)"])
  for (row, reason) in history.firstRefusals {
    logger.warning("row refused", metadata: ["row": "\(row)", "reason": "\(reason)"])
  }
}
