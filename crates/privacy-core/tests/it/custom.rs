//! Transformations, mechanisms and stages that a stranger writes, alone and in pipelines.

use std::borrow::Cow;

use privacy_core::access::{AccessRequest, Authorizer, Decision};
use privacy_core::audit::Outcome;
use privacy_core::conformance::{self, Violation};
use privacy_core::measure::Measure;
use privacy_core::prelude::*;
use privacy_core::unit::{Relation, UnitKind};

const RECORDS: Scope = Scope { unit: UnitKind::Record, relation: Relation::AddRemove };

/// Drops negative numbers.
#[derive(Clone)]
struct NonNegative;

impl Transformation for NonNegative {
    type Input = Rows<i64>;
    type Output = Rows<i64>;

    fn apply(&self, rows: &[i64]) -> Result<Vec<i64>> {
        Ok(rows.iter().copied().filter(|x| *x >= 0).collect())
    }

    fn stability(&self, d_in: Changes) -> Result<Changes> {
        Ok(d_in)
    }
}

/// Counts rows.
#[derive(Clone)]
struct Count;

impl Transformation for Count {
    type Input = Rows<i64>;
    type Output = Scalar<i128>;

    fn apply(&self, rows: &[i64]) -> Result<i128> {
        Ok(rows.len() as i128)
    }

    fn stability(&self, d_in: Changes) -> Result<Amount> {
        Ok(d_in.0.into())
    }
}

/// Adds the difference of two geometric counts of coin flips: discrete Laplace of scale 1/ln 2.
#[derive(Clone)]
struct CoinNoise;

impl Mechanism for CoinNoise {
    type Input = Scalar<i128>;
    type Measure = PureDp;
    type Output = i128;

    fn draw(&self, value: &i128, rng: &mut dyn SecureRng) -> Result<i128> {
        let mut random = RandomBuffer::new(rng);
        let mut heads = || -> Result<i128> {
            let mut heads = 0;
            while random.bit()? {
                heads += 1;
            }
            Ok(heads)
        };
        Ok(value + heads()? - heads()?)
    }

    /// ε = d ln 2, rounded up.
    fn cost(&self, d_in: Amount) -> Result<PureCost> {
        Ok(PureCost { epsilon: &d_in * &"0.693147180559946".parse()? })
    }
}

fn neighbours() -> Vec<(Vec<i64>, Vec<i64>)> {
    vec![
        (vec![], vec![]),
        (vec![1, -1, 2], vec![2, -1]),
        (vec![i64::MIN, i64::MAX], vec![i64::MAX]),
        (vec![5; 100], vec![5; 90]),
    ]
}

#[test]
fn chains_compose_data_stability_and_cost() {
    let chain = NonNegative.then(Count).then(CoinNoise);
    let drawn = chain.draw(&[1, -2, 3], &mut SystemRng::new().unwrap()).unwrap();
    assert!((drawn - 2).abs() < 200);
    let cost = chain.cost(Changes(3)).unwrap();
    assert_eq!(cost.epsilon, "2.079441541679838".parse().unwrap());
    assert_eq!(chain.charge(Changes(3)).unwrap(), PureDp::charge(&cost));
}

