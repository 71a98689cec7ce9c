//! E-mail addresses, web addresses, IP and hardware addresses, UUIDs.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::lists::Lists;
use crate::work::work;

/// The address around the `@` at `at`.
pub(super) fn email(text: &str, at: usize, lists: &Lists) -> Option<(usize, usize)> {
    let b = text.as_bytes();
    let local = |c: u8| c.is_ascii_alphanumeric() || c >= 0x80 || b"!#$%&'*+-^_~.".contains(&c);
    let mut start = at;
    while start > 0 && at - start < 65 && local(b[start - 1]) {
        if b[start - 1] == b'.' && b.get(start) == Some(&b'.') {
            break;
        }
        start -= 1;
    }
    // "?x=1&mail=a@…": a parameter before it does not belong to it.
    let before = start.checked_sub(1).and_then(|i| b.get(i)).copied().unwrap_or(b' ');
    if b"=?/;".contains(&before)
        && let Some(i) = b.get(start..at).and_then(|l| memchr::memrchr(b'&', l))
    {
        start += i + 1;
    }
    work(at - start + 1);
    // Begins and ends with something that is no punctuation; what is too long is none.
    while start < at && (!b[start].is_ascii_alphanumeric() && b[start] < 0x80 && b[start] != b'_') {
        start += 1;
    }
    start = forward_to_letter(text, start, at);
    if start == at || at - start > 64 || b[at - 1] == b'.' {
        return None;
    }
    let end = domain(text, at + 1, lists, 1)?;
    Some((start, end))
}

/// Skips characters beyond ASCII that are no letters, such as quotation marks of other scripts.
fn forward_to_letter(text: &str, mut start: usize, at: usize) -> usize {
    while !text.is_char_boundary(start) {
        start += 1;
    }
    let mut result = start;
    for (i, c) in text.get(start..at).unwrap_or_default().char_indices() {
        if !c.is_ascii() && !c.is_alphanumeric() {
            result = start + i + c.len_utf8();
        }
    }
    result
}

/// Whether the domain of an address is one that stands in examples and belongs to nobody (RFC 2606).
pub(super) fn is_reserved(address: &str) -> bool {
    let domain = address.rsplit('@').next().unwrap_or_default().to_ascii_lowercase();
    let mut labels = domain.rsplit('.');
    matches!(
        (labels.next(), labels.next()),
        (Some("example" | "test" | "invalid" | "localhost"), _)
            | (Some("com" | "net" | "org"), Some("example"))
    )
}

/// The end of a domain name with at least `dots` dots and a top-level domain of the registry.
fn domain(text: &str, start: usize, lists: &Lists, dots: usize) -> Option<usize> {
    let b = text.as_bytes();
    let mut i = start;
    let mut seen = 0;
    let mut end = None;
    let mut lower = false;
    loop {
        let label = i;
        while i < b.len() && (b[i].is_ascii_alphanumeric() || b[i] == b'-' || b[i] == b'_') {
            i += 1;
        }
        if i < b.len() && b[i] >= 0x80 {
            let rest = text.get(i..)?;
            let wide = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '-');
            let len: usize = wide.map(char::len_utf8).sum();
            i += len;
        }
        work(i - label);
        let name = text.get(label..i)?;
        if name.is_empty() || name.len() > 63 || name.starts_with('-') || i - start > 253 {
            break;
        }
        // "…example.com.Then": a new sentence.
        let capital = name.starts_with(|c: char| c.is_ascii_uppercase());
        if seen > 0 && capital && lower && name.bytes().skip(1).any(|c| c.is_ascii_lowercase()) {
            break;
        }
        lower |= name.bytes().any(|c| c.is_ascii_lowercase());
        if seen >= dots && !name.ends_with('-') && lists.is_tld(name) {
            end = Some(i);
        }
        if b.get(i) != Some(&b'.') {
            break;
        }
        seen += 1;
        i += 1;
    }
    end
}

/// What a web address is.
pub(super) struct Web {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) scheme: bool,
    /// `user:password@` stood before the host.
    pub(super) credentials: bool,
    pub(super) host: (usize, usize),
}

