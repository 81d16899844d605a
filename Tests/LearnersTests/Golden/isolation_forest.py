"""Writes GoldenForest.swift: generated events and scikit-learn's isolation forest on them.

Run in Tests/LearnersTests: python3 Golden/isolation_forest.py
"""

import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score

random = np.random.default_rng(7)
a = random.normal(size=(280, 3)) * [1.0, 0.5, 2.0]
b = random.normal(size=(200, 3)) * [0.4, 1.5, 0.7] + [5.0, 2.0, -3.0]
outliers = random.uniform(-9.0, 9.0, size=(32, 3))
x = np.round(np.vstack([a, b, outliers]), 3)
y = np.r_[np.zeros(480), np.ones(32)]
order = random.permutation(len(x))
x, y = x[order], y[order]

scores = np.mean(
    [
        -IsolationForest(n_estimators=500, max_samples=256, random_state=seed).fit(x).score_samples(x)
        for seed in range(8)
    ],
    axis=0,
)
single = [
    roc_auc_score(
        y,
        -IsolationForest(n_estimators=100, max_samples=256, random_state=seed).fit(x).score_samples(x),
    )
    for seed in range(30)
]


def numbers(values):
    lines, line = [], "   "
    for value in values:
        text = f" {value:g},"
        if len(line) + len(text) > 96:
            lines.append(line)
            line = "   "
        line += text
    lines.append(line)
    return "\n".join(lines)


with open("GoldenForest.swift", "w") as out:
    out.write("/// Written by Golden/isolation_forest.py: generated events and scikit-learn's scores.\n")
    out.write("enum GoldenForest {\n")
    out.write("  /// Three features an event, row-major.\n  static let values: [Double] = [\n")
    out.write(numbers(x.ravel()) + "\n  ]\n\n")
    out.write("  /// 1 for the events that were drawn as outliers.\n  static let labels: [Double] = [\n")
    out.write(numbers(y) + "\n  ]\n\n")
    out.write("  /// Mean score of eight forests of 500 trees.\n  static let scores: [Double] = [\n")
    out.write(numbers(np.round(scores, 5)) + "\n  ]\n\n")
    out.write("  /// Mean AUROC of thirty forests of 100 trees, and their standard deviation.\n")
    out.write(f"  static let meanAUROC = {np.mean(single):.5f}\n")
    out.write(f"  static let deviationOfAUROC = {np.std(single):.5f}\n}}\n")
