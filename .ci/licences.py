#!/usr/bin/env python3
"""Fails unless every package of the workspace's tree may be used under a licence that the project accepts."""

import re
import subprocess
import sys

ACCEPTED = {
    "MIT", "Apache-2.0", "BSD-1-Clause", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Zlib", "Unicode-3.0", "0BSD",
}
# Added permissions do not take any away.
EXCEPTIONS = {"LLVM-exception"}


def accepted(expression):
    """Whether an SPDX expression can be met by accepted licences alone."""
    text = expression.replace("/", " OR ")
    words = re.findall(r"[()]|[A-Za-z0-9.+-]+", text)
    python = []
    i = 0
    while i < len(words):
        word = words[i]
        if word in "()":
            python.append(word)
        elif word in ("OR", "AND"):
            python.append(word.lower())
        elif word == "WITH":
            i += 1
            if words[i] not in EXCEPTIONS:
                python[-1] = "False"
        else:
            python.append(str(word in ACCEPTED))
        i += 1
    return bool(python) and eval(" ".join(python))


def main():
    assert accepted("MIT/Apache-2.0") and accepted("(MIT OR GPL-3.0) AND Unicode-3.0")
    assert not accepted("GPL-3.0") and not accepted("MIT AND CC0-1.0") and not accepted("")
    tree = "cargo tree --workspace --all-features -e normal,build,dev --prefix none -f {p}|{l}".split()
    lines = subprocess.run(tree, check=True, capture_output=True, text=True).stdout.splitlines()
    packages = {line.removesuffix(" (*)") for line in lines if line}
    refused = sorted(line for line in packages if not accepted(line.rsplit("|", 1)[1].removesuffix(" (*)")))
    for line in refused:
        print("not an accepted licence:", line)
    print(f"{len(packages)} packages, {len(refused)} with a licence that is not accepted")
    sys.exit(bool(refused))


if __name__ == "__main__":
    main()
