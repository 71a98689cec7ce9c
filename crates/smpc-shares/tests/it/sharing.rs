//! Splitting and putting together.

use privacy_core::random::{EntropyError, SecureRng, SystemRng};
use proptest::prelude::*;
use smpc_shares::field::{
    Domain, Field, Gf256, Mersenne61, Mersenne127, Prime64, Ring, RuntimePrime, Z64,
};
use smpc_shares::sharing::{additive, bytes, general, packed::Packed};
use smpc_shares::{Error, Replicated, Shamir, ShareVec};

type F257 = Prime64<257>;

fn rng() -> SystemRng {
    SystemRng::new().unwrap()
}

fn all_schemes() -> impl Iterator<Item = Shamir> {
    (2..=9).flat_map(|n| (1..n).map(move |t| Shamir::new(n, t).unwrap()))
}

#[test]
fn any_threshold_plus_one_shares_reconstruct() {
    for scheme in all_schemes() {
        let (n, t) = (scheme.parties(), scheme.threshold());
        let secrets: Vec<Mersenne61> = (0..700u64).map(|x| Mersenne61::from(x * x)).collect();
        let shares = scheme.share(&secrets, &mut rng()).unwrap();
        for start in 0..n {
            let some: Vec<_> = (0..=t).map(|i| shares[(start + i) % n].clone()).collect();
            assert_eq!(scheme.reconstruct(&some).unwrap(), secrets, "({n}, {t}) from {start}");
        }
        assert_eq!(scheme.reconstruct(&shares).unwrap(), secrets);
        assert_eq!(
            scheme.reconstruct(&shares[..t]),
            Err(Error::TooFewShares { needed: t + 1, given: t })
        );
    }
}

/// A tape of bytes: which coefficients a sharing draws is then up to us.
struct Counter(u64);

impl SecureRng for Counter {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), EntropyError> {
        self.0 += 1;
        out.fill(0);
        out[..8].copy_from_slice(&self.0.to_le_bytes());
        Ok(())
    }
}

/// Coefficients are on the whole field, zero and top included: over GF(3) each of three slopes has
/// frequency 1/3. False alarm: |z| > 6 has probability below 1e-8.
#[test]
fn slopes_are_uniform_and_zero_occurs() {
    type F = Prime64<3>;
    let scheme = Shamir::new(2, 1).unwrap();
    let mut counts = [0u32; 3];
    for seed in 0..30 {
        let shares = scheme.share(&[F::from(1); 1000], &mut Counter(seed)).unwrap();
        for share in shares[0].expose() {
            counts[share.to_u128() as usize] += 1;
        }
    }
    let sigma = (30_000.0 * (1.0 / 3.0) * (2.0f64 / 3.0)).sqrt();
    for count in counts {
        assert!((f64::from(count) - 10_000.0).abs() < 6.0 * sigma, "{counts:?}");
    }
}

/// Shamir's theorem by enumeration: over all coefficients, any t shares take every value equally
/// often, for every secret.
#[test]
fn any_threshold_shares_over_257_are_exactly_uniform() {
    let point = |id: u64| <F257 as Field>::point(id);
    // t = 1: each single share is a bijection of the slope.
    for secret in [0, 1, 42, 256u64] {
        for id in 1..=9 {
            let mut seen = vec![0; 257];
            for slope in 0..257u64 {
                let share = F257::from(secret) + F257::from(slope) * point(id);
                seen[share.to_u128() as usize] += 1;
            }
            assert!(seen.iter().all(|count| *count == 1));
        }
    }
    // t = 2: each pair of shares takes each of 257² values once.
    for (i, j) in [(1, 2), (2, 7), (8, 9)] {
        let mut seen = vec![0u8; 257 * 257];
        for a in 0..257u64 {
            for b in 0..257u64 {
                let at = |x: F257| F257::from(200u64) + F257::from(a) * x + F257::from(b) * x * x;
                let place = at(point(i)).to_u128() * 257 + at(point(j)).to_u128();
                seen[place as usize] += 1;
            }
        }
        assert!(seen.iter().all(|count| *count == 1));
    }
}

/// And the code draws exactly such polynomials: degree at most t through the secret.
#[test]
fn shares_lie_on_one_polynomial_of_the_threshold_degree() {
    let scheme = Shamir::new(9, 3).unwrap();
    let shares = scheme.share(&[F257::from(42)], &mut rng()).unwrap();
    assert_eq!(scheme.reconstruct(&shares).unwrap(), [F257::from(42)]);
    let lower = Shamir::new(9, 2).unwrap();
    let wrongly: Vec<_> =
        (1..=9).map(|id| lower.assemble(id, shares[id - 1].expose().to_vec()).unwrap()).collect();
    // Of degree 2 only if the cubic coefficient is zero: 1/257; eight times in a row: 1e-19.
    let again = (0..8).all(|_| {
        let shares = scheme.share(&[F257::from(42)], &mut rng()).unwrap();
        let wrongly: Vec<_> = (1..=9)
            .map(|id| lower.assemble(id, shares[id - 1].expose().to_vec()).unwrap())
            .collect();
        lower.reconstruct(&wrongly).is_ok()
    });
    assert!(lower.reconstruct(&wrongly).is_err() || !again);
}

