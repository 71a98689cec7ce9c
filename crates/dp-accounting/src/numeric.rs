//! Special functions with a stated error, and the helpers that round against the user.
//!
//! Everything is double precision. What is assumed of the platform: `+ - * / sqrt` are correctly
//! rounded (IEEE 754) and `exp`, `exp_m1`, `ln`, `ln_1p` (and, for angles up to a quarter of pi,
//! `sin` and `cos`) err by at most [`LIBM_ULPS`] units in the last place. Every bound stated in this crate is derived from these two assumptions and from the
//! formula in use; a value that is to be an upper (lower) bound is widened by its bound.

mod logarithm;
mod normal;
mod round;

pub use logarithm::{ln_binomial, ln_factorial, log_add_exp, log_sum_exp, log1mexp};
pub(crate) use normal::normal_tail_and_density;
pub use normal::{
    NORMAL_RELATIVE_ERROR, erfcx, ln_normal_tail, mills_ratio, normal_cdf, normal_density,
    normal_quantile, normal_tail,
};
pub(crate) use round::{down, first_true, up};

/// Assumed error of the platform's `exp`, `exp_m1`, `ln` and `ln_1p`, in units in the last place.
///
/// The C libraries in use state at most one; two leaves room.
pub const LIBM_ULPS: f64 = 2.0;

/// Unit roundoff of double precision, 2^-53.
pub(crate) const U: f64 = f64::EPSILON / 2.0;
