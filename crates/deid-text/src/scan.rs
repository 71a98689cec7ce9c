//! One pass over the text for all recognizers.
//!
//! The scanner walks over the normalized view once. Runs of letters without a digit are skipped
//! at the speed of a table look-up; what begins like an identifier (a digit, `@`, `:`, `.`, a known
//! prefix) is dispatched by its shape to the few verifiers that can accept it, and checksums are
//! computed last. Each step looks at a bounded stretch around one position, so the time is linear in
//! the text, whatever it contains.
//!
//! Text is handled in blocks that end at blank lines (or, in a text without any, after at most
//! 64 KiB). A block depends on nothing before it, which is why scanning in chunks gives exactly the
//! findings of scanning at once.

pub(crate) mod dates;
mod finance;
pub(crate) mod lists;
mod net;
pub(crate) mod phone;
mod place;
pub(crate) mod secret;

use crate::checksum::Verdict;
use crate::context::{AFTER, AHEAD, Hit, Near, is_dense};
use crate::engine::Engine;
use crate::recognizer::shape::{RUNS, Shape, following};
use crate::view::View;

/// The entities of `data/entities.txt`, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Id {
    Card,
    Iban,
    Bic,
    Crypto,
    Date,
    Email,
    Ip,
    Mac,
    Phone,
    Url,
    Uuid,
    Coordinates,
    Age,
    Street,
    Username,
    Password,
    Secret,
    PrivateKey,
    Jwt,
    Connection,
    Mrz,
    Person,
    Location,
    Organization,
    Nrp,
    Title,
    Credential,
}

/// What made a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A row of the table of patterns.
    Pattern(u16),
    /// A program of this module.
    Program,
    /// A recognizer of the caller's.
    Custom(u16),
    /// The tagger of names, or another backend.
    Names,
}

/// A stretch of the view that may be an entity.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) entity: u16,
    pub(crate) base: f32,
    pub(crate) score: f32,
    pub(crate) verdict: Verdict,
    pub(crate) source: Source,
    pub(crate) context: Option<Hit>,
    pub(crate) note: Option<&'static str>,
}

/// Built once: what the scanner looks things up in.
#[derive(Debug)]
pub(crate) struct Tables {
    lists: lists::Lists,
    phones: phone::Phones,
    streets: place::Streets,
    starts: secret::Starts,
}

impl Tables {
    pub(crate) fn new(countries: Option<&[String]>, leniency: phone::PhoneLeniency) -> Self {
        Tables {
            lists: lists::Lists::new(),
            phones: phone::Phones::new(countries, leniency),
            streets: place::Streets::new(),
            starts: secret::Starts::new(),
        }
    }
}

/// The least block that ends at a blank line, and the most bytes of a block.
const BLOCK: (usize, usize) = (4096, 65536);
/// Bytes after the start of a block that decide where it ends.
pub(crate) const DECIDES: usize = BLOCK.1 + 4;

/// The length of the first block of `text`, of which at least [`DECIDES`] bytes are given unless
/// the text ends before.
pub(crate) fn block(text: &str) -> usize {
    let b = text.as_bytes();
    let reach = b.len().min(BLOCK.1);
    let mut at = BLOCK.0;
    while let Some(i) = b.get(at..reach).and_then(|w| memchr::memchr(b'\n', w)) {
        let end = at + i + 1;
        match b.get(end..) {
            Some([b'\n', ..]) => return end + 1,
            Some([b'\r', b'\n', ..]) => return end + 2,
            _ => at = end,
        }
    }
    if b.len() <= BLOCK.1 {
        return b.len();
    }
    // No blank line: the last line end, else the last end of a clause, else a blank.
    let half = BLOCK.1 / 2;
    let window = b.get(half..reach).unwrap_or_default();
    let line = memchr::memrchr(b'\n', window);
    let clause = || {
        window.windows(2).rposition(|w| b".;,}]>\"".contains(&w[0]) && w[1].is_ascii_whitespace())
    };
    let blank = || window.iter().rposition(u8::is_ascii_whitespace);
    let sign = || window.iter().rposition(|c| b",;\"'{}[]<>|&=".contains(c));
    match line.or_else(clause).or_else(blank).or_else(sign) {
        Some(i) => half + i + 1,
        None => crate::context::floor(text, reach),
    }
}

