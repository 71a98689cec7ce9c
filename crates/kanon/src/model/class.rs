//! The test of one class against the models that speak of classes.

use super::exact::{below_power_of_two, cmp_products, entropy_at_least};
use crate::fraction::Fraction;
use crate::special::digamma;

/// A sensitive attribute as the tests see it: values in the column's order.
#[derive(Clone, Debug)]
pub(crate) struct Attribute {
    /// Where its counts begin in a class's histogram.
    pub(crate) offset: usize,
    /// Rows of the table with each value.
    pub(crate) totals: Vec<u64>,
    /// All rows.
    pub(crate) rows: u64,
    /// For each level above the values, the group of each value (for the hierarchical distance).
    pub(crate) tree: Vec<Vec<u32>>,
}

/// One class.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Class<'a> {
    pub(crate) size: u64,
    pub(crate) population: u64,
    pub(crate) histogram: &'a [u32],
    /// Information loss in [0, 1]; only read by profitability.
    pub(crate) loss: f64,
}

/// A model bound to attributes, in the units of its test.
#[derive(Clone, Debug)]
pub(crate) enum Rule {
    Size(u64),
    Population(u64),
    Presence { min: Fraction, max: Fraction },
    Distinct { of: usize, l: u64 },
    Entropy { of: usize, l: Fraction },
    Grassberger { of: usize, l: Fraction },
    Recursive { of: usize, c: Fraction, l: usize },
    PositiveDisclosure { of: usize, c: Fraction, l: usize, disclosable: Vec<bool> },
    Equal { of: usize, t: Fraction },
    Ordered { of: usize, t: Fraction },
    Hierarchical { of: usize, t: Fraction },
    Disclosure { of: usize, delta: Fraction, absent_pass: bool },
    BasicBeta { of: usize, beta: Fraction },
    EnhancedBeta { of: usize, beta: Fraction },
    Share { of: usize, most: Fraction, limited: Vec<bool> },
    Payout { benefit: f64, loss: f64, gain: Fraction, cost: Fraction, journalist: bool },
    Never,
}

impl Rule {
    pub(crate) fn reads_loss(&self) -> bool {
        matches!(self, Rule::Payout { .. })
    }

