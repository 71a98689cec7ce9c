#!/usr/bin/env python3
"""Anonymous tables beside anonypy (Mondrian), ANJANA (full-domain generalization) and pyCANON (measuring).

    python3 benches/peers/kanon.py --json target/peers/kanon.json

Before anything is timed, k, l, t, alpha and beta that both sides find in the same release must agree.
README.md in this folder says what is measured and what is not.
"""

import pathlib
import random
import sys

import harness
from harness import Comparison, Side, Worker

HERE = pathlib.Path(__file__).resolve().parent
ADULT = harness.ROOT.parent / "shared" / "data" / "adult"
# Newer releases of pandas don't have what anonypy calls.
PINS = ("anonypy==0.2.1", "anjana==1.2.3", "pycanon==1.3.5", "pandas==2.3.3", "numpy==2.0.2")
ANONYPY = "anonypy 0.2.1"
ANJANA = "ANJANA 1.2.3"
PYCANON = "pyCANON 1.3.5"
K = 5
MEASURES = {
    "k": "k of a release",
    "l": "distinct l of a release",
    "t": "t of a release, equal distance",
    "ordered-t": "t of a table, ordered distance",
    "alpha": "alpha of a release",
    "beta": "basic beta of a release",
}


def generated(folder):
    """A table of Adult's shape with hierarchies, where the census extract is not at hand."""
    folder.mkdir(parents=True, exist_ok=True)
    values = {
        "sex": ["Female", "Male"],
        "age": [str(age) for age in range(17, 91)],
        "race": [f"race{i}" for i in range(5)],
        "marital-status": [f"status{i}" for i in range(7)],
        "education": [f"education{i:02}" for i in range(16)],
        "native-country": [f"country{i:02}" for i in range(41)],
        "workclass": [f"class{i}" for i in range(7)],
        "occupation": [f"occupation{i:02}" for i in range(14)],
        "salary-class": ["<=50K", ">50K"],
    }
    for name, column in values.items():
        lines = []
        for place, value in enumerate(column):
            groups = [value]
            if len(column) > 10:
                groups += [f"{name}/{place // 5}", f"{name}//{place // 20}"]
            lines.append(";".join([*groups, "*"]))
        (folder / f"hierarchy_{name}.csv").write_text("\n".join(lines) + "\n")
    source = random.Random(1)
    table = folder / "table.csv"
    with table.open("w") as file:
        file.write(";".join(values) + "\n")
        for _ in range(30_000):
            # Small places are frequent.
            row = (column[int(len(column) * source.random() ** 3)] for column in values.values())
            file.write(";".join(row) + "\n")
    return table


def prepare():
    if (ADULT / "adult.csv").exists():
        table, folder, name = ADULT / "adult.csv", ADULT, "Adult"
    else:
        folder = harness.TARGET / "kanon-table"
        table, name = generated(folder), "generated rows"
    binary = harness.build("confidant", "peer_kanon", ("kanon",))
    python = harness.environment("kanon", PINS)
    ours = Worker("confidant", [binary, table, folder])
    release = harness.TARGET / "kanon-release.csv"
    ours.ask(f"release {release} {K} 2")
    theirs = Worker("the peers", [python, HERE / "kanon_peers.py", table, folder, release])

    for operation, text in MEASURES.items():
        (_, a), (_, b) = ours.ask(f"{operation} 1"), theirs.ask(f"{operation} 1")
        harness.log(f"{text}: {a:.12g}, {PYCANON} {b:.12g}")
        if abs(a - b) > 1e-9 * max(1, abs(a)):
            sys.exit(f"the two sides don't agree: {text}")

    def beside(text, peer, operation, target):
        sides = Side(ours, operation), Side(theirs, operation)
        return Comparison(f"{text}, {name}", peer, *sides, target)

    # At k = 5 anonypy takes more than a minute.
    for k in (25, 100):
        yield beside(f"Mondrian, k = {k}", ANONYPY, f"mondrian {k}", 100)
    for percent in (0, 2):
        text = f"full-domain, k = {K}, {percent} % suppressed"
        yield beside(text, ANJANA, f"full-domain {K} {percent}", 10)
    for operation, text in MEASURES.items():
        yield beside(text, PYCANON, operation, 10)
    for worker in (ours, theirs):
        worker.close()


if __name__ == "__main__":
    harness.main("kanon", __doc__, prepare)
