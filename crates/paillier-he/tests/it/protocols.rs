//! Damgård-Jurik, threshold decryption, proofs: what holds is accepted, what does not is refused.

use num_bigint::{BigInt, BigUint};
use paillier_he::damgard_jurik::DamgardJurik;
use paillier_he::prelude::*;
use paillier_he::proof::{
    DecryptionProof, FactorProof, ModulusProof, PedersenParameters, Range, RangeProof,
};
use paillier_he::threshold::{DecryptionShare, KeyShare, ThresholdKey};
use paillier_he::{CiphertextVec, Error, KeyPolicy, UncheckedPublicKey};
use proptest::prelude::*;

use crate::support::{full_key, oakley_1024, rng, small_keys};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]
    #[test]
    fn damgard_jurik_computes_as_integers_do(
        words in prop::collection::vec(any::<u32>(), 1..40),
        s in 1u32..=4,
        factor in any::<i32>(),
        which in 0usize..2,
        seed in any::<u64>(),
    ) {
        let key = &small_keys()[which];
        let rng = &mut rng(seed);
        let scheme = DamgardJurik::new(key.public_key(), s).unwrap();
        let most = BigInt::from(scheme.max_magnitude());
        for m in [BigInt::from(BigUint::new(words)) % &most, most.clone(), -&most, BigInt::ZERO] {
            let c = scheme.encrypt(&m, rng).unwrap();
            prop_assert_eq!(scheme.decrypt(key, &c).unwrap(), m);
        }
        let bound = BigUint::from(1u8) << 100;
        let (a, b) = (BigInt::from(seed) << 36, -BigInt::from(seed));
        let (x, y) = (scheme.encrypt_within(&a, &bound, rng).unwrap(), scheme.encrypt_within(&b, &bound, rng).unwrap());
        let z = scheme.add(&scheme.multiply_vartime(&x, &factor.into()).unwrap(), &y).unwrap();
        let z = scheme.blind(z, rng).unwrap();
        prop_assert_eq!(scheme.decrypt(key, &z).unwrap(), a * factor + b);
        let c = scheme.encrypt(&most, rng).unwrap();
        let refused = matches!(scheme.add(&c, &c), Err(Error::WouldOverflow { .. }));
        prop_assert!(refused);
    }
}

#[test]
fn any_threshold_of_parties_opens_and_fewer_do_not() {
    let rng = &mut rng(1);
    let options = KeyOptions::insecure_for_tests(512);
    let (key, shares) = ThresholdKey::deal(options, 5, 3, rng).unwrap();
    let encoding = Encoding::decimal(2, 1000).unwrap();
    let c = key.public_key().encrypt(-12.5, &encoding, rng).unwrap();
    let parts: Vec<_> =
        shares.iter().map(|s| s.decrypt(&key, &c, b"session 1", rng).unwrap()).collect();
    for chosen in [[0, 1, 2], [4, 2, 0], [1, 3, 4]] {
        let chosen: Vec<_> = chosen.iter().map(|i| parts[*i].clone()).collect();
        assert_eq!(key.combine(&c, &chosen, b"session 1").unwrap().to_string(), "-12.50");
        assert!(matches!(key.combine(&c, &chosen, b"session 2"), Err(Error::Proof { .. })));
        assert!(key.combine(&c, &chosen[..2], b"session 1").is_err());
    }
    let twice = [parts[0].clone(), parts[0].clone(), parts[1].clone()];
    assert!(key.combine(&c, &twice, b"session 1").is_err());
    let other = key.public_key().encrypt(1, &encoding, rng).unwrap();
    assert!(matches!(key.verify(&other, &parts[0], b"session 1"), Err(Error::Proof { .. })));
    // A share under another party's name.
    let mut renamed = parts[0].to_bytes();
    for index in [0, 2, 6] {
        renamed[7] = index;
        let renamed = DecryptionShare::from_bytes(&renamed).unwrap();
        assert!(key.verify(&c, &renamed, b"session 1").is_err());
    }
    assert!(ThresholdKey::deal(options, 2, 3, rng).is_err());
    assert!(ThresholdKey::deal_key(&small_keys()[1], 3, 2, rng).is_err());
}

