//! Directed widening of a computed value by its error bound, and directed search.

/// An upper bound of a quantity whose computed value `x` has relative error at most `relative`.
pub(crate) fn up(x: f64, relative: f64) -> f64 {
    (x + x.abs() * (relative * 1.000_001)).next_up()
}

/// A lower bound of a quantity whose computed value `x` has relative error at most `relative`.
pub(crate) fn down(x: f64, relative: f64) -> f64 {
    (x - x.abs() * (relative * 1.000_001)).next_down()
}

/// The smallest `x` found in `[low, high]` with `holds(x)`, for a property that holds from some
/// point upwards, to one part in 10^14 (or `absolute`); `None` if it does not hold at `high`.
///
/// Whatever is returned satisfies the property: the search keeps the end at which it was seen to
/// hold. It bisects the exponent first (geometric mean), so that a bracket over many orders of
/// magnitude costs no more than a narrow one.
pub(crate) fn first_true(
    low: f64,
    high: f64,
    relative: f64,
    mut holds: impl FnMut(f64) -> bool,
) -> Option<f64> {
    if holds(low) {
        return Some(low);
    }
    if !holds(high) {
        return None;
    }
    let (mut bad, mut good) = (low, high);
    for _ in 0..200 {
        if good - bad <= relative * good.abs() {
            break;
        }
        let middle = if bad > 0.0 && good / bad > 4.0 {
            bad.sqrt() * good.sqrt()
        } else if bad == 0.0 && good > 1e-12 {
            good * 0.125
        } else {
            0.5 * (bad + good)
        };
        if middle <= bad || middle >= good {
            break;
        }
        if holds(middle) {
            good = middle;
        } else {
            bad = middle;
        }
    }
    Some(good)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widening_goes_the_right_way_on_both_signs() {
        for x in [-3.0, -1e-300, 0.0, 1e-300, 7.5] {
            assert!(up(x, 1e-15) > x && down(x, 1e-15) < x);
        }
    }

    #[test]
    fn search_returns_an_end_that_holds() {
        let root = first_true(0.0, 1e6, 1e-14, |x| x * x >= 2.0).unwrap();
        assert!(root * root >= 2.0 && (root - 2f64.sqrt()).abs() < 1e-13);
        assert_eq!(first_true(0.0, 1.0, 1e-14, |x| x > 2.0), None);
        assert_eq!(first_true(3.0, 5.0, 1e-14, |x| x > 2.0), Some(3.0));
        let tiny = first_true(0.0, 1e9, 1e-12, |x| x >= 1e-30).unwrap();
        assert!((1e-30..1e-12).contains(&tiny));
    }
}
