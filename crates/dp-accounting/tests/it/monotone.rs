//! More loss never looks like less: in delta, in epsilon, in noise and in steps.
//!
//! Ends of brackets are compared crosswise (the lower end of what costs less with the upper end of
//! what costs more), which must hold to the last bit if both are valid. Upper ends alone are in the
//! same order up to their tolerance.

use dp_accounting::account::{Accountant, Advanced, Optimal, PrivacyLoss, Renyi, Sum, Zcdp};
use dp_accounting::event::{Event, Plan, Relation};
use dp_accounting::loss::Bracket;
use proptest::prelude::*;

use crate::plans::{answered, config};

/// The default tolerance of an epsilon, for two answers.
const ROOM: f64 = 2e-4;

/// One kind of step at a noise; epsilon of a pure one falls with it.
#[derive(Debug, Clone, Copy)]
struct Kind {
    number: u32,
    rate: f64,
}

const KINDS: u32 = 11;

impl Kind {
    fn step(self, noise: f64) -> Event {
        let sampled = |event: Event| event.poisson_sampled(self.rate).unwrap();
        match self.number {
            0 => Event::gaussian(noise).unwrap(),
            1 | 2 => sampled(Event::gaussian(noise).unwrap()),
            3 => Event::laplace(noise).unwrap(),
            4 => sampled(Event::laplace(noise).unwrap()),
            5 => Event::discrete_laplace(noise, 2).unwrap(),
            6 => Event::discrete_gaussian(noise.max(0.3), 1).unwrap(),
            7 => Event::randomized_response(1.0 / noise, 3).unwrap(),
            8 => {
                let sample = (self.rate * 1e15).max(1.0) as u64;
                let event = Event::gaussian(noise).unwrap();
                event.fixed_size_sampled(sample, 1_000_000_000_000_000).unwrap()
            }
            9 => sampled(Event::discrete_laplace(noise, 1).unwrap()),
            _ => Event::exponential_mechanism(1.0 / noise).unwrap(),
        }
    }

    fn plan(self, noise: f64, count: u64) -> Plan {
        let replaced = matches!(self.number, 2 | 7 | 8);
        let relation = if replaced { Relation::Replace } else { Relation::AddRemove };
        Plan::new(relation, self.step(noise).repeat(count)).unwrap()
    }

    /// More noise never costs more. Not so the discrete Gaussian, whose exact delta at an epsilon
    /// can rise with sigma (at 4.946 from 6.4e-7 to 6.8e-7, for sigma 1 and 1.01): the best set is
    /// a set of integers, and does not move with sigma.
    fn has_order_in_noise(self) -> bool {
        self.number != 6
    }

    /// Its brackets are as tight as asked for. Rare rows with little noise have losses too far apart
    /// for 2^20 cells, and few exponential mechanisms a delta that vanishes towards their largest
    /// loss.
    fn is_ordinary(self, noise: f64, count: u64, delta: f64) -> bool {
        match self.number {
            1 | 2 | 4 | 8 | 9 => noise >= 0.5 && self.rate >= 1e-3,
            10 => count > 3 || delta > 1e-8,
            _ => true,
        }
    }

    /// Its delta does not fall at every epsilon.
    fn has_gaps(self) -> bool {
        matches!(self.number, 5 | 6 | 7 | 9)
    }
}

fn epsilon(plan: &Plan, delta: f64) -> Bracket {
    PrivacyLoss::default().epsilon_bracket(plan, delta).unwrap()
}

fn delta(plan: &Plan, epsilon: f64) -> Bracket {
    PrivacyLoss::default().delta_bracket(plan, epsilon).unwrap()
}

fn ordered(bracket: Bracket) -> bool {
    bracket.lower >= 0.0 && bracket.lower <= bracket.upper
}

/// `less` costs no more than `more`, as far as anyone can tell, and their upper ends agree.
fn in_order(less: Bracket, more: Bracket, room: f64) -> bool {
    ordered(less)
        && ordered(more)
        && less.lower <= more.upper
        && less.upper <= more.upper + room.max(less.width())
}

fn kinds(rates: std::ops::Range<f64>) -> impl Strategy<Value = Kind> {
    (0..KINDS, rates).prop_map(|(number, log)| Kind { number, rate: log.exp() })
}

fn logarithmic(low: f64, high: f64) -> impl Strategy<Value = f64> {
    (low.ln()..high.ln()).prop_map(f64::exp)
}

