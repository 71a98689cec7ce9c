//! Overwriting secrets at the speed of memory.

use zeroize::{DefaultIsZeroes, optimization_barrier};

/// Overwrites with zeros, in a way that the compiler may vectorize but not leave out: element-wise
/// volatile writes, as `zeroize` makes them, cost more than making the shares did.
pub(crate) fn wipe<T: DefaultIsZeroes>(values: &mut [T]) {
    values.fill(T::default());
    optimization_barrier(values);
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_wiped_is_zero() {
        let mut secret = [7u64; 100];
        super::wipe(&mut secret[..99]);
        assert!(secret[..99].iter().all(|value| *value == 0));
        assert_eq!(secret[99], 7);
    }
}
