//! Shamir sharing over any [`Domain`]: moduli that are known at run time, of any size.

use privacy_core::random::SecureRng;

use crate::error::{Error, Result};
use crate::field::Domain;
use crate::sharing::Shamir;
use crate::stream::Stream;

fn fits<D: Domain>(scheme: &Shamir, domain: &D) -> Result<()> {
    let order = domain.order();
    if order > scheme.parties().into() {
        return Ok(());
    }
    Err(Error::FieldTooSmall {
        need_bits: usize::BITS - scheme.parties().leading_zeros(),
        have_bits: order.bits() as u32,
    })
}

/// The shares of parties 1, 2, …
///
/// ```
/// use privacy_core::random::SystemRng;
/// use smpc_shares::{Shamir, field::{Domain, RuntimePrime}, sharing::general};
///
/// let field = RuntimePrime::new(257)?;
/// let scheme = Shamir::new(3, 1)?;
/// let shares = general::share(&scheme, &field, &[field.integer(42)], &mut SystemRng::new()?)?;
/// let some = [(1, &*shares[0]), (3, &*shares[2])];
/// assert!(general::reconstruct(&scheme, &field, &some)? == [field.integer(42)]);
/// # Ok::<(), smpc_shares::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::FieldTooSmall`], [`Error::Entropy`].
pub fn share<D: Domain>(
    scheme: &Shamir,
    domain: &D,
    secrets: &[D::Element],
    rng: &mut dyn SecureRng,
) -> Result<Vec<Vec<D::Element>>> {
    fits(scheme, domain)?;
    let mut stream = Stream::fresh(rng)?;
    let points: Vec<D::Element> =
        (1..=scheme.parties()).map(|id| domain.integer(id as u64)).collect();
    let mut shares = vec![Vec::with_capacity(secrets.len()); scheme.parties()];
    for secret in secrets {
        let coefficients: Vec<D::Element> =
            (0..scheme.threshold()).map(|_| domain.sample(&mut stream)).collect();
        for (share, x) in shares.iter_mut().zip(&points) {
            let zero = domain.integer(0);
            let sum = coefficients
                .iter()
                .fold(zero, |sum, coefficient| domain.add(&domain.mul(&sum, x), coefficient));
            share.push(domain.add(&domain.mul(&sum, x), secret));
        }
    }
    Ok(shares)
}

/// The secrets from at least `threshold + 1` shares, as (id, shares) with ids from 1; surplus
/// shares are checked.
///
/// # Errors
///
/// [`Error::TooFewShares`], [`Error::BadParties`], [`Error::LengthMismatch`],
/// [`Error::Inconsistent`], [`Error::FieldTooSmall`].
pub fn reconstruct<D: Domain>(
    scheme: &Shamir,
    domain: &D,
    shares: &[(usize, &[D::Element])],
) -> Result<Vec<D::Element>> {
    fits(scheme, domain)?;
    let needed = scheme.threshold() + 1;
    let mut ids: Vec<usize> = shares.iter().map(|(id, _)| *id).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.len() != shares.len() || ids.iter().any(|id| *id == 0 || *id > scheme.parties()) {
        return Err(Error::BadParties);
    }
    let Some((used, surplus)) = shares.split_at_checked(needed) else {
        return Err(Error::TooFewShares { needed, given: shares.len() });
    };
    let length = used.first().map_or(0, |(_, values)| values.len());
    for (_, values) in shares {
        if values.len() != length {
            return Err(Error::LengthMismatch { left: length, right: values.len() });
        }
    }
    let points: Vec<D::Element> = used.iter().map(|(id, _)| domain.integer(*id as u64)).collect();
    let at = |x: &D::Element| -> Vec<D::Element> {
        let row = lagrange(domain, &points, x);
        let value = |i: usize| {
            used.iter().zip(&row).fold(domain.integer(0), |sum, ((_, values), factor)| {
                domain.add(&sum, &domain.mul(factor, &values[i]))
            })
        };
        (0..length).map(value).collect()
    };
    if surplus.iter().any(|(id, values)| at(&domain.integer(*id as u64)) != **values) {
        return Err(Error::Inconsistent);
    }
    Ok(at(&domain.integer(0)))
}

fn lagrange<D: Domain>(domain: &D, points: &[D::Element], at: &D::Element) -> Vec<D::Element> {
    let coefficient = |i: usize| {
        let mut numerator = domain.integer(1);
        let mut denominator = domain.integer(1);
        for (j, other) in points.iter().enumerate() {
            if j != i {
                numerator = domain.mul(&numerator, &domain.sub(at, other));
                denominator = domain.mul(&denominator, &domain.sub(&points[i], other));
            }
        }
        domain.mul(&numerator, &domain.inverse(&denominator))
    };
    (0..points.len()).map(coefficient).collect()
}