const LETTER: u8 = 1;
const DIGIT: u8 = 2;
const UNDERSCORE: u8 = 4;
const WORD: u8 = LETTER | DIGIT | UNDERSCORE;
const SIGN: u8 = 8;
const HIGH: u8 = 16;
const LOWERCASE: u8 = 32;

const CLASS: [u8; 256] = {
    let mut table = [0u8; 256];
    let mut i = 0;
    while i < 256 {
        let c = i as u8;
        table[i] = if c.is_ascii_uppercase() {
            LETTER
        } else if c.is_ascii_lowercase() {
            LETTER | LOWERCASE
        } else if c.is_ascii_digit() {
            DIGIT
        } else if c == b'_' {
            UNDERSCORE
        } else if c >= 0x80 {
            HIGH
        } else if matches!(c, b'@' | b':' | b'.' | b'+' | b'(' | b'-' | b'<') {
            SIGN
        } else {
            0
        };
        i += 1;
    }
    table
};

/// A scan of one block.
pub(crate) struct Scan<'a, 't> {
    pub(crate) engine: &'a Engine,
    pub(crate) view: &'a View<'t>,
    text: &'a str,
    b: &'a [u8],
    pub(crate) out: Vec<Candidate>,
    hits: Vec<Hit>,
    hits_start: usize,
    hits_before: usize,
    hits_end: usize,
    /// Words after the first run of a candidate.
    ahead: Vec<Hit>,
    /// Entities that some word before a candidate or soon after it speaks for.
    near: Near,
    /// Where the last domain name that was looked at ends.
    domain_to: usize,
    /// Where the last telephone number ends.
    phone_to: usize,
}

impl<'a, 't> Scan<'a, 't> {
    pub(crate) fn new(engine: &'a Engine, view: &'a View<'t>) -> Self {
        let text: &str = &view.text;
        Scan {
            engine,
            view,
            text,
            b: text.as_bytes(),
            out: Vec::new(),
            hits: Vec::new(),
            hits_start: usize::MAX,
            hits_before: 0,
            hits_end: usize::MAX,
            ahead: Vec::new(),
            near: Near::default(),
            domain_to: 0,
            phone_to: 0,
        }
    }

    /// Looks for everything that has a fixed form.
    pub(crate) fn patterns(&mut self) {
        let b = self.b;
        let mut i = 0;
        while let Some(&c) = b.get(i) {
            let class = CLASS[usize::from(c)];
            if class & (WORD | HIGH) != 0 {
                let start = i;
                let mut flags = 0;
                while let Some(&c) = b.get(i) {
                    let class = CLASS[usize::from(c)];
                    if class & WORD != 0 {
                        flags |= class;
                        i += 1;
                    } else if class & HIGH != 0 {
                        let Some(c) = self.text.get(i..).and_then(|t| t.chars().next()) else {
                            break;
                        };
                        if !c.is_alphanumeric() || is_dense(c) {
                            break;
                        }
                        flags |= HIGH;
                        i += c.len_utf8();
                    } else {
                        break;
                    }
                }
                if i == start {
                    i +=
                        self.text.get(i..).and_then(|t| t.chars().next()).map_or(1, char::len_utf8);
                    continue;
                }
                i = self.token(start, i, flags);
            } else {
                i = if class & SIGN != 0 { self.sign(c, i) } else { i + 1 };
            }
        }
    }