#[test]
fn threshold_keys_and_shares_travel_as_bytes() {
    let rng = &mut rng(7);
    let policy = KeyPolicy::insecure_for_tests();
    let (key, shares) = ThresholdKey::deal(KeyOptions::insecure_for_tests(256), 3, 2, rng).unwrap();
    let bytes = key.to_bytes();
    assert_eq!(ThresholdKey::from_bytes(&bytes, &policy).as_ref(), Ok(&key));
    assert!(ThresholdKey::from_bytes(&bytes, &KeyPolicy::default()).is_err());
    refused_in_other_forms(&bytes, |b| ThresholdKey::from_bytes(b, &policy).is_ok());
    let c = key.public_key().encrypt(5, &Encoding::integers_up_to(9u8), rng).unwrap();
    let mut parts = Vec::new();
    for share in &shares[1..] {
        let secret = share.to_secret_bytes(&key);
        let again = KeyShare::from_secret_bytes(&key, &secret).unwrap();
        refused_in_other_forms(&secret, |b| KeyShare::from_secret_bytes(&key, b).is_ok());
        let mut other = secret.to_vec();
        *other.last_mut().unwrap() ^= 1;
        assert!(KeyShare::from_secret_bytes(&key, &other).is_err(), "a share nobody was dealt");
        let part = again.decrypt(&key, &c, b"s", rng).unwrap();
        refused_in_other_forms(&part.to_bytes(), |b| DecryptionShare::from_bytes(b).is_ok());
        let json = serde_json::to_string(&part).unwrap();
        parts.push(serde_json::from_str(&json).unwrap());
    }
    assert_eq!(key.combine(&c, &parts, b"s").unwrap().to_i128(), Some(5));
}

/// Every byte of a share matters.
#[test]
fn a_changed_decryption_share_is_refused() {
    let rng = &mut rng(8);
    let (key, shares) = ThresholdKey::deal(KeyOptions::insecure_for_tests(256), 3, 2, rng).unwrap();
    let c = key.public_key().encrypt(5, &Encoding::integers_up_to(9u8), rng).unwrap();
    let part = shares[0].decrypt(&key, &c, b"s", rng).unwrap().to_bytes();
    every_change_is_refused(&part, |bytes| {
        DecryptionShare::from_bytes(bytes).is_ok_and(|part| key.verify(&c, &part, b"s").is_ok())
    });
}

#[test]
fn a_modulus_is_proven_in_its_context_alone() {
    let rng = &mut rng(2);
    let key = &small_keys()[1];
    let n = key.public_key().modulus();
    let proof = ModulusProof::prove(key, b"tests", rng).unwrap();
    assert_eq!(proof.verify(n, b"tests"), Ok(()));
    assert!(proof.verify(n, b"other").is_err());
    assert!(proof.verify(full_key().public_key().modulus(), b"tests").is_err());
    let full = ModulusProof::prove(full_key(), b"tests", rng).unwrap();
    assert_eq!(full.verify(full_key().public_key().modulus(), b"tests"), Ok(()));
    let bytes = proof.to_bytes();
    assert_eq!(ModulusProof::from_bytes(&bytes).as_ref(), Ok(&proof));
    refused_in_other_forms(&bytes, |b| ModulusProof::from_bytes(b).is_ok());
    let json = serde_json::to_string(&proof).unwrap();
    assert_eq!(serde_json::from_str::<ModulusProof>(&json).unwrap(), proof);
    every_change_is_refused(&bytes, |bytes| {
        ModulusProof::from_bytes(bytes).is_ok_and(|proof| proof.verify(n, b"tests").is_ok())
    });
    // A prime has all the roots, but is no product of two.
    assert!(proof.verify(&oakley_1024(), b"tests").is_err());
}

