//! The models of single classes, from their definitions.

use std::collections::{BTreeMap, HashMap};

use num_bigint::{BigInt, BigUint};

use super::{Class, at_most, big};
use crate::dataset::Dataset;
use crate::fraction::Fraction;
use crate::model::{Attacker, Distance, EntropyEstimator, Model, SamplingLaw};
use crate::table::{Codes, Table, Value};

/// A sensitive column: the input's distribution in the column's order, and the release's values.
pub(super) struct Sensitive<'a> {
    values: Vec<&'a Value>,
    totals: Vec<u64>,
    n: u64,
    released: &'a Codes,
    /// For each entry of the release's dictionary its place among the values.
    places: Vec<Option<usize>>,
}

impl<'a> Sensitive<'a> {
    pub(super) fn of(data: &'a Dataset, table: &'a Table, name: &str) -> Option<Self> {
        let column = data.table().column(name).ok()?;
        let (counts, ranks) = (column.counts(), column.ranks());
        let mut entries: Vec<usize> = (0..counts.len()).filter(|&i| counts[i] > 0).collect();
        entries.sort_by_key(|&entry| ranks[entry]);
        let values: Vec<&Value> =
            entries.iter().map(|&entry| &column.dictionary()[entry]).collect();
        let place: HashMap<&Value, usize> =
            values.iter().enumerate().map(|(place, &value)| (value, place)).collect();
        let released = table.column(name).ok()?;
        Some(Sensitive {
            totals: entries.iter().map(|&entry| counts[entry]).collect(),
            n: data.table().rows() as u64,
            released: released.codes(),
            places: released.dictionary().iter().map(|value| place.get(value).copied()).collect(),
            values,
        })
    }

    /// How often each value occurs in some rows; `None` if one is not the input's.
    pub(super) fn count(&self, rows: &[u32]) -> Option<Vec<u64>> {
        let mut counts = vec![0; self.values.len()];
        for &row in rows {
            let entry = self.released.get(row as usize) as usize;
            counts[self.places.get(entry).copied().flatten()?] += 1;
        }
        Some(counts)
    }
}

/// A model, ready to be asked about classes.
pub(super) struct Test<'a> {
    data: &'a Dataset,
    table: &'a Table,
    model: &'a Model,
    columns: &'a [Sensitive<'a>],
    /// The size that an estimated k-map asks for.
    estimated: u64,
}

