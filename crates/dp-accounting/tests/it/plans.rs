//! Plans to try things on.

use dp_accounting::account::{Accountant, Advanced, Best, Optimal, PrivacyLoss, Renyi, Sum, Zcdp};
use dp_accounting::event::{Event, Plan, Relation};
use dp_accounting::{AccountingError, Result};
use proptest::prelude::*;

/// New cases in every run; `PROPTEST_CASES` sets their number.
pub(crate) fn config(cases: u32) -> ProptestConfig {
    let set = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok());
    ProptestConfig { cases: set.unwrap_or(cases), ..ProptestConfig::default() }
}

pub(crate) fn accountants() -> Vec<Box<dyn Accountant>> {
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
pub(crate) fn magnitude() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => 0.3f64..30.0,
        1 => 1e-4f64..1e-2,
        1 => 1e3f64..1e7,
        1 => prop::sample::select(vec![1e-300, 1e-30, 1e30, 1e300, f64::MIN_POSITIVE, f64::MAX]),
    ]
}

pub(crate) fn fraction() -> impl Strategy<Value = f64> {
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

pub(crate) fn plan() -> impl Strategy<Value = Plan> {
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

pub(crate) fn answered(result: Result<f64>) -> Option<f64> {
    match result {
        Ok(value) => Some(value),
        Err(AccountingError::Unsupported { .. } | AccountingError::OutOfRange { .. }) => None,
        Err(other) => panic!("{other}"),
    }
}
