//! Where a finding is: bytes, characters and UTF-16 units.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// A stretch of text in bytes, always on character boundaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The bytes as a range.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }

    /// Its length in bytes.
    #[must_use]
    pub fn len(self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// Whether it covers nothing.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.end <= self.start
    }

    /// Whether the two have a byte in common.
    #[must_use]
    pub fn overlaps(self, other: Span) -> bool {
        self.start < other.end && other.start < self.end
    }
}

/// Counts characters and UTF-16 units while walking forward through a text once.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counter {
    bytes: usize,
    chars: usize,
    utf16: usize,
}

impl Counter {
    /// Characters and UTF-16 units before the byte `to`, which must not lie before the last one.
    pub(crate) fn advance(&mut self, text: &str, to: usize) -> (usize, usize) {
        if let Some(part) = text.get(self.bytes..to) {
            if part.is_ascii() {
                self.chars += part.len();
                self.utf16 += part.len();
            } else {
                self.chars += part.chars().count();
                self.utf16 += part.chars().map(char::len_utf16).sum::<usize>();
            }
            self.bytes = to;
        }
        (self.chars, self.utf16)
    }
}