/// The address around the `://` at `colon`.
pub(super) fn url(
    text: &str,
    colon: usize,
    lists: &Lists,
    replaced: impl Fn(usize) -> bool,
) -> Option<Web> {
    let b = text.as_bytes();
    let mut start = colon;
    while start > 0
        && colon - start < 20
        && (b[start - 1].is_ascii_alphanumeric() || b"+.-".contains(&b[start - 1]))
    {
        start -= 1;
    }
    while start < colon && !b[start].is_ascii_alphabetic() {
        start += 1;
    }
    if start == colon {
        return None;
    }
    // The host and what stands before it, within a bound: only an address is read to its end.
    let from = colon + 3;
    let window = b.get(from..b.len().min(from + AUTHORITY)).unwrap_or_default();
    let stop = |i: usize, c: u8| b"/?#".contains(&c) || (is_stop(c) && !replaced(from + i));
    let reach = window.iter().enumerate().position(|(i, c)| stop(i, *c)).unwrap_or(window.len());
    work(reach);
    let mut authority = from + reach;
    while !text.is_char_boundary(authority) {
        authority -= 1;
    }
    let mut host = from;
    let mut credentials = false;
    if let Some(i) = b[host..authority].iter().rposition(|c| *c == b'@') {
        credentials = b[host..host + i].contains(&b':');
        host += i + 1;
    }
    if !matches!(b.get(authority), Some(b'/' | b'?' | b'#')) {
        authority = trimmed(text, from, authority).max(host);
    }
    let host_end =
        b[host..authority].iter().position(|c| *c == b':').map_or(authority, |i| host + i);
    let name = text.get(host..host_end)?;
    let bracketed = b.get(host) == Some(&b'[');
    let known = name.parse::<Ipv4Addr>().is_ok()
        || bracketed
        || domain(text, host, lists, 1).is_some_and(|e| e == host_end);
    if !(known || (credentials && !name.is_empty())) {
        // A sentence or a file may follow without a blank; keep what is a host.
        let end = domain(text, host, lists, 1)?;
        return Some(Web { start, end, scheme: true, credentials, host: (host, end) });
    }
    let end = tail(text, from, &replaced);
    Some(Web { start, end, scheme: true, credentials, host: (host, host_end) })
}

/// Bytes in which the user's name, the password, the host and the port must lie.
const AUTHORITY: usize = 768;

/// Blanks, quotation marks and brackets, which end an address.
fn is_stop(c: u8) -> bool {
    c <= b' ' || b"<>\"'`|{}\\^)".contains(&c)
}

/// How far an address may reach: to a blank, a quotation mark or a bracket, less punctuation.
fn tail(text: &str, from: usize, replaced: impl Fn(usize) -> bool) -> usize {
    let b = text.as_bytes();
    let mut end = from;
    let mut open = 0i32;
    while let Some(&c) = b.get(end) {
        let stop = match c {
            b'(' => {
                open += 1;
                false
            }
            b')' => {
                open -= 1;
                open < 0
            }
            // Closing quotation marks and brackets beyond ASCII.
            0xe2 => ["⟩", "”", "’"].iter().any(|q| b[end..].starts_with(q.as_bytes())),
            _ => is_stop(c),
        };
        if stop && !replaced(end) {
            break;
        }
        end += 1;
    }
    work(end - from);
    trimmed(text, from, end)
}

/// The end of an address without the punctuation that follows it.
fn trimmed(text: &str, from: usize, mut end: usize) -> usize {
    let b = text.as_bytes();
    while end > from && b".,;:!?*_)".contains(&b[end - 1]) {
        if b[end - 1] == b')' && b[from..end].contains(&b'(') {
            break;
        }
        end -= 1;
    }
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    end
}

