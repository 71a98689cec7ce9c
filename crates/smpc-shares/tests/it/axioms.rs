//! One suite of axioms that every field and ring passes, against big integers where there is a modulus.

use num_bigint::BigUint;
use privacy_core::random::SystemRng;
use smpc_shares::field::{
    BigPrime, Bits64, Domain, Field, Field128, Gf256, Goldilocks, Mersenne61, Mersenne127,
    NttField, Prime64, PrimeField, Ring, RuntimePrime, Static, Z64,
};
use smpc_shares::stream::Stream;

fn stream() -> Stream {
    Stream::fresh(&mut SystemRng::new().unwrap()).unwrap()
}

/// Edge values and random ones.
fn samples<R: Ring>() -> Vec<R> {
    let mut stream = stream();
    let mut all = vec![R::ZERO, R::ONE, -R::ONE, R::ONE + R::ONE, -(R::ONE + R::ONE)];
    all.extend((0..40).map(|_| R::sample(&mut stream)));
    all
}

fn ring_axioms<R: Ring>() {
    let all = samples::<R>();
    for a in &all {
        assert_eq!(*a + R::ZERO, *a);
        assert_eq!(*a * R::ONE, *a);
        let same = *a;
        assert_eq!(*a - same, R::ZERO);
        assert_eq!(*a + -*a, R::ZERO);
        let mut bytes = Vec::new();
        a.encode(&mut bytes);
        assert_eq!(bytes.len(), R::BYTES);
        assert_eq!(R::decode(&bytes), Some(*a));
        assert_eq!(R::decode(&bytes[1..]), None);
        bytes.push(0);
        assert_eq!(R::decode(&bytes), None);
        for b in &all {
            assert_eq!(*a + *b, *b + *a);
            assert_eq!(*a * *b, *b * *a);
            assert_eq!(*a - *b, *a + -*b);
            for c in &all[..8] {
                assert_eq!((*a + *b) + *c, *a + (*b + *c));
                assert_eq!((*a * *b) * *c, *a * (*b * *c));
                assert_eq!(*a * (*b + *c), *a * *b + *a * *c);
            }
        }
    }
    let b: Vec<R> = all.iter().rev().copied().collect();
    let plain: R = all.iter().zip(&b).map(|(a, b)| *a * *b).sum();
    assert_eq!(R::dot(&all, &b), plain);
}

fn field_axioms<F: Field>() {
    ring_axioms::<F>();
    for a in samples::<F>() {
        let expected = if a == F::ZERO { F::ZERO } else { F::ONE };
        assert_eq!(a * a.inverse(), expected);
    }
    domain_axioms(&Static::<F>::new());
}

fn prime_axioms<F: PrimeField>() {
    field_axioms::<F>();
    let modulus = BigUint::from(F::MODULUS);
    assert_eq!(F::order(), modulus);
    let big = |a: F| BigUint::from(a.to_u128());
    let all = samples::<F>();
    for a in &all {
        assert_eq!(F::from_u128(a.to_u128()), *a);
        assert_eq!(F::from_i128(a.to_i128()), *a);
        assert!(big(*a) < modulus);
        for b in &all {
            assert_eq!(big(*a + *b), (big(*a) + big(*b)) % &modulus);
            assert_eq!(big(*a * *b), big(*a) * big(*b) % &modulus);
        }
    }
    for value in [0, 1, F::MODULUS - 1, F::MODULUS, u128::MAX, u128::MAX - 1, 1 << 64, 1 << 127] {
        assert_eq!(big(F::from_u128(value)), BigUint::from(value) % &modulus, "{value}");
    }
    let bytes = F::MODULUS.to_le_bytes();
    assert_eq!(F::decode(&bytes[..F::BYTES]), None, "the modulus itself is not canonical");
    assert_eq!(F::decode(&vec![0xff; F::BYTES]), None);
}

fn domain_axioms<D: Domain>(domain: &D) {
    let mut stream = stream();
    let zero = domain.integer(0);
    let one = domain.integer(1);
    for _ in 0..20 {
        let [a, b, c] = [(); 3].map(|()| domain.sample(&mut stream));
        assert!(domain.add(&a, &zero) == a && domain.mul(&a, &one) == a);
        assert!(domain.sub(&domain.add(&a, &b), &b) == a);
        assert!(domain.add(&a, &b) == domain.add(&b, &a));
        let left = domain.mul(&a, &domain.add(&b, &c));
        assert!(left == domain.add(&domain.mul(&a, &b), &domain.mul(&a, &c)));
        let product = domain.mul(&a, &domain.inverse(&a));
        assert!(product == if a == zero { zero.clone() } else { one.clone() });
        let bytes = domain.encode(&a);
        assert!(domain.decode(&bytes) == Some(a));
        assert!(domain.decode(&[&bytes[..], &[0]].concat()).is_none());
        assert!(
            domain.decode(&vec![0xff; bytes.len()]).is_none() || domain.order() == 256u16.into()
        );
    }
    assert!(domain.inverse(&zero) == zero);
}

#[test]
fn primes() {
    prime_axioms::<Prime64<257>>();
    prime_axioms::<Prime64<3>>();
    prime_axioms::<Prime64<9_223_372_036_854_775_783>>();
    prime_axioms::<Mersenne61>();
    prime_axioms::<Mersenne127>();
    prime_axioms::<Goldilocks>();
    prime_axioms::<Field128>();
}

#[test]
fn other_rings() {
    field_axioms::<Gf256>();
    ring_axioms::<Bits64>();
    ring_axioms::<Z64>();
    assert_eq!(Z64::from(-3).to_i128(), -3);
}

#[test]
fn moduli_at_run_time() {
    for modulus in [3, 257, (1 << 61) - 1, 9_223_372_036_854_775_783] {
        domain_axioms(&RuntimePrime::new(modulus).unwrap());
        domain_axioms(&BigPrime::new(modulus.into()).unwrap());
    }
    let large = (BigUint::from(1u8) << 521u32) - 1u8;
    domain_axioms(&BigPrime::new(large).unwrap());
    // 561, 1105 and 1729 are Carmichael numbers.
    for composite in [0, 1, 2, 4, 255, 561, 1105, 1729, (1 << 61) + 1, u64::MAX] {
        assert!(RuntimePrime::new(composite).is_err(), "{composite}");
        assert!(BigPrime::new(composite.into()).is_err(), "{composite}");
    }
    assert!(RuntimePrime::new(18_446_744_073_709_551_557).is_err(), "a prime above 2^63");
}

/// FIPS 197 and the fact that 03 generates the group.
#[test]
fn known_products_of_bytes() {
    let product = |a, b| (Gf256(a) * Gf256(b)).0;
    assert_eq!(product(0x57, 0x83), 0xc1);
    assert_eq!(product(0x57, 0x13), 0xfe);
    assert_eq!(product(0x53, 0xca), 0x01);
    assert_eq!(Gf256(3).inverse().0, 0xf6);
}

/// The orders that VDAF (draft, section 6.1) states.
#[test]
fn roots_of_unity_have_their_order() {
    fn check<F: NttField>() {
        let mut root = F::root();
        for _ in 1..F::TWO_ADICITY {
            root *= root;
        }
        assert_eq!(root, -F::ONE);
        assert_eq!(F::root_of(1), -F::ONE);
        assert_eq!(F::root_of(0), F::ONE);
    }
    check::<Goldilocks>();
    check::<Field128>();
}
