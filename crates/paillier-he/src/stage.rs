//! Stages for the pipelines of `privacy-core`: encrypt, aggregate, decrypt.
//!
//! # Example
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use paillier_he::prelude::*;
//! use paillier_he::stage::{Aggregate, Decrypt, Encrypt};
//! use privacy_core::prelude::*;
//! # let mut rng = SystemRng::new()?;
//! # let key = PrivateKey::generate(KeyOptions::insecure_for_tests(512), &mut rng)?;
//!
//! let public = key.public_key().clone();
//! let encrypt = Encrypt::<i64>::new(public.clone(), Encoding::integers_up_to(1000u32));
//! let pipeline = Pipeline::new(encrypt).then(Aggregate::new(public)).then(Decrypt::new(key));
//! let mut cx = Context::new(Actor::new("billing"), Purpose::new("monthly total"))?;
//! let total = pipeline.run(Sensitive::new(vec![vec![20, 1], vec![22, 2]]), &mut cx)?;
//! assert_eq!(total.expose()[0].to_i128(), Some(42));
//! # Ok(()) }
//! ```

use std::borrow::Cow;
use std::marker::PhantomData;

use privacy_core::access::Resource;
use privacy_core::context::{Ask, Context};
use privacy_core::error::Result;
use privacy_core::guarantee::{Effect, Guarantee};
use privacy_core::measure::Charge;
use privacy_core::sensitive::Sensitive;
use privacy_core::stage::Stage;
use privacy_core::unit::Scope;

use crate::ciphertext::{CiphertextVec, encrypt_batch};
use crate::error::Error;
use crate::key::{Mode, PrivateKey, PublicKey};
use crate::number::{Encoding, Number, Value};
use crate::policy::{Opener, Sums};

/// Encrypts rows of values; each row becomes a column of ciphertexts.
#[derive(Debug)]
pub struct Encrypt<V> {
    key: PublicKey,
    encoding: Encoding,
    values: PhantomData<fn() -> V>,
}

impl<V> Encrypt<V> {
    /// Encrypts under `key`.
    #[must_use]
    pub fn new(key: PublicKey, encoding: Encoding) -> Self {
        Encrypt { key, encoding, values: PhantomData }
    }
}

/// What may be said of ciphertexts under a key.
#[must_use]
pub fn guarantee(key: &PublicKey) -> Guarantee {
    let assumption = match key.mode() {
        Mode::Standard => "decisional composite residuosity",
        Mode::Djn => "decisional composite residuosity with short exponents",
        Mode::Subgroup => "decisional composite residuosity in a hidden subgroup",
    };
    let scheme = format!("Paillier encryption with a key of {} bits", key.bits());
    Guarantee::Confidential { scheme: scheme.into(), assumption: assumption.into() }
}

impl<V: Value> Stage for Encrypt<V> {
    type Input = Sensitive<Vec<Vec<V>>>;
    type Output = Vec<CiphertextVec>;

    fn name(&self) -> Cow<'static, str> {
        "encrypt".into()
    }

    fn effect(&self) -> Effect {
        Effect::Establishes { guarantee: guarantee(&self.key), distance: 1 }
    }

    fn run(&self, rows: Self::Input, cx: &mut Context) -> Result<Self::Output> {
        let encrypt = |row: &Vec<V>| {
            encrypt_batch(&self.key, row, &self.encoding, cx.rng()).map_err(Into::into)
        };
        rows.expose().iter().map(encrypt).collect()
    }
}

/// Adds columns number by number and blinds the sums.
#[derive(Debug)]
pub struct Aggregate {
    key: PublicKey,
}

impl Aggregate {
    /// Adds ciphertexts under `key`.
    #[must_use]
    pub fn new(key: PublicKey) -> Self {
        Aggregate { key }
    }
}

impl Stage for Aggregate {
    type Input = Vec<CiphertextVec>;
    type Output = CiphertextVec;

    fn name(&self) -> Cow<'static, str> {
        "aggregate".into()
    }

    fn effect(&self) -> Effect {
        Effect::PostProcessing
    }

    fn run(&self, columns: Self::Input, cx: &mut Context) -> Result<Self::Output> {
        let mut columns = columns.iter();
        let requirement = "at least one";
        let first = columns.next().ok_or(Error::Parameter { parameter: "columns", requirement })?;
        let sums = columns.try_fold(first.derived(), |sums, column| sums.add(column))?;
        Ok(sums.blind(&self.key, cx.rng())?)
    }
}

/// Opens ciphertexts. What comes out is as sensitive as what went in, and nothing is claimed of it.
#[derive(Debug)]
pub struct Decrypt {
    key: PrivateKey,
}

impl Decrypt {
    /// Opens with `key`.
    #[must_use]
    pub fn new(key: PrivateKey) -> Self {
        Decrypt { key }
    }
}

impl Stage for Decrypt {
    type Input = CiphertextVec;
    type Output = Sensitive<Vec<Number>>;

    fn name(&self) -> Cow<'static, str> {
        "decrypt".into()
    }

    fn effect(&self) -> Effect {
        Effect::Forfeits
    }

    fn run(&self, column: Self::Input, _: &mut Context) -> Result<Self::Output> {
        Ok(Sensitive::new(self.key.decrypt_batch(&column)?))
    }
}

/// Opens sums that the contributors added noise to, charged to the budget of the context.
///
/// # Privacy
///
/// The claim is the one it was made with: what the shares of noise make of the sums.
#[derive(Debug)]
pub struct OpenNoisy {
    name: Cow<'static, str>,
    opener: Opener,
    charge: Charge,
    scope: Scope,
}

impl OpenNoisy {
    /// Opens with `opener` at the price `charge`, which protects `scope`.
    #[must_use]
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        opener: Opener,
        charge: Charge,
        scope: Scope,
    ) -> Self {
        OpenNoisy { name: name.into(), opener, charge, scope }
    }
}

impl Stage for OpenNoisy {
    type Input = Sums;
    type Output = Vec<Number>;

    fn name(&self) -> Cow<'static, str> {
        self.name.clone()
    }

    fn effect(&self) -> Effect {
        let (charge, scope) = (self.charge.clone(), self.scope);
        Effect::Establishes {
            guarantee: Guarantee::DifferentialPrivacy { charge, scope },
            distance: 1,
        }
    }

    fn run(&self, sums: Self::Input, cx: &mut Context) -> Result<Self::Output> {
        let ask = Ask::new(Resource::new(self.name.clone()), self.charge.clone(), self.scope);
        Ok(self.opener.open_charged(&sums, ask, cx)?.value)
    }
}