    /// A sign that may be in the middle of something, or at its start. Returns where to go on.
    fn sign(&mut self, c: u8, i: usize) -> usize {
        let next = self.b.get(i + 1).copied().unwrap_or(b' ');
        match c {
            b'@' => {
                if let Some((start, end)) = net::email(self.text, i, &self.engine.tables.lists) {
                    self.propose(start, end, Id::Email, 0.98, Verdict::Valid);
                }
            }
            b':' if next == b'/' && self.b.get(i + 2) == Some(&b'/') => {
                let view = self.view;
                let replaced = |at| view.is_replaced(at);
                if let Some(web) = net::url(self.text, i, &self.engine.tables.lists, replaced) {
                    self.web(&web);
                    self.domain_to = self.domain_to.max(web.end);
                }
            }
            b':' if next.is_ascii_hexdigit() || next == b':' => {
                if i >= 3
                    && let Some(end) = net::mac(self.b, i - 2).filter(|_| self.free_before(i - 2))
                {
                    self.propose(i - 2, end, Id::Mac, 0.9, Verdict::Unchecked);
                } else if i == 2
                    && let Some(end) = net::mac(self.b, 0)
                {
                    self.propose(0, end, Id::Mac, 0.9, Verdict::Unchecked);
                } else if let Some((start, end, bare)) = net::ipv6(self.text, i) {
                    // An embedded IPv4 address is found as well, with 0.9.
                    let score = if bare { 0.1 } else { 0.92 };
                    self.propose(start, end, Id::Ip, score, Verdict::Unchecked);
                }
            }
            b'.' if i >= self.domain_to
                && next.is_ascii_alphanumeric()
                && i > 0
                && self.b[i - 1].is_ascii_alphanumeric() =>
            {
                let view = self.view;
                let lists = &self.engine.tables.lists;
                let (to, web) = net::bare(self.text, i, lists, |at| view.is_replaced(at));
                self.domain_to = to;
                if let Some(web) = web {
                    self.web(&web);
                }
            }
            b'+' | b'(' if next.is_ascii_digit() || (next == b'(') || (next == b'+') => {
                self.phone(i)
            }
            b'-' if next == b'-' && self.b.get(i..i + 11) == Some(b"-----BEGIN ") => {
                if let Some(end) = secret::pem(self.text, i) {
                    self.propose(i, end, Id::PrivateKey, 0.99, Verdict::Unchecked);
                    return end;
                }
            }
            _ => {}
        }
        i + 1
    }

    fn web(&mut self, web: &net::Web) {
        if web.credentials {
            self.propose(web.start, web.end, Id::Connection, 0.95, Verdict::Unchecked);
            return;
        }
        let host = self.text.get(web.host.0..web.host.1).unwrap_or_default();
        if self.engine.tables.lists.is_public_site(host) {
            // Whose page it is, is no secret; asked for by name or announced, it is reported.
            let base = if self.engine.requested("URL").is_some() { 0.75 } else { 0.2 };
            self.push(
                web.start,
                web.end,
                Id::Url as u16,
                base,
                Verdict::Unchecked,
                Source::Program,
                Some("public site"),
            );
        } else {
            self.propose(
                web.start,
                web.end,
                Id::Url,
                if web.scheme { 0.9 } else { 0.75 },
                Verdict::Unchecked,
            );
        }
    }

    /// A word or a run of digits. Returns where to go on.
    fn token(&mut self, start: usize, end: usize, flags: u8) -> usize {
        let b = self.b;
        let len = end - start;
        let engine = self.engine;
        let first = b[start];
        if engine.tables.starts.may(b, start)
            && let Some(to) = self.keyed(start, end, flags)
        {
            return to.max(end);
        }
        if flags & DIGIT == 0 {
            let next = b.get(end).copied().unwrap_or(b' ');
            let name = first.is_ascii_uppercase() && flags & HIGH == 0 && (3..=10).contains(&len)
                || first.is_ascii_uppercase() && flags & HIGH != 0 && len <= 20
                || first >= 0xd0 && len <= 24;
            if name && matches!(next, b' ' | b'.' | b'-') {
                self.month(start, end);
            }
            if len <= 6 && next < 0x80 && following(next) >= 3 {
                let after = b.get(end + 1).copied().unwrap_or(b' ');
                let upper = flags & LOWERCASE == 0;
                if after.is_ascii_digit()
                    || (upper && len <= 4 && after.is_ascii_uppercase())
                    || (next == b'(' && upper)
                    || (upper && len <= 2 && matches!(next, b'+' | b'-'))
                {
                    self.shapes(start);
                }
                if len == 2
                    && next == b'-'
                    && let Some(to) = net::mac(b, start)
                {
                    self.propose(start, to, Id::Mac, 0.85, Verdict::Unchecked);
                }
            } else if matches!(len, 8 | 11 | 16) && flags & (LOWERCASE | HIGH) == 0 {
                self.capitals(start, end);
            }
            if len == 4
                && next == b'.'
                && b[start..end].iter().all(u8::is_ascii_hexdigit)
                && let Some(to) = net::mac(b, start)
            {
                self.propose(start, to, Id::Mac, 0.6, Verdict::Unchecked);
            }
            if len == 8 && next == b'-' {
                self.uuid(start);
            }
            return end;
        }
        self.with_digits(start, end, flags);
        end
    }

