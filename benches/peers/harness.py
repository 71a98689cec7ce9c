"""Side-by-side measurements: what every script in this folder shares.

Two workers answer lines `OPERATION REPETITIONS` with lines `SECONDS ERROR`, each measured inside
its process. The harness installs the peer, builds our side, lets the two take turns and reports the
medians.
"""

import argparse
import dataclasses
import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import venv

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = ROOT / "target" / "peers"
# A turn takes about this long, so that clocks and interrupts don't matter.
SECONDS_OF_TURN = 0.25
MOST_REPETITIONS = 1_000_000
# The mean distance of this many releases from the truth is within some 5 % of its expectation.
RELEASES_FOR_ERROR = 1000
# Where releases take long, there are as many as fit into this time, and the estimate is rougher.
SECONDS_FOR_ERROR = 20


@dataclasses.dataclass(frozen=True)
class Side:
    """An operation of a worker, and how many items one repetition of it handles."""

    worker: "Worker"
    operation: str
    items: int = 1


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What is compared, with whom, and the least ratio (theirs / ours) aimed at."""

    operation: str
    peer: str
    ours: Side
    theirs: Side
    target: float | None = None


class Worker:
    """A process that runs operations and says how long they took."""

    def __init__(self, name, command, environment=None):
        self.name = name
        self.process = subprocess.Popen(
            [str(part) for part in command],
            env=None if environment is None else os.environ | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, line):
        """The two numbers that answer a line."""
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline().split()
        except BrokenPipeError:
            answer = []
        if len(answer) != 2:
            sys.exit(f"{self.name} did not answer '{line}'; its error is above")
        return float(answer[0]), float(answer[1])

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def environment(area, pins):
    """A Python with exactly the pinned packages, made once; its path."""
    folder = TARGET / f"venv-{area}"
    python = folder / "bin" / "python"
    stamp = folder / "pins.txt"
    wanted = "\n".join([platform.python_version(), *pins])
    if not stamp.exists() or stamp.read_text() != wanted:
        log(f"installing {', '.join(pins)} in {folder.relative_to(ROOT)}")
        venv.create(folder, clear=True, with_pip=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *pins], check=True, stdout=sys.stderr)
        stamp.write_text(wanted)
    return python


def build(package, example, features=()):
    """Builds our side in release mode; its path."""
    command = ["cargo", "build", "--release", "--package", package, "--example", example]
    if features:
        command += ["--features", ",".join(features)]
    log(" ".join(command))
    built = subprocess.run(
        [*command, "--message-format=json-render-diagnostics"],
        check=True,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    for message in map(json.loads, built.stdout.splitlines()):
        if message.get("executable") and message["target"]["name"] == example:
            return pathlib.Path(message["executable"])
    sys.exit(f"cargo built no {example}")


def repetitions(side):
    """How often an operation is repeated in one turn, found by trying."""
    side.worker.ask(f"{side.operation} 1")
    count = 1
    while True:
        elapsed, _ = side.worker.ask(f"{side.operation} {count}")
        if elapsed >= SECONDS_OF_TURN / 4 or count >= MOST_REPETITIONS:
            wanted = round(count * SECONDS_OF_TURN / max(elapsed, 1e-9))
            return max(1, min(wanted, MOST_REPETITIONS))
        count = min(4 * count, MOST_REPETITIONS)


def measure(comparison, rounds):
    """Lets the two sides take turns: a row of the report, and what the table says beside it."""
    sides = (comparison.ours, comparison.theirs)
    counts = [repetitions(side) for side in sides]
    seconds = ([], [])
    errors = ([], [])
    for turn in range(rounds):
        # Who goes first changes, so that neither always meets the other's leftovers.
        for i in (0, 1) if turn % 2 == 0 else (1, 0):
            elapsed, error = sides[i].worker.ask(f"{sides[i].operation} {counts[i]}")
            seconds[i].append(elapsed / counts[i] / sides[i].items)
            errors[i].append(error)
    for side, count, seen, took in zip(sides, counts, errors, seconds):
        # Few releases say little about an error; those beyond the turns aren't timed.
        affordable = SECONDS_FOR_ERROR / (statistics.median(took) * side.items)
        missing = min(RELEASES_FOR_ERROR - count * rounds, int(affordable))
        if any(seen) and missing > 0:
            _, error = side.worker.ask(f"{side.operation} {missing}")
            turns = count * rounds
            mean = (statistics.mean(seen) * turns + error * missing) / (turns + missing)
            seen[:] = [mean]
    ours, theirs = map(statistics.median, seconds)
    ratios = sorted(b / a for a, b in zip(*seconds))
    row = {
        "area": None,
        "operation": comparison.operation,
        "peer": comparison.peer,
        "ours_s": ours,
        "peer_s": theirs,
        "ratio": theirs / ours,
        "target": comparison.target,
    }
    beside = {
        "spread": (ratios[0], ratios[-1]),
        "errors": tuple(map(statistics.mean, errors)),
    }
    return row, beside


def duration(seconds):
    for unit, size in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def table(rows):
    """The rows for people, in Markdown."""
    yield "| operation | peer | ours | peer's | ratio | spread | target | mean error, ours / peer's |"
    yield "|---|---|---:|---:|---:|---:|---|---|"
    for row, beside in rows:
        target = "none"
        if row["target"] is not None:
            verdict = "met" if row["ratio"] >= row["target"] else "MISSED"
            target = f"{row['target']:.3g}, {verdict}"
        low, high = beside["spread"]
        ours, theirs = beside["errors"]
        errors = f"{ours:.4g} / {theirs:.4g}" if ours or theirs else ""
        cells = (
            row["operation"],
            row["peer"],
            duration(row["ours_s"]),
            duration(row["peer_s"]),
            f"{row['ratio']:.3g}",
            f"{low:.3g} to {high:.3g}",
            target,
            errors,
        )
        yield f"| {' | '.join(cells)} |"


def machine():
    """The machine, the day and how busy it was, in a line."""
    model = platform.processor() or platform.machine()
    try:
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    day = datetime.date.today().isoformat()
    load = f"load {os.getloadavg()[0]:.1f} at the end"
    return f"{model}, {os.cpu_count()} cores, {platform.system()}, {day}, {load}"


def log(text):
    print(text, file=sys.stderr, flush=True)


def main(area, about, prepare):
    """Runs an area's script: `prepare` starts the workers and lists the comparisons."""
    options = argparse.ArgumentParser(description=about)
    options.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the rows there")
    options.add_argument("--rounds", type=int, default=7, help="turns of each side (default 7)")
    options.add_argument("--only", default="", metavar="TEXT", help="operations that contain TEXT")
    options = options.parse_args()
    if options.rounds < 1:
        sys.exit("--rounds must be at least 1")
    if options.json:
        options.json = options.json.resolve()
        options.json.parent.mkdir(parents=True, exist_ok=True)
    TARGET.mkdir(parents=True, exist_ok=True)

    rows = []
    for comparison in prepare():
        if options.only not in comparison.operation:
            continue
        log(f"{comparison.operation}: {comparison.peer}")
        row, beside = measure(comparison, options.rounds)
        row["area"] = area
        rows.append((row, beside))
    print(f"{machine()}; medians of {options.rounds} alternating turns")
    print("ratio = peer's time / ours; spread = smallest and largest ratio of one round\n")
    print("\n".join(table(rows)))
    if options.json:
        options.json.write_text(json.dumps([row for row, _ in rows], indent=2) + "\n")
