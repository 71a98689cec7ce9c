//! The verifier: looks at the released table alone, groups its texts, and recomputes every claim.
//!
//! It shares no code with the searches: classes are maps of texts, thresholds are compared in big
//! integers, and each requirement is written down a second time from its definition. It needs the
//! original only for what the models themselves refer to (the distribution of sensitive values)
//! and to see that rows are truthful.

use std::collections::{BTreeMap, BTreeSet};

use num_bigint::{BigInt, BigUint};

use crate::dataset::{Dataset, Role};
use crate::fraction::Fraction;
use crate::hierarchy::Levels;
use crate::model::{Attacker, Distance, EntropyEstimator, Model};
use crate::release::{Certificate, Release, Scheme};
use crate::table::{Table, Value, parse_number};

/// Maps under a fresh random seed; faster than the default for keys of many texts.
type HashMap<K, V> = std::collections::HashMap<K, V, foldhash::quality::RandomState>;

/// Why a release is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Finding {
    /// Other columns than the input's without the identifying ones.
    #[error("the columns of the release are not those of the input without the identifying ones")]
    Columns,
    /// A class does not satisfy a requirement.
    #[error("row {row} lies in a class of {size} rows that does not satisfy {model}")]
    Class {
        /// The requirement.
        model: String,
        /// Rows of the class.
        size: u64,
        /// One of its rows in the release, counted from 1.
        row: u64,
    },
    /// The table as a whole does not satisfy a requirement.
    #[error("the release as a whole does not satisfy {model}")]
    Whole {
        /// The requirement.
        model: String,
    },
    /// A requirement cannot be checked here.
    #[error("{model} cannot be checked: {reason}")]
    Unchecked {
        /// The requirement.
        model: String,
        /// Why.
        reason: &'static str,
    },
    /// A cell is no generalization of the row it is said to come from.
    #[error("row {row}, column `{column}`: the value is not that of its row, or no group of it")]
    Untrue {
        /// The row in the release, counted from 1.
        row: u64,
        /// The column.
        column: String,
    },
    /// A row that cannot come from the input.
    #[error("row {row} comes from no row of the input that is not used already")]
    Foreign {
        /// The row in the release, counted from 1.
        row: u64,
    },
    /// A class was released in part.
    #[error("the class of row {row} was released in part: {released} of {all} rows")]
    Partial {
        /// One of its rows, counted from 1.
        row: u64,
        /// Rows released.
        released: u64,
        /// Rows of the class in the generalized input.
        all: u64,
    },
    /// A number of the certificate is wrong.
    #[error("the certificate's {what} is {claimed}, the release's {found}")]
    Certificate {
        /// Which number.
        what: &'static str,
        /// What it says.
        claimed: u64,
        /// What was counted.
        found: u64,
    },
}

struct Class {
    rows: Vec<usize>,
}

/// Checks a release against its own certificate and origin.
///
/// # Errors
///
/// The first [`Finding`].
pub fn verify(
    data: &Dataset,
    release: &Release,
    population: Option<&Table>,
) -> Result<(), Finding> {
    let Certificate { models, scheme, rows, suppressed, classes, smallest_class, .. } =
        release.certificate();
    let found = check_table(data, release.table(), models, Some(scheme), population)?;
    let all = data.table().rows() as u64;
    let claims = [
        ("number of rows", *rows, release.table().rows() as u64),
        ("number of suppressed rows", *suppressed, all - release.table().rows() as u64),
        ("number of classes", *classes, found.0),
        ("smallest class", *smallest_class, found.1),
    ];
    for (what, claimed, found) in claims {
        if claimed != found {
            return Err(Finding::Certificate { what, claimed, found });
        }
    }
    check_origin(data, release.table(), release.origin())
}

/// Checks a table that is handed out without its origin: the requirements, and, for full-domain
/// generalization, that it consists of whole classes of the generalized input.
///
/// # Errors
///
/// The first [`Finding`].
pub fn verify_table(
    data: &Dataset,
    table: &Table,
    models: &[Model],
    scheme: Option<&Scheme>,
    population: Option<&Table>,
) -> Result<(), Finding> {
    check_table(data, table, models, scheme, population).map(|_| ())
}

