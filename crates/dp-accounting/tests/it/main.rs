//! Properties of the whole crate, over ordinary and extreme plans.

#![allow(clippy::panic)]

use dp_accounting::account::{Accountant, Advanced, Best, Optimal, PrivacyLoss, Renyi, Sum, Zcdp};
use dp_accounting::event::{Event, Plan, Relation};
use dp_accounting::{AccountingError, Result};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// The same cases in every run: extreme plans cost seconds, and a gate must not depend on luck. Set
/// `PROPTEST_CASES` and change the seed to look further.
fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, rng_seed: RngSeed::Fixed(0x5eed), ..ProptestConfig::default() }
}

fn accountants() -> Vec<Box<dyn Accountant>> {
    vec![
        Box::new(Sum),
        Box::new(Advanced),
        Box::new(Optimal),
        Box::new(Zcdp),
        Box::new(Renyi),
        Box::new(PrivacyLoss::default()),
        Box::new(Best::default()),
    ]
}

/// Magnitudes from the ordinary to the absurd.
fn magnitude() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => 0.3f64..30.0,
        1 => 1e-4f64..1e-2,
        1 => 1e3f64..1e7,
        1 => prop::sample::select(vec![1e-300, 1e-30, 1e30, 1e300, f64::MIN_POSITIVE, f64::MAX]),
    ]
}

fn fraction() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => 1e-4f64..0.5,
        1 => prop::sample::select(vec![0.0, 5e-324, 1e-300, 1e-30, 1e-12, 1.0 - 1e-16, 1.0]),
    ]
}

fn leaf() -> impl Strategy<Value = Event> {
    let simple = prop_oneof![
        magnitude().prop_map(|noise_multiplier| Event::Laplace { noise_multiplier }),
        magnitude().prop_map(|noise_multiplier| Event::Gaussian { noise_multiplier }),
        (magnitude(), 1u32..50)
            .prop_map(|(scale, sensitivity)| Event::DiscreteLaplace { scale, sensitivity }),
        (magnitude(), 1u32..20)
            .prop_map(|(sigma, sensitivity)| Event::DiscreteGaussian { sigma, sensitivity }),
        magnitude().prop_map(|epsilon| Event::ExponentialMechanism { epsilon }),
        magnitude().prop_map(|epsilon| Event::PureDp { epsilon }),
        (magnitude(), fraction()).prop_map(|(epsilon, delta)| Event::ApproxDp { epsilon, delta }),
        magnitude().prop_map(|rho| Event::Zcdp { rho }),
        (magnitude(), 2u32..9)
            .prop_map(|(epsilon, categories)| Event::RandomizedResponse { epsilon, categories }),
        (magnitude(), 1u64..2000)
            .prop_map(|(epsilon, reports)| Event::Shuffled { epsilon, reports }),
        (magnitude(), 1u64..500).prop_map(|(noise_multiplier, steps)| Event::RandomAllocation {
            noise_multiplier,
            steps
        }),
    ];
    simple.prop_flat_map(|inner| {
        let (plain, poisson, fixed, selected) =
            (inner.clone(), inner.clone(), inner.clone(), inner);
        prop_oneof![
            3 => Just(plain),
            2 => fraction().prop_map(move |rate| Event::PoissonSampled {
                rate,
                inner: Box::new(poisson.clone())
            }),
            1 => (1u64..100).prop_map(move |sample| Event::FixedSizeSampled {
                sample,
                population: 100,
                inner: Box::new(fixed.clone())
            }),
            1 => (1.0f64..50.0).prop_map(move |mean| Event::RepeatAndSelect {
                mean,
                shape: 1.0,
                inner: Box::new(selected.clone())
            }),
        ]
    })
}

fn plan() -> impl Strategy<Value = Plan> {
    let part = (leaf(), prop_oneof![1u64..40, Just(1_000_000u64)])
        .prop_map(|(event, count)| event.repeat(count));
    (prop::collection::vec(part, 1..3), any::<bool>()).prop_filter_map(
        "a valid plan",
        |(events, replace)| {
            let relation = if replace { Relation::Replace } else { Relation::AddRemove };
            Plan::new(relation, Event::Composed { events }).ok()
        },
    )
}

