//! Words and signs of a text, and where sentences begin.

/// A token: a word with inner apostrophes and hyphens, or a single sign.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether a sentence, a line or a table cell begins with it.
    pub(super) first: bool,
    /// Whether it is a word rather than a sign.
    pub(super) word: bool,
}

/// Splits a text.
pub(super) fn tokenize(text: &str, out: &mut Vec<Token>) {
    out.clear();
    let mut first = true;
    let mut chars = text.char_indices().peekable();
    while let Some(&(start, c)) = chars.peek() {
        if !c.is_alphanumeric() {
            chars.next();
            match c {
                '\n' | '\t' => first = true,
                // Columns of a form.
                ' ' => first |= text.get(start..).is_some_and(|t| t.starts_with("   ")),
                c if c.is_whitespace() => {}
                c => {
                    out.push(Token { start, end: start + c.len_utf8(), first, word: false });
                    // A bullet or an opening quotation mark keeps the sentence's beginning.
                    first = (first && matches!(c, '"' | '(' | '*' | '-' | '•' | '[' | '\'' | '>'))
                        || matches!(c, '!' | '?' | '|');
                    if c == '.' {
                        first = text.get(start + 1..).is_some_and(|r| r.starts_with([' ', '\n']))
                            && !abbreviation(text, start);
                    }
                }
            }
            continue;
        }
        let mut end = start;
        while let Some(&(i, c)) = chars.peek() {
            let next = || text.get(i + c.len_utf8()..).and_then(|r| r.chars().next());
            if c.is_alphanumeric() || c == '_' {
                end = i + c.len_utf8();
            } else if (c == '\'' || c == '-')
                && next().is_some_and(char::is_alphanumeric)
                && !possessive(text, i)
            {
                end = i + 1;
            } else {
                break;
            }
            chars.next();
        }
        out.push(Token { start, end, first, word: true });
        first = false;
    }
}

/// `'s` at the end of a word.
fn possessive(text: &str, at: usize) -> bool {
    let rest = text.get(at..).unwrap_or_default().as_bytes();
    matches!(rest, [b'\'', b's' | b'S', after @ ..] if !after.first().is_some_and(u8::is_ascii_alphanumeric))
}

/// A full stop after a title or another short word with a capital, such as "Dr.", or after an initial;
/// not after capitals such as "AG".
fn abbreviation(text: &str, dot: usize) -> bool {
    const LONGER: [&str; 10] =
        ["Prof", "Capt", "Messrs", "Dott", "Mevr", "Dipl", "Corp", "Univ", "Dept", "Supt"];
    let before = text.get(..dot).unwrap_or_default();
    let word = before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let length = word.chars().count();
    let capitals = length > 1 && !word.contains(char::is_lowercase);
    word.starts_with(char::is_uppercase) && !capitals && (length <= 3 || LONGER.contains(&word))
}
