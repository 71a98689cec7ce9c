//! Amplification, tied to the samplers that earn it.
//!
//! Sampling amplifies privacy only as it was actually done: a shuffled or fixed-size batch must not
//! be charged as a Poisson sample. So the object that draws the batch is also the one that states
//! the event: what is priced is what was drawn. Draws are exact: integers from a secure source, no
//! floating point.

pub(crate) mod curves;
mod samplers;

pub use samplers::{FixedSizeSampler, PoissonSampler, RandomAllocation, Shuffler};
