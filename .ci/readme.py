#!/usr/bin/env python3
"""Follows the README as a newcomer would: a program of one's own over a CSV file, from nothing."""

import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent


def main():
    readme = (ROOT / "README.md").read_text()
    commands = re.search(r"```sh\n(cargo new.*?)```", readme, re.DOTALL)[1]
    program = re.search(r"```rust,no_run\n(.*?)```", readme, re.DOTALL)[1]
    shown = re.search(r"```text\n(\d[^\n]* users\n.*?)```", readme, re.DOTALL)[1]
    folder = tempfile.TemporaryDirectory(prefix="newcomer-")
    own = {**os.environ, "CARGO_TARGET_DIR": str(ROOT / "target" / "newcomer")}
    # There the checkout does not lie beside the new program.
    commands = commands.replace("../confidant", str(ROOT))
    subprocess.run(["bash", "-euc", commands], cwd=folder.name, check=True)
    counts = pathlib.Path(folder.name) / "counts"
    (counts / "src" / "main.rs").write_text(program)
    draw = random.Random(3)
    rows = [
        f"2026-11-{draw.randint(1, 20):02},u{draw.randint(1, 5000)},"
        f"{draw.choice(['de', 'fr', 'it', 'at'])},{draw.randint(1, 5000)}"
        for _ in range(50_000)
    ]
    (counts / "logins.csv").write_text("when,user,country,seconds\n" + "\n".join(rows) + "\n")
    command = ["cargo", "run", "--quiet"]
    ran = subprocess.run(command, cwd=counts, env=own, check=True, stdout=subprocess.PIPE, text=True)
    print(ran.stdout, end="")
    # The same lines as in the README, with other noise: words and margins must agree.
    words = lambda text: re.sub(r"\d[\d\s]*(?=\s±)", "", text)
    plain = lambda text: words(text).split()
    if plain(ran.stdout) != plain(shown):
        sys.exit("the README shows another output")


if __name__ == "__main__":
    main()