static ABSENT: Value = Value::Missing;

/// The values of a row in the given columns.
fn texts<'a>(table: &'a Table, places: &[usize], row: usize) -> Vec<&'a Value> {
    places.iter().map(|&place| table.columns()[place].value(row).unwrap_or(&ABSENT)).collect()
}

/// Classes in order of their first rows.
type Classes<'a> = Vec<(Vec<&'a Value>, Class)>;

/// How many classes, and the smallest.
fn check_table(
    data: &Dataset,
    table: &Table,
    models: &[Model],
    scheme: Option<&Scheme>,
    population: Option<&Table>,
) -> Result<(u64, u64), Finding> {
    let original = data.table();
    let named: Vec<(usize, &str)> = original
        .columns()
        .iter()
        .enumerate()
        .filter(|(place, _)| data.role(*place) != Some(Role::Identifying))
        .map(|(place, column)| (place, column.name()))
        .collect();
    let released: Vec<&str> = table.columns().iter().map(|column| column.name()).collect();
    if released != named.iter().map(|(_, name)| *name).collect::<Vec<_>>() {
        return Err(Finding::Columns);
    }
    let quasi: Vec<usize> = named
        .iter()
        .enumerate()
        .filter(|(_, (place, _))| data.role(*place) == Some(Role::Quasi))
        .map(|(i, _)| i)
        .collect();
    let mut places: HashMap<Vec<&Value>, usize> = HashMap::default();
    let mut classes: Classes<'_> = Vec::new();
    for row in 0..table.rows() {
        let key = texts(table, &quasi, row);
        let place = *places.entry(key).or_insert_with_key(|key| {
            classes.push((key.clone(), Class { rows: Vec::new() }));
            classes.len() - 1
        });
        classes[place].1.rows.push(row);
    }
    if let Some(Scheme::FullDomain { levels }) = scheme {
        check_full_domain(data, table, &named, levels)?;
    }
    let people = people(data, scheme, population);
    for model in models {
        check_model(data, table, model, &classes, people.as_ref())?;
    }
    let least = classes.iter().map(|(_, class)| class.rows.len() as u64).min().unwrap_or(0);
    Ok((classes.len() as u64, least))
}

/// The population's classes under the same levels.
fn people(
    data: &Dataset,
    scheme: Option<&Scheme>,
    population: Option<&Table>,
) -> Option<BTreeMap<Vec<Value>, u64>> {
    let (Some(Scheme::FullDomain { levels }), Some(table)) = (scheme, population) else {
        return None;
    };
    let mut columns = Vec::new();
    for (quasi, &level) in data.quasi().zip(levels) {
        let column = table.column(quasi.column.name()).ok()?;
        columns.push((column, data.population_levels(quasi.place, column).ok()?, level));
    }
    let mut all = BTreeMap::new();
    for row in 0..table.rows() {
        let mut key = Vec::new();
        for (column, applied, level) in &columns {
            let entry = column.dictionary().iter().position(|v| Some(v) == column.value(row))?;
            let group = *applied.groups(*level).get(entry)?;
            key.push(applied.labels(*level).get(group as usize)?.clone());
        }
        *all.entry(key).or_insert(0) += 1;
    }
    Some(all)
}

