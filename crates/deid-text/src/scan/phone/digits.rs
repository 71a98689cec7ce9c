//! Digits in groups that may be a telephone number, before any plan is asked.

#[derive(Clone, Copy)]
pub(super) struct Group {
    /// Digits before this group.
    pub(super) from: usize,
    pub(super) len: usize,
    pub(super) end: usize,
}

pub(super) struct Candidate<'a> {
    /// The text that the ends of the groups count in.
    pub(super) text: &'a [u8],
    /// Whether a digit and a blank stand before it.
    pub(super) continued: bool,
    pub(super) digits: &'a [u8],
    pub(super) groups: &'a [Group],
    pub(super) plus: bool,
    pub(super) brackets: bool,
    pub(super) seps: &'a [u8],
}

impl Candidate<'_> {
    /// "1999-2005": both groups of four are years.
    fn years(&self) -> bool {
        self.digits.chunks(4).all(|y| matches!(y, [b'1', b'8' | b'9', ..] | [b'2', b'0', ..]))
    }

    /// "13, 215-232 (1942)" and "18 (2001) 116-140" cite a page.
    pub(super) fn has_bracketed_year(&self) -> bool {
        let year = |g: &Group| {
            let opened = g.end.checked_sub(5).and_then(|i| self.text.get(i)) == Some(&b'(');
            let digits = self.digits.get(g.from..g.from + g.len).unwrap_or_default();
            opened && matches!(digits, [b'1', b'9', _, _] | [b'2', b'0', _, _])
        };
        !self.plus && self.groups.iter().any(year)
    }

    /// The lengths of the groups after the first `skip` digits.
    pub(super) fn lengths(&self, skip: usize) -> u64 {
        let length = |g: &Group| (g.from + g.len).saturating_sub(skip).min(g.len) as u64;
        pack(self.groups.iter().map(length).filter(|n| *n > 0))
    }

    pub(super) fn looks_like_address_or_number(&self) -> bool {
        let dots = self.seps.iter().filter(|s| **s == b'.').count();
        let slashes = self.seps.iter().filter(|s| **s == b'/').count();
        let groups = self.groups.len();
        // 192.168.1.1 and 3.14159265; 12/05/1987; 2024-05-12.
        (dots == 3 && groups == 4 && self.groups.iter().all(|g| g.len <= 3))
            || (dots == 1
                && groups == 2
                && (self.digits.first() != Some(&b'0') || self.groups[0].len == 1)
                && !self.plus)
            // 0.70710678 and another number.
            || (self.seps.first() == Some(&b'.') && self.digits.first() == Some(&b'0')
                && self.groups[0].len == 1
                && !self.plus)
            || (slashes == 2 && groups == 3)
            || (groups == 2 && !self.plus && self.groups.iter().all(|g| g.len == 4) && self.years())
            // Social security numbers of the United States.
            || (groups == 3
                && !self.plus
                && [self.groups[0].len, self.groups[1].len, self.groups[2].len] == [3, 2, 4])
            || (groups == 3
                && self.groups[0].len == 4
                && self.groups[1].len == 2
                && self.groups[2].len == 2)
            || (groups == 3
                && self.groups[0].len <= 2
                && self.groups[1].len <= 2
                && self.groups[2].len == 4
                && dots == 2)
    }
}

/// Lengths of groups in one word, five bits each.
pub(super) fn pack(lengths: impl Iterator<Item = u64>) -> u64 {
    lengths.fold(0, |packed, n| packed << 5 | n)
}

/// 3-3-4.
pub(super) const NANP: u64 = 3 << 10 | 3 << 5 | 4;
