// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "weir-benchmarks",
  dependencies: [
    // The name, because without it the package would be called as the folder it was cloned into.
    .package(name: "weir", path: "..")
  ],
  targets: [
    .executableTarget(
      name: "weir-benchmarks",
      dependencies: [
        .product(name: "WeirModules", package: "weir"),
        // Built beside the benchmarks, which start it.
        .product(name: "weir", package: "weir"),
      ],
      path: "Sources/WeirBenchmarks",
      swiftSettings: [.enableUpcomingFeature("ExistentialAny")]),
    // What quality/forest scores with.
    .executableTarget(
      name: "forest-scores",
      dependencies: [.product(name: "WeirModules", package: "weir"), "Tables"],
      path: "Sources/ForestScores",
      swiftSettings: [.enableUpcomingFeature("ExistentialAny")]),
    // What k-means learns with.
    .executableTarget(
      name: "k-means-centres",
      dependencies: [.product(name: "WeirModules", package: "weir"), "Tables"],
      path: "Sources/KMeansCentres",
      swiftSettings: [.enableUpcomingFeature("ExistentialAny")]),
    // What test-then-train and recovery score with.
    .executableTarget(
      name: "stream-scores",
      dependencies: [.product(name: "WeirModules", package: "weir"), "Tables"],
      path: "Sources/StreamScores",
      swiftSettings: [.enableUpcomingFeature("ExistentialAny")]),
    .target(
      name: "Tables",
      dependencies: [.product(name: "WeirModules", package: "weir")],
      path: "Sources/Tables",
      swiftSettings: [.enableUpcomingFeature("ExistentialAny")]),
  ],
  swiftLanguageModes: [.v6]
)
