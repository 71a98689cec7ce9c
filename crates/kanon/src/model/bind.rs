//! From models that name columns to tests on classes of one dataset.

use super::class::{Attribute, Rule};
use super::sample::SampleRule;
use super::{Attacker, Distance, EntropyEstimator, Model, SamplingLaw};
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::fraction::Fraction;
use crate::table::Value;

/// A test, and whether uniting classes keeps it satisfied.
#[derive(Clone, Debug)]
pub(crate) struct BoundRule {
    pub(crate) rule: Rule,

    pub(crate) monotone: bool,
}

/// All tests of a set of requirements.
#[derive(Clone, Debug, Default)]
pub(crate) struct Requirements {
    /// Cheapest first.
    pub(crate) rules: Vec<BoundRule>,
    pub(crate) sample: Vec<(SampleRule, usize)>,
    pub(crate) attributes: Vec<Attribute>,
    /// For each attribute its column's place and the histogram slot of each dictionary entry.
    pub(crate) sources: Vec<(usize, Vec<u32>)>,
    pub(crate) width: usize,
    pub(crate) needs_population: bool,
    /// Every class model is convex, so that at limit 0 failure passes down.
    pub(crate) convex: bool,
}

impl Requirements {
    /// The attribute of a column, added if it is new.
    pub(crate) fn attribute(&mut self, data: &Dataset, place: usize) -> usize {
        if let Some(known) = self.sources.iter().position(|(column, _)| *column == place) {
            return known;
        }
        let column = &data.table().columns()[place];
        let counts = column.counts();
        let ranks = column.ranks();
        let mut present: Vec<usize> = (0..counts.len()).filter(|&i| counts[i] > 0).collect();
        present.sort_by_key(|&entry| ranks[entry]);
        let mut slots = vec![0; counts.len()];
        for (slot, &entry) in present.iter().enumerate() {
            slots[entry] = slot as u32;
        }
        let tree = data.levels(place).map_or_else(Vec::new, |levels| {
            let group = |level| present.iter().map(|&e| levels.groups(level)[e]).collect();
            (1..levels.count()).map(group).collect()
        });
        let totals: Vec<u64> = present.iter().map(|&entry| counts[entry]).collect();
        let offset = self.width;
        self.width += totals.len();
        let rows = data.table().rows() as u64;
        self.attributes.push(Attribute { offset, totals, rows, tree });
        self.sources.push((place, slots));
        self.attributes.len() - 1
    }

    /// For each slot of an attribute whether its value is listed; all if none is.
    fn listed(&self, data: &Dataset, of: usize, values: &[String]) -> Result<Vec<bool>> {
        let (place, slots) = &self.sources[of];
        let column = &data.table().columns()[*place];
        let counts = column.counts();
        let mut listed = vec![values.is_empty(); self.attributes[of].totals.len()];
        for value in values {
            let wanted = Value::from(value.as_str());
            let entry = column.dictionary().iter().position(|v| *v == wanted);
            if let Some(entry) = entry.filter(|&entry| counts[entry] > 0) {
                listed[slots[entry] as usize] = true;
            }
        }
        Ok(listed)
    }
}

