//! Basic RAPPOR: a permanent noisy answer, and a fresh noisy copy of it for each report.

use num_bigint::BigUint;
use num_rational::Ratio;
use privacy_core::error::Error;
use privacy_core::params::{Amount, Epsilon};
use privacy_core::random::{EntropyError, RandomBuffer, SecureRng};
use serde::{Deserialize, Serialize};

use super::draws::Draws;
use super::odds::ln_above;
use super::{BitReport, Tally, checked_domain};
use crate::error::Result;

/// Basic RAPPOR (one bit a category, no Bloom filter) with the parameters f, p and q.
///
/// A device draws a [`PermanentResponse`] once for each value and keeps it: a bit is random with
/// probability f, else the truth. Each report tells its ones as 1 with probability q, and its
/// zeros with probability p.
///
/// # Privacy
///
/// All reports of one value together are ε_∞ = 2 ln((1-f/2)/(f/2)) locally differentially private,
/// however many they are; a single report by itself is ε_1 = ln(q*(1-p*)/(p*(1-q*))) with
/// q* = f(p+q)/2 + (1-f)q and p* = f(p+q)/2 + (1-f)p (Erlingsson, Pihur, Korolova 2014, Theorems 1
/// and 2, <https://arxiv.org/abs/1407.6981>). Both are rounded up. A value that changes needs a new
/// permanent response and spends ε_∞ again; a device that forgets its response spends again, too.
///
/// # Example
///
/// ```
/// use dp_mechanisms::local::Rappor;
/// use privacy_core::params::Amount;
/// use privacy_core::random::SystemRng;
///
/// let rappor = Rappor::new(8, "1/2".parse()?, "1/2".parse()?, "3/4".parse()?)?;
/// let mut rng = SystemRng::new()?;
/// let kept = rappor.permanent(3, &mut rng)?; // once, stored on the device
/// let today = rappor.report(&kept, &mut rng)?; // each day
/// let tally = rappor.aggregate(&[today])?;
/// # let _ = tally;
/// # Ok::<(), dp_mechanisms::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Rappor {
    domain: u32,
    f: Coin,
    p: Coin,
    q: Coin,
    /// p* and q*.
    noise: Amount,
    truth: Amount,
    lifetime: Epsilon,
    single: Epsilon,
}

/// A probability as a fraction of integers up to 2^60.
#[derive(Clone, Copy, Debug)]
struct Coin {
    numer: u64,
    denom: u64,
}

/// The answer that a device keeps for one value. As secret as the value is after randomization
/// with ε_∞; store it, and report from it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PermanentResponse(pub(super) BitReport);

impl std::fmt::Debug for PermanentResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PermanentResponse").finish_non_exhaustive()
    }
}

impl Rappor {
    /// For `domain` categories (2 to 2^24) with 0 < `f` < 1 and 0 <= `p` < `q` <= 1, each a
    /// fraction of integers up to 2^60.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for what is out of range, or if ε_∞ is above 39.
    pub fn new(domain: u32, f: Amount, p: Amount, q: Amount) -> Result<Self> {
        let domain = checked_domain(domain)?;
        let one = Amount::from_integer(1);
        let half = |amount: &Amount| amount.scaled_by_power_of_two(-1);
        let refused = |parameter, requirement, given: &Amount| {
            let given = given.to_f64_up();
            Err(Error::Parameter { parameter, requirement, given }.into())
        };
        if f.is_zero() || f >= one {
            return refused("f", "above 0 and below 1", &f);
        }
        if q > one {
            return refused("q", "at most 1", &q);
        }
        if p >= q {
            return refused("p", "below q", &p);
        }
        let coins = (coin("f", &f)?, coin("p", &p)?, coin("q", &q)?);
        let left = one.checked_sub(&f).unwrap_or(Amount::ZERO);
        let common = half(&(&f * &(&p + &q)));
        let (truth, noise) = (&common + &(&left * &q), &common + &(&left * &p));

        let kept = one.checked_sub(&half(&f)).unwrap_or(Amount::ZERO);
        let ratio = kept.checked_div(&half(&f)).unwrap_or(Amount::ZERO).squared();
        let lifetime = epsilon_of(ratio.as_ratio())?;
        // q* < 1, since f > 0 and p < 1: some other answer is always possible. p* > 0 likewise.
        let against = |x: &Amount| one.checked_sub(x).unwrap_or(Amount::ZERO);
        let ratio = (&truth * &against(&noise)).checked_div(&(&noise * &against(&truth)));
        let single = epsilon_of(ratio.unwrap_or(Amount::ZERO).as_ratio())?.min(lifetime.clone());
        let (f, p, q) = coins;
        Ok(Rappor { domain, f, p, q, noise, truth, lifetime, single })
    }