fn answered(result: Result<f64>) -> Option<f64> {
    match result {
        Ok(value) => Some(value),
        Err(AccountingError::Unsupported { .. } | AccountingError::OutOfRange { .. }) => None,
        Err(other) => panic!("{other}"),
    }
}

proptest! {
    #![proptest_config(config(60))]

    #[test]
    fn no_plan_gives_a_nan_or_a_negative(plan in plan(), delta in fraction(), epsilon in magnitude()) {
        for accountant in accountants() {
            if let Some(found) = answered(accountant.epsilon(&plan, delta)) {
                prop_assert!(found >= 0.0, "{}: {found} for {plan:?} at {delta}", accountant.name());
            }
        }
        for accountant in [&Renyi as &dyn Accountant, &Zcdp, &Optimal] {
            if let Some(found) = answered(accountant.delta(&plan, epsilon)) {
                prop_assert!((0.0..=1.0).contains(&found), "{}: {found}", accountant.name());
            }
        }
    }

    #[test]
    fn brackets_hold_their_order_and_meet_the_other_proofs(
        z in 0.5f64..20.0, rate in 1e-3f64..0.5, count in 1u64..300, exponent in 2.0f64..14.0,
    ) {
        let delta = 10f64.powf(-exponent);
        let event = Event::gaussian(z).unwrap().poisson_sampled(rate).unwrap().repeat(count);
        let plan = Plan::new(Relation::AddRemove, event).unwrap();
        let bracket = PrivacyLoss::default().epsilon_bracket(&plan, delta).unwrap();
        prop_assert!(bracket.lower <= bracket.upper, "{bracket:?}");
        // Where nothing finite can be certified, as for a single step at a tiny delta, the upper
        // end is infinite.
        if bracket.upper.is_infinite() {
            return Ok(());
        }
        prop_assert!(bracket.width() <= 2e-4, "{bracket:?}");
        // The Rényi bound is valid too, so that it cannot be below the lower end.
        let renyi = Renyi.epsilon(&plan, delta).unwrap();
        prop_assert!(renyi >= bracket.lower, "{renyi} {bracket:?}");
        // epsilon(delta(e)) >= e, up to the bracket.
        let back = PrivacyLoss::default().delta_bracket(&plan, bracket.upper).unwrap();
        prop_assert!(back.lower <= delta * (1.0 + 1e-9), "{back:?} {delta}");
        // More noise and fewer steps cost less.
        let event = Event::gaussian(1.1 * z).unwrap().poisson_sampled(rate).unwrap().repeat(count);
        let quieter = Plan::new(Relation::AddRemove, event).unwrap();
        let less = PrivacyLoss::default().epsilon_bracket(&quieter, delta).unwrap();
        prop_assert!(less.lower <= bracket.upper);
    }

    #[test]
    fn simple_accountants_are_monotone(plan in plan(), delta in 1e-12f64..0.1) {
        for accountant in [&Sum as &dyn Accountant, &Advanced, &Zcdp, &Renyi] {
            let Some(found) = answered(accountant.epsilon(&plan, delta)) else { continue };
            let tighter = accountant.epsilon(&plan, 0.5 * delta).unwrap();
            prop_assert!(tighter >= found * (1.0 - 1e-12), "{}", accountant.name());
            if found < 1e4 && found > 0.0 {
                let back = accountant.delta(&plan, found).unwrap();
                prop_assert!(back <= delta * (1.0 + 1e-5), "{} {back} {delta}", accountant.name());
            }
        }
    }

    #[test]
    fn plans_survive_storage_and_keep_their_price(plan in plan()) {
        let text = serde_json::to_string(&plan).unwrap();
        let read: Plan = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&read, &plan);
        let (a, b) = (Renyi.epsilon(&plan, 1e-6), Renyi.epsilon(&read, 1e-6));
        prop_assert_eq!(a.ok().map(f64::to_bits), b.ok().map(f64::to_bits));
    }
}

