//! Products from triples made beforehand (Beaver 1991): shares of random a, b and of c = a·b.
//!
//! With x - a and y - b opened, x·y = c + (x - a)·b + (y - b)·a + (x - a)·(y - b) is a local sum. All
//! that depends on the inputs is two openings; they need no honest majority.

use privacy_core::random::SecureRng;

use crate::error::{Error, Result};
use crate::field::Ring;
use crate::net::Config;
use crate::party::Party;
use crate::protocol::base::Base;
use crate::security::Scheme;
use crate::sharing::{Raw, ShareVec};
use crate::stream::Stream;

/// Shares of random a, b and c = a·b that nobody knows. Each triple serves one product: they are
/// neither cloned nor given back.
#[derive(Debug)]
#[must_use]
pub struct Triples<R: Ring, S> {
    a: ShareVec<R, S>,
    b: ShareVec<R, S>,
    c: ShareVec<R, S>,
}

impl<R: Ring, S> Triples<R, S> {
    /// How many products they serve.
    #[must_use]
    pub fn len(&self) -> usize {
        self.a.len()
    }

    /// Whether none is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.a.is_empty()
    }

    /// Takes the first `count` out; all there are, if they are fewer.
    pub fn take(&mut self, count: usize) -> Self {
        let count = count.min(self.len());
        let cut = |shares: &mut ShareVec<R, S>| {
            let first = shares.slice(0..count);
            *shares = shares.slice(count..shares.len());
            first
        };
        Triples { a: cut(&mut self.a), b: cut(&mut self.b), c: cut(&mut self.c) }
    }
}

/// A dealer who makes triples for all parties, **and so knows the masks of every product**: whoever
/// is the dealer, or sees its random source, learns all inputs.
///
/// For tests, benches, and measuring what a preprocessing phase would save. In earnest use
/// [`Party::triples`].
///
/// ```
/// use std::sync::Mutex;
/// use privacy_core::random::SystemRng;
/// use smpc_shares::{Party, Shamir, field::Mersenne61 as F, net::{Config, simulate}};
/// use smpc_shares::protocol::TrustedDealerForTestsOnly;
///
/// // Three of four may pool what they know: no honest majority, but a dealer.
/// let config = Config::shamir(4, 3);
/// let mut dealer = TrustedDealerForTestsOnly::new(&mut SystemRng::new()?)?;
/// let dealt = dealer.triples::<F, Shamir>(&config, 1)?;
/// let dealt = Mutex::new(dealt.into_iter().map(Some).collect::<Vec<_>>());
/// let results = simulate(config, async |party: &mut Party<F>| {
///     let mine = dealt.lock().unwrap()[party.index()].take().unwrap();
///     let triples = party.accept_from_dealer(mine).await?;
///     let shared = party.input_from_all(&[F::from(party.id() as u64)]).await?;
///     let product = party.multiply_with(&shared[2], &shared[3], triples).await?;
///     party.open(&product).await
/// })?;
/// assert_eq!(results[0], [F::from(12)]);
/// # Ok::<(), smpc_shares::Error>(())
/// ```
#[derive(Debug)]
pub struct TrustedDealerForTestsOnly {
    stream: Stream,
}

/// One party's part of what a [`TrustedDealerForTestsOnly`] dealt.
#[must_use]
pub struct DealtForTestsOnly<R: Ring, S> {
    raw: [Raw<R>; 3],
    party: usize,
    parties: usize,
    scheme: std::marker::PhantomData<fn() -> S>,
}

impl<R: Ring, S> std::fmt::Debug for DealtForTestsOnly<R, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DealtForTestsOnly").field("party", &self.party).finish_non_exhaustive()
    }
}

impl TrustedDealerForTestsOnly {
    /// A dealer with a random source of its own.
    ///
    /// # Errors
    ///
    /// [`Error::Entropy`].
    pub fn new(rng: &mut dyn SecureRng) -> Result<Self> {
        Ok(TrustedDealerForTestsOnly { stream: Stream::fresh(rng)? })
    }