    /// A month's name with a day or a year after it.
    fn month(&mut self, start: usize, end: usize) {
        let digit_ahead = self.b.get(end..(end + 3).min(self.b.len())).unwrap_or_default();
        if digit_ahead.iter().any(u8::is_ascii_digit)
            && let Some((to, score)) =
                dates::month_first(self.text, start, &self.engine.tables.lists)
        {
            self.date(start, to, score);
        }
    }

    /// A token with a digit in it.
    fn with_digits(&mut self, start: usize, end: usize, flags: u8) {
        let b = self.b;
        let len = end - start;
        let lists = &self.engine.tables.lists;
        let digits_only = flags & (LETTER | UNDERSCORE | HIGH) == 0;
        let next = b.get(end).copied().unwrap_or(b' ');
        let joined = self.joined_before(start);
        if digits_only {
            if len <= 3 {
                if next == b'.'
                    && !joined
                    && let Some(to) = net::ipv4(b, start)
                {
                    self.ipv4(start, to);
                }
                if !joined && let Some((from, to, score)) = dates::age(self.text, start) {
                    self.propose(from, to, Id::Age, score, Verdict::Unchecked);
                }
                if next == b'.'
                    && let Some((from, to)) = place::coordinates(b, start)
                {
                    self.propose(from, to, Id::Coordinates, 0.7, Verdict::Unchecked);
                }
            }
            if len <= 8 && !joined {
                if matches!(len, 1 | 2 | 4 | 8)
                    && let Some((to, score)) = dates::date(self.text, start, lists)
                {
                    self.date(start, to, score);
                }
                self.street(start, end);
            }
            if len == 5 && !joined && place::after_state(self.text, start) {
                let more = b
                    .get(end..end + 5)
                    .is_some_and(|r| r[0] == b'-' && r[1..].iter().all(u8::is_ascii_digit));
                self.named(start, if more { end + 5 } else { end }, "US_ZIP", 0.6);
            }
            if !joined && start >= self.phone_to {
                self.phone(start);
            }
            if (4..=19).contains(&len)
                && !joined
                && (len >= 12 || matches!(next, b' ' | b'-' | b'.'))
            {
                self.card(start);
            }
        } else {
            // "5th", "12a Baker Street", "34yo", "5月".
            if first_is_digit(b, start) && len <= 6 && !joined {
                if let Some((to, score)) = dates::date(self.text, start, lists) {
                    self.date(start, to, score);
                } else if let Some((from, to, score)) = dates::age(self.text, start) {
                    self.propose(from, to, Id::Age, score, Verdict::Unchecked);
                }
                self.street(start, end);
            }
            if len == 8 && next == b'-' {
                self.uuid(start);
            }
            if len >= 4
                && b[start].is_ascii_alphabetic()
                && b[start + 1].is_ascii_alphabetic()
                && b[start + 2].is_ascii_digit()
                && let Some(to) = finance::iban(b, start, lists)
            {
                self.propose(start, to, Id::Iban, 0.99, Verdict::Valid);
            }
            if len >= 14
                && !joined
                && let Some(verdict) = finance::crypto(&b[start..end])
            {
                self.propose(
                    start,
                    end,
                    Id::Crypto,
                    if verdict == Verdict::Valid { 0.97 } else { 0.7 },
                    verdict,
                );
            }
            if matches!(len, 8 | 11) && flags & (LOWERCASE | HIGH) == 0 {
                self.capitals(start, end);
            }
            if len == 2
                && (next == b'-')
                && let Some(to) = net::mac(b, start)
            {
                self.propose(start, to, Id::Mac, 0.85, Verdict::Unchecked);
            }
            if len == 4
                && next == b'.'
                && !joined
                && let Some(to) = net::mac(b, start)
            {
                self.propose(start, to, Id::Mac, 0.7, Verdict::Unchecked);
            }
            if start > 0 && b[start - 1] == b'<' || len >= 9 {
                self.mrz(start);
            }
        }
        if digits_only && (len == 2 || len == 4 || len == 8) {
            if len == 2 && matches!(next, b'-' | b':') || len == 4 && next == b'.' {
                if !joined && let Some(to) = net::mac(b, start) {
                    self.propose(start, to, Id::Mac, 0.85, Verdict::Unchecked);
                }
            } else if len == 8 && next == b'-' {
                self.uuid(start);
            }
        }
        if !joined {
            self.shapes(start);
        }
    }

