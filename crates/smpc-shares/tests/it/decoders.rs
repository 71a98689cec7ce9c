//! Decoders: what they accept they wrote themselves; anything else is an error, whatever it is, and
//! costs no more memory than its own length.

use privacy_core::random::SystemRng;
use proptest::prelude::*;
use smpc_shares::field::{
    Bits64, Field128, Gf256, Goldilocks, Mersenne61, Mersenne127, Prime64, Ring, Z64,
};
use smpc_shares::net::{Config, simulate};
use smpc_shares::sharing::bytes::ByteShare;
use smpc_shares::{Active, Error, Party, Replicated, Scheme, Shamir, ShareVec};

type F257 = Prime64<257>;

fn rng() -> SystemRng {
    SystemRng::new().unwrap()
}

#[test]
fn shares_come_back_from_bytes() {
    let scheme = Shamir::new(5, 2).unwrap();
    let secrets = [F257::from(5), F257::from(256), F257::from(0)];
    let shares = scheme.share(&secrets, &mut rng()).unwrap();
    let stored: Vec<Vec<u8>> = shares.iter().map(|share| share.to_bytes().unwrap()).collect();
    let back: Vec<ShareVec<F257>> =
        stored.iter().map(|bytes| ShareVec::from_bytes(bytes).unwrap()).collect();
    assert_eq!(scheme.reconstruct(&back[1..4]).unwrap(), secrets);
    assert_eq!(
        scheme.reconstruct(&[back[0].clone(), shares[1].clone(), back[4].clone()]).unwrap(),
        secrets
    );
    let z = [Z64(u64::MAX), Z64(3)];
    let shares = Replicated::share(&z, &mut rng()).unwrap();
    let back: Vec<ShareVec<Z64, Replicated>> = shares
        .iter()
        .map(|share| ShareVec::from_bytes(&share.to_bytes().unwrap()).unwrap())
        .collect();
    assert_eq!(Replicated::reconstruct(&back[..2]).unwrap(), z);
}

/// In a session: what was stored goes on being computed on, under new MACs in active security.
#[test]
fn stored_shares_go_on_in_another_session() {
    fn check<S: Scheme<Mersenne61>>(config: Config) {
        let stored = simulate(config.clone(), async |party: &mut Party<Mersenne61, S>| {
            let shared = party.input_from_all(&[Mersenne61::from(party.id() as u64)]).await?;
            shared[1].to_bytes()
        })
        .unwrap();
        let results = simulate(config, async |party: &mut Party<Mersenne61, S>| {
            let old = ShareVec::from_bytes(&stored[party.index()])?;
            let product = party.multiply(&old, &old).await?;
            let old = party.renewed(&old).await?;
            party.open(&(product + old)).await
        });
        assert!(results.unwrap().iter().all(|result| *result == [Mersenne61::from(6)]));
    }
    check::<Shamir>(Config::shamir(5, 2));
    check::<Active<Shamir>>(Config::shamir(3, 1));
    check::<Active<Replicated>>(Config::replicated());
}

#[test]
fn encodings_of_something_else_are_refused() {
    let shares = Shamir::new(3, 1).unwrap().share(&[Mersenne61::from(7); 4], &mut rng()).unwrap();
    let good = shares[0].to_bytes().unwrap();
    let refused = |bytes: &[u8]| {
        let error = ShareVec::<Mersenne61>::from_bytes(bytes).unwrap_err();
        assert!(matches!(error, Error::Encoding { .. }));
    };
    assert!(ShareVec::<Mersenne61, Shamir>::from_bytes(&good).is_ok());
    assert!(ShareVec::<Goldilocks>::from_bytes(&good).is_err(), "another field");
    assert!(ShareVec::<Prime64<257>>::from_bytes(&good).is_err(), "another prime");
    assert!(ShareVec::<Mersenne61, Replicated>::from_bytes(&good).is_err(), "another sharing");
    for length in 0..good.len() {
        refused(&good[..length]);
    }
    refused(&[&good[..], &[0]].concat());
    // Every byte of the header matters, and a length that no memory holds is not allocated.
    for place in 0..24 {
        for flip in [1u8, 0x80] {
            let mut bad = good.clone();
            bad[place] ^= flip;
            // Another party or another threshold of the same scheme is a valid header.
            if !(10..16).contains(&place) {
                refused(&bad);
            }
        }
    }
    let patched = |at: usize, value: u16| {
        let mut bad = good.clone();
        bad[at..at + 2].copy_from_slice(&value.to_le_bytes());
        bad
    };
    refused(&patched(10, 0));
    refused(&patched(10, 4));
    refused(&patched(12, 1));
    refused(&patched(14, 0));
    refused(&patched(14, 3));
    let mut bad = good.clone();
    bad[16..24].fill(0xff);
    refused(&bad);
    let mut bad = good;
    bad[24..32].fill(0xff);
    refused(&bad);
    let faulty = &shares[0] + &shares[0].slice(0..2);
    assert!(matches!(faulty.to_bytes(), Err(Error::LengthMismatch { .. })));
}

