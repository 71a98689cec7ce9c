//! Whether a text is about programs: documentation, manuals, code.
//!
//! In such a text a capital letter says little, links lead to other documents, and what stands in quotation
//! marks is an example. It is told by its signs: backticks, `()`, `!(`, `->`, `#[`, `--options`, `__names__`.

/// Signs that a text must have, and of how many words one must be a sign.
const LEAST: usize = 8;
const WORDS: usize = 20;

pub(crate) fn is_technical(text: &str) -> bool {
    let b = text.as_bytes();
    let (mut signs, mut words) = (0usize, 0usize);
    let (mut before, mut last) = (b' ', b' ');
    for (i, &c) in b.iter().enumerate() {
        if c.is_ascii_alphanumeric() {
            words += usize::from(!last.is_ascii_alphanumeric());
            let option = before == b'-' && last == b'-' && {
                let first = i.checked_sub(3).and_then(|k| b.get(k)).copied().unwrap_or(b' ');
                matches!(first, b' ' | b'[' | b'\t' | b'\n')
            };
            let dunder = before == b'_' && last == b'_';
            signs += 2 * usize::from(c.is_ascii_lowercase() && (option || dunder));
        } else {
            signs += match (last, c) {
                (_, b'`') => 1,
                (b'(', b')') | (b'!', b'(') | (b'-' | b'=', b'>') | (b'#', b'[') => 2,
                _ => 0,
            };
        }
        (before, last) = (last, c);
    }
    signs >= LEAST && signs * WORDS >= words
}

#[cfg(test)]
mod tests {
    use super::is_technical;

    #[test]
    fn signs_tell() {
        assert!(is_technical(
            "Returns `None` if `key` is missing; see `get()` and `Map::insert()`."
        ));
        assert!(is_technical("usage: tool [--all] [--quiet] [--file FILE]\n  --help\n"));
        assert!(!is_technical(
            "Marta wrote that the tool `sync` hangs; she lives in Leeds and called twice."
        ));
        assert!(!is_technical(
            r#"{"first_name": "Marta", "last_name": "Kowalska", "city": "Leeds"}"#
        ));
        assert!(!is_technical("Name: ______________ City: ____________ Signature: ______________"));
    }
}