/// A domain name without a scheme around the dot at `dot`, and how far it was looked at.
pub(super) fn bare(
    text: &str,
    dot: usize,
    lists: &Lists,
    replaced: impl Fn(usize) -> bool,
) -> (usize, Option<Web>) {
    let b = text.as_bytes();
    let mut start = dot;
    while start > 0
        && dot - start < 64
        && (b[start - 1].is_ascii_alphanumeric() || b[start - 1] == b'-')
    {
        start -= 1;
    }
    let mut chain = dot;
    while chain < b.len() && (b[chain].is_ascii_alphanumeric() || b"-.".contains(&b[chain])) {
        chain += 1;
    }
    work(chain - start);
    let none = (chain, None);
    let before = start.checked_sub(1).and_then(|i| b.get(i)).copied().unwrap_or(b' ');
    if before >= 0x80 || b"@/.\\$_#&".contains(&before) || chain - start > 253 {
        return none;
    }
    let Some(end) = domain(text, start, lists, 1) else { return none };
    if !matches!(b.get(end), None | Some(b'/' | b':' | b'?' | b'#'))
        && end < chain
        && b.get(end) != Some(&b'.')
    {
        return none;
    }
    let Some(name) = text.get(start..end) else { return none };
    let labels = name.bytes().filter(|c| *c == b'.').count() + 1;
    let Some((_, tld)) = name.rsplit_once('.') else { return none };
    let path = b.get(end) == Some(&b'/');
    let www = name.get(..4).is_some_and(|w| w.eq_ignore_ascii_case("www."));
    let first = name.split('.').next().unwrap_or("");
    // "it's done.So", `request.name`, `main.rs`: only domains that are little else.
    let mixed = name.bytes().any(|c| c.is_ascii_uppercase())
        && name.bytes().any(|c| c.is_ascii_lowercase());
    let certain = ["com", "org", "net", "edu", "gov"].iter().any(|t| tld.eq_ignore_ascii_case(t));
    if matches!(before, b'=' | b':') && !(www || (certain && first.len() >= 3)) {
        return none;
    }
    let plausible = www
        || (lists.is_plain_tld(tld) && first.len() >= 2 && !mixed)
        || (path && labels >= 2 && lists.is_country_tld(tld) && !lists.is_extension(tld) && !mixed)
        || (labels >= 3
            && lists.is_country_tld(tld)
            && !lists.is_extension(tld)
            && !mixed
            && first.len() >= 3);
    if !plausible || b.get(end) == Some(&b'(') || b.get(end) == Some(&b'_') {
        return none;
    }
    let to = if matches!(b.get(end), Some(b'/' | b'?' | b'#' | b':')) {
        tail(text, end, replaced)
    } else {
        end
    };
    let web =
        Web { start, end: to.max(end), scheme: false, credentials: false, host: (start, end) };
    (chain.max(to), Some(web))
}

/// An IPv4 address with an optional prefix length at `start`.
pub(super) fn ipv4(b: &[u8], start: usize) -> Option<usize> {
    let mut i = start;
    for part in 0..4 {
        let run = b.get(i..)?.iter().take(4).take_while(|c| c.is_ascii_digit()).count();
        if !(1..=3).contains(&run) {
            return None;
        }
        let value = b[i..i + run].iter().fold(0u32, |n, c| n * 10 + u32::from(c - b'0'));
        if value > 255 || (run > 1 && b[i] == b'0') {
            return None;
        }
        i += run;
        if part < 3 {
            if b.get(i) != Some(&b'.') {
                return None;
            }
            i += 1;
        }
    }
    match b.get(i..) {
        Some([b'.', c, ..]) if c.is_ascii_digit() => return None,
        Some([b'-' | b'_', ..]) => {}
        Some([c, ..]) if c.is_ascii_alphanumeric() => return None,
        _ => {}
    }
    Some(prefix_length(b, i, 32))
}

fn prefix_length(b: &[u8], end: usize, most: u32) -> usize {
    if b.get(end) != Some(&b'/') {
        return end;
    }
    let run = b[end + 1..].iter().take(4).take_while(|c| c.is_ascii_digit()).count();
    let value = b[end + 1..end + 1 + run].iter().fold(0u32, |n, c| n * 10 + u32::from(c - b'0'));
    let after = end + 1 + run;
    let free = !b.get(after).is_some_and(|c| {
        c.is_ascii_alphanumeric()
            || *c == b'/'
            || *c == b'.' && b.get(after + 1).is_some_and(u8::is_ascii_digit)
    });
    if (1..=3).contains(&run) && value <= most && free { after } else { end }
}

