//! Changes of values that give no guarantee of their own: sampling, top and bottom coding, rank
//! swapping, noise, post-randomization, pseudonyms.

use privacy_core::random::{RandomBuffer, SecureRng};

use crate::error::{Error, Result};
use crate::fraction::Fraction;
use crate::table::{Column, ColumnBuilder, Kind, Table, Value};

/// Row numbers of a simple random sample of `count` rows, in random order.
///
/// # Errors
///
/// [`Error::Parameter`] for more rows than there are; [`Error::Entropy`].
pub fn sample(rows: u32, count: u32, rng: &mut dyn SecureRng) -> Result<Vec<u32>> {
    if count > rows {
        return Err(Error::Parameter {
            parameter: "a sample",
            requirement: "at most as large as the table",
        });
    }
    let mut all: Vec<u32> = (0..rows).collect();
    let mut random = RandomBuffer::new(rng);
    for i in 0..count as usize {
        let j = i + random.below(u64::from(rows) - i as u64)? as usize;
        all.swap(i, j);
    }
    all.truncate(count as usize);
    Ok(all)
}

/// Row numbers, each kept independently with the given probability.
///
/// # Errors
///
/// [`Error::Parameter`] above 1; [`Error::Entropy`].
pub fn bernoulli_sample(rows: u32, keep: Fraction, rng: &mut dyn SecureRng) -> Result<Vec<u32>> {
    if keep > Fraction::ONE {
        return Err(Error::Parameter { parameter: "a probability", requirement: "at most 1" });
    }
    let mut random = RandomBuffer::new(rng);
    let mut all = Vec::new();
    for row in 0..rows {
        if random.below(keep.denominator())? < keep.numerator() {
            all.push(row);
        }
    }
    Ok(all)
}

/// Rewrites a column value by value.
fn map(column: &Column, mut value: impl FnMut(usize, &Value) -> Value) -> Column {
    let mut builder = ColumnBuilder::new(column.name().to_owned());
    for row in 0..column.codes().len() {
        builder.push_value(value(row, column.at(row)));
    }
    builder.finish(None)
}

fn replaced(table: &Table, name: &str, column: Column) -> Result<Table> {
    let place = table.position(name)?;
    let mut columns = table.columns().to_vec();
    columns[place] = column;
    Table::new(columns)
}

/// Numbers below `bottom` become `<bottom` and above `top` become `>top`.
///
/// # Errors
///
/// [`Error::UnknownColumn`], or [`Error::Role`] for a column that is not numeric.
pub fn code_extremes(table: &Table, name: &str, bottom: f64, top: f64) -> Result<Table> {
    let column = table.column(name)?;
    if !column.kind().is_numeric() {
        let problem = "is not numeric, which top and bottom coding needs";
        return Err(Error::Role { column: name.into(), problem });
    }
    let numbers = column.numbers();
    let coded = map(column, |row, value| match numbers[column.codes().get(row) as usize] {
        Some(x) if x < bottom => Value::from(format!("<{bottom}").as_str()),
        Some(x) if x > top => Value::from(format!(">{top}").as_str()),
        _ => value.clone(),
    });
    replaced(table, name, coded)
}

/// Swaps each value with one whose rank is at most `share` of the rows away.
///
/// # Errors
///
/// [`Error::UnknownColumn`], [`Error::Parameter`] above 1, [`Error::Entropy`].
pub fn swap_ranks(
    table: &Table,
    name: &str,
    share: Fraction,
    rng: &mut dyn SecureRng,
) -> Result<Table> {
    if share > Fraction::ONE {
        return Err(Error::Parameter { parameter: "a share", requirement: "at most 1" });
    }
    let column = table.column(name)?;
    let ranks = column.ranks();
    let mut order: Vec<usize> = (0..table.rows()).collect();
    order.sort_by_key(|&row| ranks[column.codes().get(row) as usize]);
    let reach = share.floor_of(table.rows() as u64) as usize;
    let mut source: Vec<usize> = (0..table.rows()).collect();
    let mut swapped = vec![false; table.rows()];
    let mut random = RandomBuffer::new(rng);
    for i in 0..order.len() {
        if swapped[i] {
            continue;
        }
        let last = (i + reach).min(order.len().saturating_sub(1));
        let free: Vec<usize> = (i + 1..=last).filter(|&j| !swapped[j]).collect();
        if free.is_empty() {
            continue;
        }
        let j = free[random.below(free.len() as u64)? as usize];
        source.swap(order[i], order[j]);
        (swapped[i], swapped[j]) = (true, true);
    }
    let moved = map(column, |row, _| column.at(source[row]).clone());
    replaced(table, name, moved)
}

