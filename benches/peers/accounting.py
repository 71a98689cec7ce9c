#!/usr/bin/env python3
"""Accounting of privacy loss beside dp-accounting of PyPI, at equal answers.

    python3 benches/peers/accounting.py --json target/peers/accounting.json

README.md in this folder says what is measured and what is not.
"""

import pathlib
import sys

import harness
from harness import Comparison, Side, Worker

HERE = pathlib.Path(__file__).resolve().parent
PINS = ("dp-accounting==0.6.0", "numpy==2.4.6", "scipy==1.17.1")
PEER = "dp-accounting 0.6.0 (Python)"
# A plan should be priced this much faster than by the peer.
FASTER = 10
SAMPLED = "subsampled Gaussian, sigma 1.1, q 256/60000"

# Text, our operation, the peer's, the largest difference of the two epsilons, the ratio aimed at.
ROWS = (
    (f"loss distribution, {SAMPLED}, 14,062 steps", "loss-14062", "loss-14062", 1e-4, FASTER),
    # The peer has no lower bound, so that there is nothing to aim at.
    ("the same, as a certified bracket of 1e-4", "loss-14062-bracket", "loss-14062", 1e-4, None),
    ("loss distribution, subsampled Gaussian, sigma 1, q 0.01, 1,000 steps",
     "loss-1000", "loss-1000", 1e-4, FASTER),
    ("loss distribution, Laplace, scale 10, 100 releases",
     "loss-laplace", "loss-laplace", 1e-4, FASTER),
    (f"Rényi, {SAMPLED}, 10,000 steps", "renyi", "renyi", 1e-2, FASTER),
)


def prepare():
    binary = harness.build("dp-accounting", "peer_accounting")
    python = harness.environment("accounting", PINS)
    ours = Worker("dp-accounting", [binary])
    peer = Worker(PEER, [python, HERE / "accounting_dpa.py"])
    for text, operation, other, tolerance, target in ROWS:
        here, _ = ours.ask(f"value {operation}")
        there, _ = peer.ask(f"value {other}")
        if not abs(here - there) <= tolerance:
            sys.exit(f"{text}: epsilon {here} here, {there} there")
        yield Comparison(text, PEER, Side(ours, operation), Side(peer, other), target)
    for worker in (ours, peer):
        worker.close()


if __name__ == "__main__":
    harness.main("accounting", __doc__, prepare)
