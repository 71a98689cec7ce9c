//! Every public type can be shared among threads, and nothing sensitive prints.

use std::sync::Arc;

use privacy_core::access::{
    AccessRequest, Actor, Authorizer, Decision, Denial, PermitAll, Purpose, Resource,
};
use privacy_core::audit::{AuditRecord, AuditSink, MemoryAudit, Outcome, RecordId};
use privacy_core::budget::{Budget, MemoryBudget, Refusal, RequestId, Reservation};
use privacy_core::chain::Then;
use privacy_core::conformance::{self, Violation};
use privacy_core::context::{Ask, Context, Paid};
use privacy_core::error::Error;
use privacy_core::guarantee::{Effect, Guarantee};
use privacy_core::measure::*;
use privacy_core::params::*;
use privacy_core::pipeline::{Pipeline, Plan, PlannedStep};
use privacy_core::random::{EntropyError, InsecureTestRng, RandomBuffer, SecureRng, SystemRng};
use privacy_core::release::{ErrorLaw, Interval, Release, UnknownLaw};
use privacy_core::sensitive::{Sensitive, SensitivityLevel};
use privacy_core::space::*;
use privacy_core::unit::*;

fn shared<T: ?Sized + Send + Sync>() {}

#[test]
fn all_public_types_are_send_and_sync() {
    macro_rules! check {
        ($($type:ty),* $(,)?) => { $(shared::<$type>();)* };
    }
    check!(
        AccessRequest<'_>, Actor, dyn Authorizer, Decision, Denial, PermitAll, Purpose, Resource,
        AuditRecord, dyn AuditSink, MemoryAudit, Outcome, RecordId,
        dyn Budget, MemoryBudget, Refusal, RequestId, Reservation,
        Then<u8, u8>, Violation, Ask, Context, Paid<u8>, Error, Effect, Guarantee,
        Allowance, ApproxCost, ApproxDp, Charge, PureCost, PureDp, RenyiCost, RenyiDp, RenyiPoint,
        Zcdp, ZcdpCost,
        Amount, Bounds<f64>, Confidence, ContributionLimits, Delta, Epsilon, Rho, RowLimit,
        Sensitivity,
        Pipeline<u8>, Plan, PlannedStep,
        EntropyError, InsecureTestRng, RandomBuffer<'_>, dyn SecureRng, SystemRng,
        dyn ErrorLaw<u8>, Interval, Release<u8>, UnknownLaw, Sensitive<u8>, SensitivityLevel,
        Changes, L1, L2, L2Distance, Linf, Rows<u8>, Scalar, Vector<i128, L1>,
        AddRemove, Record, Relation, Replace, Scope, UnitKind, User, Arc<dyn Budget>,
    );
}

#[test]
fn sensitive_values_do_not_print() {
    let secret = Sensitive::new("ana@example.org".to_owned());
    conformance::quiet(&secret, &["ana", "example"]).unwrap();
    conformance::quiet(&Some(vec![secret.clone()]), &["ana", "example"]).unwrap();
    assert_eq!(secret.into_exposed(), "ana@example.org");
}

#[test]
fn levels_are_ordered_from_public_to_restricted() {
    use SensitivityLevel::{Confidential, Internal, Public, Restricted};
    assert!(Public < Internal && Internal < Confidential && Confidential < Restricted);
}
