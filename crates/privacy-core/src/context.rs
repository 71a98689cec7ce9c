//! What a release runs in: randomness, budget, audit trail, and who asks for what purpose.
//!
//! [`Context::release`] is the one place where the order of a release is kept:
//! authorize → reserve → draw → commit → record. Sessions, stages and other techniques go through
//! it.

use std::fmt;
use std::sync::{Arc, Mutex};

use crate::access::{
    AccessRequest, Actor, Authorizer, Decision, Denial, PermitAll, Promise, Purpose, Resource,
};
use crate::audit::{AuditRecord, AuditSink, MemoryAudit, Outcome, RecordId};
use crate::budget::{Budget, MemoryBudget, Refusal, RequestId};
use crate::error::{Error, Result};
use crate::guarantee::Guarantee;
use crate::measure::{Allowance, Charge};
use crate::random::{EntropyError, SecureRng, SystemRng};
use crate::unit::Scope;

/// The surroundings of a release.
///
/// # Example
///
/// ```
/// use privacy_core::prelude::*;
///
/// let mut cx = Context::new(Actor::new("reporting-job"), Purpose::new("weekly usage"))?
///     .with_budget(MemoryBudget::new(Epsilon::new(1.0)?));
/// assert_eq!(cx.remaining()?.unwrap().to_string(), "ε = 1");
/// # Ok::<(), privacy_core::Error>(())
/// ```
pub struct Context {
    actor: Actor,
    purpose: Purpose,
    rng: Box<dyn SecureRng>,
    budget: Option<Arc<dyn Budget>>,
    audit: Arc<dyn AuditSink>,
    /// The trail behind `audit`, while it is the default one.
    trail: Option<MemoryAudit>,
    authorizer: Arc<dyn Authorizer>,
    /// What the application promises of every release.
    promises: Vec<Promise>,
    /// Distinguishes this context's automatic request names from every other's.
    identity: String,
    requests: u64,
    /// What was paid while someone collects it.
    paid: Option<Vec<Charge>>,
}

/// What is asked of a budget: for what, at which price, about whom.
#[derive(Clone, Debug)]
#[must_use = "an ask is answered by `Context::release`"]
pub struct Ask {
    resource: Resource,
    charge: Charge,
    scope: Scope,
    request: Option<RequestId>,
    promises: Vec<Promise>,
}

impl Ask {
    /// A release of `resource` at the price `charge`, which protects `scope`.
    pub fn new(resource: Resource, charge: Charge, scope: Scope) -> Self {
        Ask { resource, charge, scope, request: None, promises: Vec::new() }
    }

    /// The same with a promise of the caller's about the result, which keeps an obligation of an
    /// authorizer. The context cannot check it: it must be true of the code that draws.
    pub fn promising(mut self, promise: Promise) -> Self {
        self.promises.push(promise);
        self
    }

    /// The same under a name of the caller's, so that a retry is recognized and not paid twice.
    /// Without one every release is a request of its own.
    pub fn named(self, request: RequestId) -> Self {
        Ask { request: Some(request), ..self }
    }
}

/// The record of a release that is being drawn; says that it failed if nobody ends it.
struct Unfinished {
    audit: Arc<dyn AuditSink>,
    record: AuditRecord,
    open: bool,
}

impl Unfinished {
    fn end(mut self, outcome: Outcome) -> Result<RecordId> {
        self.open = false;
        self.audit.append(self.record.clone().ended(outcome))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if self.open {
            // Nobody is left to tell if this fails; the reservation stays set aside either way.
            let _ = self.audit.append(self.record.clone().ended(Outcome::Failed));
        }
    }
}

/// One random source for several contexts.
#[derive(Clone)]
struct SharedRng(Arc<Mutex<Box<dyn SecureRng>>>);

impl From<Box<dyn SecureRng>> for SharedRng {
    fn from(rng: Box<dyn SecureRng>) -> Self {
        SharedRng(Arc::new(Mutex::new(rng)))
    }
}

impl SecureRng for SharedRng {
    fn fill(&mut self, out: &mut [u8]) -> std::result::Result<(), EntropyError> {
        // A source that panicked within a draw may be in any state.
        let mut rng = self.0.lock().map_err(|_| EntropyError)?;
        rng.fill(out)
    }
}

