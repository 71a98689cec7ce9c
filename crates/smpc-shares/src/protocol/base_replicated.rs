//! Primitive protocols on replicated shares (Araki et al. 2016, <https://eprint.iacr.org/2016/768>).
//!
//! Party i (from 0) holds components i and i+1 and the keys i and i+1, where key i is the pairwise key
//! of parties i-1 and i. A product costs one element a party.

use sha2::{Digest, Sha256};

use super::base::Base;
use super::base_shamir::BitReader;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::field::Ring;
use crate::net::{HEADER, Link};
use crate::sharing::{Raw, Replicated, Shamir};
use crate::stream::Stream;
use crate::wipe::wipe;

/// Elements handled at a time.
const BLOCK: usize = 1024;

/// The streams of keys i and i+1 for a context.
fn keys(core: &Engine, context: u64) -> (Stream, Stream) {
    let me = core.me();
    let (before, after) = ((me + 2) % 3, (me + 1) % 3);
    (core.pair_stream(before, context, me), core.pair_stream(after, context, after))
}

/// The stream of key `component`, which this party must hold.
fn key(core: &Engine, component: usize, context: u64) -> Stream {
    let me = core.me();
    let peer = if component == me { (me + 2) % 3 } else { component };
    core.pair_stream(peer, context, component)
}

impl<R: Ring> Base<R> for Replicated {
    const REPLICATED: bool = true;

    fn split(_: &Shamir, secrets: &[R], stream: &mut Stream) -> Vec<Raw<R>> {
        Replicated::split(secrets, stream)
    }

    fn parts(raw: &Raw<R>) -> Vec<R> {
        raw.own.clone()
    }

    fn products(a: &Raw<R>, b: &Raw<R>) -> Vec<R> {
        let left = a.own.iter().zip(&a.next);
        let right = b.own.iter().zip(&b.next);
        left.zip(right).map(|((a, a1), (b, b1))| *a * (*b + *b1) + *a1 * *b).collect()
    }

    fn dots(a: &Raw<R>, b: &Raw<R>, width: usize) -> Vec<R> {
        let width = width.max(1);
        let groups = |values: &[R], other: &[R]| -> Vec<R> {
            values.chunks(width).zip(other.chunks(width)).map(|(a, b)| R::dot(a, b)).collect()
        };
        let mut sum = groups(&a.own, &b.own);
        for cross in [groups(&a.own, &b.next), groups(&a.next, &b.own)] {
            for (sum, cross) in sum.iter_mut().zip(cross) {
                *sum += cross;
            }
        }
        sum
    }

    fn additive(core: &mut Engine, raw: &Raw<R>, dealers: &[usize]) -> Vec<R> {
        // The first of two neighbours adds both of its components, the second what it lacks.
        if dealers.first() == Some(&core.me()) {
            raw.own.iter().zip(&raw.next).map(|(a, b)| *a + *b).collect()
        } else {
            raw.next.clone()
        }
    }

    async fn reshare(core: &mut Engine, mut parts: Vec<R>) -> Result<Raw<R>> {
        let context = core.fresh();
        let (mut first, mut second) = keys(core, context);
        let mut masks = [R::ZERO; BLOCK];
        let mut others = [R::ZERO; BLOCK];
        let me = core.me();
        let (before, after) = ((me + 2) % 3, (me + 1) % 3);
        let mut frame = Link::frame(parts.len() * R::BYTES);
        for block in parts.chunks_mut(BLOCK) {
            let (masks, others) = (&mut masks[..block.len()], &mut others[..block.len()]);
            R::fill(&mut first, masks);
            R::fill(&mut second, others);
            for ((part, mask), other) in block.iter_mut().zip(&*masks).zip(&*others) {
                *part += *mask - *other;
            }
            R::encode_all(block, &mut frame);
        }
        wipe(&mut masks);
        wipe(&mut others);
        let expect = [(after, parts.len() * R::BYTES)];
        let frames = core.link.exchange("multiply", vec![(before, frame)], &expect).await?;
        let [frame] = &*frames else { return Err(Error::Poisoned) };
        let next = core.link.elements(after, frame)?;
        Ok(Raw { own: parts, next })
    }

    async fn deal(
        core: &mut Engine,
        dealers: &[(usize, usize)],
        mine: &[R],
    ) -> Result<Vec<Raw<R>>> {
        let context = core.fresh();
        let me = core.me();
        let (before, after) = ((me + 2) % 3, (me + 1) % 3);
        let mut sends = Vec::new();
        let mut out: Vec<Raw<R>> = Vec::new();
        for (dealer, length) in dealers {
            // Component d comes from key d, component d+1 is the rest, component d+2 is zero.
            let mut masked = vec![R::ZERO; *length];
            if *dealer != before {
                // `before` is the dealer whose other receiver holds no key: that is us.
                R::fill(&mut key(core, *dealer, context), &mut masked);
            }
            out.push(if *dealer == me {
                if mine.len() != *length {
                    return Err(Error::LengthMismatch { left: *length, right: mine.len() });
                }
                let rest: Vec<R> = mine.iter().zip(&masked).map(|(x, m)| *x - *m).collect();
                sends.push((after, Link::frame_of(&rest)));
                Raw { own: masked, next: rest }
            } else if *dealer == after {
                Raw { own: vec![R::ZERO; *length], next: masked }
            } else {
                Raw { own: masked.clone(), next: masked }
            });
        }
        let expect: Vec<_> = dealers
            .iter()
            .filter(|(dealer, _)| *dealer == before)
            .map(|(_, length)| (before, length * R::BYTES))
            .collect();
        let frames = core.link.exchange("deal", sends, &expect).await?;
        let mut frames = frames.iter();
        for ((dealer, _), raw) in dealers.iter().zip(&mut out) {
            if *dealer == before
                && let Some(frame) = frames.next()
            {
                raw.own = core.link.elements(before, frame)?;
            }
        }
        Ok(out)
    }