    fn ipv4(&mut self, start: usize, to: usize) {
        // "version 1.2.3.4" is none.
        let before = self.before(start, 10);
        let version = before.trim_end().ends_with("version")
            || before.trim_end().ends_with("v")
            || before.trim_end().ends_with("release");
        self.propose(start, to, Id::Ip, if version { 0.3 } else { 0.9 }, Verdict::Unchecked);
    }

    fn street(&mut self, start: usize, end: usize) {
        if let Some((from, to, score)) = self.engine.tables.streets.address(self.text, start, end) {
            self.propose(from, to, Id::Street, score, Verdict::Unchecked);
            if let Some((from, to, entity)) = place::postcode_after(self.text, from, to) {
                self.named(from, to, entity, 0.6);
            }
        }
    }

    /// A candidate for an entity of the table of patterns.
    fn named(&mut self, start: usize, end: usize, entity: &str, score: f32) {
        if let Some(&id) = self.engine.by_name.get(&crate::Entity::exact(entity)) {
            self.push(start, end, id, score, Verdict::Unchecked, Source::Program, None);
        }
    }

    fn card(&mut self, start: usize) {
        if let Some((to, known, digits)) = finance::card(self.b, start, &self.engine.tables.lists) {
            let score = match (known, digits) {
                (true, 15..) => 0.97,
                (true, 14) => 0.45,
                (true, _) => 0.35,
                (false, _) => 0.25,
            };
            self.propose(start, to, Id::Card, score, Verdict::Valid);
        }
    }

    fn date(&mut self, start: usize, end: usize, score: f32) {
        const PUBLISHED: [&str; 14] = [
            "version",
            "copyright",
            "(c)",
            "©",
            "license",
            "licence",
            "released",
            "release",
            "revision",
            "draft",
            "rfc",
            "since",
            "last updated",
            "edition",
        ];
        let published = score >= 0.3 && {
            let before = self.before(start, 24);
            PUBLISHED.iter().any(|w| before.contains(w))
        };
        let score = if published { score - 0.4 } else { score };
        if score > 0.0 {
            self.propose(start, end, Id::Date, score, Verdict::Unchecked);
        }
    }

    /// Up to `n` bytes before `at` on its line, in lower case.
    fn before(&self, at: usize, n: usize) -> String {
        let from = crate::context::floor(self.text, at.saturating_sub(n));
        let window = self.text.get(from..at).unwrap_or_default();
        window.rsplit('\n').next().unwrap_or_default().to_lowercase()
    }

    fn phone(&mut self, start: usize) {
        // A number that stands in brackets as a whole.
        if self.b.get(start) == Some(&b'(')
            && start + 1 >= self.phone_to
            && let Some(m) = self.engine.tables.phones.find(self.b, start + 1)
            && self.b.get(m.end) == Some(&b')')
        {
            return self.phone_found(start + 1, &m);
        }
        let mut from = start;
        // "+(49) 30 …" and "(+49) 30 …".
        if self.b.get(start..start + 2) == Some(b"(+") {
            from = start + 1;
        }
        if from < self.phone_to
            || self.joined_before(from) && self.b[from] != b'+' && self.b[from] != b'('
        {
            return;
        }
        if from > 0 && (self.b[from - 1].is_ascii_alphanumeric() || self.b[from - 1] == b'_') {
            return;
        }
        if let Some(m) = self.engine.tables.phones.find(self.b, from) {
            let closed = self.b.get(from..m.end).is_some_and(|n| n.contains(&b')'));
            self.phone_found(if closed { start } else { from }, &m);
        }
    }

