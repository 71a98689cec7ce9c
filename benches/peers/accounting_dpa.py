"""The side of `accounting.py` that runs dp-accounting of PyPI: started by it, in its environment.

Speaks the same protocol as `accounting_ours.rs`: a line `OPERATION REPETITIONS` is answered with a
line `SECONDS 0`, a line `value OPERATION` with the epsilon. Every repetition starts from nothing,
on both sides: a plan is priced once.
"""

import sys
import time

import dp_accounting as dpa
from dp_accounting import rdp
from dp_accounting.pld import privacy_loss_distribution as pld

RATE = 256 / 60000
# The same error as on the other side.
GRID = {"value_discretization_interval": 1e-4, "use_connect_dots": True}


def steps(sigma, rate, count):
    loss = pld.from_gaussian_mechanism(sigma, sampling_prob=rate, **GRID)
    return loss.self_compose(count).get_epsilon_for_delta(1e-5)


def laplace():
    loss = pld.from_laplace_mechanism(10.0, **GRID)
    return loss.self_compose(100).get_epsilon_for_delta(1e-6)


def renyi():
    accountant = rdp.RdpAccountant()
    step = dpa.PoissonSampledDpEvent(RATE, dpa.GaussianDpEvent(1.1))
    accountant.compose(dpa.SelfComposedDpEvent(step, 10000))
    return accountant.get_epsilon(1e-5)


OPERATIONS = {
    "loss-14062": lambda: steps(1.1, RATE, 14062),
    "loss-1000": lambda: steps(1.0, 0.01, 1000),
    "loss-laplace": laplace,
    "renyi": renyi,
}


def main():
    for line in sys.stdin:
        words = line.split()
        if words[0] == "value":
            print(f"{float(OPERATIONS[words[1]]())!r} 0", flush=True)
            continue
        run = OPERATIONS[words[0]]
        start = time.perf_counter()
        for _ in range(int(words[1])):
            run()
        print(f"{time.perf_counter() - start:e} 0", flush=True)


if __name__ == "__main__":
    main()
