//! Credentials: keys and tokens with known prefixes, signed tokens, key blocks, and values after
//! labels such as `password:`.

use std::collections::HashSet;

use foldhash::fast::FixedState;

use crate::context::word_hash;
use crate::work::work;

/// Prefix, what may follow (h hex, b base-62, u base64url with `_` and `-`, U upper-case and
/// digits), least and most length of that.
const TOKENS: &[(&str, u8, usize, usize)] = &[
    ("AKIA", b'U', 16, 16),
    ("ASIA", b'U', 16, 16),
    ("ABIA", b'U', 16, 16),
    ("ACCA", b'U', 16, 16),
    ("ABSK", b'+', 109, 269),
    ("ghp_", b'b', 36, 36),
    ("gho_", b'b', 36, 36),
    ("ghu_", b'b', 36, 36),
    ("ghs_", b'b', 36, 36),
    ("ghr_", b'b', 36, 36),
    ("github_pat_", b'u', 82, 82),
    ("glpat-", b'u', 20, 320),
    ("glcbt-", b'u', 20, 64),
    ("glagent-", b'u', 20, 64),
    ("gloas-", b'u', 20, 80),
    ("gldt-", b'u', 20, 64),
    ("glft-", b'u', 20, 64),
    ("glptt-", b'u', 20, 64),
    ("xoxb-", b'u', 10, 250),
    ("xoxa-", b'u', 10, 250),
    ("xoxp-", b'u', 10, 250),
    ("xoxr-", b'u', 10, 250),
    ("xoxs-", b'u', 10, 250),
    ("sk_live_", b'b', 24, 99),
    ("sk_test_", b'b', 24, 99),
    ("rk_live_", b'b', 24, 99),
    ("rk_test_", b'b', 24, 99),
    ("AIza", b'u', 35, 35),
    ("sk-proj-", b'u', 40, 200),
    ("sk-ant-", b'u', 20, 200),
    ("sk-", b'b', 32, 64),
    ("npm_", b'b', 36, 36),
    ("pypi-AgEIcHlwaS5vcmc", b'u', 50, 300),
    ("SK", b'h', 32, 32),
    ("hvs.", b'u', 24, 200),
    ("hvb.", b'u', 24, 300),
    ("hvr.", b'u', 24, 300),
    ("hf_", b'b', 34, 34),
    ("dapi", b'h', 32, 32),
    ("dop_v1_", b'h', 64, 64),
    ("doo_v1_", b'h', 64, 64),
    ("dor_v1_", b'h', 64, 64),
    ("ntn_", b'b', 46, 46),
    ("pplx-", b'b', 48, 48),
    ("SG.", b's', 66, 66),
    ("ya29.", b'u', 20, 400),
    ("shpat_", b'h', 32, 32),
    ("EAAC", b'b', 40, 300),
    ("AccountKey=", b'+', 40, 100),
];

/// What everything that [`token`] and [`label`] look for begins with.
#[derive(Debug)]
pub(super) struct Starts {
    /// A bit for each hash of three bytes in lower case.
    three: Vec<u64>,
    /// Hashes of the first words of labels.
    words: HashSet<u64, FixedState>,
}

fn three(a: u8, b: u8, c: u8) -> usize {
    let low = |c: u8| usize::from(c | 32);
    (low(a) * 961 + low(b) * 31 + low(c)) & 0x3fff
}

impl Starts {
    pub(super) fn new() -> Self {
        let mut bits = vec![0u64; 256];
        let mut add = |a: u8, b: u8, c: u8| {
            let i = three(a, b, c);
            if let Some(word) = bits.get_mut(i >> 6) {
                *word |= 1 << (i & 63);
            }
        };
        let prefixes = TOKENS.iter().map(|t| t.0).chain(LABELS.iter().map(|l| l.0)).chain(["eyJ"]);
        for prefix in prefixes {
            match prefix.as_bytes() {
                [a, b, c, ..] => add(*a, *b, *c),
                // Prefixes of two letters go on with hexadecimal digits, labels with a sign.
                [a, b] => b"0123456789abcdef :=\"'".iter().for_each(|c| add(*a, *b, *c)),
                _ => {}
            }
        }
        let words = LABELS.iter().map(|(name, _)| first_word(name)).map(word_hash).collect();
        Starts { three: bits, words }
    }

