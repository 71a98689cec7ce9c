#!/usr/bin/env python3
"""Secret sharing, computing on shares and Prio3 beside MPyC, blahaj, vsss-rs and prio.

    python3 benches/peers/smpc.py --json target/peers/smpc.json
    python3 benches/peers/smpc.py --check    # only: our Prio3 reports are prio's, byte by byte

README.md in this folder says what is measured and what is not.
"""

import pathlib
import subprocess
import sys

import harness
from harness import Comparison, Side, Worker

HERE = pathlib.Path(__file__).resolve().parent
MPYC = "mpyc 0.11"
BLAHAJ = "blahaj 0.7"
VSSS = "vsss-rs 6.0.1"
PRIO = "prio 0.18.1"
MANIFEST = """\
[package]
name = "smpc-rust"
version = "0.0.0"
edition = "2024"
publish = false

[dependencies]
blahaj = "0.7"
prio = { version = "=0.18.1", features = ["test-util"] }
rand = "0.10"
vsss-rs = "=6.0.1"
smpc-shares = { path = "ROOT/crates/smpc-shares" }

[profile.release]
codegen-units = 1
lto = "thin"

[workspace]
"""
MEBIBYTE = 1 << 20
# Some megabytes that are freed go back to the system, as glibc is set, and each page of them is faulted in
# again: more time than the sharing takes, and the same for both. With these settings they are kept.
KEEPING = {"MALLOC_MMAP_THRESHOLD_": "1000000000", "MALLOC_TRIM_THRESHOLD_": "1000000000"}


def build_rust():
    """Builds the Rust peers in a project of their own; its path."""
    folder = harness.TARGET / "smpc-rust"
    (folder / "src").mkdir(parents=True, exist_ok=True)
    for path, text in (
        (folder / "Cargo.toml", MANIFEST.replace("ROOT", str(harness.ROOT))),
        (folder / "src" / "main.rs", (HERE / "smpc_rust.rs").read_text()),
    ):
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
    harness.log(f"cargo build --release in {folder.relative_to(harness.ROOT)}")
    subprocess.run(["cargo", "build", "--release"], check=True, cwd=folder, stdout=sys.stderr)
    return folder / "target" / "release" / "smpc-rust"


def prepare():
    rust_path = build_rust()
    subprocess.run([rust_path, "check"], check=True, stdout=sys.stderr)
    ours_path = harness.build("smpc-shares", "peer_smpc")
    ours, rust = Worker("confidant", [ours_path]), Worker("Rust peers", [rust_path])
    ours_keeping = Worker("confidant", [ours_path], KEEPING)
    rust_keeping = Worker("Rust peers", [rust_path], KEEPING)
    python = harness.environment("smpc", ["mpyc==0.11", "numpy==2.4.6"])
    mpyc = Worker("MPyC", [python, HERE / "smpc_mpyc.py"])
    for peer, prefix in ((BLAHAJ, "blahaj"), (VSSS, "vsss")):
        for mine, theirs, operation, step, what, goal in (
            (ours_keeping, rust_keeping, "share-bytes", "share", "sharing", 20),
            (ours, rust, "share-bytes-into", "share", "sharing, ours into given buffers", 20),
            (ours, rust, "share-bytes", "share", "sharing, both with page faults", None),
            (ours, rust, "reconstruct-bytes", "reconstruct", "reconstruction", 20),
        ):
            yield Comparison(
                f"Shamir (3, 1) {what}, of 1 MiB, a byte",
                peer,
                Side(mine, operation, MEBIBYTE),
                Side(theirs, f"{prefix}-{step}", MEBIBYTE),
                goal,
            )
    for kind, name, goal in (
        ("count", "Prio3Count", 2),
        ("sum", "Prio3Sum up to 1000", 2),
        ("histogram", "Prio3Histogram of 1000", 1),
        ("sumvec", "Prio3SumVec of 1000 bits", 1),
        ("multiproof", "Prio3SumVec of 1000 bits, Field64 with 3 proofs", 2),
        ("average", "Prio3Average up to 1000", 1),
        ("l1bound", "Prio3L1BoundSum of 1000 bits", 1),
    ):
        for step, what in (("shard", "sharding"), ("prepare", "preparation by both aggregators")):
            operation = f"{kind}-{step}"
            text = f"{name}, {what}"
            yield Comparison(text, PRIO, Side(ours, operation), Side(rust, operation), goal)
    for operation, what, ours_items, items, goal in (
        ("multiply", "product of vectors", 100_000, 20_000, 100),
        ("less", "comparison of 32-bit integers", 2_000, 2_000, 30),
    ):
        for suffix, type in (("", "lists"), ("-arrays", "arrays")):
            yield Comparison(
                f"{what}, Shamir (3, 1), theirs of {type}, an element",
                MPYC,
                Side(ours, f"{operation}-shamir", ours_items),
                Side(mpyc, operation + suffix, items),
                goal,
            )
    for worker in (ours, rust, ours_keeping, rust_keeping, mpyc):
        worker.close()


if __name__ == "__main__":
    if "--check" in sys.argv:
        harness.TARGET.mkdir(parents=True, exist_ok=True)
        subprocess.run([build_rust(), "check"], check=True)
    else:
        harness.main("smpc", __doc__, prepare)