#[test]
fn invalid_plans_are_not_read() {
    for text in [
        r#"{"adjacency":"add_remove","event":"laplace","noise_multiplier":0.0}"#,
        r#"{"adjacency":"add_remove","event":"laplace","noise_multiplier":-1.0}"#,
        r#"{"adjacency":"add_remove","event":"gaussian"}"#,
        r#"{"event":"gaussian","noise_multiplier":1.0}"#,
        r#"{"adjacency":"replace","event":"approx_dp","epsilon":1.0,"delta":1.5}"#,
        r#"{"adjacency":"replace","event":"poisson_sampled","rate":2.0,"inner":{"event":"no_op"}}"#,
        r#"{"adjacency":"replace","event":"repeated","count":-1,"inner":{"event":"no_op"}}"#,
    ] {
        assert!(serde_json::from_str::<Plan>(text).is_err(), "{text}");
    }
    let mut deep = Event::NoOp;
    for _ in 0..70 {
        deep = deep.repeat(1);
    }
    let error = Plan::new(Relation::AddRemove, deep).unwrap_err();
    assert!(matches!(error, AccountingError::TooDeep { .. }));
    let many = Event::laplace(1.0).unwrap().repeat(u64::MAX).repeat(2);
    let error = Plan::new(Relation::AddRemove, many).unwrap_err();
    assert_eq!(error, AccountingError::TooManySteps);
}

#[test]
fn losses_near_the_largest_float_are_unbounded() {
    let drowned = Event::Gaussian { noise_multiplier: 1e-300 };
    let event = Event::FixedSizeSampled { sample: 1, population: 100, inner: Box::new(drowned) }
        .repeat(3)
        .and(Event::laplace(0.3).unwrap());
    let plan = Plan::new(Relation::Replace, event).unwrap();
    let bracket = PrivacyLoss::default().epsilon_bracket(&plan, 1e-4).unwrap();
    assert!(bracket.upper == f64::INFINITY && bracket.lower >= 0.0, "{bracket:?}");
    let bracket = PrivacyLoss::default().delta_bracket(&plan, 0.3).unwrap();
    assert!(bracket.upper == 1.0 && bracket.lower >= 0.0, "{bracket:?}");
}

#[test]
fn adjacency_is_part_of_the_price() {
    let event = Event::gaussian(1.0).unwrap().poisson_sampled(0.01).unwrap().repeat(1000);
    let accountant = PrivacyLoss::default();
    let add = Plan::new(Relation::AddRemove, event.clone()).unwrap();
    let replace = Plan::new(Relation::Replace, event).unwrap();
    assert!((accountant.epsilon(&add, 1e-5).unwrap() - 1.828_24).abs() < 1e-4);
    assert!((accountant.epsilon(&replace, 1e-5).unwrap() - 2.843_44).abs() < 1e-4);
    // Who answered a randomized response is visible: no price under add/remove.
    let event = Event::randomized_response(1.0, 4).unwrap();
    let plan = Plan::new(Relation::AddRemove, event).unwrap();
    assert!(matches!(plan.epsilon(1e-6), Err(AccountingError::Unsupported { .. })));
}

#[test]
fn best_is_never_beaten_and_reports_add_up() {
    let event = Event::laplace(20.0)
        .unwrap()
        .repeat(30)
        .and(Event::gaussian(15.0).unwrap().repeat(20))
        .and(Event::exponential_mechanism(0.05).unwrap().repeat(10));
    let plan = Plan::new(Relation::AddRemove, event).unwrap();
    let best = Best::default().epsilon(&plan, 1e-6).unwrap();
    for accountant in accountants() {
        if let Some(found) = answered(accountant.epsilon(&plan, 1e-6)) {
            assert!(best <= found, "{}", accountant.name());
        }
    }
    let report = Renyi.describe(&plan, 1e-6).unwrap();
    assert_eq!(report.lines.len(), 3);
    let sum: f64 = report.lines.iter().map(|line| line.share).sum();
    assert!((sum - 1.0).abs() < 1e-9);
    let text = report.to_string();
    assert!(text.contains("Laplace noise (z = 20)") && text.contains("epsilon <="), "{text}");
}