/// Stands for a source while it is moved.
struct Unavailable;

impl SecureRng for Unavailable {
    fn fill(&mut self, _: &mut [u8]) -> std::result::Result<(), EntropyError> {
        Err(EntropyError)
    }
}

/// A result that was paid for, and where that is recorded.
#[derive(Debug)]
#[must_use = "it was paid for"]
pub struct Paid<T> {
    /// What was drawn.
    pub value: T,
    /// Where it stands in the audit trail.
    pub record: RecordId,
}

impl Context {
    /// A context with the operating system's randomness, a trail in memory, no budget, and every
    /// caller trusted ([`PermitAll`]).
    ///
    /// # Errors
    ///
    /// [`Error::Entropy`] if the operating system has no randomness to give.
    pub fn new(actor: Actor, purpose: Purpose) -> Result<Self> {
        let mut rng = SystemRng::new()?;
        let trail = MemoryAudit::new();
        let mut identity = [0u8; 12];
        rng.fill(&mut identity)?;
        Ok(Context {
            actor,
            purpose,
            rng: Box::new(rng),
            budget: None,
            audit: Arc::new(trail.clone()),
            trail: Some(trail),
            authorizer: Arc::new(PermitAll),
            promises: Vec::new(),
            identity: identity.iter().map(|byte| format!("{byte:02x}")).collect(),
            requests: 0,
            paid: None,
        })
    }

    /// Charges releases to a budget of its own.
    #[must_use]
    pub fn with_budget(self, budget: MemoryBudget) -> Self {
        self.with_shared_budget(Arc::new(budget))
    }

    /// Charges releases to a ledger: a budget that keeps an audit trail of its own, to which
    /// records are written unless another trail was given before.
    #[must_use]
    pub fn ledger(self, ledger: impl Budget + 'static) -> Self {
        self.with_shared_budget(Arc::new(ledger))
    }

    /// Charges releases to a budget that others may charge too. If the budget keeps a
    /// [trail](Budget::trail) and no other was given, records are written there.
    #[must_use]
    pub fn with_shared_budget(mut self, budget: Arc<dyn Budget>) -> Self {
        if self.trail.is_some()
            && let Some(trail) = budget.trail()
        {
            self.audit = trail;
            self.trail = None;
        }
        Context { budget: Some(budget), ..self }
    }

    /// Writes records to `audit`.
    #[must_use]
    pub fn with_audit(self, audit: impl AuditSink + 'static) -> Self {
        Context { audit: Arc::new(audit), trail: None, ..self }
    }

    /// Asks `authorizer` before each charge.
    #[must_use]
    pub fn with_authorizer(self, authorizer: impl Authorizer + 'static) -> Self {
        Context { authorizer: Arc::new(authorizer), ..self }
    }

    /// Promises something of every release: of what the application does with it before anybody
    /// sees it, such as rounding. It keeps an [obligation](crate::access::Obligation) of the
    /// authorizer's; nothing checks it.
    #[must_use]
    pub fn promising(mut self, promise: Promise) -> Self {
        self.promises.push(promise);
        self
    }

    /// Draws from `rng` instead of the operating system's generator.
    ///
    /// # Security
    ///
    /// Every claim rests on this source; see [`SecureRng`].
    #[must_use]
    pub fn with_rng(self, rng: impl SecureRng + 'static) -> Self {
        Context { rng: Box::new(rng), ..self }
    }

    /// Who asks.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Why they ask.
    #[must_use]
    pub fn purpose(&self) -> &Purpose {
        &self.purpose
    }

    /// The random source, for steps that are not charged.
    pub fn rng(&mut self) -> &mut dyn SecureRng {
        &mut *self.rng
    }

    /// What the budget has left; `None` without a budget.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`] if the budget cannot be reached.
    pub fn remaining(&self) -> Result<Option<Allowance>> {
        self.budget.as_ref().map(|budget| budget.remaining()).transpose()
    }

