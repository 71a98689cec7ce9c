//! Keys that the tests share.

use std::sync::OnceLock;

use num_bigint::BigUint;
use paillier_he::{KeyOptions, Mode, PrivateKey};
use privacy_core::random::InsecureTestRng;

/// 2^bits - 2^(bits - 64) - 1 + 2^64·tail, read from RFC 2409 and RFC 3526.
fn modp(hex: &str) -> BigUint {
    BigUint::parse_bytes(hex.as_bytes(), 16).unwrap()
}

/// The 1024-bit MODP prime of RFC 2409 (second Oakley group): a safe prime.
pub(crate) fn oakley_1024() -> BigUint {
    modp(
        "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF",
    )
}

/// The 1024-bit prime of RFC 5054: a safe prime.
pub(crate) fn srp_1024() -> BigUint {
    modp(
        "EEAF0AB9ADB38DD69C33F80AFA8FC5E86072618775FF3C0B9EA2314C9C256576D674DF7496EA81D3383B4813D692C6E0E0D5D8E250B98BE48E495C1D6089DAD15DC7D7B46154D6B6CE8EF4AD69B15D4982559B297BCF1885C529F566660E57EC68EDBC3C05726CC02FD4CBF4976EAA9AFD5138FE8376435B9FC61D2FC0EB06E3",
    )
}

pub(crate) fn rng(seed: u64) -> InsecureTestRng {
    InsecureTestRng::from_seed(seed)
}

/// A small key of each mode (subgroup keys have 1024 bits).
pub(crate) fn small_keys() -> &'static [PrivateKey; 3] {
    static KEYS: OnceLock<[PrivateKey; 3]> = OnceLock::new();
    KEYS.get_or_init(|| {
        [(Mode::Standard, 512), (Mode::Djn, 514), (Mode::Subgroup, 1024)].map(|(mode, bits)| {
            let options = KeyOptions::insecure_for_tests(bits).mode(mode);
            PrivateKey::generate(options, &mut rng(bits)).unwrap()
        })
    })
}

/// The key of two public safe primes, in DJN mode.
pub(crate) fn full_key() -> &'static PrivateKey {
    static KEY: OnceLock<PrivateKey> = OnceLock::new();
    KEY.get_or_init(|| {
        PrivateKey::from_primes(&oakley_1024(), &srp_1024(), Mode::Djn, &mut rng(1)).unwrap()
    })
}
