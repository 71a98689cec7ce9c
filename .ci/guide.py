#!/usr/bin/env python3
"""Fails unless the guide's summary and its files agree, every link to a file leads somewhere, and the
gate runs every example that a page names a command for."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
GUIDE = ROOT / "docs" / "guide"
GATE = (ROOT / ".ci" / "run").read_text()
EXAMPLE = re.compile(r"cargo run [^`\n]*--example ([a-z_]+)")
LINK = re.compile(r"\]\(([^)#\s]*)(#[^)\s]*)?\)")


def anchor(heading):
    """The name under which mdBook and forges find a heading."""
    kept = "".join(c for c in heading.lower() if c.isalnum() or c in " -_")
    return "#" + kept.strip().replace(" ", "-")


def anchors(page):
    return {anchor(line.lstrip("#")) for line in page.read_text().splitlines() if line.startswith("#")}


def main():
    wrong = []
    listed = {(GUIDE / file).resolve() for file, _ in LINK.findall((GUIDE / "SUMMARY.md").read_text())}
    pages = {page.resolve() for page in GUIDE.rglob("*.md") if page.name != "SUMMARY.md"}
    wrong += [f"SUMMARY.md does not list {page.relative_to(GUIDE)}" for page in sorted(pages - listed)]
    for page in [*sorted(pages | listed), ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        if not page.is_file():
            wrong.append(f"SUMMARY.md lists {page.relative_to(GUIDE)}, which is not there")
            continue
        for example in EXAMPLE.findall(page.read_text()):
            if not re.search(rf"\b{example}\b", GATE):
                wrong.append(f"{page.relative_to(ROOT)}: the gate does not run the example {example}")
        for file, part in LINK.findall(page.read_text()):
            if "://" in file or file.startswith("mailto:"):
                continue
            target = (page.parent / file).resolve() if file else page
            if not target.exists():
                wrong.append(f"{page.relative_to(ROOT)}: no such file: {file}")
            elif part and target.suffix == ".md" and part not in anchors(target):
                wrong.append(f"{page.relative_to(ROOT)}: no such heading: {file}{part}")
    for line in wrong:
        print(line)
    print(f"{len(pages)} pages of the guide, {len(wrong)} defects")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
