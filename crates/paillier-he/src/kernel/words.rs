//! Cache-line aligned words that are wiped when dropped.

#![allow(unsafe_code, reason = "reads lines of eight words as flat words")]

use zeroize::Zeroize;

/// Eight words on one cache line.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u64; 8]);

/// Words on a 64-byte boundary, so that a vector load never crosses a cache line. Wiped on drop,
/// as any of them may be secret.
#[derive(Clone, Default)]
pub(crate) struct Words(Vec<Line>);

impl Words {
    /// At least `count` words (rounded up to whole lines), all zero.
    pub(crate) fn zeroed(count: usize) -> Self {
        Words(vec![Line([0; 8]); count.div_ceil(8)])
    }

    /// The words.
    pub(crate) fn as_slice(&self) -> &[u64] {
        // SAFETY: `Line` is `repr(C)` with eight words and no padding (its size, 64, equals its
        // alignment), so the lines are that many initialized words in a row.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast(), self.0.len() * 8) }
    }

    /// The words, to be written.
    pub(crate) fn as_mut_slice(&mut self) -> &mut [u64] {
        // SAFETY: as in `as_slice`, and the borrow is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.0.as_mut_ptr().cast(), self.0.len() * 8) }
    }
}

impl std::ops::Deref for Words {
    type Target = [u64];

    fn deref(&self) -> &[u64] {
        self.as_slice()
    }
}

impl std::ops::DerefMut for Words {
    fn deref_mut(&mut self) -> &mut [u64] {
        self.as_mut_slice()
    }
}

impl Drop for Words {
    fn drop(&mut self) {
        self.as_mut_slice().zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lie_on_cache_lines_and_are_flat() {
        let mut words = Words::zeroed(17);
        assert_eq!(words.len(), 24);
        assert_eq!(words.as_ptr().addr() % 64, 0);
        words[16] = 7;
        assert_eq!(words.clone().as_slice()[16], 7);
    }
}
