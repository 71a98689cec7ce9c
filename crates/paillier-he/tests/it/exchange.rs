//! Bytes, serde and phe's formats: there and back, and what is refused.

use num_bigint::{BigInt, BigUint};
use paillier_he::damgard_jurik::{DamgardJurik, Large};
use paillier_he::exchange::{EncodedCiphertexts, EncodedPacked, phe};
use paillier_he::prelude::*;
use paillier_he::{
    CiphertextVec, Error, KeyPolicy, Packed, PackedLayout, UncheckedPublicKey, hazmat,
};

use crate::support::{full_key, oakley_1024, rng, small_keys, srp_1024};

fn cents() -> Encoding {
    Encoding::decimal(2, 1000).unwrap()
}

#[test]
fn bytes_come_back_and_every_other_form_is_refused() {
    let policy = KeyPolicy::insecure_for_tests();
    for key in small_keys() {
        let public = key.public_key();
        let bytes = public.to_bytes();
        assert_eq!(&PublicKey::from_bytes(&bytes, &policy).unwrap(), public);
        let secret = key.to_secret_bytes();
        let again = PrivateKey::from_secret_bytes(&secret, &policy, &mut rng(1)).unwrap();
        let column = key.encrypt_batch(&[1.25, -3.5, 0.0], &cents(), &mut rng(2)).unwrap();
        let sent = column.to_bytes();
        let received = CiphertextVec::from_bytes(public, &sent).unwrap();
        assert_eq!(received.to_bytes(), sent);
        let opened = again.decrypt_batch(&received).unwrap();
        let opened: Vec<String> = opened.iter().map(Number::to_string).collect();
        assert_eq!(opened, ["1.25", "-3.50", "0.00"]);

        for (bytes, decode) in [
            (
                &bytes,
                (&|b: &[u8]| PublicKey::from_bytes(b, &policy).is_ok()) as &dyn Fn(&[u8]) -> bool,
            ),
            (secret.as_ref(), &|b| PrivateKey::from_secret_bytes(b, &policy, &mut rng(1)).is_ok()),
            (&sent, &|b| CiphertextVec::from_bytes(public, b).is_ok()),
        ] {
            for cut in [0, 3, 4, 5, 12, bytes.len() - 1] {
                assert!(!decode(&bytes[..cut]), "cut at {cut}");
            }
            assert!(!decode(&[bytes, &[0][..]].concat()), "a trailing byte");
            let mut other = bytes.clone();
            other[3] ^= 1;
            assert!(!decode(&other), "another version");
        }
        // A count that promises more than there is.
        let mut greedy = sent.clone();
        let at = sent.len() - 3 * public.ciphertext_bytes() - 4;
        greedy[at..at + 4].copy_from_slice(&u32::MAX.to_be_bytes());
        assert!(CiphertextVec::from_bytes(public, &greedy).is_err());
    }
}

