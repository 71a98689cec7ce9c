"""Compiles ../names/common.txt: English words that are written in lower case, from the documentation of permissively
licensed crates (their READMEs and doc comments in a cargo registry) and from the corpora that the tagger is trained on.

`python3 common.py REGISTRY DATA > ../names/common.txt`."""
import collections, pathlib, re, sys

WORD = re.compile(r"[A-Za-z][a-z']*[a-z]")
lower, capital = collections.Counter(), collections.Counter()


def count(line, weight=1):
    for i, w in enumerate(WORD.findall(line)):
        if w[0].islower():
            lower[w] += weight
        elif i:
            capital[w.lower()] += weight


for path in pathlib.Path(sys.argv[1]).glob("*/*"):
    for f in list(path.glob("*.md")) + list(path.glob("src/**/*.rs")):
        try:
            text = f.read_text()
        except (UnicodeDecodeError, OSError):
            continue
        for line in text.splitlines():
            line = line.strip()
            if f.suffix == ".md" or line.startswith(("///", "//!")):
                count(re.sub(r"`[^`]*`|https?://\S+|\w+(?:::|_)\w+", " ", line))
for path in pathlib.Path(sys.argv[2]).glob("*.conll"):
    for line in path.read_text().splitlines():
        f = line.split()
        if len(f) >= 2 and f[-1] == "O" and f[0].isascii() and f[0].isalpha():
            (lower if f[0].islower() else capital)[f[0].lower()] += 12 if f[0].islower() else 0
for w in sorted(w for w, n in lower.items() if n >= 24 and n >= 4 * capital[w] and "'" not in w and len(w) > 1):
    print(w)