    /// Whether a class with at least one row satisfies it.
    pub(crate) fn holds(&self, class: &Class<'_>, attributes: &[Attribute]) -> bool {
        let s = class.size;
        let at = |of: &usize| {
            let attribute = &attributes[*of];
            let end = attribute.offset + attribute.totals.len();
            (attribute, &class.histogram[attribute.offset..end])
        };
        match self {
            Rule::Size(k) => s >= *k,
            Rule::Population(k) => class.population >= *k,
            Rule::Presence { min, max } => {
                class.population >= s
                    && max.at_least(s, class.population)
                    && u128::from(s) * u128::from(min.denominator())
                        >= u128::from(min.numerator()) * u128::from(class.population)
            }
            Rule::Distinct { of, l } => at(of).1.iter().filter(|&&c| c > 0).count() as u64 >= *l,
            Rule::Entropy { of, l } => {
                entropy_at_least(at(of).1, s, l.numerator(), l.denominator())
            }
            Rule::Grassberger { of, l } => *l <= Fraction::ONE || grassberger(at(of).1, s, *l),
            Rule::Recursive { of, c, l } => {
                let mut counts: Vec<u32> = at(of).1.iter().copied().filter(|&c| c > 0).collect();
                if counts.len() < *l {
                    return false;
                }
                counts.sort_unstable_by(|a, b| b.cmp(a));
                let tail: u64 = counts[l - 1..].iter().map(|&c| u64::from(c)).sum();
                strictly_below(counts[0], *c, tail)
            }
            Rule::PositiveDisclosure { of, c, l, disclosable } => {
                positive_disclosure(at(of).1, *c, *l, disclosable)
            }
            Rule::Equal { of, t } => {
                let (attribute, counts) = at(of);
                let n = attribute.rows;
                let difference = |(&total, &count): (&u64, &u32)| {
                    (u128::from(total) * u128::from(s)).abs_diff(u128::from(count) * u128::from(n))
                };
                let sum: u128 = attribute.totals.iter().zip(counts).map(difference).sum();
                within(sum, 2, *t, n, s)
            }
            Rule::Ordered { of, t } => {
                let (attribute, counts) = at(of);
                let n = attribute.rows;
                let (mut cumulated, mut sum) = (0i128, 0u128);
                for (&total, &count) in attribute.totals.iter().zip(counts) {
                    cumulated +=
                        i128::from(count) * i128::from(n) - i128::from(total) * i128::from(s);
                    sum += cumulated.unsigned_abs();
                }
                within(sum, attribute.totals.len().saturating_sub(1) as u64, *t, n, s)
            }
            Rule::Hierarchical { of, t } => {
                let (attribute, counts) = at(of);
                let (sum, height) = hierarchical(attribute, counts, s);
                within(sum, height, *t, attribute.rows, s)
            }
            Rule::Disclosure { of, delta, absent_pass } => {
                let (attribute, counts) = at(of);
                let n = u128::from(attribute.rows);
                attribute.totals.iter().zip(counts).all(|(&total, &count)| {
                    if count == 0 {
                        return *absent_pass || total == 0;
                    }
                    let q = u128::from(count) * n;
                    let p = u128::from(total) * u128::from(s);
                    let (num, den) = (delta.numerator(), delta.denominator());
                    below_power_of_two(q, p, num, den) && below_power_of_two(p, q, num, den)
                })
            }
            Rule::BasicBeta { of, beta } => {
                let (attribute, counts) = at(of);
                attribute.totals.iter().zip(counts).all(|(&total, &count)| {
                    beta_holds(u64::from(count), s, total, attribute.rows, *beta)
                })
            }
            Rule::EnhancedBeta { of, beta } => {
                let (attribute, counts) = at(of);
                attribute.totals.iter().zip(counts).all(|(&total, &count)| {
                    let basic = beta_holds(u64::from(count), s, total, attribute.rows, *beta);
                    basic && below_own_information(u64::from(count), s, total, attribute.rows)
                })
            }
            Rule::Share { of, most, limited } => at(of)
                .1
                .iter()
                .zip(limited)
                .all(|(&count, &limited)| !limited || most.at_least(u64::from(count), s)),
            Rule::Payout { benefit, loss, gain, cost, journalist } => {
                let others = if *journalist && class.population > 0 { class.population } else { s };
                let harm = if is_above(*gain, *cost, others) { loss / others as f64 } else { 0.0 };
                benefit * (1.0 - class.loss) - harm > 1e-9 * benefit.max(harm)
            }
            Rule::Never => false,
        }
    }
}

/// Whether `sum / (scale · n · s)` is at most t.
fn within(sum: u128, scale: u64, t: Fraction, n: u64, s: u64) -> bool {
    let left = [sum, u128::from(t.denominator())];
    let right = [u128::from(t.numerator()), u128::from(scale), u128::from(n), u128::from(s)];
    sum == 0 || cmp_products(&left, &right).is_le()
}

fn strictly_below(count: u32, c: Fraction, tail: u64) -> bool {
    u128::from(count) * u128::from(c.denominator()) < u128::from(c.numerator()) * u128::from(tail)
}

/// Whether `gain / others` is above `cost`.
fn is_above(gain: Fraction, cost: Fraction, others: u64) -> bool {
    let left = [u128::from(gain.numerator()), u128::from(cost.denominator())];
    let right = [u128::from(cost.numerator()), u128::from(gain.denominator()), u128::from(others)];
    cmp_products(&left, &right).is_gt()
}

fn beta_holds(count: u64, s: u64, total: u64, n: u64, beta: Fraction) -> bool {
    if count == 0 {
        return true;
    }
    let factor = u128::from(beta.numerator()) + u128::from(beta.denominator());
    let left = [u128::from(count), u128::from(n), u128::from(beta.denominator())];
    cmp_products(&left, &[factor, u128::from(total), u128::from(s)]).is_le()
}

