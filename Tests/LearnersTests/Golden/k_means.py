"""Writes GoldenClusters.swift: a generated mixture and scikit-learn's k-means on it.

Run in Tests/LearnersTests: python3 Golden/k_means.py
"""

import numpy as np
from sklearn.cluster import KMeans

from stream import normal, stream

def mixture(count, centres, spreads, seed):
    u = stream(seed)
    rows = []
    for _ in range(count):
        c = int(next(u) * len(centres))
        rows.append(
            [m + spreads[c] * normal(u) for m in centres[c]]
        )
    return np.array(rows)


centres = [[0, 0, 0], [6, 0, 0], [0, 6, 0], [0, 0, 6], [6, 6, 6], [-6, 3, 3]]
spreads = [1.0, 0.7, 1.3, 0.5, 1.0, 0.9]
x = mixture(12000, centres, spreads, 11)
z = (x - x.mean(axis=0)) / x.std(axis=0)
with open("GoldenClusters.swift", "w") as out:
    out.write("/// Written by Golden/k_means.py: scikit-learn's k-means on the mixture of the test.\n")
    out.write("enum GoldenClusters {\n")
    out.write("  /// Sum of all values, to check that the mixture is the same.\n")
    out.write(f"  static let sum = {x.sum():.6f}\n")
    out.write("  /// Mean squared standardised distance to the nearest centre, best of 20 starts.\n")
    out.write("  static let inertia: [Int: Double] = [\n")
    for k in (4, 6, 9):
        best = KMeans(k, n_init=20, random_state=1, max_iter=500).fit(z).inertia_ / len(z)
        out.write(f"    {k}: {best:.8f},\n")
    out.write("  ]\n}\n")
