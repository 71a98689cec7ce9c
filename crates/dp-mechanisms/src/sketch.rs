//! Sketches: small summaries of many items that are released once and asked often.
//!
//! A sketch is filled where the items are, in memory that stays there; its **release** adds noise
//! to all of it at once and may be stored, sent, merged with others and asked any number of
//! questions.
//!
//! | sketch | asks | one unit of m items changes | release |
//! |---|---|---|---|
//! | [`FrequencySketch`] (count-min, count sketch) | how often an item came | m counters of each row by 1 | Laplace or Gaussian noise on all counters |
//! | [`DistinctSketch`] | how many different items came | m bits | each bit flipped at random |
//!
//! Raw sketches merge exactly; released ones merge too, but their noises add up: merge before
//! the release where one place may see both, after it where not.
//!
//! # Privacy
//!
//! Neighbours differ in one unit, whose items are added or removed (at most `items` of them, the
//! caller's promise: bound the items of a unit first). The hash functions and their seed are public; they do not
//! depend on the data and play no part in the guarantee. Whoever knows the seed can choose items
//! that collide and spoil the accuracy, not the privacy.
//!
//! Quantiles have no sketch here: noisy counts of a tree over the range already merge by addition.
//!
//! # Example
//!
//! ```
//! use dp_mechanisms::sketch::{DistinctSketch, FrequencySketch};
//! use privacy_core::params::Epsilon;
//! use privacy_core::random::SystemRng;
//!
//! let mut devices = DistinctSketch::new(1024, 7)?;
//! let mut errors = FrequencySketch::count_sketch(5, 256, 7)?;
//! for (device, code) in [("a", 401u32), ("b", 401), ("a", 500)] {
//!     devices.add(device);
//!     errors.add(code.to_le_bytes());
//! }
//! let mut rng = SystemRng::new()?;
//! let devices = devices.release(1, &Epsilon::new(2.0)?, &mut rng)?;
//! let errors = errors.release_laplace(2, &Epsilon::new(1.0)?, &mut rng)?;
//! println!("{:.0} devices, 401 came {:.0} times", devices.count(), errors.count(401u32.to_le_bytes()));
//! # Ok::<(), dp_mechanisms::Error>(())
//! ```

mod distinct;
mod frequency;
mod hash;

pub use distinct::{DistinctSketch, PrivateDistinctSketch};
pub use frequency::{FrequencySketch, PrivateFrequencySketch};

use privacy_core::error::Error;

use crate::error::Result;

/// A count of items of one unit, refused at 0.
fn checked_items(items: u32) -> Result<u32> {
    if items == 0 {
        let (parameter, requirement) = ("the items of one unit", "at least 1");
        return Err(Error::Parameter { parameter, requirement, given: 0.0 }.into());
    }
    Ok(items)
}

/// The error for sketches that cannot be merged, or were not written by this crate.
fn other_shape(step: &'static str) -> crate::Error {
    let expected = "sketches of the same kind, shape and seed";
    Error::Domain { step, expected }.into()
}

#[cfg(test)]
mod tests;