/// q ≤ (1 − ln p) p, with an undecided comparison counted as not satisfied.
fn below_own_information(count: u64, s: u64, total: u64, n: u64) -> bool {
    if count == 0 || u128::from(count) * u128::from(n) <= u128::from(total) * u128::from(s) {
        return true;
    }
    let p = total as f64 / n as f64;
    let q = count as f64 / s as f64;
    (1.0 - p.ln()) * p - q > 1e-14
}

/// Σ c G(c) ≤ s (G(s) − ln ℓ), G(j) = ψ(⌊j/2⌋ + 1/2) + ln 2 (the closed form of Grassberger's
/// recursion), for ℓ above 1. Both sides are never equal there: the constants of ψ cancel, and ln ℓ
/// is no fraction. What is within rounding counts as not satisfied.
fn grassberger(counts: &[u32], size: u64, l: Fraction) -> bool {
    let g = |j: u64| digamma((j / 2) as f64 + 0.5) + std::f64::consts::LN_2;
    let present = counts.iter().filter(|&&count| count > 0);
    let (mut sum, mut values) = (0.0, 0u64);
    for &count in present {
        values += 1;
        sum += f64::from(count) * g(u64::from(count));
    }
    let bound = size as f64 * (g(size) - l.to_f64().ln());
    values >= l.floor_of(1) && bound - sum > 2e-11 * size as f64
}

/// r_y is the most frequent value that may not be disclosed; ranks count from 1.
fn positive_disclosure(counts: &[u32], c: Fraction, l: usize, disclosable: &[bool]) -> bool {
    let mut ranked: Vec<(u32, bool)> =
        counts.iter().copied().zip(disclosable.iter().copied()).filter(|&(c, _)| c > 0).collect();
    if ranked.len() < l {
        return false;
    }
    // Among equals a value that may not be disclosed comes first: the stricter reading.
    ranked.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let Some(y) = ranked.iter().position(|&(_, free)| !free) else { return true };
    let sum = |from: usize, to: usize| -> u64 {
        ranked.get(from..to.max(from)).unwrap_or(&[]).iter().map(|&(c, _)| u64::from(c)).sum()
    };
    let tail = if y + 2 <= l {
        sum(l - 1, ranked.len())
    } else {
        sum(l.saturating_sub(2), y) + sum(y + 1, ranked.len())
    };
    strictly_below(ranked[y].0, c, tail)
}