/// Adds normal noise to each number: of mean 0 and a deviation of `share` of the column's own.
/// Whole numbers are rounded, other numbers keep six decimals.
///
/// # Privacy
///
/// Noise of this kind hides exact values from the eye and gives no guarantee; for one, release
/// sums and counts under differential privacy instead.
///
/// # Errors
///
/// [`Error::UnknownColumn`], [`Error::Role`] for a column that is not of numbers, [`Error::Entropy`].
pub fn add_noise(
    table: &Table,
    name: &str,
    share: Fraction,
    rng: &mut dyn SecureRng,
) -> Result<Table> {
    let column = table.column(name)?;
    if !matches!(column.kind(), Kind::Integer | Kind::Decimal) {
        let problem = "is not of numbers, which noise needs";
        return Err(Error::Role { column: name.into(), problem });
    }
    let numbers = column.numbers();
    let counted =
        || numbers.iter().zip(column.counts()).filter_map(|(x, &c)| Some(((*x)?, c as f64)));
    let n = counted().map(|(_, c)| c).sum::<f64>().max(1.0);
    let mean = counted().map(|(x, c)| c * x).sum::<f64>() / n;
    let variance = counted().map(|(x, c)| c * (x - mean) * (x - mean)).sum::<f64>() / n;
    let deviation = share.to_f64() * variance.sqrt();
    let mut random = RandomBuffer::new(rng);
    let mut noise = Vec::with_capacity(table.rows());
    for _ in 0..table.rows() {
        // Box and Muller, from numbers above 0.
        let mut uniform =
            || random.word().map(|word| ((word >> 11) as f64 + 0.5) / (1u64 << 53) as f64);
        let (radius, angle) = ((-2.0 * uniform()?.ln()).sqrt(), std::f64::consts::TAU * uniform()?);
        noise.push(deviation * radius * angle.cos());
    }
    let noisy = map(column, |row, value| match numbers[column.codes().get(row) as usize] {
        Some(x) if column.kind() == Kind::Integer => {
            Value::from(format!("{:.0}", x + noise[row]).as_str())
        }
        Some(x) => Value::from(format!("{:.6}", x + noise[row]).as_str()),
        None => value.clone(),
    });
    replaced(table, name, noisy)
}

/// Post-randomization: each value is kept with probability `keep`, and otherwise drawn from all
/// distinct values alike. The transition matrix is public.
///
/// # Errors
///
/// [`Error::UnknownColumn`], [`Error::Parameter`] above 1, [`Error::Entropy`].
pub fn post_randomize(
    table: &Table,
    name: &str,
    keep: Fraction,
    rng: &mut dyn SecureRng,
) -> Result<Table> {
    if keep > Fraction::ONE {
        return Err(Error::Parameter { parameter: "a probability", requirement: "at most 1" });
    }
    let column = table.column(name)?;
    let counts = column.counts();
    let values: Vec<&Value> =
        column.dictionary().iter().zip(counts).filter(|(_, c)| **c > 0).map(|(v, _)| v).collect();
    let mut random = RandomBuffer::new(rng);
    let mut drawn = Vec::with_capacity(table.rows());
    for row in 0..table.rows() {
        let kept = random.below(keep.denominator())? < keep.numerator();
        drawn.push(match kept {
            true => column.at(row),
            false => values[random.below(values.len() as u64)? as usize],
        });
    }
    replaced(table, name, map(column, |row, _| drawn[row].clone()))
}

/// Random pseudonyms: equal values get equal names of 16 hexadecimal digits, drawn afresh for each
/// call, so that nobody can recompute them from the values.
///
/// # Privacy
///
/// Pseudonymized rows are still linkable to each other; this is no anonymization.
///
/// # Errors
///
/// [`Error::UnknownColumn`], [`Error::Entropy`].
pub fn pseudonyms(table: &Table, name: &str, rng: &mut dyn SecureRng) -> Result<Table> {
    let column = table.column(name)?;
    let mut random = RandomBuffer::new(rng);
    let mut used = std::collections::HashSet::new();
    let mut names = Vec::new();
    for _ in column.dictionary() {
        let mut word = random.word()?;
        while !used.insert(word) {
            word = random.word()?;
        }
        names.push(Value::from(format!("p{word:016x}").as_str()));
    }
    let named = map(column, |row, value| match value {
        Value::Text(_) => names[column.codes().get(row) as usize].clone(),
        other => other.clone(),
    });
    replaced(table, name, named)
}

