// Written by make_golden.py.

// swift-format-ignore
enum GoldenHandbook {
  static let runs: [Run] = [
    Run(customers: 5000, terminals: 10000, days: 183, radius: 5, seed: 0, count: 1754155, newFrauds: [978, 9099, 4604], scenarios: [973, 9077, 4631], csvBytes: 102913708, csvCRC32: 3355140182),
    Run(customers: 400, terminals: 300, days: 40, radius: 5, seed: 0, count: 26556, newFrauds: [16, 2972, 658], scenarios: [16, 2889, 741], csvBytes: 1418124, csvCRC32: 1505148426),
    Run(customers: 400, terminals: 300, days: 40, radius: 5, seed: 7, count: 27027, newFrauds: [11, 3091, 692], scenarios: [9, 2991, 794], csvBytes: 1442527, csvCRC32: 3786784895),
    Run(customers: 3, terminals: 2, days: 1, radius: 150, seed: 0, count: 6, newFrauds: [0, 0, 0], scenarios: [0, 0, 0], csvBytes: 379, csvCRC32: 4252705967),
    Run(customers: 300, terminals: 50, days: 400, radius: 40, seed: 16045690981097406465, count: 222758, newFrauds: [106, 149931, 3190], scenarios: [31, 143087, 10109], csvBytes: 12351579, csvCRC32: 3767871133),
  ]
}
