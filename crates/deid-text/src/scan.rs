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

mod block;
pub(crate) mod dates;
mod finance;
#[cfg(test)]
mod linear;
pub(crate) mod lists;
mod net;
pub(crate) mod phone;
mod place;
mod programs;
mod score;
pub(crate) mod secret;

use crate::checksum::Verdict;
use crate::context::{Hit, Near, Words, is_dense};
use crate::engine::Engine;
use crate::recognizer::shape::following;
use crate::technical::{Register, register};
use crate::view::View;
use crate::work::work;

pub(crate) use block::{DECIDES, block};

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

/// What is used again from one block to the next, so that a scan seldom allocates.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(crate) out: Vec<Candidate>,
    words: Words,
    hits: Vec<Hit>,
    ahead: Vec<Hit>,
}

/// A scan of one block.
pub(crate) struct Scan<'a, 't> {
    pub(crate) engine: &'a Engine,
    pub(crate) view: &'a View<'t>,
    text: &'a str,
    b: &'a [u8],
    pub(crate) out: &'a mut Vec<Candidate>,
    words: &'a mut Words,
    hits: &'a mut Vec<Hit>,
    hits_start: usize,
    hits_before: usize,
    hits_end: usize,
    /// Words after the first run of a candidate.
    ahead: &'a mut Vec<Hit>,
    /// Entities that some word before a candidate or soon after it speaks for.
    near: Near,
    /// Where the last domain name that was looked at ends.
    domain_to: usize,
    /// Where the last telephone number ends.
    phone_to: usize,
    /// Where the last street address ends.
    street_to: usize,
    /// Where the last address with a scheme ends.
    url_to: usize,
    /// How far a token was looked for in vain.
    jwt_to: usize,
    /// The addresses on public sites, in order.
    public: Vec<(usize, usize)>,
    /// Whether the text is about programs, once that was asked.
    register: Option<Register>,
}

impl<'a, 't> Scan<'a, 't> {
    pub(crate) fn new(engine: &'a Engine, view: &'a View<'t>, scratch: &'a mut Scratch) -> Self {
        let text: &str = &view.text;
        let Scratch { out, words, hits, ahead } = scratch;
        out.clear();
        words.clear();
        hits.clear();
        Scan {
            engine,
            view,
            text,
            b: text.as_bytes(),
            out,
            words,
            hits,
            hits_start: usize::MAX,
            hits_before: 0,
            hits_end: usize::MAX,
            ahead,
            near: Near::default(),
            domain_to: 0,
            phone_to: 0,
            street_to: 0,
            url_to: 0,
            jwt_to: 0,
            public: Vec::new(),
            register: None,
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
                work(i - start);
                i = self.token(start, i, flags);
            } else {
                i = if class & SIGN != 0 { self.sign(c, i) } else { i + 1 };
            }
        }
        self.drop_within_public();
        self.drop_doubtful();
    }

    /// Whether the text is documentation, code or a licence, and nothing was asked for by name: what
    /// stands there as an example is then left out.
    fn register(&mut self) -> Register {
        if self.engine.named {
            return Register::Other;
        }
        let text = self.text;
        *self.register.get_or_insert_with(|| register(text))
    }

    /// Leaves out what has the form of an identifier and no word beside it that says so, where programs are
    /// written about: "AVX512VL", numbers of a table, made-up UUIDs.
    fn drop_doubtful(&mut self) {
        const LEAST: f32 = 0.61;
        let doubtful = |c: &Candidate| {
            let form = matches!(c.source, Source::Pattern(_)) || c.entity == Id::Uuid as u16;
            form && c.context.is_none() && c.score < LEAST
        };
        if self.out.iter().any(doubtful) && self.register() != Register::Other {
            self.out.retain(|c| !doubtful(c));
        }
    }

    /// Leaves out numbers and dates that are part of an address on a public site.
    fn drop_within_public(&mut self) {
        let public = &self.public;
        if public.is_empty() || self.engine.named {
            return;
        }
        const PARTS: [Id; 5] = [Id::Date, Id::Ip, Id::Phone, Id::Age, Id::Coordinates];
        self.out.retain(|c| {
            let part = matches!(c.source, Source::Pattern(_))
                || PARTS.iter().any(|id| c.entity == *id as u16);
            let next = public.partition_point(|(_, end)| *end < c.end);
            !(part && public.get(next).is_some_and(|(start, _)| *start <= c.start))
        });
    }

    /// A sign that may be in the middle of something, or at its start. Returns where to go on.
    fn sign(&mut self, c: u8, i: usize) -> usize {
        let next = self.b.get(i + 1).copied().unwrap_or(b' ');
        match c {
            b'@' => {
                // In "postgres://user:password@host" it is no e-mail address.
                let connection = self
                    .out
                    .last()
                    .is_some_and(|c| c.entity == Id::Connection as u16 && c.start < i && i < c.end);
                if !connection
                    && let Some((start, end)) = net::email(self.text, i, &self.engine.tables.lists)
                    && !self.is_specimen(start, end)
                {
                    self.propose(start, end, Id::Email, 0.98, Verdict::Valid);
                }
            }
            b':' if next == b'/' && self.b.get(i + 2) == Some(&b'/') && i >= self.url_to => {
                let view = self.view;
                let replaced = |at| view.is_replaced(at);
                if let Some(web) = net::url(self.text, i, &self.engine.tables.lists, replaced) {
                    self.web(&web);
                    self.domain_to = self.domain_to.max(web.end);
                    self.url_to = web.end;
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
                    self.ipv6(start, end, bare);
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
        self.with_digits(start, end, flags)
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

    /// A token with a digit in it. Returns where to go on.
    fn with_digits(&mut self, start: usize, end: usize, flags: u8) -> usize {
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
                    self.coordinates(from, to);
                }
                if next == "°".as_bytes()[0]
                    && let Some(to) = place::degrees(b, start)
                {
                    self.propose(start, to, Id::Coordinates, 0.8, Verdict::Unchecked);
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
            if (4..=19).contains(&len)
                && !joined
                && (len >= 12 || matches!(next, b' ' | b'-' | b'.'))
            {
                self.card(start);
            }
            if !joined && start >= self.phone_to {
                self.phone(start);
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
                if self.engine.wanted(Id::Iban as u16) {
                    // Its groups of digits are nothing else.
                    return to;
                }
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
        end
    }
}

fn first_is_digit(b: &[u8], at: usize) -> bool {
    b.get(at).is_some_and(u8::is_ascii_digit)
}
