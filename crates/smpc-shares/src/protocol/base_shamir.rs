//! Primitive protocols on Shamir shares.
//!
//! Multiplication is the one of Ben-Or, Goldwasser, Wigderson (1988) with the degree reduction of
//! Gennaro, Rabin, Rabin (1998): 2t+1 parties deal their local product. Each deals the polynomial that
//! is fixed by its value and the shares that t receivers derive from a pairwise key, so that n-1-t
//! receivers need a message. Random shares are pseudo-random (Cramer, Damgård, Ishai 2005).

use super::base::Base;
use crate::engine::{Engine, derived};
use crate::error::{Error, Result};
use crate::field::Field;
use crate::net::Link;
use crate::security::needs_majority;
use crate::sharing::{Raw, Shamir};
use crate::stream::Stream;
use crate::wipe::wipe;

/// Elements handled at a time.
const BLOCK: usize = 1024;

impl<F: Field> Base<F> for Shamir {
    const REPLICATED: bool = false;

    fn split(scheme: &Shamir, secrets: &[F], stream: &mut Stream) -> Vec<Raw<F>> {
        Shamir::split(scheme, secrets, stream).into_iter().map(Raw::single).collect()
    }

    fn parts(raw: &Raw<F>) -> Vec<F> {
        raw.own.clone()
    }

    fn products(a: &Raw<F>, b: &Raw<F>) -> Vec<F> {
        a.own.iter().zip(&b.own).map(|(a, b)| *a * *b).collect()
    }

    fn dots(a: &Raw<F>, b: &Raw<F>, width: usize) -> Vec<F> {
        let width = width.max(1);
        a.own.chunks(width).zip(b.own.chunks(width)).map(|(a, b)| F::dot(a, b)).collect()
    }

    fn additive(core: &mut Engine, raw: &Raw<F>, dealers: &[usize]) -> Vec<F> {
        let tables = core.tables::<F>();
        let points: Vec<F> = dealers.iter().map(|party| tables.points[*party]).collect();
        let at_zero = F::lagrange(&points, F::ZERO);
        let factor = dealers.iter().zip(at_zero).find(|(party, _)| **party == core.me());
        let factor = factor.map_or(F::ZERO, |(_, factor)| factor);
        raw.own.iter().map(|value| *value * factor).collect()
    }

    async fn reshare(core: &mut Engine, mut parts: Vec<F>) -> Result<Raw<F>> {
        needs_majority(core)?;
        let tables = core.tables::<F>();
        let length = parts.len();
        if let Some(factor) = tables.product.get(core.me()) {
            for part in &mut parts {
                *part *= *factor;
            }
        }
        let dealers: Vec<(usize, usize)> =
            (0..tables.product.len()).map(|dealer| (dealer, length)).collect();
        let mut dealt = Shamir::deal(core, &dealers, &parts).await?.into_iter();
        let mut sum = dealt.next().unwrap_or_else(Raw::empty);
        for part in dealt {
            sum.add_assign(&part);
        }
        Ok(sum)
    }