#[test]
fn the_conformance_kit_acquits_right_and_convicts_wrong_implementations() {
    conformance::stability(&NonNegative, &neighbours()).unwrap();
    conformance::stability(&NonNegative.then(Count), &neighbours()).unwrap();
    let distances = [Amount::ZERO, Amount::from_percent(50), 1.into(), 7.into()];
    conformance::monotone_cost(&CoinNoise, &distances).unwrap();
    conformance::budget(
        &MemoryBudget::new(Epsilon::new(1.0).unwrap()),
        &Charge::pure("0.3".parse().unwrap()),
        RECORDS,
    )
    .unwrap();

    /// Counts every row twice but declares it once.
    struct Doubled;
    impl Transformation for Doubled {
        type Input = Rows<i64>;
        type Output = Scalar<i128>;
        fn apply(&self, rows: &[i64]) -> Result<i128> {
            Ok(2 * rows.len() as i128)
        }
        fn stability(&self, d_in: Changes) -> Result<Amount> {
            Ok(d_in.0.into())
        }
    }
    let violation = conformance::stability(&Doubled, &neighbours()).unwrap_err();
    assert_eq!(violation.example, 1);

    /// Fails on negative rows: the failure itself discloses one.
    struct Picky;
    impl Transformation for Picky {
        type Input = Rows<i64>;
        type Output = Scalar<i128>;
        fn apply(&self, rows: &[i64]) -> Result<i128> {
            match rows.iter().all(|x| *x >= -1) {
                true => Ok(0),
                false => Err(Error::Domain { step: "picky", expected: "no negative rows" }),
            }
        }
        fn stability(&self, d_in: Changes) -> Result<Amount> {
            Ok(d_in.0.into())
        }
    }
    assert!(conformance::stability(&Picky, &neighbours()).is_err());

    /// Charges less for more.
    struct Discount;
    impl Mechanism for Discount {
        type Input = Scalar<i128>;
        type Measure = PureDp;
        type Output = ();
        fn draw(&self, _: &i128, _: &mut dyn SecureRng) -> Result<()> {
            Ok(())
        }
        fn cost(&self, d_in: Amount) -> Result<PureCost> {
            let epsilon = if d_in > 1.into() { Amount::ZERO } else { d_in };
            Ok(PureCost { epsilon })
        }
    }
    assert!(conformance::monotone_cost(&Discount, &distances).is_err());

    #[derive(Debug)]
    struct Chatty(#[allow(dead_code, reason = "read by Debug")] &'static str);
    assert!(matches!(
        conformance::quiet(&Chatty("ana"), &["ben", "ana"]),
        Err(Violation { example: 1, .. })
    ));
}

/// Doubles every row; neighbours end up two apart.
struct Repeat;

impl Stage for Repeat {
    type Input = Sensitive<Vec<i64>>;
    type Output = Sensitive<Vec<i64>>;

    fn name(&self) -> Cow<'static, str> {
        "repeat".into()
    }

    fn effect(&self) -> Effect {
        Effect::Stable { stability: 2, scope: RECORDS }
    }

    fn run(&self, rows: Self::Input, _: &mut Context) -> Result<Self::Output> {
        Ok(rows.map(|rows| rows.iter().chain(&rows).copied().collect()))
    }
}

/// Publishes the number behind a release.
struct Publish;

impl Stage for Publish {
    type Input = Release<i128>;
    type Output = i128;

    fn name(&self) -> Cow<'static, str> {
        "publish".into()
    }

    fn effect(&self) -> Effect {
        Effect::PostProcessing
    }

    fn run(&self, release: Release<i128>, _: &mut Context) -> Result<i128> {
        Ok(*release.value())
    }
}

fn context(epsilon: f64) -> (Context, MemoryAudit) {
    let trail = MemoryAudit::new();
    let cx = Context::new(Actor::new("tests"), Purpose::new("tests"))
        .unwrap()
        .with_budget(MemoryBudget::new(Epsilon::new(epsilon).unwrap()))
        .with_audit(trail.clone());
    (cx, trail)
}

fn noisy_count(distance: u64) -> MechanismStage<impl Mechanism<Input = Rows<i64>, Output = i128>> {
    let chain = NonNegative.then(Count).then(CoinNoise);
    MechanismStage::for_distance("noisy count", chain, Changes(distance)).unwrap()
}

#[test]
fn a_pipeline_plans_charges_and_records() {
    let (mut cx, trail) = context(1.0);
    let pipeline = Pipeline::new(noisy_count(1)).then(Publish);
    let plan = pipeline.plan().unwrap();
    assert!(plan.guarantee().is_differentially_private());
    assert!(plan.to_string().contains("1. noisy count [ε = 0.69314718056]"), "{plan}");
    let published = pipeline.run(Sensitive::new(vec![1, 2, 3]), &mut cx).unwrap();
    assert!((published - 3).abs() < 200);
    assert_eq!(cx.remaining().unwrap().unwrap().to_string(), "ε = 0.30685281944");
    let names: Vec<_> = trail.records().iter().map(|r| r.resource.to_string()).collect();
    assert_eq!(names, ["noisy count", "publish"]);
}

#[test]
fn a_pipeline_that_cannot_pay_touches_nothing() {
    let (mut cx, trail) = context(0.5);
    let pipeline = Pipeline::new(noisy_count(1)).then(Publish);
    assert!(pipeline.run(Sensitive::new(vec![1]), &mut cx).unwrap_err().is_budget());
    let outcomes: Vec<_> = trail.records().iter().map(|record| record.outcome).collect();
    assert_eq!(outcomes, [Outcome::Refused]);
}

