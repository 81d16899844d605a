"""Writes GoldenRandom.swift and GoldenHandbook.swift beside this script.

The numbers come from NumPy's legacy generator, pandas and CPython's random module themselves, and
from a plain simulator written on top of them after the Fraud Detection Handbook's description.
Made with CPython 3.11, NumPy 2.4.6, pandas 3.1.1:

    python3 make_golden.py
"""

import os
import random
import zlib

import numpy as np
import pandas as pd

HERE = os.path.dirname(os.path.abspath(__file__))


# Each case: the Swift declaration it becomes.


def doubles(name, values):
    body = ", ".join(float(v).hex() for v in values)
    return f"  static let {name}: [Double] = [{body}]\n"


def integers(name, values, kind="Int"):
    body = ", ".join(str(int(v)) for v in values)
    return f"  static let {name}: [{kind}] = [{body}]\n"


def write(name, text):
    with open(os.path.join(HERE, name + ".swift"), "w") as file:
        file.write("// Written by make_golden.py.\n\n// swift-format-ignore\n")
        file.write(f"enum {name} {{\n{text}}}\n")


def random_golden():
    out = ""
    for seed in (0, 1, 4357, 2**32 - 1):
        words = np.random.RandomState(seed).randint(0, 2**32, size=2000, dtype=np.uint32)
        out += integers(f"words{seed}", list(words[:4]) + list(words[-4:]), "UInt32")
    words = np.random.RandomState([0x123, 0x234, 0x345, 0x456]).randint(
        0, 2**32, size=1000, dtype=np.uint32)
    out += integers("wordsOfKey", list(words[:4]) + list(words[-4:]), "UInt32")
    long_key = list(range(700))
    words = np.random.RandomState(long_key).randint(0, 2**32, size=4, dtype=np.uint32)
    out += integers("wordsOfLongKey", words, "UInt32")

    state = np.random.RandomState(7)
    out += doubles("uniforms", [state.uniform(5, 100) for _ in range(8)])
    out += doubles("normals", [state.normal(43200, 20000) for _ in range(9)])
    # An odd number of normals leaves one cached, across other draws.
    out += integers("poissons", [state.poisson(r) for r in (0, 0.1, 1, 2.5, 4, 9.75) for _ in range(4)])
    out += doubles("normalsAfterPoissons", [state.normal(0, 1) for _ in range(3)])
    out += integers("permutation1", np.random.RandomState(3).permutation(1), "Int32")
    out += integers("permutation40", np.random.RandomState(3).permutation(40), "Int32")
    out += integers("permutation40Key", np.random.RandomState([3, 1, 4]).permutation(40), "Int32")
    frame = pd.Series(range(10_000))
    samples = [v for d in range(6) for v in frame.sample(n=3, random_state=d).values]
    out += integers("pandasSamples", samples, "Int32")

    source = random.Random(2018)
    out += doubles("pythonUniforms", [source.random() for _ in range(6)])
    widths = (1, 5, 17, 31, 32)
    out += integers("pythonBits", [source.getrandbits(w) for w in widths], "UInt32")
    bounds = (1, 2, 3, 7, 8, 9, 1000, 4096, 2**31, 2**32 - 1)
    out += integers("pythonChoices", [source.choice(range(b)) for b in bounds])
    shapes = ((0, 0), (0, 5), (1, 1), (3, 3), (5, 21), (5, 22), (6, 85), (6, 86), (30, 91), (20, 300),
              (21, 277), (22, 278))
    out += integers("pythonSamples", [v for k, n in shapes for v in source.sample(range(n), k)])
    big = random.Random(2**40 + 3)
    out += doubles("pythonUniformsOfLargeSeed", [big.random() for _ in range(3)])
    digits = random.Random(9 | 8 << 32 | 7 << 96)
    out += doubles("pythonUniformsOfKey", [digits.random() for _ in range(3)])
    write("GoldenRandom", out)


