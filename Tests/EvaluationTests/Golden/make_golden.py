"""Writes GoldenFigures.swift beside this script: data sets and what scikit-learn says of them.

Made with scikit-learn 1.9.1 and NumPy 2.4.6:

    python3 make_golden.py
"""

import os

import numpy as np
from sklearn.metrics import (accuracy_score, average_precision_score, brier_score_loss, f1_score,
                             log_loss, precision_score, recall_score, roc_auc_score)

HERE = os.path.dirname(os.path.abspath(__file__))
random = np.random.default_rng(20)


def cases():
    for name, count, rate, decimals in (("fine", 400, 0.3, None), ("ties", 400, 0.3, 1),
                                        ("rare", 600, 0.02, 3), ("certain", 300, 0.4, 0)):
        labels = random.random(count) < rate
        logits = random.normal(0, 1.2, count) + np.where(labels, 1.0, -1.0)
        scores = (1 / (1 + np.exp(-logits))).astype(np.float32)
        if decimals is not None:
            scores = np.round(scores, decimals).astype(np.float32)
        yield name, labels, scores


def number(value):
    return float(value).hex()


out = "// Written by make_golden.py.\n\n// swift-format-ignore\nenum GoldenFigures {\n"
out += "  static let cases: [GoldenCase] = [\n"
for name, labels, scores in cases():
    clipped = np.clip(scores.astype(np.float64), 1e-7, 1 - 1e-7)
    flagged = scores >= np.float32(0.5)
    out += f'    GoldenCase(name: "{name}",\n'
    out += f"      scores: [{', '.join(number(s) for s in scores)}],\n"
    out += f"      labels: [{', '.join(str(int(v)) for v in labels)}],\n"
    out += f"      areaUnderROC: {number(roc_auc_score(labels, scores))},\n"
    out += f"      averagePrecision: {number(average_precision_score(labels, scores))},\n"
    out += f"      logLoss: {number(log_loss(labels, clipped))},\n"
    out += f"      brierScore: {number(brier_score_loss(labels, clipped))},\n"
    out += f"      accuracy: {number(accuracy_score(labels, flagged))},\n"
    out += f"      precision: {number(precision_score(labels, flagged))},\n"
    out += f"      recall: {number(recall_score(labels, flagged))},\n"
    out += f"      f1: {number(f1_score(labels, flagged))}),\n"
out += "  ]\n}\n"
with open(os.path.join(HERE, "GoldenFigures.swift"), "w") as file:
    file.write(out)
