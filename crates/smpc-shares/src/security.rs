//! Security levels and sharing schemes as types.
//!
//! | type | parties | against |
//! |---|---|---|
//! | [`Shamir`] | n > 2t for products | t parties that follow the protocol and pool what they see |
//! | [`Replicated`] | three | one such party |
//! | [`Active<Shamir>`], [`Active<Replicated>`] | as above, fields of 41 bits and more | as many parties that do anything at all |
//!
//! # Security
//!
//! **Passive** levels protect nothing against a party that deviates: it can make any result wrong,
//! and may learn more than the result.
//!
//! **Active** security is with abort, and not fair: a deviation is detected before an honest party
//! opens anything except with probability about 2/|F| a check, but the adversary may see the result
//! first and may stop the computation, and other honest parties may learn of it by a deadline only.
//! It says nothing about what a party inputs. Every product is computed twice, once times a random
//! key (Chida et al. 2018, <https://eprint.iacr.org/2018/570>); sharings are checked for their degree,
//! broadcasts are compared by all.

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::field::{Field, PrimeField, Ring};
use crate::net::Config;
use crate::protocol::base::Base;
use crate::sharing::{Replicated, Shamir};

/// The least bits of a field whose MACs are sound to 2^-40.
const MAC_BITS: u32 = 41;

/// Active security with abort, over the sharing scheme `S`.
///
/// For prime fields alone: MACs over rings such as Z/2^64 need a larger ring to be sound in, which this
/// crate does not have, and so the combination does not exist.
///
/// ```compile_fail,E0277
/// use smpc_shares::{Active, Party, Replicated, field::Z64, net::{Config, simulate}};
///
/// let refused = simulate(Config::replicated(), async |party: &mut Party<Z64, Active<Replicated>>| {
///     party.random(1).await.map(|_| ())
/// });
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Active<S>(std::marker::PhantomData<S>);

/// A sharing scheme at a security level, for secrets in `R`. Sealed.
pub trait Scheme<R: Ring>: Send + Sync + 'static {
    #[doc(hidden)]
    type Base: Base<R>;
    #[doc(hidden)]
    const ACTIVE: bool;
    #[doc(hidden)]
    const NAME: &'static str;

    /// Refuses sharings that cannot be.
    #[doc(hidden)]
    fn shape(parties: usize, threshold: usize) -> Result<()>;

    /// Refuses sessions that cannot be.
    #[doc(hidden)]
    fn validate(config: &Config) -> Result<()>;
}

fn three(parties: usize, threshold: usize) -> Result<()> {
    if (parties, threshold) == (3, 1) {
        return Ok(());
    }
    Err(Error::Parameter {
        parameter: "the number of parties of replicated sharing",
        requirement: "3, with threshold 1",
        given: parties as u64,
    })
}

fn macs<R: Ring>() -> Result<()> {
    if R::BITS >= MAC_BITS {
        return Ok(());
    }
    Err(Error::FieldTooSmall { need_bits: MAC_BITS, have_bits: R::BITS })
}

impl<F: Field> Scheme<F> for Shamir {
    type Base = Shamir;
    const ACTIVE: bool = false;
    const NAME: &'static str = "shamir";

    fn shape(parties: usize, threshold: usize) -> Result<()> {
        Shamir::new(parties, threshold)?.fits::<F>()
    }

    fn validate(config: &Config) -> Result<()> {
        config.scheme()?.fits::<F>()
    }
}

impl<R: Ring> Scheme<R> for Replicated {
    type Base = Replicated;
    const ACTIVE: bool = false;
    const NAME: &'static str = "replicated";

    fn shape(parties: usize, threshold: usize) -> Result<()> {
        three(parties, threshold)
    }

    fn validate(config: &Config) -> Result<()> {
        three(config.parties, config.threshold)
    }
}

impl<F: PrimeField> Scheme<F> for Active<Shamir> {
    type Base = Shamir;
    const ACTIVE: bool = true;
    const NAME: &'static str = "active shamir";

    fn shape(parties: usize, threshold: usize) -> Result<()> {
        <Shamir as Scheme<F>>::shape(parties, threshold)
    }

    fn validate(config: &Config) -> Result<()> {
        macs::<F>()?;
        let scheme = config.scheme()?;
        if config.parties <= 2 * config.threshold {
            return Err(Error::Parameter {
                parameter: "the threshold of active security",
                requirement: "less than half of the parties",
                given: config.threshold as u64,
            });
        }
        scheme.fits::<F>()
    }
}

impl<F: PrimeField> Scheme<F> for Active<Replicated> {
    type Base = Replicated;
    const ACTIVE: bool = true;
    const NAME: &'static str = "active replicated";

    fn shape(parties: usize, threshold: usize) -> Result<()> {
        three(parties, threshold)
    }

    fn validate(config: &Config) -> Result<()> {
        macs::<F>()?;
        three(config.parties, config.threshold)
    }
}

/// The multiplicative structure needs an honest majority.
pub(crate) fn needs_majority(core: &Engine) -> Result<()> {
    if core.parties() > 2 * core.scheme.threshold() {
        return Ok(());
    }
    Err(Error::Parameter {
        parameter: "the threshold of a computation with products",
        requirement: "less than half of the parties",
        given: core.scheme.threshold() as u64,
    })
}
