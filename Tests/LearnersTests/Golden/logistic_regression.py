"""Writes GoldenLogistic.swift: scikit-learn's logistic regression on the stream of the test.

Run in Tests/LearnersTests: python3 Golden/logistic_regression.py
"""

import numpy as np
from sklearn.linear_model import LogisticRegression

from stream import normal, stream

u = stream(5)
rows, labels = [], []
for _ in range(20000):
    row = [normal(u) for _ in range(4)]
    log_odds = -1.0 + 1.5 * row[0] - 0.8 * row[1] + 0.3 * row[2]
    rows.append([10 * row[0] + 3, row[1], 0.01 * row[2] - 5, row[3]])
    labels.append(1.0 if next(u) < 1 / (1 + np.exp(-log_odds)) else 0.0)
x, y = np.array(rows), np.array(labels)
z = (x - x.mean(axis=0)) / x.std(axis=0)
# C = 1: an L2 penalty of ½‖weights‖², the ridge of 1 that the learner has.
model = LogisticRegression(C=1.0, tol=1e-12, max_iter=10000).fit(z, y)
with open("GoldenLogistic.swift", "w") as out:
    out.write("/// Written by Golden/logistic_regression.py: scikit-learn's solution.\n")
    out.write("enum GoldenLogistic {\n")
    out.write("  /// Positive labels among 20,000, to check that the stream is the same.\n")
    out.write(f"  static let positives = {int(y.sum())}\n")
    out.write("  /// Weights of the standardised features.\n")
    out.write(f"  static let weights = [{', '.join(f'{w:.6f}' for w in model.coef_[0])}]\n")
    out.write(f"  static let intercept = {model.intercept_[0]:.6f}\n}}\n")