/// Binds models to a dataset.
///
/// # Errors
///
/// What [`Model::check`] returns; an unknown or not sensitive column; k above the number of rows; a
/// hierarchical distance without a hierarchy that ends in one group.
pub(crate) fn bind(data: &Dataset, models: &[Model], has_population: bool) -> Result<Requirements> {
    let mut all = Requirements { convex: true, ..Requirements::default() };
    let n = data.table().rows() as u64;
    for (place, model) in models.iter().enumerate() {
        model.check()?;
        for column in model.columns() {
            data.sensitive(column)?;
        }
        if model.needs_population() && !has_population {
            return Err(Error::Combination {
                setting: "a model of the population",
                problem: "it needs a population table; give one, or use the prosecutor's model",
            });
        }
        all.needs_population |= model.needs_population();
        all.convex &= model.is_convex();
        let monotone = model.is_monotone();
        let first = model.columns().first().map(|c| data.sensitive(c)).transpose()?;
        let of = first.map(|column| all.attribute(data, column)).unwrap_or(0);
        let mut push = |rule| all.rules.push(BoundRule { rule, monotone });
        match model.clone() {
            Model::KAnonymity { k } => push(Rule::Size(k.get())),
            Model::KMap { k } => push(Rule::Population(k.get())),
            Model::EstimatedKMap { k, sampling, significance, law } => {
                let most = k.get().min(n.max(1));
                push(Rule::Size(estimated_size(k.get(), sampling, significance, law, most)));
            }
            Model::DeltaPresence { min, max } => push(Rule::Presence { min, max }),
            Model::DistinctDiversity { l, .. } => push(Rule::Distinct { of, l: l.get() }),
            Model::EntropyDiversity { l, estimator: EntropyEstimator::Shannon, .. } => {
                push(Rule::Entropy { of, l });
            }
            Model::EntropyDiversity { l, .. } => push(Rule::Grassberger { of, l }),
            Model::RecursiveDiversity { c, l, .. } => {
                push(Rule::Recursive { of, c, l: count(l.get()) });
            }
            Model::PositiveDisclosureRecursive { c, l, disclosable, .. } => {
                let disclosable = match disclosable.is_empty() {
                    true => vec![false; all.attributes[of].totals.len()],
                    false => all.listed(data, of, &disclosable)?,
                };
                let rule = Rule::PositiveDisclosure { of, c, l: count(l.get()), disclosable };
                all.rules.push(BoundRule { rule, monotone });
            }
            Model::TCloseness { t, distance, column } => push(match distance {
                Distance::Equal => Rule::Equal { of, t },
                Distance::Ordered => Rule::Ordered { of, t },
                Distance::Hierarchical => {
                    let levels = data.levels(data.sensitive(&column)?);
                    let rooted = levels.is_some_and(|levels| {
                        levels.count() > 1 && levels.labels(levels.highest()).len() == 1
                    });
                    if !rooted {
                        let problem = "has no hierarchy that ends in one group, which the hierarchical distance needs; declare it with `sensitive_with`";
                        return Err(Error::Role { column, problem });
                    }
                    Rule::Hierarchical { of, t }
                }
            }),
            Model::DeltaDisclosure { delta, .. } => {
                push(Rule::Disclosure { of, delta, absent_pass: false });
            }
            Model::DeltaDisclosureOfPresent { delta, .. } => {
                push(Rule::Disclosure { of, delta, absent_pass: true });
            }
            Model::BasicBetaLikeness { beta, .. } => push(Rule::BasicBeta { of, beta }),
            Model::EnhancedBetaLikeness { beta, .. } => push(Rule::EnhancedBeta { of, beta }),
            Model::AlphaK { alpha, k, values, .. } => {
                push(Rule::Size(k.get()));
                let limited = all.listed(data, of, &values)?;
                let rule = Rule::Share { of, most: alpha, limited };
                all.rules.push(BoundRule { rule, monotone });
            }
            Model::PSensitive { columns, p, k } => {
                push(Rule::Size(k.get()));
                for column in &columns {
                    let of = all.attribute(data, data.sensitive(column)?);
                    let rule = Rule::Distinct { of, l: p.get() };
                    all.rules.push(BoundRule { rule, monotone });
                }
            }
            Model::Profitability { benefit, loss, gain, cost, attacker } => push(Rule::Payout {
                benefit: benefit.to_f64(),
                loss: loss.to_f64(),
                gain,
                cost,
                journalist: attacker == Attacker::Journalist,
            }),
            Model::NoAttackProfitability { gain, cost, attacker } => {
                push(no_attack(gain, cost, attacker));
            }
            Model::AverageRisk { most } => all.sample.push((SampleRule::Average(most), place)),
            Model::RecordsAtRisk { threshold, share } => {
                all.sample.push((SampleRule::AtRisk { threshold, share }, place));
            }
            Model::SampleUniqueness { most } => {
                all.sample.push((SampleRule::Unique(most), place));
            }
            Model::PopulationUniqueness { most, population, estimator } => {
                if population < n {
                    return Err(Error::Parameter {
                        parameter: "a population",
                        requirement: "at least as large as the table",
                    });
                }
                all.sample.push((SampleRule::Population { most, population, estimator }, place));
            }
        }
    }
    all.rules.sort_by_key(|bound| match bound.rule {
        Rule::Size(_) | Rule::Population(_) | Rule::Never => 0,
        Rule::Distinct { .. } | Rule::Presence { .. } => 1,
        Rule::Hierarchical { .. } => 3,
        _ => 2,
    });
    Ok(all)
}

fn count(l: u64) -> usize {
    usize::try_from(l).unwrap_or(usize::MAX)
}

/// ⌊G/C⌋ + 1 people; everybody at G = 0; nobody at C = 0.
fn no_attack(gain: Fraction, cost: Fraction, attacker: Attacker) -> Rule {
    if gain == Fraction::ZERO {
        return Rule::Size(1);
    }
    if cost == Fraction::ZERO {
        return Rule::Never;
    }
    let above = u128::from(gain.numerator()) * u128::from(cost.denominator());
    let below = u128::from(gain.denominator()) * u128::from(cost.numerator());
    let people = u64::try_from(above / below + 1).unwrap_or(u64::MAX);
    match attacker {
        Attacker::Prosecutor => Rule::Size(people),
        Attacker::Journalist => Rule::Population(people),
    }
}

/// One more than the smallest c with P[X ≤ c] ≥ 1 − a, X of mean π k, at most `most`.
fn estimated_size(
    k: u64,
    sampling: Fraction,
    significance: Fraction,
    law: SamplingLaw,
    most: u64,
) -> u64 {
    let lambda = sampling.to_f64() * k as f64;
    let target = 1.0 - significance.to_f64();
    let none = (-lambda).exp();
    let (norm, mut below) = match law {
        SamplingLaw::Poisson => (1.0, none),
        SamplingLaw::ZeroTruncated => (1.0 - none, 0.0),
    };
    // Below the mean by 40 deviations lies less than e^−800 (Chernoff), which counts as nothing.
    let mut c = (lambda - 40.0 * lambda.sqrt()).max(0.0) as u64;
    while below / norm < target && c + 1 < most {
        c += 1;
        let c = c as f64;
        below += (c * lambda.ln() - lambda - crate::special::ln_gamma(c + 1.0)).exp();
    }
    (c + 1).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimated_sizes_of_the_three_tabulated_cases() {
        for (k, sampling, significance, c) in
            [(10, 0.3, 0.05, 6), (20, 0.2, 0.01, 9), (5, 0.1, 0.05, 2)]
        {
            for law in [SamplingLaw::Poisson, SamplingLaw::ZeroTruncated] {
                let (p, a) = (
                    Fraction::try_from(sampling).unwrap(),
                    Fraction::try_from(significance).unwrap(),
                );
                assert_eq!(estimated_size(k, p, a, law, k), c + 1);
            }
        }
    }

    #[test]
    fn no_attack_pays_against_76_people_at_the_usual_values() {
        let of = |x: u64| Fraction::new(x, 1).unwrap();
        let rule = |gain, cost| no_attack(of(gain), of(cost), Attacker::Prosecutor);
        assert!(matches!(rule(300, 4), Rule::Size(76)));
        assert!(matches!(rule(0, 4), Rule::Size(1)));
        assert!(matches!(rule(1, 0), Rule::Never));
    }
}