impl<'a> Test<'a> {
    pub(super) fn new(
        data: &'a Dataset,
        table: &'a Table,
        model: &'a Model,
        columns: &'a [Sensitive<'a>],
    ) -> Self {
        let estimated = match model {
            Model::EstimatedKMap { k, sampling, significance, law } => {
                let n = data.table().rows() as u64;
                estimated_size(k.get(), *sampling, *significance, *law).min(n.max(1))
            }
            _ => 0,
        };
        Test { data, table, model, columns, estimated }
    }

    /// Whether a class with the given counts of each sensitive column satisfies the model.
    pub(super) fn holds(&self, class: &Class<'_>, counts: &[Vec<u64>]) -> bool {
        let (s, around) = (class.rows.len() as u64, class.around);
        let (data, columns) = (self.data, self.columns);
        let present = |of: usize| counts[of].iter().filter(|&&c| c > 0).count() as u64;
        let descending = || {
            let mut sorted: Vec<u64> = counts[0].iter().copied().filter(|&c| c > 0).collect();
            sorted.sort_by_key(|&c| std::cmp::Reverse(c));
            sorted
        };
        match self.model {
            Model::KAnonymity { k } => s >= k.get(),
            Model::KMap { k } => around >= k.get(),
            Model::EstimatedKMap { .. } => s >= self.estimated,
            Model::DeltaPresence { min, max } => {
                around >= s
                    && at_most(big(s), big(around), *max)
                    && big(around) * min.numerator() <= big(s) * min.denominator()
            }
            Model::DistinctDiversity { l, .. } => present(0) >= l.get(),
            Model::EntropyDiversity { l, estimator: EntropyEstimator::Shannon, .. } => {
                entropy_holds(&counts[0], s, *l)
            }
            Model::EntropyDiversity { l, .. } => grassberger_holds(&counts[0], s, *l),
            Model::RecursiveDiversity { c, l, .. } => {
                let sorted = descending();
                let l = l.get() as usize;
                let tail: u64 = sorted.iter().skip(l - 1).sum();
                sorted.len() >= l && big(sorted[0]) * c.denominator() < big(tail) * c.numerator()
            }
            Model::PositiveDisclosureRecursive { c, l, disclosable, .. } => {
                let free = |value: &Value| {
                    value.text().is_some_and(|text| disclosable.iter().any(|d| d == text))
                };
                let mut ranked: Vec<(u64, bool)> = counts[0]
                    .iter()
                    .zip(&columns[0].values)
                    .filter(|(c, _)| **c > 0)
                    .map(|(&c, value)| (c, free(value)))
                    .collect();
                ranked.sort_by_key(|&(c, free)| (std::cmp::Reverse(c), free));
                let l = l.get() as usize;
                if ranked.len() < l {
                    return false;
                }
                let Some(y) = ranked.iter().position(|(_, free)| !free) else { return true };
                let rest: u64 = if y < l.saturating_sub(1) {
                    ranked.iter().skip(l - 1).map(|r| r.0).sum()
                } else {
                    let from = l.saturating_sub(2);
                    ranked
                        .iter()
                        .enumerate()
                        .skip(from)
                        .filter(|(i, _)| *i != y)
                        .map(|(_, r)| r.0)
                        .sum()
                };
                big(ranked[y].0) * c.denominator() < big(rest) * c.numerator()
            }
            Model::TCloseness { t, distance, column } => {
                let (sum, scale) = transport(data, column, *distance, &columns[0], &counts[0], s);
                sum * t.denominator() <= big(scale) * columns[0].n * s * t.numerator()
            }
            Model::DeltaDisclosure { delta, .. } => {
                let mut counts = counts[0].iter().zip(&columns[0].totals);
                counts.all(|(&c, &total)| c > 0 && near(c, s, total, columns[0].n, *delta))
            }
            Model::DeltaDisclosureOfPresent { delta, .. } => {
                let mut counts = counts[0].iter().zip(&columns[0].totals);
                counts.all(|(&c, &total)| c == 0 || near(c, s, total, columns[0].n, *delta))
            }
            Model::BasicBetaLikeness { beta, .. } => {
                counts[0].iter().zip(&columns[0].totals).all(|(&c, &total)| {
                    let allowed = beta.numerator() + beta.denominator();
                    big(c) * columns[0].n * beta.denominator() <= big(total) * s * allowed
                })
            }
            Model::EnhancedBetaLikeness { beta, .. } => {
                counts[0].iter().zip(&columns[0].totals).all(|(&c, &total)| {
                    let n = columns[0].n;
                    let allowed = beta.numerator() + beta.denominator();
                    let basic = big(c) * n * beta.denominator() <= big(total) * s * allowed;
                    basic && below_own_information(c, s, total, n)
                })
            }
            Model::AlphaK { alpha, k, values, .. } => {
                let limited = |value: &Value| {
                    values.is_empty() || value.text().is_some_and(|t| values.iter().any(|v| v == t))
                };
                s >= k.get()
                    && counts[0]
                        .iter()
                        .zip(&columns[0].values)
                        .all(|(&c, value)| !limited(value) || at_most(big(c), big(s), *alpha))
            }
            Model::PSensitive { p, k, .. } => {
                s >= k.get() && (0..counts.len()).all(|of| present(of) >= p.get())
            }
            Model::Profitability { benefit, loss: harm, gain, cost, attacker } => {
                let others =
                    if *attacker == Attacker::Journalist && around > 0 { around } else { s };
                // gain / others > cost
                let attacked = big(gain.numerator()) * cost.denominator()
                    > big(cost.numerator()) * gain.denominator() * others;
                let (benefit, harm) = (benefit.to_f64(), harm.to_f64());
                let harm = if attacked { harm / others as f64 } else { 0.0 };
                let kept = benefit * (1.0 - self.information_loss(class));
                // Logarithms of shares: what is within their rounding of nothing is no profit.
                kept - harm > 1e-10 * benefit.max(harm)
            }
            Model::NoAttackProfitability { gain, cost, attacker } => {
                let people = if *attacker == Attacker::Journalist { around } else { s };
                // G / people − C must not be a profit, with at least one person more than break-even.
                *gain == Fraction::ZERO
                    || (*cost > Fraction::ZERO
                        && big(gain.numerator()) * cost.denominator()
                            < big(people) * cost.numerator() * gain.denominator())
            }
            _ => false,
        }
    }

    /// The share of the information of a row that the class's cells lose.
    fn information_loss(&self, class: &Class<'_>) -> f64 {
        let Some(&row) = class.rows.first() else { return 1.0 };
        let (mut shares, mut domains) = (0.0, 0.0);
        for quasi in self.data.quasi() {
            let cell = self.table.column(quasi.column.name()).ok();
            let cell = cell.and_then(|column| column.value(row as usize));
            let share = (0..quasi.levels.count()).find_map(|level| {
                let mut labels = quasi.levels.labels(level).iter();
                let place = labels.position(|label| Some(label) == cell)?;
                quasi.levels.shares(level).get(place).copied()
            });
            shares += share.unwrap_or(1.0).ln();
            domains += quasi.levels.domain().ln();
        }
        if domains > 0.0 { (1.0 + shares / domains).clamp(0.0, 1.0) } else { 0.0 }
    }
}

