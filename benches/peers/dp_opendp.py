"""The side of `dp.py` that runs OpenDP: started by it, in its environment.

Speaks the same protocol as `dp_ours.rs`: a line `OPERATION REPETITIONS` is answered with a line
`SECONDS ERROR`, measured in this process.

What is timed is what a program pays that already has its measurement and its data: measurements are
built once, and the data is converted once, through a numpy array, to the object that OpenDP's core
reads. Each release is timed with the conversion of its result to a Python value, which is part of
OpenDP's Python interface; for batches of noise that conversion is about a hundredth of the time.
OpenDP keeps no budget in this path; the other side charges one.
"""

import math
import time

import numpy as np
import opendp.prelude as dp
from answers import judged, rank_error, serve
from opendp._convert import py_to_c
from opendp._lib import AnyObjectPtr

EPSILON = 0.1
BOUNDS = (0, 3600)
BINS = [*range(0, 3600, 300), 3601]
CATEGORIES = range(72, 1072)
QUANTILES = [(2 * i + 1) / 200 for i in range(100)]

dp.enable_features("contrib")


def loaded(array, kind="Vec<i64>"):
    """The array as the object that OpenDP's core reads, converted once."""
    return py_to_c(array, c_type=AnyObjectPtr, type_name=kind)


def released(measurement, argument, truth):
    """Repeats a release and compares it with the truth afterwards."""
    return judged(lambda: measurement(argument), lambda value: abs(value - truth))


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


def calibrated(build, changes=1):
    """The measurement that `build` makes of a scale, with the least scale that is EPSILON-private."""
    return dp.binary_search_chain(build, changes, EPSILON, T=float)


def moment(family, values):
    """Mean and variance of a table whose number of rows is public, as OpenDP asks for."""
    clamped = np.clip(values, *BOUNDS)
    bounds = tuple(map(float, BOUNDS))
    anything = dp.vector_domain(dp.atom_domain(T="f64", nan=False), size=len(values))
    clamp = dp.t.make_clamp(anything, dp.symmetric_distance(), bounds=bounds)
    mean = family == "mean-of-values"
    transform = clamp >> (dp.t.then_mean() if mean else dp.t.then_variance(ddof=0))
    # In a table of fixed size neighbours differ by one row replaced: two changes.
    measurement = calibrated(lambda scale: transform >> dp.m.then_laplace(scale=scale), 2)
    truth = float(clamped.mean() if mean else clamped.var())
    return released(measurement, loaded(values.astype(np.float64), "Vec<f64>"), truth)


def quantile(rows, values, q):
    """One quantile, chosen among all integers within the bounds."""
    candidates = list(range(BOUNDS[0], BOUNDS[1] + 1))

    def build(scale):
        space = *rows, dp.max_divergence()
        return dp.m.make_private_quantile(*space, candidates=candidates, alpha=q, scale=scale)

    ordered = np.sort(values)
    measurement, argument = calibrated(build), loaded(values)
    return judged(lambda: measurement(argument), lambda value: rank_error(ordered, value, q))


def quantiles(rows, values):
    """A hundred quantiles from a tree of noisy counts of every integer within the bounds."""
    leaves = BOUNDS[1] - BOUNDS[0] + 1
    branching = dp.t.choose_branching_factor(len(values))
    clamp = dp.t.make_clamp(*rows, bounds=BOUNDS)
    counts = clamp >> by_category(range(BOUNDS[0], BOUNDS[1] + 1))
    tree = counts >> dp.t.then_b_ary_tree(leaf_count=leaves, branching_factor=branching)
    noisy = calibrated(lambda scale: tree >> dp.m.then_laplace(scale=scale))
    consistent = dp.t.make_consistent_b_ary_tree(branching, TIA="i64", TOA="f64")
    edges = [float(edge) for edge in range(BOUNDS[0], BOUNDS[1] + 2)]
    measurement = noisy >> consistent >> dp.t.make_quantiles_from_counts(edges, QUANTILES)
    ordered = np.sort(values)

    def error(answers):
        # A place between the edges of a leaf means the integer that the leaf counts.
        pairs = zip(answers, QUANTILES)
        return float(np.mean([rank_error(ordered, math.floor(a), q) for a, q in pairs]))

    argument = loaded(values)
    return judged(lambda: measurement(argument), error)


def by_category(categories):
    return dp.t.then_count_by_categories(
        categories=list(categories),
        null_category=False,
        MO=dp.L1Distance["i64"],
        TOA="i64",
    )


def histogram(measurement, values, truth):
    """Repeats the release of many counts; its error is their mean distance from the true ones."""
    argument = loaded(values)
    return judged(
        lambda: measurement(argument), lambda counts: float(np.mean(np.abs(np.subtract(counts, truth))))
    )


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
    if family in ("mean-of-values", "variance-of-values"):
        return moment(family, values)
    if family == "quantile-of-values":
        return quantile(rows, values, float(parameter))
    if family == "quantiles-of-values":
        return quantiles(rows, values)
    if family == "bins-of-values":
        # Bin 0 is what lies below the first edge; what lies above the last is in the last bin.
        found = dp.t.make_find_bin(*rows, edges=BINS)
        truth = np.histogram(values, BINS[:-1] + [BOUNDS[1]])[0]
        return histogram(on_rows(found >> by_category(range(1, 13)), 1), values, truth)
    if family == "categories-of-values":
        inside = values[(values >= CATEGORIES[0]) & (values <= CATEGORIES[-1])]
        truth = np.bincount(inside - CATEGORIES[0], minlength=len(CATEGORIES))
        counted = dp.t.make_count_by_categories(
            *rows,
            categories=list(CATEGORIES),
            null_category=False,
            MO=dp.L1Distance["i64"],
            TOA="i64",
        )
        return histogram(on_rows(counted, 1), values, truth)
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


if __name__ == "__main__":
    serve(operation)