#[test]
fn a_price_that_does_not_cover_the_distance_is_refused_and_one_that_does_is_taken() {
    let (mut cx, _) = context(10.0);
    let cheap = Pipeline::new(Repeat).then(noisy_count(1));
    let refused = cheap.run(Sensitive::new(vec![1]), &mut cx).unwrap_err();
    assert!(matches!(refused, Error::Unjustified { .. }), "{refused}");
    assert_eq!(cx.remaining().unwrap().unwrap().to_string(), "ε = 10");
    let fair = Pipeline::new(Repeat).then(noisy_count(2));
    let _ = fair.run(Sensitive::new(vec![1]), &mut cx).unwrap();
    assert_eq!(cx.remaining().unwrap().unwrap().to_string(), "ε = 8.61370563888");
}

/// Claims differential privacy without paying.
struct Freeloader;

impl Stage for Freeloader {
    type Input = Sensitive<Vec<i64>>;
    type Output = usize;

    fn name(&self) -> Cow<'static, str> {
        "freeloader".into()
    }

    fn effect(&self) -> Effect {
        noisy_count(1).effect()
    }

    fn run(&self, rows: Self::Input, _: &mut Context) -> Result<usize> {
        Ok(rows.expose().len())
    }
}

#[test]
fn a_private_claim_that_was_not_paid_is_not_handed_out() {
    let (mut cx, _) = context(10.0);
    let result = Pipeline::new(Freeloader).run(Sensitive::new(vec![1]), &mut cx);
    assert!(matches!(result, Err(Error::Unjustified { .. })));
}

/// Asks for more than there is, ignores the refusal, and hands the rows' number out all the same.
struct Shameless;

impl Stage for Shameless {
    type Input = Sensitive<Vec<i64>>;
    type Output = usize;

    fn name(&self) -> Cow<'static, str> {
        "shameless".into()
    }

    fn effect(&self) -> Effect {
        noisy_count(1).effect()
    }

    fn run(&self, rows: Self::Input, cx: &mut Context) -> Result<usize> {
        for epsilon in [1000.0, 0.001] {
            let charge = Charge::from(Epsilon::new(epsilon)?);
            let _ = cx.release(Ask::new(Resource::new("excuse"), charge, RECORDS), |_| Ok(()));
        }
        Ok(rows.expose().len())
    }
}

#[test]
fn a_price_that_was_refused_or_paid_in_part_is_not_paid() {
    let (mut cx, _) = context(10.0);
    let result = Pipeline::new(Shameless).run(Sensitive::new(vec![1]), &mut cx);
    assert!(matches!(result, Err(Error::Unjustified { .. })));
}

#[test]
fn a_stage_priced_for_no_distance_cannot_be_made() {
    let chain = NonNegative.then(Count).then(CoinNoise);
    let free = MechanismStage::for_distance("free", chain, Changes(0));
    assert!(free.is_err_and(|error| error.is_parameter()));
}

#[test]
fn a_transformation_becomes_a_stage_with_its_own_stability() {
    let (mut cx, trail) = context(1.0);
    let clean = TransformationStage::new("drop negatives", NonNegative).unwrap();
    assert_eq!(clean.effect(), Effect::Stable { stability: 1, scope: RECORDS });
    let chain = Count.then(CoinNoise);
    let pipeline =
        Pipeline::new(clean).then(MechanismStage::new("count", chain).unwrap()).then(Publish);
    let _ = pipeline.run(Sensitive::new(vec![1, -1]), &mut cx).unwrap();
    let last = trail.records().pop().unwrap();
    assert_eq!(last.resource.as_str(), "publish");
    assert!(last.guarantee.is_differentially_private());
}

struct OnlyReports;

impl Authorizer for OnlyReports {
    fn authorize(&self, request: &AccessRequest<'_>) -> Decision {
        match request.purpose.as_str() {
            "report" => Decision::Permit,
            _ => Decision::Deny,
        }
    }
}

#[test]
fn an_authorizer_decides_by_purpose() {
    let (cx, trail) = context(10.0);
    let mut cx = cx.with_authorizer(OnlyReports);
    let denied = Pipeline::new(noisy_count(1)).run(Sensitive::new(vec![1]), &mut cx).unwrap_err();
    assert_eq!(
        denied.to_string(),
        "`tests` may not run `noisy count` for the purpose `tests`; ask whoever keeps the access rules"
    );
    assert_eq!(trail.records()[0].outcome, Outcome::Denied);
    assert_eq!(cx.remaining().unwrap().unwrap().to_string(), "ε = 10");
}
