//! Every operation against plain integers.

use num_bigint::{BigInt, BigUint};
use paillier_he::hazmat;
use paillier_he::prelude::*;
use paillier_he::{CiphertextVec, Error};
use proptest::prelude::*;

use crate::support::{full_key, rng, small_keys};

fn opened<S>(key: &PrivateKey, column: &CiphertextVec<S>) -> Vec<i128> {
    key.decrypt_batch(column).unwrap().iter().map(|x| x.to_i128().unwrap()).collect()
}

fn range() -> Encoding {
    Encoding::integers_up_to(1u64 << 40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]
    #[test]
    fn columns_compute_as_integers_do(
        a in prop::collection::vec(-(1i64 << 40)..=1 << 40, 1..40),
        seed in any::<u64>(),
        which in 0usize..3,
        owner in any::<bool>(),
    ) {
        let key = &small_keys()[which];
        let public = key.public_key();
        let rng = &mut rng(seed);
        let n = a.len();
        let b: Vec<i64> = a.iter().rev().map(|x| x / 3 - 7).collect();
        let w: Vec<i64> = a.iter().map(|x| x % 1000 - 13 * i64::from(which == 0)).collect();
        let x = if owner { key.encrypt_batch(&a, &range(), rng) } else { public.encrypt_batch(&a, &range(), rng) }.unwrap();
        let y = public.encrypt_batch(&b, &range(), rng).unwrap();
        let wide = |v: &[i64]| v.iter().map(|x| i128::from(*x)).collect::<Vec<_>>();
        let (a, b) = (wide(&a), wide(&b));
        let zip = |f: &dyn Fn(i128, i128) -> i128| a.iter().zip(&b).map(|(a, b)| f(*a, *b)).collect::<Vec<_>>();

        prop_assert_eq!(opened(key, &x), a.clone());
        prop_assert_eq!(opened(key, &x.add(&y).unwrap()), zip(&|a, b| a + b));
        prop_assert_eq!(opened(key, &x.sub(&y).unwrap()), zip(&|a, b| a - b));
        prop_assert_eq!(opened(key, &x.neg().unwrap()), zip(&|a, _| -a));
        prop_assert_eq!(opened(key, &x.add_plain(&b).unwrap()), zip(&|a, b| a + b));
        let products: Vec<i128> = a.iter().zip(&w).map(|(a, w)| a * i128::from(*w)).collect();
        prop_assert_eq!(opened(key, &x.multiply(&w, 11).unwrap()), products.clone());
        let dot: i128 = products.iter().sum();
        prop_assert_eq!(opened(key, &x.dot(&w, 11).unwrap().into_vec()), vec![dot]);
        prop_assert_eq!(opened(key, &x.dot_vartime(&w).unwrap().into_vec()), vec![dot]);
        let rows: Vec<&[i64]> = vec![&w, &w];
        prop_assert_eq!(opened(key, &x.matrix_product(&rows, 11).unwrap()), vec![dot; 2]);
        prop_assert_eq!(opened(key, &x.matrix_product_vartime(&rows).unwrap()), vec![dot; 2]);
        prop_assert_eq!(opened(key, &x.sum().unwrap().into_vec()), vec![a.iter().sum::<i128>()]);
        let running: Vec<i128> = a.iter().scan(0, |s, a| { *s += a; Some(*s) }).collect();
        prop_assert_eq!(opened(key, &x.running_sums().unwrap()), running);
        let group: Vec<usize> = (0..n).map(|i| i * i % 5).collect();
        let mut sums = vec![0; 6];
        for (g, a) in group.iter().zip(&a) { sums[*g] += a; }
        prop_assert_eq!(opened(key, &x.group_sums(&group, 6).unwrap()), sums);
        let blinded = x.add(&y).unwrap().blind(public, rng).unwrap();
        prop_assert_eq!(opened(key, &blinded), zip(&|a, b| a + b));
        let mut pool = BlindingPool::new(public);
        pool.refill(key, n + 3, rng).unwrap();
        let blinded = x.neg().unwrap().blind_from(&mut pool).unwrap();
        prop_assert_eq!(opened(key, &blinded), zip(&|a, _| -a));
        prop_assert_eq!(pool.len(), 3);
        let back: Vec<usize> = (0..n).rev().collect();
        prop_assert_eq!(opened(key, &x.select(&back).unwrap()), a.iter().rev().copied().collect::<Vec<_>>());
    }
}