#[test]
fn a_policy_refuses_keys_without_the_proofs_it_requires() {
    let rng = &mut rng(9);
    let key = PrivateKey::generate(KeyOptions::insecure_for_tests(1024), rng).unwrap();
    let parameters = PedersenParameters::insecure_for_tests(256, rng).unwrap();
    let modulus = ModulusProof::prove(&key, b"f", rng).unwrap();
    let factors = FactorProof::prove(&key, &parameters, b"f", rng).unwrap();
    let bytes = key.public_key().to_bytes();
    let received = || UncheckedPublicKey::from_bytes(&bytes).unwrap();
    let missing = |statement| Err(Error::ProofMissing { statement });

    let one = KeyPolicy::insecure_for_tests().require_modulus_proof(b"f");
    assert_eq!(PublicKey::from_bytes(&bytes, &one), missing("a well-formed modulus"));
    assert_eq!(received().validate(&one), missing("a well-formed modulus"));
    assert!(received().with_modulus_proof(modulus.clone()).validate(&one).is_ok());
    let elsewhere = KeyPolicy::insecure_for_tests().require_modulus_proof(b"g");
    let other = received().with_modulus_proof(modulus.clone()).validate(&elsewhere);
    assert!(matches!(other, Err(Error::Proof { .. })));

    let both = KeyPolicy::insecure_for_tests().require_factor_proof(&parameters, b"f");
    let half = received().with_modulus_proof(modulus.clone());
    assert_eq!(half.validate(&both), missing("a modulus without small factors"));
    let half = received().with_factor_proof(factors.clone());
    assert_eq!(half.validate(&both), missing("a well-formed modulus"));
    let whole = received().with_modulus_proof(modulus.clone()).with_factor_proof(factors.clone());
    assert_eq!(&whole.validate(&both).unwrap(), key.public_key());
    // Proofs of another key.
    let other = PrivateKey::generate(KeyOptions::insecure_for_tests(1024), rng).unwrap();
    let stolen = UncheckedPublicKey::from_bytes(&other.public_key().to_bytes()).unwrap();
    let stolen = stolen.with_modulus_proof(modulus).with_factor_proof(factors.clone());
    assert!(matches!(stolen.validate(&both), Err(Error::Proof { .. })));

    let n = key.public_key().modulus();
    let bytes = factors.to_bytes();
    assert_eq!(FactorProof::from_bytes(&bytes).as_ref(), Ok(&factors));
    refused_in_other_forms(&bytes, |b| FactorProof::from_bytes(b).is_ok());
    every_change_is_refused(&bytes, |bytes| {
        FactorProof::from_bytes(bytes).is_ok_and(|p| p.verify(n, &parameters, b"f").is_ok())
    });
    let bytes = parameters.to_bytes();
    let decode = |b: &[u8]| PedersenParameters::from_bytes_insecure_for_tests(b);
    assert_eq!(decode(&bytes).as_ref(), Ok(&parameters));
    assert!(PedersenParameters::from_bytes(&bytes).is_err());
    refused_in_other_forms(&bytes, |b| decode(b).is_ok());
    every_change_is_refused(&bytes, |bytes| decode(bytes).is_ok());
}

#[test]
fn an_opening_is_proven_for_its_number_alone() {
    let rng = &mut rng(3);
    for key in &small_keys()[..2] {
        let encoding = Encoding::integers_up_to(1000u32);
        let c = key.public_key().encrypt(-77, &encoding, rng).unwrap();
        let (number, proof) = DecryptionProof::open(key, &c, b"tests", rng).unwrap();
        assert_eq!(number.to_i128(), Some(-77));
        assert_eq!(proof.verify(&c, &number, b"tests"), Ok(()));
        assert!(proof.verify(&c, &number, b"other").is_err());
        let other = key.public_key().encrypt(-77, &encoding, rng).unwrap();
        assert!(proof.verify(&other, &number, b"tests").is_err());
        let (wrong, _) =
            DecryptionProof::open(key, &key.encrypt(78, &encoding, rng).unwrap(), b"", rng)
                .unwrap();
        assert!(proof.verify(&c, &wrong, b"tests").is_err());
        let bytes = proof.to_bytes();
        assert_eq!(DecryptionProof::from_bytes(&bytes).as_ref(), Ok(&proof));
        refused_in_other_forms(&bytes, |b| DecryptionProof::from_bytes(b).is_ok());
        every_change_is_refused(&bytes, |bytes| {
            DecryptionProof::from_bytes(bytes)
                .is_ok_and(|p| p.verify(&c, &number, b"tests").is_ok())
        });
    }
}

#[test]
fn numbers_are_proven_to_lie_in_their_range() {
    let rng = &mut rng(10);
    let scale = Scale::new(10, 2).unwrap();
    for (key, low, high) in [(0, -5, 20), (1, 0, 1), (1, -100, -3), (0, 7, 7000)] {
        let key = small_keys()[key].public_key();
        let range = Range::new(&low, &high, scale).unwrap();
        let values: Vec<f64> = [0.0, 1.0, 0.5, 0.25, 0.77]
            .map(|x| f64::from(low) + x * f64::from(high - low))
            .to_vec();
        let (column, proof) =
            RangeProof::encrypt(key, &values, &range, b"alice", b"poll", rng).unwrap();
        let sent = (column.to_bytes(), proof.to_bytes(key));
        let column = CiphertextVec::from_bytes(key, &sent.0).unwrap();
        let proof = RangeProof::from_bytes(key, &sent.1).unwrap();
        let proven = proof.verify(column, &range, b"alice", b"poll").unwrap();
        assert_eq!(proven.bound(), &range.bound());
        let opened = small_keys().iter().find(|k| k.public_key() == key).unwrap();
        let cents = opened.decrypt_batch(&proven).unwrap();
        for (number, value) in cents.iter().zip(&values) {
            assert!((number.to_f64().unwrap() - value).abs() <= 0.005, "{number} {value}");
        }
        let outside = f64::from(high) + 0.01;
        let refused = RangeProof::encrypt(key, &[outside], &range, b"alice", b"poll", rng);
        assert!(matches!(refused, Err(Error::OutOfBounds)));
    }
    let subgroup = small_keys()[2].public_key();
    let range = Range::new(&0, &1, Scale::INTEGER).unwrap();
    assert!(RangeProof::encrypt(subgroup, &[1], &range, b"", b"", rng).is_err());
}

