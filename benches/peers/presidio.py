"""deid-text beside presidio-analyzer: the same texts, seconds for each call.

Without a spaCy model, which PyPI does not hold, Presidio runs its pattern recognizers only, and so
do we.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import time
import venv

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "target" / "peers" / "presidio"
PIN = "presidio-analyzer==2.2.366"
FORM = (
    "Name: Ana Lovelace\nSSN: 536-22-1847\nPhone: (415) 555-0132\nEmail: ana@example.org\n"
    "Card: 4111 1111 1111 1111\nIBAN: DE89370400440532013000\nIP: 203.0.113.17\n"
)

WORKER = """
import json, sys, time
from presidio_analyzer import RecognizerRegistry
registry = RecognizerRegistry(); registry.load_predefined_recognizers(languages=["en"])
recognizers = [r for r in registry.recognizers if r.supported_language == "en" and r.name != "SpacyRecognizer"]
text = sys.stdin.read()
times = []
for _ in range(5):
    start = time.perf_counter()
    for r in recognizers:
        r.analyze(text, r.supported_entities, None)
    times.append(time.perf_counter() - start)
print(json.dumps(sorted(times)[2]))
"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--json")
    args = parser.parse_args()
    python = FOLDER / "bin" / "python"
    if not python.exists():
        venv.create(FOLDER, with_pip=True)
        subprocess.run([python, "-m", "pip", "-q", "install", PIN], check=True)
    subprocess.run(["cargo", "build", "--release", "-p", "confidant", "--features", "deid", "--example", "peer_deid"], cwd=ROOT, check=True)
    ours = ROOT / "target" / "release" / "examples" / "peer_deid"
    rows = []
    for name, text in [("form of 200 B", FORM), ("forms of 20 kB", FORM * 100)]:
        mine, theirs = [], []
        for _ in range(3):
            theirs.append(float(subprocess.run([python, "-c", WORKER], input=text, text=True, capture_output=True, check=True).stdout))
            mine.append(float(subprocess.run([ours], input=text, text=True, capture_output=True, check=True).stdout))
        a, b = statistics.median(mine), statistics.median(theirs)
        rows.append({"area": "deid", "operation": f"scan a {name}, patterns", "peer": PIN, "ours_s": a, "peer_s": b, "ratio": b / a, "target": 1000})
        print(f"{name:20} ours {a:.2e} s, Presidio {b:.2e} s, ratio {b / a:.0f}")
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    sys.exit(main())