/// Derived by hand: VIFF's example, Lagrange coefficients.
#[test]
fn known_answers() {
    let scheme = Shamir::new(3, 1).unwrap();
    let sum = [151, 249, 90].map(F257::from);
    let shares: Vec<ShareVec<F257>> =
        (0..3).map(|i| scheme.assemble(i + 1, vec![sum[i]]).unwrap()).collect();
    assert_eq!(scheme.reconstruct(&shares).unwrap(), [F257::from(53)]);
    for pair in [[0, 1], [0, 2], [1, 2]] {
        let some = pair.map(|i| shares[i].clone());
        assert_eq!(scheme.reconstruct(&some).unwrap(), [F257::from(53)]);
    }
    let at_zero = |ids: &[u64]| {
        let points: Vec<F257> = ids.iter().map(|id| F257::from(*id)).collect();
        F257::lagrange(&points, F257::ZERO).iter().map(|x| x.to_u128()).collect::<Vec<_>>()
    };
    assert_eq!(at_zero(&[1, 3]), [130, 128]);
    assert_eq!(at_zero(&[2, 4, 5]), [89, 252, 174]);
    assert_eq!(at_zero(&[3, 5, 7]), [165, 59, 34]);
    let bytes = |ids: &[u8]| {
        let points: Vec<Gf256> = ids.iter().map(|id| Gf256(*id)).collect();
        Gf256::lagrange(&points, Gf256(0)).iter().map(|x| x.0).collect::<Vec<_>>()
    };
    assert_eq!(bytes(&[1, 2]), [0xf7, 0xf6]);
    assert_eq!(bytes(&[1, 3]), [0x8c, 0x8d]);
    assert_eq!(bytes(&[2, 4, 5]), [0xd0, 0x03, 0xd2]);
}

#[test]
fn wrong_shares_are_corrected_and_named() {
    let scheme = Shamir::new(7, 2).unwrap();
    let good = [54, 76, 108, 150, 202, 7, 79];
    let shares = |values: [i32; 7]| -> Vec<ShareVec<F257>> {
        (0..7).map(|i| scheme.assemble(i + 1, vec![F257::from(values[i])]).unwrap()).collect()
    };
    assert_eq!(scheme.reconstruct(&shares(good)).unwrap(), [F257::from(42)]);
    let mut bad = good;
    (bad[1], bad[4]) = (77, 0);
    assert_eq!(scheme.reconstruct(&shares(bad)), Err(Error::Inconsistent));
    let corrected = scheme.reconstruct_robust(&shares(bad), 2).unwrap();
    assert_eq!(corrected.secrets, [F257::from(42)]);
    assert_eq!(corrected.wrong, [2, 5]);
    bad[2] = 109;
    assert_eq!(
        scheme.reconstruct_robust(&shares(bad), 2),
        Err(Error::TooManyWrong { radius: 2, shares: 7 })
    );
    // Three liars who conspire exceed the guarantee at radius 2; at radius 1 they are noticed.
    let crafted = [54, 76, 110, 156, 214, 7, 79];
    let fooled = scheme.reconstruct_robust(&shares(crafted), 2).unwrap();
    assert_eq!((fooled.secrets[0], fooled.wrong), (F257::from(44), vec![6, 7]));
    assert!(scheme.reconstruct_robust(&shares(crafted), 1).is_err());
    assert!(scheme.reconstruct_robust(&shares(good), 3).is_err());
}

#[test]
fn every_error_pattern_within_the_radius_is_corrected() {
    for (n, t) in [(3, 1), (4, 1), (5, 1), (6, 1), (7, 2), (9, 2), (9, 3), (9, 4)] {
        let scheme = Shamir::new(n, t).unwrap();
        let radius = (n - t - 1) / 2;
        let secrets: Vec<Mersenne61> = (0..20u64).map(Mersenne61::from).collect();
        let shares = scheme.share(&secrets, &mut rng()).unwrap();
        for pattern in 0u32..1 << n {
            if pattern.count_ones() as usize > radius {
                continue;
            }
            let liars: Vec<usize> = (1..=n).filter(|id| pattern >> (id - 1) & 1 == 1).collect();
            let sent: Vec<_> = shares
                .iter()
                .map(|share| {
                    if !liars.contains(&share.party()) {
                        return share.clone();
                    }
                    // Each liar lies about some of the elements.
                    let mut values = share.expose().to_vec();
                    for value in values.iter_mut().skip(share.party()).step_by(3) {
                        *value += Mersenne61::from(7);
                    }
                    scheme.assemble(share.party(), values).unwrap()
                })
                .collect();
            let corrected = scheme.reconstruct_robust(&sent, radius).unwrap();
            assert_eq!(corrected.secrets, secrets, "({n}, {t}) {liars:?}");
            assert_eq!(corrected.wrong, liars);
        }
    }
}