    fn phone_found(&mut self, start: usize, m: &phone::Match) {
        if m.score >= 0.4 {
            self.phone_to = m.end;
        }
        self.propose(start, m.end, Id::Phone, m.score, Verdict::Unchecked);
        self.regional_phone(start, m);
    }

    /// Presidio names some regions' numbers separately; they are reported when asked for.
    fn regional_phone(&mut self, start: usize, m: &phone::Match) {
        let names: &[&str] = match (&m.region, m.mobile) {
            (b"TR", _) => &["TR_PHONE_NUMBER"],
            (b"PH", Some(true)) => &["PH_MOBILE_NUMBER"],
            (b"ZA", Some(true)) => &["ZA_MOBILE_NUMBER"],
            (b"ZA", _) => &["ZA_TELEPHONE_NUMBER"],
            _ => &[],
        };
        for name in names {
            if let Some(id) = self.engine.requested(name) {
                self.push(start, m.end, id, m.score, Verdict::Unchecked, Source::Program, None);
            }
        }
    }

    fn uuid(&mut self, start: usize) {
        if let Some(to) = net::uuid(self.b, start).filter(|_| self.free_before(start)) {
            self.propose(start, to, Id::Uuid, 0.6, Verdict::Unchecked);
        }
    }

    fn capitals(&mut self, start: usize, end: usize) {
        if finance::bic(&self.b[start..end]) && self.free_before(start) {
            self.propose(start, end, Id::Bic, 0.2, Verdict::Unchecked);
        }
        if end - start == 16 {
            self.shapes(start);
        }
    }

    fn mrz(&mut self, start: usize) {
        let line_start = self.b[..start]
            .iter()
            .rev()
            .take(44)
            .position(|c| *c == b'\n')
            .map_or_else(|| if start <= 44 { 0 } else { start }, |i| start - i);
        if start != line_start {
            return;
        }
        let line = self.b[start..]
            .iter()
            .take(45)
            .take_while(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || **c == b'<');
        let len = line.count();
        let line = &self.b[start..start + len];
        // The second line of a passport: number, nationality, birth, sex, expiry and their checks.
        let checked = |from: usize, to: usize| {
            i64::from(crate::checksum::icao_check(&line[from..to])) == i64::from(line[to]) - 48
        };
        let ok = matches!(len, 44 | 36) && checked(0, 9) && checked(13, 19) && checked(21, 27);
        if ok {
            self.propose(start, start + len, Id::Mrz, 0.98, Verdict::Valid);
            let above = self.b[..start].strip_suffix(b"\n").map_or(0, <[u8]>::len);
            if above >= len {
                let from = above - len;
                if matches!(self.b[from], b'P' | b'V' | b'I' | b'A' | b'C')
                    && self.b[from..above].contains(&b'<')
                    && self.text.is_char_boundary(from)
                {
                    self.propose(from, above, Id::Mrz, 0.95, Verdict::Unchecked);
                }
            }
        }
    }

    /// Tokens with a known prefix, and values after labels.
    fn keyed(&mut self, start: usize, word_end: usize, flags: u8) -> Option<usize> {
        let b = self.b;
        // Tokens have digits, or go on after a sign.
        let free = (flags & DIGIT != 0
            || word_end - start > 12
            || matches!(b.get(word_end), Some(b'-' | b'.' | b'=')))
            && self.free_before(start);
        if free
            && b[start..].starts_with(b"eyJ")
            && let Some(end) = secret::jwt(b, start)
        {
            self.propose(start, end, Id::Jwt, 0.98, Verdict::Valid);
            return Some(end);
        }
        if free && let Some(end) = secret::token(b, start) {
            self.propose(start, end, Id::Secret, 0.95, Verdict::Unchecked);
            return Some(end);
        }
        let (label, from, to) =
            secret::label(self.text, start, word_end, &self.engine.tables.starts)?;
        let (id, score) = match label {
            secret::Label::Password => (Id::Password, 0.8),
            secret::Label::Username => (Id::Username, 0.6),
            secret::Label::Secret => (Id::Secret, 0.75),
            secret::Label::Authorization => (Id::Credential, 0.9),
        };
        self.propose(from, to, id, score, Verdict::Unchecked);
        None
    }

