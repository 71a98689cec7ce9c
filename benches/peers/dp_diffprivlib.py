"""The side of `dp.py` that runs diffprivlib: started by it, in its environment.

Speaks the same protocol as `dp_ours.rs`: a line `OPERATION REPETITIONS` is answered with a line
`SECONDS ERROR`, measured in this process.

What is timed is one call of a function of `diffprivlib.tools` on a numpy array that exists already,
with public bounds: clamping, the statistic in numpy, noise, and an entry in the library's own
accountant, whose budget has no limit. Functions that read no integers get the array they ask for
beforehand.
"""

import numpy as np
from answers import judged, rank_error, serve
from diffprivlib import tools

EPSILON = 0.1
BOUNDS = (0, 3600)
BINS = 12
CATEGORIES = range(72, 1072)


def histogram(values, bins, bounds):
    """Counts in bins of equal width; the error is their mean distance from the true ones."""
    truth, _ = np.histogram(values, bins=bins, range=bounds)

    def error(released):
        return np.mean(np.abs(released[0] - truth))

    return judged(
        lambda: tools.histogram(values, epsilon=EPSILON, bins=bins, range=bounds), error
    )


def operation(name, values):
    """The operation of that name, with its data."""
    family, _, parameter = name.partition(" ")
    private = {"epsilon": EPSILON, "bounds": BOUNDS}
    clamped = np.clip(values, *BOUNDS)
    if family == "count-of-values":
        ones = np.ones_like(values)
        return judged(
            lambda: tools.count_nonzero(ones, epsilon=EPSILON), lambda value: abs(value - len(ones))
        )
    if family == "sum-of-values":
        truth = int(clamped.sum())
        return judged(
            lambda: tools.sum(values, dtype=int, **private), lambda value: abs(value - truth)
        )
    if family == "mean-of-values":
        truth = clamped.mean()
        return judged(lambda: tools.mean(values, **private), lambda value: abs(value - truth))
    if family == "variance-of-values":
        truth = clamped.var()
        return judged(lambda: tools.var(values, **private), lambda value: abs(value - truth))
    if family == "quantile-of-values":
        q, ordered = float(parameter), np.sort(values)
        return judged(
            lambda: tools.quantile(values, q, **private), lambda value: rank_error(ordered, value, q)
        )
    if family == "bins-of-values":
        return histogram(values, BINS, BOUNDS)
    if family == "categories-of-values":
        # Bins of width one around each integer.
        return histogram(values, len(CATEGORIES), (CATEGORIES[0] - 0.5, CATEGORIES[-1] + 0.5))
    raise ValueError(f"no operation is called {name}")


if __name__ == "__main__":
    serve(operation)