#[test]
fn what_must_be_refused_is_refused() {
    assert!(matches!(Shamir::new(3, 0), Err(Error::Parameter { .. })));
    assert!(matches!(Shamir::new(3, 3), Err(Error::Parameter { .. })));
    assert!(matches!(Shamir::new(1, 1), Err(Error::Parameter { .. })));
    let scheme = Shamir::new(3, 1).unwrap();
    assert_eq!(scheme.assemble::<F257>(0, vec![]).unwrap_err(), Error::BadParties);
    assert_eq!(scheme.assemble::<F257>(4, vec![]).unwrap_err(), Error::BadParties);
    let tiny = scheme.share(&[Prime64::<3>::ONE], &mut rng());
    assert!(
        matches!(tiny, Err(Error::FieldTooSmall { .. })),
        "n = p: two parties would share a point"
    );
    let shares = scheme.share(&[F257::from(1)], &mut rng()).unwrap();
    let twice = [shares[0].clone(), shares[0].clone()];
    assert_eq!(scheme.reconstruct(&twice), Err(Error::BadParties));
    let other = Shamir::new(4, 1).unwrap().share(&[F257::from(1)], &mut rng()).unwrap();
    assert_eq!(scheme.reconstruct(&other[..2]), Err(Error::Mismatch));
    let longer = scheme.share(&[F257::from(1); 2], &mut rng()).unwrap();
    let mixed = [shares[0].clone(), longer[1].clone()];
    assert!(matches!(scheme.reconstruct(&mixed), Err(Error::LengthMismatch { .. })));
    let sum = &shares[0] + &longer[0];
    assert!(matches!(
        scheme.reconstruct(&[sum, longer[1].clone()]),
        Err(Error::LengthMismatch { .. })
    ));
    let strangers = &shares[0] + &shares[1];
    assert_eq!(scheme.reconstruct(&[strangers, shares[2].clone()]), Err(Error::Mismatch));
}

#[test]
fn shares_do_not_print() {
    let shares =
        Shamir::new(3, 1).unwrap().share(&[Mersenne61::from(123_456)], &mut rng()).unwrap();
    let shown = format!("{:?}", shares[0]);
    let value = shares[0].expose()[0].to_u128().to_string();
    assert!(!shown.contains(&value), "{shown}");
}

#[test]
fn resharing_changes_parties_and_threshold() {
    let old = Shamir::new(5, 2).unwrap();
    let new = Shamir::new(4, 1).unwrap();
    let secrets = [Mersenne127::from(5), Mersenne127::from(-9)];
    let shares = old.share(&secrets, &mut rng()).unwrap();
    let holders = [4, 1, 5];
    let dealt: Vec<_> =
        holders.iter().map(|id| old.reshare(&shares[id - 1], &new, &mut rng()).unwrap()).collect();
    let renewed: Vec<_> = (0..4)
        .map(|to| {
            let parts: Vec<_> = dealt.iter().map(|from| from[to].clone()).collect();
            old.gather(&holders, &parts).unwrap()
        })
        .collect();
    assert_eq!(new.reconstruct(&renewed[1..3]).unwrap(), secrets);
    assert_eq!(new.reconstruct(&renewed).unwrap(), secrets);
    let parts: Vec<_> = dealt.iter().map(|from| from[0].clone()).collect();
    assert_eq!(old.gather(&[1, 1, 2], &parts).unwrap_err(), Error::BadParties);
    assert!(old.gather(&holders[..2], &parts[..2]).is_err());
}

#[test]
fn replicated_and_additive() {
    let secrets: Vec<Z64> = (0..100u64).map(|x| Z64(x.wrapping_mul(u64::MAX / 3))).collect();
    let shares = Replicated::share(&secrets, &mut rng()).unwrap();
    for pair in [[0, 1], [1, 2], [2, 0]] {
        assert_eq!(Replicated::reconstruct(&pair.map(|i| shares[i].clone())).unwrap(), secrets);
    }
    let doubled: Vec<_> = shares.iter().map(|share| share * 2 + 1).collect();
    let expected: Vec<Z64> = secrets.iter().map(|x| *x * Z64(2) + Z64(1)).collect();
    assert_eq!(Replicated::reconstruct(&doubled).unwrap(), expected);
    let mixed = [shares[0].clone(), doubled[1].clone(), doubled[2].clone()];
    assert_eq!(Replicated::reconstruct(&mixed), Err(Error::Inconsistent));
    let parts = additive::share(&secrets, 5, &mut rng()).unwrap();
    assert_eq!(additive::reconstruct(&parts).unwrap(), secrets);
    assert!(additive::share(&secrets, 1, &mut rng()).is_err());
}

