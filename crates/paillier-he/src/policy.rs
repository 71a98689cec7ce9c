//! Who may open what: sums of enough contributors, and nothing else.
//!
//! Whoever holds a private key can open every ciphertext, and Paillier ciphertexts are malleable, so
//! that a ciphertext that looks like a sum may be one person's number. Keep the key in an
//! [`Opener`], which takes [`Sums`] of a [`Tally`] alone, and let the tally run where the opener
//! trusts it: the number of contributors is the tally's word.
//!
//! # Security
//!
//! The policy guards against mistakes and curiosity of the one who opens. It is no protection
//! against an aggregator that lies about how a sum was made.

use std::collections::HashSet;
use std::fmt;

use privacy_core::access::{Promise, Resource};
use privacy_core::context::{Ask, Context, Paid};
use privacy_core::guarantee::Guarantee;
use privacy_core::random::SecureRng;
use sha3::Shake256;
use sha3::digest::{ExtendableOutput, Update, XofReader};

use crate::ciphertext::{CiphertextVec, Derived};
use crate::error::{Error, Result};
use crate::key::{Encryptor, PrivateKey, PublicKey};
use crate::number::Number;

/// Adds columns of different contributors, each at most once.
///
/// # Example
///
/// See `examples/encrypted_sessions.rs` in the repository.
pub struct Tally {
    key: PublicKey,
    contributors: HashSet<[u8; 32]>,
    sums: Option<CiphertextVec<Derived>>,
}

/// The sums of a [`Tally`], blinded, with the number of contributors.
#[derive(Clone, Debug)]
pub struct Sums {
    column: CiphertextVec,
    contributors: u64,
}

impl Tally {
    /// No contributors yet.
    #[must_use]
    pub fn new(key: &PublicKey) -> Self {
        Tally { key: key.clone(), contributors: HashSet::new(), sums: None }
    }

    /// Adds the column of a contributor.
    ///
    /// # Errors
    ///
    /// [`Error::Policy`] if the contributor was added before; otherwise as [`CiphertextVec::add`].
    /// In each case the tally stays as it was.
    pub fn add(&mut self, contributor: &[u8], column: &CiphertextVec) -> Result<()> {
        self.key.check_same(column.public_key())?;
        let mut xof = Shake256::default();
        xof.update(contributor);
        let mut name = [0; 32];
        xof.finalize_xof().read(&mut name);
        if self.contributors.contains(&name) {
            return Err(Error::Policy { reason: "a contributor is counted once" });
        }
        let sums = match &self.sums {
            None => column.derived(),
            Some(sums) => sums.add(column)?,
        };
        self.sums = Some(sums);
        self.contributors.insert(name);
        Ok(())
    }

    /// How many contributors were added.
    #[must_use]
    pub fn contributors(&self) -> u64 {
        self.contributors.len() as u64
    }

    /// The blinded sums.
    ///
    /// # Errors
    ///
    /// [`Error::Policy`] if nobody contributed; as [`CiphertextVec::blind`].
    pub fn close(self, encryptor: &impl Encryptor, rng: &mut dyn SecureRng) -> Result<Sums> {
        let contributors = self.contributors();
        let sums = self.sums.ok_or(Error::Policy { reason: "nobody contributed" })?;
        Ok(Sums { column: sums.blind(encryptor, rng)?, contributors })
    }
}

impl Sums {
    /// The sums that another process has tallied; `contributors` is its word.
    #[must_use]
    pub fn received(column: CiphertextVec, contributors: u64) -> Self {
        Sums { column, contributors }
    }

    /// The encrypted sums.
    #[must_use]
    pub fn column(&self) -> &CiphertextVec {
        &self.column
    }

    /// How many contributors they have.
    #[must_use]
    pub fn contributors(&self) -> u64 {
        self.contributors
    }
}

/// A rule of one's own, asked before anything is opened.
pub trait Rule: Send + Sync {
    /// Whether the sums may be opened.
    ///
    /// # Errors
    ///
    /// [`Error::Policy`] with the reason why not.
    fn permit(&self, sums: &Sums) -> Result<()>;
}

impl<F: Fn(&Sums) -> Result<()> + Send + Sync> Rule for F {
    fn permit(&self, sums: &Sums) -> Result<()> {
        self(sums)
    }
}