    /// The parts of party 1, 2, … of `length` triples.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] or [`Error::FieldTooSmall`] if there can be no such session.
    pub fn triples<R: Ring, S: Scheme<R>>(
        &mut self,
        config: &Config,
        length: usize,
    ) -> Result<Vec<DealtForTestsOnly<R, S>>> {
        S::validate(config)?;
        let scheme = config.scheme()?;
        let mut a = Raw::single(vec![R::ZERO; length]);
        let mut b = a.clone();
        R::fill(&mut self.stream, &mut a.own);
        R::fill(&mut self.stream, &mut b.own);
        let c = a.scale_each(&b.own);
        let mut split =
            |secrets: Raw<R>| S::Base::split(&scheme, &secrets.own, &mut self.stream).into_iter();
        let (a, b, c) = (split(a), split(b), split(c));
        let part = |(party, ((a, b), c))| DealtForTestsOnly {
            raw: [a, b, c],
            party,
            parties: scheme.parties(),
            scheme: std::marker::PhantomData,
        };
        Ok((1..).zip(a.zip(b).zip(c)).map(part).collect())
    }
}

impl<R: Ring, S: Scheme<R>> Party<R, S> {
    /// Triples that nobody knows, from pseudo-random double sharing (Damgård, Nielsen 2007, with the
    /// double sharings of Cramer, Damgård, Ishai 2005): a, b and a mask r are shared without a message,
    /// and a·b + r is opened. One round. In active security the product is a checked one.
    ///
    /// # Errors
    ///
    /// As [`multiply`](Party::multiply).
    pub async fn triples(&mut self, length: usize) -> Result<Triples<R, S>> {
        let (a, b) = (self.random(length).await?, self.random(length).await?);
        let c = if S::ACTIVE {
            self.multiply(&a, &b).await?
        } else {
            let mask = self.random(length).await?;
            let mut parts = S::Base::products(&a.raw, &b.raw);
            for (part, mask) in parts.iter_mut().zip(S::Base::parts(&mask.raw)) {
                *part += mask;
            }
            let opened = S::Base::open_parts(&mut self.core, parts).await?;
            -mask + &self.public(&opened)
        };
        Ok(Triples { a, b, c })
    }

    /// The triples that a dealer made for this party. No communication (one product each for its MAC
    /// in active security).
    ///
    /// # Security
    ///
    /// None against the dealer; a dealer that deals wrong triples makes wrong products.
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`] for another party's part; those of the session.
    pub async fn accept_from_dealer(
        &mut self,
        dealt: DealtForTestsOnly<R, S>,
    ) -> Result<Triples<R, S>> {
        if (dealt.party, dealt.parties) != (self.id(), self.parties()) {
            return Err(Error::Mismatch);
        }
        let [a, b, c] = dealt.raw;
        Ok(Triples { a: self.adopt(a).await?, b: self.adopt(b).await?, c: self.adopt(c).await? })
    }

    /// Element by element, the product, at the price of one triple each: one round, two openings.
    /// Needs no honest majority where the triples come from a dealer.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`] unless there is one triple for each product; those of the session.
    pub async fn multiply_with(
        &mut self,
        x: &ShareVec<R, S>,
        y: &ShareVec<R, S>,
        triples: Triples<R, S>,
    ) -> Result<ShareVec<R, S>> {
        let length = x.checked()?.len();
        for other in [y.checked()?.len(), triples.len()] {
            if other != length {
                return Err(Error::LengthMismatch { left: length, right: other });
            }
        }
        let (x, y) = (self.renewed(x).await?, self.renewed(y).await?);
        let a = self.renewed(&triples.a).await?;
        let b = self.renewed(&triples.b).await?;
        let c = self.renewed(&triples.c).await?;
        let opened = self.open_masked(&(&x - &a).chain(&(&y - &b))).await?;
        let (d, e) = opened.split_at_checked(length).ok_or(Error::Poisoned)?;
        let both: Vec<R> = d.iter().zip(e).map(|(d, e)| *d * *e).collect();
        Ok((c + b.times_public(d) + a.times_public(e)).plus_public(&both))
    }
}