#[test]
fn a_range_proof_holds_for_its_statement_alone() {
    let rng = &mut rng(11);
    let key = small_keys()[1].public_key();
    let range = Range::new(&0, &9, Scale::INTEGER).unwrap();
    let (column, proof) =
        RangeProof::encrypt(key, &[3, 9], &range, b"alice", b"poll", rng).unwrap();
    let check =
        |proof: &RangeProof, column: &CiphertextVec, range: &Range, who: &[u8], what: &[u8]| {
            proof.verify(column.clone(), range, who, what).is_ok()
        };
    assert!(check(&proof, &column, &range, b"alice", b"poll"));
    assert!(!check(&proof, &column, &range, b"bob", b"poll"));
    assert!(!check(&proof, &column, &range, b"alice", b"poll 2"));
    // Other ranges of as many bits, and the same integers at another scale.
    for (low, high, scale) in [
        (0, 8, Scale::INTEGER),
        (1, 10, Scale::INTEGER),
        (0, 15, Scale::INTEGER),
        (0, 7, Scale::INTEGER),
        (0, 9, Scale::new(10, 1).unwrap()),
    ] {
        let other = Range::new(&low, &high, scale).unwrap();
        assert!(!check(&proof, &column, &other, b"alice", b"poll"), "{low} to {high}");
    }
    // Other ciphertexts: rerandomized, in another order, fewer, more, shifted out of the range.
    let again = column.clone().rerandomize(key, rng).unwrap();
    assert!(!check(&proof, &again, &range, b"alice", b"poll"));
    for positions in [&[1, 0][..], &[0], &[0, 1, 1], &[0, 0]] {
        let other = column.select(positions).unwrap();
        assert!(!check(&proof, &other, &range, b"alice", b"poll"));
    }
    let shifted = column.add_plain(&[7, 1]).unwrap().blind(key, rng).unwrap();
    assert!(!check(&proof, &shifted, &range, b"alice", b"poll"));
    // A proof under another key.
    let other = small_keys()[0].public_key();
    assert!(RangeProof::from_bytes(other, &proof.to_bytes(key)).is_err());
    let (others, _) = RangeProof::encrypt(other, &[3, 9], &range, b"alice", b"poll", rng).unwrap();
    assert!(!check(&proof, &others, &range, b"alice", b"poll"));
    // Bytes.
    let bytes = proof.to_bytes(key);
    refused_in_other_forms(&bytes, |b| RangeProof::from_bytes(key, b).is_ok());
    every_change_is_refused(&bytes, |bytes| {
        RangeProof::from_bytes(key, bytes)
            .is_ok_and(|proof| check(&proof, &column, &range, b"alice", b"poll"))
    });
}

/// Refusal of what is cut, longer, or of another version.
fn refused_in_other_forms(bytes: &[u8], accepted: impl Fn(&[u8]) -> bool) {
    assert!(accepted(bytes));
    for cut in [0, 3, 4, 11, bytes.len() / 2, bytes.len() - 1] {
        assert!(!accepted(&bytes[..cut]), "cut at {cut}");
    }
    assert!(!accepted(&[bytes, &[0][..]].concat()), "a trailing byte");
    let mut other = bytes.to_vec();
    other[3] ^= 1;
    assert!(!accepted(&other), "another version");
}

/// Refusal of a changed bit, wherever it is: forty places spread over all fields.
fn every_change_is_refused(bytes: &[u8], accepted: impl Fn(&[u8]) -> bool) {
    assert!(accepted(bytes));
    for step in 0..40 {
        let mut other = bytes.to_vec();
        other[step * (bytes.len() - 1) / 39] ^= 1 << (step % 8);
        assert!(!accepted(&other), "byte {} of {}", step * (bytes.len() - 1) / 39, bytes.len());
    }
}
