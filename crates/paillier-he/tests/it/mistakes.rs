//! The mistakes that the README says are caught, as a newcomer types them.

use num_bigint::{BigInt, BigUint};
use num_rational::Ratio;
use paillier_he::policy::{Opener, Sums, Tally};
use paillier_he::prelude::*;
use paillier_he::{CiphertextVec, Error, Packed, PackedLayout, hazmat};

use crate::support::{rng, small_keys};

#[test]
fn numbers_that_do_not_fit_are_refused() {
    let key = small_keys()[0].public_key();
    let rng = &mut rng(1);
    let cents = Encoding::decimal(2, 100).unwrap();
    let third = Ratio::new(BigInt::from(1), BigInt::from(3));
    assert!(matches!(key.encrypt(100.01, &cents, rng), Err(Error::OutOfBounds)));
    assert!(matches!(key.encrypt(third, &cents, rng), Err(Error::NotRepresentable)));
    assert!(matches!(key.encrypt(f64::NAN, &cents, rng), Err(Error::NotRepresentable)));
    assert!(matches!(key.encrypt(f64::INFINITY, &cents, rng), Err(Error::NotRepresentable)));
    // A bound that the key cannot hold is refused before any value is looked at.
    let vast = Encoding::integers_up_to(key.modulus().clone());
    assert!(matches!(key.encrypt(1, &vast, rng), Err(Error::WouldOverflow { .. })));
    let layout = PackedLayout::new(key, 8, 4).unwrap();
    assert!(matches!(Packed::encrypt(key, &[128], layout, rng), Err(Error::OutOfBounds)));
    assert!(PackedLayout::new(key, 1, 4).is_err());
    assert!(PackedLayout::new(key, 65, 4).is_err());
}

#[test]
fn columns_that_do_not_belong_together_are_refused() {
    let [one, two, _] = small_keys();
    let rng = &mut rng(2);
    let (cents, halves) = (Encoding::decimal(2, 9).unwrap(), Encoding::binary(1, 9).unwrap());
    let a = one.encrypt_batch(&[1, 2], &cents, rng).unwrap();
    let b = one.encrypt_batch(&[1, 2, 3], &cents, rng).unwrap();
    let c = one.encrypt_batch(&[1, 2], &halves, rng).unwrap();
    let d = two.encrypt_batch(&[1, 2], &cents, rng).unwrap();
    assert!(matches!(a.add(&b), Err(Error::Length { given: 3, expected: 2, .. })));
    assert!(matches!(a.add(&c), Err(Error::ScaleMismatch { left: 10, right: 2 })));
    assert!(matches!(a.add(&d), Err(Error::OtherKey)));
    assert!(matches!(two.decrypt_batch(&a), Err(Error::OtherKey)));
    assert!(matches!(a.dot(&[1], 4), Err(Error::Length { .. })));
    assert!(matches!(a.dot(&[1, 16], 4), Err(Error::OutOfBounds)));
    assert!(matches!(a.multiply(&[1, 2], 64), Err(Error::Parameter { .. })));
    assert!(matches!(a.group_sums(&[0, 5], 5), Err(Error::Parameter { .. })));
    assert!(matches!(CiphertextVec::concat(&[a.clone(), c]), Err(Error::Parameter { .. })));
    let large = BigInt::from(1) << 600;
    assert!(matches!(a.multiply_all_vartime(&large), Err(Error::WouldOverflow { .. })));
}

#[test]
fn what_is_no_ciphertext_is_refused() {
    let key = &small_keys()[0];
    let public = key.public_key();
    let (n, (p, _)) = (public.modulus(), key.expose_primes());
    let encoding = Encoding::integers_up_to(9u8);
    for bad in [BigUint::ZERO, n.clone(), p.clone(), &p * 7u8, n * n, n * n + 1u8] {
        let imported = hazmat::import(public, std::slice::from_ref(&bad), &encoding);
        assert!(matches!(imported, Err(Error::Malformed { .. })));
        assert!(matches!(hazmat::decrypt(key, &bad), Err(Error::Decryption)));
    }
}

#[test]
fn people_are_counted_once_and_in_numbers() {
    let rng = &mut rng(3);
    let key = PrivateKey::generate(KeyOptions::insecure_for_tests(256), rng).unwrap();
    let public = key.public_key().clone();
    let column = public.encrypt_batch(&[1], &Encoding::integers_up_to(9u8), rng).unwrap();
    let mut tally = Tally::new(&public);
    tally.add(b"ann", &column).unwrap();
    assert!(matches!(tally.add(b"ann", &column), Err(Error::Policy { .. })));
    assert_eq!(tally.contributors(), 1);
    assert!(Tally::new(&public).close(&public, rng).is_err());
    let opener = Opener::new(key, 2).unwrap();
    assert!(matches!(opener.open(&Sums::received(column, 1)), Err(Error::Policy { .. })));
    let short = PrivateKey::generate(KeyOptions::default().bits(1024), rng);
    assert!(matches!(short, Err(Error::KeySize { bits: 1024, least: 2048, .. })));
}