/// Elements: decoding is the inverse of encoding and refuses the rest.
fn elements<R: Ring>(bytes: &[u8]) {
    if let Some(all) = R::decode_all(bytes) {
        let mut again = Vec::new();
        R::encode_all(&all, &mut again);
        assert_eq!(again, bytes, "{}", R::NAME);
        let single: Option<Vec<R>> = bytes.chunks(R::BYTES).map(R::decode).collect();
        assert_eq!(single, Some(all));
    } else {
        let whole = bytes.len().is_multiple_of(R::BYTES);
        assert!(!whole || bytes.chunks(R::BYTES).any(|bytes| R::decode(bytes).is_none()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn arbitrary_bytes_are_refused_or_canonical(
        bytes in proptest::collection::vec(prop_oneof![Just(0u8), Just(0xff), any::<u8>()], 0..150),
        header in any::<bool>(),
    ) {
        elements::<F257>(&bytes);
        elements::<Mersenne61>(&bytes);
        elements::<Mersenne127>(&bytes);
        elements::<Goldilocks>(&bytes);
        elements::<Field128>(&bytes);
        elements::<Gf256>(&bytes);
        elements::<Bits64>(&bytes);
        elements::<Z64>(&bytes);
        if let Ok(share) = ByteShare::from_bytes(&bytes) {
            prop_assert_eq!(&share.to_bytes(), &bytes);
        }
        // Half of the time behind a header that is right, so that the payload is reached.
        let shares = Shamir::new(3, 1).unwrap().share(&[Mersenne61::from(1)], &mut rng()).unwrap();
        let mut framed = shares[0].to_bytes().unwrap();
        framed.truncate(if header { 24 } else { 0 });
        framed.extend_from_slice(&bytes);
        if let Ok(share) = ShareVec::<Mersenne61>::from_bytes(&framed) {
            prop_assert_eq!(&share.to_bytes().unwrap(), &framed);
        }
        let _ = ShareVec::<Z64, Replicated>::from_bytes(&framed);
    }
}

#[cfg(feature = "curve")]
mod curve {
    use smpc_shares::secagg::{Client, Graph, Sealed};
    use smpc_shares::sharing::verifiable::{Commitment, VerifiableShare};

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn arbitrary_bytes_are_no_points_and_no_shares(
            bytes in proptest::collection::vec(any::<u8>(), 0..140),
        ) {
            let scheme = Shamir::new(3, 1).unwrap();
            if let Ok(share) = VerifiableShare::from_bytes(&bytes) {
                prop_assert_eq!(&share.to_bytes(), &bytes);
            }
            let mut kind = bytes.clone();
            if let Some(kind) = kind.first_mut() {
                *kind &= 1;
            }
            if let Ok(commitment) = Commitment::from_bytes(&scheme, &kind) {
                prop_assert_eq!(&commitment.to_bytes(), &kind);
            }
            // Whatever a server passes on as sealed shares does not open.
            let graph = Graph::new(3, 2, 2, &[1; 32]).unwrap();
            let mut clients: Vec<_> = (0..3)
                .map(|id| Client::new(id, [2; 32], graph.clone(), &mut rng()).unwrap())
                .collect();
            let keys: Vec<_> = (1..3).map(|id| (id as u32, clients[id].1)).collect();
            clients[0].0.share(&keys, &mut rng()).unwrap();
            let sealed = Sealed { from: 1, to: 0, bytes };
            prop_assert!(clients[0].0.masked(&[sealed], &[1]).is_err());
        }
    }
}

#[cfg(feature = "prio")]
mod prio {
    use smpc_shares::prio::{Measurement, Prio3};

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn arbitrary_reports_are_refused(
            public in proptest::collection::vec(any::<u8>(), 0..100),
            input in proptest::collection::vec(prop_oneof![Just(0u8), any::<u8>()], 0..700),
            cut in 0usize..40,
        ) {
            let task = Prio3::histogram(2, 4).unwrap();
            let (nonce, report) = task.report(b"", &Measurement::Bucket(1), &mut rng()).unwrap();
            let prepare = |id: u8, public: &[u8], input: &[u8]| {
                task.prepare(&[1; 32], b"", id, &nonce, public, input)
            };
            let length = report.inputs[0].len();
            for id in [0u8, 1, 2, 255] {
                let _ = prepare(id, &public, &input);
                let _ = prepare(id, &report.public, &input);
            }
            // Of the right length, filled with what came.
            let mut filled = input.clone();
            filled.resize(length, 0);
            let left = prepare(0, &report.public, &filled);
            let (_, right) = prepare(1, &report.public, &report.inputs[1]).unwrap();
            if let Ok((_, left)) = left {
                prop_assert!(task.combine(b"", &[left, right.clone()]).is_err());
            }
            let mut short = right.clone();
            short.truncate(right.len() - cut.min(right.len()));
            prop_assert!(task.combine(b"", &[input.clone(), short]).is_err());
            prop_assert!(task.combine(b"", &[right]).is_err());
        }
    }
}
