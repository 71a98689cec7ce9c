//! The facade as an application uses it.

#[cfg(feature = "dp")]
mod sketch;
