"""Writes cases.tsv: identifiers of each scheme, made from its published definition and not by this crate.

`python3 cases.py > cases.tsv`. A line is ENTITY, kind, value. Kinds: `valid` has check characters that hold;
`form` has the form, and nothing to check; `invalid` breaks a rule of the scheme and must not be found."""
import hashlib, random, string, datetime

R = random.Random(20261122)
D = string.digits
U = string.ascii_uppercase
rows = []


def digits(n, first=D):
    return R.choice(first) + "".join(R.choice(D) for _ in range(n - 1)) if n else ""


def letters(n, of=U):
    return "".join(R.choice(of) for _ in range(n))


def group(s, lengths, sep=" "):
    out, i = [], 0
    for n in lengths:
        out.append(s[i:i + n])
        i += n
    return sep.join(out)


def w(s, ws):
    return sum(int(c) * k for c, k in zip(s, ws))


def date(fmt, lo=1940, hi=2004):
    d = datetime.date(R.randint(lo, hi), R.randint(1, 12), R.randint(1, 28))
    return d.strftime(fmt)


def luhn(s):
    t = sum(sum(divmod(int(c) * (2 if i % 2 else 1), 10)) for i, c in enumerate(reversed(s)))
    return t % 10 == 0


def luhn_digit(s):
    return next(d for d in D if luhn(s + d))


def solve(body, ok, of=D):
    """body with the one last character that makes `ok` hold, or None."""
    return next((body + c for c in of if ok(body + c)), None)


def until(make):
    while True:
        v = make()
        if v:
            return v