/// The sum of costs times n·s·height, and the height.
fn hierarchical(attribute: &Attribute, counts: &[u32], s: u64) -> (u128, u64) {
    let n = attribute.rows;
    let height = attribute.tree.len() as u64;
    let extra = |(&count, &total): (&u32, &u64)| {
        i128::from(count) * i128::from(n) - i128::from(total) * i128::from(s)
    };
    let mut extras: Vec<i128> = counts.iter().zip(&attribute.totals).map(extra).collect();
    // At each level a node is named by its group; `members` names the nodes of the level below.
    let mut members: Vec<u32> = (0..extras.len() as u32).collect();
    let mut sum = 0u128;
    for (level, groups) in attribute.tree.iter().enumerate() {
        let size = groups.iter().max().map_or(0, |&g| g as usize + 1);
        let (mut surplus, mut deficit) = (vec![0u128; size], vec![0u128; size]);
        let mut seen = vec![false; extras.len()];
        for (value, &node) in members.iter().enumerate() {
            let node = node as usize;
            if std::mem::replace(&mut seen[node], true) {
                continue;
            }
            let parent = groups[value] as usize;
            match extras[node] {
                e if e >= 0 => surplus[parent] += e.unsigned_abs(),
                e => deficit[parent] += e.unsigned_abs(),
            }
        }
        for (&plus, &minus) in surplus.iter().zip(&deficit) {
            sum += plus.min(minus) * (level as u128 + 1);
        }
        extras = surplus.iter().zip(&deficit).map(|(&p, &m)| p as i128 - m as i128).collect();
        members.clone_from(groups);
    }
    (sum, height)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(totals: &[u64], tree: &[&[u32]]) -> Attribute {
        Attribute {
            offset: 0,
            totals: totals.to_vec(),
            rows: totals.iter().sum(),
            tree: tree.iter().map(|level| level.to_vec()).collect(),
        }
    }

    fn holds(rule: &Rule, totals: &[u64], tree: &[&[u32]], counts: &[u32]) -> bool {
        let size = counts.iter().map(|&c| u64::from(c)).sum();
        let class = Class { size, population: 0, histogram: counts, loss: 0.0 };
        rule.holds(&class, &[attribute(totals, tree)])
    }

    fn fraction(text: &str) -> Fraction {
        text.parse().unwrap()
    }

    #[test]
    fn closeness_of_the_small_example_is_exact() {
        // Four values A,B | C,D, p = (4,2,1,1)/8, class {A, C}: 0.375, 0.3125, 0.125.
        let (totals, tree): (&[u64], &[&[u32]]) = (&[4, 2, 1, 1], &[&[0, 0, 1, 1], &[0; 4]]);
        let just_below = Fraction::new(1, 1_000_000_000_000).unwrap();
        assert_ne!(just_below, Fraction::ZERO);
        for (rule, exact, less) in [
            (Rule::Equal { of: 0, t: fraction("0.375") }, true, "0.374999999999"),
            (Rule::Hierarchical { of: 0, t: fraction("0.3125") }, true, "0.312499999999"),
            (Rule::Ordered { of: 0, t: fraction("0.125") }, true, "0.124999999999"),
        ] {
            assert_eq!(holds(&rule, totals, tree, &[1, 0, 1, 0]), exact, "{rule:?}");
            let t = fraction(less);
            let stricter = match rule {
                Rule::Equal { of, .. } => Rule::Equal { of, t },
                Rule::Hierarchical { of, .. } => Rule::Hierarchical { of, t },
                _ => Rule::Ordered { of: 0, t },
            };
            assert!(!holds(&stricter, totals, tree, &[1, 0, 1, 0]), "{stricter:?}");
        }
    }

    #[test]
    fn nine_salaries_of_the_closeness_paper() {
        // Li et al. 2007: {3,4,5} thousand is 0.375 away, {6,8,11} 1/6.
        let totals = [1; 9];
        let rule = |t: &str| Rule::Ordered { of: 0, t: fraction(t) };
        let low = [1, 1, 1, 0, 0, 0, 0, 0, 0];
        assert!(holds(&rule("0.375"), &totals, &[], &low));
        assert!(!holds(&rule("0.374"), &totals, &[], &low));
        let spread = [0, 0, 0, 1, 0, 1, 0, 0, 1];
        assert!(holds(&rule("1/6"), &totals, &[], &spread));
        assert!(!holds(&rule("0.166666666666"), &totals, &[], &spread));
    }

    #[test]
    fn closeness_does_not_overflow_where_products_pass_32_and_64_bits() {
        for n in [46_341u64, 100_000, u64::from(u32::MAX)] {
            let half = (n / 2) as u32;
            let totals = [u64::from(half), n - u64::from(half)];
            let tree: &[&[u32]] = &[&[0, 0]];
            for rule in [
                Rule::Hierarchical { of: 0, t: fraction("0.1") },
                Rule::Equal { of: 0, t: fraction("0.1") },
                Rule::Ordered { of: 0, t: fraction("0.1") },
            ] {
                assert!(!holds(&rule, &totals, tree, &[half, 0]), "{n} {rule:?}");
                assert!(holds(&rule, &totals, tree, &[half / 2, half / 2]), "{n} {rule:?}");
            }
        }
    }

    #[test]
    fn recursive_diversity_is_the_right_way_up_and_strict() {
        let counts = [6, 3, 1];
        let rule = |c: &str, l| Rule::Recursive { of: 0, c: fraction(c), l };
        assert!(!holds(&rule("1.5", 2), &[6, 3, 1], &[], &counts));
        assert!(holds(&rule("1.50000000001", 2), &[6, 3, 1], &[], &counts));
        assert!(!holds(&rule("6", 3), &[6, 3, 1], &[], &counts));
        assert!(holds(&rule("6.00000000001", 3), &[6, 3, 1], &[], &counts));
        assert!(!holds(&rule("1000", 4), &[6, 3, 1], &[], &counts));
    }

    #[test]
    fn positive_disclosure_follows_its_two_cases() {
        let rule = |free: &[bool], c: &str| Rule::PositiveDisclosure {
            of: 0,
            c: fraction(c),
            l: 3,
            disclosable: free.to_vec(),
        };
        let counts = [6, 3, 1];
        // y = 1 ≤ ℓ − 1: as recursive diversity, 6 < c · 1.
        assert!(!holds(&rule(&[false; 3], "6"), &[6, 3, 1], &[], &counts));
        // y = 2 ≤ ℓ − 1: 3 < c · 1.
        assert!(holds(&rule(&[true, false, false], "3.1"), &[6, 3, 1], &[], &counts));
        assert!(!holds(&rule(&[true, false, false], "3"), &[6, 3, 1], &[], &counts));
        // y = 3 > ℓ − 1: 1 < c · r_2.
        assert!(holds(&rule(&[true, true, false], "0.34"), &[6, 3, 1], &[], &counts));
        assert!(!holds(&rule(&[true, true, false], "1/3"), &[6, 3, 1], &[], &counts));
        assert!(holds(&rule(&[true; 3], "0.001"), &[6, 3, 1], &[], &counts));
    }

    #[test]
    fn absent_values_count_against_disclosure() {
        // p = (1/2, 1/2), class 3:1: fails at δ = 1, holds above; 4:0 fails at every δ.
        let rule =
            |d: &str, absent_pass| Rule::Disclosure { of: 0, delta: fraction(d), absent_pass };
        assert!(!holds(&rule("1", false), &[4, 4], &[], &[3, 1]));
        assert!(holds(&rule("1.0001", false), &[4, 4], &[], &[3, 1]));
        assert!(!holds(&rule("1000", false), &[4, 4], &[], &[4, 0]));
        assert!(holds(&rule("1.0001", true), &[4, 4], &[], &[4, 0]));
    }

    #[test]
    fn likeness_and_shares_of_the_small_example() {
        let basic = |b: &str| Rule::BasicBeta { of: 0, beta: fraction(b) };
        assert!(holds(&basic("0.5"), &[4, 4], &[], &[3, 1]));
        assert!(!holds(&basic("0.499999999999"), &[4, 4], &[], &[3, 1]));
        let enhanced = Rule::EnhancedBeta { of: 0, beta: fraction("1000") };
        assert!(holds(&enhanced, &[4, 4], &[], &[3, 1]));
        assert!(!holds(&enhanced, &[4, 4], &[], &[4, 0]));
        let share = |a: &str| Rule::Share { of: 0, most: fraction(a), limited: vec![true; 2] };
        assert!(holds(&share("0.75"), &[4, 4], &[], &[3, 1]));
        assert!(!holds(&share("0.749999999999"), &[4, 4], &[], &[3, 1]));
    }

    #[test]
    fn grassberger_has_its_tabulated_values() {
        let g = |j: u64| digamma((j / 2) as f64 + 0.5) + std::f64::consts::LN_2;
        for (j, value) in [(1, -1.270_362_845_46), (2, 0.729_637_154_54), (4, 1.396_303_821_21)] {
            assert!((g(j) - value).abs() < 1e-10, "{j}");
        }
        assert_eq!(g(2).to_bits(), g(3).to_bits());
    }
}
