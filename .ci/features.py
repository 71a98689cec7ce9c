#!/usr/bin/env python3
"""Fails unless `confidant` compiles, without a warning, with none of its features and with each of them alone.

Features like `ledger-postgres` are left out: they add one of a crate's features to that crate."""

import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def features():
    metadata = ["cargo", "metadata", "--format-version", "1", "--no-deps"]
    packages = json.loads(subprocess.run(metadata, cwd=ROOT, check=True, capture_output=True).stdout)["packages"]
    (facade,) = (package for package in packages if package["name"] == "confidant")
    return sorted(feature for feature in facade["features"] if "-" not in feature)


def compiles(feature):
    command = ["cargo", "clippy", "--quiet", "-p", "confidant", "--no-default-features", "--features", feature]
    return subprocess.run([*command, "--", "-D", "warnings"], cwd=ROOT).returncode == 0


def main():
    alone = ["", *features()]
    broken = [feature for feature in alone if not compiles(feature)]
    for feature in broken:
        print("does not compile:", f"the feature {feature} alone" if feature else "the crate without features")
    print(f"{len(alone)} choices of features, {len(broken)} of them do not compile")
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