#[test]
fn mixed_sampled_plans_are_priced_by_the_loss_distribution() {
    let event = Event::laplace(3.0)
        .unwrap()
        .poisson_sampled(0.02)
        .unwrap()
        .repeat(200)
        .and(Event::gaussian(2.0).unwrap().poisson_sampled(0.01).unwrap().repeat(300))
        .and(Event::discrete_gaussian(40.0, 3).unwrap().repeat(2))
        .and(Event::discrete_laplace(30.0, 2).unwrap().repeat(5));
    let plan = Plan::new(Relation::AddRemove, event).unwrap();
    for delta in [1e-3, 1e-6, 1e-12] {
        let bracket = PrivacyLoss::default().epsilon_bracket(&plan, delta).unwrap();
        let renyi = Renyi.epsilon(&plan, delta).unwrap();
        assert!(bracket.width() < 1e-3, "{bracket:?}");
        assert!(bracket.upper < renyi && renyi < 2.0 * bracket.upper, "{bracket:?} {renyi}");
    }
}

/// The exact delta of `k` binary randomized responses at `step`, by the binomial law of the loss.
fn responses_delta(step: f64, k: u32, epsilon: f64) -> f64 {
    let log_truth = -(-step).exp().ln_1p();
    let log_lie = log_truth - step;
    let mut log_choose = 0.0;
    let mut delta = 0.0;
    for lies in 0..=k {
        if lies > 0 {
            log_choose += f64::from(k + 1 - lies).ln() - f64::from(lies).ln();
        }
        let loss = f64::from(k) * step - 2.0 * f64::from(lies) * step;
        if loss > epsilon {
            let mass = log_choose + f64::from(k - lies) * log_truth + f64::from(lies) * log_lie;
            delta += mass.exp() * -(epsilon - loss).exp_m1();
        }
    }
    delta
}

proptest! {
    #![proptest_config(config(150))]

    /// Also close to the end of the support, where tilted weights leave the range of floats.
    #[test]
    fn no_bound_on_randomized_responses_falls_below_their_exact_law(
        step in prop_oneof![0.05f64..3.0, 3.0f64..45.0],
        k in 1u32..40,
        delta in prop_oneof![1e-9f64..1e-3, 1e-3f64..0.999],
        share in 0.0f64..1.0,
    ) {
        let plan = Plan::new(
            Relation::Replace,
            Event::randomized_response(step, 2).unwrap().repeat(u64::from(k)),
        ).unwrap();
        let asked = share * f64::from(k) * step;
        for accountant in accountants() {
            if let Some(epsilon) = answered(accountant.epsilon(&plan, delta)) {
                let exact = responses_delta(step, k, epsilon);
                prop_assert!(exact <= delta * (1.0 + 1e-6), "{exact} > {delta} at {epsilon}");
            }
            if let Some(bound) = answered(accountant.delta(&plan, asked)) {
                let exact = responses_delta(step, k, asked);
                prop_assert!(bound >= exact * (1.0 - 1e-6), "{bound} < {exact} at {asked}");
            }
        }
    }
}

/// A record that takes part with probability 1/100 and is then disclosed costs a delta of 1/100,
/// however far its loss lies beyond what floats can hold.
#[test]
fn sampled_disclosure_is_never_free() {
    let disclosing = [
        Event::pure_dp(746.0),
        Event::pure_dp(800.0),
        Event::pure_dp(10_000.0),
        Event::laplace(1e-3),
        Event::discrete_laplace(1e-3, 1),
        Event::discrete_laplace(1.0, 800),
        Event::discrete_gaussian(0.0269, 1),
    ];
    for event in disclosing {
        let event = event.unwrap();
        for steps in [1u64, 10] {
            let sampled = event.clone().poisson_sampled(0.01).unwrap().repeat(steps);
            let plan = Plan::new(Relation::AddRemove, sampled).unwrap();
            let truth = 1.0 - 0.99f64.powi(steps as i32);
            for accountant in accountants() {
                if let Some(delta) = answered(accountant.delta(&plan, 1.0)) {
                    assert!(delta >= truth * 0.99, "{event:?} x {steps}: {delta}");
                }
            }
        }
    }
    let sampled = Event::approx_dp(800.0, 1e-6).unwrap().poisson_sampled(0.01).unwrap();
    let plan = Plan::new(Relation::AddRemove, sampled).unwrap();
    assert!(plan.epsilon(1e-3).unwrap() > 790.0);
}

