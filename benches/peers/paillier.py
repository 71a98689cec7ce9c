#!/usr/bin/env python3
"""Additive encryption beside phe (with gmpy2), pypaillier and HEU (ZPaillier), on one thread.

    python3 benches/peers/paillier.py --json target/peers/paillier.json

README.md in this folder says what is measured and what is not.
"""

import os
import pathlib

# One thread on all sides: HEU spreads batches over the cores it may use.
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import harness
from harness import Comparison, Side, Worker

HERE = pathlib.Path(__file__).resolve().parent
PEERS = {
    "phe": ("phe 1.5.0 with gmpy2", ("phe==1.5.0", "gmpy2==2.3.2")),
    "pypaillier": ("pypaillier 0.8.0", ("pypaillier==0.8.0",)),
    "heu": ("HEU 0.5.2b0 (ZPaillier)", ("sf-heu==0.5.2b0", "numpy==1.26.4")),
}
BATCH, TERMS = 64, 1000
# Operation here and there, what it is called, and the least ratio to the best of the peers.
OPERATIONS = [
    ("encrypt", "encrypt", "encrypt with the public key", 4),
    ("owner", "encrypt", "encrypt with the private key", 6),
    ("decrypt", "decrypt", "decrypt", 5),
    ("add", "add", "add", 4),
    ("multiply", "multiply", "multiply by 63 secret bits", 3),
]


def prepare():
    binary = harness.build("paillier-he", "peer_paillier")
    ours = Worker("paillier-he", [binary])
    for kind, (name, pins) in PEERS.items():
        python = harness.environment(f"paillier-{kind}", pins)
        theirs = Worker(name, [python, HERE / "paillier_peers.py", kind])
        for bits in (2048, 3072):
            for mine, peer, label, target in OPERATIONS:
                yield Comparison(
                    f"{label}, {bits} bits",
                    name,
                    Side(ours, f"{mine}-{bits}", BATCH),
                    Side(theirs, f"{peer}-{bits}", BATCH),
                    target,
                )
            if kind != "pypaillier":
                yield Comparison(
                    f"a term of a dot product, 16-bit weights, {bits} bits",
                    name,
                    Side(ours, f"dot-{bits}", TERMS),
                    Side(theirs, f"dot-{bits}", TERMS),
                )
        if kind == "phe":
            yield Comparison(
                "encrypt in standard mode, 2048 bits",
                name,
                Side(ours, "standard_encrypt-2048", BATCH),
                Side(theirs, "encrypt-2048", BATCH),
            )
            yield Comparison(
                "make a key, 2048 bits", name, Side(ours, "keygen-2048"), Side(theirs, "keygen-2048")
            )
    yield Comparison(
        "r^n modulo n^2, key of 2048 bits, without vector instructions, n public",
        "num-bigint",
        Side(ours, "portable-4096"),
        Side(ours, "numbigint-4096"),
        2,
    )
    yield Comparison(
        "the same in constant time",
        "num-bigint",
        Side(ours, "portablesecret-4096"),
        Side(ours, "numbigint-4096"),
        2,
    )


if __name__ == "__main__":
    harness.main("paillier", __doc__.splitlines()[0], prepare)