    async fn deal(
        core: &mut Engine,
        dealers: &[(usize, usize)],
        mine: &[F],
    ) -> Result<Vec<Raw<F>>> {
        let context = core.fresh();
        let tables = core.tables::<F>();
        let me = core.me();
        let mut own = Vec::new();
        let mut sends = Vec::new();
        if let Some((_, length)) = dealers.iter().find(|(dealer, _)| *dealer == me) {
            if mine.len() != *length {
                return Err(Error::LengthMismatch { left: *length, right: mine.len() });
            }
            let free = derived(me, &core.scheme);
            let mut streams: Vec<_> =
                free.iter().map(|peer| core.pair_stream(*peer, context, me)).collect();
            own.reserve(*length);
            for (party, _) in &tables.rows {
                if *party != me {
                    sends.push((*party, Link::frame(length * F::BYTES)));
                }
            }
            let mut masks = vec![F::ZERO; BLOCK * streams.len()];
            let mut values = vec![F::ZERO; BLOCK];
            for block in mine.chunks(BLOCK) {
                for (stream, mask) in streams.iter_mut().zip(masks.chunks_mut(BLOCK)) {
                    F::fill(stream, &mut mask[..block.len()]);
                }
                let mut frames = sends.iter_mut();
                for (party, row) in &tables.rows {
                    let values = &mut values[..block.len()];
                    match (row.as_slice(), masks.as_slice()) {
                        ([a, b], mask) => {
                            for ((out, value), mask) in values.iter_mut().zip(block).zip(mask) {
                                *out = *a * *value + *b * *mask;
                            }
                        }
                        (row, masks) => {
                            for (out, value) in values.iter_mut().zip(block) {
                                *out = row[0] * *value;
                            }
                            for (factor, mask) in row[1..].iter().zip(masks.chunks(BLOCK)) {
                                for (out, mask) in values.iter_mut().zip(mask) {
                                    *out += *factor * *mask;
                                }
                            }
                        }
                    }
                    if *party == me {
                        own.extend_from_slice(values);
                    } else if let Some((_, frame)) = frames.next() {
                        F::encode_all(values, frame);
                    }
                }
            }
            wipe(&mut masks);
            wipe(&mut values);
        }
        let keyed = |dealer: usize| derived(dealer, &core.scheme).contains(&me);
        let expect: Vec<(usize, usize)> = dealers
            .iter()
            .filter(|(dealer, _)| *dealer != me && !keyed(*dealer))
            .map(|(dealer, length)| (*dealer, length * F::BYTES))
            .collect();
        let frames = core.link.exchange("deal", sends, &expect).await?;
        let mut frames = frames.iter();
        let mut out = Vec::with_capacity(dealers.len());
        for (dealer, length) in dealers {
            let values = if *dealer == me {
                std::mem::take(&mut own)
            } else if derived(*dealer, &core.scheme).contains(&me) {
                let mut values = vec![F::ZERO; *length];
                F::fill(&mut core.pair_stream(*dealer, context, *dealer), &mut values);
                values
            } else {
                match frames.next() {
                    Some(frame) => core.link.elements(*dealer, frame)?,
                    None => return Err(Error::Poisoned),
                }
            };
            out.push(Raw::single(values));
        }
        Ok(out)
    }

    async fn open(core: &mut Engine, raw: &Raw<F>, to: &[bool]) -> Result<Option<Vec<F>>> {
        let checked = core.echo.is_some();
        let degree = core.scheme.threshold();
        open_degree(core, &raw.own, degree, to, checked).await
    }

    async fn open_parts(core: &mut Engine, parts: Vec<F>) -> Result<Vec<F>> {
        needs_majority(core)?;
        let mut masked = zeros(core, parts.len());
        for (masked, part) in masked.iter_mut().zip(&parts) {
            *masked += *part;
        }
        let degree = 2 * core.scheme.threshold();
        let all = vec![true; core.parties()];
        let opened = open_degree(core, &masked, degree, &all, false).await?;
        Ok(opened.unwrap_or_default())
    }

    fn random(core: &mut Engine, length: usize) -> Raw<F> {
        let context = core.fresh();
        let tables = core.tables::<F>();
        let mut sum = vec![F::ZERO; length];
        let mut values = vec![F::ZERO; length.min(BLOCK)];
        for (mut stream, factor) in core.set_streams(context).into_iter().zip(&tables.sets) {
            for sum in sum.chunks_mut(BLOCK) {
                let values = &mut values[..sum.len()];
                F::fill(&mut stream, values);
                for (sum, value) in sum.iter_mut().zip(values) {
                    *sum += *value * *factor;
                }
            }
        }
        wipe(&mut values);
        Raw::single(sum)
    }

