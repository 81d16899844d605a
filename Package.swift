// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "weir",
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.28.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
  ],
  targets: [
    // C libraries: thin shims, nothing else imports them than the target named behind each.
    .systemLibrary(name: "CZlib"),  // Files, Topics
    .target(  // Features
      name: "CSimdJSON",
      linkerSettings: [.linkedLibrary("simdjson")]),

    // Lower layers: they never name a target above them.
    .target(name: "Files", dependencies: ["CZlib"]),
    .target(name: "LinearAlgebra", dependencies: []),
    .target(name: "Features", dependencies: ["CSimdJSON", "Files", "LinearAlgebra"]),

    .testTarget(name: "FilesTests", dependencies: ["Files"]),
    .testTarget(name: "FeaturesTests", dependencies: ["Features"]),
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