    /// Whether something that is looked for may begin at `start`.
    #[inline]
    pub(super) fn may(&self, b: &[u8], start: usize) -> bool {
        let Some([x, y, z]) = b.get(start..start + 3) else { return false };
        let i = three(*x, *y, *z);
        self.three.get(i >> 6).is_some_and(|w| w >> (i & 63) & 1 == 1)
    }
}

fn first_word(name: &str) -> &str {
    name.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or(name)
}

/// A token with a known prefix at `start`.
pub(super) fn token(b: &[u8], start: usize) -> Option<usize> {
    let rest = b.get(start..)?;
    for (prefix, alphabet, least, most) in TOKENS {
        let Some(tail) = rest.strip_prefix(prefix.as_bytes()) else { continue };
        let fits = |c: &u8| match alphabet {
            b'h' => c.is_ascii_digit() || (b'a'..=b'f').contains(c),
            b'b' => c.is_ascii_alphanumeric(),
            b'U' => c.is_ascii_uppercase() || c.is_ascii_digit(),
            b'+' => c.is_ascii_alphanumeric() || b"+/=".contains(c),
            b's' => c.is_ascii_alphanumeric() || b"_-.".contains(c),
            _ => c.is_ascii_alphanumeric() || b"_-.".contains(c),
        };
        let len = tail.iter().take(most + 1).take_while(|c| fits(c)).count();
        let trimmed = tail[..len].iter().rev().take_while(|c| **c == b'.' || **c == b'-').count();
        let len = len - trimmed;
        if !(*least..=*most).contains(&len)
            || tail.get(len).is_some_and(|c| c.is_ascii_alphanumeric() || *c == b'_')
        {
            continue;
        }
        let body = &tail[..len];
        let serious = body.iter().any(u8::is_ascii_digit) && !repetitive(body);
        if !serious {
            continue;
        }
        // GitHub's and npm's tokens end with a base-62 CRC-32; a wrong one is a made-up example,
        // which is still reported: better a false alarm than a leak.
        return Some(start + prefix.len() + len);
    }
    None
}

fn repetitive(s: &[u8]) -> bool {
    let mut seen = [false; 256];
    s.iter().for_each(|c| seen[usize::from(*c)] = true);
    seen.iter().filter(|s| **s).count() < 6
}

/// A JSON web token at `start`: three parts of base64url, the first a JSON object with `alg`; else how
/// far it was looked for.
pub(super) fn jwt(b: &[u8], start: usize) -> Result<usize, usize> {
    let part = |from: usize| {
        let rest = b.get(from..).unwrap_or_default();
        let fits = |c: &&u8| c.is_ascii_alphanumeric() || **c == b'_' || **c == b'-';
        let len = rest.iter().take_while(fits).count();
        work(len);
        from + len
    };
    let first = part(start);
    if first < start + 10 || b.get(first) != Some(&b'.') {
        return Err(first);
    }
    let second = part(first + 1);
    if second < first + 3 || b.get(second) != Some(&b'.') {
        return Err(second);
    }
    let third = part(second + 1);
    let header = b.get(start..first).and_then(base64url);
    let header: Option<serde_json::Value> = header.and_then(|h| serde_json::from_slice(&h).ok());
    let signed = header.is_some_and(|h| h.get("alg").is_some());
    if signed { Ok(third) } else { Err(third) }
}

/// Base64 with either alphabet, padded or not.
pub(crate) fn base64url(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() * 3 / 4 + 3);
    let (mut bits, mut held) = (0u32, 0);
    for &c in text.iter().filter(|c| **c != b'=') {
        let v = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'-' | b'+' => 62,
            b'_' | b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(v);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
        }
    }
    Some(out)
}

/// What a label announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    Password,
    Username,
    Secret,
    Authorization,
}

