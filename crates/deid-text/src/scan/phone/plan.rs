//! The plans of all regions: one automaton over digits, in which each region has a state to start from.

const STATES: &[u8] = include_bytes!("../../../data/phones.bin");

/// How many states there are at most.
pub(super) fn states() -> usize {
    STATES.len() / 22 + 1
}

/// Where digit `i` leads from a state; with 10, what a number that ends there is.
pub(super) fn word(state: usize, i: usize) -> u16 {
    let at = (state * 11 + i) * 2;
    match STATES.get(at..at + 2) {
        Some(&[a, b]) => u16::from_le_bytes([a, b]),
        _ => 0,
    }
}

/// A bit for each number of digits that leads from a state to an accepting one.
pub(super) fn lengths_from(state: u16, known: &mut [Option<u32>], depth: u32) -> u32 {
    let at = usize::from(state);
    if state == 0 || depth > 24 {
        return 0;
    }
    if let Some(Some(lengths)) = known.get(at) {
        return *lengths;
    }
    let mut lengths = u32::from(word(at, 10) != 0);
    for digit in 0..10 {
        lengths |= lengths_from(word(at, digit), known, depth + 1) << 1;
    }
    if let Some(slot) = known.get_mut(at) {
        *slot = Some(lengths);
    }
    lengths
}

/// The kinds of numbers that the region's plan knows these digits as; 0 for none.
pub(super) fn accept(start: u16, digits: &[u8]) -> u16 {
    let mut state = usize::from(start);
    for d in digits {
        state = usize::from(word(state, usize::from(d - b'0')));
        if state == 0 {
            return 0;
        }
    }
    word(state, 10)
}
