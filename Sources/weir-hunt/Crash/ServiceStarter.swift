import Processes

/// How producer, scorer and trainer are started on one folder.
struct ServiceStarter {
  /// Where the pipeline file and the logs lie.
  let folder: String
  let topics: String
  let stream: PaymentStream
  /// Transactions a second.
  let rate: Int

  /// Starts a service that logs warnings and errors only.
  func start(_ service: Service) throws -> ChildProcess {
    let pipeline = ["--pipeline", folder + "/hunt.yaml", "--topics", topics]
    let arguments =
      switch service {
      case .producer: ["produce", stream.path, "--rate", "\(rate)"]
      case .scorer: ["score"]
      case .trainer: ["train"]
      }
    return try weir(service.rawValue, arguments + pipeline + ["--log-level", "warning"])
  }

  /// Starts `weir`.
  func weir(_ name: String, _ arguments: [String]) throws -> ChildProcess {
    try ChildProcess(
      name, program: ChildProcess.beside("weir"), arguments, logFile: "\(folder)/\(name).log")
  }
}