fn check_full_domain(
    data: &Dataset,
    table: &Table,
    named: &[(usize, &str)],
    levels: &[usize],
) -> Result<(), Finding> {
    let original = data.table();
    let mut level_of: HashMap<usize, usize> = HashMap::default();
    for (quasi, &level) in data.quasi().zip(levels) {
        level_of.insert(quasi.place, level);
    }
    // The generalized input as counted rows, and its classes.
    let mut expected: HashMap<Vec<&Value>, u64> = HashMap::default();
    let mut sizes: HashMap<Vec<&Value>, u64> = HashMap::default();
    let entries: Vec<HashMap<&Value, usize>> = original
        .columns()
        .iter()
        .map(|c| c.dictionary().iter().enumerate().map(|(i, v)| (v, i)).collect())
        .collect();
    for row in 0..original.rows() {
        let mut cells = Vec::new();
        let mut class = Vec::new();
        for &(place, _) in named {
            let value = original.columns()[place].value(row).unwrap_or(&ABSENT);
            let cell = match (level_of.get(&place), data.levels(place)) {
                (Some(&level), Some(applied)) => {
                    let entry = entries[place].get(value).copied().unwrap_or(0);
                    let group = applied.groups(level).get(entry).copied().unwrap_or(u32::MAX);
                    let label = applied.labels(level).get(group as usize).unwrap_or(&ABSENT);
                    class.push(label);
                    label
                }
                _ => value,
            };
            cells.push(cell);
        }
        *expected.entry(cells).or_insert(0) += 1;
        *sizes.entry(class).or_insert(0) += 1;
    }
    let all: Vec<usize> = (0..named.len()).collect();
    let quasi: Vec<usize> =
        all.iter().copied().filter(|&i| level_of.contains_key(&named[i].0)).collect();
    let mut released: HashMap<Vec<&Value>, (u64, usize)> = HashMap::default();
    for row in 0..table.rows() {
        match expected.get_mut(&texts(table, &all, row)) {
            Some(left) if *left > 0 => *left -= 1,
            _ => return Err(Finding::Foreign { row: row as u64 + 1 }),
        }
        released.entry(texts(table, &quasi, row)).or_insert((0, row)).0 += 1;
    }
    let mut released: Vec<_> = released.into_iter().collect();
    released.sort_unstable_by_key(|(_, (_, row))| *row);
    for (class, (count, row)) in released {
        let all = sizes.get(&class).copied().unwrap_or(0);
        if all != count {
            return Err(Finding::Partial { row: row as u64 + 1, released: count, all });
        }
    }
    Ok(())
}

fn check_origin(data: &Dataset, table: &Table, origin: &[u32]) -> Result<(), Finding> {
    let original = data.table();
    let mut used = vec![false; original.rows()];
    for row in 0..table.rows() {
        let Some(&from) = origin.get(row) else {
            return Err(Finding::Foreign { row: row as u64 + 1 });
        };
        match used.get_mut(from as usize) {
            Some(used) if !*used => *used = true,
            _ => return Err(Finding::Foreign { row: row as u64 + 1 }),
        }
    }
    for column in table.columns() {
        let Ok(place) = original.position(column.name()) else { return Err(Finding::Columns) };
        let source = &original.columns()[place];
        let levels = data.levels(place).filter(|_| data.role(place) == Some(Role::Quasi));
        let entries: HashMap<&Value, usize> =
            source.dictionary().iter().enumerate().map(|(i, v)| (v, i)).collect();
        let mut known: HashMap<(&Value, &Value), bool> = HashMap::default();
        for (row, &from) in origin.iter().enumerate().take(table.rows()) {
            let (Some(cell), Some(value)) = (column.value(row), source.value(from as usize)) else {
                return Err(Finding::Foreign { row: row as u64 + 1 });
            };
            let truthful = *known.entry((cell, value)).or_insert_with(|| match levels {
                None => cell == value,
                Some(levels) => {
                    let entry = entries.get(value).copied().unwrap_or(usize::MAX);
                    covers(cell, value, entry, levels)
                }
            });
            if !truthful {
                let column = column.name().into();
                return Err(Finding::Untrue { row: row as u64 + 1, column });
            }
        }
    }
    Ok(())
}

