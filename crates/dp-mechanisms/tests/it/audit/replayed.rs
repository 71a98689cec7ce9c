//! Recorded and replayed randomness.
