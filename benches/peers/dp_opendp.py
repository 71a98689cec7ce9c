"""The side of `dp.py` that runs OpenDP: started by it, in its environment.

Speaks the same protocol as `dp_ours.rs`: a line `OPERATION REPETITIONS` is answered with a line
`SECONDS ERROR`, measured in this process.

What is timed is what a program pays that already has its measurement and its data: measurements are
built once, and the data is converted once, through a numpy array, to the object that OpenDP's core
reads. Each release is timed with the conversion of its result to a Python value, which is part of
OpenDP's Python interface; for batches of noise that conversion is about a hundredth of the time.
OpenDP keeps no budget in this path; the other side charges one.
"""

import sys
import time

import numpy as np
import opendp.prelude as dp
from opendp._convert import py_to_c
from opendp._lib import AnyObjectPtr

EPSILON = 0.1
BOUNDS = (0, 3600)

dp.enable_features("contrib")


def loaded(array, kind="Vec<i64>"):
    """The array as the object that OpenDP's core reads, converted once."""
    return py_to_c(array, c_type=AnyObjectPtr, type_name=kind)


def released(measurement, argument, truth):
    """Repeats a release and compares it with the truth afterwards."""

    def run(repetitions):
        values = [0] * repetitions
        start = time.perf_counter()
        for i in range(repetitions):
            values[i] = measurement(argument)
        elapsed = time.perf_counter() - start
        return elapsed, sum(abs(value - truth) for value in values) / repetitions

    return run


def drawn(measurement):
    """Adds noise to as many zeros as there are repetitions, in one call."""

    def run(repetitions):
        zeros = loaded(np.zeros(repetitions, dtype=np.int64))
        start = time.perf_counter()
        values = measurement(zeros)
        elapsed = time.perf_counter() - start
        return elapsed, float(np.mean(np.abs(np.asarray(values, dtype=np.float64))))

    return run


def on_rows(transform, sensitivity):
    """A transformation of rows with the Laplace noise that makes it EPSILON-private."""
    measurement = transform >> dp.m.then_laplace(scale=sensitivity / EPSILON)
    assert abs(measurement.map(1) - EPSILON) < 1e-9
    return measurement


def operation(name, values):
    """The operation of that name, with its data and its measurement."""
    rows = dp.vector_domain(dp.atom_domain(T="i64")), dp.symmetric_distance()
    vector = dp.vector_domain(dp.atom_domain(T="i64"))
    scalar = dp.atom_domain(T="i64")
    family, _, parameter = name.partition(" ")
    if family == "count-of-values":
        measurement = on_rows(dp.t.make_count(*rows), 1)
        return released(measurement, loaded(values), len(values))
    if family == "sum-of-values":
        clamp = dp.t.make_clamp(*rows, bounds=BOUNDS)
        total = clamp >> dp.t.make_sum(clamp.output_domain, clamp.output_metric)
        truth = int(np.clip(values, *BOUNDS).sum())
        return released(on_rows(total, BOUNDS[1]), loaded(values), truth)
    scale = float(parameter)
    if family == "laplace-batch":
        return drawn(dp.m.make_laplace(vector, dp.l1_distance(T="i64"), scale=scale))
    if family == "gaussian-batch":
        return drawn(dp.m.make_gaussian(vector, dp.l2_distance(T="f64"), scale=scale))
    if family == "laplace-one":
        space = scalar, dp.absolute_distance(T="i64")
        return released(dp.m.make_laplace(*space, scale=scale), loaded(0, "i64"), 0)
    if family == "gaussian-one":
        space = scalar, dp.absolute_distance(T="f64")
        return released(dp.m.make_gaussian(*space, scale=scale), loaded(0, "i64"), 0)
    raise ValueError(f"no operation is called {name}")


def main():
    values = np.fromfile(sys.argv[1], dtype="<i8")
    operations = {}
    for line in sys.stdin:
        name, _, repetitions = line.strip().rpartition(" ")
        if name not in operations:
            operations[name] = operation(name, values)
        elapsed, error = operations[name](int(repetitions))
        print(f"{elapsed:e} {error:e}", flush=True)


if __name__ == "__main__":
    main()
