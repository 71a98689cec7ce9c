//! The facade as an application uses it.

#[cfg(all(feature = "dp", feature = "accounting"))]
mod accounting;
#[cfg(feature = "dp")]
mod sketch;
