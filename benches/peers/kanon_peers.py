"""The sides of `kanon.py` that run anonypy, ANJANA and pyCANON.

Arguments: the table, the folder of its hierarchies, and a release of it, all with `;` between fields.
Answers lines `OPERATION REPETITIONS` with lines `SECONDS NUMBER`: how long it took, and what was found.
"""

import pathlib
import sys
import time
import warnings

import pandas as pd

SENSITIVE = "occupation"


def classes(rows, quasi):
    """The mean number of rows in a class."""
    sizes = pd.DataFrame(rows).groupby(quasi, observed=True).size()
    return float(sizes.mean())


def operation(words, table, folder, release):
    """A function without arguments, and what makes a number of its result."""
    quasi = [name for name in table.columns if name != SENSITIVE]
    match words:
        case ["mondrian", k]:
            import anonypy

            data = table.copy()
            for name in data.columns:
                if name != "age":
                    data[name] = data[name].astype("category")

            def run():
                return anonypy.Preserver(data, quasi, SENSITIVE).anonymize_k_anonymity(k=int(k))

            def found(rows):
                # A row for each class and value of the sensitive column, with their number.
                frame = pd.DataFrame(rows)
                for name in quasi:
                    frame[name] = frame[name].astype(str)
                return float(frame.groupby(quasi)["count"].sum().mean())

            return run, found
        case ["full-domain", k, percent]:
            from anjana import anonymity

            levels = {}
            for name in quasi:
                for prefix in ("", "adult_"):
                    path = folder / f"{prefix}hierarchy_{name}.csv"
                    if path.exists():
                        levels[name] = dict(pd.read_csv(path, header=None, sep=";", dtype=object))
            for name, column in levels.items():
                # Values are compared as they are in the table.
                column[0] = column[0].astype(table[name].dtype)

            def run():
                return anonymity.k_anonymity(table, [], quasi, int(k), float(percent), levels)

            return run, lambda rows: classes(rows, quasi)
        case ["k"]:
            from pycanon import anonymity

            return lambda: anonymity.k_anonymity(release, quasi), float
        case ["ordered-t"]:
            from pycanon import anonymity

            return lambda: anonymity.t_closeness(table, ["sex", "race"], ["age"]), float
        case [name]:
            from pycanon import anonymity

            function = {
                "l": anonymity.l_diversity,
                "t": anonymity.t_closeness,
                "beta": anonymity.basic_beta_likeness,
            }
            if name == "alpha":
                # A pair of alpha and k.
                return lambda: anonymity.alpha_k_anonymity(release, quasi, [SENSITIVE])[0], float
            return lambda: function[name](release, quasi, [SENSITIVE]), float
    sys.exit(f"no operation {words}")


def main():
    warnings.simplefilter("ignore")
    table = pd.read_csv(sys.argv[1], sep=";", skipinitialspace=True)
    folder = pathlib.Path(sys.argv[2])
    release = pd.read_csv(sys.argv[3], sep=";", dtype=str)
    known = {}
    for line in sys.stdin:
        *words, repetitions = line.split()
        name = " ".join(words)
        if name not in known:
            known[name] = operation(words, table, folder, release)
        run, found = known[name]
        start = time.perf_counter()
        for _ in range(int(repetitions)):
            result = run()
        elapsed = time.perf_counter() - start
        print(f"{elapsed:e} {found(result):.17e}", flush=True)


if __name__ == "__main__":
    main()