const LABELS: &[(&str, Label)] = &[
    ("password", Label::Password),
    ("passwd", Label::Password),
    ("pwd", Label::Password),
    ("pw", Label::Password),
    ("pass", Label::Password),
    ("passwort", Label::Password),
    ("kennwort", Label::Password),
    ("contraseña", Label::Password),
    ("passphrase", Label::Password),
    ("mot de passe", Label::Password),
    ("wachtwoord", Label::Password),
    ("username", Label::Username),
    ("user name", Label::Username),
    ("user id", Label::Username),
    ("userid", Label::Username),
    ("login", Label::Username),
    ("benutzername", Label::Username),
    ("user", Label::Username),
    ("usuario", Label::Username),
    ("nom d'utilisateur", Label::Username),
    ("secret", Label::Secret),
    ("client_secret", Label::Secret),
    ("api_key", Label::Secret),
    ("apikey", Label::Secret),
    ("api key", Label::Secret),
    ("api-key", Label::Secret),
    ("access_key", Label::Secret),
    ("access_token", Label::Secret),
    ("auth_token", Label::Secret),
    ("token", Label::Secret),
    ("secret_key", Label::Secret),
    ("aws_secret_access_key", Label::Secret),
    ("private_key", Label::Secret),
    ("session_id", Label::Secret),
    ("sessionid", Label::Secret),
    ("cookie", Label::Secret),
    ("set-cookie", Label::Secret),
    ("x-api-key", Label::Secret),
    ("x-csrf-token", Label::Secret),
    ("client secret", Label::Secret),
    ("access token", Label::Secret),
    ("refresh_token", Label::Secret),
    ("encryption_key", Label::Secret),
    ("signing_key", Label::Secret),
    ("authorization", Label::Authorization),
    ("proxy-authorization", Label::Authorization),
];

/// Values that are longer are no passwords or keys.
const LONGEST_VALUE: usize = 256;