/// Whether a released cell is a group of a value: a label of its hierarchy, or a range around it.
fn covers(cell: &Value, value: &Value, entry: usize, levels: &Levels) -> bool {
    let listed = (0..levels.count()).any(|level| {
        let group = levels.groups(level).get(entry).copied();
        group.and_then(|group| levels.labels(level).get(group as usize)) == Some(cell)
    });
    if listed || *cell == Value::Suppressed {
        return true;
    }
    let Some(text) = cell.text() else { return false };
    if text == "*" {
        return true;
    }
    let Some(value) = value.text() else { return false };
    let number = |text: &str| parse_number(text).or_else(|| crate::table::parse_date(text));
    let Some(x) = number(value) else { return text == value };
    if let Some(bound) = text.strip_prefix("<=") {
        return number(bound).is_some_and(|bound| x <= bound);
    }
    if let Some(bound) = text.strip_prefix(">=") {
        return number(bound).is_some_and(|bound| x >= bound);
    }
    if let Some((low, high)) =
        text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).and_then(|t| t.split_once(", "))
    {
        let (low, high) = (number(low), number(high));
        return low.is_some_and(|low| low <= x) && high.is_some_and(|high| x <= high);
    }
    // `a-b`, where both may be negative: try each hyphen.
    text.match_indices('-').any(|(at, _)| {
        let (low, high) = (number(&text[..at]), number(&text[at + 1..]));
        matches!((low, high), (Some(low), Some(high)) if low <= x && x <= high)
    })
}

fn big(x: u64) -> BigUint {
    BigUint::from(x)
}

/// Whether a/b ≤ f.
fn at_most(a: BigUint, b: BigUint, f: Fraction) -> bool {
    a * f.denominator() <= b * f.numerator()
}

/// A sensitive column: the table's distribution in the column's order.
struct Sensitive<'a> {
    values: Vec<&'a Value>,
    totals: Vec<u64>,
    n: u64,
    place: usize,
}

fn sensitive<'a>(data: &'a Dataset, table: &Table, name: &str) -> Option<Sensitive<'a>> {
    let column = data.table().column(name).ok()?;
    let (counts, ranks) = (column.counts(), column.ranks());
    let mut entries: Vec<usize> = (0..counts.len()).filter(|&i| counts[i] > 0).collect();
    entries.sort_by_key(|&entry| ranks[entry]);
    Some(Sensitive {
        values: entries.iter().map(|&entry| &column.dictionary()[entry]).collect(),
        totals: entries.iter().map(|&entry| counts[entry]).collect(),
        n: data.table().rows() as u64,
        place: table.position(name).ok()?,
    })
}

fn check_model(
    data: &Dataset,
    table: &Table,
    model: &Model,
    classes: &Classes<'_>,
    people: Option<&BTreeMap<Vec<Value>, u64>>,
) -> Result<(), Finding> {
    let unchecked = |reason| Finding::Unchecked { model: model.to_string(), reason };
    if model.is_of_the_sample() {
        return match whole_holds(data, model, classes) {
            true => Ok(()),
            false => Err(Finding::Whole { model: model.to_string() }),
        };
    }
    if model.needs_population() && people.is_none() {
        return Err(unchecked("it needs the population and the levels of a full-domain scheme"));
    }
    if let (Model::DeltaPresence { min, .. }, Some(people)) = (model, people) {
        // A class of the population without any row is as visible as one with rows.
        let seen: BTreeSet<Vec<Value>> =
            classes.iter().map(|(key, _)| key.iter().map(|&v| v.clone()).collect()).collect();
        let absent = people.keys().any(|key| !seen.contains(key));
        if absent && *min > Fraction::ZERO {
            return Err(Finding::Whole { model: model.to_string() });
        }
    }
    let mut columns = Vec::new();
    for name in model.columns() {
        columns.push(sensitive(data, table, name).ok_or_else(|| unchecked("a column is missing"))?);
    }
    for (key, class) in classes {
        let size = class.rows.len() as u64;
        let counts: Vec<Vec<u64>> = columns
            .iter()
            .map(|column| {
                let mut seen: HashMap<&Value, u64> = HashMap::default();
                for &row in &class.rows {
                    if let Some(value) = table.columns()[column.place].value(row) {
                        *seen.entry(value).or_insert(0) += 1;
                    }
                }
                column.values.iter().map(|value| seen.get(value).copied().unwrap_or(0)).collect()
            })
            .collect();
        // A value that the input does not have.
        let foreign = counts.iter().any(|counts| counts.iter().sum::<u64>() != size);
        let around = people.map_or(0, |people| {
            let key: Vec<Value> = key.iter().map(|&v| v.clone()).collect();
            people.get(&key).copied().unwrap_or(0)
        });
        let loss = || information_loss(data, key);
        if foreign || !class_holds(data, model, size, around, &columns, &counts, loss) {
            let row = class.rows.first().map_or(0, |&row| row as u64 + 1);
            return Err(Finding::Class { model: model.to_string(), size, row });
        }
    }
    Ok(())
}

