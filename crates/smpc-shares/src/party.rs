//! One party of a session: inputs, products, openings.

use std::fmt;
use std::sync::Arc;

use privacy_core::random::SecureRng;

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::field::Ring;
use crate::net::{Config, Cost, Link};
use crate::opening::{OpenPolicy, Opening, Price};
use crate::protocol::base::Base;
use crate::security::Scheme;
use crate::sharing::{Place, Raw, Shamir, ShareVec};

mod input;
mod verify;

/// One party of a running session, with its keys and links.
///
/// All parties run the same program. Local operations are operators of [`ShareVec`]; what needs the
/// others is an `async` method here. After an error the session is over: whatever failed, nothing
/// more is sent or opened.
///
/// The oldest example of the field: three players each input a number in GF(257), and open the sum.
///
/// ```
/// use smpc_shares::{Party, field::Prime64, net::{Config, simulate}};
///
/// type F = Prime64<257>;
/// const INPUTS: [i32; 3] = [10, 200, 100];
/// let results = simulate(Config::shamir(3, 1), async |party: &mut Party<F>| {
///     let mine = [F::from(INPUTS[party.index()])];
///     let [a, b, c] = party.input_from_all_as(&mine).await?;
///     party.open(&(a + b + c)).await
/// })?;
/// assert!(results.iter().all(|sum| sum[0] == F::from(53)));
/// # Ok::<(), smpc_shares::Error>(())
/// ```
pub struct Party<R: Ring, S: Scheme<R> = Shamir> {
    pub(crate) core: Engine,
    pub(crate) place: Arc<Place<R>>,
    /// Values with their MACs that no check has covered yet.
    pending: Vec<(Raw<R>, Raw<R>)>,
    policy: Option<Box<dyn OpenPolicy>>,
    purpose: &'static str,
    contributors: u64,
    price: Option<Price>,
    scheme: std::marker::PhantomData<S>,
}

impl<R: Ring, S: Scheme<R>> Party<R, S> {
    pub(crate) async fn start(
        link: Link,
        config: &Config,
        rng: Box<dyn SecureRng>,
    ) -> Result<Self> {
        S::validate(config)?;
        let modulus = R::from_i128(-1).to_u128();
        let name = format!("{} {} {modulus}", S::NAME, R::NAME);
        let mut core =
            Engine::start(link, config, &name, (S::ACTIVE, S::Base::REPLICATED), rng).await?;
        let place = Arc::new(Self::new_place(&mut core));
        Ok(Party {
            core,
            place,
            pending: Vec::new(),
            policy: None,
            purpose: "unnamed",
            contributors: config.parties as u64,
            price: None,
            scheme: std::marker::PhantomData,
        })
    }

    fn new_place(core: &mut Engine) -> Place<R> {
        let key = if S::ACTIVE { S::Base::random(core, 1) } else { Raw::empty() };
        Place {
            id: core.me() + 1,
            parties: core.parties(),
            threshold: core.scheme.threshold(),
            replicated: S::Base::REPLICATED,
            key,
        }
    }

    /// This party's number, counted from 1.
    #[must_use]
    pub fn id(&self) -> usize {
        self.core.me() + 1
    }

    /// This party's number, counted from 0.
    #[must_use]
    pub fn index(&self) -> usize {
        self.core.me()
    }

    /// The number of parties.
    #[must_use]
    pub fn parties(&self) -> usize {
        self.core.parties()
    }

    /// How many parties may pool what they know without learning anything.
    #[must_use]
    pub fn threshold(&self) -> usize {
        self.core.scheme.threshold()
    }

    /// What this party's part cost so far.
    #[must_use]
    pub fn cost(&self) -> Cost {
        self.core.link.cost
    }

    pub(crate) fn clock(&self) -> f64 {
        self.core.link.clock
    }

    /// A local random source.
    pub fn rng(&mut self) -> &mut dyn SecureRng {
        &mut *self.core.rng
    }

    /// Asks `policy` before every opening from now on.
    pub fn set_policy(&mut self, policy: impl OpenPolicy + 'static) {
        self.policy = Some(Box::new(policy));
    }

    /// Says what the next openings are for, and how many people's data they aggregate. The policy
    /// sees both.
    pub fn declare(&mut self, purpose: &'static str, contributors: u64) {
        self.purpose = purpose;
        self.contributors = contributors;
    }

    /// Says what the next opening costs in privacy: that one alone. A policy with a
    /// [budget](crate::opening::Policy::paid_from) refuses openings without a price.
    pub fn declare_price(&mut self, price: Price) {
        self.price = Some(price);
    }