def simulate(customers, terminals, days, radius, seed):
    def numpy_state(number, role):
        if seed == 0:
            return np.random.RandomState(number)
        return np.random.RandomState([number, seed & 0xFFFFFFFF, seed >> 32, role])

    def python_state(number, role):
        return random.Random(number if seed == 0 else number | seed << 32 | role << 96)

    state = numpy_state(0, 1)
    profiles = [[state.uniform(0, 100), state.uniform(0, 100), state.uniform(5, 100), state.uniform(0, 4)]
                for _ in range(customers)]
    state = numpy_state(1, 2)
    places = np.array([[state.uniform(0, 100), state.uniform(0, 100)] for _ in range(terminals)])
    rows = []
    for number, (x, y, mean, rate) in enumerate(profiles):
        distance = np.sqrt(((places - [x, y]) ** 2).sum(axis=1))
        reachable = [int(i) for i in np.flatnonzero(distance < radius)]
        if not reachable:
            continue
        draws, choices = numpy_state(number, 3), python_state(number, 4)
        for day in range(days):
            for _ in range(draws.poisson(rate)):
                time = int(draws.normal(43200, 20000))
                if not 0 < time < 86400:
                    continue
                amount = draws.normal(mean, mean / 2)
                if amount < 0:
                    amount = draws.uniform(0, 2 * mean)
                rows.append((day * 86400 + time, number, choices.choice(reachable),
                             float(np.round(amount, 2))))
    order = np.argsort(np.array([r[0] for r in rows]).astype("M8[s]"), kind="quicksort")
    table = pd.DataFrame([rows[i] for i in order], columns=["s", "c", "t", "a"])
    day_of, c_of, t_of = (table.s // 86400).values, table.c.values, table.t.values
    amounts, scenario, added = table.a.values.copy(), np.zeros(len(table), int), []

    def mark(positions, value):
        before = np.count_nonzero(scenario)
        scenario[positions] = value
        return np.count_nonzero(scenario) - before

    added.append(mark(amounts > 220, 1))
    total = 0
    for day in range(days - 1):
        hit = pd.Series(range(terminals)).sample(n=2, random_state=numpy_state(day, 5)).values
        total += mark((day_of >= day) & (day_of < day + 28) & np.isin(t_of, hit), 2)
    added.append(total)
    total = 0
    for day in range(days - 1):
        hit = pd.Series(range(customers)).sample(n=3, random_state=numpy_state(day, 6)).values
        found = np.flatnonzero((day_of >= day) & (day_of < day + 14) & np.isin(c_of, hit))
        drawn = python_state(day, 7).sample([int(i) for i in found], len(found) // 3)
        amounts[drawn] *= 5
        total += mark(drawn, 3)
    added.append(total)

    lines = ["TRANSACTION_ID,TX_DATETIME,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT,TX_TIME_SECONDS,"
             "TX_TIME_DAYS,TX_FRAUD,TX_FRAUD_SCENARIO"]
    stamps = np.datetime_as_string(np.datetime64("2018-04-01") + table.s.values.astype("m8[s]"), unit="s")
    for i, (s, c, t) in enumerate(zip(table.s, table.c, table.t)):
        stamp = stamps[i].replace("T", " ")
        lines.append(f"{i},{stamp},{c},{t},{float(amounts[i])!r},{s},{s // 86400},"
                     f"{int(scenario[i] > 0)},{scenario[i]}")
    return added, [int((scenario == k).sum()) for k in (1, 2, 3)], "\n".join(lines) + "\n"


def handbook_golden():
    cases = [(5_000, 10_000, 183, 5, 0), (400, 300, 40, 5, 0), (400, 300, 40, 5, 7),
             (3, 2, 1, 150, 0), (300, 50, 400, 40, 0xDEADBEEF_0000_0001)]
    out = "  static let runs: [Run] = [\n"
    for customers, terminals, days, radius, seed in cases:
        added, final, text = simulate(customers, terminals, days, radius, seed)
        print(customers, terminals, days, radius, seed, added, final, text.count("\n") - 1)
        out += (f"    Run(customers: {customers}, terminals: {terminals}, days: {days}, radius: {radius}, "
                f"seed: {seed}, count: {text.count(chr(10)) - 1}, newFrauds: {[int(a) for a in added]}, "
                f"scenarios: {final}, csvBytes: {len(text)}, csvCRC32: {zlib.crc32(text.encode())}),\n")
    out += "  ]\n"
    write("GoldenHandbook", out)


random_golden()
handbook_golden()