/// A private key that opens sums of enough contributors alone.
///
/// What has been opened without noise is as sensitive as the numbers in it. Sums that the contributors
/// added noise to go through [`Opener::open_charged`], which pays for them first; an opener that is
/// [charged only](Opener::charged_only) opens nothing else.
///
/// # Example
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use paillier_he::policy::{Opener, Tally};
/// use paillier_he::prelude::*;
/// use privacy_core::prelude::*;
/// # let mut rng = SystemRng::new()?;
/// # let key = PrivateKey::generate(KeyOptions::insecure_for_tests(512), &mut rng)?;
/// # let public = key.public_key().clone();
/// # let encoding = Encoding::integers_up_to(1000u32);
/// let opener = Opener::new(key, 3)?.charged_only();
/// let mut tally = Tally::new(&public);
/// for (name, noisy) in [(b"a", 12), (b"b", -3), (b"c", 7)] {
///     tally.add(name, &public.encrypt_batch(&[noisy], &encoding, &mut rng)?)?;
/// }
/// let sums = tally.close(&public, &mut rng)?;
///
/// let mut cx = Context::new(Actor::new("analyst"), Purpose::new("weekly report"))?
///     .with_budget(MemoryBudget::new(Epsilon::new(1.0)?));
/// // What the shares of noise make of the sum, as whoever priced them says.
/// let price = Charge::from(Epsilon::new(0.5)?);
/// let ask = Ask::new(Resource::new("sessions"), price, Scope::of::<User, AddRemove>());
/// let opened = opener.open_charged(&sums, ask, &mut cx)?;
/// assert_eq!(opened.value[0].to_i128(), Some(16));
/// assert_eq!(cx.remaining()?.unwrap().to_string(), "ε = 0.5");
/// # Ok(()) }
/// ```
pub struct Opener {
    key: PrivateKey,
    least: u64,
    charged_only: bool,
    rules: Vec<Box<dyn Rule>>,
}

impl Opener {
    /// Opens sums of at least `least` contributors.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for fewer than 2: a sum of one is a person's number.
    pub fn new(key: PrivateKey, least: u64) -> Result<Self> {
        if least < 2 {
            let parameter = "the least number of contributors";
            return Err(Error::Parameter { parameter, requirement: "at least 2" });
        }
        Ok(Opener { key, least, charged_only: false, rules: Vec::new() })
    }

    /// Also asks `rule`.
    #[must_use]
    pub fn with_rule(mut self, rule: impl Rule + 'static) -> Self {
        self.rules.push(Box::new(rule));
        self
    }

    /// Refuses to open anything that is not [paid for](Opener::open_charged).
    #[must_use]
    pub fn charged_only(self) -> Self {
        Opener { charged_only: true, ..self }
    }

    /// The public key.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    /// Opens the sums.
    ///
    /// # Errors
    ///
    /// [`Error::Policy`] with nothing opened; as [`PrivateKey::decrypt_batch`].
    pub fn open(&self, sums: &Sums) -> Result<Vec<Number>> {
        self.permit(sums, false)?;
        self.key.decrypt_batch(&sums.column)
    }

    /// Opens the sums and records that in the context's audit trail first.
    ///
    /// # Errors
    ///
    /// As [`Opener::open`], and [`privacy_core::Error::Storage`] if the record cannot be written;
    /// then nothing is opened.
    pub fn open_recorded(
        &self,
        sums: &Sums,
        resource: Resource,
        cx: &mut Context,
    ) -> privacy_core::Result<Vec<Number>> {
        self.permit(sums, false)?;
        cx.record(resource, Guarantee::None)?;
        Ok(self.key.decrypt_batch(&sums.column)?)
    }

    /// Opens sums that hold noise, and pays for them: the context's budget reserves the price, the
    /// sums are opened, the price is committed and the release recorded, and only then are the
    /// numbers handed out. An authorizer is promised groups of as many as have contributed.
    ///
    /// # Privacy
    ///
    /// The price of the `ask` must be what the shares of noise make of these sums, such as
    /// `dp_mechanisms` says of its `NoiseShares`; that there was noise cannot be seen from here.
    ///
    /// # Errors
    ///
    /// [`Error::Policy`] and [`Error::OtherKey`] with nothing asked of the budget; as
    /// [`Context::release`], with nothing opened for want of permission, budget or randomness. If the
    /// ciphertexts do not decrypt or the trail cannot be written, the price stays spent, and nothing
    /// is handed out.
    pub fn open_charged(
        &self,
        sums: &Sums,
        ask: Ask,
        cx: &mut Context,
    ) -> privacy_core::Result<Paid<Vec<Number>>> {
        self.permit(sums, true)?;
        self.public_key().check_same(sums.column.public_key())?;
        let ask = ask.promising(Promise::GroupsOf(sums.contributors));
        cx.release(ask, |_| Ok(self.key.decrypt_batch(&sums.column)?))
    }

    fn permit(&self, sums: &Sums, charged: bool) -> Result<()> {
        if self.charged_only && !charged {
            return Err(Error::Policy { reason: "openings are charged to a budget" });
        }
        if sums.contributors < self.least {
            return Err(Error::Policy { reason: "too few contributors" });
        }
        self.rules.iter().try_for_each(|rule| rule.permit(sums))
    }
}

impl fmt::Debug for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tally").field("contributors", &self.contributors()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opener").field("least", &self.least).finish_non_exhaustive()
    }
}