    pub(crate) fn wrap(&self, raw: Raw<R>, mac: Raw<R>) -> ShareVec<R, S> {
        ShareVec::new(raw, mac, &self.place)
    }

    /// A public vector as shares. No communication.
    pub fn public(&self, values: &[R]) -> ShareVec<R, S> {
        self.wrap(self.place.constant(values), self.place.constant_mac(values))
    }

    fn is_current(&self, shares: &ShareVec<R, S>) -> bool {
        Arc::ptr_eq(&shares.place, &self.place)
    }

    /// Element by element, the product. One round.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`], [`Error::Mismatch`]; [`Error::Parameter`] unless there is an
    /// honest majority; those of the session.
    pub async fn multiply(
        &mut self,
        a: &ShareVec<R, S>,
        b: &ShareVec<R, S>,
    ) -> Result<ShareVec<R, S>> {
        self.multiply_all(&[(a, b)]).await?.pop().ok_or(Error::Poisoned)
    }

    /// Element by element, the square. One round.
    ///
    /// # Errors
    ///
    /// As [`multiply`](Party::multiply).
    pub async fn square(&mut self, a: &ShareVec<R, S>) -> Result<ShareVec<R, S>> {
        self.multiply(a, a).await
    }

    /// Several products of vectors, together in one round.
    ///
    /// # Errors
    ///
    /// As [`multiply`](Party::multiply).
    pub async fn multiply_all(
        &mut self,
        pairs: &[(&ShareVec<R, S>, &ShareVec<R, S>)],
    ) -> Result<Vec<ShareVec<R, S>>> {
        self.products(pairs, None).await
    }

    /// The sum of products, a vector of length 1. One round and the price of one product, whatever
    /// the length.
    ///
    /// # Errors
    ///
    /// As [`multiply`](Party::multiply).
    pub async fn dot(&mut self, a: &ShareVec<R, S>, b: &ShareVec<R, S>) -> Result<ShareVec<R, S>> {
        self.dot_groups(a, b, a.len().max(1)).await
    }

    /// The sums of products over consecutive groups of `width` elements. One round and the price of
    /// one product a group.
    ///
    /// # Errors
    ///
    /// As [`multiply`](Party::multiply).
    pub async fn dot_groups(
        &mut self,
        a: &ShareVec<R, S>,
        b: &ShareVec<R, S>,
        width: usize,
    ) -> Result<ShareVec<R, S>> {
        self.products(&[(a, b)], Some(width)).await?.pop().ok_or(Error::Poisoned)
    }

    /// The product of matrices in row-major order, `rows`×`inner` and `inner`×`columns`. One round
    /// and the price of one product a cell of the result.
    ///
    /// # Errors
    ///
    /// As [`multiply`](Party::multiply).
    pub async fn matrix_product(
        &mut self,
        a: &ShareVec<R, S>,
        b: &ShareVec<R, S>,
        (rows, inner, columns): (usize, usize, usize),
    ) -> Result<ShareVec<R, S>> {
        let sizes = [(a.len(), rows.checked_mul(inner)), (b.len(), inner.checked_mul(columns))];
        for (length, size) in sizes {
            if size != Some(length) {
                let right = size.unwrap_or(usize::MAX);
                return Err(Error::LengthMismatch { left: length, right });
            }
        }
        let mut left = Vec::with_capacity(rows * columns * inner);
        let mut right = Vec::with_capacity(rows * columns * inner);
        for row in 0..rows {
            for column in 0..columns {
                left.extend(row * inner..(row + 1) * inner);
                right.extend((0..inner).map(|i| i * columns + column));
            }
        }
        self.dot_groups(&a.gather(&left), &b.gather(&right), inner).await
    }