/// An IPv6 address around the colon at `colon`: start, end, whether it is the bare `::`.
pub(super) fn ipv6(text: &str, colon: usize) -> Option<(usize, usize, bool)> {
    let b = text.as_bytes();
    let mut start = colon;
    while start > 0 && colon - start < 5 && b[start - 1].is_ascii_hexdigit() {
        start -= 1;
    }
    if colon - start > 4 {
        return None;
    }
    match start.checked_sub(1).and_then(|i| b.get(i)) {
        Some(c) if c.is_ascii_alphanumeric() || b":._-".contains(c) || *c >= 0x80 => return None,
        _ => {}
    }
    let mut end = colon;
    while end < b.len()
        && end - start < 46
        && (b[end].is_ascii_hexdigit() || b[end] == b':' || b[end] == b'.')
    {
        end += 1;
    }
    if b.get(end).is_some_and(|c| c.is_ascii_alphanumeric() || *c == b'_' || *c == b'(') {
        return None;
    }
    while end > colon && (b[end - 1] == b'.' || (b[end - 1] == b':' && b[end - 2] != b':')) {
        end -= 1;
    }
    let name = text.get(start..end)?;
    let address: Ipv6Addr = name.parse().ok()?;
    let bare = address.is_unspecified();
    let groups = name.split(':').filter(|g| !g.is_empty()).count();
    if !bare && (!name.bytes().any(|c| c.is_ascii_digit()) && groups < 4) {
        return None;
    }
    if b.get(end) == Some(&b'%') {
        let zone = b[end + 1..].iter().take(16).take_while(|c| c.is_ascii_alphanumeric()).count();
        if zone > 0 {
            end += 1 + zone;
        }
    }
    Some((start, prefix_length(b, end, 128), bare))
}

/// A hardware address at `start`.
pub(super) fn mac(b: &[u8], start: usize) -> Option<usize> {
    let hex = |i: usize| b.get(start + i).is_some_and(u8::is_ascii_hexdigit);
    let sep = *b.get(start + 2)?;
    let end = if (sep == b':' || sep == b'-')
        && (0..17).all(|i| if i % 3 == 2 { b.get(start + i) == Some(&sep) } else { hex(i) })
    {
        start + 17
    } else if b.get(start + 4) == Some(&b'.')
        && (0..14).all(|i| if i % 5 == 4 { b.get(start + i) == Some(&b'.') } else { hex(i) })
    {
        start + 14
    } else {
        return None;
    };
    let next = b.get(end).copied().unwrap_or(b' ');
    let longer = start >= 2 && b[start - 1] == sep && b[start - 2].is_ascii_hexdigit();
    if next.is_ascii_alphanumeric()
        || next == b'_'
        || (longer && (sep == b':' || sep == b'-'))
        || (next == b'.' && b.get(end + 1).is_some_and(u8::is_ascii_digit))
        || (next == sep && b.get(end + 1).is_some_and(u8::is_ascii_hexdigit))
    {
        return None;
    }
    let digits = || b[start..end].iter().filter(|c| c.is_ascii_hexdigit());
    let void = digits().all(|c| *c == b'0') || digits().all(|c| c.eq_ignore_ascii_case(&b'f'));
    (!void).then_some(end)
}

/// A UUID of a known version and variant at `start`.
pub(super) fn uuid(b: &[u8], start: usize) -> Option<usize> {
    let s = b.get(start..start + 36)?;
    let fits = s.iter().enumerate().all(|(i, c)| match i {
        8 | 13 | 18 | 23 => *c == b'-',
        _ => c.is_ascii_hexdigit(),
    });
    let next = b.get(start + 36).copied().unwrap_or(b' ');
    let ends = !(next.is_ascii_alphanumeric() || next == b'_' || next == b'-');
    let version = matches!(s[14], b'1'..=b'8') && b"89abAB".contains(&s[19]);
    (fits && ends && version).then_some(start + 36)
}