#[test]
fn packed_columns_come_back_and_every_other_form_is_refused() {
    let key = &small_keys()[1];
    let public = key.public_key();
    let layout = PackedLayout::new(public, 16, 8).unwrap();
    let values: Vec<i64> = (-30..30).map(|i| i * 37).collect();
    let packed = Packed::encrypt(key, &values, layout, &mut rng(6)).unwrap();
    let packed = packed.add(&packed).unwrap().blind(public, &mut rng(7)).unwrap();
    let bytes = packed.to_bytes();
    let received = Packed::from_bytes(public, &bytes).unwrap();
    assert_eq!((received.weight(), received.len(), received.layout()), (2, 60, layout));
    assert_eq!(received.to_bytes(), bytes);
    let doubled: Vec<i128> = values.iter().map(|v| i128::from(2 * v)).collect();
    assert_eq!(key.decrypt_packed(&received).unwrap(), doubled);
    let json = serde_json::to_string(&packed).unwrap();
    let again: EncodedPacked = serde_json::from_str(&json).unwrap();
    assert_eq!(again.decode(public).unwrap().to_bytes(), bytes);

    let refused = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = bytes.clone();
        change(&mut bytes);
        let result = Packed::from_bytes(public, &bytes);
        assert!(matches!(result, Err(Error::Malformed { .. })), "{result:?}");
    };
    refused(&|b| b.push(0));
    refused(&|b| b.truncate(b.len() - 1));
    refused(&|b| b[3] = b'2');
    refused(&|b| b[5] ^= 1); // another key
    refused(&|b| b[12] = 1); // one value bit
    refused(&|b| b[13] = 65); // too many guard bits
    refused(&|b| b[14..18].copy_from_slice(&0u32.to_be_bytes())); // no slots
    refused(&|b| b[14..18].copy_from_slice(&u32::MAX.to_be_bytes()));
    refused(&|b| b[18..26].copy_from_slice(&u64::MAX.to_be_bytes())); // more than there are
    refused(&|b| b[26..42].copy_from_slice(&257u128.to_be_bytes())); // beyond the guard bits
    refused(&|b| b[42..].fill(0)); // no units
    refused(&|b| b[42..].fill(255)); // above n²
    assert!(Packed::from_bytes(small_keys()[0].public_key(), &bytes).is_err());
}

#[test]
fn long_numbers_come_back_and_every_other_form_is_refused() {
    let key = &small_keys()[0];
    let scheme = DamgardJurik::new(key.public_key(), 2).unwrap();
    let bound = BigUint::from(1u8) << 900u32;
    let value = BigInt::from(-3) << 800u32;
    let c = scheme.encrypt_within(&value, &bound, &mut rng(8)).unwrap();
    let bytes = c.to_bytes(&scheme);
    let received = Large::from_bytes(&scheme, &bytes).unwrap();
    assert_eq!(received.to_bytes(&scheme), bytes);
    assert_eq!(scheme.decrypt(key, &received).unwrap(), value);
    let others = DamgardJurik::new(key.public_key(), 3).unwrap();
    assert!(Large::from_bytes(&others, &bytes).is_err());
    let at = bytes.len() - scheme.ciphertext_bytes();
    for change in [
        (|b: &mut Vec<u8>, _: usize| b.push(0)) as fn(&mut Vec<u8>, usize),
        |b, _| b.truncate(40),
        |b, _| b[4] ^= 1,
        |b, _| b[12] = 1,
        |b, _| b[15] = 0,
        |b, at| b[at..].fill(0),
        |b, at| b[at..].fill(255),
    ] {
        let mut other = bytes.clone();
        change(&mut other, at);
        assert!(Large::from_bytes(&scheme, &other).is_err());
    }
}

#[test]
fn keys_from_outside_are_validated() {
    let n = full_key().public_key().modulus().clone();
    let check = |n: &BigUint| {
        UncheckedPublicKey::new(n.clone(), Mode::Standard)
            .validate(&KeyPolicy::default())
            .map(|_| ())
    };
    assert_eq!(check(&n), Ok(()));
    assert!(matches!(check(&(&n >> 1u8)), Err(Error::KeySize { bits: 2047, .. })));
    for bad in [
        &n + 1u8,                                           // even
        (&n >> 20u8 << 20u8) / 1_000_003u32 * 1_000_003u32, // even or with a small factor
        oakley_1024() * oakley_1024(),                      // a square
        oakley_1024() * 3u8 * srp_1024(),                   // a small factor
    ] {
        assert!(matches!(check(&bad), Err(Error::BadModulus { .. })), "{} bits", bad.bits());
    }
    // The prime of RFC 3526's 2048-bit group, from its definition.
    let pi = BigUint::parse_bytes(b"FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA051015728E5A8AACAA68FFFFFFFFFFFFFFFF", 16).unwrap();
    assert_eq!(check(&pi), Err(Error::BadModulus { reason: "is prime" }));
    let p = oakley_1024();
    let rng = &mut rng(3);
    assert!(PrivateKey::from_primes(&p, &p, Mode::Djn, rng).is_err());
    assert!(PrivateKey::from_primes(&p, &(srp_1024() - 2u8), Mode::Djn, rng).is_err());
    assert!(PrivateKey::generate(KeyOptions::default().bits(2046), rng).is_err());
    assert!(PrivateKey::generate(KeyOptions::default().bits(2049), rng).is_err());
}