    fn known_bits(core: &mut Engine, length: usize) -> Vec<Raw<F>> {
        let context = core.fresh();
        let tables = core.tables::<F>();
        let mut streams = core.set_streams(context).into_iter().zip(&tables.sets);
        let mine: Vec<Vec<usize>> = core.sets().iter().map(|set| set.members.clone()).collect();
        let mut mine = mine.into_iter().peekable();
        let size = core.parties() - core.scheme.threshold();
        let mut all = Vec::with_capacity(core.all_sets);
        for set in crate::engine::subsets(core.parties(), size) {
            let own = if mine.next_if_eq(&set).is_some()
                && let Some((mut stream, factor)) = streams.next()
            {
                let mut bits = BitReader::default();
                (0..length)
                    .map(|_| *factor * F::from_u128(u128::from(bits.next(&mut stream))))
                    .collect()
            } else {
                vec![F::ZERO; length]
            };
            all.push(Raw::single(own));
        }
        all
    }

    fn bounded(core: &mut Engine, length: usize, bits: u32) -> Raw<F> {
        let context = core.fresh();
        let tables = core.tables::<F>();
        let mut streams = core.set_streams(context);
        let mut part = |stream: &mut Stream| {
            let wide = u128::from(stream.word()) | (u128::from(stream.word()) << 64);
            F::from_u128(wide & (u128::MAX >> (128 - bits.clamp(1, 128))))
        };
        let share = |_| tables.random_share(streams.iter_mut().map(&mut part));
        Raw::single((0..length).map(share).collect())
    }
}

/// Single bits of a stream.
#[derive(Default)]
pub(super) struct BitReader {
    word: u64,
    left: u32,
}

impl BitReader {
    pub(super) fn next(&mut self, stream: &mut Stream) -> u64 {
        if self.left == 0 {
            self.word = stream.word();
            self.left = 64;
        }
        let bit = self.word & 1;
        self.word >>= 1;
        self.left -= 1;
        bit
    }
}

/// Shares of degree 2t of zero.
fn zeros<F: Field>(core: &mut Engine, length: usize) -> Vec<F> {
    let context = core.fresh();
    let tables = core.tables::<F>();
    let (me, t) = (core.me(), core.scheme.threshold());
    let mut streams = core.set_streams(context);
    (0..length).map(|_| tables.zero_share(me, t, |set| F::sample(&mut streams[set]))).collect()
}

/// Opens shares of `degree` to some. Unchecked, each receiver hears from the `degree` parties before
/// it; checked, from all.
async fn open_degree<F: Field>(
    core: &mut Engine,
    own: &[F],
    degree: usize,
    to: &[bool],
    checked: bool,
) -> Result<Option<Vec<F>>> {
    let (me, n) = (core.me(), core.parties());
    let senders = if checked { n - 1 } else { degree };
    if senders >= n {
        return Err(Error::TooFewShares { needed: degree + 1, given: n });
    }
    let receives = |party: usize| to.get(party).copied().unwrap_or(false);
    let hears = |to: usize, from: usize| (1..=senders).any(|step| (from + step) % n == to);
    let sends = (0..n)
        .filter(|peer| *peer != me && receives(*peer) && hears(*peer, me))
        .map(|peer| (peer, Link::frame_of(own)))
        .collect();
    let from: Vec<usize> = if receives(me) {
        (0..n).filter(|peer| *peer != me && hears(me, *peer)).collect()
    } else {
        Vec::new()
    };
    let expect: Vec<_> = from.iter().map(|peer| (*peer, own.len() * F::BYTES)).collect();
    let frames = core.link.exchange("open", sends, &expect).await?;
    core.link.cost.opened += own.len() as u64;
    if !receives(me) {
        return Ok(None);
    }
    let tables = core.tables::<F>();
    let mut points = vec![tables.points[me]];
    let mut vectors = Vec::with_capacity(frames.len());
    for (peer, frame) in from.iter().zip(&frames) {
        points.push(tables.points[*peer]);
        vectors.push(core.link.elements::<F>(*peer, frame)?);
    }
    let mut values: Vec<&[F]> = vec![own];
    values.extend(vectors.iter().map(Vec::as_slice));
    if !crate::sharing::on_polynomial(&points, &values, degree) {
        core.link.poison();
        return Err(Error::CheatingDetected);
    }
    let at_zero = F::lagrange(&points[..=degree], F::ZERO);
    Ok(Some(crate::sharing::interpolate(&at_zero, &values[..=degree])))
}
