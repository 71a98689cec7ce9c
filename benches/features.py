#!/usr/bin/env python3
"""What each feature of `confidant` costs: packages, seconds of a first release build, and the size of the
program that the crate's documentation begins with.

    python3 benches/features.py            # all features, some fifteen minutes on two cores
    python3 benches/features.py dp kanon

Each feature is built alone (with what its example needs), from nothing, in a project of its own under
target/features; sizes are of stripped programs, less that of a program that does nothing.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benches" / "peers"))
import harness  # noqa: E402: found beside this file

QUESTIONS = ROOT / "crates" / "confidant" / "src" / "questions"
PROJECT = ROOT / "target" / "features"
# The features, and what the example of each needs besides.
FEATURES = {
    "dp": [],
    "accounting": [],
    "ledger": ["dp"],
    "kanon": [],
    "deid": [],
    "he": [],
    "smpc": [],
    "arrow": ["dp"],
    "full": [],
}
MANIFEST = """\
[package]
name = "probe"
version = "0.0.0"
edition = "2024"

[workspace]

[dependencies]
confidant = {{ path = "{path}", default-features = false, features = {features} }}

[profile.release]
strip = true
"""


def program(feature):
    """The example of a feature as a program, or one that does nothing."""
    page = QUESTIONS / f"{feature}.md"
    if not page.exists():
        return "fn main() {}\n"
    code = re.search(r"```rust\n(.*?)```", page.read_text(), re.DOTALL)[1]
    code = re.sub(r"^# ?", "", code, flags=re.MULTILINE)
    if "fn main()" in code:
        return code
    body = re.sub(r"Ok::<\(\), [^;]*?>\(\(\)\)\s*$", "Ok(())\n", code)
    return f"fn main() -> Result<(), Box<dyn std::error::Error>> {{\n{body}}}\n"


def build(features, code):
    """Seconds, packages and bytes of a first build."""
    shutil.rmtree(PROJECT / "target", ignore_errors=True)
    (PROJECT / "src").mkdir(parents=True, exist_ok=True)
    quoted = "[" + ", ".join(f'"{feature}"' for feature in features) + "]"
    path = ROOT / "crates" / "confidant"
    (PROJECT / "Cargo.toml").write_text(MANIFEST.format(path=path, features=quoted))
    (PROJECT / "src" / "main.rs").write_text(code)
    shutil.copy(ROOT / "Cargo.lock", PROJECT / "Cargo.lock")
    subprocess.run(["cargo", "fetch", "--quiet"], cwd=PROJECT, check=True)
    start = time.monotonic()
    subprocess.run(["cargo", "build", "--release", "--quiet"], cwd=PROJECT, check=True)
    seconds = time.monotonic() - start
    tree = ["cargo", "tree", "-e", "normal", "--prefix", "none", "--no-dedupe"]
    listed = subprocess.run(tree, cwd=PROJECT, check=True, stdout=subprocess.PIPE, text=True).stdout
    packages = {tuple(line.split()[:2]) for line in listed.splitlines() if line} - {("probe", "v0.0.0")}
    return seconds, len(packages), (PROJECT / "target" / "release" / "probe").stat().st_size


def main():
    wanted = sys.argv[1:] or list(FEATURES)
    unknown = [feature for feature in wanted if feature not in FEATURES]
    if unknown:
        sys.exit(f"no such feature: {', '.join(unknown)}; there are {', '.join(FEATURES)}")
    _, _, nothing = build([], "fn main() {}\n")
    print(f"{harness.machine()}\n")
    print("| features | packages | first build | program |")
    print("|---|---:|---:|---:|")
    for feature in wanted:
        features = [feature, *FEATURES[feature]]
        code = program(feature)
        harness.log(f"building {', '.join(features)}")
        seconds, packages, size = build(features, code)
        used = code != "fn main() {}\n"
        shown = f"{(size - nothing) / 1e6:.2f} MB" if used else ""
        print(f"| {', '.join(f'`{name}`' for name in features)} | {packages} | {seconds:.0f} s | {shown} |", flush=True)


if __name__ == "__main__":
    main()