    /// Refuses unless the budget could pay `charge` now. Spends nothing.
    ///
    /// # Errors
    ///
    /// As [`Budget::reserve`], or [`Error::Missing`] without a budget.
    pub fn check_affordable(&self, charge: &Charge) -> Result<()> {
        let budget = self.budget()?;
        let remaining = budget.remaining()?;
        let asked =
            remaining.asked(charge).ok_or(Refusal::OtherMeasure { budget: remaining.measure() })?;
        match remaining.minus(&asked) {
            Some(_) => Ok(()),
            None => Err(Refusal::exhausted(asked, remaining).into()),
        }
    }

    /// The budget that releases are charged to.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] if the context has none.
    pub fn budget(&self) -> Result<&Arc<dyn Budget>> {
        self.budget.as_ref().ok_or(Error::Missing {
            setting: "the budget",
            remedy: "give the context one before anything private is released",
        })
    }

    /// A context for a part of the work: the same actor, purpose, randomness, trail and authorizer,
    /// and a budget of its own.
    ///
    /// # Privacy
    ///
    /// What the part spends is not charged here. The caller owes a reason why that is right, such
    /// as having charged this context's budget for all parts together.
    #[must_use]
    pub fn part(&mut self, budget: MemoryBudget) -> Context {
        let rng = SharedRng::from(std::mem::replace(&mut self.rng, Box::new(Unavailable)));
        self.rng = Box::new(rng.clone());
        let identity = self.next_request().as_str().to_owned();
        Context {
            actor: self.actor.clone(),
            purpose: self.purpose.clone(),
            rng: Box::new(rng),
            budget: Some(Arc::new(budget)),
            audit: Arc::clone(&self.audit),
            trail: self.trail.clone(),
            authorizer: Arc::clone(&self.authorizer),
            promises: self.promises.clone(),
            identity,
            requests: 0,
            paid: None,
        }
    }

    fn next_request(&mut self) -> RequestId {
        self.requests += 1;
        RequestId::new(format!("{}/{}", self.identity, self.requests))
    }

    /// Starts to collect what is paid, for a pipeline that checks what a stage claims.
    pub(crate) fn collect_payments(&mut self) {
        self.paid = Some(Vec::new());
    }

    /// What was paid since, together; `None` if nothing was, or in no common measure.
    pub(crate) fn payments(&mut self) -> Option<Charge> {
        let mut paid = self.paid.take()?.into_iter();
        let first = paid.next()?;
        paid.try_fold(first, |sum, next| sum.compose(&next))
    }

