//! Text in columns, measured as a terminal shows it.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The columns a text takes.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// The text at the left of `columns`, shortened where it is longer; one blank always follows.
pub(super) fn left(text: &str, columns: usize) -> String {
    let text = shortened(text, columns.saturating_sub(1));
    let blanks = " ".repeat(columns.saturating_sub(width(&text)));
    text + &blanks
}

/// The text at the right of `columns`.
pub(super) fn right(text: &str, columns: usize) -> String {
    " ".repeat(columns.saturating_sub(width(text))) + text
}

/// The text without control characters, cut to `columns` with a sign that it was.
fn shortened(text: &str, columns: usize) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if width(&text) <= columns {
        return text;
    }
    let (mut short, mut used) = (String::new(), 1);
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > columns {
            break;
        }
        short.push(c);
    }
    short + "…"
}

/// The text in lines of at most `columns`, broken at blanks.
pub(super) fn wrapped(text: &str, columns: usize) -> impl Iterator<Item = String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(word) <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(shortened(word, columns)),
        }
    }
    lines.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_say() {
        for text in ["", "age", "41\u{202f}873", "日本からのログイン", "a\nb\u{1b}[31m", "é"]
        {
            for columns in [4, 8, 30] {
                assert_eq!(width(&left(text, columns)), columns, "{text:?}");
            }
        }
        assert_eq!(left("Netherlands", 8), "Nether… ");
        assert_eq!(right("12", 4), "  12");
    }

    #[test]
    fn text_is_wrapped_at_blanks() {
        let lines: Vec<String> = wrapped("one two  three four", 8).collect();
        assert_eq!(lines, ["one two", "three", "four"]);
    }
}
