#!/usr/bin/env python3
"""dp-accounting (this workspace) beside dp-accounting 0.6.0 (PyPI), in one run.

Installs the pinned peer in target/peers/accounting, then alternates: ours, peer, ours, peer. Each
figure is the median of several rounds; a row is reported only if the two answers agree.

    python3 benches/peers/accounting.py [--rounds N] [--json FILE]
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import venv

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOME = ROOT / "target" / "peers" / "accounting"
PIN = ["dp-accounting==0.6.0"]

PEER = r"""
import sys, time
import dp_accounting as dpa
from dp_accounting import rdp
from dp_accounting.pld import privacy_loss_distribution as pl

def pld(sigma, q, k, delta):
    loss = pl.from_gaussian_mechanism(
        sigma, value_discretization_interval=1e-4, sampling_prob=q, use_connect_dots=True)
    return loss.self_compose(k).get_epsilon_for_delta(delta)

def laplace():
    loss = pl.from_laplace_mechanism(
        10.0, value_discretization_interval=1e-4, use_connect_dots=True)
    return loss.self_compose(100).get_epsilon_for_delta(1e-6)

def renyi():
    accountant = rdp.RdpAccountant()
    accountant.compose(dpa.SelfComposedDpEvent(
        dpa.PoissonSampledDpEvent(256 / 60000, dpa.GaussianDpEvent(1.1)), 10000))
    return accountant.get_epsilon(1e-5)

RUN = {
    "pld_mnist": lambda: pld(1.1, 256 / 60000, 14062, 1e-5),
    "pld_mnist_bracket": lambda: pld(1.1, 256 / 60000, 14062, 1e-5),
    "pld_1000": lambda: pld(1.0, 0.01, 1000, 1e-5),
    "pld_laplace": laplace,
    "renyi": renyi,
}
print("ready", flush=True)
for line in sys.stdin:
    run = RUN[line.strip()]
    start = time.perf_counter()
    value = run()
    print(repr(float(value)), time.perf_counter() - start, flush=True)
"""

# operation, words, target ratio, absolute limit in seconds, tolerance on the values
ROWS = [
    ("pld_mnist", "PLD epsilon, sampled Gaussian 1.1, 256/60000, 14062 steps", 10.0, 0.020, 1e-4),
    ("pld_mnist_bracket", "the same as a certified bracket of 1e-4", None, None, 2e-4),
    ("pld_1000", "PLD epsilon, sampled Gaussian 1.0, 0.01, 1000 steps", 10.0, None, 1e-4),
    ("pld_laplace", "PLD epsilon, Laplace 10, 100 releases", 10.0, None, 1e-4),
    ("renyi", "Rényi epsilon, 10^4 sampled steps", 10.0, 0.001, 1e-2),
    ("odometer", "odometer query after 10^5 events", None, 1e-6, None),
]


def install():
    python = HOME / "bin" / "python"
    if not python.exists():
        venv.create(HOME, with_pip=True)
        subprocess.run([python, "-m", "pip", "-q", "install", *PIN], check=True)
    return python


def ours_binary():
    build = ["cargo", "bench", "-p", "dp-accounting", "--bench", "accounting_peer", "--no-run",
             "--message-format=json"]
    lines = subprocess.run(build, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    for line in lines.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == "accounting_peer":
            return message["executable"]
    sys.exit("the benchmark was not built")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=pathlib.Path)
    args = parser.parse_args()
    python, binary = install(), ours_binary()
    pipe = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    peer = subprocess.Popen([python, "-c", PEER], **pipe)
    peer.stdout.readline()
    ours = subprocess.Popen([binary], **pipe)

    def ask(process, name):
        process.stdin.write(name + "\n")
        process.stdin.flush()
        value, seconds = process.stdout.readline().split()
        return float(value), float(seconds)

    rows = []
    print(f"{'operation':<58} {'ours':>10} {'peer':>10} {'ratio':>8} {'target':>7}")
    for name, words, target, limit, tolerance in ROWS:
        mine, theirs = [], []
        for _ in range(args.rounds):
            value, seconds = ask(ours, name)
            mine.append(seconds)
            if tolerance is not None:
                other, seconds = ask(peer, name)
                theirs.append(seconds)
                if abs(value - other) > tolerance:
                    sys.exit(f"{words}: {value} here, {other} there")
        ours_s = statistics.median(mine)
        peer_s = statistics.median(theirs) if theirs else None
        ratio = peer_s / ours_s if peer_s else None
        rows.append({"area": "accounting", "operation": words, "peer": PIN[0] if peer_s else None,
                     "ours_s": ours_s, "peer_s": peer_s, "ratio": ratio, "target": target})
        shown = [f"{peer_s:10.4g}" if peer_s else f"{'-':>10}",
                 f"{ratio:8.1f}" if ratio else f"{'-':>8}", f"{target or '-':>7}"]
        note = "" if limit is None else f"  limit {limit:g} s: {'met' if ours_s <= limit else 'MISSED'}"
        print(f"{words:<58} {ours_s:10.4g} {' '.join(shown)}{note}")
    for process in (ours, peer):
        process.stdin.close()
        process.wait(timeout=60)
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
