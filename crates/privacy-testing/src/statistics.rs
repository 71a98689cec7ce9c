//! Statistical checks, each with the probability that it alarms although all is well.
//!
//! Use them with a fixed seed: then a check that passed once passes always, and `false_alarm` says
//! how surprising a failure after a change of the code would be.

mod binomial;
mod chi_square;
mod kolmogorov_smirnov;
mod special;

pub use binomial::{check_binomial, clopper_pearson};
pub use chi_square::{MIN_EXPECTED, check_chi_square, chi_square_p_value};
pub use kolmogorov_smirnov::{check_kolmogorov_smirnov, kolmogorov_distance};
pub use special::{ln_gamma, regularized_beta, upper_gamma};
