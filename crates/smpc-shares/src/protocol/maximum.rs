//! The greatest value that enough elements reach, opened with noise that no party knows.

use super::noise::price;
use super::{NoisyOpening, Ordered};
use crate::error::{Error, Result};
use crate::opening::Price;
use crate::party::Party;
use crate::security::Scheme;
use crate::sharing::ShareVec;

impl<R: Ordered, S: Scheme<R>> Party<R, S> {
    /// The greatest of the public `candidates` that about `reached_by` elements reach, `None` where none
    /// is: a maximum that does not hang on a single person. The counts, the noise and the comparisons stay
    /// shared; the place among the candidates alone is opened, with its price declared to the
    /// [policy](Party::set_policy).
    ///
    /// For good odds `reached_by` is some ten times `release.scale`; elements that stand for nobody are
    /// below all candidates.
    ///
    /// # Privacy
    ///
    /// The sparse vector technique from the greatest candidate down: discrete Laplace noise of
    /// `release.scale` on the threshold, of twice the scale on each count, and the first count that reaches
    /// the threshold is told. That is ε-differentially private with ε = 2·sensitivity/scale, however many
    /// candidates there are (AboveThreshold, Dwork, Roth 2014, Theorem 3.23, whose proof shifts the noise by
    /// integers where counts are integers), where one [unit](privacy_core::unit) changes at most
    /// `release.sensitivity` elements. δ = (1 + e^ε)·d for the distance d of all the noise from its law, as
    /// in [`SharedNoise::charge`](super::SharedNoise::charge).
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] unless candidates ascend; as
    /// [`discrete_laplace`](Party::discrete_laplace), [`less_than`](Party::less_than) and
    /// [`open`](Party::open).
    ///
    /// # Example
    ///
    /// ```
    /// use privacy_core::prelude::*;
    /// use smpc_shares::protocol::NoisyOpening;
    /// use smpc_shares::{Party, Replicated, field::Z64, net::{Config, simulate}};
    ///
    /// let opened = simulate(Config::replicated(), async |party: &mut Party<Z64, Replicated>| {
    ///     // 200 waiting times of 10, 20 and 30 minutes, and one of 100.
    ///     let minutes = 10 * party.id() as u64;
    ///     let mut mine = vec![Z64(minutes); 200];
    ///     mine[0] = Z64(if party.id() == 1 { 100 } else { minutes });
    ///     let [a, b, c] = party.input_from_all_as(&mine).await?;
    ///     let release = NoisyOpening {
    ///         request: RequestId::new("longest wait in week 47"),
    ///         sensitivity: 1, // one user is one visit
    ///         scale: 2.0,     // ε = 1
    ///         scope: Scope::of::<User, AddRemove>(),
    ///     };
    ///     let candidates = [0, 15, 25, 35, 45, 90];
    ///     party.open_noisy_maximum(&a.chain(&b).chain(&c), &candidates, 100, release).await
    /// })?;
    /// assert_eq!(opened, [Some(25); 3]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn open_noisy_maximum(
        &mut self,
        x: &ShareVec<R, S>,
        candidates: &[i64],
        reached_by: u64,
        release: NoisyOpening,
    ) -> Result<Option<i64>> {
        if candidates.is_empty() || !candidates.is_sorted_by(|a, b| a < b) {
            return Err(Error::Parameter {
                parameter: "the number of candidates, which must ascend,",
                requirement: "at least 1",
                given: candidates.len() as u64,
            });
        }
        let count = candidates.len();
        let threshold = self.discrete_laplace(1, release.scale).await?;
        let noise = self.discrete_laplace(count, 2.0 * release.scale).await?;
        let distance = threshold.distance + count as f64 * noise.distance;
        let doubled = release.sensitivity.saturating_mul(2);
        let charge = price(doubled, release.scale, distance)?;

        let below = self.below_each(x, candidates).await?;
        // Elements that reach a candidate and their noise, from the greatest candidate down.
        let total = x.len() as u64;
        let mut counts = self.public(&[]);
        for below in below.iter().rev() {
            counts = counts.chain(&(-below).plus_public(&[R::from_u128(total.into())]));
        }
        let noisy = self.renewed(&counts).await? + self.renewed(&noise.noise).await?;
        let wanted = self.renewed(&threshold.noise).await?;
        let wanted = wanted.plus_public(&[R::from_u128(reached_by.into())]);
        let short = self.less_than(&noisy, &wanted.repeated(count)).await?;
        let short = self.renewed(&short).await?;
        // The first that is not short; all of them passed if there is none.
        let none = self.public(&[R::ZERO]);
        let place = self.find(&short, &none).await?;
        self.declare_price(Price { request: release.request, charge, scope: release.scope });
        let opened = self.open(&place).await?;
        let place = opened.first().map_or(count as u128, |place| place.to_u128());
        Ok(usize::try_from(place)
            .ok()
            .and_then(|place| candidates.iter().rev().nth(place))
            .copied())
    }
}
