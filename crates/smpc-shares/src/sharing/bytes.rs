//! Sharing of bytes and files over GF(2^8), eight bytes at a time.
//!
//! A share is its party's id and as many bytes as the secret. The arithmetic is the one of
//! [`Gf256`]; shares of both are interchangeable.

use std::io::{Read, Write};

use privacy_core::random::SecureRng;
use zeroize::Zeroizing;

use super::Shamir;
use crate::error::{Error, Result};
use crate::field::{Field, Gf256};
use crate::kernel::{add_scaled, scale_add, scaled_plus};
use crate::stream::Stream;
use crate::wipe::wipe;

/// Bytes that are handled at a time.
const BLOCK: usize = 4096;

/// One party's share of a byte string. Does not print; wiped on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct ByteShare {
    id: u8,
    bytes: Vec<u8>,
}

impl ByteShare {
    /// The party, counted from 1.
    #[must_use]
    pub fn party(&self) -> usize {
        usize::from(self.id)
    }

    /// The id byte followed by the share.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(1 + self.bytes.len());
        out.push(self.id);
        out.extend_from_slice(&self.bytes);
        out
    }

    /// The share with this encoding.
    ///
    /// # Errors
    ///
    /// [`Error::Encoding`] if it is empty or of party 0.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        match bytes {
            [id, rest @ ..] if *id > 0 => Ok(ByteShare { id: *id, bytes: rest.to_vec() }),
            _ => Err(Error::Encoding { what: "a byte share" }),
        }
    }
}

impl Drop for ByteShare {
    fn drop(&mut self) {
        wipe(&mut self.bytes);
    }
}

impl std::fmt::Debug for ByteShare {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ByteShare").field("party", &self.id).finish_non_exhaustive()
    }
}

fn check(scheme: &Shamir) -> Result<()> {
    scheme.fits::<Gf256>()
}

/// One share for each party.
///
/// ```
/// use privacy_core::random::SystemRng;
/// use smpc_shares::{Shamir, sharing::bytes};
///
/// let scheme = Shamir::new(5, 2)?;
/// let shares = bytes::share(&scheme, b"the key of the archive", &mut SystemRng::new()?)?;
/// assert_eq!(bytes::reconstruct(&scheme, &shares[2..])?, b"the key of the archive");
/// # Ok::<(), smpc_shares::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::FieldTooSmall`] for more than 255 parties; [`Error::Entropy`].
pub fn share(scheme: &Shamir, secret: &[u8], rng: &mut dyn SecureRng) -> Result<Vec<ByteShare>> {
    let mut sharer = Sharer::new(scheme, rng)?;
    let mut shares: Vec<ByteShare> = (1..=scheme.parties() as u8)
        .map(|id| ByteShare { id, bytes: Vec::with_capacity(secret.len()) })
        .collect();
    for block in secret.chunks(BLOCK) {
        // Grown by what is written next, so that each page is passed once.
        let grown = shares.iter_mut().map(|share| {
            let start = share.bytes.len();
            share.bytes.resize(start + block.len(), 0);
            &mut share.bytes[start..]
        });
        sharer.share(block, grown);
    }
    Ok(shares)
}

/// As [`share`], into memory that the caller has: place i gets the share of party i + 1, as long as
/// the secret and without the party's id.
///
/// Where many or large secrets are shared, this saves the page faults of fresh memory, which cost
/// more than the sharing. Wiping is left to the caller.
///
/// ```
/// use privacy_core::random::SystemRng;
/// use smpc_shares::{Shamir, sharing::bytes};
///
/// let scheme = Shamir::new(3, 1)?;
/// let mut frames = [[0; 1 + 7]; 3];
/// let mut outs: Vec<&mut [u8]> = Vec::new();
/// for (id, frame) in (1..).zip(&mut frames) {
///     frame[0] = id;
///     outs.push(&mut frame[1..]);
/// }
/// bytes::share_into(&scheme, b"archive", &mut outs, &mut SystemRng::new()?)?;
/// let shares = [0, 2].map(|i| bytes::ByteShare::from_bytes(&frames[i]));
/// let [first, third] = shares;
/// assert_eq!(bytes::reconstruct(&scheme, &[first?, third?])?, b"archive");
/// # Ok::<(), smpc_shares::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Parameter`] unless there is one output for each party; [`Error::LengthMismatch`] unless
/// each is as long as the secret; as [`share`].
pub fn share_into(
    scheme: &Shamir,
    secret: &[u8],
    outputs: &mut [&mut [u8]],
    rng: &mut dyn SecureRng,
) -> Result<()> {
    one_for_each(scheme, outputs.len())?;
    if let Some(other) = outputs.iter().find(|output| output.len() != secret.len()) {
        return Err(Error::LengthMismatch { left: secret.len(), right: other.len() });
    }
    let mut sharer = Sharer::new(scheme, rng)?;
    for (i, block) in secret.chunks(BLOCK).enumerate() {
        let place = i * BLOCK..i * BLOCK + block.len();
        sharer.share(block, outputs.iter_mut().map(|output| &mut output[place.clone()]));
    }
    Ok(())
}

