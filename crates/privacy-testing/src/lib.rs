//! What the tests of the family share.