#[test]
fn packed_groups() {
    for (n, t, w) in [(5, 2, 3), (9, 3, 4), (4, 1, 1)] {
        let packed = Packed::new(n, t, w).unwrap();
        let secrets: Vec<F257> = (0..50).map(F257::from).collect();
        let shares = packed.share(&secrets, &mut rng()).unwrap();
        let named: Vec<(usize, &[F257])> =
            shares.iter().enumerate().map(|(i, share)| (i + 1, &**share)).collect();
        assert_eq!(packed.reconstruct(&named, 50).unwrap(), secrets);
        assert_eq!(packed.reconstruct(&named[n - t - w..], 50).unwrap(), secrets);
        assert!(packed.reconstruct(&named[..t + w - 1], 50).is_err());
    }
    assert!(Packed::new(5, 3, 3).is_err());
}

#[test]
fn moduli_at_run_time_share() {
    let field = RuntimePrime::new(257).unwrap();
    let scheme = Shamir::new(5, 2).unwrap();
    let secrets: Vec<u64> = (0..20).map(|x| field.integer(x)).collect();
    let mut shares = general::share(&scheme, &field, &secrets, &mut rng()).unwrap();
    let named = |shares: &[Vec<u64>]| -> Vec<(usize, Vec<u64>)> {
        shares.iter().enumerate().map(|(i, share)| (i + 1, share.clone())).collect()
    };
    let all = named(&shares);
    let view: Vec<(usize, &[u64])> = all.iter().map(|(id, share)| (*id, &**share)).collect();
    assert_eq!(general::reconstruct(&scheme, &field, &view).unwrap(), secrets);
    shares[4][3] = field.add(&shares[4][3], &field.integer(1));
    let all = named(&shares);
    let view: Vec<(usize, &[u64])> = all.iter().map(|(id, share)| (*id, &**share)).collect();
    assert_eq!(general::reconstruct(&scheme, &field, &view), Err(Error::Inconsistent));
    let tiny = RuntimePrime::new(5).unwrap();
    assert!(general::share(&scheme, &tiny, &[1], &mut rng()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn bytes_come_back(secret in proptest::collection::vec(any::<u8>(), 0..9000), n in 2usize..9, t in 1usize..8) {
        prop_assume!(t < n);
        let scheme = Shamir::new(n, t).unwrap();
        let shares = bytes::share(&scheme, &secret, &mut rng()).unwrap();
        prop_assert_eq!(&bytes::reconstruct(&scheme, &shares[n - t - 1..]).unwrap(), &secret);
        prop_assert_eq!(&bytes::reconstruct(&scheme, &shares).unwrap(), &secret);
        // The same polynomials as the field of bytes has.
        if let Some(first) = secret.first() {
            let field: Vec<ShareVec<Gf256>> = shares.iter().map(|share| {
                scheme.assemble(share.party(), vec![Gf256(share.to_bytes()[1])]).unwrap()
            }).collect();
            prop_assert_eq!(scheme.reconstruct(&field).unwrap(), vec![Gf256(*first)]);
        }
    }
}

#[test]
fn byte_streams_and_bad_byte_shares() {
    let scheme = Shamir::new(3, 1).unwrap();
    let secret: Vec<u8> = (0..100_000u32).map(|i| (i % 251) as u8).collect();
    let mut files = vec![Vec::new(); 3];
    {
        let mut outputs: Vec<&mut dyn std::io::Write> =
            files.iter_mut().map(|file| file as &mut dyn std::io::Write).collect();
        bytes::share_stream(&scheme, &*secret, &mut outputs, &mut rng()).unwrap();
    }
    let shares: Vec<_> =
        files.iter().map(|file| bytes::ByteShare::from_bytes(file).unwrap()).collect();
    assert_eq!(bytes::reconstruct(&scheme, &shares).unwrap(), secret);
    files[2][777] ^= 1;
    let bad = bytes::ByteShare::from_bytes(&files[2]).unwrap();
    let mixed = [shares[0].clone(), shares[1].clone(), bad];
    assert_eq!(bytes::reconstruct(&scheme, &mixed), Err(Error::Inconsistent));
    assert!(bytes::ByteShare::from_bytes(&[]).is_err());
    assert!(bytes::ByteShare::from_bytes(&[0, 1, 2]).is_err());
    let same = [shares[0].clone(), shares[0].clone()];
    assert_eq!(bytes::reconstruct(&scheme, &same), Err(Error::BadParties));
}
