//! The tenants' session minutes: added under encryption, opened only as a noisy sum that is paid for.

use confidant::core::prelude::*;
use confidant::core::release::{Interval, Readable};
use confidant::dp::noise::shares::NoiseShares;
use confidant::dp::prelude::Session;
use confidant::he::CiphertextVec;
use confidant::he::noise::encrypt_with_noise;
use confidant::he::policy::{Opener, Tally};
use confidant::he::prelude::{KeyOptions, PrivateKey};
use num_rational::Ratio;

use crate::error::Error;
use crate::report::{Answer, Figure, Figures, Number};

/// Minutes of a user that count at most: an hour a day, rounded down to five hours a week.
pub const CAP: u32 = 300;

/// What the report calls the sum.
pub const NAME: &str = "Session minutes of all tenants";

/// What may be said of the sum, in a sentence.
pub fn guarantee(epsilon: &Epsilon) -> String {
    format!(
        "ε = {epsilon} for each user once opened; before that unreadable under Paillier encryption, \
         assuming that deciding composite residuosity is hard"
    )
}

/// The sum, and its price.
pub fn sum<const N: usize>(
    minutes: &[i128; N],
    epsilon: &Epsilon,
    cx: &mut Context,
) -> Result<Answer, Error> {
    let tenants = u32::try_from(N).unwrap_or(u32::MAX);
    // Discrete Laplace noise of scale cap/ε, a share of it from each tenant.
    let scale = Amount::from_integer(CAP.into());
    let scale = scale.checked_div(epsilon.amount()).unwrap_or(Amount::ZERO);
    let ratio = Ratio::new(scale.numerator().clone(), scale.denominator().clone());
    let shares = NoiseShares::laplace(ratio, tenants)?;
    let price = shares.charge_with(tenants, CAP.into())?;

    let mut rng = SystemRng::new().map_err(confidant::core::Error::from)?;
    let key = PrivateKey::generate(KeyOptions::default(), &mut rng)?;
    let public = key.public_key().clone();
    let opener = Opener::new(key, tenants.into())?.charged_only();
    let mut tally = Tally::new(&public);
    for (tenant, total) in (0u32..).zip(minutes) {
        // In the tenant's own process: add a share of the noise, encrypt, send bytes.
        let share = |rng: &mut dyn SecureRng| Ok(shares.sample(rng)?);
        let sent = encrypt_with_noise(&public, &[*total], share, &mut rng)?.to_bytes();
        // In the platform's: add what it cannot read.
        tally.add(&tenant.to_be_bytes(), &CiphertextVec::from_bytes(&public, &sent)?)?;
    }
    let sums = tally.close(&public, &mut rng)?;
    let ask = Ask::new(Resource::new(NAME), price.clone(), Scope::of::<User, AddRemove>());
    let opened = opener.open_charged(&sums, ask, cx)?;
    let value = opened.value.first().and_then(|sum| sum.to_i128()).unwrap_or_default();
    Ok(Answer {
        name: NAME.to_owned(),
        question: format!("sum over tenants, at most {CAP} minutes of each user"),
        charge: price,
        noise: format!("discrete Laplace, scale {scale}, a share of it from each of {N} tenants"),
        result: Figures::Figure(figure(value, &scale)),
        ordered: false,
    })
}

/// The same sum where the platform holds all minutes: no encryption, the same noise.
pub fn sum_in_the_clear(minutes: &[u32], epsilon: &Epsilon, cx: Context) -> Result<Answer, Error> {
    // One entry for each user, so that a row is a user.
    let users: Vec<(u32, u32)> = (0..).zip(minutes.iter().copied()).collect();
    let session = Session::over(&users)
        .unit(|(user, _): &(u32, u32)| *user)
        .max_rows_per_unit(1)
        .context(cx)
        .open()?;
    let sum = session.sum(|(_, minutes)| *minutes).bounds(0..=CAP)?.named(NAME);
    let question = format!("sum over users, at most {CAP} minutes of each");
    Ok(Answer::number(NAME, question, &sum.epsilon(epsilon.clone())?.release()?))
}

/// The value with an interval that holds for discrete Laplace noise of the given scale.
///
/// P(|X| > t) = 2 exp(-(t+1)/s) / (1 + exp(-1/s)) ≤ exp(-(t + 1/2)/s), which is at most 5 % from
/// t = s ln 20 on.
fn figure(value: i128, scale: &Amount) -> Figure {
    let margin = (scale.to_f64_up() * 20f64.ln()).ceil();
    Figure {
        value: Number::Whole(value),
        interval_95: Interval::around(value as f64, margin),
        text: value.readable(margin),
        margin: (margin as i128).readable(0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_near_the_truth_and_paid_for_exactly() {
        let epsilon = Epsilon::new(0.5).unwrap();
        let budget = MemoryBudget::new(epsilon.clone());
        let mut cx = Context::new(Actor::new("a"), Purpose::new("b")).unwrap().with_budget(budget);
        let answer = sum(&[1000, 2000, 3000, 4000, 5000], &epsilon, &mut cx).unwrap();
        let Figures::Figure(figure) = answer.result else { panic!("one number") };
        // Beyond twenty scales in one of 10^8 runs.
        assert!((figure.value.to_f64() - 15_000.0).abs() < 20.0 * 600.0);
        assert!(cx.remaining().unwrap().unwrap().is_nothing());
        assert!(sum(&[1, 2, 3], &epsilon, &mut cx).is_err(), "nothing is opened for nothing");
    }
}