fn information_loss(data: &Dataset, key: &[&Value]) -> f64 {
    let (mut shares, mut domains) = (0.0, 0.0);
    for (quasi, cell) in data.quasi().zip(key) {
        let share = (0..quasi.levels.count()).find_map(|level| {
            let place = quasi.levels.labels(level).iter().position(|label| label == *cell)?;
            quasi.levels.shares(level).get(place).copied()
        });
        shares += share.unwrap_or(1.0).ln();
        domains += quasi.levels.domain().ln();
    }
    if domains > 0.0 { (1.0 + shares / domains).clamp(0.0, 1.0) } else { 0.0 }
}

fn whole_holds(data: &Dataset, model: &Model, classes: &Classes<'_>) -> bool {
    // A class in which nothing is told apart carries no information about people.
    let open: Vec<bool> =
        data.quasi().map(|quasi| quasi.levels.labels(quasi.levels.highest()).len() == 1).collect();
    let blank = |key: &[&Value]| {
        key.iter().zip(data.quasi()).zip(&open).all(|((cell, quasi), &open)| {
            open && quasi.levels.labels(quasi.levels.highest()).first() == Some(*cell)
        })
    };
    let mut sizes: BTreeMap<u64, u64> = BTreeMap::new();
    for (_, class) in classes.iter().filter(|(key, _)| !blank(key)) {
        *sizes.entry(class.rows.len() as u64).or_insert(0) += 1;
    }
    let rows: u64 = sizes.iter().map(|(size, count)| size * count).sum();
    let count: u64 = sizes.values().sum();
    let unique = sizes.get(&1).copied().unwrap_or(0);
    match model {
        Model::AverageRisk { most } => rows == 0 || at_most(big(count), big(rows), *most),
        Model::SampleUniqueness { most } => rows == 0 || at_most(big(unique), big(rows), *most),
        Model::RecordsAtRisk { threshold, share } => {
            let risky = |size: u64| !at_most(big(1), big(size), *threshold);
            let at_risk: u64 = sizes.iter().filter(|&(&s, _)| risky(s)).map(|(s, c)| s * c).sum();
            rows == 0 || at_most(big(at_risk), big(rows), *share)
        }
        Model::PopulationUniqueness { most, population, estimator } => {
            let estimate = crate::risk::uniqueness::estimate(*estimator, &sizes, *population);
            unique == 0
                || estimate.is_some_and(|people| {
                    people > 0.0 && people <= most.to_f64() * *population as f64
                })
        }
        _ => false,
    }
}