/// A labelled value whose label starts at `start`: what it is, and the value.
pub(super) fn label(
    text: &str,
    start: usize,
    word_end: usize,
    starts: &Starts,
) -> Option<(Label, usize, usize)> {
    let rest = text.get(start..)?;
    if !starts.words.contains(&word_hash(text.get(start..word_end)?)) {
        return None;
    }
    let first = rest.as_bytes().first()?.to_ascii_lowercase();
    let (name, label) = LABELS
        .iter()
        .filter(|(name, _)| name.as_bytes().first() == Some(&first))
        .filter(|(name, _)| {
            rest.get(..name.len()).is_some_and(|r| r.eq_ignore_ascii_case(name))
                && !rest[name.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
        })
        .max_by_key(|(name, _)| name.len())?;
    let mut at = start + name.len();
    let skip = |at: usize, set: &[u8]| {
        at + text.as_bytes()[at..].iter().take(4).take_while(|c| set.contains(c)).count()
    };
    at = skip(at, b"\"'` ");
    let linked = [":", "=>", "=", "is ", "was ", "ist ", "es ", "est ", "-> "]
        .iter()
        .find(|l| text[at..].starts_with(**l))?;
    let word = linked.ends_with(' ');
    // "Token::Number" is a path, and no value.
    if *linked == ":" && text.as_bytes().get(at + 1) == Some(&b':') {
        return None;
    }
    at = skip(at + linked.len(), b"\"'`  \t");
    let value = text.get(at..)?;
    if *label == Label::Authorization {
        let scheme =
            ["Basic ", "Bearer ", "basic ", "bearer "].iter().find(|s| value.starts_with(**s))?;
        at += scheme.len();
        let len = text[at..]
            .bytes()
            .take_while(|c| !c.is_ascii_whitespace() && !b"\"',;".contains(c))
            .count();
        let token = &text.as_bytes()[at..at + len];
        let plain = scheme.eq_ignore_ascii_case("basic ");
        let ok = if plain {
            base64url(token)
                .is_some_and(|d| d.iter().filter(|c| **c == b':').count() == 1 && d.is_ascii())
        } else {
            len >= 16 && token.iter().any(u8::is_ascii_digit)
        };
        return ok.then_some((*label, at, at + len));
    }
    let stop = |c: char| {
        c.is_whitespace()
            || matches!(c, '"' | '\'' | '`' | '<' | '>' | ',' | ';' | '{' | '}' | ')' | '|')
    };
    let value = value.get(..crate::context::floor(value, value.len().min(LONGEST_VALUE + 4)))?;
    let mut end = at + value.find(stop).unwrap_or(value.len());
    work(end - at);
    if end - at > LONGEST_VALUE {
        return None;
    }
    while end > at && matches!(text.as_bytes()[end - 1], b'.' | b'?' | b':' | b',') {
        end -= 1;
    }
    let value = text.get(at..end)?;
    let followed = text.as_bytes().get(end).copied().unwrap_or(b' ');
    convincing(*label, value, word, followed).then_some((*label, at, end))
}

/// Whether a value looks like what its label says, rather than prose or a placeholder.
fn convincing(label: Label, value: &str, word: bool, followed: u8) -> bool {
    let v = value.as_bytes();
    let digits = v.iter().any(u8::is_ascii_digit);
    let lower = v.iter().any(u8::is_ascii_lowercase);
    let upper = v.iter().any(u8::is_ascii_uppercase);
    let symbol = v.iter().any(|c| c.is_ascii_punctuation() && !b"._-/()[]:".contains(c));
    let classes = [digits, lower, upper, symbol].iter().filter(|x| **x).count();
    let code = value.contains("()")
        || value.contains("::")
        || value.contains("${")
        || value.starts_with(['$', '[', '(', '*', '%'])
        || followed == b'('
        || value.contains("[");
    // What leads to a secret is none: "https://…", "projects/one/secrets/two".
    let path = label == Label::Secret
        && (value.contains("://") || value.split('/').filter(|p| is_plain_word(p)).count() >= 3);
    let placeholder = path
        || v.iter().all(|c| b"*xX.-_#".contains(c))
        || value.to_ascii_lowercase().contains("your")
        || value.to_ascii_lowercase().contains("example");
    if code || placeholder {
        return false;
    }
    match label {
        Label::Password => {
            (4..=64).contains(&v.len())
                && (classes >= 3 || (digits && classes >= 2) || (symbol && v.len() >= 6))
        }
        Label::Username => {
            let name = v.iter().all(|c| c.is_ascii_alphanumeric() || b"._-@+".contains(c));
            (3..=40).contains(&v.len())
                && name
                && (digits || value.contains(['.', '_']))
                && !(word && !digits && !value.contains(['.', '_']))
                && v[0].is_ascii_alphanumeric()
                && lower
                && !value.contains("..")
        }
        Label::Secret => {
            v.len() >= 16
                && (digits || symbol)
                && entropy(v) >= if v.iter().all(u8::is_ascii_hexdigit) { 3.0 } else { 3.5 }
        }
        Label::Authorization => false,
    }
}

/// Whether it has two or more small letters and nothing else but hyphens.
fn is_plain_word(s: &str) -> bool {
    s.len() >= 2 && s.bytes().all(|c| c.is_ascii_lowercase() || c == b'-')
}

/// Shannon entropy in bits per byte.
fn entropy(s: &[u8]) -> f64 {
    let mut counts = [0u32; 256];
    s.iter().for_each(|c| counts[usize::from(*c)] += 1);
    let n = s.len() as f64;
    counts.iter().filter(|c| **c > 0).map(|c| f64::from(*c) / n).map(|p| -p * p.log2()).sum()
}

/// A PEM block of a private key at the hyphens at `start`; up to the end of the text if its end
/// is missing.
pub(super) fn pem(text: &str, start: usize) -> Option<usize> {
    let rest = text.get(start..)?.strip_prefix("-----BEGIN ")?;
    let head = rest.get(..crate::context::floor(rest, rest.len().min(60)))?;
    let head = head.get(..head.find("-----")?)?;
    if head.len() > 40 || !(head.contains("PRIVATE KEY") || head.contains("PGP PRIVATE")) {
        return None;
    }
    let body = start + 11 + head.len() + 5;
    let tail = text.get(body..)?;
    // What is told about such a block has no key in it: the first line is of base 64 or a header.
    let first = tail.trim_start_matches(['\\', 'n', 'r']).trim_start();
    let line =
        first.bytes().take_while(|c| c.is_ascii_alphanumeric() || b"+/=-:".contains(c)).count();
    if line < 8 && !tail.is_empty() {
        return None;
    }
    Some(match tail.find("-----END ") {
        Some(i) => {
            let after = body + i + 9;
            text.get(after..)?.find("-----").map_or(text.len(), |j| after + j + 5)
        }
        None => text.len(),
    })
}
