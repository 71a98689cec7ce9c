"""Compiles the phone tables (../phones.txt, ../phones.bin) from the package `phonenumbers`
(Apache-2.0), a Python edition of libphonenumber's metadata.

phones.bin: states of one minimal automaton over digits, 11 little-endian u16 each: the ten
successors (0 = none) and the kinds of numbers that end here (1 fixed, 2 mobile, 4 other).
phones.txt: `REGION|country code|national prefix|start state|leading digits|groupings`, where a
grouping is the list of its groups' lengths, such as `3-3-4`, in order.
"""
import collections, pathlib, re, struct
import phonenumbers
from phonenumbers import PhoneMetadata, COUNTRY_CODE_TO_REGION_CODE

HERE = pathlib.Path(__file__).resolve().parents[1]


class Nfa:
    def __init__(self):
        self.edges, self.eps = [], []

    def new(self):
        self.edges.append([])
        self.eps.append([])
        return len(self.edges) - 1


def parse(p, nfa):
    pos = 0

    def alt():
        nonlocal pos
        s, e = nfa.new(), nfa.new()
        while True:
            a, b = cat()
            nfa.eps[s].append(a)
            nfa.eps[b].append(e)
            if pos < len(p) and p[pos] == "|":
                pos += 1
                continue
            return s, e

    def cat():
        nonlocal pos
        s = e = nfa.new()
        while pos < len(p) and p[pos] not in "|)":
            begin = pos
            atom_end = skip_atom(begin)
            lo, hi, pos_after = quant(atom_end)
            for k in range(hi):
                pos = begin
                a, b = atom()
                nfa.eps[e].append(a)
                if k >= lo:
                    nfa.eps[a].append(b)
                e = b
            pos = pos_after
        return s, e

    def skip_atom(i):
        if p[i] == "(":
            depth = 0
            while True:
                if p[i] == "[":
                    i = p.index("]", i)
                depth += {"(": 1, ")": -1}.get(p[i], 0)
                i += 1
                if depth == 0:
                    return i
        if p[i] == "[":
            return p.index("]", i) + 1
        return i + 2 if p[i] == "\\" else i + 1

    def quant(i):
        if i < len(p) and p[i] == "?":
            return 0, 1, i + 1
        m = re.match(r"\{(\d+)(?:,(\d+))?\}", p[i:])
        if m:
            return int(m[1]), int(m[2] or m[1]), i + m.end()
        assert i >= len(p) or p[i] not in "*+", p
        return 1, 1, i

    def atom():
        nonlocal pos
        if p[pos] == "(":
            pos += 1
            if p.startswith("?:", pos):
                pos += 2
            s, e = alt()
            assert p[pos] == ")"
            pos += 1
            return s, e
        s, e = nfa.new(), nfa.new()
        if p[pos] == "[":
            end = p.index("]", pos)
            body, digits = p[pos + 1:end].replace("\\d", "0-9"), set()
            for m in re.finditer(r"(\d)-(\d)|(\d)", body):
                digits |= set(range(int(m[1]), int(m[2]) + 1)) if m[1] else {int(m[3])}
            pos = end + 1
        elif p.startswith("\\d", pos):
            digits, pos = set(range(10)), pos + 2
        else:
            digits, pos = {int(p[pos])}, pos + 1
        nfa.edges[s].append((digits, e))
        return s, e

    s, e = alt()
    assert pos == len(p), (p, pos)
    return s, e


def closure(nfa, states):
    seen, stack = set(states), list(states)
    while stack:
        for t in nfa.eps[stack.pop()]:
            if t not in seen:
                seen.add(t)
                stack.append(t)
    return frozenset(seen)


def dfa(patterns):
    nfa, starts, ends = Nfa(), [], {}
    for kind, pattern in patterns:
        s, e = parse(re.sub(r"\s", "", pattern), nfa)
        starts.append(s)
        ends[e] = kind
    start = closure(nfa, starts)
    index, rows, queue = {start: 0}, [], collections.deque([start])
    while queue:
        state = queue.popleft()
        row = []
        for d in range(10):
            nxt = {t for s in state for digits, t in nfa.edges[s] if d in digits}
            if not nxt:
                row.append(None)
                continue
            nxt = closure(nfa, nxt)
            if nxt not in index:
                index[nxt] = len(index)
                queue.append(nxt)
            row.append(index[nxt])
        accept = 0
        for s in state:
            accept |= ends.get(s, 0)
        rows.append((row, accept))
    return rows


def main():
    rows, regions = [([None] * 10, 0)], []
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        m = PhoneMetadata.metadata_for_region(region)
        kinds = [(1, m.fixed_line), (2, m.mobile)]
        kinds += [(4, k) for k in (m.toll_free, m.premium_rate, m.shared_cost, m.personal_number, m.voip, m.pager, m.uan, m.voicemail)]
        patterns = [(k, d.national_number_pattern) for k, d in kinds if d is not None and d.national_number_pattern]
        base = len(rows)
        for row, accept in dfa(patterns):
            rows.append(([None if t is None else base + t for t in row], accept))
        groups = []
        for f in list(m.number_format) + list(m.intl_number_format or []):
            parts = re.findall(r"\(((?:[^()]|\([^()]*\))*)\)", f.pattern)
            options = [""]
            for part in parts:
                lens = set()
                for a in re.sub(r"\[[^]]*\]|\\d", "d", part.replace("?:", "")).split("|"):
                    lo = hi = 0
                    for tok in re.finditer(r"[d\d](?:\{(\d+)(?:,(\d+))?\})?(\?)?", a):
                        a1 = int(tok[1]) if tok[1] else 1
                        b1 = int(tok[2]) if tok[2] else a1
                        lo, hi = lo + (0 if tok[3] else a1), hi + b1
                    lens |= set(range(max(lo, 1), hi + 1))
                options = [o + ("-" if o else "") + str(n) for o in options for n in sorted(lens)][:40]
            for o in options:
                if o not in groups:
                    groups.append(o)
        main_region = COUNTRY_CODE_TO_REGION_CODE[m.country_code][0] == region
        regions.append((region, m.country_code, m.national_prefix or "", base, m.leading_digits or "", groups, main_region))
    # Moore's partition refinement over all regions at once.
    block = [accept for _, accept in rows]
    while True:
        keys = {}
        new = [keys.setdefault((block[i], tuple(-1 if t is None else block[t] for t in row)), len(keys)) for i, (row, _) in enumerate(rows)]
        if len(keys) == len(set(block)):
            break
        block = new
    # State 0 stays the dead state.
    order = {block[0]: 0}
    for b in block:
        order.setdefault(b, len(order))
    table = [None] * len(order)
    for i, (row, accept) in enumerate(rows):
        table[order[block[i]]] = [0 if t is None else order[block[t]] for t in row] + [accept]
    assert len(table) < 65536
    (HERE / "phones.bin").write_bytes(b"".join(struct.pack("<11H", *row) for row in table))
    regions.sort(key=lambda r: (r[1], not r[6], r[0]))
    with open(HERE / "phones.txt", "w") as out:
        out.write("# Compiled by tools/phones.py from libphonenumber's metadata (Apache-2.0); don't edit.\n")
        for region, code, prefix, base, leading, groups, _ in regions:
            out.write(f"{region}|{code}|{prefix}|{order[block[base]]}|{leading}|{' '.join(groups)}\n")
    print(len(rows), "states,", len(table), "after minimization")


main()
