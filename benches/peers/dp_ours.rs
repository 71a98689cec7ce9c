//! The side of `benches/peers/dp.py` that runs this crate. Internal: not an example.
//!
//! Reads lines `OPERATION REPETITIONS` and answers each with a line `SECONDS ERROR`: the time that
//! all repetitions took, measured here, and the mean distance of what was released from the truth
//! (0 where nothing is released). `values FILE` writes the integers that all sides read.

#[path = "../workload.rs"]
mod workload;

use std::collections::HashMap;
use std::hint::black_box;
use std::io::{BufRead, Write};
use std::num::NonZero;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use confidant::dp::noise::{DiscreteGaussian, DiscreteLaplace};
use confidant::dp::prelude::*;
use workload::{APPS, Login, SECONDS, logins, plain};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const EPSILON: f64 = 0.1;
/// Limits of about twice the mean number of rows of a user.
const ROWS_OF_MANY: u32 = 20;
const ROWS_OF_FEW: u32 = 1000;
const APPS_OF_USER: u32 = 4;
const VALUES: usize = 1_000_000;
const ROWS: usize = 10_000_000;
const MANY: u64 = 1_000_000;
const FEW: u64 = 20_000;
const OF_VALUES: [&str; 7] = [
    "mean-of-values",
    "variance-of-values",
    "quantile-of-values",
    "quantiles-of-values",
    "distribution-of-values",
    "bins-of-values",
    "categories-of-values",
];

static VALUES_READ: LazyLock<Vec<i64>> = LazyLock::new(|| workload::lengths(VALUES));
static LOGINS: LazyLock<Vec<Login>> = LazyLock::new(|| logins(ROWS, MANY));
/// Logins of so few users that what is kept of each fits into a processor's cache.
static LOGINS_OF_FEW: LazyLock<Vec<Login>> = LazyLock::new(|| logins(ROWS, FEW));
static LENGTHS_U32: LazyLock<Vec<u32>> = LazyLock::new(|| column_of(|login| login.seconds));
static LENGTHS_I64: LazyLock<Vec<i64>> = LazyLock::new(|| column_of(|login| login.seconds.into()));
static LENGTHS_F64: LazyLock<Vec<f64>> = LazyLock::new(|| column_of(|login| login.seconds.into()));
static LENGTHS_F32: LazyLock<Vec<f32>> = LazyLock::new(|| column_of(|login| login.seconds as f32));
/// Each of a thousand lengths that occur is a category of its own.
static CATEGORIES: LazyLock<Vec<i64>> = LazyLock::new(|| (72..1072).collect());
static ALL_APPS: LazyLock<Vec<u16>> = LazyLock::new(|| (0..APPS).collect());

fn column_of<V>(value: impl Fn(&Login) -> V) -> Vec<V> {
    LOGINS.iter().map(value).collect()
}

/// What an answer says.
struct Measured {
    elapsed: Duration,
    error: f64,
}

/// One operation, repeated as often as it is told.
type Operation = Box<dyn FnMut(usize) -> Result<Measured>>;

/// Times queries of the logins, and what a team would write by hand.
fn timed<T>(mut run: impl FnMut() -> Result<T> + 'static) -> Operation {
    LazyLock::force(&LOGINS);
    Box::new(move |repetitions| {
        let start = Instant::now();
        for _ in 0..repetitions {
            black_box(run()?);
        }
        Ok(Measured { elapsed: start.elapsed(), error: 0.0 })
    })
}

/// Times releases and compares them with the truth afterwards.
fn released(truth: i128, release: impl FnMut() -> Result<i128> + 'static) -> Operation {
    judged(release, move |value| value.abs_diff(truth) as f64)
}

/// Times releases of any kind, whose errors are found afterwards.
fn judged<T>(
    mut release: impl FnMut() -> Result<T> + 'static,
    error: impl Fn(&T) -> f64 + 'static,
) -> Operation {
    Box::new(move |repetitions| {
        let mut values = Vec::with_capacity(repetitions);
        let start = Instant::now();
        for _ in 0..repetitions {
            values.push(release()?);
        }
        let elapsed = start.elapsed();
        Ok(Measured { elapsed, error: mean(values.iter().map(&error)) })
    })
}

/// Times one batch of as many draws as there are repetitions.
fn drawn(mut fill: impl FnMut(&mut [i128]) -> Result<()> + 'static) -> Operation {
    Box::new(move |repetitions| {
        let mut values = vec![0; repetitions];
        let start = Instant::now();
        fill(black_box(&mut values))?;
        Ok(Measured { elapsed: start.elapsed(), error: mean_distance(&values, 0) })
    })
}

