//! Whatever a plan's numbers are, answers are numbers on the right side.

use dp_accounting::account::{Accountant, Advanced, Optimal, PrivacyLoss, Renyi, Sum, Zcdp};
use dp_accounting::event::{Event, Plan, Relation};
use proptest::prelude::*;

use crate::plans::{accountants, answered, config, fraction, magnitude, plan};

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
