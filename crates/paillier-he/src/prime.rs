//! Random primes: a sieve over a random interval, then Fermat tests of eight candidates at once,
//! then Miller-Rabin tests with random bases.
//!
//! # Security
//!
//! 64 rounds of Miller-Rabin with random bases accept a composite number with probability at most
//! 4^-64 = 2^-128 (Rabin 1980). Searching upwards from a random start favours primes after long
//! gaps; the loss of entropy is below one bit per prime (Brandt, Damgård 1992). The search takes a
//! time that depends on the candidates it rejects.

use privacy_core::random::SecureRng;

use crate::error::Result;
use crate::kernel::{Backend, Nat, Ring, nat};
use crate::random;

/// Which primes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Congruent to 3 modulo 4.
    Blum,
    /// p with (p - 1)/2 prime, which is a Blum prime.
    Safe,
}

/// Candidates in one interval.
const INTERVAL: usize = 1 << 14;
const ROUNDS: usize = 64;

/// A random prime of exactly `bits` bits whose two highest bits are set.
pub(crate) fn random(rng: &mut dyn SecureRng, bits: usize, kind: Kind) -> Result<Nat> {
    // Twice the highest small prime must stay below the candidates.
    let limit = match kind {
        Kind::Blum => 1 << 14,
        Kind::Safe => 1 << 18,
    };
    let primes = small_primes(if bits < 64 { 1 << (bits / 3).min(8) } else { limit });
    loop {
        let mut start = random::bits(rng, bits)?;
        let top = bits - 1;
        start[top / 64] |= 1 << (top % 64);
        start[(top - 1) / 64] |= 1 << ((top - 1) % 64);
        start[0] |= 3;
        if let Some(prime) = search(rng, &start, bits, kind, &primes)? {
            return Ok(prime);
        }
    }
}

/// The first prime among `start + 4i`.
fn search(
    rng: &mut dyn SecureRng,
    start: &Nat,
    bits: usize,
    kind: Kind,
    primes: &[u32],
) -> Result<Option<Nat>> {
    let mut composite = vec![false; INTERVAL];
    for &prime in primes.iter().filter(|p| **p > 2) {
        let p = u64::from(prime);
        let rem = start.rem_small_vartime(p);
        // 4i ≡ -rem, and for safe primes also 4i ≡ 1 - rem.
        let quarter = inverse_of_four(p);
        let mut strike = |residue: u64| {
            let first = (residue * quarter % p) as usize;
            composite.iter_mut().skip(first).step_by(prime as usize).for_each(|c| *c = true);
        };
        strike((p - rem) % p);
        if kind == Kind::Safe {
            strike((p + 1 - rem) % p);
        }
    }
    let mut candidates = (0..INTERVAL).filter(|i| !composite[*i]).map(|i| {
        let mut candidate = start.clone();
        let carry = nat::add_assign(&mut candidate, &[4 * i as u64]);
        (carry == 0 && candidate.bits_vartime() as usize == bits).then_some(candidate)
    });
    loop {
        let batch: Vec<Nat> = candidates.by_ref().take(8).flatten().collect();
        if batch.is_empty() {
            return Ok(None);
        }
        let halves: Vec<Nat> = match kind {
            Kind::Blum => batch.clone(),
            Kind::Safe => batch.iter().map(|p| p.shifted_right(1)).collect(),
        };
        for i in fermat(&halves) {
            let candidate = &batch[i];
            let likely = kind == Kind::Blum || fermat(std::slice::from_ref(candidate)) == [0];
            if likely
                && is_prime(rng, candidate)?
                && (kind == Kind::Blum || is_prime(rng, &halves[i])?)
            {
                return Ok(Some(candidate.clone()));
            }
        }
    }
}

/// A random prime `p = 2·a·r + 1` of exactly `bits` bits whose two highest bits are set, for a
/// given prime `a`, and the odd number `r`.
pub(crate) fn random_above(rng: &mut dyn SecureRng, bits: usize, a: &Nat) -> Result<(Nat, Nat)> {
    let primes = small_primes(1 << 12);
    let length = bits - a.bits_vartime() as usize;
    loop {
        let mut batch = Vec::new();
        while batch.len() < 8 {
            let mut rest = random::bits(rng, length)?;
            rest[0] |= 1;
            let mut p = a.mul(&rest).mul(&Nat::from_words(&[2]));
            p[0] |= 1;
            let top = bits as u64 - 2;
            let fits = p.bits_vartime() == bits as u64 && nat::bits_at(&p, top as usize, 1) == 1;
            if fits && primes.iter().all(|s| p.rem_small_vartime(u64::from(*s)) != 0) {
                batch.push((p.resized(bits.div_ceil(64)), rest));
            }
        }
        let numbers: Vec<Nat> = batch.iter().map(|(p, _)| p.clone()).collect();
        for i in fermat(&numbers) {
            if is_prime(rng, &numbers[i])? {
                return Ok(batch.swap_remove(i));
            }
        }
    }
}