#[cfg(test)]
mod tests {
    use super::*;
    use privacy_core::random::InsecureTestRng;

    fn table(n: usize) -> Table {
        let values = (0..n).map(|i| Value::from(format!("{}", i * 37 % 100).as_str()));
        Table::new(vec![Column::new("x", values)]).unwrap()
    }

    fn sorted(table: &Table) -> Vec<Value> {
        let column = table.column("x").unwrap();
        let mut all: Vec<Value> = (0..table.rows()).map(|row| column.at(row).clone()).collect();
        all.sort();
        all
    }

    #[test]
    fn swapping_keeps_the_values_and_their_reach() {
        let rng = &mut InsecureTestRng::from_seed(1);
        let before = table(100);
        let after = swap_ranks(&before, "x", Fraction::new(1, 10).unwrap(), rng).unwrap();
        assert_eq!(sorted(&before), sorted(&after));
        let (a, b) = (before.column("x").unwrap(), after.column("x").unwrap());
        let number = |value: &Value| value.text().unwrap().parse::<i64>().unwrap();
        let far = (0..100).map(|row| (number(a.at(row)) - number(b.at(row))).abs()).max();
        assert!(far.unwrap() <= 10 && far.unwrap() > 0);
    }

    #[test]
    fn noise_keeps_the_mean_and_widens_the_column() {
        // 10,000 values of deviation 29, noise of half of it: the mean moves by less than 0.75 (five
        // standard errors), the deviation grows by √1.25.
        let rng = &mut InsecureTestRng::from_seed(4);
        let before = table(10_000);
        let after = add_noise(&before, "x", Fraction::new(1, 2).unwrap(), rng).unwrap();
        let of = |table: &Table| {
            let all: Vec<f64> =
                sorted(table).iter().map(|v| v.text().unwrap().parse().unwrap()).collect();
            let mean = all.iter().sum::<f64>() / 1e4;
            (mean, (all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 1e4).sqrt())
        };
        let (a, b) = (of(&before), of(&after));
        assert!((a.0 - b.0).abs() < 0.75 && (b.1 / a.1 - 1.25f64.sqrt()).abs() < 0.03);
        let words = Table::new(vec![Column::new("x", [Value::from("a")])]).unwrap();
        assert!(add_noise(&words, "x", Fraction::ONE, rng).is_err());
    }

    #[test]
    fn extremes_are_coded_and_samples_have_their_size() {
        let coded = code_extremes(&table(100), "x", 10.0, 90.0).unwrap();
        let column = coded.column("x").unwrap();
        assert!((0..100).any(|row| column.at(row) == &Value::from("<10")));
        let rng = &mut InsecureTestRng::from_seed(2);
        let mut rows = sample(100, 30, rng).unwrap();
        rows.sort_unstable();
        rows.dedup();
        assert_eq!(rows.len(), 30);
        assert!(sample(3, 4, rng).is_err());
        assert_eq!(bernoulli_sample(50, Fraction::ONE, rng).unwrap().len(), 50);
        assert!(bernoulli_sample(50, Fraction::ZERO, rng).unwrap().is_empty());
    }

    #[test]
    fn pseudonyms_keep_equality_and_change_with_each_call() {
        let rng = &mut InsecureTestRng::from_seed(3);
        let before = table(150);
        let (one, two) =
            (pseudonyms(&before, "x", rng).unwrap(), pseudonyms(&before, "x", rng).unwrap());
        let (x, a, b) =
            (before.column("x").unwrap(), one.column("x").unwrap(), two.column("x").unwrap());
        for row in 1..150 {
            assert_eq!(x.at(0) == x.at(row), a.at(0) == a.at(row));
        }
        assert_ne!(a.at(0), b.at(0));
        let same = post_randomize(&before, "x", Fraction::ONE, rng).unwrap();
        assert_eq!(sorted(&before), sorted(&same));
    }
}