    async fn open(core: &mut Engine, raw: &Raw<R>, to: &[bool]) -> Result<Option<Vec<R>>> {
        let me = core.me();
        let (before, after) = ((me + 2) % 3, (me + 1) % 3);
        let receives = |party: usize| to.get(party).copied().unwrap_or(false);
        let checked = core.echo.is_some();
        // Party i lacks component i-1: party i-1 sends it, and party i+1, who holds it too, its hash.
        let mut sends = Vec::new();
        if receives(after) {
            sends.push((after, Link::frame_of(&raw.own)));
        }
        if checked && receives(before) {
            let mut frame = Link::frame(32);
            frame.extend_from_slice(&digest(&Link::frame_of(&raw.next)));
            sends.push((before, frame));
        }
        let mut expect = Vec::new();
        if receives(me) {
            expect.push((before, raw.len() * R::BYTES));
            if checked {
                expect.push((after, 32));
            }
        }
        let frames = core.link.exchange("open", sends, &expect).await?;
        core.link.cost.opened += raw.len() as u64;
        if !receives(me) {
            return Ok(None);
        }
        let Some(frame) = frames.first() else { return Err(Error::Poisoned) };
        if let Some(copy) = frames.get(1)
            && copy[HEADER..] != digest(frame)
        {
            core.link.poison();
            return Err(Error::CheatingDetected);
        }
        let missing: Vec<R> = core.link.elements(before, frame)?;
        let sum = raw.own.iter().zip(&raw.next).zip(missing).map(|((a, b), c)| *a + *b + c);
        Ok(Some(sum.collect()))
    }

    async fn open_parts(core: &mut Engine, mut parts: Vec<R>) -> Result<Vec<R>> {
        let context = core.fresh();
        let (mut first, mut second) = keys(core, context);
        let mut masks = vec![R::ZERO; parts.len()];
        R::fill(&mut first, &mut masks);
        add(&mut parts, &masks);
        R::fill(&mut second, &mut masks);
        for (part, mask) in parts.iter_mut().zip(&masks) {
            *part -= *mask;
        }
        wipe(&mut masks);
        let peers = core.peers();
        let sends = peers.iter().map(|peer| (*peer, Link::frame_of(&parts))).collect();
        let expect: Vec<_> = peers.iter().map(|peer| (*peer, parts.len() * R::BYTES)).collect();
        let frames = core.link.exchange("open/parts", sends, &expect).await?;
        core.link.cost.opened += parts.len() as u64;
        for (peer, frame) in peers.iter().zip(&frames) {
            let theirs: Vec<R> = core.link.elements(*peer, frame)?;
            add(&mut parts, &theirs);
        }
        Ok(parts)
    }

    fn random(core: &mut Engine, length: usize) -> Raw<R> {
        let context = core.fresh();
        let (mut first, mut second) = keys(core, context);
        let mut raw = Raw { own: vec![R::ZERO; length], next: vec![R::ZERO; length] };
        R::fill(&mut first, &mut raw.own);
        R::fill(&mut second, &mut raw.next);
        raw
    }

    fn known_bits(core: &mut Engine, length: usize) -> Vec<Raw<R>> {
        let context = core.fresh();
        let (first, second) = keys(core, context);
        let read = |mut stream: Stream| -> Vec<R> {
            let mut bits = BitReader::default();
            (0..length).map(|_| R::from_u128(u128::from(bits.next(&mut stream)))).collect()
        };
        let (own, next) = (read(first), read(second));
        let me = core.me();
        let zeros = || vec![R::ZERO; length];
        (0..3)
            .map(|component| match component {
                _ if component == me => Raw { own: own.clone(), next: zeros() },
                _ if component == (me + 1) % 3 => Raw { own: zeros(), next: next.clone() },
                _ => Raw { own: zeros(), next: zeros() },
            })
            .collect()
    }

    fn bounded(core: &mut Engine, length: usize, bits: u32) -> Raw<R> {
        let context = core.fresh();
        let (first, second) = keys(core, context);
        let read = |mut stream: Stream| -> Vec<R> {
            (0..length)
                .map(|_| {
                    let wide = u128::from(stream.word()) | (u128::from(stream.word()) << 64);
                    R::from_u128(wide & (u128::MAX >> (128 - bits.clamp(1, 128))))
                })
                .collect()
        };
        Raw { own: read(first), next: read(second) }
    }
}

fn add<R: Ring>(sum: &mut [R], values: &[R]) {
    for (sum, value) in sum.iter_mut().zip(values) {
        *sum += *value;
    }
}

fn digest(frame: &[u8]) -> [u8; 32] {
    Sha256::digest(frame.get(HEADER..).unwrap_or_default()).into()
}
