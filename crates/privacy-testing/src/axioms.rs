//! Algebraic laws as checks: what composition, conversions and distances must satisfy.

use std::fmt::Debug;

/// Fails unless `combine` is associative and commutative with the neutral element `identity`, on
/// all pairs and triples of `values`.
///
/// # Panics
///
/// Naming the law and the positions of the values that break it.
pub fn check_commutative_monoid<T: PartialEq>(
    values: &[T],
    identity: &T,
    combine: impl Fn(&T, &T) -> T,
) {
    assert!(values.len() >= 2, "give at least two values");
    for (i, a) in values.iter().enumerate() {
        assert!(combine(a, identity) == *a, "the identity changes value {i}");
        for (j, b) in values.iter().enumerate() {
            assert!(combine(a, b) == combine(b, a), "values {i} and {j} do not commute");
            for (k, c) in values.iter().enumerate() {
                let (left, right) = (combine(&combine(a, b), c), combine(a, &combine(b, c)));
                assert!(left == right, "values {i}, {j}, {k} do not associate");
            }
        }
    }
}

/// Fails unless `f` does not decrease along `increasing`.
///
/// # Panics
///
/// Naming the first step at which it decreases, or at which two results cannot be compared.
pub fn check_monotone<X: Debug, Y: PartialOrd + Debug>(increasing: &[X], f: impl Fn(&X) -> Y) {
    assert!(increasing.len() >= 2, "give at least two values");
    for pair in increasing.windows(2) {
        let (before, after) = (f(&pair[0]), f(&pair[1]));
        assert!(
            before <= after,
            "from {:?} to {:?} the result goes from {before:?} to {after:?}",
            pair[0],
            pair[1]
        );
    }
}

/// Fails unless `distance` is a metric on `points`: zero exactly on equal points, symmetric, and
/// within the triangle inequality.
///
/// # Panics
///
/// Naming the law and the positions of the points that break it.
pub fn check_metric<P: PartialEq, D: PartialOrd>(
    points: &[P],
    zero: &D,
    add: impl Fn(&D, &D) -> D,
    distance: impl Fn(&P, &P) -> D,
) {
    assert!(points.len() >= 3, "give at least three points");
    for (i, a) in points.iter().enumerate() {
        for (j, b) in points.iter().enumerate() {
            let ab = distance(a, b);
            assert!((ab <= *zero) == (a == b), "points {i} and {j}: zero exactly where equal");
            assert!(ab == distance(b, a), "points {i} and {j}: symmetry");
            for (k, c) in points.iter().enumerate() {
                let detour = add(&distance(a, c), &distance(c, b));
                assert!(ab <= detour, "points {i}, {j} by way of {k}: triangle inequality");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addition_and_maximum_pass() {
        check_commutative_monoid(&[1u32, 5, 9], &0, |a, b| a + b);
        check_commutative_monoid(&[1u32, 5, 9], &0, |a, b| *a.max(b));
        check_monotone(&[1.0f64, 2.0, 4.0], |x| x.ln());
        check_metric(&[1i32, 4, -2], &0, |a, b| a + b, |a, b| (a - b).abs());
    }

    #[test]
    #[should_panic(expected = "do not commute")]
    fn a_combination_that_looks_at_order_fails() {
        check_commutative_monoid(&["a", "b"].map(String::from), &String::new(), |a, b| {
            format!("{a}{b}")
        });
    }

    #[test]
    #[should_panic(expected = "do not associate")]
    fn a_mean_fails() {
        check_commutative_monoid(&[1.0f64, 5.0, 3.0], &f64::NAN, |a, b| {
            if b.is_nan() { *a } else { f64::midpoint(*a, *b) }
        });
    }

    #[test]
    #[should_panic(expected = "the result goes from")]
    fn a_decreasing_function_fails() {
        check_monotone(&[1.0f64, 2.0], |x| -x);
    }

    #[test]
    #[should_panic(expected = "triangle inequality")]
    fn squared_distances_fail() {
        check_metric(&[0i32, 1, 2], &0, |a, b| a + b, |a, b| (a - b).pow(2));
    }
}
