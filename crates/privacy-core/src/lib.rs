#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod access;
pub mod audit;
pub mod budget;
pub mod chain;
pub mod conformance;
pub mod context;
pub mod error;
pub mod guarantee;
pub mod measure;
pub mod mechanism;
pub mod params;
pub mod pipeline;
pub mod random;
pub mod release;
pub mod sensitive;
pub mod space;
pub mod stage;
pub mod transformation;
pub mod unit;

pub use error::{Error, Result};

/// What an implementation of the traits needs, in one import.
pub mod prelude {
    pub use crate::access::{Actor, Purpose, Resource};
    pub use crate::audit::{AuditSink, MemoryAudit};
    pub use crate::budget::{Budget, MemoryBudget, RequestId};
    pub use crate::context::{Ask, Context};
    pub use crate::error::{Error, Result};
    pub use crate::guarantee::{Effect, Guarantee};
    pub use crate::measure::{
        Allowance, ApproxDp, Charge, Measure, PureCost, PureDp, Zcdp, ZcdpCost,
    };
    pub use crate::mechanism::Mechanism;
    pub use crate::params::{Amount, Bounds, Confidence, Delta, Epsilon, Rho, Sensitivity};
    pub use crate::pipeline::Pipeline;
    pub use crate::random::{RandomBuffer, SecureRng, SystemRng};
    pub use crate::release::Release;
    pub use crate::sensitive::{Sensitive, SensitivityLevel};
    pub use crate::space::{Changes, L1, L2, Linf, Rows, Scalar, Vector};
    pub use crate::stage::{MechanismStage, Stage, TransformationStage};
    pub use crate::transformation::Transformation;
    pub use crate::unit::{AddRemove, HasUnit, Record, Replace, Scope, User};
}