fn mean_distance(values: &[i128], truth: i128) -> f64 {
    mean(values.iter().map(|value| value.abs_diff(truth) as f64))
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len();
    values.sum::<f64>() / count as f64
}

fn budget() -> Result<Epsilon> {
    Ok(Epsilon::new(1e9)?)
}

fn by_record<T>(rows: &'static [T]) -> Result<Session<'static, T>> {
    Ok(Session::over(black_box(rows)).budget(budget()?).open()?)
}

fn by_user(rows: &'static [Login], limit: u32) -> Result<Session<'static, Login, User>> {
    let session = Session::over(black_box(rows)).unit(|login: &Login| login.user);
    let session = session.max_rows_per_unit(limit).max_groups_per_unit(APPS_OF_USER);
    Ok(session.budget(budget()?).open()?)
}

/// The same in one thread.
fn by_user_alone(rows: &'static [Login], limit: u32) -> Result<Session<'static, Login, User>> {
    let session = Session::over(black_box(rows)).unit(|login: &Login| login.user);
    let session = session.max_rows_per_unit(limit).max_groups_per_unit(APPS_OF_USER);
    Ok(session.threads(NonZero::<usize>::MIN).budget(budget()?).open()?)
}

fn count<U: PrivacyUnit>(session: &Session<'static, Login, U>) -> Result<i128> {
    Ok(session.count().epsilon(EPSILON)?.release()?.into_value().into())
}

fn seconds<U: PrivacyUnit>(session: &Session<'static, Login, U>) -> Result<i128> {
    let query = session.sum(|login| login.seconds).bounds(SECONDS)?;
    Ok(query.epsilon(EPSILON)?.release()?.into_value())
}

fn column<V>(values: &'static [V], bounds: std::ops::RangeInclusive<V>) -> Result<V::Released>
where
    V: confidant::dp::grid::Value,
    confidant::dp::additive::NoiseLaw: confidant::core::release::ErrorLaw<V::Released>,
{
    let session = by_record(values)?;
    let query = session.sum(|value| *value).bounds(bounds)?;
    Ok(query.epsilon(EPSILON)?.release()?.into_value())
}

fn apps(session: &Session<'static, Login, User>) -> Result<GroupedRelease<u16, i64>> {
    let query = session.count().by(|login| login.app, &ALL_APPS);
    Ok(query.epsilon(EPSILON)?.release()?)
}

fn laplace(scale: u64) -> Result<DiscreteLaplace> {
    Ok(DiscreteLaplace::new(Amount::from_integer(scale).as_ratio().clone())?)
}

fn gaussian(sigma: u64) -> Result<DiscreteGaussian> {
    Ok(DiscreteGaussian::new(Amount::from_integer(sigma).squared().as_ratio().clone())?)
}

/// The values in order, from which the error of a quantile is read.
struct Sorted(Vec<i64>);

impl Sorted {
    fn new(values: &[i64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        Sorted(sorted)
    }

    /// How many rows lie between `value` and the share `q` of the rows: 0 if rows equal to `value`
    /// reach over that place.
    fn rank_error(&self, value: i128, q: f64) -> f64 {
        let below = self.0.partition_point(|&other| i128::from(other) < value) as f64;
        let upto = self.0.partition_point(|&other| i128::from(other) <= value) as f64;
        let place = q * self.0.len() as f64;
        (below - place).max(place - upto).max(0.0)
    }
}

/// A hundred shares of the rows, evenly apart: 0.005, 0.015 and so on.
fn hundred_shares() -> Vec<f64> {
    (0..100).map(|i| f64::from(2 * i + 1) / 200.0).collect()
}

fn bounded(values: &[i64]) -> Vec<f64> {
    values.iter().map(|value| (*value).clamp(0, 3600) as f64).collect()
}

fn counts_of<K>(release: &GroupedRelease<K, i64>) -> Vec<i64> {
    release.iter().map(|(_, count)| *count.value()).collect()
}

/// The mean distance of counts from the true ones.
fn by_count(truth: Vec<i64>) -> impl Fn(&Vec<i64>) -> f64 {
    move |counts| {
        mean(counts.iter().zip(&truth).map(|(count, truth)| count.abs_diff(*truth) as f64))
    }
}

/// Statistics of the million integers beyond counts and sums, asked of one open session.
fn of_values(name: &str, parameter: f64) -> Result<Operation> {
    let values: &'static [i64] = &VALUES_READ;
    let session = by_record(values)?;
    let sorted = Sorted::new(values);
    Ok(match name {
        "mean-of-values" => {
            let truth = mean(bounded(values).into_iter());
            let release = move || {
                let query = session.mean(|value| *value).bounds(0..=3600)?;
                Ok(query.epsilon(EPSILON)?.release()?.into_value())
            };
            judged(release, move |value| (value - truth).abs())
        }
        "variance-of-values" => {
            let center = mean(bounded(values).into_iter());
            let truth = mean(bounded(values).into_iter().map(|value| (value - center).powi(2)));
            let release = move || {
                let query = session.variance(|value| *value).bounds(0..=3600)?;
                Ok(query.epsilon(EPSILON)?.release()?.into_value())
            };
            judged(release, move |value| (value - truth).abs())
        }
        "quantile-of-values" => {
            let release = move || {
                let query = session.quantile(|value| *value, parameter).bounds(0..=3600)?;
                Ok(query.epsilon(EPSILON)?.release()?.into_value())
            };
            judged(release, move |value| sorted.rank_error(*value, parameter))
        }
        "quantiles-of-values" => {
            let quantiles = hundred_shares();
            let asked = quantiles.clone();
            let release = move || {
                let query = session.quantiles(|value| *value, &asked).bounds(0..=3600)?;
                Ok(query.epsilon(EPSILON)?.release()?.into_value())
            };
            judged(release, by_rank(sorted, quantiles))
        }
        "distribution-of-values" => {
            let quantiles = hundred_shares();
            let asked = quantiles.clone();
            let release = move || {
                let query = session.distribution(|value| *value).bounds(0..=3600)?;
                let tree = query.epsilon(EPSILON)?.release()?.into_value();
                Ok(asked.iter().map(|q| tree.quantile(*q)).collect::<Vec<i128>>())
            };
            judged(release, by_rank(sorted, quantiles))
        }
        "bins-of-values" => {
            let edges: Vec<i64> = (0..=12).map(|i| 300 * i).collect();
            let bin = |value: i64| (value / 300).min(11);
            let inside = || values.iter().filter(|value| (0..=3600).contains(*value));
            let mut truth = vec![0; 12];
            inside().for_each(|value| truth[bin(*value) as usize] += 1);
            let release = move || {
                let query = session.count().by_bin(|value| *value, &edges);
                Ok(counts_of(&query.epsilon(EPSILON)?.release()?))
            };
            judged(release, by_count(truth))
        }
        "categories-of-values" => {
            let mut truth = vec![0; CATEGORIES.len()];
            let inside = values.iter().filter(|value| CATEGORIES.contains(value));
            inside.for_each(|value| truth[(value - CATEGORIES[0]) as usize] += 1);
            let release = move || {
                let query = session.count().by(|value| *value, &CATEGORIES);
                Ok(counts_of(&query.epsilon(EPSILON)?.release()?))
            };
            judged(release, by_count(truth))
        }
        _ => return Err(format!("no operation is called {name}").into()),
    })
}

/// The mean rank error of several quantiles.
fn by_rank(sorted: Sorted, quantiles: Vec<f64>) -> impl Fn(&Vec<i128>) -> f64 {
    move |values| mean(values.iter().zip(&quantiles).map(|(v, q)| sorted.rank_error(*v, *q)))
}

/// The operation of that name, with its data and whatever is built once.
fn operation(name: &str) -> Result<Operation> {
    let mut rng = SystemRng::new()?;
    let (family, parameter) = name.split_once(' ').unwrap_or((name, "0"));
    if OF_VALUES.contains(&family) {
        return of_values(family, parameter.parse()?);
    }
    let parameter: u64 = parameter.parse()?;
    Ok(match family {
        "count-of-values" => {
            let session = by_record(&VALUES_READ)?;
            released(VALUES as i128, move || {
                Ok(session.count().epsilon(EPSILON)?.release()?.into_value().into())
            })
        }
        "sum-of-values" => {
            let session = by_record(&VALUES_READ)?;
            let truth = VALUES_READ.iter().map(|value| i128::from((*value).clamp(0, 3600))).sum();
            released(truth, move || {
                let query = session.sum(|value| *value).bounds(0..=3600)?;
                Ok(query.epsilon(EPSILON)?.release()?.into_value())
            })
        }
        "laplace-batch" => {
            let noise = laplace(parameter)?;
            drawn(move |out| Ok(noise.fill(out, &mut rng)?))
        }
        "laplace-one" => {
            let noise = laplace(parameter)?;
            released(0, move || Ok(noise.sample(&mut rng)?))
        }
        "gaussian-batch" => {
            let noise = gaussian(parameter)?;
            drawn(move |out| Ok(noise.fill(out, &mut rng)?))
        }
        "gaussian-one" => {
            let noise = gaussian(parameter)?;
            released(0, move || Ok(noise.sample(&mut rng)?))
        }

        "failures" => timed(|| {
            let session = by_record(&LOGINS)?;
            let query = session.count().filter(|login| login.failed);
            Ok(query.epsilon(EPSILON)?.release()?.into_value())
        }),
        "failures-plain" => timed(|| Ok(plain::failures(&LOGINS))),
        "rows-seconds" => timed(|| seconds(&by_record(&LOGINS)?)),
        "rows-seconds-plain" => timed(|| Ok(plain::seconds(&LOGINS))),
        "u32-sum" => timed(|| column(&LENGTHS_U32, 0..=3600)),
        "u32-sum-plain" => timed(|| Ok(plain::sum(&LENGTHS_U32, |x| i64::from(x.clamp(0, 3600))))),
        "i64-sum" => timed(|| column(&LENGTHS_I64, 0..=3600)),
        "i64-sum-plain" => timed(|| Ok(plain::sum(&LENGTHS_I64, |x| x.clamp(0, 3600)))),
        "f64-sum" => timed(|| column(&LENGTHS_F64, 0.0..=3600.0)),
        "f64-sum-plain" => timed(|| Ok(plain::sum(&LENGTHS_F64, |x| x.clamp(0.0, 3600.0)))),
        "f32-sum" => timed(|| column(&LENGTHS_F32, 0.0..=3600.0)),
        "f32-sum-plain" => {
            timed(|| Ok(plain::sum(&LENGTHS_F32, |x| f64::from(x.clamp(0.0, 3600.0)))))
        }
        _ if parameter > 0 => return by_user_operation(family, parameter),
        _ => return Err(format!("no operation is called {name}").into()),
    })
}

/// Operations on the logins of `users` users.
fn by_user_operation(name: &str, users: u64) -> Result<Operation> {
    let (rows, limit) = match users {
        FEW => (&**LOGINS_OF_FEW, ROWS_OF_FEW),
        _ => (&**LOGINS, ROWS_OF_MANY),
    };
    let session = by_user(rows, limit)?;
    Ok(match name {
        "count-open" => timed(move || count(&by_user(rows, limit)?)),
        "count" => timed(move || count(&session)),
        "count-plain" => timed(move || Ok(plain::rows_by_user(rows, limit.into()))),
        "seconds-open" => timed(move || seconds(&by_user(rows, limit)?)),
        "seconds" => timed(move || seconds(&session)),
        "seconds-plain" => timed(move || Ok(plain::seconds_by_user(rows))),
        "apps-open" => timed(move || apps(&by_user(rows, limit)?)),
        "apps-open-alone" => timed(move || apps(&by_user_alone(rows, limit)?)),
        "apps" => timed(move || apps(&session)),
        "apps-plain" => timed(move || Ok(plain::rows_by_app(rows))),
        "apps-plain-bounded" => {
            let apps = APPS_OF_USER as usize;
            timed(move || Ok(plain::rows_by_app_bounded(rows, apps, limit.into())))
        }
        _ => return Err(format!("no operation is called {name}").into()),
    })
}

fn main() -> Result<()> {
    let mut operations: HashMap<String, Operation> = HashMap::new();
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        if let Some(file) = line.strip_prefix("values ") {
            let bytes: Vec<u8> = VALUES_READ.iter().flat_map(|value| value.to_le_bytes()).collect();
            std::fs::write(file, bytes)?;
            writeln!(out, "0 0")?;
        } else {
            let (name, repetitions) = line.rsplit_once(' ').ok_or("a line needs a number")?;
            let run = match operations.entry(name.to_owned()) {
                std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
                std::collections::hash_map::Entry::Vacant(entry) => entry.insert(operation(name)?),
            };
            let Measured { elapsed, error } = run(repetitions.parse()?)?;
            writeln!(out, "{:e} {error:e}", elapsed.as_secs_f64())?;
        }
        out.flush()?;
    }
    Ok(())
}