/// The numbers (up to eight) that pass Fermat's test to the base 2.
fn fermat(numbers: &[Nat]) -> Vec<usize> {
    let Some(first) = numbers.first() else { return Vec::new() };
    let padded: Vec<&Nat> = (0..8).map(|i| numbers.get(i).unwrap_or(first)).collect();
    let ring = Ring::new(Backend::best(), &padded, false, 64);
    let mut scratch = ring.scratch();
    let exponents: Vec<Nat> = padded.iter().map(|n| n.minus_small(1)).collect();
    let exponents: Vec<&[u64]> = exponents.iter().map(|e| &e[..]).collect();
    let two = ring.load(&[&[2][..]; 8], &mut scratch);
    let bits = padded.iter().map(|n| n.bits_vartime()).max().unwrap_or(0);
    let powers = ring.pow(&two, &exponents, bits as usize, &mut scratch);
    let powers = ring.store(&powers, &mut scratch);
    (0..numbers.len()).filter(|i| is_small(&powers[*i], 1)).collect()
}

fn is_small(x: &Nat, value: u64) -> bool {
    x[0] == value && x[1..].iter().all(|w| *w == 0)
}

/// Whether an odd number above 3 is prime, by Miller and Rabin's test with 64 random bases.
pub(crate) fn is_prime(rng: &mut dyn SecureRng, n: &Nat) -> Result<bool> {
    let minus_one = n.minus_small(1);
    let mut twos = 0;
    let mut odd = minus_one.clone();
    while odd[0] & 1 == 0 {
        odd = odd.shifted_right(1);
        twos += 1;
    }
    let ring = Ring::new(Backend::best(), &[n], false, n.len() * 64);
    let mut scratch = ring.scratch();
    for _ in 0..ROUNDS.div_ceil(ring.lanes()) {
        let mut bases = Vec::new();
        for _ in 0..ring.lanes() {
            bases.push(random::below(rng, n)?);
        }
        let bases: Vec<&[u64]> = bases.iter().map(|b| &b[..]).collect();
        let base = ring.load(&bases, &mut scratch);
        let mut power = ring.pow(&base, &[&odd], minus_one.bits_vartime() as usize, &mut scratch);
        let mut passed = vec![false; ring.lanes()];
        for step in 0..twos {
            for (passed, x) in passed.iter_mut().zip(ring.store(&power, &mut scratch)) {
                *passed |= (step == 0 && is_small(&x, 1)) || x == minus_one;
            }
            ring.square_assign(&mut power, &mut scratch);
        }
        if passed.contains(&false) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// `4⁻¹ mod p` for an odd prime.
fn inverse_of_four(p: u64) -> u64 {
    let half = p.div_ceil(2);
    half * half % p
}

/// The primes below `limit`.
pub(crate) fn small_primes(limit: usize) -> Vec<u32> {
    let mut composite = vec![false; limit];
    let mut primes = Vec::new();
    for i in 2..limit {
        if !composite[i] {
            primes.push(i as u32);
            composite.iter_mut().skip(i * i).step_by(i).for_each(|c| *c = true);
        }
    }
    primes
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;
    use privacy_core::random::InsecureTestRng;

    use super::*;

    fn prime_by_division(n: u64) -> bool {
        n > 1 && (2..).take_while(|d| d * d <= n).all(|d| !n.is_multiple_of(d))
    }

    #[test]
    fn small_numbers_are_judged_as_by_division() {
        let mut rng = InsecureTestRng::from_seed(1);
        for n in (5u64..2000).step_by(2) {
            let judged = is_prime(&mut rng, &Nat::from_words(&[n])).unwrap();
            assert_eq!(judged, prime_by_division(n), "{n}");
        }
        let primes = small_primes(100);
        assert_eq!(primes.len(), 25);
    }

    #[test]
    fn primes_have_the_size_and_form_asked_for() {
        let mut rng = InsecureTestRng::from_seed(2);
        for bits in [96, 128, 200, 256] {
            for kind in [Kind::Blum, Kind::Safe] {
                let p = random(&mut rng, bits, kind).unwrap();
                assert_eq!(p.bits_vartime() as usize, bits);
                assert_eq!(p[0] & 3, 3);
                let two = BigUint::from(2u8);
                let big = p.to_big();
                assert!(big.bit(bits as u64 - 2));
                assert_eq!(two.modpow(&(&big - 1u8), &big), BigUint::from(1u8));
                if kind == Kind::Safe {
                    let half: BigUint = big >> 1u8;
                    assert_eq!(two.modpow(&(&half - 1u8), &half), BigUint::from(1u8));
                }
            }
        }
    }

    #[test]
    fn carmichael_numbers_and_squares_are_composite() {
        let mut rng = InsecureTestRng::from_seed(3);
        for n in [561u64, 1105, 6601, 8911, 29341, 162401, 3215031751, 1018081] {
            assert!(!is_prime(&mut rng, &Nat::from_words(&[n])).unwrap(), "{n}");
        }
    }
}
