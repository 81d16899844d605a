"""What the peers written in Python share: how they are called is in Benchmarks/README.md.

A figure is prepared with the rows and their labels, which gives a function of what is measured.
"""

import importlib.metadata
import json
import statistics
import sys
import time

import numpy as np

BATCH = 256


def batches(rows, size=BATCH):
    return [slice(start, start + size) for start in range(0, rows - size + 1, size)]


def rate(prepare, things="rows", count=None):
    """Things a second: the prepared function handles all rows, or `count` things."""

    def measure(features, labels):
        # Everything is loaded and every pool exists only once a model has run.
        prepare(features[: 16 * BATCH], labels[: 16 * BATCH])()
        run = prepare(features, labels)
        start = time.perf_counter()
        run()
        seconds = time.perf_counter() - start
        return (count or len(features)) / seconds, f"{things}/s"

    return measure


def latency(prepare, count, unit="ns"):
    """The median time of single calls of the prepared function, which gets their numbers."""

    def median(run, indices):
        times = []
        for index in indices:
            start = time.perf_counter_ns()
            run(index)
            times.append(time.perf_counter_ns() - start)
        return statistics.median(times)

    def measure(features, labels):
        run = prepare(features, labels)
        median(run, range(count // 10 + 1))
        nanoseconds = median(run, range(count)) - median(lambda index: None, range(count))
        return nanoseconds / {"ns": 1, "ms": 1e6}[unit], unit

    return measure


NAMES = [f"V{number}" for number in range(1, 29)] + ["Amount"]


def json_events(features):
    """The rows as events of models/credit-card.yaml, 488 bytes each."""
    events = []
    for index, row in enumerate(features.tolist()):
        numbers = "".join(f',"{name}":{value:.7f}' for name, value in zip(NAMES[:27], row))
        amount = f',"Amount":{np.expm1(row[28]):.2f}}}'
        text = f'{{"Time":{100_000 + index}{numbers},"V28":'
        room = 488 - len(text) - len(amount)
        last = f"{min(abs(row[27]), 9):.{min(room - 2, 16)}f}"
        events.append((text + last.ljust(room) + amount).encode())
    return events


def main(figures, packages):
    """`figures` by name, and the `packages` whose versions stand behind them."""
    if sys.argv[1:] == ["--list"]:
        versions = {name: importlib.metadata.version(name) for name in packages}
        versions["python"] = sys.version.split()[0]
        print(json.dumps({"figures": list(figures), "versions": versions}))
        return
    from threadpoolctl import threadpool_limits

    figure, path = sys.argv[1:]
    data = np.load(path)
    features, labels = np.ascontiguousarray(data[:, :-1]), data[:, -1].astype(int)
    with threadpool_limits(limits=1):
        value, unit = figures[figure](features, labels)
    print(json.dumps({"name": figure, "value": value, "unit": unit}))