fn one_for_each(scheme: &Shamir, outputs: usize) -> Result<()> {
    if outputs == scheme.parties() {
        return Ok(());
    }
    Err(Error::Parameter {
        parameter: "the number of outputs",
        requirement: "the number of parties",
        given: outputs as u64,
    })
}

/// Shares one block after the other.
struct Sharer {
    stream: Stream,
    /// Of the powers of the point from the highest down, a block of each.
    coefficients: Zeroizing<Vec<u8>>,
    threshold: usize,
}

impl Sharer {
    fn new(scheme: &Shamir, rng: &mut dyn SecureRng) -> Result<Self> {
        check(scheme)?;
        let threshold = scheme.threshold();
        Ok(Sharer {
            stream: Stream::fresh(rng)?,
            coefficients: Zeroizing::new(vec![0; threshold * BLOCK]),
            threshold,
        })
    }

    /// Horner's rule on a block, for party 1, 2, … in order.
    fn share<'a>(&mut self, secret: &[u8], shares: impl Iterator<Item = &'a mut [u8]>) {
        let coefficients = &mut self.coefficients[..self.threshold * secret.len()];
        self.stream.bytes(coefficients);
        for (x, share) in (1..).zip(shares) {
            let mut nexts = coefficients.chunks(secret.len().max(1)).skip(1).chain([secret]);
            if let Some(next) = nexts.next() {
                scaled_plus(share, coefficients, x, next);
            }
            for next in nexts {
                scale_add(share, x, next);
            }
        }
    }
}

/// The secret from at least `threshold + 1` shares; surplus shares are checked.
///
/// # Errors
///
/// [`Error::TooFewShares`], [`Error::BadParties`], [`Error::LengthMismatch`],
/// [`Error::Inconsistent`].
pub fn reconstruct(scheme: &Shamir, shares: &[ByteShare]) -> Result<Vec<u8>> {
    check(scheme)?;
    let needed = scheme.threshold() + 1;
    let mut ids: Vec<u8> = shares.iter().map(|share| share.id).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.len() != shares.len() || ids.last().is_some_and(|id| usize::from(*id) > scheme.parties())
    {
        return Err(Error::BadParties);
    }
    let Some((used, surplus)) = shares.split_at_checked(needed) else {
        return Err(Error::TooFewShares { needed, given: shares.len() });
    };
    let length = shares[0].bytes.len();
    for share in shares {
        if share.bytes.len() != length {
            return Err(Error::LengthMismatch { left: length, right: share.bytes.len() });
        }
    }
    let points: Vec<Gf256> = used.iter().map(|share| Gf256(share.id)).collect();
    let mut wrong = 0u8;
    for share in surplus {
        let mut difference = combine(used, &Gf256::lagrange(&points, Gf256(share.id)), length);
        for (difference, byte) in difference.iter_mut().zip(&share.bytes) {
            wrong |= *difference ^ byte;
        }
    }
    if wrong != 0 {
        return Err(Error::Inconsistent);
    }
    Ok(combine(used, &Gf256::lagrange(&points, Gf256(0)), length))
}

/// Σ factor·share.
fn combine(shares: &[ByteShare], coefficients: &[Gf256], length: usize) -> Vec<u8> {
    let mut sum = vec![0u8; length];
    for start in (0..length).step_by(BLOCK) {
        let end = length.min(start + BLOCK);
        for (share, factor) in shares.iter().zip(coefficients) {
            add_scaled(&mut sum[start..end], factor.0, &share.bytes[start..end]);
        }
    }
    sum
}

/// Shares everything that `secret` yields, a block at a time, into one writer for each party. Each
/// output starts with the id of its party.
///
/// # Errors
///
/// [`Error::Parameter`] unless there is a writer for each party; [`Error::Transport`] if reading or
/// writing fails; as [`share`].
pub fn share_stream(
    scheme: &Shamir,
    mut secret: impl Read,
    outputs: &mut [&mut dyn Write],
    rng: &mut dyn SecureRng,
) -> Result<()> {
    one_for_each(scheme, outputs.len())?;
    let mut sharer = Sharer::new(scheme, rng)?;
    let failed = |operation| move |_: std::io::Error| Error::Transport { peer: 0, operation };
    for (i, output) in outputs.iter_mut().enumerate() {
        output.write_all(&[(i + 1) as u8]).map_err(failed("writing a share"))?;
    }
    let mut block = Zeroizing::new([0u8; BLOCK]);
    let mut shares = vec![Zeroizing::new([0u8; BLOCK]); scheme.parties()];
    loop {
        let length = match secret.read(block.as_mut()) {
            Ok(0) => return Ok(()),
            Ok(length) => length,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(failed("reading the secret")(error)),
        };
        sharer.share(&block[..length], shares.iter_mut().map(|share| &mut share[..length]));
        for (output, share) in outputs.iter_mut().zip(&shares) {
            output.write_all(&share[..length]).map_err(failed("writing a share"))?;
        }
    }
}