#[test]
fn serde_goes_through_validation() {
    let key = full_key();
    let public = key.public_key();
    let json = serde_json::to_string(public).unwrap();
    assert_eq!(&serde_json::from_str::<PublicKey>(&json).unwrap(), public);
    let small = serde_json::to_string(small_keys()[0].public_key()).unwrap();
    assert!(serde_json::from_str::<PublicKey>(&small).is_err());
    assert!(serde_json::from_str::<PublicKey>(&json.replace("\"n\":\"", "\"n\":\"0")).is_err());
    let column = key.encrypt_batch(&[7], &cents(), &mut rng(4)).unwrap();
    let json = serde_json::to_string(&column).unwrap();
    let received: EncodedCiphertexts = serde_json::from_str(&json).unwrap();
    assert_eq!(received.decode(public).unwrap().to_bytes(), column.to_bytes());
    assert!(serde_json::from_str::<EncodedCiphertexts>("\"0\"").is_err());
    assert!(serde_json::from_str::<EncodedCiphertexts>("\"0G\"").is_err());
}

#[test]
fn phe_documents_come_back() {
    let rng = &mut rng(5);
    let (p, q) = (oakley_1024(), srp_1024());
    let key = PrivateKey::from_primes(&p, &q, Mode::Standard, rng).unwrap();
    let public = key.public_key();
    let jwk = phe::private_to_jwk(&key, "tests").unwrap();
    let again = phe::private_from_jwk(&jwk, rng).unwrap();
    assert_eq!(again.public_key(), public);
    let jwk = phe::public_to_jwk(public, "tests").unwrap();
    assert_eq!(&phe::public_from_jwk(&jwk, &KeyPolicy::default()).unwrap(), public);
    assert!(phe::public_from_jwk(&jwk.replace("DAJ", "RSA"), &KeyPolicy::default()).is_err());

    let fine = Encoding::fixed(Scale::new(16, 4).unwrap(), 1000).unwrap();
    let column = key.encrypt_batch(&[2.5, -0.0625], &fine, rng).unwrap();
    let json = phe::to_json(&column).unwrap();
    let received = phe::from_json(public, &json).unwrap();
    let opened: Vec<_> =
        received.iter().map(|c| key.decrypt(c).unwrap().to_f64().unwrap()).collect();
    assert_eq!(opened, [2.5, -0.0625]);
    let quoted = json.replace("\"n\": ", "\"n\": \"").replacen('}', "\"}", 1);
    assert_eq!(phe::from_json(public, &quoted).unwrap().len(), 2);
    assert!(phe::from_json(public, &json.replacen("\"n\": ", "\"n\": 1", 1)).is_err());
    assert!(phe::from_json(small_keys()[0].public_key(), &json).is_err());

    // phe's band between the largest and the least number is an overflow.
    let most = phe::max_int(public);
    let n = public.modulus();
    for (m, fits) in
        [(most.clone(), true), (&most + 1u8, false), (n - &most, true), (n - &most - 1u8, false)]
    {
        let nonce = hazmat::Nonce::random(public, rng).unwrap();
        let c = hazmat::encrypt_with_nonce(public, &m, nonce).unwrap();
        let text = format!("{{\"public_key\": {{\"n\": {n}}}, \"values\": [[\"{c}\", 0]]}}");
        let number = key.decrypt(&phe::from_json(public, &text).unwrap()[0]);
        assert_eq!(number.is_ok(), fits);
        if let Ok(number) = number {
            let signed = BigInt::from(m.clone());
            let signed =
                if m > *public.max_magnitude() { signed - BigInt::from(n.clone()) } else { signed };
            assert_eq!(number.mantissa(), &signed);
        }
    }
}
