//! Against laws that are known exactly.

use dp_accounting::account::PrivacyLoss;
use dp_accounting::event::{Event, Plan, Relation};
use proptest::prelude::*;

use crate::plans::{accountants, answered, config};

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
