"""Writes GoldenOptimizers.swift: first-order logistic regressions on the stream of the test.

Every eight rows hold as many 1 as -1 of each feature, so that running means stay 0 and running
deviations 1. A constant feature stands for the intercept. SGD and AdaGrad are River's (0.26.1), which
predicts with FTRL-Proximal's weights of the row before the last: that is algorithm 1 of McMahan et
al., "Ad click prediction: a view from the trenches", 2013, with no penalty on the intercept.

Run in Tests/LearnersTests: python3 Golden/logistic_optimizers.py
"""

import math

from river import linear_model, optim

from stream import stream

TRUE = [1.2, -0.7, 0.3, 0.0]


def rows():
    u = stream(11)
    for _ in range(1000):
        row = [1.0 if next(u) < 0.5 else -1.0 for _ in range(4)]
        for x in (row, [-value for value in row]):
            log_odds = -0.5 + sum(w * value for w, value in zip(TRUE, x))
            yield x + [1.0], next(u) < 1 / (1 + math.exp(-log_odds))


def river(optimizer):
    model = linear_model.LogisticRegression(optimizer=optimizer, intercept_lr=0.0)
    for x, y in rows():
        model.learn_one(dict(enumerate(x)), y)
    return [model.weights[i] for i in range(5)]


def ftrl(alpha, beta, l1, l2):
    z, n, w = [0.0] * 5, [0.0] * 5, [0.0] * 5
    for x, y in rows():
        for i in range(5):
            a, b = (l1, l2) if i < 4 else (0.0, 0.0)
            sign = -1.0 if z[i] < 0 else 1.0
            w[i] = (
                0.0
                if abs(z[i]) <= a
                else -(z[i] - sign * a) / ((beta + math.sqrt(n[i])) / alpha + b)
            )
        p = 1 / (1 + math.exp(-sum(a * b for a, b in zip(w, x))))
        for i in range(5):
            g = (p - y) * x[i]
            s = (math.sqrt(n[i] + g * g) - math.sqrt(n[i])) / alpha
            z[i] += g - s * w[i]
            n[i] += g * g
    return [
        0.0
        if abs(z[i]) <= (l1 if i < 4 else 0)
        else -(z[i] - math.copysign(l1 if i < 4 else 0, z[i]))
        / ((beta + math.sqrt(n[i])) / alpha + (l2 if i < 4 else 0))
        for i in range(5)
    ]


RESULTS = {
    "sgd": ("River's SGD, learning rate 0.05.", river(optim.SGD(0.05))),
    "adagrad": ("River's AdaGrad, learning rate 0.1.", river(optim.AdaGrad(0.1))),
    "ftrl": ("FTRL-Proximal, α = 0.1, β = 1.", ftrl(0.1, 1.0, 0.0, 0.0)),
    "sparse": ("The same with λ₁ = 20, λ₂ = 3.", ftrl(0.1, 1.0, 20.0, 3.0)),
}
with open("GoldenOptimizers.swift", "w") as out:
    out.write("/// Written by Golden/logistic_optimizers.py. The last number is the intercept.\n")
    out.write("enum GoldenOptimizers {\n")
    out.write("  /// Positive labels among 2,000, to check that the stream is the same.\n")
    out.write(f"  static let positives = {sum(y for _, y in rows())}\n")
    for name, (summary, values) in RESULTS.items():
        out.write(f"  /// {summary}\n")
        out.write(f"  static let {name} = [{', '.join(f'{w:.8f}' for w in values)}]\n")
    out.write("}\n")
