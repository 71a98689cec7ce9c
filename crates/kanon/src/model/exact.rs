//! Comparisons that must come out right at their boundary.

use std::cmp::Ordering;

use num_bigint::BigUint;

/// Compares two products of factors exactly.
pub(crate) fn cmp_products(left: &[u128], right: &[u128]) -> Ordering {
    let small = |factors: &[u128]| factors.iter().try_fold(1u128, |p, &f| p.checked_mul(f));
    match (small(left), small(right)) {
        (Some(l), Some(r)) => l.cmp(&r),
        _ => {
            let big = |factors: &[u128]| -> BigUint {
                factors.iter().map(|&f| BigUint::from(f)).product()
            };
            big(left).cmp(&big(right))
        }
    }
}

/// Bits up to which powers are multiplied out when floating point cannot decide.
const MOST_BITS: f64 = 4_000_000.0;

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Whether exp of the Shannon entropy of the counts is at least `above / below`.
///
/// The condition is s^s · below^s ≥ above^s · Π c^c. Floating point decides unless both sides are
/// within its error; then whole numbers do, after division by common factors of the counts. What is
/// too large for that counts as not satisfied.
pub(crate) fn entropy_at_least(counts: &[u32], size: u64, above: u64, below: u64) -> bool {
    if size == 0 || above <= below {
        return true;
    }
    let total = size as f64;
    let mut sum = 0.0;
    let mut values = 0u64;
    let mut common = 0u64;
    for &count in counts.iter().filter(|&&count| count > 0) {
        let count = u64::from(count);
        values += 1;
        common = gcd(common, count);
        sum += count as f64 * (count as f64).ln();
    }
    // No distribution over v values has more entropy than ln v.
    if u128::from(values) * u128::from(below) < u128::from(above) {
        return false;
    }
    let margin = total * total.ln() - sum - total * (above as f64 / below as f64).ln();
    let error = 1e-13 * (total * total.ln().max(1.0)) * (values as f64).max(8.0);
    if margin.abs() > error {
        return margin > 0.0;
    }
    let reduced = size / common;
    if reduced as f64 * (reduced as f64 * above as f64).log2() > MOST_BITS {
        return false;
    }
    let exponent = reduced as u32;
    let left = BigUint::from(u128::from(reduced) * u128::from(below)).pow(exponent);
    let mut right = BigUint::from(above).pow(exponent);
    for &count in counts.iter().filter(|&&count| count > 0) {
        let count = u64::from(count) / common;
        right *= BigUint::from(count).pow(count as u32);
    }
    left >= right
}

/// Whether a/b < 2^(num/den), exactly if `den` is small and floating point undecided.
pub(crate) fn below_power_of_two(a: u128, b: u128, num: u64, den: u64) -> bool {
    if b == 0 {
        return false;
    }
    let margin = num as f64 / den as f64 - ((a as f64).log2() - (b as f64).log2());
    if a == 0 || margin.abs() > 1e-11 {
        return a == 0 || margin > 0.0;
    }
    if num > 100_000 || den > 10_000 {
        return false;
    }
    BigUint::from(a).pow(den as u32) < (BigUint::from(b).pow(den as u32) << num)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_is_exact_at_its_boundary() {
        for size in [1u32, 7, 100, 46_341, 1 << 30] {
            let uniform = [size; 3];
            let total = 3 * u64::from(size);
            assert!(entropy_at_least(&uniform, total, 3, 1));
            assert!(!entropy_at_least(&uniform, total, 3_000_000_000_001, 1_000_000_000_000));
        }
        // exp(H) of 3, 3, 2 is 2.9511517859…
        assert!(entropy_at_least(&[3, 3, 2], 8, 29_511_517_858, 10_000_000_000));
        assert!(!entropy_at_least(&[3, 3, 2], 8, 29_511_517_860, 10_000_000_000));
        assert!(entropy_at_least(&[5], 5, 1, 1) && !entropy_at_least(&[5], 5, 11, 10));
    }

    #[test]
    fn powers_of_two_are_strict() {
        assert!(!below_power_of_two(2, 1, 1, 1));
        assert!(below_power_of_two(2, 1, 10_001, 10_000));
        assert!(below_power_of_two(0, 1, 1, 1) && !below_power_of_two(1, 0, 1, 1));
    }

    #[test]
    fn products_do_not_overflow() {
        let big = u128::MAX;
        assert_eq!(cmp_products(&[big, 3], &[big, 2]), Ordering::Greater);
        assert_eq!(cmp_products(&[big, 2], &[2, big]), Ordering::Equal);
    }
}
