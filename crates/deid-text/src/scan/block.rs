//! Where a text is cut into blocks.
//!
//! A block ends at a blank line, or, in a text without any, after at most 64 KiB at the best place
//! there is. Where it ends depends on what follows its start only, so that all chunkings agree.

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
