// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "weir",
  products: [
    .executable(name: "weir", targets: ["weir"]),
    // For Benchmarks, a package of its own; the modules are no public interface.
    .library(
      name: "WeirModules",
      targets: [
        "Features", "Files", "Learners", "LinearAlgebra", "ModelLog", "Pipeline", "StateCoding",
        "Topics",
      ]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.1.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.28.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
  ],
  targets: [
    // C libraries: thin shims. Behind each, the only targets that import it.
    .systemLibrary(name: "CLMDB"),  // Topics
    .systemLibrary(name: "CSodium"),  // Features, ModelLog
    .systemLibrary(name: "CZlib"),  // Files, Topics
    .target(name: "CLinux"),  // Topics
    .target(  // LinearAlgebra
      name: "COpenBLAS", linkerSettings: [.linkedLibrary("openblas"), .linkedLibrary("lapacke")]),
    .target(name: "CSimdJSON", linkerSettings: [.linkedLibrary("simdjson")]),  // Features

    // Layers: a target names only targets above it in this list.
    .target(name: "Files", dependencies: ["CZlib"]),
    .target(name: "StateCoding"),
    .target(name: "LinearAlgebra", dependencies: ["COpenBLAS"]),
    .target(name: "Topics", dependencies: ["CLMDB", "CLinux", "CZlib"]),
    .target(
      name: "Learners",
      dependencies: [
        "LinearAlgebra", "StateCoding", .product(name: "HeapModule", package: "swift-collections"),
      ]),
    .target(
      name: "Features",
      dependencies: ["CSimdJSON", "CSodium", "Files", "LinearAlgebra", "StateCoding"]),
    .target(name: "Reports", dependencies: ["Files"]),
    .target(name: "Evaluation"),
    .target(name: "Datasets"),
    .target(name: "Processes"),
    .target(
      name: "ModelLog",
      dependencies: [
        "CSodium", "Learners", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      exclude: ["parameter_update.proto"]),
    .target(
      name: "Pipeline",
      dependencies: [
        "Evaluation", "Features", "Files", "Learners", "LinearAlgebra", "ModelLog", "StateCoding",
        "Topics", "Yams", .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "HeapModule", package: "swift-collections"),
        .product(name: "Logging", package: "swift-log"),
      ]),
    .target(
      name: "Detection", dependencies: ["Features", "Files", "Learners", "LinearAlgebra"]),
    .executableTarget(
      name: "weir",
      dependencies: [
        "Datasets", "Detection", "Evaluation", "Features", "Files", "Learners", "ModelLog",
        "Pipeline",
        "Reports", "Topics", .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ]),
    // What scripts/demo runs: it starts `weir` as processes of their own.
    .executableTarget(
      name: "weir-demo",
      dependencies: [
        "Datasets", "Evaluation", "Features", "Files", "ModelLog", "Pipeline", "Processes",
        "Topics",
      ]),
    .target(
      name: "Fuzzing",
      dependencies: [
        "Detection", "Features", "Files", "Learners", "LinearAlgebra", "ModelLog", "Pipeline",
        "Processes",
        "Topics",
      ]),
    // What scripts/crash-test, latency, soak and fuzz run.
    .executableTarget(
      name: "weir-hunt",
      dependencies: [
        "Features", "Files", "Fuzzing", "Learners", "LinearAlgebra", "ModelLog", "Pipeline",
        "Processes", "Topics",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ]),
    // What scripts/handbook runs.
    .executableTarget(
      name: "weir-handbook",
      dependencies: [
        "Datasets", "Evaluation", "Features", "Files", "Pipeline", "Processes",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    .testTarget(
      name: "DatasetsTests", dependencies: ["Datasets"], exclude: ["Golden/make_golden.py"]),
    .testTarget(
      name: "EvaluationTests", dependencies: ["Evaluation"], exclude: ["Golden/make_golden.py"]),
    .testTarget(name: "LinearAlgebraTests", dependencies: ["LinearAlgebra"]),
    .testTarget(
      name: "LearnersTests", dependencies: ["Learners", "LinearAlgebra", "StateCoding"],
      exclude: ["Golden"]),
    .executableTarget(name: "TopicPeer", dependencies: ["Topics"], path: "Tests/TopicPeer"),
    // Fails LMDB's system calls on request.
    .target(name: "CFaults", path: "Tests/CFaults"),
    .testTarget(
      name: "TopicsTests", dependencies: ["Topics", "TopicPeer", "CFaults", "CLMDB", "CZlib"]),
    .testTarget(name: "FilesTests", dependencies: ["Files"]),
    .testTarget(name: "ReportsTests", dependencies: ["Files", "Reports"]),
    .testTarget(name: "FeaturesTests", dependencies: ["Features", "LinearAlgebra", "StateCoding"]),
    .testTarget(name: "ModelLogTests", dependencies: ["ModelLog", "Learners", "LinearAlgebra"]),
    .target(
      name: "UpdateFaults",
      dependencies: ["CSodium", "Learners", "LinearAlgebra", "ModelLog", "Pipeline", "Topics"],
      path: "Tests/UpdateFaults"),
    .testTarget(
      name: "PipelineTests",
      dependencies: [
        "Pipeline", "UpdateFaults", "Evaluation", "Features", "Files", "Learners", "LinearAlgebra",
        "ModelLog",
        "Topics", .product(name: "Logging", package: "swift-log"),
      ]),
    .testTarget(
      name: "DetectionTests", dependencies: ["Detection", "Features", "Files", "LinearAlgebra"]),
    .testTarget(name: "FuzzingTests", dependencies: ["Fuzzing"]),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "weir", "weir-handbook", "Datasets", "Files", "ModelLog", "Pipeline", "Topics",
        "UpdateFaults",
      ],
      exclude: ["Help"]),
  ],
  swiftLanguageModes: [.v6],
  cxxLanguageStandard: .cxx17
)

// The same settings for every Swift target. A checker sets WEIR_WARNINGS_AS_ERRORS; a user's newer
// compiler with a new warning still builds.
for target in package.targets where [.regular, .executable, .test].contains(target.type) {
  guard !target.name.hasPrefix("C") else { continue }
  var settings: [SwiftSetting] = [.enableUpcomingFeature("ExistentialAny")]
  if Context.environment["WEIR_WARNINGS_AS_ERRORS"] != nil {
    settings.append(.unsafeFlags(["-warnings-as-errors"]))
  }
  target.swiftSettings = settings
}