#[test]
fn the_closed_form_does_not_lose_its_last_step() {
    let delta = 0.985_198_568_070_897_1;
    let epsilon = dp_accounting::pure::optimal_epsilon(25.0, 0.0, 1 << 30, delta).unwrap();
    assert!(epsilon > 2.6e10, "{epsilon}");
}

/// Few steps at tiny deltas: nothing but the exact law is close, and the bracket is.
#[test]
fn few_responses_are_bracketed_at_tiny_deltas() {
    for (step, k) in [(1.0, 30u32), (3.0, 10), (0.1, 100), (20.0, 3), (40.0, 5)] {
        let event = Event::randomized_response(step, 2).unwrap().repeat(u64::from(k));
        let plan = Plan::new(Relation::Replace, event).unwrap();
        let most = step * f64::from(k);
        for share in [0.0, 0.3, 0.5, 0.8, 0.95] {
            let epsilon = share * most;
            let truth = responses_delta(step, k, epsilon);
            let found = PrivacyLoss::default().delta_bracket(&plan, epsilon).unwrap();
            let room = 1e-9 * truth;
            assert!(
                found.lower <= truth + room && found.upper >= truth - room,
                "{step} {k}: {found:?} {truth:e}"
            );
            assert!(found.width() <= 1e-6 * truth, "{step} {k} {epsilon}: {found:?} {truth:e}");
        }
        for delta in [1e-6, 1e-12, 1e-20, 1e-30] {
            let found = PrivacyLoss::default().epsilon_bracket(&plan, delta).unwrap();
            assert!(found.width() <= 1e-6 * (1.0 + most), "{step} {k} {delta:e}: {found:?}");
            assert!(responses_delta(step, k, found.upper) <= delta * (1.0 + 1e-9));
            // The largest loss has a mass of its own: nothing below it holds at a smaller delta.
            let below = found.lower * (1.0 - 1e-9);
            assert!(responses_delta(step, k, below) >= delta * (1.0 - 1e-6), "{delta:e} {found:?}");
        }
    }
}

/// A sampled Gaussian step at any delta has a finite, tight price, by its closed form.
#[test]
fn one_sampled_step_is_bracketed_at_any_delta() {
    for (noise, rate) in [(0.5, 1e-3), (1.0, 1e-6), (10.0, 0.01), (1000.0, 0.5)] {
        let event = Event::gaussian(noise).unwrap().poisson_sampled(rate).unwrap();
        let plan = Plan::new(Relation::AddRemove, event).unwrap();
        for delta in [1e-3, 1e-9, 1e-20, 1e-30] {
            let found = PrivacyLoss::default().epsilon_bracket(&plan, delta).unwrap();
            assert!(
                found.width() <= 1e-6 * (1.0 + found.upper),
                "{noise} {rate} {delta:e}: {found:?}"
            );
            if found.lower > 0.0 {
                // Removal dominates above 0: delta'(ln(1 + q (e^l - 1))) = q delta(l).
                let inner = (found.upper.exp_m1() / rate).ln_1p();
                let own =
                    dp_accounting::gaussian::GaussianDp::from_noise_multiplier(noise).unwrap();
                let truth = rate * own.delta(inner).unwrap();
                assert!((truth / delta - 1.0).abs() < 1e-3, "{noise} {rate} {delta:e}: {truth:e}");
            }
        }
    }
}