    /// Draws a release: authorizes, reserves, draws, commits, records.
    ///
    /// `draw` is the only part that reads data. Once it has been entered the charge stays spent,
    /// whatever happens. A random source that has nothing to give is found out before that, and
    /// costs nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Denied`], [`Error::Budget`], [`Error::Missing`] or [`Error::Entropy`] before data
    /// is read, with nothing spent; what `draw` returns, or [`Error::Storage`], with the charge
    /// spent. In each case nothing is released.
    ///
    /// # Example
    ///
    /// ```
    /// use privacy_core::prelude::*;
    ///
    /// let mut cx = Context::new(Actor::new("reporting-job"), Purpose::new("weekly usage"))?
    ///     .with_budget(MemoryBudget::new(Epsilon::new(1.0)?));
    /// let charge = Charge::from(Epsilon::new(0.1)?);
    /// let ask = Ask::new(Resource::new("a fair coin"), charge, Scope::of::<User, AddRemove>());
    /// let paid = cx.release(ask, |rng| Ok(RandomBuffer::new(rng).bit()?))?;
    /// assert_eq!(cx.remaining()?.unwrap().to_string(), "ε = 0.9");
    /// # let _ = paid.value;
    /// # Ok::<(), privacy_core::Error>(())
    /// ```
    pub fn release<T>(
        &mut self,
        ask: Ask,
        draw: impl FnOnce(&mut dyn SecureRng) -> Result<T>,
    ) -> Result<Paid<T>> {
        let budget = Arc::clone(self.budget()?);
        let Ask { resource, charge, scope, request, mut promises } = ask;
        promises.extend(self.promises.iter().cloned());
        let request = request.unwrap_or_else(|| self.next_request());
        let guarantee = Guarantee::DifferentialPrivacy { charge: charge.clone(), scope };
        let record =
            AuditRecord::new(self.actor.clone(), self.purpose.clone(), resource, guarantee)
                .charged(request.clone(), charge.clone());

        let access = AccessRequest::new(&self.actor, &self.purpose, &record.resource)
            .at_price(&charge)
            .promising(&promises);
        let decision = self.authorizer.authorize(&access);
        let denial = match (&decision, decision.unmet(&access)) {
            (Decision::Deny, _) => Some(Denial::of(&access)),
            (_, Some(unmet)) => Some(Denial::of(&access).for_want_of(unmet.clone())),
            (Decision::Permit | Decision::PermitWith(_), None) => None,
        };
        if let Some(denial) = denial {
            self.audit.append(record.ended(Outcome::Denied))?;
            return Err(denial.into());
        }
        if let Err(error) = self.rng.fill(&mut [0; 16]) {
            self.audit.append(record.ended(Outcome::RolledBack))?;
            return Err(error.into());
        }
        let reservation = match budget.reserve(&request, &charge, scope) {
            Ok(reservation) => reservation,
            Err(refusal) => {
                self.audit.append(record.ended(Outcome::Refused))?;
                return Err(refusal);
            }
        };
        // If `draw` panics, the reservation stays set aside and the trail says that it failed.
        let unfinished = Unfinished { audit: Arc::clone(&self.audit), record, open: true };
        let drawn = draw(&mut *self.rng);
        budget.commit(reservation)?;
        if let Some(paid) = &mut self.paid {
            paid.push(charge);
        }
        match drawn {
            Ok(value) => Ok(Paid { value, record: unfinished.end(Outcome::Completed)? }),
            Err(error) => {
                unfinished.end(Outcome::Failed)?;
                Err(error)
            }
        }
    }

    /// Records that a whole pipeline was refused before its first step.
    pub(crate) fn record_refusal(
        &mut self,
        resource: Resource,
        charge: Charge,
        guarantee: Guarantee,
    ) -> Result<RecordId> {
        let request = self.next_request();
        let record =
            AuditRecord::new(self.actor.clone(), self.purpose.clone(), resource, guarantee)
                .charged(request, charge)
                .ended(Outcome::Refused);
        self.audit.append(record)
    }

    /// The records of the trail in memory that a context has by default, in order; none where
    /// [`with_audit`](Context::with_audit) gave another trail.
    #[must_use]
    pub fn records(&self) -> Vec<AuditRecord> {
        self.trail.as_ref().map_or_else(Vec::new, MemoryAudit::records)
    }

