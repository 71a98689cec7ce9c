//! Ways to make a release: full-domain generalization, local recoding, Mondrian; and the ways to
//! change values that give no guarantee of their own.

pub(crate) mod full_domain;
pub(crate) mod judge;
pub(crate) mod local;
pub mod micro;
pub(crate) mod mondrian;
pub mod perturb;