    /// Whether no letter, digit or underscore touches `start`.
    fn free_before(&self, start: usize) -> bool {
        match start.checked_sub(1).and_then(|i| self.b.get(i)) {
            None => true,
            Some(c) if *c < 0x80 => CLASS[usize::from(*c)] & WORD == 0,
            Some(_) => {
                let before = self.text.get(..start).and_then(|t| t.chars().next_back());
                before.is_none_or(|c| !c.is_alphanumeric() || is_dense(c))
            }
        }
    }

    /// Whether what starts here belongs to something longer that started before.
    fn joined_before(&self, start: usize) -> bool {
        let before =
            |n: usize| start.checked_sub(n).and_then(|i| self.b.get(i)).copied().unwrap_or(b' ');
        match before(1) {
            b'-' | b'.' | b'/' | b':' => before(2).is_ascii_digit(),
            b',' => {
                before(2).is_ascii_digit()
                    && self.b[start..].iter().take(4).take_while(|c| c.is_ascii_digit()).count()
                        <= 3
            }
            b'$' | b'+' | b'@' => true,
            0x80.. => {
                let c = self.text.get(..start).and_then(|t| t.chars().next_back()).unwrap_or(' ');
                matches!(c, '€' | '£' | '¥' | '₹' | '₽')
            }
            _ => false,
        }
    }

    /// Identifiers of the table that start here.
    fn shapes(&mut self, start: usize) {
        if !self.free_before(start) {
            return;
        }
        let b = self.b;
        let letters = !b[start].is_ascii_digit();
        let mut run = 0;
        let mut at = start;
        while run < RUNS {
            let Some(&c) = b.get(at) else { break };
            if letters && c >= 0x80 {
                let Some(c) = self.text.get(at..).and_then(|t| t.chars().next()) else { break };
                if !c.is_alphabetic() {
                    break;
                }
                at += c.len_utf8();
            } else if if letters { c.is_ascii_alphabetic() } else { c.is_ascii_digit() } {
                at += 1;
            } else {
                break;
            }
            run += 1;
        }
        let after = b.get(at).map_or(0, |c| following(*c));
        let engine = self.engine;
        if engine.index.at(letters, run, after).is_empty() {
            return;
        }
        self.look_around(start, at);
        for &id in engine.index.at(letters, run, after) {
            let Some(pattern) = engine.patterns.get(usize::from(id)) else { continue };
            let entity = pattern.entity;
            // Nothing that stays below the threshold whatever its checksum says is looked at.
            let best = pattern.score.max(pattern.checked);
            if best < engine.threshold(entity) && !engine.explicit && !self.near.has(entity) {
                continue;
            }
            let (text, bytes) = (self.text, b);
            let ends = |end: usize| ends(text, bytes, end);
            let matching =
                |shapes: &[Shape]| shapes.iter().find_map(|s| s.matches(b, start, &ends));
            let end = matching(&pattern.shapes).or_else(|| {
                let loose = !pattern.loose.is_empty() && (engine.named || self.near.has(entity));
                loose.then(|| matching(&pattern.loose)).flatten()
            });
            let Some(end) = end else { continue };
            let (mut score, mut verdict) = (pattern.score, Verdict::Unchecked);
            if let Some(validator) = pattern.validator {
                let mut compact = [0u8; 48];
                let mut n = 0;
                for &c in &b[start..end] {
                    if (c.is_ascii_alphanumeric()
                        || c == b'&'
                        || (matches!(c, b'-' | b'+') && pattern.notation.starts_with("d{6}[-+A")))
                        && n < compact.len()
                    {
                        compact[n] = c.to_ascii_uppercase();
                        n += 1;
                    }
                }
                verdict = validator(&compact[..n]);
                match verdict {
                    Verdict::Invalid => continue,
                    Verdict::Valid => score = pattern.checked,
                    Verdict::Unchecked => {}
                }
            }
            self.push(start, end, entity, score, verdict, Source::Pattern(id), None);
        }
    }

