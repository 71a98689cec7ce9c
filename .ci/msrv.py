#!/usr/bin/env python3
"""Fails if a package that the crates need, with any feature, asks for a newer compiler than they
promise. What the standard library has since then, clippy finds (`incompatible_msrv`)."""

import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def version(text):
    numbers = [int(part) for part in text.split(".")]
    return tuple(numbers + [0] * (3 - len(numbers)))


def main():
    metadata = json.loads(
        subprocess.run(
            ["cargo", "metadata", "--format-version", "1", "--all-features"],
            cwd=ROOT,
            check=True,
            stdout=subprocess.PIPE,
        ).stdout
    )
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    needed, waiting = set(), list(metadata["workspace_members"])
    while waiting:
        found = waiting.pop()
        if found in needed:
            continue
        needed.add(found)
        for dependency in nodes[found]["deps"]:
            # Tests may need more than users do.
            if any(kind["kind"] != "dev" for kind in dependency["dep_kinds"]):
                waiting.append(dependency["pkg"])
    promised = {packages[member]["rust_version"] for member in metadata["workspace_members"]}
    if len(promised) != 1 or None in promised:
        sys.exit(f"the crates promise different compilers: {promised}")
    promise = promised.pop()
    newer = [
        f"{package['name']} {package['version']} needs Rust {package['rust_version']}"
        for package in (packages[id] for id in sorted(needed))
        if package["rust_version"] and version(package["rust_version"]) > version(promise)
    ]
    for line in newer:
        print(line)
    print(f"{len(needed)} packages, {len(newer)} of them need more than Rust {promise}")
    sys.exit(bool(newer))


if __name__ == "__main__":
    main()