#[test]
fn operators_read_like_arithmetic() {
    let key = &small_keys()[1];
    let rng = &mut rng(5);
    let a = key.encrypt(20, &range(), rng).unwrap();
    let b = key.public_key().encrypt(-3, &range(), rng).unwrap();
    let value = |x: &Ciphertext<_>| key.decrypt(x).unwrap().to_i128().unwrap();
    assert_eq!(value(&(&a + &b).unwrap()), 17);
    assert_eq!(value(&(&a - &b).unwrap()), 23);
    assert_eq!(value(&(3 * &a).unwrap()), 60);
    assert_eq!(value(&(&a * -3).unwrap()), -60);
    assert_eq!(value(&(&a * 0).unwrap()), 0);
    assert_eq!(value(&(-&b).unwrap()), 3);
    assert_eq!(value(&(5 - &b).unwrap()), 8);
    assert_eq!(value(&(&b - 5).unwrap()), -8);
}

#[test]
fn scales_follow_the_numbers() {
    let key = &small_keys()[1];
    let rng = &mut rng(6);
    let euros = Encoding::decimal(2, 1000).unwrap();
    let rates = Encoding::decimal(4, 10).unwrap();
    let a = key.encrypt(19.99, &euros, rng).unwrap();
    let b = key.encrypt(0.0725, &rates, rng).unwrap();
    assert_eq!(key.decrypt(&(&a + &b).unwrap()).unwrap().to_string(), "20.0625");
    let c = a.into_vec().multiply_encoded_vartime(&1.5, &rates).unwrap();
    assert_eq!(key.decrypt_batch(&c).unwrap()[0].to_string(), "29.985000");
    let binary = key.encrypt(0.5, &Encoding::binary(4, 1).unwrap(), rng).unwrap();
    assert_eq!((&binary + &b).unwrap_err(), Error::ScaleMismatch { left: 2, right: 10 });
}

#[test]
fn what_could_overflow_is_refused_before_it_is_computed() {
    let key = &small_keys()[1];
    let rng = &mut rng(7);
    let half = key.public_key().max_magnitude().clone();
    let most = Encoding::integers_up_to(half.clone());
    for m in [BigInt::from(half.clone()), -BigInt::from(half.clone())] {
        let c = key.encrypt(&m, &most, rng).unwrap();
        assert_eq!(key.decrypt(&c).unwrap().mantissa(), &m);
        assert!(matches!(&c + &c, Err(Error::WouldOverflow { .. })));
        assert!(matches!(&c * 2, Err(Error::WouldOverflow { .. })));
        assert!(matches!(&c + 1, Err(Error::WouldOverflow { .. })));
        assert!(matches!(c.multiply(1, 1), Err(Error::WouldOverflow { .. })));
    }
    let beyond = Encoding::integers_up_to(half + 1u8);
    assert!(matches!(key.encrypt(1, &beyond, rng), Err(Error::WouldOverflow { .. })));
    assert_eq!(
        key.encrypt(11, &Encoding::integers_up_to(10u8), rng).unwrap_err(),
        Error::OutOfBounds
    );
}

#[test]
fn a_lie_about_a_bound_is_refused_at_the_opening() {
    let key = &small_keys()[1];
    let c = key.encrypt(500, &range(), &mut rng(8)).unwrap().into_vec();
    let raw = hazmat::export(&c);
    let lie = hazmat::import(key.public_key(), &raw, &Encoding::integers_up_to(499u32)).unwrap();
    assert_eq!(key.decrypt_batch(&lie).unwrap_err(), Error::Decryption);
}

#[test]
fn keys_do_not_mix() {
    let [a, b, _] = small_keys();
    let rng = &mut rng(9);
    let x = a.encrypt(1, &range(), rng).unwrap();
    let y = b.encrypt(1, &range(), rng).unwrap();
    assert_eq!((&x + &y).unwrap_err(), Error::OtherKey);
    assert_eq!(b.decrypt(&x).unwrap_err(), Error::OtherKey);
    assert_eq!(x.blind(b.public_key(), rng).unwrap_err(), Error::OtherKey);
}

#[test]
fn units_alone_are_accepted_from_outside() {
    let key = full_key();
    let n = key.public_key().modulus();
    let (p, q) = key.expose_primes();
    let zero = BigUint::ZERO;
    for bad in [zero, p.clone(), q, n.clone(), n * n, &p * &p, n * n + 1u8] {
        assert!(hazmat::decrypt(key, &bad).is_err());
        let import = hazmat::import(key.public_key(), &[1u8.into(), bad], &range());
        assert_eq!(import.unwrap_err(), Error::Malformed { what: "ciphertext" });
    }
}
