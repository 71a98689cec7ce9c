//! Damgård-Jurik, threshold decryption, proofs: what holds is accepted, what does not is refused.

use num_bigint::{BigInt, BigUint};
use paillier_he::damgard_jurik::DamgardJurik;
use paillier_he::prelude::*;
use paillier_he::proof::{DecryptionProof, ModulusProof};
use paillier_he::threshold::ThresholdKey;
use paillier_he::{Error, KeyPolicy, UncheckedPublicKey};
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
    // A share under another party's name, and one with a changed digit.
    let json = serde_json::to_string(&parts[0]).unwrap();
    let renamed = serde_json::from_str(&json.replacen("\"index\":1", "\"index\":2", 1)).unwrap();
    assert!(key.verify(&c, &renamed, b"session 1").is_err());
    let unknown = serde_json::from_str(&json.replacen("\"index\":1", "\"index\":0", 1)).unwrap();
    assert!(key.verify(&c, &unknown, b"session 1").is_err());
    assert!(ThresholdKey::deal(options, 2, 3, rng).is_err());
    assert!(ThresholdKey::deal_key(&small_keys()[1], 3, 2, rng).is_err());
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
    let policy = KeyPolicy::insecure_for_tests();
    let unchecked = UncheckedPublicKey::new(n.clone(), Mode::Djn);
    assert_eq!(
        &unchecked.validate_with_proof(&policy, &proof, b"tests").unwrap(),
        key.public_key()
    );
    let mut json: serde_json::Value = serde_json::to_value(&proof).unwrap();
    let negated = json["answers"][7]["negated"].as_bool().unwrap();
    json["answers"][7]["negated"] = (!negated).into();
    let forged: ModulusProof = serde_json::from_value(json.clone()).unwrap();
    assert!(forged.verify(n, b"tests").is_err());
    json["answers"].as_array_mut().unwrap().pop();
    let short: ModulusProof = serde_json::from_value(json).unwrap();
    assert!(short.verify(n, b"tests").is_err());
    // A prime has all the roots, but is no product of two.
    assert!(proof.verify(&oakley_1024(), b"tests").is_err());
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
    }
}