proptest! {
    #![proptest_config(config(150))]

    #[test]
    fn brackets_of_ordinary_plans_are_as_tight_as_asked_for(
        kind in kinds(-9.0..-0.7),
        noise in logarithmic(0.3, 30.0),
        count in logarithmic(1.0, 5e3),
        wanted in logarithmic(1e-12, 0.3),
    ) {
        let count = count as u64;
        let plan = kind.plan(noise, count);
        let found = epsilon(&plan, wanted);
        let upper = PrivacyLoss::default().epsilon(&plan, wanted).unwrap();
        if kind.is_ordinary(noise, count, wanted) {
            prop_assert!(found.width() <= 1.01e-4 + 1e-3 * found.upper, "{found:?}");
            // On the first grid alone.
            prop_assert!(upper <= found.lower + 5.0 * ROOM + 1e-2 * found.upper, "{upper}");
        }
    }
}

proptest! {
    #![proptest_config(config(16))]

    #[test]
    fn brackets_are_in_the_order_of_what_they_bracket(
        kind in kinds(-9.0..-0.7),
        noise in logarithmic(0.3, 30.0),
        count in logarithmic(1.0, 5e3),
        wanted in logarithmic(1e-12, 0.3),
        share in 0.0f64..1.0,
    ) {
        let count = count as u64;
        let plan = kind.plan(noise, count);
        let found = epsilon(&plan, wanted);
        prop_assert!(ordered(found));
        // In delta, noise and steps.
        let (more, quiet) = (kind.plan(noise, count + 1), kind.plan(noise * 1.01, count));
        let (tighter, longer, quieter) =
            (epsilon(&plan, 0.99 * wanted), epsilon(&more, wanted), epsilon(&quiet, wanted));
        for (less, more) in [(found, tighter), (found, longer), (quieter, found)] {
            let known = kind.has_order_in_noise() || less != quieter;
            prop_assert!(!known || in_order(less, more, ROOM), "{less:?} {more:?}");
        }
        // The upper end alone is one, too.
        let upper = PrivacyLoss::default().epsilon(&plan, wanted).unwrap();
        prop_assert!(upper >= found.lower, "{upper} {found:?}");
        for asked in [0.0, share * found.upper, found.lower, found.upper, 1.1 * found.upper] {
            let at = delta(&plan, asked);
            prop_assert!(ordered(at) && at.upper <= 1.0, "{asked}: {at:?}");
            let (farther, longer, quieter) =
                (delta(&plan, 1.001 * asked + 1e-9), delta(&more, asked), delta(&quiet, asked));
            for (less, more) in [(farther, at), (at, longer), (quieter, at)] {
                let known = kind.has_order_in_noise() || less != quieter;
                prop_assert!(
                    !known || less.lower <= more.upper,
                    "{asked}: {less:?} {more:?}"
                );
            }
            // There and back: what is proved for one is proved for the other.
            // (Past the largest loss, delta is but the smallest number there is.)
            if at.upper < 1.0 && at.upper > 1e-290 && asked > 0.0 {
                let back = epsilon(&plan, at.upper);
                prop_assert!(back.lower <= asked * (1.0 + 1e-12), "{asked}: {at:?} {back:?}");
            }
            if at.lower > 0.0 && !kind.has_gaps() {
                let back = epsilon(&plan, at.lower);
                prop_assert!(back.upper >= asked * (1.0 - 1e-12), "{asked}: {at:?} {back:?}");
            }
        }
        let (at_lower, at_upper) = (delta(&plan, found.lower), delta(&plan, found.upper));
        prop_assert!(at_upper.lower <= wanted * (1.0 + 1e-12), "{found:?} {at_upper:?}");
        prop_assert!(found.lower == 0.0 || at_lower.upper >= wanted * (1.0 - 1e-12));
    }

    /// Rates, noise and deltas that floats can hardly hold: brackets may be wide, never wrong.
    #[test]
    fn extreme_brackets_are_still_in_order(
        kind in kinds(-30.0..-0.1),
        noise in logarithmic(0.02, 1e3),
        count in logarithmic(1.0, 1e5),
        wanted in logarithmic(1e-30, 0.3),
    ) {
        let count = count as u64;
        let plan = kind.plan(noise, count);
        let found = epsilon(&plan, wanted);
        let upper = PrivacyLoss::default().epsilon(&plan, wanted).unwrap();
        prop_assert!(ordered(found) && upper >= found.lower, "{upper} {found:?}");
        if found.upper.is_finite() {
            let longer = epsilon(&kind.plan(noise, count + 1), wanted);
            prop_assert!(found.lower <= longer.upper, "{found:?} {longer:?}");
            for asked in [0.0, found.lower, found.upper] {
                let at = delta(&plan, asked);
                prop_assert!(ordered(at) && at.upper <= 1.0, "{asked}: {at:?}");
                prop_assert!(asked < found.upper || at.lower <= wanted * (1.0 + 1e-12));
            }
        }
    }

    #[test]
    fn the_other_accountants_are_monotone_and_never_below_the_bracket(
        kind in kinds(-9.0..-0.7),
        noise in logarithmic(0.05, 100.0),
        count in logarithmic(1.0, 2e4),
        wanted in logarithmic(1e-12, 0.3),
    ) {
        let count = count as u64;
        let plan = kind.plan(noise, count);
        let (more, quiet) = (kind.plan(noise, count + 1), kind.plan(noise * 1.01, count));
        let found = epsilon(&plan, wanted);
        for accountant in [&Sum as &dyn Accountant, &Advanced, &Optimal, &Zcdp, &Renyi] {
            let Some(here) = answered(accountant.epsilon(&plan, wanted)) else { continue };
            let name = accountant.name();
            // The pair of the exponential mechanism is worse than the mechanism when composed.
            let bound = kind.number == 10 || here >= found.lower * (1.0 - 1e-12);
            prop_assert!(bound, "{name} {here} {found:?}");
            let tighter = accountant.epsilon(&plan, 0.99 * wanted).unwrap();
            prop_assert!(tighter >= here * (1.0 - 1e-12), "{name} {here} {tighter}");
            let longer = accountant.epsilon(&more, wanted).unwrap();
            prop_assert!(longer >= here * (1.0 - 1e-12), "{name} {here} {longer}");
            let quieter = accountant.epsilon(&quiet, wanted).unwrap();
            prop_assert!(quieter <= here * (1.0 + 1e-9) + 1e-9, "{name} {here} {quieter}");
            if !(here.is_finite() && here > 0.0) {
                continue;
            }
            let there = accountant.delta(&plan, here).unwrap();
            prop_assert!(there <= wanted * (1.0 + 1e-5), "{name} {here} {there}");
            let farther = accountant.delta(&plan, 1.001 * here).unwrap();
            prop_assert!(farther <= there * (1.0 + 1e-9), "{name} {there} {farther}");
            // The plain sum and few discrete losses have the same epsilon for many deltas.
            if there > 0.0 && !matches!(name, "sum" | "optimal composition") {
                let back = accountant.epsilon(&plan, there).unwrap();
                prop_assert!(back >= here * (1.0 - 1e-5), "{name} {here} {there:e} {back}");
            }
        }
    }

    /// A stored plan has the price of the plan, to the last bit, and so has a stored bracket.
    #[test]
    fn storage_changes_no_price(
        kind in kinds(-9.0..-0.7),
        noise in logarithmic(1e-3, 1e3),
        count in 1u64..1000,
        wanted in logarithmic(1e-12, 0.3),
    ) {
        let plan = kind.plan(noise, count);
        let read: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
        let bracket = epsilon(&plan, wanted);
        prop_assert_eq!(bracket, epsilon(&read, wanted));
        let text = serde_json::to_string(&bracket).unwrap();
        prop_assert_eq!(serde_json::from_str::<Bracket>(&text).unwrap(), bracket);
        let report = Zcdp.describe(&plan, wanted);
        if let Ok(report) = report {
            let text = serde_json::to_string(&report).unwrap();
            let read: dp_accounting::describe::Report = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(read.epsilon.to_bits(), report.epsilon.to_bits());
        }
    }
}

