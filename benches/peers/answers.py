"""What the workers of `dp.py` that run Python have in common: they answer its lines on numpy arrays."""

import sys
import time

import numpy as np


def judged(release, error):
    """Repeats a release, whose errors are found afterwards."""

    def run(repetitions):
        values = [None] * repetitions
        start = time.perf_counter()
        for i in range(repetitions):
            values[i] = release()
        elapsed = time.perf_counter() - start
        return elapsed, float(np.mean([error(value) for value in values]))

    return run


def rank_error(ordered, value, q):
    """The rows between a value and the place of a quantile; 0 if equal rows reach over it."""
    place = q * len(ordered)
    below, upto = (np.searchsorted(ordered, value, side) for side in ("left", "right"))
    return float(max(below - place, place - upto, 0))


def serve(operation):
    """Answers lines until there are no more: `operation` makes what a name stands for, once."""
    values = np.fromfile(sys.argv[1], dtype="<i8")
    operations = {}
    for line in sys.stdin:
        name, _, repetitions = line.strip().rpartition(" ")
        if name not in operations:
            operations[name] = operation(name, values)
        elapsed, error = operations[name](int(repetitions))
        print(f"{elapsed:e} {error:e}", flush=True)