fn class_holds(
    data: &Dataset,
    model: &Model,
    s: u64,
    around: u64,
    columns: &[Sensitive<'_>],
    counts: &[Vec<u64>],
    loss: impl Fn() -> f64,
) -> bool {
    let present = |of: usize| counts[of].iter().filter(|&&c| c > 0).count() as u64;
    let descending = || {
        let mut sorted: Vec<u64> = counts[0].iter().copied().filter(|&c| c > 0).collect();
        sorted.sort_by_key(|&c| std::cmp::Reverse(c));
        sorted
    };
    match model {
        Model::KAnonymity { k } => s >= k.get(),
        Model::KMap { k } => around >= k.get(),
        Model::EstimatedKMap { k, .. } => {
            // The derived size is at most k; without a second derivation only that much is sure.
            let needed = crate::model::bind::bind(data, std::slice::from_ref(model), false);
            s >= k.get()
                || needed.is_ok_and(|all| {
                    all.rules
                        .iter()
                        .all(|b| matches!(b.rule, crate::model::class::Rule::Size(k) if s >= k))
                })
        }
        Model::DeltaPresence { min, max } => {
            around >= s
                && at_most(big(s), big(around), *max)
                && big(around) * min.numerator() <= big(s) * min.denominator()
        }
        Model::DistinctDiversity { l, .. } => present(0) >= l.get(),
        Model::EntropyDiversity { l, estimator: EntropyEstimator::Shannon, .. } => {
            entropy_holds(&counts[0], s, *l)
        }
        Model::EntropyDiversity { l, .. } => {
            let g = |count: u64| {
                // G_2j = −γ − ln 2 + Σ_{i<j} 2/(2i+1), summed as defined for small counts.
                let half = count / 2;
                if half < 100_000 {
                    let sum: f64 = (0..half).map(|i| 2.0 / (2.0 * i as f64 + 1.0)).sum();
                    sum - 0.577_215_664_901_532_9 - std::f64::consts::LN_2
                } else {
                    (2.0 * half as f64).ln()
                }
            };
            let sum: f64 = counts[0].iter().filter(|&&c| c > 0).map(|&c| c as f64 * g(c)).sum();
            present(0) >= l.to_f64().floor() as u64
                && sum <= s as f64 * (g(s) - l.to_f64().ln()) + 1e-6 * s as f64
        }
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
        Model::DeltaDisclosure { delta, .. } => ratios(&columns[0], &counts[0], s)
            .all(|(q, p)| q > 0.0 && (q / p).log2().abs() < delta.to_f64() + 1e-11),
        Model::DeltaDisclosureOfPresent { delta, .. } => ratios(&columns[0], &counts[0], s)
            .all(|(q, p)| q == 0.0 || (q / p).log2().abs() < delta.to_f64() + 1e-11),
        Model::BasicBetaLikeness { beta, .. } => {
            counts[0].iter().zip(&columns[0].totals).all(|(&c, &total)| {
                let allowed = beta.numerator() + beta.denominator();
                big(c) * columns[0].n * beta.denominator() <= big(total) * s * allowed
            })
        }
        Model::EnhancedBetaLikeness { beta, .. } => ratios(&columns[0], &counts[0], s)
            .all(|(q, p)| q <= (1.0 + beta.to_f64().min(-p.ln())) * p + 1e-12),
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
            let others = if *attacker == Attacker::Journalist && around > 0 { around } else { s };
            let risk = 1.0 / others as f64;
            let attacked = gain.to_f64() * risk > cost.to_f64();
            let harm = if attacked { harm.to_f64() * risk } else { 0.0 };
            benefit.to_f64() * (1.0 - loss()) - harm > 0.0
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

fn ratios<'a>(
    column: &'a Sensitive<'_>,
    counts: &'a [u64],
    s: u64,
) -> impl Iterator<Item = (f64, f64)> + 'a {
    let n = column.n as f64;
    counts
        .iter()
        .zip(&column.totals)
        .map(move |(&c, &total)| (c as f64 / s as f64, total as f64 / n))
}

/// exp of the entropy is at least ℓ: s^s ≥ ℓ^s Π c^c, by logarithms unless they are close.
fn entropy_holds(counts: &[u64], s: u64, l: Fraction) -> bool {
    let entropy: f64 = counts
        .iter()
        .filter(|&&c| c > 0)
        .map(|&c| {
            let q = c as f64 / s as f64;
            -q * q.ln()
        })
        .sum();
    let margin = entropy - l.to_f64().ln();
    if margin.abs() > 1e-9 {
        return margin > 0.0;
    }
    let power =
        |base: BigUint, exponent: u64| base.pow(u32::try_from(exponent).unwrap_or(u32::MAX));
    if s > 20_000 {
        return margin > -1e-12;
    }
    let left = power(big(s) * l.denominator(), s);
    let right = counts.iter().fold(power(big(l.numerator()), s), |product, &c| {
        if c > 0 { product * power(big(c), c) } else { product }
    });
    left >= right
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