/// One more than the least c with P[X ≤ c] ≥ 1 − a, at most k. Terms are multiplied up from that of 0;
/// where that is too small, away from the largest, and cut off at 40 deviations (e^−800).
fn estimated_size(k: u64, sampling: Fraction, significance: Fraction, law: SamplingLaw) -> u64 {
    let lambda = sampling.to_f64() * k as f64;
    let wanted = 1.0 - significance.to_f64();
    if lambda <= 600.0 {
        let mut term = (-lambda).exp();
        let zero = if law == SamplingLaw::ZeroTruncated { term } else { 0.0 };
        let wanted = wanted * (1.0 - zero) - 1e-12;
        let (mut sum, mut c) = (term - zero, 0u64);
        while sum < wanted && c < k {
            c += 1;
            term *= lambda / c as f64;
            sum += term;
        }
        return (c + 1).min(k);
    }
    // Tables have fewer rows than that.
    if lambda > 1e10 {
        return k;
    }
    let (mode, reach) = (lambda.floor() as u64, (40.0 * lambda.sqrt()) as u64);
    let first = mode.saturating_sub(reach);
    let mut below: Vec<f64> = Vec::new();
    let mut term = 1.0;
    for c in (first..mode).rev() {
        term *= (c + 1) as f64 / lambda;
        below.push(term);
    }
    let mut terms: Vec<f64> = below.into_iter().rev().collect();
    term = 1.0;
    for c in mode..=mode + reach {
        terms.push(term);
        term *= lambda / (c + 1) as f64;
    }
    let wanted = (wanted - 1e-12) * terms.iter().sum::<f64>();
    let mut sum = 0.0;
    let least = terms.iter().take_while(|&&term| {
        sum += term;
        sum < wanted
    });
    (first + least.count() as u64 + 1).min(k)
}

/// Powers are multiplied out up to this many bits.
const MOST_BITS: f64 = 5e6;

/// |log2(q/p)| < δ for q = c/s and p = total/n: q < p 2^δ and p < q 2^δ.
fn near(c: u64, s: u64, total: u64, n: u64, delta: Fraction) -> bool {
    let (q, p) = (big(c) * n, big(total) * s);
    let log = (c as f64 / s as f64).log2() - (total as f64 / n as f64).log2();
    let margin = delta.to_f64() - log.abs();
    if margin.abs() > 1e-12 {
        return margin > 0.0;
    }
    let (num, den) = (delta.numerator(), delta.denominator());
    let bits = den as f64 * q.bits().max(p.bits()) as f64 + num as f64;
    let (Ok(exponent), true) = (u32::try_from(den), bits <= MOST_BITS) else { return false };
    let (q, p) = (q.pow(exponent), p.pow(exponent));
    q < &p << num && p < &q << num
}

/// q ≤ (1 − ln p) p; equality is impossible for 0 < p < 1, since ln p is then no fraction.
fn below_own_information(c: u64, s: u64, total: u64, n: u64) -> bool {
    if big(c) * n <= big(total) * s {
        return true;
    }
    let (q, p) = (c as f64 / s as f64, total as f64 / n as f64);
    (1.0 - p.ln()) * p - q > 4e-15
}

/// exp of the entropy is at least ℓ: s^s ≥ ℓ^s Π c^c, by logarithms unless they are close, and then
/// in whole numbers after division by what the counts have in common.
fn entropy_holds(counts: &[u64], s: u64, l: Fraction) -> bool {
    let present = || counts.iter().copied().filter(|&c| c > 0);
    let term = |c: u64| {
        let q = c as f64 / s as f64;
        -q * q.ln()
    };
    let margin = present().map(term).sum::<f64>() - l.to_f64().ln();
    if margin.abs() > 1e-13 * (8 + counts.len()) as f64 {
        return margin > 0.0;
    }
    let common = present().fold(s, |mut a, mut b| {
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a
    });
    let size = s / common.max(1);
    let bits = size as f64 * (size as f64 * l.numerator() as f64).log2();
    let (Ok(exponent), true) = (u32::try_from(size), bits <= MOST_BITS) else { return false };
    let left = (big(size) * l.denominator()).pow(exponent);
    let all = big(l.numerator()).pow(exponent);
    let right =
        present().fold(all, |product, c| product * big(c / common).pow((c / common) as u32));
    left >= right
}

