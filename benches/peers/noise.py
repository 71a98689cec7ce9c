#!/usr/bin/env python3
"""Exact discrete noise beside prio, the other maintained Rust sampler of the same laws.

    python3 benches/peers/noise.py --json target/peers/noise.json

README.md in this folder says what is measured and what is not.
"""

import pathlib
import subprocess
import sys

import harness
from harness import Comparison, Side, Worker

HERE = pathlib.Path(__file__).resolve().parent
PRIO = "prio 0.18.1 (Rust)"
MANIFEST = """\
[package]
name = "noise-prio"
version = "0.0.0"
edition = "2024"
publish = false

[dependencies]
num-bigint = "0.5"
num-traits = "0.2"
prio = { version = "=0.18.1", default-features = false, features = ["experimental"] }
rand = { version = "0.10", default-features = false }
rand_chacha = "0.10"

[profile.release]
codegen-units = 1
lto = "thin"

[workspace]
"""
# The least ratio aimed at, for scales 3 to 2^20.
TARGET = 50
SCALES = (3, 10, 100, 1 << 10, 1 << 20, 1 << 32)


def build_prio():
    """Builds the peer in a project of its own; its path."""
    folder = harness.TARGET / "noise-prio"
    (folder / "src").mkdir(parents=True, exist_ok=True)
    for path, text in (
        (folder / "Cargo.toml", MANIFEST),
        (folder / "src" / "main.rs", (HERE / "noise_prio.rs").read_text()),
    ):
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
    harness.log(f"cargo build --release in {folder.relative_to(harness.ROOT)}")
    subprocess.run(["cargo", "build", "--release"], check=True, cwd=folder, stdout=sys.stderr)
    return folder / "target" / "release" / "noise-prio"


def prepare():
    ours = Worker("confidant", [harness.build("confidant", "peer_dp")])
    prio = Worker("prio", [build_prio()])
    for law, name in (("laplace", "Laplace, scale"), ("gaussian", "Gaussian, sigma")):
        for scale in SCALES:
            shown = scale if scale <= 100 else f"2^{scale.bit_length() - 1}"
            target = TARGET if scale <= 1 << 20 else None
            theirs = Side(prio, f"{law} {scale}")
            for kind, goal in (("batch", target), ("one", None)):
                ways = {"batch": "batch", "one": "one by one"}
                text = f"discrete {name} {shown}, {ways[kind]}, a draw"
                yield Comparison(text, PRIO, Side(ours, f"{law}-{kind} {scale}"), theirs, goal)
    for worker in (ours, prio):
        worker.close()


if __name__ == "__main__":
    harness.main("noise", __doc__, prepare)
