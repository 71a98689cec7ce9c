"""MPyC with three local processes: products and comparisons of vectors.

Answers lines `OPERATION REPETITIONS` with `SECONDS 0`. A line starts the three processes anew; only
the repetitions count.
"""

import subprocess
import sys

PROGRAM = """
import sys, time
from mpyc.runtime import mpc

async def main(operation, repetitions):
    secint = mpc.SecInt(32)
    await mpc.start()
    size = 20_000 if operation == "multiply" else 2_000
    a = mpc.input([secint(i) for i in range(size)], senders=0)
    b = mpc.input([secint(size - i) for i in range(size)], senders=1)
    await mpc.gather(a), await mpc.gather(b)
    begin = time.perf_counter()
    for _ in range(repetitions):
        if operation == "multiply":
            c = mpc.schur_prod(a, b)
        else:
            c = [x < y for x, y in zip(a, b)]
        await mpc.gather(c)
    took = time.perf_counter() - begin
    if mpc.pid == 0:
        print("TOOK", took, flush=True)
    await mpc.shutdown()

operation, repetitions = sys.argv[1], int(sys.argv[2])
mpc.run(main(operation, repetitions))
"""

for line in sys.stdin:
    operation, repetitions = line.split()
    repetitions = min(int(repetitions), 20)
    command = [sys.executable, "-c", PROGRAM, operation, str(repetitions)]
    run = subprocess.run(
        [*command, "-M3", "-T1", "-K40", "-L32", "--no-log"],
        capture_output=True,
        text=True,
    )
    took = [text.split()[1] for text in run.stdout.splitlines() if text.startswith("TOOK")]
    if not took:
        sys.exit(run.stderr)
    # The harness counts the repetitions it asked for.
    print(float(took[0]) * int(line.split()[1]) / repetitions, 0, flush=True)