/// Σ c G(c) ≤ s (G(s) − ln ℓ) with G_2j = G_2j+1 = −γ − ln 2 + Σ_{i<j} 2/(2i+1), and ⌊ℓ⌋ values.
///
/// The constants cancel, so that both sides are equal only where ln ℓ is a fraction: at ℓ = 1, which
/// always holds, since G never falls.
fn grassberger_holds(counts: &[u64], s: u64, l: Fraction) -> bool {
    if l <= Fraction::ONE {
        return true;
    }
    let g = |count: u64| -> f64 {
        let half = count / 2;
        if half < 10_000 {
            (0..half).map(|i| 2.0 / (2 * i + 1) as f64).sum()
        } else {
            // ln 2j + γ + ln 2 + 1 / 24j², the sum's expansion; what follows is below 1e-17.
            let half = half as f64;
            const EULER: f64 = 0.577_215_664_901_532_9;
            (4.0 * half).ln() + EULER + 1.0 / (24.0 * half * half)
        }
    };
    let present = || counts.iter().copied().filter(|&c| c > 0);
    let sum: f64 = present().map(|c| c as f64 * g(c)).sum();
    present().count() as u64 >= l.floor_of(1)
        && s as f64 * (g(s) - l.to_f64().ln()) - sum > 1e-11 * s as f64
}

/// The transported mass times scale · n · s, and the scale.
fn transport(
    data: &Dataset,
    name: &str,
    distance: Distance,
    column: &Sensitive<'_>,
    counts: &[u64],
    s: u64,
) -> (BigUint, u64) {
    let extra: Vec<BigInt> = counts
        .iter()
        .zip(&column.totals)
        .map(|(&c, &total)| BigInt::from(c) * column.n - BigInt::from(total) * s)
        .collect();
    let magnitude = |x: &BigInt| x.magnitude().clone();
    match distance {
        Distance::Equal => (extra.iter().map(magnitude).sum(), 2),
        Distance::Ordered => {
            let mut sum = BigUint::default();
            for i in 0..extra.len() {
                let prefix: BigInt = extra[..=i].iter().sum();
                sum += magnitude(&prefix);
            }
            (sum, extra.len().saturating_sub(1) as u64)
        }
        Distance::Hierarchical => {
            let Some((levels, original)) = data
                .table()
                .position(name)
                .ok()
                .and_then(|place| Some((data.levels(place)?, &data.table().columns()[place])))
            else {
                return (BigUint::from(u8::from(true)), 0);
            };
            let height = levels.highest() as u64;
            let zero = BigInt::default();
            let group = |value: &Value, level: usize| {
                let entry = original.dictionary().iter().position(|v| v == value).unwrap_or(0);
                levels.groups(level)[entry]
            };
            // What flows at an inner node is the lesser of its children's surplus and deficit.
            let mut sum = BigUint::default();
            for level in 1..levels.count() {
                let mut children: BTreeMap<(u32, u32), BigInt> = BTreeMap::new();
                for (value, extra) in column.values.iter().zip(&extra) {
                    let at = (group(value, level), group(value, level - 1));
                    *children.entry(at).or_default() += extra;
                }
                let mut nodes: BTreeMap<u32, (BigUint, BigUint)> = BTreeMap::new();
                for ((node, _), extra) in children {
                    let flows = nodes.entry(node).or_default();
                    let side = if extra > zero { &mut flows.0 } else { &mut flows.1 };
                    *side += extra.magnitude();
                }
                for (surplus, deficit) in nodes.into_values() {
                    sum += surplus.min(deficit) * level as u64;
                }
            }
            (sum, height)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fraction(text: &str) -> Fraction {
        text.parse().unwrap()
    }

    #[test]
    fn thresholds_are_exact_where_they_can_be() {
        // q/p = 2 and 1/2 at δ = 1: strict.
        assert!(!near(1, 1, 1, 2, Fraction::ONE) && near(1, 1, 1, 2, fraction("1.0001")));
        assert!(!near(1, 4, 1, 2, Fraction::ONE) && !near(1, 1, 1, 2, fraction("0.999999999999")));
        assert!(entropy_holds(&[46_341; 3], 3 * 46_341, fraction("3")));
        assert!(!entropy_holds(&[46_341; 3], 3 * 46_341, fraction("3.00000000001")));
        assert!(entropy_holds(&[3, 3, 2], 8, fraction("2.9511517858")));
        assert!(!entropy_holds(&[3, 3, 2], 8, fraction("2.951151786")));
        assert!(grassberger_holds(&[5], 5, Fraction::ONE));
        assert!(!grassberger_holds(&[5], 5, fraction("1.000001")));
    }

    #[test]
    fn the_expansion_of_long_sums_meets_them() {
        let sum: f64 = (0..10_000).map(|i| 2.0 / f64::from(2 * i + 1)).sum();
        let half = 10_000f64;
        let expansion = (4.0 * half).ln() + 0.577_215_664_901_532_9 + 1.0 / (24.0 * half * half);
        assert!((sum - expansion).abs() < 1e-12);
    }
}
