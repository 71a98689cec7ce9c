//! Verifiers with a program of their own: what they found becomes a candidate here.

use super::phone::{Found, STRONG};
use super::{DIGIT, Id, Scan, Source, finance, net, phone, place, secret};
use crate::checksum::Verdict;
use crate::technical::Register;

impl Scan<'_, '_> {
    pub(super) fn web(&mut self, web: &net::Web) {
        if web.credentials {
            self.propose(web.start, web.end, Id::Connection, 0.95, Verdict::Unchecked);
            return;
        }
        let host = self.text.get(web.host.0..web.host.1).unwrap_or_default();
        let path = self.text.get(web.host.1..web.end).unwrap_or_default();
        let lists = &self.engine.tables.lists;
        let public =
            lists.is_public_site(host) || (lists.is_code_host(host) && in_repository(path));
        // "[text](https://…)", "[1]: https://…", "<https://…>", `src="https://…"` and in quotation marks.
        let linked = self.is_quoted(web.start, web.end)
            || ["]: ", "src=\"", "href=\"", "⟨"]
                .iter()
                .any(|l| self.text.get(..web.start).is_some_and(|t| t.ends_with(l)));
        // Documentation refers to other pages, which are nobody's, unless values are handed to one.
        let valued = path.contains('~') || path.contains('?') && path.contains('=');
        let reference = match self.register() {
            Register::Documentation => linked || public || !valued,
            Register::Code => linked,
            Register::Other => false,
        };
        if reference {
            self.public.push((web.start, web.end));
        } else if public {
            // Whose page it is, is no secret; asked for by name or announced, it is reported.
            let base = if self.engine.requested("URL").is_some() { 0.75 } else { 0.2 };
            self.public.push((web.start, web.end));
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
                // More than the address of a machine within it.
                if web.scheme { 0.93 } else { 0.75 },
                Verdict::Unchecked,
            );
        }
    }

    pub(super) fn ipv4(&mut self, start: usize, to: usize) {
        // What else is counted with three dots.
        const NUMBERED: [&str; 14] = [
            "version", "v", "ver", "release", "firmware", "build", "section", "sec", "§",
            "chapter", "clause", "appendix", "figure", "table",
        ];
        // Every machine's own addresses, and nobody's.
        const OWN: [&[u8]; 4] = [b"127.0.0.1", b"0.0.0.0", b"255.255.255.255", b"255.255.255.0"];
        let before = self.before(start, 12);
        // A heading "VERSION" stands on the line above.
        let above = || {
            let line = self.text.get(..start)?.trim_end_matches([' ', '\t']).strip_suffix('\n')?;
            let from = crate::context::floor(line, line.len().saturating_sub(16));
            let line = line.get(from..)?.rsplit('\n').next()?.trim();
            NUMBERED.iter().any(|n| n.eq_ignore_ascii_case(line)).then_some(())
        };
        let word = before.trim_end_matches([' ', '.', ':', '-']);
        let word =
            word.rsplit(|c: char| !c.is_alphanumeric() && c != '§').next().unwrap_or_default();
        let counted = |word: &str| NUMBERED.iter().any(|n| word.trim_end_matches('s') == *n);
        let after = self.text.get(to..).unwrap_or_default();
        let numbered = counted(word)
            || word.ends_with('§')
            || above().is_some()
            || [" or later", " or higher", " or newer", " or above", " and later"]
                .iter()
                .any(|l| after.starts_with(l));
        let own = OWN.contains(&self.b.get(start..to).unwrap_or_default());
        if self.is_example(start, to) || own && self.register() != Register::Other {
            return;
        }
        let score = if numbered || own { 0.3 } else { 0.9 };
        self.propose(start, to, Id::Ip, score, Verdict::Unchecked);
    }

    pub(super) fn ipv6(&mut self, start: usize, end: usize, bare: bool) {
        let found = self.b.get(start..end).unwrap_or_default();
        // A machine's own address; a step through a list as in `items[1::2]`; "by n + 1::".
        let own = found == b"::1";
        let few = found.len() <= 6 && found.iter().all(|c| c.is_ascii_digit() || *c == b':');
        // An embedded IPv4 address is found as well, with 0.9.
        let score = match () {
            () if bare => 0.1,
            () if own || few => 0.3,
            () => 0.92,
        };
        if !self.is_example(start, end) {
            self.propose(start, end, Id::Ip, score, Verdict::Unchecked);
        }
    }

    /// Whether an address belongs to nobody, in documentation: "user@example.com".
    pub(super) fn is_specimen(&mut self, start: usize, end: usize) -> bool {
        let reserved = self.text.get(start..end).is_some_and(net::is_reserved);
        reserved && self.register() == Register::Documentation
    }

    pub(super) fn coordinates(&mut self, start: usize, end: usize) {
        // One of many numbers is no place: "[0.1468, 0.2026, 0.2238]".
        let fraction = |s: &[u8]| {
            s.iter()
                .take(20)
                .filter(|c| **c != b'-')
                .take_while(|c| c.is_ascii_digit() || **c == b'.')
                .count()
                > 5
        };
        let gap = |c: &&u8| matches!(**c, b',' | b' ' | b';' | b'\t' | b'\n');
        let rest = self.b.get(end..).unwrap_or_default();
        let after = rest.iter().take(8).take_while(gap).count();
        let before = self.b.get(..start).unwrap_or_default();
        let behind = before.iter().rev().take(8).take_while(gap).count();
        let follows = after > 0 && fraction(rest.get(after..).unwrap_or_default());
        let precedes = behind > 0
            && before
                .iter()
                .rev()
                .skip(behind)
                .take(20)
                .take_while(|c| c.is_ascii_digit() || **c == b'.')
                .count()
                > 5;
        // Both below one: shares or weights, rather than the sea south of Ghana.
        let small = self
            .text
            .get(start..end)
            .unwrap_or_default()
            .split([',', ' ', ';', '/'])
            .filter(|n| !n.is_empty())
            .all(|n| n.trim_start_matches(['-', '+']).starts_with("0."));
        let doubtful = follows || precedes || small || self.register() != Register::Other;
        let score = if doubtful { 0.3 } else { 0.7 };
        self.propose(start, end, Id::Coordinates, score, Verdict::Unchecked);
    }

    /// Whether what stands at `start..end` is an example: in documentation, in quotation marks or
    /// announced as one.
    fn is_example(&mut self, start: usize, end: usize) -> bool {
        const ANNOUNCED: [&str; 7] =
            ["for example", "example", "examples", "e.g", "eg", "such as", "for instance"];
        let announced = || {
            let from = crate::context::floor(self.text, start.saturating_sub(24));
            let before = self.text.get(from..start).unwrap_or_default();
            let before = before.trim_end_matches(|c: char| !c.is_alphanumeric()).as_bytes();
            ANNOUNCED.iter().any(|a| {
                before.len().checked_sub(a.len()).is_some_and(|i| {
                    before[i..].eq_ignore_ascii_case(a.as_bytes())
                        && !i.checked_sub(1).is_some_and(|k| before[k].is_ascii_alphanumeric())
                })
            })
        };
        (self.is_quoted(start, end) || announced()) && self.register() != Register::Other
    }

    pub(super) fn street(&mut self, start: usize, end: usize) {
        // The number after an address is a postal code, and no house number of the same street.
        let found = self.engine.tables.streets.address(self.text, start, end);
        if let Some((from, to, score)) = found.filter(|(from, ..)| *from >= self.street_to) {
            self.street_to = to;
            self.propose(from, to, Id::Street, score, Verdict::Unchecked);
            if let Some((from, to, entity)) = place::postcode_after(self.text, from, to) {
                self.named(from, to, entity, 0.6);
            }
        }
    }

    /// A candidate for an entity of the table of patterns.
    pub(super) fn named(&mut self, start: usize, end: usize, entity: &str, score: f32) {
        if let Some(&id) = self.engine.by_name.get(&crate::Entity::exact(entity)) {
            self.push(start, end, id, score, Verdict::Unchecked, Source::Program, None);
        }
    }

    pub(super) fn card(&mut self, start: usize) {
        if let Some((to, known, digits)) = finance::card(self.b, start, &self.engine.tables.lists) {
            let score = match (known, digits) {
                (true, 15..) => 0.97,
                (true, 14) => 0.45,
                (true, _) => 0.35,
                (false, _) => 0.25,
            };
            self.propose(start, to, Id::Card, score, Verdict::Valid);
            // Its groups are no telephone numbers.
            if score > 0.9 && self.engine.wanted(Id::Card as u16) {
                self.phone_to = to;
            }
        }
    }

    pub(super) fn date(&mut self, start: usize, end: usize, score: f32) {
        const PUBLISHED: [&str; 21] = [
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
            "last updated",
            "edition",
            "adopted",
            "amended",
            "revised",
            "treaty",
            "convention",
            "directive",
            "council",
            "granted",
        ];
        let published = score >= 0.3 && {
            let from = crate::context::floor(self.text, start.saturating_sub(24));
            let window = self.b.get(from..start).unwrap_or_default();
            let line = memchr::memrchr(b'\n', window).map_or(0, |i| i + 1);
            (line..window.len()).any(|i| {
                let rest = window.get(i..).unwrap_or_default();
                rest.first().is_some_and(|c| b"vc(\xc2lrdseatg".contains(&c.to_ascii_lowercase()))
                    && PUBLISHED.iter().any(|w| {
                        rest.get(..w.len()).is_some_and(|r| r.eq_ignore_ascii_case(w.as_bytes()))
                    })
            })
        };
        // Where counting begins or ends, rather than a day in someone's life.
        const EPOCHS: [&[u8]; 4] = [b"1970-01-01", b"0001-01-01", b"1900-01-01", b"9999-12-31"];
        let found = self.b.get(start..end).unwrap_or_default();
        let epoch = EPOCHS.iter().any(|e| found.starts_with(e)) || is_epoch(found);
        if self.is_example(start, end) {
            return;
        }
        let published = published || self.follows_version(start);
        let score = if published || epoch { score - 0.45 } else { score };
        if score > 0.0 {
            self.propose(start, end, Id::Date, score, Verdict::Unchecked);
        }
    }

    /// Whether a date is that of a version: "## [1.4.0] - 2024-05-12", "v2.1 (May 5, 2021)", or a heading
    /// with a version before it.
    fn follows_version(&self, start: usize) -> bool {
        let before = self.b.get(..start).unwrap_or_default();
        let window = before.get(before.len().saturating_sub(160)..).unwrap_or_default();
        let line = memchr::memrchr(b'\n', window).map_or(0, |i| i + 1);
        let line = window.get(line..).unwrap_or_default();
        let is_part = |c: &u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-' | b'+');
        if line.first() == Some(&b'#') {
            return line.split(|c| !is_part(c)).any(|word| is_version(word, true));
        }
        let end = line.iter().rposition(|c| !b" ()[]-/,:*_|\xe2\x80\x93\x94".contains(c));
        let line = line.get(..end.map_or(0, |i| i + 1)).unwrap_or_default();
        let from = line.iter().rposition(|c| !is_part(c)).map_or(0, |i| i + 1);
        let (before, word) = line.split_at_checked(from).unwrap_or_default();
        is_version(word, before.last() == Some(&b'['))
    }

    /// Whether a quotation mark or a bracket stands on both sides, and it is no value after a name as in
    /// `"born": "1987-05-12"`.
    fn is_quoted(&self, start: usize, end: usize) -> bool {
        let before = self.b.get(..start).unwrap_or_default();
        let Some((open, before)) = before.split_last() else { return false };
        // In a program: `let day = "1987-05-12".parse()`.
        let code = matches!(self.b.get(end + 1), Some(b'.' | b';' | b')'));
        let valued = before
            .iter()
            .rev()
            .take(4)
            .find(|c| **c != b' ')
            .is_some_and(|c| *c == b':' || *c == b'=' && !code);
        let closed = self.b.get(end).is_some_and(|c| b"\"'`)>".contains(c));
        closed && (b"(<".contains(open) || b"\"'`".contains(open) && !valued)
    }

    /// Up to `n` bytes before `at` on its line, in lower case.
    pub(super) fn before(&self, at: usize, n: usize) -> String {
        let from = crate::context::floor(self.text, at.saturating_sub(n));
        let window = self.text.get(from..at).unwrap_or_default();
        window.rsplit('\n').next().unwrap_or_default().to_lowercase()
    }

    pub(super) fn phone(&mut self, start: usize) {
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
        // Without a label only what counts by itself is looked for.
        let engine = self.engine;
        let phones = &engine.tables.phones;
        let found = match phones.find_from(self.b, from, STRONG) {
            Found::Weaker if self.may_be_announced(from) => phones.find(self.b, from),
            Found::Weaker | Found::Nothing => None,
            Found::Number(m) => Some(m),
        };
        if let Some(m) = found {
            let closed = self.b.get(from..m.end).is_some_and(|n| n.contains(&b')'));
            self.phone_found(if closed { start } else { from }, &m);
        }
    }

    /// Whether a telephone number that starts at `start` counts though its form alone says little.
    fn may_be_announced(&mut self, start: usize) -> bool {
        let phone = Id::Phone as u16;
        if self.engine.named || self.engine.explicit || self.engine.threshold(phone) < STRONG {
            return true;
        }
        let run = self.b.get(start..).unwrap_or_default();
        let end = start + run.iter().take(20).take_while(|c| c.is_ascii_digit()).count();
        self.look_around(start, end);
        self.near.has(phone)
    }

    pub(super) fn phone_found(&mut self, start: usize, m: &phone::Match) {
        if m.score >= 0.4 {
            self.phone_to = m.end;
        }
        self.propose(start, m.end, Id::Phone, m.score, Verdict::Unchecked);
        self.regional_phone(start, m);
    }

    /// Presidio names some regions' numbers separately; they are reported when asked for.
    pub(super) fn regional_phone(&mut self, start: usize, m: &phone::Match) {
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

    pub(super) fn uuid(&mut self, start: usize) {
        if let Some(to) = net::uuid(self.b, start).filter(|_| self.free_before(start)) {
            self.propose(start, to, Id::Uuid, 0.6, Verdict::Unchecked);
        }
    }

    pub(super) fn capitals(&mut self, start: usize, end: usize) {
        if finance::bic(&self.b[start..end]) && self.free_before(start) {
            self.propose(start, end, Id::Bic, 0.2, Verdict::Unchecked);
        }
        if end - start == 16 {
            self.shapes(start);
        }
    }

    pub(super) fn mrz(&mut self, start: usize) {
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
    pub(super) fn keyed(&mut self, start: usize, word_end: usize, flags: u8) -> Option<usize> {
        let b = self.b;
        // Tokens have digits, or go on after a sign.
        let free = (flags & DIGIT != 0
            || word_end - start > 12
            || matches!(b.get(word_end), Some(b'-' | b'.' | b'=')))
            && self.free_before(start);
        if free && start >= self.jwt_to && b[start..].starts_with(b"eyJ") {
            match secret::jwt(b, start) {
                Ok(end) => {
                    self.propose(start, end, Id::Jwt, 0.98, Verdict::Valid);
                    return Some(end);
                }
                Err(to) => self.jwt_to = to,
            }
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
}

/// Whether a date is no day of a person of today: "January 1, 1970", "1677-09-21".
fn is_epoch(date: &[u8]) -> bool {
    let numbers = || date.split(|c| !c.is_ascii_digit()).filter(|n| !n.is_empty());
    let january = date.to_ascii_lowercase().windows(3).any(|w| w == b"jan");
    let first = || numbers().take(2).all(|n| matches!(n, b"1" | b"01" | b"1970" | b"1900"));
    let far =
        |n: &[u8]| n.len() == 4 && matches!(n, [b'1', b'0'..=b'7', ..] | [b'2', b'2'..=b'9', ..]);
    january && numbers().any(|n| n.len() == 4) && first() || numbers().take(3).any(far)
}

/// Whether a word is a version: "1.4.0", "v2.1", "0.3.0-beta.1"; of two parts where it is marked as one.
fn is_version(word: &[u8], marked: bool) -> bool {
    let word = word.strip_prefix(b"v").map_or((word, marked), |w| (w, true));
    let (word, marked) = word;
    let end = word.iter().position(|c| matches!(c, b'-' | b'+')).unwrap_or(word.len());
    let number = word.get(..end).unwrap_or_default();
    let parts = number.iter().filter(|c| **c == b'.').count() + 1;
    let short = |n: &[u8]| (1..=3).contains(&n.len()) && n.iter().all(u8::is_ascii_digit);
    (parts == 3 || marked && parts == 2) && number.split(|c| *c == b'.').all(short)
}

/// Whether a path on a host of code leads into a repository, rather than to its owner.
fn in_repository(path: &str) -> bool {
    path.split(['?', '#']).next().unwrap_or_default().split('/').filter(|s| !s.is_empty()).count()
        >= 3
}
