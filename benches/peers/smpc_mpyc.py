"""MPyC with three local processes: products and comparisons of vectors.

Answers lines `OPERATION REPETITIONS` with `SECONDS 0`. A line starts the three processes anew; only
the repetitions count. The processes run this file, too, with `party OPERATION REPETITIONS` and the options
of MPyC.
"""

import subprocess
import sys
import time

import numpy

# Repetitions take MPyC some seconds each; more than these would say no more.
MOST = 3
SIZES = {"multiply": 20_000, "less": 2_000}
# Operations that end so are on arrays, which MPyC computes on with NumPy.
ARRAYS = "-arrays"


async def party(mpc, operation, repetitions):
    secint = mpc.SecInt(32)
    await mpc.start()
    arrays = operation.endswith(ARRAYS)
    operation = operation.removesuffix(ARRAYS)
    values = numpy.arange(SIZES[operation])
    if arrays:
        a, b = secint.array(values), secint.array(values[::-1].copy())
    else:
        a, b = [[secint(int(value)) for value in order] for order in (values, values[::-1])]
    a, b = mpc.input(a, senders=0), mpc.input(b, senders=1)
    await mpc.gather(a)
    await mpc.gather(b)
    begin = time.perf_counter()
    for _ in range(repetitions):
        if arrays:
            c = a * b if operation == "multiply" else a < b
        elif operation == "multiply":
            c = mpc.schur_prod(a, b)
        else:
            c = [x < y for x, y in zip(a, b)]
        await mpc.gather(c)
    took = time.perf_counter() - begin
    if mpc.pid == 0:
        print("TOOK", took, flush=True)
    await mpc.shutdown()


def answer(operation, asked):
    """The seconds that so many repetitions take, of which at most a few are made."""
    made = min(asked, MOST)
    command = [sys.executable, __file__, "party", operation, str(made)]
    run = subprocess.run(
        [*command, "-M3", "-T1", "-K40", "-L32", "--no-log"],
        capture_output=True,
        text=True,
        timeout=600,
    )
    took = [text.split()[1] for text in run.stdout.splitlines() if text.startswith("TOOK")]
    if not took:
        sys.exit(run.stderr)
    return float(took[0]) * asked / made


if sys.argv[1:2] == ["party"]:
    from mpyc.runtime import mpc

    mpc.run(party(mpc, sys.argv[2], int(sys.argv[3])))
else:
    for line in sys.stdin:
        operation, asked = line.split()
        print(answer(operation, int(asked)), 0, flush=True)
