//! A column's codes in as few bytes as its dictionary needs.

/// Codes into a dictionary, one for each row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Codes {
    U8(Vec<u8>),
    U16(Vec<u16>),
    U32(Vec<u32>),
}

impl Codes {
    pub(crate) fn new() -> Self {
        Codes::U8(Vec::new())
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Codes::U8(v) => v.len(),
            Codes::U16(v) => v.len(),
            Codes::U32(v) => v.len(),
        }
    }

    /// The code of a row; rows beyond the end are a caller's mistake.
    #[inline]
    pub(crate) fn get(&self, row: usize) -> u32 {
        match self {
            Codes::U8(v) => u32::from(v[row]),
            Codes::U16(v) => u32::from(v[row]),
            Codes::U32(v) => v[row],
        }
    }

    /// Appends a code, in wider words from the first code that needs them.
    #[inline]
    pub(crate) fn push(&mut self, code: u32) {
        match self {
            Codes::U8(v) => match u8::try_from(code) {
                Ok(code) => return v.push(code),
                Err(_) if code <= u32::from(u16::MAX) => {
                    *self = Codes::U16(v.iter().map(|&c| u16::from(c)).collect());
                }
                Err(_) => *self = Codes::U32(v.iter().map(|&c| u32::from(c)).collect()),
            },
            Codes::U16(v) => match u16::try_from(code) {
                Ok(code) => return v.push(code),
                Err(_) => *self = Codes::U32(v.iter().map(|&c| u32::from(c)).collect()),
            },
            Codes::U32(v) => return v.push(code),
        }
        self.push(code);
    }

    /// Calls `visit` with each code of `rows` in order.
    #[inline]
    pub(crate) fn for_each(&self, rows: std::ops::Range<usize>, mut visit: impl FnMut(usize, u32)) {
        let start = rows.start;
        match self {
            Codes::U8(v) => {
                v[rows].iter().enumerate().for_each(|(i, &c)| visit(start + i, u32::from(c)));
            }
            Codes::U16(v) => {
                v[rows].iter().enumerate().for_each(|(i, &c)| visit(start + i, u32::from(c)));
            }
            Codes::U32(v) => v[rows].iter().enumerate().for_each(|(i, &c)| visit(start + i, c)),
        }
    }

    /// Calls `visit` with each of `places` and the code of its row, the first of which is `start`.
    #[inline]
    pub(crate) fn visit_with<T>(
        &self,
        start: usize,
        places: &mut [T],
        mut visit: impl FnMut(&mut T, u32),
    ) {
        let rows = start..start + places.len();
        match self {
            Codes::U8(v) => {
                places.iter_mut().zip(&v[rows]).for_each(|(to, &c)| visit(to, u32::from(c)));
            }
            Codes::U16(v) => {
                places.iter_mut().zip(&v[rows]).for_each(|(to, &c)| visit(to, u32::from(c)));
            }
            Codes::U32(v) => places.iter_mut().zip(&v[rows]).for_each(|(to, &c)| visit(to, c)),
        }
    }

    /// Codes below `values`, in words that hold all of them.
    pub(crate) fn below(values: usize, codes: impl Iterator<Item = u32>) -> Self {
        if values <= 1 << 8 {
            Codes::U8(codes.map(|code| code as u8).collect())
        } else if values <= 1 << 16 {
            Codes::U16(codes.map(|code| code as u16).collect())
        } else {
            Codes::U32(codes.collect())
        }
    }

    /// The codes of the rows given, in that order.
    pub(crate) fn take(&self, rows: &[u32]) -> Self {
        match self {
            Codes::U8(v) => Codes::U8(rows.iter().map(|&row| v[row as usize]).collect()),
            Codes::U16(v) => Codes::U16(rows.iter().map(|&row| v[row as usize]).collect()),
            Codes::U32(v) => Codes::U32(rows.iter().map(|&row| v[row as usize]).collect()),
        }
    }

    /// How many rows hold each code below `values`.
    pub(crate) fn counts(&self, values: usize) -> Vec<u64> {
        // Neighbours count in places of their own, so that runs of one code do not wait for memory.
        let mut all = vec![[0u64; 2]; values];
        self.for_each(0..self.len(), |row, code| all[code as usize][row & 1] += 1);
        all.into_iter().map(|[even, odd]| even + odd).collect()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.len()).map(|row| self.get(row))
    }
}

impl FromIterator<u32> for Codes {
    fn from_iter<I: IntoIterator<Item = u32>>(codes: I) -> Self {
        let mut all = Codes::new();
        codes.into_iter().for_each(|code| all.push(code));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_widen_without_losing_codes() {
        let codes: Vec<u32> = vec![3, 255, 256, 7, 65_535, 65_536, 1, u32::MAX];
        let stored: Codes = codes.iter().copied().collect();
        assert_eq!(stored.iter().collect::<Vec<_>>(), codes);
        let jump: Codes = [0, 70_000].into_iter().collect();
        assert_eq!(jump, Codes::U32(vec![0, 70_000]));
        let mut seen = Vec::new();
        stored.for_each(2..5, |row, code| seen.push((row, code)));
        assert_eq!(seen, [(2, 256), (3, 7), (4, 65_535)]);
        let mut sums = [1, 2];
        stored.visit_with(3, &mut sums, |sum, code| *sum += code);
        assert_eq!(sums, [8, 65_537]);
    }
}