    /// Notes the entities that words before `start` or soon after `at` speak for.
    fn look_around(&mut self, start: usize, at: usize) {
        let table = &self.engine.context;
        if self.hits_start != start {
            self.hits.clear();
            table.before(self.text, start, &mut self.hits);
            self.hits_start = start;
            self.hits_before = self.hits.len();
            self.hits_end = usize::MAX;
        }
        self.ahead.clear();
        table.after(self.text, at, AHEAD, &mut self.ahead);
        self.near.clear();
        table.near(self.hits.get(..self.hits_before).unwrap_or_default(), &mut self.near);
        table.near(&self.ahead, &mut self.near);
    }

    /// The best word for an entity near a candidate.
    pub(crate) fn hit(&mut self, start: usize, end: usize, entity: u16) -> Option<Hit> {
        let table = &self.engine.context;
        if self.hits_start != start {
            self.hits.clear();
            table.before(self.text, start, &mut self.hits);
            self.hits_start = start;
            self.hits_before = self.hits.len();
            self.hits_end = usize::MAX;
        }
        if end > start && self.hits_end != end {
            self.hits.truncate(self.hits_before);
            table.after(self.text, end, AFTER, &mut self.hits);
            self.hits_end = end;
        }
        let ours = self.hits.iter().filter(|h| table.speaks_for(h.phrase, entity));
        ours.min_by_key(|h| (table.is_generic(h.phrase), h.after, h.distance, u8::MAX - h.words))
            .copied()
    }

    fn propose(&mut self, start: usize, end: usize, id: Id, base: f32, verdict: Verdict) {
        self.push(start, end, id as u16, base, verdict, Source::Program, None);
    }

    /// Scores a candidate and keeps it if it reaches the threshold.
    #[expect(clippy::too_many_arguments, reason = "what a candidate is made of, each once")]
    pub(crate) fn push(
        &mut self,
        start: usize,
        end: usize,
        entity: u16,
        base: f32,
        verdict: Verdict,
        source: Source,
        note: Option<&'static str>,
    ) {
        let engine = self.engine;
        if !engine.wanted(entity) || end <= start {
            return;
        }
        let context = self.hit(start, end, entity);
        let base = if engine.explicit && verdict == Verdict::Valid { 1.0 } else { base };
        let boost = match context {
            None => 0.0,
            Some(hit) if engine.context.is_generic(hit.phrase) => 0.3,
            Some(hit) => {
                let near = match (hit.after, hit.distance) {
                    (false, 0) => 0.1,
                    (false, 1) => 0.07,
                    (false, 2) => 0.04,
                    _ => 0.0,
                };
                // "Korean passport number" says more than "passport number".
                0.35 + near + 0.06 * f32::from(hit.words.clamp(1, 3) - 1)
            }
        };
        let score = if context.is_some() { (base + boost).max(0.4) } else { base }.min(1.0);
        if score < engine.threshold(entity) {
            return;
        }
        // The same stretch for the same entity: the stronger reason stays.
        for other in self.out.iter_mut().rev().take(8) {
            if other.entity == entity && other.start == start && other.end == end {
                if score > other.score {
                    (other.base, other.score, other.verdict) = (base, score, verdict);
                    (other.source, other.context) = (source, context);
                }
                return;
            }
        }
        self.out.push(Candidate {
            start,
            end,
            entity,
            base,
            score,
            verdict,
            source,
            context,
            note,
        });
    }
}

fn first_is_digit(b: &[u8], at: usize) -> bool {
    b.get(at).is_some_and(u8::is_ascii_digit)
}

/// Whether a shape may end here.
fn ends(text: &str, b: &[u8], end: usize) -> bool {
    match b.get(end..) {
        None | Some([]) => true,
        Some([c, rest @ ..]) if *c < 0x80 => {
            let digit = rest.first().is_some_and(u8::is_ascii_digit);
            CLASS[usize::from(*c)] & WORD == 0
                && !matches!(c, b'%' | b'@')
                && !(matches!(c, b'-' | b'/' | b'.' | b':') && digit)
        }
        Some(_) => {
            let c = text.get(end..).and_then(|t| t.chars().next());
            c.is_none_or(|c| !c.is_alphanumeric() || is_dense(c))
        }
    }
}
