//! Properties of the whole crate, over ordinary and extreme plans.

#![allow(clippy::panic, clippy::unwrap_used)]

mod allocation;
mod exact;
mod extremes;
mod monotone;
mod plans;
mod selection;

use dp_accounting::AccountingError;
use dp_accounting::account::{Accountant, Best, PrivacyLoss, Renyi};
use dp_accounting::event::{Event, Plan, Relation};
use plans::{accountants, answered};

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
    // The Laplace noise alone: 1 - e^((0.3 - 1/0.3)/2).
    let alone = 1.0 - (0.5 * (0.3 - 1.0 / 0.3f64)).exp();
    assert!((alone..=1.0).contains(&bracket.upper) && bracket.lower >= 0.0, "{bracket:?}");
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
