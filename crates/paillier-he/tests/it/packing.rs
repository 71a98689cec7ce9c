//! Packed numbers, policies, noise and the safety of shared types.

use paillier_he::noise::encrypt_released;
use paillier_he::policy::{Opener, Sums, Tally};
use paillier_he::prelude::*;
use paillier_he::stage::OpenNoisy;
use paillier_he::{Error, Packed, PackedLayout};
use privacy_core::audit::{AuditRecord, AuditSink, Outcome, RecordId};
use privacy_core::params::Amount;
use privacy_core::prelude::*;
use proptest::prelude::*;

use crate::support::{rng, small_keys};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn packed_numbers_compute_as_integers_do(
        raw in prop::collection::vec(any::<i64>(), 1..60),
        value_bits in 2u32..=64,
        guard_bits in 3u32..=20,
        seed in any::<u64>(),
    ) {
        let key = &small_keys()[1];
        let public = key.public_key();
        let rng = &mut rng(seed);
        let layout = PackedLayout::new(public, value_bits, guard_bits).unwrap();
        let most = layout.max_magnitude();
        let a: Vec<i64> = raw.iter().map(|x| match x % 5 { 0 => most, 1 => -most, _ => x % most.max(1) }).collect();
        let b: Vec<i64> = a.iter().rev().copied().collect();
        let x = Packed::encrypt(public, &a, layout, rng).unwrap();
        let y = Packed::encrypt(key, &b, layout, rng).unwrap();
        let wide = |v: &[i64]| v.iter().map(|x| i128::from(*x)).collect::<Vec<_>>();
        prop_assert_eq!(key.decrypt_packed(&x).unwrap(), wide(&a));
        let combined = x.multiply_all_vartime(-3).unwrap().add(&y.multiply_all_vartime(2).unwrap()).unwrap().sub(&x).unwrap();
        prop_assert_eq!(combined.weight(), 6);
        let expected: Vec<i128> = a.iter().zip(&b).map(|(a, b)| -4 * i128::from(*a) + 2 * i128::from(*b)).collect();
        prop_assert_eq!(key.decrypt_packed(&combined).unwrap(), expected.clone());
        let blinded = combined.blind(public, rng).unwrap();
        prop_assert_eq!(key.decrypt_packed(&blinded).unwrap(), expected);
        let limit = 1i64 << guard_bits;
        prop_assert!(x.multiply_all_vartime(limit).is_ok());
        let refused = matches!(x.multiply_all_vartime(limit + 1), Err(Error::WouldOverflow { .. }));
        prop_assert!(refused);
        let full = x.multiply_all_vartime(limit).unwrap();
        let refused = matches!(full.add(&x), Err(Error::WouldOverflow { .. }));
        prop_assert!(refused);
    }
}

#[test]
fn gradients_and_hessians_are_summed_by_bucket() {
    let key = &small_keys()[0];
    let layout = PackedLayout::pairs(key.public_key(), 20, 10).unwrap();
    let rows: Vec<i64> = (0..40).flat_map(|i| [i * 17 - 300, i * i]).collect();
    let packed = Packed::encrypt(key, &rows, layout, &mut rng(3)).unwrap();
    let bucket: Vec<usize> = (0..40).map(|i| i % 3).collect();
    let sums = packed.group_sums(&bucket, 4).unwrap();
    let mut expected = vec![0i128; 8];
    for (i, bucket) in bucket.iter().enumerate() {
        expected[2 * bucket] += i128::from(rows[2 * i]);
        expected[2 * bucket + 1] += i128::from(rows[2 * i + 1]);
    }
    assert_eq!(key.decrypt_packed(&sums).unwrap(), expected);
    let total = packed.sum_rows().unwrap();
    assert_eq!(key.decrypt_packed(&total).unwrap()[1], (0..40).map(|i| i * i).sum::<i128>());
    assert!(packed.group_sums(&bucket[1..], 3).is_err());
    assert!(Packed::encrypt(key, &[1 << 19], layout, &mut rng(3)).is_err());
}

#[test]
fn sums_of_enough_contributors_are_opened_and_nothing_else() {
    let rng = &mut rng(4);
    let key = PrivateKey::generate(KeyOptions::insecure_for_tests(512), rng).unwrap();
    let public = key.public_key().clone();
    let encoding = Encoding::integers_up_to(100u8);
    assert!(
        Opener::new(PrivateKey::generate(KeyOptions::insecure_for_tests(256), rng).unwrap(), 1)
            .is_err()
    );
    let opener = Opener::new(key, 3).unwrap().with_rule(|sums: &Sums| {
        if sums.column().len() == 1 { Ok(()) } else { Err(Error::Policy { reason: "one number" }) }
    });
    let mut columns = Vec::new();
    for value in [1, 10, 100] {
        columns.push(public.encrypt_batch(&[value], &encoding, rng).unwrap());
    }
    let tally = |names: &[&str]| {
        let mut tally = Tally::new(&public);
        names.iter().zip(&columns).try_for_each(|(name, c)| tally.add(name.as_bytes(), c))?;
        Ok::<_, Error>(tally)
    };
    let sums = tally(&["a", "b", "c"]).unwrap().close(&public, rng).unwrap();
    assert_eq!(opener.open(&sums).unwrap()[0].to_i128(), Some(111));
    let few = tally(&["a", "b"]).unwrap().close(&public, rng).unwrap();
    assert!(matches!(opener.open(&few), Err(Error::Policy { .. })));
    assert!(matches!(tally(&["a", "a"]), Err(Error::Policy { .. })));
    let wide = public.encrypt_batch(&[1, 2], &encoding, rng).unwrap();
    assert!(matches!(opener.open(&Sums::received(wide, 9)), Err(Error::Policy { .. })));
}