    async fn products(
        &mut self,
        pairs: &[(&ShareVec<R, S>, &ShareVec<R, S>)],
        width: Option<usize>,
    ) -> Result<Vec<ShareVec<R, S>>> {
        let mut renewed = Vec::new();
        for (a, b) in pairs {
            a.checked()?;
            b.checked()?;
            if a.len() != b.len() {
                return Err(Error::LengthMismatch { left: a.len(), right: b.len() });
            }
            let a_new = if self.is_current(a) { None } else { Some(self.current(a).await?) };
            let b_new = if self.is_current(b) { None } else { Some(self.current(b).await?) };
            renewed.push((a_new, b_new));
        }
        let local = |a: &Raw<R>, b: &Raw<R>| match width {
            None => S::Base::products(a, b),
            Some(width) => S::Base::dots(a, b, width),
        };
        let mut parts = Vec::new();
        let mut lengths = Vec::new();
        let mut macs = Vec::new();
        for ((a, b), (a_new, b_new)) in pairs.iter().zip(&renewed) {
            let (a, b) = (a_new.as_ref().unwrap_or(a), b_new.as_ref().unwrap_or(b));
            let products = local(&a.raw, &b.raw);
            lengths.push(products.len());
            if parts.is_empty() {
                parts = products;
            } else {
                parts.extend(products);
            }
            if S::ACTIVE {
                macs.extend(local(&a.mac, &b.raw));
            }
        }
        let values = parts.len();
        parts.extend(macs);
        let shared = S::Base::reshare(&mut self.core, parts).await?;
        if !S::ACTIVE && lengths.len() == 1 {
            return Ok(vec![self.wrap(shared, Raw::empty())]);
        }
        let mut start = 0;
        let mut out = Vec::with_capacity(lengths.len());
        for length in lengths {
            let raw = shared.range(start..start + length);
            let mac = if S::ACTIVE {
                shared.range(values + start..values + start + length)
            } else {
                Raw::empty()
            };
            start += length;
            if S::ACTIVE {
                self.pending.push((raw.clone(), mac.clone()));
            }
            out.push(self.wrap(raw, mac));
        }
        Ok(out)
    }

    /// Uniform elements that nobody knows. No communication (one product each for its MAC in
    /// active security).
    ///
    /// # Errors
    ///
    /// Those of the session, in active security.
    pub async fn random(&mut self, length: usize) -> Result<ShareVec<R, S>> {
        let raw = S::Base::random(&mut self.core, length);
        self.adopt(raw).await
    }

    /// Shares that were made without a message, with MACs where there are some.
    pub(crate) async fn adopt(&mut self, raw: Raw<R>) -> Result<ShareVec<R, S>> {
        if !S::ACTIVE {
            return Ok(self.wrap(raw, Raw::empty()));
        }
        self.authenticate(vec![raw]).await?.pop().ok_or(Error::Poisoned)
    }

    /// Opens masked values to all inside a protocol: checked, but not held back for the MACs.
    pub(crate) async fn open_masked(&mut self, shares: &ShareVec<R, S>) -> Result<Vec<R>> {
        shares.checked()?;
        let all = vec![true; self.parties()];
        let opened = S::Base::open(&mut self.core, &shares.raw, &all).await?;
        opened.ok_or(Error::Poisoned)
    }

    /// Opens secrets to all parties. One round (and a check of everything before it in active
    /// security).
    ///
    /// # Privacy
    ///
    /// What is opened is no longer secret. The [policy](Party::set_policy) decides first.
    ///
    /// # Errors
    ///
    /// [`Error::OpeningRefused`] and [`Error::Budget`] by the policy, before anything is sent;
    /// [`Error::CheatingDetected`] in active security; those of the session.
    pub async fn open(&mut self, shares: &ShareVec<R, S>) -> Result<Vec<R>> {
        let all: Vec<usize> = (1..=self.parties()).collect();
        self.open_to(shares, &all).await?.ok_or(Error::Poisoned)
    }

    /// Opens secrets to the parties with these ids; `None` for the others.
    ///
    /// # Errors
    ///
    /// As [`open`](Party::open); [`Error::BadParties`] for an id that there is not.
    pub async fn open_to(
        &mut self,
        shares: &ShareVec<R, S>,
        recipients: &[usize],
    ) -> Result<Option<Vec<R>>> {
        shares.checked()?;
        let mut to = vec![false; self.parties()];
        for party in recipients {
            match party.checked_sub(1).and_then(|party| to.get_mut(party)) {
                Some(slot) => *slot = true,
                None => return Err(Error::BadParties),
            }
        }
        if shares.place.id != self.id() || shares.place.replicated != S::Base::REPLICATED {
            return Err(Error::Mismatch);
        }
        let price = self.price.take();
        if let Some(policy) = &mut self.policy {
            policy.permit(&Opening {
                purpose: self.purpose,
                values: shares.len(),
                contributors: self.contributors,
                recipients,
                price: price.as_ref(),
            })?;
        }
        self.verify().await?;
        S::Base::open(&mut self.core, &shares.raw, &to).await
    }
}

impl<R: Ring, S: Scheme<R>> fmt::Debug for Party<R, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Party")
            .field("id", &self.id())
            .field("parties", &self.parties())
            .field("scheme", &S::NAME)
            .field("ring", &R::NAME)
            .finish_non_exhaustive()
    }
}
