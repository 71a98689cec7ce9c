//! (ε, δ)-differential privacy by sampling and k-anonymity (SafePub; Bild, Kuhn, Prasser 2018,
//! <https://doi.org/10.1515/popets-2018-0004>): each row is kept with probability β = 1 − e^−ε, then
//! generalized by levels that were fixed beforehand, and classes below k are suppressed.
//!
//! Neither levels nor hierarchies may depend on the data, except as [`SafePub::search`] chooses
//! levels, which pays for it. [`stage`](crate::stage) charges a budget for both.

use privacy_core::random::{RandomBuffer, SecureRng};

use crate::dataset::{Dataset, Role};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::release::{Group, Release, Scheme, assemble, certificate};
use crate::transform::full_domain;

mod search;

/// A calibrated mechanism.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct SafePub {
    epsilon: f64,
    /// P[kept] · 2^64, rounded down.
    keep: u64,
    k: u64,
    delta: f64,
}

/// P[Bin(j, β) > γ j], summed from the largest term, rounded outwards by a relative 1e-9.
fn tail(j: u64, beta: f64, gamma: f64) -> f64 {
    // What rounding could have lifted above a whole number counts as below it.
    let first = (gamma * j as f64 * (1.0 - 1e-12)).floor() as u64 + 1;
    if first > j {
        return 0.0;
    }
    let ln = |i: u64| {
        crate::special::ln_choose(j as f64, i as f64)
            + i as f64 * beta.ln()
            + (j - i) as f64 * (1.0 - beta).ln()
    };
    let mut sum = 0.0;
    let mut term = ln(first).exp();
    for i in first..=j {
        sum += term;
        term *= (j - i) as f64 / (i + 1) as f64 * beta / (1.0 - beta);
        if term < sum * 1e-18 {
            break;
        }
    }
    sum * (1.0 + 1e-9)
}

impl SafePub {
    /// The mechanism of the least k for ε and δ.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] unless 0 < ε ≤ 20 and 1e-15 ≤ δ < 1.
    ///
    /// # Example
    ///
    /// ```
    /// assert_eq!(kanon::dp::SafePub::new(1.0, 1e-6)?.k(), 74);
    /// # Ok::<(), kanon::Error>(())
    /// ```
    pub fn new(epsilon: f64, delta: f64) -> Result<Self> {
        let sound = epsilon > 1e-4 && epsilon <= 20.0 && (1e-15..1.0).contains(&delta);
        if !sound {
            return Err(Error::Parameter {
                parameter: "ε and δ",
                requirement: "with ε within 0.0001 to 20 and δ within 1e-15 to 1",
            });
        }
        // Rounded down: sampling less is more private.
        let keep = (-(-epsilon).exp_m1() * (1.0 - 1e-15) * 2f64.powi(64)) as u64;
        let beta = keep as f64 / 2f64.powi(64);
        let gamma = (epsilon.exp_m1() + beta) / epsilon.exp();
        let slope = gamma * (gamma / beta).ln() - (gamma - beta);
        // The tails from each j on, from where Chernoff's bound is below δ/2 down.
        let last = ((-(delta / 2.0).ln()) / slope).ceil() as u64 + 1;
        let mut worst_from = vec![0.0f64; last as usize + 2];
        for j in (0..=last).rev() {
            let beyond = (-slope * (last as f64)).exp();
            let after = worst_from.get(j as usize + 1).copied().unwrap_or(0.0).max(beyond);
            worst_from[j as usize] = after.max(tail(j, beta, gamma));
        }
        let mut k = 1u64;
        loop {
            let from = (k as f64 / gamma * (1.0 - 1e-12) - 1.0).ceil().max(0.0) as u64;
            let worst = worst_from.get(from.min(last) as usize).copied().unwrap_or(0.0);
            if worst <= delta {
                return Ok(SafePub { epsilon, keep, k, delta });
            }
            k += 1;
        }
    }

    /// The least class size.
    #[must_use]
    pub fn k(&self) -> u64 {
        self.k
    }

    /// ε.
    #[must_use]
    pub fn epsilon(&self) -> f64 {
        self.epsilon
    }

    /// δ.
    #[must_use]
    pub fn delta(&self) -> f64 {
        self.delta
    }

    /// Whether a dataset may be released at all.
    fn check(&self, data: &Dataset) -> Result<()> {
        let others =
            data.with_role(Role::Sensitive).chain(data.with_role(Role::Insensitive)).count();
        if others > 0 || data.depends_on_data() {
            return Err(Error::Combination {
                setting: "differential privacy",
                problem: "every released column must be quasi-identifying, with a hierarchy that does not depend on the data",
            });
        }
        if data.kept_rows().is_some() {
            return Err(Error::Combination {
                setting: "differential privacy",
                problem: "rows may not be dropped before it; let missing values be a category",
            });
        }
        Ok(())
    }

    /// Samples, generalizes to `levels`, suppresses, shuffles.
    ///
    /// # Privacy
    ///
    /// (ε, δ)-differential privacy for a row, if the levels and hierarchies were fixed without
    /// looking at the data (SafePub, Theorem for sampling and k-anonymity with a data-independent
    /// scheme). Sensitive and insensitive columns must be declared quasi-identifying, since the
    /// theorem is about whole records; a dataset with others is refused.
    ///
    /// # Errors
    ///
    /// [`Error::Combination`] for columns or hierarchies as above, [`Error::Parameter`] for levels
    /// that do not exist, [`Error::Entropy`].
    pub fn release(
        &self,
        data: &Dataset,
        levels: &[usize],
        rng: &mut dyn SecureRng,
    ) -> Result<Release> {
        self.check(data)?;
        let fits = data.quasi().count() == levels.len()
            && data.quasi().zip(levels).all(|(q, &level)| level <= q.levels.highest());
        if !fits {
            return Err(Error::Parameter {
                parameter: "levels",
                requirement: "one existing level for each quasi-identifier",
            });
        }
        let mut random = RandomBuffer::new(rng);
        let mut groups: Vec<Group> = full_domain::groups(data, levels);
        for group in &mut groups {
            let mut kept = Vec::new();
            for &row in &group.rows {
                if random.word()? < self.keep {
                    kept.push(row);
                }
            }
            group.rows = kept;
        }
        drop(random);
        groups.retain(|group| group.rows.len() as u64 >= self.k);
        let scheme = Scheme::FullDomain { levels: levels.to_vec() };
        let models = [Model::k_anonymity(self.k)?];
        let certificate = certificate(data, &models, scheme, &groups);
        let (table, origin) = assemble(data, &groups, rng, false)?;
        Ok(Release { table, origin, certificate })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_k_of_nine_tabulated_cases() {
        let expected = [(0.5, [27, 51, 63]), (1.0, [34, 61, 74]), (2.0, [64, 113, 131])];
        for (epsilon, ks) in expected {
            for (delta, k) in [1e-3, 1e-5, 1e-6].into_iter().zip(ks) {
                assert_eq!(SafePub::new(epsilon, delta).unwrap().k(), k, "{epsilon} {delta}");
            }
        }
        assert!(SafePub::new(0.0, 0.1).is_err() && SafePub::new(1.0, 0.0).is_err());
    }
}