    /// How many categories there are.
    #[must_use]
    pub fn domain(&self) -> u32 {
        self.domain
    }

    /// The ε of all reports of one value together.
    #[must_use]
    pub fn lifetime_epsilon(&self) -> &Epsilon {
        &self.lifetime
    }

    /// The ε of a single report, seen by itself.
    #[must_use]
    pub fn single_epsilon(&self) -> &Epsilon {
        &self.single
    }

    /// On the device, once for a value: the answer to keep. A category outside the domain counts
    /// as the last one.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] if the random source fails.
    pub fn permanent(
        &self,
        category: u32,
        rng: &mut dyn SecureRng,
    ) -> Result<PermanentResponse, EntropyError> {
        self.draw_permanent(category, &mut RandomBuffer::new(rng))
    }

    /// On the device, for each report.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] if the random source fails.
    pub fn report(
        &self,
        kept: &PermanentResponse,
        rng: &mut dyn SecureRng,
    ) -> Result<BitReport, EntropyError> {
        self.draw_report(kept, &mut RandomBuffer::new(rng))
    }

    pub(super) fn draw_permanent<D: Draws>(
        &self,
        category: u32,
        draws: &mut D,
    ) -> Result<PermanentResponse, EntropyError> {
        let category = category.min(self.domain - 1);
        // One with probability 1 - f/2 or f/2.
        let denom = 2 * u128::from(self.f.denom);
        let rare = u128::from(self.f.numer);
        BitReport::draw(self.domain, |bit| {
            draws.chance(if bit == category { denom - rare } else { rare }, denom)
        })
        .map(PermanentResponse)
    }

    pub(super) fn draw_report<D: Draws>(
        &self,
        kept: &PermanentResponse,
        draws: &mut D,
    ) -> Result<BitReport, EntropyError> {
        BitReport::draw(self.domain, |bit| {
            let Coin { numer, denom } = if kept.0.get(bit) { self.q } else { self.p };
            draws.chance(numer.into(), denom.into())
        })
    }

    /// A tally without reports.
    #[must_use]
    pub fn tally(&self) -> Tally {
        Tally::empty(self.domain, self.truth.clone(), self.noise.clone())
    }

    /// On the server: tallies reports, one of each device.
    ///
    /// Estimates are unbiased for any reports; variances and intervals take them for independent,
    /// which two reports of one device are not.
    ///
    /// # Errors
    ///
    /// [`Error::Domain`] for reports of another length.
    pub fn aggregate(&self, reports: &[BitReport]) -> Result<Tally> {
        BitReport::aggregate(reports, self.tally(), "the tally of RAPPOR")
    }
}

fn epsilon_of(ratio: &Ratio<BigUint>) -> Result<Epsilon> {
    Ok(Epsilon::from_amount(ln_above(ratio, "f, p and q")?)?)
}

fn coin(parameter: &'static str, amount: &Amount) -> Result<Coin> {
    let word = |x: &BigUint| u64::try_from(x).ok().filter(|x| *x <= 1 << 60);
    match (word(amount.numerator()), word(amount.denominator())) {
        (Some(numer), Some(denom)) => Ok(Coin { numer, denom }),
        _ => {
            let requirement = "a fraction of integers up to 2^60";
            Err(Error::Parameter { parameter, requirement, given: amount.to_f64_up() }.into())
        }
    }
}