    /// Records a step that costs nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`] if the record cannot be written.
    pub fn record(&mut self, resource: Resource, guarantee: Guarantee) -> Result<RecordId> {
        let record =
            AuditRecord::new(self.actor.clone(), self.purpose.clone(), resource, guarantee);
        self.audit.append(record)
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("actor", &self.actor)
            .field("purpose", &self.purpose)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Obligation;
    use crate::budget::Reservation;
    use crate::params::Epsilon;
    use crate::unit::{Relation, UnitKind};

    struct DenyAll;

    impl Authorizer for DenyAll {
        fn authorize(&self, _: &AccessRequest<'_>) -> Decision {
            Decision::Deny
        }
    }

    struct BrokenTrail;

    impl AuditSink for BrokenTrail {
        fn append(&self, _: AuditRecord) -> Result<RecordId> {
            Err(Error::Storage { store: "the trail", operation: "append", source: None })
        }
    }

    fn context() -> (Context, MemoryAudit) {
        let trail = MemoryAudit::new();
        let cx = Context::new(Actor::new("tests"), Purpose::new("tests"))
            .unwrap()
            .with_budget(MemoryBudget::new(Epsilon::new(1.0).unwrap()))
            .with_audit(trail.clone());
        (cx, trail)
    }

    fn tenth() -> Charge {
        Charge::from(Epsilon::new(0.1).unwrap())
    }

    fn left(cx: &Context) -> Allowance {
        cx.remaining().unwrap().unwrap()
    }

    fn allowance(epsilon: f64) -> Allowance {
        Allowance::from(Epsilon::new(epsilon).unwrap())
    }

    fn run<T>(
        cx: &mut Context,
        draw: impl FnOnce(&mut dyn SecureRng) -> Result<T>,
    ) -> Result<Paid<T>> {
        let scope = Scope { unit: UnitKind::User, relation: Relation::AddRemove };
        cx.release(Ask::new(Resource::new("query"), tenth(), scope), draw)
    }

    fn outcomes(trail: &MemoryAudit) -> Vec<Outcome> {
        trail.records().iter().map(|record| record.outcome).collect()
    }

    #[test]
    fn a_release_is_charged_before_it_is_drawn_and_recorded_after() {
        let (mut cx, trail) = context();
        let budget = Arc::new(MemoryBudget::new(Epsilon::new(1.0).unwrap()));
        cx = cx.with_shared_budget(budget.clone());
        let seen = run(&mut cx, |_| budget.remaining()).unwrap();
        assert_eq!(seen.value, allowance(0.9), "the draw ran before the charge");
        assert_eq!(seen.record, RecordId(0));
        assert_eq!(outcomes(&trail), [Outcome::Completed]);
        assert_eq!(left(&cx), allowance(0.9));
    }

    #[test]
    fn a_denied_request_neither_draws_nor_spends() {
        let (cx, trail) = context();
        let mut cx = cx.with_authorizer(DenyAll);
        let mut drawn = false;
        let result = run(&mut cx, |_| {
            drawn = true;
            Ok(())
        });
        assert!(matches!(result, Err(Error::Denied(_))));
        assert!(!drawn);
        assert_eq!(left(&cx), allowance(1.0));
        assert_eq!(outcomes(&trail), [Outcome::Denied]);
    }

    /// Permits under one obligation.
    struct OnlyIf(Obligation);

    impl Authorizer for OnlyIf {
        fn authorize(&self, _: &AccessRequest<'_>) -> Decision {
            Decision::PermitWith(vec![self.0.clone()])
        }
    }

    #[test]
    fn an_obligation_that_nobody_promised_to_keep_is_a_denial() {
        let (cx, trail) = context();
        let mut cx = cx.with_authorizer(OnlyIf(Obligation::GroupsOfAtLeast(10)));
        let Err(Error::Denied(denial)) = run(&mut cx, |_| Ok(())) else {
            panic!("the obligation was passed over");
        };
        assert!(denial.to_string().contains("without groups of at least 10"), "{denial}");
        assert_eq!(left(&cx), allowance(1.0));
        assert_eq!(outcomes(&trail), [Outcome::Denied]);
        let scope = Scope { unit: UnitKind::User, relation: Relation::AddRemove };
        let ask = Ask::new(Resource::new("query"), tenth(), scope);
        assert!(cx.release(ask.clone().promising(Promise::GroupsOf(12)), |_| Ok(())).is_ok());
        // What the application promises of everything counts for each, also in a part.
        let mut cx = cx.promising(Promise::GroupsOf(11));
        assert!(cx.release(ask.clone(), |_| Ok(())).is_ok());
        let mut part = cx.part(MemoryBudget::new(Epsilon::new(1.0).unwrap()));
        assert!(part.release(ask, |_| Ok(())).is_ok());
    }

    /// A budget with a trail of its own.
    struct Keeping(MemoryBudget, MemoryAudit);

    impl Budget for Keeping {
        fn reserve(&self, request: &RequestId, c: &Charge, s: Scope) -> Result<Reservation> {
            self.0.reserve(request, c, s)
        }
        fn commit(&self, reservation: Reservation) -> Result<()> {
            self.0.commit(reservation)
        }
        fn roll_back(&self, reservation: Reservation) -> Result<()> {
            self.0.roll_back(reservation)
        }
        fn limit(&self) -> Allowance {
            self.0.limit()
        }
        fn remaining(&self) -> Result<Allowance> {
            self.0.remaining()
        }
        fn trail(&self) -> Option<Arc<dyn AuditSink>> {
            Some(Arc::new(self.1.clone()))
        }
    }

    #[test]
    fn records_go_to_the_trail_of_the_budget_unless_another_was_given() {
        let cx = || Context::new(Actor::new("tests"), Purpose::new("tests")).unwrap();
        let (own, given) = (MemoryAudit::new(), MemoryAudit::new());
        let keeping = || Keeping(MemoryBudget::new(Epsilon::new(1.0).unwrap()), own.clone());
        assert!(run(&mut cx().ledger(keeping()), |_| Ok(())).is_ok());
        assert_eq!(own.records().len(), 1);
        let mut other = cx().with_audit(given.clone()).ledger(keeping());
        assert!(run(&mut other, |_| Ok(())).is_ok());
        assert_eq!((own.records().len(), given.records().len()), (1, 1));
    }

    #[test]
    fn a_refused_charge_neither_draws_nor_spends() {
        let (cx, trail) = context();
        let mut cx = cx.with_budget(MemoryBudget::new(Epsilon::new(0.05).unwrap()));
        let mut drawn = false;
        let result = run(&mut cx, |_| {
            drawn = true;
            Ok(())
        });
        assert!(result.unwrap_err().is_budget());
        assert!(!drawn);
        assert_eq!(left(&cx), allowance(0.05));
        assert_eq!(outcomes(&trail), [Outcome::Refused]);
    }

    struct Dry;

    impl SecureRng for Dry {
        fn fill(&mut self, _: &mut [u8]) -> Result<(), EntropyError> {
            Err(EntropyError::new())
        }
    }

    #[test]
    fn without_entropy_nothing_is_drawn_and_nothing_is_spent() {
        let (cx, trail) = context();
        let mut cx = cx.with_rng(Dry);
        let mut drawn = false;
        let starved = run(&mut cx, |_| {
            drawn = true;
            Ok(())
        });
        assert!(matches!(starved, Err(Error::Entropy(_))));
        assert!(!drawn);
        assert_eq!(left(&cx), allowance(1.0));
        assert_eq!(outcomes(&trail), [Outcome::RolledBack]);
    }

    #[test]
    fn what_was_entered_stays_spent_whatever_its_error_says() {
        let (mut cx, trail) = context();
        let claimed = run(&mut cx, |_| Err::<(), _>(EntropyError::new().into()));
        assert!(claimed.is_err());
        assert_eq!(left(&cx), allowance(0.9));
        let failed = run(&mut cx, |_| {
            Err::<(), _>(Error::Domain { step: "a step", expected: "something else" })
        });
        assert!(failed.is_err());
        assert_eq!(left(&cx), allowance(0.8));
        assert_eq!(outcomes(&trail), [Outcome::Failed, Outcome::Failed]);
    }

    #[test]
    fn a_draw_that_panics_stays_paid_and_is_recorded() {
        let (mut cx, trail) = context();
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            run::<()>(&mut cx, |_| panic!("a closure of the application"))
        }));
        assert!(caught.is_err());
        assert_eq!(left(&cx), allowance(0.9));
        assert_eq!(outcomes(&trail), [Outcome::Failed]);
        assert!(run(&mut cx, |_| Ok(())).is_ok());
    }

    #[test]
    fn a_named_request_is_not_paid_twice() {
        let (mut cx, _) = context();
        let scope = Scope { unit: UnitKind::User, relation: Relation::AddRemove };
        let ask = Ask::new(Resource::new("query"), tenth(), scope).named(RequestId::new("week 7"));
        assert!(cx.release(ask.clone(), |_| Ok(())).is_ok());
        assert!(cx.release(ask, |_| Ok(())).unwrap_err().is_budget());
        assert_eq!(left(&cx), allowance(0.9));
    }

    #[test]
    fn a_release_that_cannot_be_recorded_is_not_handed_out_but_stays_paid() {
        let (cx, _) = context();
        let mut cx = cx.with_audit(BrokenTrail);
        assert!(matches!(run(&mut cx, |_| Ok(7)), Err(Error::Storage { .. })));
        assert_eq!(left(&cx), allowance(0.9));
    }

    #[test]
    fn without_a_budget_nothing_is_drawn() {
        let mut cx = Context::new(Actor::new("tests"), Purpose::new("tests")).unwrap();
        assert!(matches!(run(&mut cx, |_| Ok(7)), Err(Error::Missing { .. })));
    }
}
