#!/usr/bin/env python3
"""Differential privacy beside OpenDP and diffprivlib, and beside the plain loops without any privacy.

    python3 benches/peers/dp.py --json target/peers/dp.json

README.md in this folder says what is measured and what is not.
"""

import pathlib

import harness
from harness import Comparison, Side, Worker

HERE = pathlib.Path(__file__).resolve().parent
PINS = ("opendp==0.16.0", "numpy==2.4.6")
OPENDP = "OpenDP 0.16.0 (Python)"
# Newer releases of scikit-learn don't have what diffprivlib imports.
PINS_DIFFPRIVLIB = (
    "diffprivlib==0.6.6",
    "numpy==2.2.6",
    "scipy==1.15.3",
    "scikit-learn==1.5.2",
    "joblib==1.6.0",
)
DIFFPRIVLIB = "diffprivlib 0.6.6"
VALUES = 1_000_000
ROWS = 10_000_000
# A private query may cost this many times the plain loop, or the plain hash aggregation by user.
LOOP = 1 / 1.3
HASH = 1 / 1.5
# A private count by known groups, with users bounded, may cost this many times a plain group-by.
GROUPED = 1 / 2
# A batch of noise should be drawn this much faster than by the rivals.
NOISE = 20


def prepare():
    binary = harness.build("confidant", "peer_dp")
    python = harness.environment("dp", PINS)
    ours = Worker("confidant", [binary])
    values = harness.TARGET / "dp-values.i64"
    ours.ask(f"values {values}")
    opendp = Worker("OpenDP", [python, HERE / "dp_opendp.py", values])
    python = harness.environment("dp-diffprivlib", PINS_DIFFPRIVLIB)
    diffprivlib = Worker("diffprivlib", [python, HERE / "dp_diffprivlib.py", values])

    def beside_opendp(text, operation, target=None, items=1, theirs=None):
        sides = Side(ours, operation, items), Side(opendp, theirs or operation, items)
        return Comparison(text, OPENDP, *sides, target)

    def beside_diffprivlib(text, operation, target=None, items=1):
        sides = Side(ours, operation, items), Side(diffprivlib, operation, items)
        return Comparison(text, DIFFPRIVLIB, *sides, target)

    def beside_plain(text, peer, operation, plain, target=None):
        sides = Side(ours, operation, ROWS), Side(ours, plain, ROWS)
        return Comparison(text, peer, *sides, target)

    for text, operation, items in (
        ("count of 1e6 integers, a release", "count-of-values", 1),
        ("bounded sum of 1e6 integers, a row", "sum-of-values", VALUES),
        ("mean of 1e6 integers, a release", "mean-of-values", 1),
        ("variance of 1e6 integers, a release", "variance-of-values", 1),
        ("median of 1e6 integers, a release", "quantile-of-values 0.5", 1),
        ("quantile 0.95 of 1e6 integers, a release", "quantile-of-values 0.95", 1),
        ("histogram of 1e6 integers, 12 bins, a release", "bins-of-values", 1),
        ("count of 1e6 integers by 1000 categories, a release", "categories-of-values", 1),
    ):
        yield beside_opendp(text, operation, 1, items)
        yield beside_diffprivlib(text, operation, 1, items)
    for how, operation in (("recursion", "quantiles"), ("a tree", "distribution")):
        text = f"100 quantiles of 1e6 integers by {how}, a release"
        yield beside_opendp(text, f"{operation}-of-values", 1, theirs="quantiles-of-values")
    for parameter in (10, 1_000_000):
        for law, name in (("laplace", "Laplace, scale"), ("gaussian", "Gaussian, sigma")):
            text = f"discrete {name} {parameter:.0e}".replace("e+0", "e")
            yield beside_opendp(f"{text}, batch, a draw", f"{law}-batch {parameter}", NOISE)
            yield beside_opendp(f"{text}, one by one, a draw", f"{law}-one {parameter}")

    loop, by_app = "plain loop", "plain hash group-by, no bounding"
    by_hand = "bounded by hand in a hash map"
    by_user = "plain hash aggregation by user"
    yield beside_plain("filtered count, a row of 1e7", loop, "failures", "failures-plain", LOOP)
    text = "bounded sum, a row of 1e7"
    yield beside_plain(text, loop, "rows-seconds", "rows-seconds-plain", LOOP)
    for kind in ("u32", "i64", "f64", "f32"):
        text = f"bounded sum, a {kind} of 1e7"
        yield beside_plain(text, loop, f"{kind}-sum", f"{kind}-sum-plain", LOOP)
    for users, name in ((1_000_000, "1e6 users"), (20_000, "2e4 users")):
        for text, operation in (("count", "count"), ("bounded sum", "seconds")):
            for when, suffix in (("first query", "-open"), ("later query", "")):
                yield beside_plain(
                    f"{text}, {name}, {when}, a row of 1e7",
                    by_user,
                    f"{operation}{suffix} {users}",
                    f"{operation}-plain {users}",
                    HASH,
                )
        text = f"count by 1000 groups, {name}, first query, one thread, a row of 1e7"
        yield beside_plain(text, by_app, f"apps-open-alone {users}", f"apps-plain {users}")
        for when, operation in (("first query", "apps-open"), ("later query", "apps")):
            text = f"count by 1000 groups, {name}, {when}, a row of 1e7"
            ours_by_app = f"{operation} {users}"
            yield beside_plain(text, by_user, ours_by_app, f"count-plain {users}", HASH)
            yield beside_plain(text, by_app, ours_by_app, f"apps-plain {users}", GROUPED)
            yield beside_plain(text, by_hand, ours_by_app, f"apps-plain-bounded {users}")

    for worker in (ours, opendp, diffprivlib):
        worker.close()


if __name__ == "__main__":
    harness.main("dp", __doc__, prepare)
