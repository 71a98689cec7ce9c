//! Known answers. The numbers were computed with Python's `pow` from the definitions; the full-size
//! key is made of public safe primes (RFC 2409, RFC 5054).

use num_bigint::BigUint;
use paillier_he::hazmat::{self, Nonce};
use paillier_he::{Error, Mode, PrivateKey};
use sha3::digest::{ExtendableOutput, Update, XofReader};

use crate::support::{full_key, rng};

fn big(n: u64) -> BigUint {
    BigUint::from(n)
}

#[test]
fn toy_keys_encrypt_as_by_hand() {
    let cases = [
        (7u64, 11u64, [(42u64, 23u64, 3840u64), (3, 2, 2020), (76, 5, 1466)]),
        (47, 59, [(42, 23, 3029395), (3, 2, 4866018), (2772, 5, 5095125)]),
    ];
    for (p, q, answers) in cases {
        for (p, q) in [(p, q), (q, p)] {
            let key = PrivateKey::from_primes_insecure_for_tests(
                &big(p),
                &big(q),
                Mode::Standard,
                &mut rng(0),
            );
            let Ok(key) = key else { continue };
            let public = key.public_key();
            for (m, r, c) in answers {
                let nonce = Nonce::new(public, &big(r)).unwrap();
                assert_eq!(hazmat::encrypt_with_nonce(public, &big(m), nonce).unwrap(), big(c));
                let (opened, nonce) = hazmat::decrypt_with_nonce(&key, &big(c)).unwrap();
                assert_eq!((opened, nonce.expose()), (big(m), big(r)));
            }
            let n = p * q;
            for bad in [0, p, q, n, 3 * p * q, n * n, n * n + 1, p * p, n * (n - 1)] {
                assert_eq!(hazmat::decrypt(&key, &big(bad)), Err(Error::Decryption), "{bad}");
            }
        }
    }
}

fn shake(label: &str, bytes: usize) -> BigUint {
    let mut xof = sha3::Shake256::default();
    xof.update(format!("paillier-he {label}").as_bytes());
    let mut out = vec![0; bytes];
    xof.finalize_xof().read(&mut out);
    BigUint::from_bytes_be(&out)
}

/// SHA-256 would be one more dependency: the answers here are checked by SHAKE-256 instead.
fn power(base: &BigUint, e: &BigUint, n: &BigUint) -> BigUint {
    base.modpow(e, n)
}

#[test]
fn full_size_ciphertexts_follow_the_definition() {
    let key = full_key();
    let n = key.public_key().modulus().clone();
    let square = &n * &n;
    assert_eq!(n.bits(), 2048);
    let (r0, r1) = (shake("r0", 256) % &n, shake("r1", 256) % &n);
    let (m0, m1) = (big(12345678901234567890), &n - 987654321u32);
    for (m, r) in [(&m0, &r0), (&m1, &r1)] {
        let expected = (1u8 + m * &n) * power(r, &n, &square) % &square;
        let nonce = Nonce::new(key.public_key(), r).unwrap();
        let c = hazmat::encrypt_with_nonce(key.public_key(), m, nonce).unwrap();
        assert_eq!(c, expected);
        let (opened, nonce) = hazmat::decrypt_with_nonce(key, &c).unwrap();
        assert_eq!((&opened, &nonce.expose()), (m, r));
    }
    // The generator of this crate, from its definition.
    let mut xof = sha3::Shake256::default();
    xof.update(b"paillier-he djn generator");
    xof.update(&256u64.to_be_bytes());
    xof.update(&n.to_bytes_be());
    let mut wide = [0; 272];
    xof.finalize_xof().read(&mut wide);
    let x = BigUint::from_bytes_be(&wide) % &n;
    let h = &n - (&x * &x % &n);
    let a = shake("a", 128);
    let expected = (1u8 + &m0 * &n) * power(&power(&h, &n, &square), &a, &square) % &square;
    assert_eq!(hazmat::encrypt_with_exponent(key.public_key(), &m0, &a).unwrap(), expected);
}

#[test]
fn nonces_that_are_no_units_are_refused() {
    let key = full_key();
    let n = key.public_key().modulus();
    let (p, _) = key.expose_primes();
    for bad in [big(0), n.clone(), n + 1u8, p.clone(), p * 2u8] {
        assert!(Nonce::new(key.public_key(), &bad).is_err());
    }
    let nonce = Nonce::new(key.public_key(), &big(2)).unwrap();
    assert_eq!(hazmat::encrypt_with_nonce(key.public_key(), n, nonce), Err(Error::OutOfBounds));
}