/// Where `e^epsilon` leaves the range of floats, at an epsilon of some 700, nothing changes.
#[test]
fn steps_add_up_across_the_largest_exponential() {
    let plans: [(Event, u64); 8] = [
        (Event::laplace(0.05).unwrap(), 32),
        (Event::pure_dp(20.0).unwrap(), 32),
        (Event::randomized_response(25.0, 4).unwrap(), 25),
        (Event::gaussian(0.15).unwrap(), 27),
        (Event::laplace(0.02).unwrap().fixed_size_sampled(1, 3).unwrap(), 13),
        (Event::gaussian(0.2).unwrap().fixed_size_sampled(1, 2).unwrap(), 60),
        (Event::discrete_laplace(0.1, 2).unwrap(), 32),
        (Event::exponential_mechanism(25.0).unwrap(), 29),
    ];
    for (step, last) in plans {
        let plan = |count: u64| Plan::new(Relation::Replace, step.clone().repeat(count)).unwrap();
        let mut before: Option<(Bracket, Bracket)> = None;
        for count in (1..=last + 8).step_by(3) {
            let plan = plan(count);
            let now = (epsilon(&plan, 1e-6), delta(&plan, 650.0));
            let room = ROOM + 1e-9 * now.0.upper;
            assert!(now.0.upper.is_finite(), "{step:?} x {count}: {now:?}");
            if let Some(before) = before {
                assert!(in_order(before.0, now.0, room), "{step:?} x {count}: {before:?} {now:?}");
                assert!(before.1.lower <= now.1.upper, "{step:?} x {count}: {before:?} {now:?}");
                assert!(
                    before.1.upper <= now.1.upper * 1.002 + 1e-280,
                    "{step:?} x {count}: {before:?} {now:?}"
                );
            }
            before = Some(now);
        }
        // The steps do reach there.
        let (most, _) = before.unwrap();
        assert!(most.upper > 600.0, "{step:?}: {most:?}");
    }
}