VD = [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 3, 4, 0, 6, 7, 8, 9, 5], [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
      [3, 4, 0, 1, 2, 8, 9, 5, 6, 7], [4, 0, 1, 2, 3, 9, 5, 6, 7, 8], [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
      [6, 5, 9, 8, 7, 1, 0, 4, 3, 2], [7, 6, 5, 9, 8, 2, 1, 0, 4, 3], [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
      [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]]
VP = [list(range(10)), [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]]
for _ in range(6):
    VP.append([VP[1][VP[-1][j]] for j in range(10)])
# p_i is p_1 applied i times.
for i in range(2, 8):
    VP[i] = [VP[1][VP[i - 1][j]] for j in range(10)]


def verhoeff(s):
    c = 0
    for i, d in enumerate(reversed(s)):
        c = VD[c][VP[i % 8][int(d)]]
    return c == 0


def iso1110(s):
    p = 10
    for c in s[:-1]:
        t = (int(c) + p) % 10 or 10
        p = 2 * t % 11
    return (11 - p) % 10 == int(s[-1])


def b36(c):
    return int(c, 36)


def mod97(s):
    return int("".join(str(b36(c)) for c in s)) % 97


def icao(s):
    return sum(b36(c) * k for c, k in zip(s, [7, 3, 1] * 15)) % 10


def comp(ws, m=10):
    return lambda s: (m - w(s, ws) % m) % m == int(s[len(ws)])


def flat(ok, make_body, of=D):
    return lambda: until(lambda: solve(make_body(), ok, of))


def mutate_digit(v, at=-1):
    """Another digit in place of the one at `at`."""
    i = at if at >= 0 else len(v) + at
    c = v[i]
    n = R.choice([x for x in (D if c in D else U) if x != c])
    return v[:i] + n + v[i + 1:]


def add(entity, kind, value):
    rows.append((entity, kind, value))


def scheme(entity, make, spell=None, check=-1, n=12, kind="valid", ok=None, lower=False):
    """`spell` gives all spellings of a value; `check` is the place of a check character, None if there is none."""
    for i in range(n):
        v = make()
        forms = spell(v) if spell else [v]
        add(entity, kind, forms[i % len(forms)])
        if lower and i % 4 == 3 and " " not in forms[i % len(forms)]:
            add(entity, kind, forms[i % len(forms)].lower())
        if check is not None:
            bad = mutate_digit(v, check)
            tries = 0
            while ok and ok(bad) and tries < 50:
                bad, tries = mutate_digit(v, check), tries + 1
            if not ok or not ok(bad):
                add(entity, "invalid", (spell(bad) if spell else [bad])[i % len(forms)])


def bad(entity, *values):
    for v in values:
        add(entity, "invalid", v)


# --- payment and banks
RANGES = [("4", 16), ("4", 19), ("51", 16), ("55", 16), ("2221", 16), ("2720", 16), ("34", 15), ("37", 15), ("6011", 16),
          ("65", 16), ("644", 16), ("300", 14), ("36", 14), ("38", 14), ("3528", 16), ("3589", 16), ("62", 16), ("62", 19),
          ("5018", 16), ("6304", 16), ("6759", 18), ("2200", 16), ("9792", 16)]
for prefix, n in RANGES * 2:
    v = prefix + digits(n - len(prefix) - 1)
    v += luhn_digit(v)
    forms = [v]
    if n == 16:
        forms += [group(v, [4] * 4), group(v, [4] * 4, "-")]
    if n == 15:
        forms += [group(v, [4, 6, 5]), group(v, [4, 6, 5], "-")]
    if n == 14:
        forms += [group(v, [4, 6, 4]), group(v, [4, 6, 4], "-")]
    if n == 19:
        forms += [group(v, [4, 4, 4, 4, 3])]
    for f in forms:
        add("CREDIT_CARD", "valid", f)
    b = mutate_digit(v)
    add("CREDIT_CARD", "invalid", b)
    if n == 16:
        add("CREDIT_CARD", "invalid", group(b, [4] * 4))
bad("CREDIT_CARD", "4444444444444444", "0000000000000000", "4111 1111 1111", "1234567812345678", "41111111111111111111111")

IBANS = {"AD": "8n12c", "AE": "19n", "AL": "8n16c", "AT": "16n", "AZ": "4a20c", "BA": "16n", "BE": "12n", "BG": "4a6n8c",
         "BH": "4a14c", "BR": "23n1a1c", "BY": "4c4n16c", "CH": "5n12c", "CR": "18n", "CY": "8n16c", "CZ": "20n", "DE": "18n",
         "DK": "14n", "DO": "4c20n", "EE": "16n", "EG": "25n", "ES": "20n", "FI": "14n", "FO": "14n", "FR": "10n11c2n",
         "GB": "4a14n", "GE": "2a16n", "GI": "4a15c", "GL": "14n", "GR": "7n16c", "GT": "24c", "HR": "17n", "HU": "24n",
         "IE": "4a14n", "IL": "19n", "IQ": "4a15n", "IS": "22n", "IT": "1a10n12c", "JO": "4a4n18c", "KW": "4a22c",
         "KZ": "3n13c", "LB": "4n20c", "LC": "4a24c", "LI": "5n12c", "LT": "16n", "LU": "3n13c", "LV": "4a13c", "LY": "21n",
         "MC": "10n11c2n", "MD": "20c", "ME": "18n", "MK": "3n10c2n", "MR": "23n", "MT": "4a5n18c", "MU": "4a19n3a",
         "NL": "4a10n", "NO": "11n", "PK": "4a16c", "PL": "24n", "PS": "4a21c", "PT": "21n", "QA": "4a21c", "RO": "4a16c",
         "RS": "18n", "SA": "2n18c", "SC": "4a20n3a", "SE": "20n", "SI": "15n", "SK": "20n", "SM": "1a10n12c", "ST": "21n",
         "SV": "4a20n", "TL": "19n", "TN": "20n", "TR": "6n16c", "UA": "6n19c", "VA": "18n", "VG": "4a16n", "XK": "16n"}
for cc, shape in IBANS.items():
    n, body = "", ""
    for c in shape:
        if c in D:
            n += c
        else:
            body += {"n": digits, "a": letters, "c": lambda k: letters(k, D + U)}[c](int(n))
            n = ""
    v = cc + f"{98 - mod97(body + cc + '00'):02d}" + body
    blocks = [4] * (len(v) // 4) + ([len(v) % 4] if len(v) % 4 else [])
    for f in [v, group(v, blocks), group(v, blocks, "-"), v.lower()]:
        add("IBAN_CODE", "valid", f)
    b = mutate_digit(v, 3)
    add("IBAN_CODE", "invalid", b)
    add("IBAN_CODE", "invalid", group(b, blocks))
    add("IBAN_CODE", "invalid", v + "7")
    add("IBAN_CODE", "invalid", v[:-1])

for v in ["DEUTDEFF", "DEUTDEFF500", "BNPAFRPP", "CHASUS33", "CHASUS33XXX", "NEDSZAJJ", "UBSWCHZH80A", "BARCGB22", "INGBNL2A"]:
    add("BIC_CODE", "form", v)
bad("BIC_CODE", "DEUTZZFF", "DEUT1EFF", "DEUTDEF", "DEUTDEFF50", "deutde-ff")

# --- crypto-currency
B58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def base58check(version):
    raw = bytes([version]) + bytes(R.getrandbits(8) for _ in range(20))
    raw += hashlib.sha256(hashlib.sha256(raw).digest()).digest()[:4]
    n, out = int.from_bytes(raw, "big"), ""
    while n:
        n, r = divmod(n, 58)
        out = B58[r] + out
    return "1" * (len(raw) - len(raw.lstrip(b"\0"))) + out


B32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def bech(version, program, const):
    bits = "".join(f"{b:08b}" for b in program)
    bits += "0" * (-len(bits) % 5)
    data = [version] + [int(bits[i:i + 5], 2) for i in range(0, len(bits), 5)]
    hrp = "bc"
    exp = [ord(c) >> 5 for c in hrp] + [0] + [ord(c) & 31 for c in hrp]

    def poly(vs):
        g, c = [0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3], 1
        for x in vs:
            t = c >> 25
            c = (c & 0x1FFFFFF) << 5 ^ x
            for i in range(5):
                c ^= g[i] if t >> i & 1 else 0
        return c
    p = poly(exp + data + [0] * 6) ^ const
    return hrp + "1" + "".join(B32[x] for x in data + [p >> 5 * (5 - i) & 31 for i in range(6)])


def some_bytes(n):
    return bytes(R.getrandbits(8) for _ in range(n))


for _ in range(6):
    for v in [base58check(0), base58check(5), bech(0, some_bytes(20), 1), bech(0, some_bytes(32), 1),
              bech(1, some_bytes(32), 0x2BC830A3)]:
        add("CRYPTO", "valid", v)
        i = len(v) - 1
        other = R.choice([c for c in (B32 if v.startswith("bc1") else B58) if c != v[i]])
        add("CRYPTO", "invalid", v[:i] + other)
    add("CRYPTO", "form", "0x" + "".join(R.choice("0123456789abcdef") for _ in range(40)))
    add("CRYPTO", "valid", bech(0, some_bytes(20), 1).upper())
bad("CRYPTO", bech(0, some_bytes(20), 0x2BC830A3), bech(1, some_bytes(32), 1), "1A1zP1eP5QGefi2DMPTfTL5SLmv7Divf", "0x12345")

# --- network
for v in ["ana@example.org", "Ana.Lovelace@mail.example.co.uk", "a+tag@example.com", "o'neil@example.ie", "x_1-2@sub.example.de",
          "first.last@xn--mnchen-3ya.de", "info@presidio.site", "user%dept@example.org", "1234@example.net", "j.d@example.museum",
          "UPPER@EXAMPLE.COM", "kontakt@müller.de", "a@b.io", "o#neil@example.org", "anna_maria@example.fr", "{id}@example.org"[1:3] + "@example.it"]:
    add("EMAIL_ADDRESS", "valid", v)
bad("EMAIL_ADDRESS", "ana@example", "ana@", "@example.org", "ana@example.notatld", "my email is invalid@presidio.",
    "ana@@example", "a b@c", "ana@127", "ana@.org", "ana@-example")
for v in ["192.168.17.4", "8.8.8.8", "255.255.255.0", "10.0.0.0/8", "203.0.113.255/32", "2001:db8::1", "fe80::1%eth0",
          "2001:0db8:85a3:0000:0000:8a2e:0370:7334", "::ffff:192.0.2.128", "2001:db8::/32", "684D:1111:222:3333:4444:5555:6:77",
          "::1", "fe80::5efe:192.168.0.1", "1::", "64:ff9b::192.0.2.33", "0.0.0.0", "127.0.0.1", "::ffff:10.0.0.1", "2001:db8:1:2:3:4:5:6"]:
    add("IP_ADDRESS", "form", v)
bad("IP_ADDRESS", "192.168.1.256", "192.168.1", "1.2.3.4.5", "684D:1111:222:3333:4444:5555:77", "2001:db8::1::2", "12:30:45",
    "300.1.1.1", "999.999.999.999", "g001:db8::1", "std::vec::Vec", "1.2.3.-4")
for v in ["00:1b:44:11:3a:b7", "00-1B-44-11-3A-B7", "001b.4411.3ab7", "AA:BB:CC:DD:EE:0F", "aa-bb-cc-dd-ee-1f", "12:34:56:78:9A:BC",
          "5C:F3:70:8B:11:02", "dead.beef.0042", "F0:18:98:01:02:03", "02:42:ac:11:00:02"]:
    add("MAC_ADDRESS", "form", v)
bad("MAC_ADDRESS", "00:1b:44:11:3a", "00:1b:44:11:3a:b7:00", "00:00:00:00:00:00", "FF:FF:FF:FF:FF:FF", "00:1b-44:11:3a:b7",
    "0g:1b:44:11:3a:b7", "001b.4411", "ff-ff-ff-ff-ff-ff", "001b.4411.3ab7.12", "00:1b:44:11:3a:b7a")
for v in ["https://www.example.org/ana?x=1#top", "http://example.org", "https://microsoft.com", "www.example.co.uk", "example.com",
          "http://example.site/a_b", "https://sub.domain.example.de:8443/path/", "ftp://files.example.org/a.txt", "example.co.il",
          "https://203.0.113.7/login", "https://example.museum", "http://münchen.de/x", "HTTPS://WWW.EXAMPLE.COM/A", "example.org/profile/ana",
          "https://example.com/a(b)c", "blog.example.net"]:
    add("URL", "form", v)
bad("URL", "www.example", "http://example", "example.notatld", "http://", "file.rs", "foo.bar_baz", "v1.2", "U.S.A", "e.g")
for _ in range(10):
    h = lambda n: "".join(R.choice("0123456789abcdef") for _ in range(n))
    v = f"{h(8)}-{h(4)}-{R.choice('14578')}{h(3)}-{R.choice('89ab')}{h(3)}-{h(12)}"
    add("UUID", "form", R.choice([v, v.upper()]))
    bad("UUID", v[:14] + "0" + v[15:], v[:19] + "c" + v[20:], v[:-1], v + "0")
bad("UUID", "00000000-0000-0000-0000-000000000000", "g23e4567-e89b-42d3-a456-426614174000")
for v in ["5/20/2021", "20/5/2021", "2021-05-20", "20.05.2021", "2021/05/20", "5-20-2021", "20-5-2021", "May 20, 2021", "20 May 2021",
          "20-May-2021", "2021-05-20T14:30:00Z", "2021-05-20T14:30:00.123+02:00", "5/20/21", "20. Mai 2021", "20 mai 2021",
          "20 de mayo de 2021", "21st of March 1987", "March 21st, 1987", "1987年5月12日", "12 maggio 1960", "12 mei 1999", "2021-05-20 14:30",
          "12-Jan-87", "Jan 12 1987", "2021-05-20T14:30Z", "20 maja 2021", "Sept 3, 2019", "3 Sep. 2019", "20th May 2021", "Tuesday, May 20, 2021"[9:]]:
    add("DATE_TIME", "form", v)
bad("DATE_TIME", "32/13/2021", "2021-13-40", "99.99.9999", "13/32/2021", "0/0/2021", "31 Foo 2021", "2021-00-10", "45/45/45", "30 February 2021")

# --- phones by region (published formats)
for v in ["+1 415 555 0132", "(415) 555-0132", "415-555-0132", "415.555.0132", "+1 (415) 555-0132", "1-415-555-0132", "+14155550132",
          "+44 20 7946 0958", "020 7946 0958", "07700 900123", "+44 7700 900123", "(020) 7946 0958", "+44 (0)20 7946 0958", "0161 496 0000",
          "+49 30 901820", "030 901820", "+49 151 23456789", "0151 23456789", "+49 (0)30 901820", "089/123456", "+49-89-123456", "0049 30 901820",
          "+33 1 99 00 12 34", "01 99 00 12 34", "06 39 98 12 34", "+33 6 39 98 12 34", "01.99.00.12.34", "+33 (0)1 99 00 12 34",
          "+39 06 1234 5678", "06 12345678", "+39 312 345 6789", "312 345 6789", "+34 912 345 678", "912 345 678", "612 34 56 78", "+34 612 345 678",
          "+31 20 123 4567", "020 123 4567", "06 12345678", "+31 6 12345678", "+32 2 123 45 67", "02 123 45 67", "0470 12 34 56", "+32 470 12 34 56",
          "+41 44 668 18 00", "044 668 18 00", "079 123 45 67", "+41 79 123 45 67", "+43 1 1234567", "0664 1234567", "+43 664 1234567",
          "+46 8 123 456 78", "08-123 456 78", "070-123 45 67", "+46 70 123 45 67", "+47 22 12 34 56", "22 12 34 56", "412 34 567", "+47 412 34 567",
          "+45 32 12 34 56", "32 12 34 56", "+358 9 1234567", "09 1234567", "040 1234567", "+358 40 1234567", "+48 22 123 45 67", "22 123 45 67",
          "501 234 567", "+48 501 234 567", "+351 21 123 4567", "912 345 678", "+351 912 345 678", "+353 1 123 4567", "01 123 4567", "085 123 4567",
          "+91 98765 43210", "098765 43210", "+91 22 2345 6789", "9876543210", "+61 2 5550 0123", "(02) 5550 0123", "0491 570 156", "+61 491 570 156",
          "+64 9 123 4567", "09 123 4567", "021 123 4567", "+55 11 91234-5678", "(11) 91234-5678", "(11) 2345-6789", "+52 55 1234 5678", "55 1234 5678",
          "+81 3-1234-5678", "03-1234-5678", "090-1234-5678", "+81 90-1234-5678", "+82 2-312-3456", "02-312-3456", "010-2345-6789", "+82 10-2345-6789",
          "+86 10 1234 5678", "010-12345678", "139 1234 5678", "+86 139 1234 5678", "+972 3-123-4567", "03-123-4567", "054-123-4567", "+972 54-123-4567",
          "+27 21 123 4567", "021 123 4567", "082 123 4567", "+27 82 123 4567", "+90 532 123 45 67", "0532 123 45 67", "(0532) 123 45 67", "+90 212 123 45 67",
          "+63 917 123 4567", "0917 123 4567", "+65 6123 4567", "6123 4567", "+852 2123 4567", "2123 4567", "+420 601 123 456", "601 123 456",
          "+36 1 234 5678", "06 1 234 5678", "+40 21 123 4567", "021 123 4567", "0712 034 567", "+30 21 2345 6789", "691 234 5678", "+7 912 345-67-89",
          "8 (912) 345-67-89", "+380 50 123 4567", "050 123 4567", "+54 11 2345-6789", "011 2345-6789", "+57 321 1234567", "321 1234567",
          "+56 2 2123 4567", "(2) 2123 4567", "+234 802 123 4567", "0802 123 4567", "+20 100 123 4567", "0100 123 4567", "+966 51 234 5678", "051 234 5678",
          "+971 50 123 4567", "050 123 4567", "+66 81 234 5678", "081 234 5678", "+84 91 234 56 78", "091 234 56 78", "+60 12-345 6789", "012-345 6789",
          "+62 812-345-678", "0812-345-678", "415-555-0132 x123", "+1 415 555 0132 ext. 77", "+254 712 123456", "+212 650-123456", "+880 1812-345678",
          "+92 301 2345678", "+98 912 345 6789", "+964 791 234 5678", "+51 912 345 678", "+593 99 123 4567", "+598 94 231 234", "+386 31 234 567",
          "+385 92 123 4567", "+381 60 1234567", "+359 87 123 4567", "+370 612 34567", "+371 21 234 567", "+372 5123 4567", "+354 611 1234",
          "+352 628 123 456", "+356 9696 1234", "+357 96 123456", "+506 8312 3456", "+507 6123-4567", "+94 71 234 5678", "+977 984-1234567"]:
    add("PHONE_NUMBER", "form", v)
bad("PHONE_NUMBER", "12/05/1987", "192.168.1.1", "3.14159265", "2024-05-12", "1234", "111-111-1111", "+1 23", "12345", "00000000", "1999-2005",
    "4111 1111 1111 1111", "536-22-1847", "(1)", "100,000,000", "978-0-306-40615-7", "v1.2.3.4", "2021-05-20T14:30:00", "$1,555,0132", "[1] 12 14 16")


# --- United States
def ssn():
    return until(lambda: (lambda a, g, s: a + g + s if a not in ("000", "666") and a[0] != "9" and g != "00" and s != "0000" else None)(
        digits(3), digits(2), digits(4)))


for i in range(12):
    v = ssn()
    for sep in "- .":
        add("US_SSN", "form", group(v, [3, 2, 4], sep))
    add("US_SSN", "weak", v)
bad("US_SSN", "000-12-3456", "666-12-3456", "536-00-1847", "536-22-0000", "078-05-1120", "900-12-3456", "536-22.1847", "536-221-847",
    "1536-22-1847", "536-22-18471", "123-45-678", "111-11-1111")
for i in range(10):
    v = "9" + digits(2) + R.choice("5678") + R.choice("0123") + digits(4)
    v = v if 50 <= int(v[3:5]) <= 65 or 70 <= int(v[3:5]) <= 88 else "91270" + digits(4)
    add("US_ITIN", "form", group(v, [3, 2, 4], "-"))
    add("US_ITIN", "form", group(v, [3, 2, 4], " "))
    add("US_ITIN", "weak", v)
bad("US_ITIN", "912-93-1234", "912-69-1234", "812-70-1234", "912-49-1234", "91270123", "912-70-12345", "912-89-1234")
for i in range(10):
    add("US_BANK_NUMBER", "weak", digits(R.randint(8, 17)))
bad("US_BANK_NUMBER", "1234567", "123456789012345678", "12345678a")
for f in ["L7", "L8", "L12", "D123456789", "LLdddddd", "LLddddddL", "ddLLLddddd", "dddLLdddd", "ddddddddL", "dddddddddL"]:
    f = f.replace("L7", "Ldddddd" + "d").replace("L8", "Ldddddddd").replace("L12", "L" + "d" * 12).replace("D123456789", "L" + "d" * 9)
    for _ in range(2):
        add("US_DRIVER_LICENSE", "weak", "".join(R.choice(U) if c == "L" else R.choice("123456789") for c in f))
bad("US_DRIVER_LICENSE", "ABCDEFG", "A", "ABCDE-FGH", "12", "A1-B2")
for i in range(10):
    add("US_PASSPORT", "weak", R.choice([digits(9, "123456789"), R.choice(U) + digits(8)]))
bad("US_PASSPORT", "12345678", "1234567890", "AB1234567", "A1234567", "A123456789")


def dea():
    b = letters(1, "ABCDEFGHJKLMPRSTUX") + letters(1) + digits(6)
    d = [int(c) for c in b[2:]]
    return b + str((d[0] + d[2] + d[4] + 2 * (d[1] + d[3] + d[5])) % 10)


scheme("MEDICAL_LICENSE", dea, lower=True)
aba_ok = lambda s: w(s, [3, 7, 1] * 3) % 10 == 0 and (lambda p: 1 <= p <= 12 or 21 <= p <= 32 or 61 <= p <= 72 or p == 80)(int(s[:2]))
scheme("ABA_ROUTING_NUMBER", flat(aba_ok, lambda: R.choice(["01", "06", "12", "21", "31", "67", "80"]) + digits(6)),
       lambda v: [v, group(v, [4, 4, 1], "-")])
bad("ABA_ROUTING_NUMBER", "421000021", "12274797", "1227479690")
MA = "ACDEFGHJKMNPQRTUVWXY"


def mbi():
    m = MA + D
    return R.choice("123456789") + R.choice(MA) + R.choice(m) + R.choice(D) + R.choice(MA) + R.choice(m) + R.choice(D) + letters(2, MA) + digits(2)


scheme("US_MBI", mbi, lambda v: [v, group(v, [4, 3, 4], "-")], check=None, kind="form", lower=True)
bad("US_MBI", "1SG4-TE5-MK73", "0EG4-TE5-MK73", "1EG4-TE5-MK7", "1EGA-TE5-MK73", "1EG4TE5MK733", "1EG4TE5-MK73X")
scheme("US_NPI", flat(lambda s: luhn("80840" + s), lambda: R.choice("12") + digits(8)),
       lambda v: [v, group(v, [4, 3, 3], "-"), group(v, [4, 3, 3])])
bad("US_NPI", "3881804169", "188180416", "1111111111")
for v in ["XEH123456789", "ABC-12345678", "W123456789", "H12345678", "ZZQ1234567890", "YRP987654321", "MCD00112233", "U9876543201", "AB-99887766", "JQU12A34B567"]:
    add("US_HEALTH_INSURANCE_MEMBER_ID", "weak", v)
bad("US_HEALTH_INSURANCE_MEMBER_ID", "ABCDEFGH", "12345678", "A1", "ABCDEF-123456789012345678")
for e, p, n in [("US_PRIOR_AUTHORIZATION_NUMBER", "PA-", 12), ("US_CLAIM_NUMBER", "CLM-", 15), ("US_PRESCRIPTION_NUMBER", "RX-", 12),
                ("US_REFERRAL_NUMBER", "REF-", 12)]:
    for _ in range(5):
        add(e, "weak", p + digits(R.randint(6, n)))
        add(e, "weak", digits(R.randint(6, n)))
    bad(e, p + "12345", p + digits(n + 1), "12345")
EIN = [*range(1, 7), *range(10, 17), *range(20, 28), *range(30, 40), *range(40, 49), *range(50, 60), *range(60, 69), *range(71, 78),
       *range(80, 89), *range(90, 96), 98, 99]
for i in range(12):
    add("US_PROVIDER_TAX_ID", "weak", f"{R.choice(EIN):02d}-{digits(7)}")
bad("US_PROVIDER_TAX_ID", "07-1234567", "00-1234567", "97-1234567", "12-345678", "12-34567890", "123-456789")

# --- United Kingdom and Ireland
nhs_ok = lambda s: (11 - w(s, range(10, 1, -1)) % 11) % 11 == int(s[9])
scheme("UK_NHS", flat(nhs_ok, lambda: R.choice("456789") + digits(8)), lambda v: [v, group(v, [3, 3, 4]), group(v, [3, 3, 4], "-")])
bad("UK_NHS", "1111111111", "401-023-21371", "40102321")
for _ in range(12):
    v = R.choice("ABCEGHJKLMNOPRSTWXYZ") + R.choice("ABCEGHJKLMNPRSTWXYZ")
    v = "AB" if v in ("BG", "GB", "NK", "KN", "NT", "TN", "ZZ") else v
    v += digits(6) + R.choice("ABCD")
    for f in [v, group(v, [2, 2, 2, 2, 1]), v.lower()]:
        add("UK_NINO", "form", f)
bad("UK_NINO", "AB123456E", "DB123456A", "AO123456A", "BG123456A", "AB12345A", "AB1234567", "ZZ 12 34 56 A", "QQ123456C", "XAB123456C")
for v in ["SW1A 1AA", "M1 1AE", "B33 8TH", "CR2 6XH", "DN55 1PT", "EC1A 1BB", "W1A 0AX", "LS1 4AP", "G2 3BZ", "N1 9GU", "GIR 0AA", "OX14 4RN"]:
    add("UK_POSTCODE", "weak", v)
    add("UK_POSTCODE", "weak", v.replace(" ", ""))
bad("UK_POSTCODE", "QW1A 1AA", "SW1A 1CA", "SI1 1AA", "A9I 1AA"[:3] + " 1MM", "SW1A 11A", "12345", "M1 1IE")
for _ in range(10):
    add("UK_PASSPORT", "weak", letters(2, "ABDEIOQSU") + digits(7))  # not German ones
bad("UK_PASSPORT", "A12345678", "AB123456", "AB12345678")


def ukdl():
    s = (letters(R.randint(2, 5)) + "9999")[:5]
    d = datetime.date(R.randint(1940, 2004), R.randint(1, 12), R.randint(1, 28))
    m = d.month + R.choice([0, 50])
    return f"{s}{d.year // 10 % 10}{m:02d}{d.day:02d}{d.year % 10}{letters(1)}{R.choice(U + '9')}{R.choice(D)}{letters(2)}"


scheme("UK_DRIVING_LICENCE", ukdl, check=None, kind="form", lower=True)
bad("UK_DRIVING_LICENCE", "99999753116SM9IJ", "MORGA713116SM9IJ"[:6] + "13" + "116SM9IJ"[2:] + "0", "MORGA763116SM9IJ", "MO9GA753116SM9IJ", "MORGA753996SM9IJ",
    "MORGA753116SM9I")
for _ in range(12):
    a = R.choice([R.randint(2, 29), R.randint(51, 79)])
    v = letters(2, "ABCDEFGHJKLMNOPRSTUVWXY") + f"{a:02d}"
    t = letters(3, "ABCDEFGHJKLMNOPRSTUVWXYZ")
    add("UK_VEHICLE_REGISTRATION", "valid", v + R.choice(["", " "]) + t)
    bad("UK_VEHICLE_REGISTRATION", v[:2] + R.choice(["01", "35", "45", "80", "95"]) + t)
for v in ["A123 BCD", "K4 ABC", "ABC 123D", "ABC123H"]:
    add("UK_VEHICLE_REGISTRATION", "weak", v)
scheme("UK_UTR", lambda: (lambda b: "21987654321"[w(b, [6, 7, 8, 9, 10, 5, 4, 3, 2]) % 11] + b)(digits(9)), lambda v: [v, group(v, [5, 5])], check=0)
for _ in range(10):
    add("UK_SORT_CODE", "weak", group(digits(6), [2, 2, 2], "-"))
bad("UK_SORT_CODE", "20-41-1", "20-411-2", "2041123")


def gbvat():
    b = digits(7, "123456789")
    return "GB" + b + f"{97 - w(b, range(8, 1, -1)) % 97:02d}"


scheme("UK_VAT", gbvat, lambda v: [v, "GB " + v[2:], "GB " + group(v[2:], [3, 4, 2])])
for v in ["01234567", "SC123456", "OC301234", "NI012345"]:
    add("UK_COMPANY_NUMBER", "weak", v)
pps_ok = lambda s: (w(s, range(8, 1, -1)) + 9 * (0 if len(s) < 9 or s[8] == "W" else ord(s[8]) - 64)) % 23 == "WABCDEFGHIJKLMNOPQRSTUV".index(s[7])


def pps():
    b, e = digits(7), R.choice(["", "A", "W", "B", "H"])
    return next(b + c + e for c in "WABCDEFGHIJKLMNOPQRSTUV" if pps_ok(b + c + e))


scheme("IE_PPS", pps, check=7, lower=True, ok=lambda s: s[7] < "X" and pps_ok(s))


# --- Germany, Austria, Switzerland
def detax():
    ds = list(D)
    R.shuffle(ds)
    ds = ds[:9] + [ds[0]]
    R.shuffle(ds)
    return solve("".join(ds), iso1110) if ds[0] != "0" else None


scheme("DE_TAX_ID", lambda: until(detax), lambda v: [v, group(v, [2, 3, 3, 3])])
bad("DE_TAX_ID", "01234567890", "9707264835", "970726483511")
for v in ["181/815/08155", "93/815/08152", "2893081508152", "133/8150/8159", "1121081508150", "024/815/08151", "75/815/08152", "5133081508159", "151/815/08156"]:
    add("DE_TAX_NUMBER", "form" if v.count("/") == 2 and len(v) == 13 and v[3] == "/" else "weak", v)
bad("DE_TAX_NUMBER", "181/815", "1/2/3", "9993181508152", "181-815-08155x")
PA = "CFGHJKLMNPRTVWXYZ"
docno = lambda: until(lambda: (lambda s: s + str(icao(s)) if any(c in D for c in s) else None)(letters(1, PA) + letters(7, PA + D)))
for e in ["DE_PASSPORT", "DE_ID_CARD"]:
    scheme(e, docno, lower=True)
bad("DE_PASSPORT", "AHFMJ51Z4", "KHFMJ51Z", "KHFMJ51Z44")
for _ in range(4):
    add("DE_ID_CARD", "weak", "T" + digits(8))


def rvnr():
    d = datetime.date(R.randint(1940, 2004), R.randint(1, 12), R.randint(1, 28))
    day = d.day + R.choice([0, 50])
    b = digits(2) + f"{day:02d}{d.month:02d}{d.year % 100:02d}" + letters(1) + digits(2)
    s = b[:8] + f"{ord(b[8]) - 64:02d}" + b[9:]
    return b + str(sum(sum(divmod(int(c) * k, 10)) for c, k in zip(s, [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1])) % 10)


scheme("DE_SOCIAL_SECURITY", rvnr, lambda v: [v, group(v, [2, 6, 1, 3])], lower=True)
bad("DE_SOCIAL_SECURITY", "65320719S543", "65021319S543")


def kvnr():
    b = letters(1) + digits(8)
    s = f"{ord(b[0]) - 64:02d}" + b[1:]
    return b + str(sum(sum(divmod(int(c) * (1 + i % 2), 10)) for i, c in enumerate(s)) % 10)


scheme("DE_HEALTH_INSURANCE", kvnr, lower=True)
scheme("DE_VAT_ID", lambda: "DE" + until(lambda: solve(digits(8, "123456789"), iso1110)), lambda v: [v, "DE " + v[2:], "DE " + group(v[2:], [3, 3, 3])], lower=True)
for _ in range(10):
    add("DE_BSNR", "weak", R.choice(["01", "02", "17", "20", "35", "52", "72", "98"]) + digits(7))
bad("DE_BSNR", "000000000", "12345678", "0212345678")
scheme("DE_LANR", lambda: (lambda b: b + str((10 - w(b, [4, 9] * 3) % 10) % 10) + digits(2))(digits(6, "123456789")), check=6)
for v in ["B-AB 1234", "M-XY 99", "HH-A 1", "KÖ-LN 123", "S-MK 42E", "GÖ-AB 12H", "MÜ-B 7", "K-AA-1234"]:
    add("DE_KFZ", "form", v)
for v in ["B AB 1234", "HH XY 987"]:
    add("DE_KFZ", "weak", v)
bad("DE_KFZ", "B-AB 0123", "BERL-AB 12", "B-ABC 12", "B-AB 12345")
for v in ["HRB 12345", "HRA 1", "HRB 987654", "HRA 5512", "HRB98765"]:
    add("DE_HANDELSREGISTER", "form", v)
bad("DE_HANDELSREGISTER", "HRC 12345", "HRB 1234567", "HR 12345", "HRB ABC")
for v in ["10115", "80331", "01067", "99998", "50667", "20095"]:
    add("DE_PLZ", "weak", v)
bad("DE_PLZ", "00999", "1011", "101155", "99999")
for _ in range(10):
    add("DE_FUEHRERSCHEIN", "weak", letters(2) + digits(8) + R.choice(D + U))
bad("DE_FUEHRERSCHEIN", "J12345678X", "JA1234567X", "JA123456789X")


def atsv():
    n, d = digits(3, "123456789"), date("%d%m%y")
    c = w(n + "0" + d, [3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11
    return n + str(c) + d if c < 10 else None


scheme("AT_SVNR", lambda: until(atsv), lambda v: [v, group(v, [4, 6])], check=3)
scheme("AT_UID", lambda: (lambda b: "ATU" + b + str((6 - sum(sum(divmod(int(c) * (1 + i % 2), 10)) for i, c in enumerate(b))) % 10))(digits(7)), lower=True)
ean_ok = lambda s: sum(int(c) * (3 if i % 2 else 1) for i, c in enumerate(reversed(s))) % 10 == 0
scheme("CH_AHV", flat(ean_ok, lambda: "756" + digits(9)), lambda v: [v, group(v, [3, 4, 4, 2], ".")])
bad("CH_AHV", "757.0184.5741.84")


def chuid():
    b = digits(8, "123456789")
    c = -w(b, [5, 4, 3, 2, 7, 6, 5, 4]) % 11
    return "CHE" + b + str(c) if c < 10 else None


scheme("CH_UID", lambda: until(chuid), lambda v: [v, "CHE-" + group(v[3:], [3, 3, 3], ".")])


# --- France, Benelux
def nir():
    dep = R.choice(["75", "13", "69", "2A", "2B", "01", "99"])
    b = R.choice("12") + digits(2) + f"{R.randint(1, 12):02d}" + dep + digits(3) + digits(3)
    return b + f"{97 - int(b.replace('2A', '19').replace('2B', '18')) % 97:02d}" if (dep in "2A2B") == (b.count("A") + b.count("B") == 1) else None


scheme("FR_NIR", lambda: until(nir), lambda v: [v, group(v, [1, 2, 2, 2, 3, 3, 2])], check=14)
siren = lambda: (lambda b: b + luhn_digit(b))(digits(8, "123456789"))
scheme("FR_SIREN", siren, lambda v: [v, group(v, [3, 3, 3])])
scheme("FR_SIRET", lambda: (lambda b: b + luhn_digit(b))(siren() + "000" + digits(1)), lambda v: [v, group(v, [3, 3, 3, 5])])
scheme("FR_TVA", lambda: (lambda s: f"FR{(12 + 3 * (int(s) % 97)) % 97:02d}{s}")(siren()), lambda v: [v, "FR " + v[2:4] + " " + v[4:], "FR " + v[2:4] + " " + group(v[4:], [3, 3, 3])], check=3)
for v in ["12AB34567", "09CK12345", "18FV00001"]:
    add("FR_PASSPORT", "weak", v)
for v in ["880692310285", "D2H6862M2", "X4RTBPFW4"]:
    add("FR_CNI", "weak", v)
for v in ["75008", "13001", "97400", "20000"]:
    add("FR_POSTCODE", "weak", v)


def benn():
    y = R.randint(1940, 2010)
    b = f"{y % 100:02d}{R.randint(1, 12):02d}{R.randint(1, 28):02d}{R.randint(1, 997):03d}"
    return b + f"{97 - int(('2' if y >= 2000 else '') + b) % 97:02d}"


benn_ok = lambda s: int(s[9:]) in (97 - int(s[:9]) % 97, 97 - int("2" + s[:9]) % 97)
scheme("BE_NN", benn, lambda v: [v, f"{v[:2]}.{v[2:4]}.{v[4:6]}-{v[6:9]}.{v[9:]}", f"{v[:6]}-{v[6:9]}-{v[9:]}"], ok=benn_ok)
scheme("BE_VAT", lambda: (lambda b: "BE" + b + f"{97 - int(b) % 97:02d}")("0" + digits(7, "23456789")), lambda v: [v, "BE " + v[2:], "BE " + group(v[2:], [4, 3, 3], "."), group(v[2:], [4, 3, 3], ".")])
bsn_ok = lambda s: w(s, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 == 0
scheme("NL_BSN", flat(bsn_ok, lambda: digits(8)), lambda v: [v, group(v, [4, 2, 3], "."), group(v, [3, 3, 3])])
for v in ["NL001234567B01", "NL123456789B12", "NL999999990B99"]:
    add("NL_VAT", "form", v)
bad("NL_VAT", "NL001234567C01", "NL00123456B01", "NL001234567B1")
for v in ["1012 AB", "9711 LM", "1234AB"]:
    add("NL_POSTCODE", "weak", v)
scheme("LU_VAT", lambda: (lambda b: "LU" + b + f"{int(b) % 89:02d}")(digits(6, "12")), lambda v: [v, "LU " + v[2:]])

# --- Spain, Portugal, Italy
NL = "TRWAGMYFPDXBNJZSQVHLCKE"
scheme("ES_NIF", lambda: (lambda n: n + NL[int(n) % 23])(digits(8)), lambda v: [v, v[:8] + "-" + v[8], group(v[:8], [2, 3, 3], ".") + "-" + v[8]], lower=True)
scheme("ES_NIF", lambda: (lambda n: n + NL[int(n) % 23])(digits(7, "123456789")), lambda v: [v, v[:-1] + "-" + v[-1]], n=4)
scheme("ES_NIE", lambda: (lambda p, n: p + n + NL[int(str("XYZ".index(p)) + n) % 23])(R.choice("XYZ"), digits(7)), lambda v: [v, v[0] + "-" + v[1:8] + "-" + v[8], v[:8] + "-" + v[8]], lower=True)


def cif():
    b = R.choice("ABCDEFGHJUVNPQRSW") + digits(7)
    t = sum(int(c) for c in b[2::2]) + sum(sum(divmod(2 * int(c), 10)) for c in b[1::2])
    c = (10 - t % 10) % 10
    return b + ("JABCDEFGHI"[c] if b[0] in "NPQRSW" else str(c))


scheme("ES_CIF", cif, lambda v: [v, v[0] + "-" + v[1:]])


def ccc():
    k = [1, 2, 4, 8, 5, 10, 9, 7, 3, 6]
    f = lambda s: {11: 0, 10: 1}.get(11 - w(s, k) % 11, 11 - w(s, k) % 11)
    a, n = digits(8, "123456789"), digits(10)
    return a + str(f("00" + a)) + str(f(n)) + n


scheme("ES_CCC", ccc, lambda v: [v, group(v, [4, 4, 2, 10]), group(v, [4, 4, 2, 10], "-")], check=8)
for _ in range(6):
    add("ES_PASSPORT", "weak", letters(3) + digits(6))
bad("ES_PASSPORT", "AA1234567", "AAA12345", "AAA1234567")
ptnif_ok = lambda s: (lambda r: (0 if r < 2 else 11 - r) == int(s[8]))(w(s, range(9, 1, -1)) % 11)
scheme("PT_NIF", flat(ptnif_ok, lambda: R.choice("1256") + digits(7)), lambda v: [v, group(v, [3, 3, 3])])
ODD = dict(zip(D + U, [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]))
CONS = "BCDFGHLMNPQRSTVZ"


def itcf():
    d = datetime.date(R.randint(1940, 2004), R.randint(1, 12), R.randint(1, 28))
    b = letters(3, CONS) + letters(3, CONS) + f"{d.year % 100:02d}" + "ABCDEHLMPRST"[d.month - 1] + f"{d.day + R.choice([0, 40]):02d}" + R.choice("ABCDEFGHILMZ") + digits(3, "123456789")
    if R.random() < 0.2:
        b = b[:14] + "LMNPQRSTUV"[int(b[14])]
    t = sum(ODD[c] if i % 2 == 0 else (int(c) if c in D else ord(c) - 65) for i, c in enumerate(b))
    return b + chr(65 + t % 26)


scheme("IT_FISCAL_CODE", itcf, lambda v: [v, v, group(v, [3, 3, 5, 5])], lower=True)
bad("IT_FISCAL_CODE", "RSSMRC77B30H501W", "RSSMRC77C99H501W", "RSSMRC77F26H501W", "RSSMRC77C26H501")
scheme("IT_VAT_CODE", lambda: (lambda b: b + luhn_digit(b))(digits(10)), lambda v: [v, "IT" + v, "IT " + v])
bad("IT_VAT_CODE", "00000000000")
for v in ["AA1234567B", "MI7654321X", "U1B123456C", "U1X9F44S2Z"]:
    add("IT_DRIVER_LICENSE", "weak", v)
for v in ["CA12345AA", "AS1234567", "AA 1234567", "1234567AA"]:
    add("IT_IDENTITY_CARD", "weak", v)
for v in ["YA1234567", "AA0001112"]:
    add("IT_PASSPORT", "weak", v)


# --- Poland, Nordic and Baltic countries
def pesel():
    d = datetime.date(R.randint(1930, 2015), R.randint(1, 12), R.randint(1, 28))
    return solve(f"{d.year % 100:02d}{d.month + (20 if d.year >= 2000 else 0):02d}{d.day:02d}" + digits(4), comp([1, 3, 7, 9] * 2 + [1, 3]))


scheme("PL_PESEL", pesel)
bad("PL_PESEL", "51132522854", "51113222854", "5111252285")
nip_ok = lambda s: w(s, [6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11 == int(s[9])
scheme("PL_NIP", flat(nip_ok, lambda: digits(9, "123456789")), lambda v: [v, group(v, [3, 3, 2, 2], "-"), group(v, [3, 2, 2, 3], "-"), "PL" + v])
regon_ok = lambda s: w(s, [8, 9, 2, 3, 4, 5, 6, 7]) % 11 % 10 == int(s[8])
regon = lambda: solve(digits(8), regon_ok)
scheme("PL_REGON", lambda: until(regon))
scheme("PL_REGON", lambda: solve(until(regon) + digits(4), lambda s: w(s, [2, 4, 8, 5, 0, 9, 7, 3, 6, 1, 2, 4, 8]) % 11 % 10 == int(s[13])), n=4)
plid_ok = lambda s: sum(b36(c) * k for c, k in zip(s, [7, 3, 1, 9, 7, 3, 1, 7, 3])) % 10 == 0
plid = lambda: until(lambda: (lambda a, t: next((a + x + t for x in D if plid_ok(a + x + t)), None))(letters(3), digits(5)))
scheme("PL_ID_CARD", plid, lambda v: [v, v[:3] + " " + v[3:]], check=3)
HT = "0123456789ABCDEFHJKLMNPRSTUVWXY"


def hetu():
    y = R.choice([R.randint(1930, 1999), R.randint(2000, 2015), 1899])
    d = f"{R.randint(1, 28):02d}{R.randint(1, 12):02d}{y % 100:02d}"
    n = f"{R.randint(2, 899):03d}"
    return d + R.choice({18: "+", 19: "-YXWVU", 20: "ABCDEF"}[y // 100]) + n + HT[int(d + n) % 31]


scheme("FI_PERSONAL_IDENTITY_CODE", hetu, ok=lambda s: s[-1] in HT and HT[int(s[:6] + s[7:10]) % 31] == s[-1], lower=True)
bad("FI_PERSONAL_IDENTITY_CODE", "310288-8094", "150788G8094", "150788-809")


def ytunnus():
    b = digits(7)
    c = (11 - w(b, [7, 9, 10, 5, 8, 4, 2]) % 11) % 11
    return f"{b}-{c}" if c < 10 else None


scheme("FI_BUSINESS_ID", lambda: until(ytunnus))


def sepnr():
    d = datetime.date(R.randint(1930, 2015), R.randint(1, 12), R.randint(1, 28))
    b = f"{d.year % 100:02d}{d.month:02d}{d.day + R.choice([0, 0, 60]):02d}" + digits(3)
    return str(d.year)[:2] + b + luhn_digit(b)


scheme("SE_PERSONNUMMER", sepnr, lambda v: [v[2:8] + "-" + v[8:], v[:8] + "-" + v[8:], v[2:], v, v[2:8] + "+" + v[8:]])
bad("SE_PERSONNUMMER", "991317-8232", "990632-8232")
scheme("SE_ORGANISATIONSNUMMER", lambda: (lambda b: b + luhn_digit(b))("55" + R.choice("23456789") + digits(6)), lambda v: [v, v[:6] + "-" + v[6:]])


def fnr():
    b = f"{R.randint(1, 28) + R.choice([0, 40]):02d}{R.randint(1, 12):02d}{digits(2)}{digits(3)}"
    k1 = -w(b, [3, 7, 6, 1, 8, 9, 4, 5, 2]) % 11
    k2 = -w(b + str(k1), [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11 if k1 < 10 else 10
    return b + str(k1) + str(k2) if k1 < 10 and k2 < 10 else None


scheme("NO_FNR", lambda: until(fnr), lambda v: [v, group(v, [6, 5])])
noorg = lambda: (lambda b, c: b + str(c) if c < 10 else None)(*(lambda b: (b, -w(b, [3, 2, 7, 6, 5, 4, 3, 2]) % 11))(R.choice("89") + digits(7)))
scheme("NO_ORGNR", lambda: until(noorg), lambda v: [v, group(v, [3, 3, 3])])
for _ in range(10):
    v = date("%d%m%y") + digits(4)
    add("DK_CPR", "form", v[:6] + "-" + v[6:])
    add("DK_CPR", "weak", v)
bad("DK_CPR", "320761-4285", "071361-4285", "300261-4285", "070761-428")
cvr_ok = lambda s: w(s, [2, 7, 6, 5, 4, 3, 2, 1]) % 11 == 0
scheme("DK_CVR", flat(cvr_ok, lambda: digits(7, "123456789")), lambda v: [v, "DK" + v, "DK " + v])


def kt():
    b = date("%d%m%y") + f"{R.randint(20, 99)}"
    c = (11 - w(b, [3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11
    return b + str(c) + R.choice("90") if c < 10 else None


scheme("IS_KENNITALA", lambda: until(kt), lambda v: [v, v[:6] + "-" + v[6:]], check=8)


def rc():
    d = datetime.date(R.randint(1954, 2010), R.randint(1, 12), R.randint(1, 28))
    b = f"{d.year % 100:02d}{d.month + R.choice([0, 50]):02d}{d.day:02d}" + digits(3)
    return b + str(int(b) % 11 % 10)


for e in ["CZ_RC", "SK_RC"]:
    scheme(e, rc, lambda v: [v[:6] + "/" + v[6:]] + ([v] if e == "CZ_RC" else []))
scheme("CZ_ICO", lambda: (lambda b: b + str((11 - w(b, range(8, 1, -1)) % 11) % 10))(digits(7)))
scheme("HU_TAX", lambda: (lambda b: solve(b, comp([9, 7, 3, 1, 9, 7, 3])) + R.choice("12345") + f"{R.randint(2, 44):02d}")(digits(7, "123456789")), lambda v: [f"{v[:8]}-{v[8]}-{v[9:]}"], check=7)
scheme("HU_TAJ", lambda: (lambda b: b + str(w(b, [3, 7] * 4) % 10))(digits(8)), lambda v: [v, group(v, [3, 3, 3]), group(v, [3, 3, 3], "-")])


def cnp():
    b = R.choice("1256") + date("%y%m%d") + f"{R.randint(1, 46):02d}" + digits(3)
    c = w(b, [2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11
    return b + str(1 if c == 10 else c)


scheme("RO_CNP", cnp)
bad("RO_CNP", "2601315400461", "9600215400461"[:12])


def egn():
    d = datetime.date(R.randint(1930, 2015), R.randint(1, 12), R.randint(1, 28))
    b = f"{d.year % 100:02d}{d.month + (40 if d.year >= 2000 else 0):02d}{d.day:02d}" + digits(3)
    return b + str(w(b, [2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10)


scheme("BG_EGN", egn)
scheme("HR_OIB", flat(iso1110, lambda: digits(10)), lambda v: [v, "HR" + v])


def jmbg():
    b = date("%d%m") + date("%Y")[1:] + f"{R.randint(10, 59)}" + digits(3)
    c = (11 - w(b, [7, 6, 5, 4, 3, 2] * 2) % 11) % 11
    return b + str(c) if c < 10 else None


scheme("SI_EMSO", lambda: until(jmbg))


def sivat():
    b = digits(7, "123456789")
    c = 11 - w(b, range(8, 1, -1)) % 11
    return "SI" + b + str(c % 10) if c != 11 else None


scheme("SI_VAT", lambda: until(sivat), lambda v: [v, v[2:], "SI " + v[2:]])
scheme("GR_AFM", lambda: (lambda b: b + str(w(b, [256, 128, 64, 32, 16, 8, 4, 2]) % 11 % 10))(digits(8)), lambda v: [v, "EL" + v])
scheme("GR_AMKA", lambda: (lambda b: b + luhn_digit(b))(date("%d%m%y") + digits(4)))


def eeik(first):
    b = R.choice(first) + date("%y%m%d") + digits(3)
    r = w(b, [1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11
    if r == 10:
        r = w(b, [3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11 % 10
    return b + str(r)


scheme("EE_IK", lambda: eeik("3456"))
scheme("LT_AK", lambda: eeik("3456"))
scheme("LV_PK", lambda: (lambda b: b + str((1 + w(b, [10, 5, 8, 4, 2, 1, 6, 3, 7, 9])) % 11 % 10))(date("%d%m%y") + R.choice("12") + digits(3)), lambda v: [v[:6] + "-" + v[6:]])
scheme("UA_RNOKPP", lambda: (lambda b: b + str(w(b, [-1, 5, 7, 9, 4, 6, 10, 5, 7]) % 11 % 10))(digits(9, "123")))
scheme("RU_INN10", lambda: (lambda b: b + str(w(b, [2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10))(digits(9, "57")))


def inn12():
    b = digits(10)
    b += str(w(b, [7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10)
    return b + str(w(b, [3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10)


scheme("RU_INN12", inn12)
scheme("SNILS", lambda: (lambda b: b + f"{w(b, range(9, 0, -1)) % 101 % 100:02d}")(digits(9, "123456789")), lambda v: [v, f"{v[:3]}-{v[3:6]}-{v[6:9]} {v[9:]}", f"{v[:3]}-{v[3:6]}-{v[6:9]}-{v[9:]}"])


def iin():
    b = date("%y%m%d") + R.choice("3456") + digits(4)
    r = w(b, range(1, 12)) % 11
    if r == 10:
        r = w(b, [3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2]) % 11
    return b + str(r) if r < 10 else None


scheme("KZ_IIN", lambda: until(iin))


def tckn():
    b = digits(9, "123456789")
    d = [int(c) for c in b]
    b += str((7 * sum(d[0::2]) - sum(d[1:8:2])) % 10)
    return b + str(sum(int(c) for c in b) % 10)


scheme("TR_NATIONAL_ID", tckn)
bad("TR_NATIONAL_ID", "04752179174", "1475217917", "11111111111")


def vkn():
    b, t = digits(9), 0
    for i, c in enumerate(b, 1):
        x = (int(c) + 10 - i) % 10
        t += 0 if x == 0 else (x * 2 ** (10 - i) % 9 or 9)
    return b + str((10 - t % 10) % 10)


scheme("TR_VKN", vkn)
for v in ["34 ABC 123", "06 A 1234", "35 AB 123", "34 AB 1234", "81 XYZ 99"[:3] + "ZYV 99", "34ABC123", "06BK4567", "01 ABC 12"]:
    add("TR_LICENSE_PLATE", "weak", v)
bad("TR_LICENSE_PLATE", "82 ABC 123", "00 ABC 123", "34 QAB 123", "34 ABCD 12", "34 WX 123")

# --- Australia, New Zealand, Canada
abn_ok = lambda s: (int(s[0]) - 1) * 10 + w(s[1:], [1, 3, 5, 7, 9, 11, 13, 15, 17, 19])


def abn():
    b = digits(9)
    t = w(b, [3, 5, 7, 9, 11, 13, 15, 17, 19])
    for x in range(11, 99):
        c = f"{x}"
        if ((int(c[0]) - 1) * 10 + int(c[1]) + t) % 89 == 0:
            return c + b
    return None


scheme("AU_ABN", lambda: until(abn), lambda v: [v, group(v, [2, 3, 3, 3])])
scheme("AU_ACN", lambda: (lambda b: b + str((10 - w(b, range(8, 0, -1)) % 10) % 10))(digits(8)), lambda v: [v, group(v, [3, 3, 3])])
tfn_ok = lambda s: w(s, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 == 0
scheme("AU_TFN", flat(tfn_ok, lambda: digits(8, "123456789")), lambda v: [v, group(v, [3, 3, 3])])
scheme("AU_MEDICARE", lambda: (lambda b: b + str(w(b, [1, 3, 7, 9] * 2) % 10) + R.choice("123456789"))(digits(8, "23456")), lambda v: [v, group(v, [4, 5, 1])], check=8)
bad("AU_MEDICARE", "1212484912", "321248491")


def ird():
    b = f"{R.randint(1000000, 12999999):08d}"
    c = -w(b, [3, 2, 7, 6, 5, 4, 3, 2]) % 11
    c = -w(b, [7, 4, 3, 2, 5, 2, 7, 6]) % 11 if c == 10 else c
    return b + str(c) if c < 10 else None


scheme("NZ_IRD", lambda: until(ird), lambda v: [v, group(v, [3, 3, 3], "-")])
NZ = "ABCDEFGHJKLMNPQRSTUVWXYZ"


def nhi():
    b = letters(3, NZ) + digits(3)
    r = sum((NZ.index(c) + 1 if c in NZ else int(c)) * k for c, k in zip(b, range(7, 1, -1))) % 11
    return b + str((11 - r) % 10) if r else None


scheme("NZ_NHI", lambda: until(nhi))
sin = lambda: (lambda b: b + luhn_digit(b))(digits(8, "1234567"))
scheme("CA_SIN", sin, lambda v: [v, group(v, [3, 3, 3]), group(v, [3, 3, 3], "-")])
bad("CA_SIN", "083724364", "883724365", "78372436")
for v in ["K1A 0B1", "M5V 3L9", "H2X 1Y4", "V6B 4Y8", "T2P 5E9"]:
    add("CA_POSTAL_CODE", "form", v)
    add("CA_POSTAL_CODE", "weak", v.replace(" ", ""))
bad("CA_POSTAL_CODE", "D1A 0B1", "K1O 0B1", "K1A 0B", "W1A 0B1", "K1A 0I1")
scheme("CA_OHIP", lambda: (lambda b: b + luhn_digit(b))(digits(9, "123456789")), lambda v: [v, group(v, [4, 3, 3], "-"), group(v, [4, 3, 3])])


def phn():
    b = digits(8)
    c = 11 - w(b, [2, 4, 8, 5, 10, 9, 7, 3]) % 11
    return "9" + b + str(c) if c < 10 else None


scheme("CA_BC_PHN", lambda: until(phn), lambda v: [v, group(v, [4, 3, 3])])
for v in ["AB123456", "GA987654"]:
    add("CA_PASSPORT", "weak", v)


# --- Asia
scheme("IN_AADHAAR", flat(verhoeff, lambda: digits(11, "23456789")), lambda v: [v, group(v, [4, 4, 4]), group(v, [4, 4, 4], "-")])
bad("IN_AADHAAR", "0519 4938 9081", "65194938908", "222222222222")
for _ in range(12):
    v = letters(3) + R.choice("ABCFGHJLPT") + letters(1) + digits(4) + letters(1)
    add("IN_PAN", "form", v)
    add("IN_PAN", "form", v.lower())
bad("IN_PAN", "ABCPE12345", "ABCPE123F", "AB1PE1234F", "ABCPE12341F")


def gstin():
    b = f"{R.choice([*range(1, 38)]):02d}" + letters(3) + R.choice("CPHFATBLJG") + letters(1) + digits(4) + letters(1) + R.choice("123456789") + "Z"
    t = sum(sum(divmod(b36(c) * (2 if i % 2 == 0 else 1), 36)) for i, c in enumerate(reversed(b)))
    return b + (D + U)[(36 - t % 36) % 36]


scheme("IN_GSTIN", gstin, lower=True)
bad("IN_GSTIN", "00AAPFU0939F1ZV", "27AAPFU0939F1XV", "27AAPFU0939F1Z")
for _ in range(10):
    add("IN_PASSPORT", "weak", letters(1) + R.choice("123456789") + digits(1) + R.choice(["", " "]) + digits(4) + R.choice("123456789"))
bad("IN_PASSPORT", "J0369854", "J8369850", "J836985", "JJ8369854")
for _ in range(10):
    add("IN_VOTER", "weak", letters(3) + digits(7))
bad("IN_VOTER", "AB1234567", "ABC123456", "ABCD1234567")
for v in ["KA01AB1234", "MH 12 AB 1234", "DL-3C-AB-1234"[:5] + "AB-1234", "TN09BC4321", "GJ01A1234", "UP 32 CD 5678", "HR26DK8337", "WB02AK1111"]:
    add("IN_VEHICLE_REGISTRATION", "valid", v)
for v in ["22BH1234AB", "21 BH 0001 A", "77CD12"[:2] + "CD1234"]:
    add("IN_VEHICLE_REGISTRATION", "form", v)
bad("IN_VEHICLE_REGISTRATION", "XX01AB1234", "KA01AB0000", "KA00AB1234")
for v in ["HDFC0001234", "SBIN0000300", "ICIC0006245", "PUNB0123456"]:
    add("IN_IFSC", "form", v)
bad("IN_IFSC", "HDFC1001234", "HDF00012345", "HDFC000123")


def nric():
    p = R.choice("STFGM")
    b = digits(7)
    t = w(b, [2, 7, 6, 5, 4, 3, 2]) + {"T": 4, "G": 4, "M": 3}.get(p, 0)
    r = t % 11
    return p + b + {"S": "JZIHGFEDCBA", "T": "JZIHGFEDCBA", "F": "XWUTRQPNMLK", "G": "XWUTRQPNMLK"}.get(p, "XWUTRQPNJLK")[r] if p != "M" else None


scheme("SG_NRIC_FIN", lambda: until(nric), lower=True)
bad("SG_NRIC_FIN", "A1232040Z", "S123204Z", "S12320401Z")


def uen():
    k = R.randint(0, 2)
    if k == 0:
        b = digits(8)
        return b + "XMKECAWLJDB"[w(b, [10, 4, 9, 3, 8, 2, 7, 1]) % 11]
    if k == 1:
        b = str(R.randint(1970, 2020)) + digits(5)
        return b + "ZKCMDNERGWH"[w(b, [10, 8, 6, 4, 9, 7, 5, 3, 1]) % 11]
    al = "ABCDEFGHJKLMNPQRSTUVWX0123456789"
    b = R.choice("TS") + digits(2) + R.choice(["LP", "LL", "FC", "PF", "RF", "SS", "GA"]) + digits(4)
    return b + al[(sum(al.index(c) * m for c, m in zip(b, [4, 3, 5, 3, 10, 2, 2, 5, 7])) - 5) % 11]


scheme("SG_UEN", uen, lower=True)
for _ in range(8):
    v = date("%y%m%d") + f"{R.randint(1, 16):02d}" + digits(4)
    add("MY_NRIC", "form", f"{v[:6]}-{v[6:8]}-{v[8:]}")
    add("MY_NRIC", "weak", v)
bad("MY_NRIC", "901301-14-5678", "900132-14-5678", "900101-14-567")
for _ in range(8):
    d = datetime.date(R.randint(1950, 2004), R.randint(1, 12), R.randint(1, 28))
    add("ID_NIK", "weak", f"{R.choice([11, 31, 32, 35, 51, 73])}{digits(4)}{d.day + R.choice([0, 40]):02d}{d.month:02d}{d.year % 100:02d}{R.randint(1, 9999):04d}")
bad("ID_NIK", "3171013213900001", "0971010501900001", "317101050190000")


def phtin():
    b = digits(8, "123456789")
    c = w(b, range(9, 1, -1)) % 11
    return b + str(c) if c < 10 else None


scheme("PH_TIN", lambda: until(phtin), lambda v: [v, group(v, [3, 3, 3], "-"), group(v + "000", [3, 3, 3, 3], "-"), v + "001"], check=8)
for _ in range(8):
    add("PH_UMID", "form", f"{digits(4)}-{digits(7)}-{digits(1)}")
    add("PH_UMID", "weak", digits(12))
bad("PH_UMID", "0028-121516-9", "028-1215160-9", "0028-1215160-99")
for _ in range(8):
    add("PH_PASSPORT", "weak", R.choice([letters(1) + digits(7) + letters(1), letters(2) + digits(7)]))
for v in ["35202-1234567-1", "61101-7654321-9", "42201-0000001-3"]:
    add("PK_CNIC", "form", v)
bad("PK_CNIC", "85202-1234567-1", "35202-123456-1", "3520-1234567-1")


def krr(first, k):
    b = date("%y%m%d") + R.choice(first) + f"{R.randint(0, 95):02d}" + digits(3)
    b = b[:7] + b[7:9] + b[9:12]
    y = int(b[:2])
    return b + str((k - w(b, [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11) % 10)


def krr1900(first, k):
    d = datetime.date(R.randint(1940, 1999), R.randint(1, 12), R.randint(1, 28))
    b = d.strftime("%y%m%d") + R.choice(first) + f"{R.randint(0, 95):02d}" + digits(3)
    return b + str((k - w(b, [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11) % 10)


scheme("KR_RRN", lambda: krr1900("12", 11), lambda v: [v, v[:6] + "-" + v[6:]], check=None)
bad("KR_RRN", "841302-1470587", "840432-1470587", "840402-9470587", "840402-1990587")
scheme("KR_FRN", lambda: krr1900("56", 13), lambda v: [v, v[:6] + "-" + v[6:]], check=None)
bad("KR_FRN", "841302-5470581", "840432-5470581", "840402-1470581")


def krbrn():
    b = digits(9, "123456789")
    return b + str((10 - (w(b, [1, 3, 7, 1, 3, 7, 1, 3]) + 5 * int(b[8]) // 10 + 5 * int(b[8])) % 10) % 10)


scheme("KR_BRN", krbrn, lambda v: [v, group(v, [3, 2, 5], "-")])
for _ in range(8):
    v = f"{R.choice([*range(11, 27), 28])}" + digits(10)
    add("KR_DRIVER_LICENSE", "valid" if R.random() < 2 else "", R.choice([group(v, [2, 2, 6, 2], "-"), group(v, [2, 2, 6, 2]), v]))
bad("KR_DRIVER_LICENSE", "27-23-123456-12", "10-23-123456-12", "11-23-12345-12")
for v in ["M123A4567", "S987B6543", "M12345678", "D87654321"]:
    add("KR_PASSPORT", "weak", v)
bad("KR_PASSPORT", "A123A4567", "M123A456", "M1234567")


def myn():
    b = digits(11)
    r = sum(int(c) * k for c, k in zip(reversed(b), [2, 3, 4, 5, 6, 7, 2, 3, 4, 5, 6])) % 11
    return b + str(0 if r <= 1 else 11 - r)


scheme("JP_MYN", myn, lambda v: [v, group(v, [4, 4, 4]), group(v, [4, 4, 4], "-")])


def jpcorp():
    b = digits(12)
    return str(9 - sum(int(c) * (1 + i % 2) for i, c in enumerate(reversed(b))) % 9) + b


scheme("JP_CORPORATE", jpcorp, check=0)
for v in ["150-0043", "100-0001"]:
    add("JP_POSTCODE", "weak", v)


def cnric():
    b = R.choice(["110105", "310104", "440301", "510104"]) + date("%Y%m%d") + digits(3)
    return b + "10X98765432"[w(b, [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]) % 11]


scheme("CN_RIC", cnric, check=16, ok=lambda s: "10X98765432"[w(s, [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]) % 11] == s[17], lower=True)
UA = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def uscc():
    b = "91" + R.choice(["110105", "310104", "440301"]) + letters(9, UA)
    return b + UA[(31 - sum(UA.index(c) * pow(3, i, 31) for i, c in enumerate(b)) % 31) % 31]


scheme("CN_USCC", uscc, ok=lambda s: s[-1] in UA and UA[(31 - sum(UA.index(c) * pow(3, i, 31) for i, c in enumerate(s[:17])) % 31) % 31] == s[17])
for v in ["E12345678", "G87654321", "EA1234567"]:
    add("CN_PASSPORT", "weak", v)
TW = dict(zip(U, [10, 11, 12, 13, 14, 15, 16, 17, 34, 18, 19, 20, 21, 22, 35, 23, 24, 25, 26, 27, 28, 29, 32, 30, 31, 33]))
tw_ok = lambda s: (TW[s[0]] // 10 + TW[s[0]] % 10 * 9 + w(s[1:], [8, 7, 6, 5, 4, 3, 2, 1, 1])) % 10 == 0
scheme("TWID", flat(tw_ok, lambda: letters(1) + R.choice("12") + digits(7)), lower=True)
cross = lambda s: sum(sum(divmod(int(c) * k, 10)) for c, k in zip(s, [1, 2, 1, 2, 1, 2, 4, 1]))
ubn_ok = lambda s: cross(s) % 5 == 0 or s[6] == "7" and (cross(s) + 1) % 5 == 0
scheme("TW_UBN", flat(ubn_ok, lambda: digits(7)), ok=ubn_ok)


def hkid():
    p = letters(R.choice([1, 2]))
    b = p + digits(6)
    s = ([36] if len(p) == 1 else []) + [b36(c) for c in b]
    c = (11 - sum(x * k for x, k in zip(s, range(9, 1, -1))) % 11) % 11
    return b + ("A" if c == 10 else str(c))


scheme("HKID", hkid, lambda v: [v, v[:-1] + "(" + v[-1] + ")"])


def tnin():
    b = R.choice("12345678") + R.choice(["10", "27", "30", "58", "67", "77", "86", "96"]) + digits(9)
    return b + str((11 - w(b, range(13, 1, -1)) % 11) % 10)


scheme("TH_TNIN", tnin, lambda v: [v, group(v, [1, 4, 5, 2, 1], "-")])
bad("TH_TNIN", "0164043648108", "8284043648108")


def mst():
    b = digits(9)
    c = 10 - w(b, [31, 29, 23, 19, 17, 13, 7, 5, 3]) % 11
    return b + str(c) if 0 <= c < 10 else None


scheme("VN_MST", lambda: until(mst), lambda v: [v, v + "-001"], check=9)
for v in ["001203000001", "079199012345"]:
    add("VN_CCCD", "weak", v)
scheme("IL_ID", lambda: (lambda b: b + luhn_digit(b))(digits(8)), lambda v: [v, v[:8] + "-" + v[8]])
for v in ["784-1990-1234567-0", "784-1985-7654321-2"]:
    add("AE_EID", "form", v)
bad("AE_EID", "785-1990-1234567-0", "784-1990-123456-0")
scheme("SA_ID", lambda: (lambda b: b + luhn_digit(b))(R.choice("12") + digits(8)))
for v in ["29001011234567"[:7] + "0112345", "30505052112345"]:
    add("EG_ID", "weak", v)


# --- Africa
def zaid():
    b = date("%y%m%d") + digits(4) + R.choice("012") + "8"
    return b + luhn_digit(b)


scheme("ZA_ID_NUMBER", zaid, lambda v: [v, group(v, [6, 4, 3])])
bad("ZA_ID_NUMBER", "8213193890081", "8210323890081", "821019389008")
for e, make in [("ZA_PASSPORT", lambda: R.choice("ADMT") + digits(8)), ("ZA_DRIVER_LICENSE", lambda: digits(R.randint(8, 9)) + letters(3)),
                ("ZA_VAT_NUMBER", lambda: "4" + digits(9)), ("ZA_INCOME_TAX_NUMBER", lambda: R.choice("01239") + digits(9)),
                ("ZA_TRAFFIC_REGISTER_NUMBER", lambda: "9999" + digits(9))]:
    for _ in range(8):
        add(e, "weak", make())
bad("ZA_PASSPORT", "B12345678", "A1234567")
bad("ZA_VAT_NUMBER", "5123456789", "412345678")
for v in ["2001/123456/23", "1998/000123/07", "2015/654321/08", "CK2001/123456", "K1999/012345"]:
    add("ZA_COMPANY_REGISTRATION", "form", v)
bad("ZA_COMPANY_REGISTRATION", "1701/123456/23", "2001/12345/23", "2001/123456")
for v in ["BC 12 DF GP", "CA 123 456 WP"[:2] + " 123 WP", "ABC123GP", "ND 123 ZN", "BB11BBGP"]:
    add("ZA_LICENSE_PLATE", "weak", v)
scheme("NG_NIN", flat(verhoeff, lambda: digits(10, "123456789")))
for v in ["ABC-123DE", "KJA 456AB", "LSR123XY"]:
    add("NG_VEHICLE_REGISTRATION", "form", v)
bad("NG_VEHICLE_REGISTRATION", "ABC-12DE", "AB-123DE", "ABC-123D")


# --- Latin America
def cpf():
    b = digits(9)
    b += str(w(b, range(10, 1, -1)) * 10 % 11 % 10)
    return b + str(w(b, range(11, 1, -1)) * 10 % 11 % 10)


scheme("BR_CPF", cpf, lambda v: [v, f"{v[:3]}.{v[3:6]}.{v[6:9]}-{v[9:]}"])
bad("BR_CPF", "111.111.111-11", "00000000000")


def cnpj():
    f = lambda b, ks: (lambda t: 0 if t % 11 < 2 else 11 - t % 11)(sum((ord(c) - 48) * k for c, k in zip(b, ks)))
    b = R.choice([digits(8), letters(2, D + U) + digits(6)]) + "000" + digits(1)
    b += str(f(b, [5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]))
    return b + str(f(b, [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]))


scheme("BR_CNPJ", cnpj, lambda v: [v, f"{v[:2]}.{v[2:5]}.{v[5:8]}/{v[8:12]}-{v[12:]}"])
for v in ["01310-100", "20040-020"]:
    add("BR_CEP", "weak", v)


def cuit():
    b = R.choice(["20", "23", "27", "30", "33"]) + digits(8)
    c = 11 - w(b, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11
    return b + str({11: 0, 10: 9}.get(c, c))


scheme("AR_CUIT", cuit, lambda v: [v, f"{v[:2]}-{v[2:10]}-{v[10]}"])
for v in ["12.345.678", "30123456"]:
    add("AR_DNI", "weak", v)


def rut():
    b = digits(R.choice([7, 8]), "123456789")
    c = 11 - sum(int(x) * k for x, k in zip(reversed(b), [2, 3, 4, 5, 6, 7, 2, 3])) % 11
    return b + {10: "K", 11: "0"}.get(c, str(c))


rut_ok = lambda s: (lambda c: {10: "K", 11: "0"}.get(c, str(c)))(11 - sum(int(x) * k for x, k in zip(reversed(s[:-1]), [2, 3, 4, 5, 6, 7, 2, 3])) % 11) == s[-1]
scheme("CL_RUT", rut, lambda v: [v, v[:-1] + "-" + v[-1], f"{v[:-7]}.{v[-7:-4]}.{v[-4:-1]}-{v[-1]}"], ok=rut_ok, lower=True)


def nit():
    b = digits(9, "89")
    r = sum(int(c) * k for c, k in zip(reversed(b), [3, 7, 13, 17, 19, 23, 29, 37, 41])) % 11
    return b + str(r if r < 2 else 11 - r)


scheme("CO_NIT", nit, lambda v: [v[:9] + "-" + v[9], group(v[:9], [3, 3, 3], ".") + "-" + v[9]])
scheme("PE_RUC", lambda: (lambda b: b + str((11 - w(b, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 10))(R.choice(["10", "15", "17", "20"]) + digits(8)))
uyrut = lambda: (lambda b, c: b + str(c) if c < 10 else None)(*(lambda b: (b, -w(b, [4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]) % 11))("21" + digits(9)))
scheme("UY_RUT", lambda: until(uyrut))


def rif():
    p = R.choice("VEJPG")
    b = digits(8)
    c = 11 - (4 * ("VEJPG".index(p) + 1) + w(b, [3, 2, 7, 6, 5, 4, 3, 2])) % 11
    return p + b + str(0 if c > 9 else c)


scheme("VE_RIF", rif, lambda v: [v, f"{v[0]}-{v[1:9]}-{v[9]}"])
scheme("EC_CI", lambda: (lambda b: b + luhn_digit(b))(f"{R.randint(1, 24):02d}{R.randint(0, 5)}" + digits(6)))
MX = "0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ"


def curp():
    b = letters(1) + R.choice("AEIOU") + letters(2) + date("%y%m%d", 1940, 1999) + R.choice("HM") + R.choice(["DF", "JC", "NL", "MC", "BC"]) + letters(3, "BCDFGLMNRST") + R.choice(D)
    return b + str((10 - sum(MX.index(c) * k for c, k in zip(b, range(18, 1, -1))) % 10) % 10)


scheme("MX_CURP", curp, lower=True)
RF = "0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ Ñ"


def rfc():
    b = letters(R.choice([3, 4])) + date("%y%m%d", 1940, 1999) + letters(2, D + U)
    c = 11 - sum(RF.index(x) * k for x, k in zip(b.rjust(12), range(13, 1, -1))) % 11
    return b + {11: "0", 10: "A"}.get(c, str(c))


rfc_ok = lambda s: (lambda c: {11: "0", 10: "A"}.get(c, str(c)))(11 - sum(RF.index(x) * k for x, k in zip(s[:-1].rjust(12), range(13, 1, -1))) % 11) == s[-1]
scheme("MX_RFC", rfc, ok=rfc_ok)

# --- without a country
scheme("IMEI", lambda: (lambda b: b + luhn_digit(b))("35" + digits(12)), lambda v: [v, group(v, [2, 6, 6, 1], "-")])
for v in ["310150123456789", "262011234567890"]:
    add("IMSI", "weak", v)
for v in ["8931440400000000001", "89014103211118510720"]:
    add("ICCID", "weak", v)
scheme("LEI", lambda: (lambda b: b + f"{98 - mod97(b + '00'):02d}")(letters(4, D + U) + "00" + letters(12, D + U)))


def isin():
    b = R.choice(["US", "GB", "DE", "FR", "JP"]) + digits(9)
    return b + next(d for d in D if luhn("".join(str(b36(c)) for c in b + d)))


scheme("ISIN", isin, lower=True)


def cusip():
    b = digits(6) + R.choice(["10", "20", "AB"])
    t = sum(sum(divmod(b36(c) * (2 if i % 2 else 1), 10)) for i, c in enumerate(b))
    return b + str((10 - t % 10) % 10)


scheme("CUSIP", cusip)
scheme("SEDOL", lambda: (lambda b: b + str((10 - sum(b36(c) * k for c, k in zip(b, [1, 3, 1, 7, 3, 9])) % 10) % 10))(R.choice("0B2") + digits(2) + letters(1, "BCDFGHJK") + digits(2)))
VV = {**dict(zip("ABCDEFGH", range(1, 9))), **dict(zip("JKLMN", range(1, 6))), "P": 7, "R": 9, **dict(zip("STUVWXYZ", range(2, 10))), **{d: int(d) for d in D}}


def vin():
    a = "ABCDEFGHJKLMNPRSTUVWXYZ" + D
    b = R.choice("145") + letters(2, "ABCDEFGHJKLMNPRSTUVWXYZ") + letters(5, a) + "0" + letters(2, a) + digits(6)
    r = sum(VV[c] * k for c, k in zip(b, [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2])) % 11
    return b[:8] + "0123456789X"[r] + b[9:]


scheme("VIN", vin, check=16, lower=True)
bad("VIN", "1M8GDM9AXKP04278", "1M8GDM9AXKP0427888", "IM8GDM9AXKP042788")


def orcid():
    b = "0000000" + digits(8)
    t = 0
    for c in b:
        t = (t + int(c)) * 2 % 11
    c = (12 - t) % 11
    return b + ("X" if c == 10 else str(c))


scheme("ORCID", orcid, lambda v: [group(v, [4] * 4, "-")], check=14)
scheme("ISBN", flat(ean_ok, lambda: "978" + digits(9)), lambda v: [v, f"{v[:3]}-{v[3]}-{v[4:7]}-{v[7:12]}-{v[12]}"])
isbn10_ok = lambda s: (w(s, range(10, 1, -1)) + (10 if s[9] == "X" else int(s[9]))) % 11 == 0
scheme("ISBN", lambda: (lambda b: next(b + c for c in D + "X" if isbn10_ok(b + c)))(digits(9)), lambda v: [v, f"{v[0]}-{v[1:4]}-{v[4:9]}-{v[9]}"], ok=lambda s: s[9] not in D + "X" or isbn10_ok(s))


def container():
    b = letters(3) + R.choice("UJZ") + digits(6)
    val, n = {}, 10
    for c in U:
        if n % 11 == 0:
            n += 1
        val[c] = n
        n += 1
    return b + str(sum((int(c) if c in D else val[c]) << i for i, c in enumerate(b)) % 11 % 10)


scheme("CONTAINER_NUMBER", container, lambda v: [v, v[:4] + " " + v[4:], v[:4] + " " + v[4:10] + "-" + v[10]])
scheme("IMO_NUMBER", lambda: (lambda b: "IMO" + b + str(w(b, range(7, 1, -1)) % 10))(digits(6, "789")), lambda v: [v, "IMO " + v[3:]])
for v in ["E11.9", "S72.001A", "J45", "F32.1"]:
    add("ICD10_CODE", "weak", v)
for v in ["A+", "AB-", "O+", "0-", "B-"]:
    add("BLOOD_TYPE", "weak", v)
for v in ["1234567890"]:
    add("DOD_ID", "weak", v)
for v in ["J1885", "99213", "G0439"]:
    add("HCPCS_CODE", "weak", v)
scheme("DO_CEDULA", lambda: (lambda b: b + luhn_digit(b))(digits(10)), lambda v: [v, group(v, [3, 7, 1], "-")])
for v in ["0777-3105-02", "50242-040-62", "12345-6789-1"]:
    add("NDC", "weak", v)

for v in ["7ABC123", "AB-123-CD", "ABC 1234", "XY12 ZZZ"[:7]]:
    add("LICENSE_PLATE", "weak", v)

seen = set()
for e, k, v in rows:
    if (e, k, v) not in seen and v.strip() == v and v:
        seen.add((e, k, v))
        print(e, k, v, sep="\t")