/// A trail that cannot be written.
struct BrokenTrail;

impl AuditSink for BrokenTrail {
    fn append(&self, _: AuditRecord) -> Result<RecordId, privacy_core::Error> {
        let (store, operation) = ("the trail", "append");
        Err(privacy_core::Error::Storage { store, operation, source: None })
    }
}

#[test]
fn noisy_sums_are_paid_for_before_they_are_opened() {
    let rng = &mut rng(5);
    let key = PrivateKey::generate(KeyOptions::insecure_for_tests(512), rng).unwrap();
    let public = key.public_key().clone();
    let opener = Opener::new(key, 3).unwrap().charged_only();
    let column = public.encrypt_batch(&[40, 2], &Encoding::integers_up_to(99u8), rng).unwrap();
    let (sums, few) = (Sums::received(column.clone(), 3), Sums::received(column, 2));
    let ask = || {
        let charge = Charge::from(Epsilon::new(0.4).unwrap());
        Ask::new(Resource::new("seconds"), charge, Scope::of::<User, AddRemove>())
    };
    let bare = || Context::new(Actor::new("tests"), Purpose::new("tests")).unwrap();
    let budget = || MemoryBudget::new(Epsilon::new(1.0).unwrap());
    let left = |cx: &Context| cx.remaining().unwrap().unwrap().to_string();

    // Not without paying, not without a budget, not with too few.
    assert!(matches!(opener.open(&sums), Err(Error::Policy { .. })));
    let mut cx = bare().with_budget(budget());
    assert!(opener.open_recorded(&sums, Resource::new("seconds"), &mut cx).is_err());
    let refused = opener.open_charged(&sums, ask(), &mut bare());
    assert!(matches!(refused, Err(privacy_core::Error::Missing { .. })));
    assert!(opener.open_charged(&few, ask(), &mut cx).is_err());
    assert_eq!((left(&cx).as_str(), cx.records().len()), ("ε = 1", 0));

    // Twice, and then the budget is exhausted; each with its record.
    for rest in ["ε = 0.6", "ε = 0.2"] {
        let opened = opener.open_charged(&sums, ask(), &mut cx).unwrap();
        let values: Vec<_> = opened.value.iter().map(|x| x.to_i128().unwrap()).collect();
        assert_eq!((values, left(&cx).as_str()), (vec![40, 2], rest));
    }
    let refused = opener.open_charged(&sums, ask(), &mut cx).unwrap_err();
    assert!(refused.is_budget());
    let outcomes: Vec<Outcome> = cx.records().iter().map(|r| r.outcome).collect();
    assert_eq!(outcomes, [Outcome::Completed, Outcome::Completed, Outcome::Refused]);

    // What cannot be recorded is not handed out, and stays paid for.
    let mut cx = bare().with_budget(budget()).with_audit(BrokenTrail);
    let refused = opener.open_charged(&sums, ask(), &mut cx);
    assert!(matches!(refused, Err(privacy_core::Error::Storage { .. })));
    assert_eq!(left(&cx), "ε = 0.6");

    // As a pipeline, with its claim.
    let charge = Charge::from(Epsilon::new(0.4).unwrap());
    let stage = OpenNoisy::new("seconds", opener, charge, Scope::of::<User, AddRemove>());
    let mut cx = bare().with_budget(budget());
    let opened = Pipeline::new(stage).run(sums, &mut cx).unwrap();
    assert_eq!((opened.len(), left(&cx).as_str()), (2, "ε = 0.6"));
}

#[test]
fn noisy_values_open_to_the_sum_of_values_and_noise() {
    let key = &small_keys()[1];
    let rng = &mut rng(6);
    let noise = dp_mechanisms::additive::LaplaceNoise::scalar(Amount::from_integer(2)).unwrap();
    let column = encrypt_released(key.public_key(), &[1000; 64], &noise, rng).unwrap();
    let opened = key.decrypt_batch(&column).unwrap();
    let values: Vec<i128> = opened.iter().map(|x| x.to_i128().unwrap()).collect();
    // A draw of scale 2 exceeds 200 with probability below 2^-144.
    assert!(values.iter().all(|v| (v - 1000).abs() < 200));
    assert!(values.iter().any(|v| *v != 1000));
}

#[test]
fn keys_and_columns_travel_between_threads_and_print_nothing() {
    fn shared<T: Send + Sync>() {}
    shared::<(PrivateKey, PublicKey, Ciphertext, BlindingPool, Opener, Packed)>();
    let key = &small_keys()[0];
    let text = format!("{key:?} {:?}", key.encrypt(5, &Encoding::integers_up_to(9u8), &mut rng(7)));
    let (p, q) = key.expose_primes();
    for secret in [p.to_string(), q.to_string(), format!("{p:x}"), format!("{q:x}")] {
        assert!(!text.contains(&secret));
    }
}
