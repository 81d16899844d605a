"""Writes GoldenFigures.swift beside this script: data sets and what scikit-learn says of them.

Made with scikit-learn 1.9.1, NumPy 2.4.6 and pandas 3.1.1:

    python3 make_golden.py
"""

import os

import numpy as np
import pandas as pd
from sklearn.metrics import (accuracy_score, average_precision_score, brier_score_loss, f1_score,
                             log_loss, precision_score, recall_score, roc_auc_score, roc_curve)

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


def calibration_error(labels, scores, bins=15):
    """Equal-mass bins by the lowest rank of tied scores."""
    bin_of = np.searchsorted(np.sort(scores), scores, "left") * bins // len(scores)
    error = 0
    for one in np.unique(bin_of):
        inside = bin_of == one
        error += inside.sum() * abs(scores[inside].astype(np.float64).mean() - labels[inside].mean())
    return error / len(scores)


def recall_at(labels, scores, rate):
    false_positive_rates, recalls, _ = roc_curve(labels, scores, drop_intermediate=False)
    return recalls[false_positive_rates <= rate].max()


def card_precision(frame, k):
    """Day by day the share of the k most suspicious cards that are compromised; those found are
    left out afterwards."""
    found, values = set(), []
    for _, day in frame.groupby("day", sort=True):
        cards = day[~day.card.isin(found)].groupby("card").max()
        first = cards.sort_values(["score", "card"], ascending=[False, True], kind="stable").head(k)
        caught = set(first[first.label].index)
        values.append(len(caught) / k)
        found |= caught
    return values


def cards():
    count = 1500
    frame = pd.DataFrame({
        "day": np.sort(random.integers(17_600, 17_612, count)),
        "card": random.integers(0, 60, count),
        "label": random.random(count) < 0.06,
    })
    logits = random.normal(0, 1, count) + np.where(frame.label, 1.5, 0)
    frame["score"] = np.round(1 / (1 + np.exp(-logits)), 2).astype(np.float32)
    return frame


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
    out += f"      f1: {number(f1_score(labels, flagged))},\n"
    out += f"      calibrationError: {number(calibration_error(labels, scores))},\n"
    recalls = [number(recall_at(labels, scores, rate)) for rate in (0.001, 0.01, 0.05)]
    out += f"      recalls: [{', '.join(recalls)}]),\n"
out += "  ]\n\n  static let cards = GoldenCards(\n"
frame = cards()
out += f"    days: [{', '.join(str(v) for v in frame.day)}],\n"
out += f"    cards: [{', '.join(str(v) for v in frame.card)}],\n"
out += f"    scores: [{', '.join(number(v) for v in frame.score)}],\n"
out += f"    labels: [{', '.join(str(int(v)) for v in frame.label)}],\n"
for k in (5, 20):
    values = [number(v) for v in card_precision(frame, k)]
    out += f"    precision{k}: [{', '.join(values)}]{',' if k == 5 else ')'}\n"
out += "}\n"
with open(os.path.join(HERE, "GoldenFigures.swift"), "w") as file:
    file.write(out)
