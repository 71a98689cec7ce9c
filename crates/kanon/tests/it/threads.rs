//! Large tables, which threads share: the answer is that of a naive enumeration, whatever their number.

use std::collections::HashMap;

use kanon::metric::Metric;
use kanon::prelude::*;
use kanon::search::{Effort, Search, Solution};
use kanon::table::{Column, Value};
use kanon::{Dataset, Fraction};

const ROWS: u32 = 70_000;
/// How many consecutive codes each level of each column unites.
const STEPS: [&[u32]; 4] = [&[1, 20, 400, 5000], &[1, 10, 100], &[1, 2, 4], &[1, 5]];
const VALUES: [u32; 4] = [5000, 100, 4, 5];

fn mixed(mut x: u64) -> u64 {
    x = x.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Skewed codes: small ones are frequent.
fn rows() -> Vec<[u32; 4]> {
    let code = |row: u32, column: usize| {
        let unit = mixed(u64::from(row) * 7 + column as u64) as f64 / 2f64.powi(64);
        (unit.powi(4) * f64::from(VALUES[column])) as u32
    };
    (0..ROWS).map(|row| std::array::from_fn(|column| code(row, column))).collect()
}

fn dataset(rows: &[[u32; 4]]) -> Dataset {
    let mut columns = Vec::new();
    let mut roles = Roles::new();
    for (place, steps) in STEPS.iter().enumerate() {
        let values = rows.iter().map(|row| Value::from(format!("v{}", row[place]).as_str()));
        columns.push(Column::new(format!("q{place}"), values.collect::<Vec<_>>()));
        let chain = |code: u32| {
            steps.iter().map(move |&step| match step {
                1 => format!("v{code}"),
                step => format!("{step}-{}", code / step),
            })
        };
        let chains = (0..VALUES[place]).map(|code| chain(code).collect::<Vec<_>>());
        roles = roles.quasi(format!("q{place}"), Hierarchy::from_rows(chains).unwrap());
    }
    let illness = (0..ROWS).map(|row| Value::from(["a", "b", "c"][mixed(row.into()) as usize % 3]));
    columns.push(Column::new("illness", illness.collect::<Vec<_>>()));
    roles.sensitive("illness").bind(&Table::new(columns).unwrap()).unwrap()
}

/// The least height at which classes below `k` and with fewer than `values` illnesses hold at most
/// `limit` rows, and how many nodes have it.
fn least_height(rows: &[[u32; 4]], k: u64, values: usize, limit: u64) -> (u64, u64) {
    let mut best = (u64::MAX, 0);
    for number in 0..STEPS.iter().map(|steps| steps.len()).product::<usize>() {
        let (mut rest, mut height) = (number, 0);
        let node: [u32; 4] = std::array::from_fn(|place| {
            let level = rest % STEPS[place].len();
            (rest, height) = (rest / STEPS[place].len(), height + level as u64);
            STEPS[place][level]
        });
        if height > best.0 {
            continue;
        }
        let mut classes: HashMap<[u32; 4], (u64, u8)> = HashMap::new();
        for (row, codes) in (0u64..).zip(rows) {
            let key = std::array::from_fn(|place| codes[place] / node[place]);
            let class = classes.entry(key).or_default();
            *class = (class.0 + 1, class.1 | 1 << (mixed(row) % 3));
        }
        let fails = |&&(size, seen): &&(u64, u8)| size < k || (seen.count_ones() as usize) < values;
        let out: u64 = classes.values().filter(fails).map(|class| class.0).sum();
        if out <= limit {
            best = if height < best.0 { (height, 1) } else { (height, best.1 + 1) };
        }
    }
    best
}

#[test]
fn the_number_of_threads_does_not_show() {
    let rows = rows();
    let data = dataset(&rows);
    let diverse = || Model::distinct_diversity("illness", 3).unwrap();
    let same = |found: &Solution| {
        (found.levels.clone(), found.loss.to_bits(), found.suppressed, found.ties, found.optimal)
    };
    for (limit, k, values) in [((0, 1), 4, 1), ((1, 50), 4, 1), ((1, 10), 6, 3), ((1, 2), 9, 1)] {
        let limit = Fraction::new(limit.0, limit.1).unwrap();
        let mut models = vec![Model::k_anonymity(k).unwrap()];
        if values > 1 {
            models.push(diverse());
        }
        for metric in [Metric::height(), Metric::loss(), Metric::kl_divergence()] {
            let search = |threads| {
                let search = Search::over(&data)
                    .require(models.clone())
                    .suppress_at_most(limit)
                    .metric(metric.clone());
                search.effort(Effort::new().threads(threads)).run(3).unwrap()
            };
            let alone = search(1);
            assert!(alone.optimal);
            for threads in [2, 3] {
                assert_eq!(same(&search(threads)), same(&alone), "{limit:?} {metric:?} {threads}");
            }
            if metric == Metric::height() {
                let allowed = limit.floor_of(u64::from(ROWS));
                let (height, ties) = least_height(&rows, k, values, allowed);
                assert_eq!((alone.loss, alone.ties), (height as f64, ties));
            }
        }
    }
}

#[test]
fn populations_count_for_the_fewest_tuples() {
    let column = |values: &str| {
        let cells = values.chars().map(|c| Value::from(c.to_string().as_str()));
        Table::new(vec![Column::new("q", cells.collect::<Vec<_>>())]).unwrap()
    };
    let (table, people) = (column("aab"), column("aaaabbbc"));
    let groups = ["a", "b", "c"].map(|value| [value, "*"].map(str::to_owned));
    let roles = Roles::new().quasi("q", Hierarchy::from_rows(groups).unwrap());
    let data = roles.bind(&table).unwrap();
    let found = |k| {
        let search = Search::over(&data).population(&people).require([Model::k_map(k).unwrap()]);
        search.run(1).unwrap().levels
    };
    assert_eq!((found(3), found(4)), (vec![0], vec![1]));
}

#[test]
fn helpers_do_not_show_in_lattices_that_are_too_large_to_sweep() {
    let (rows, columns) = (40_000u32, 13);
    let code = |row: u32, column: u64| mixed(u64::from(row) * 31 + column) % 8;
    let mut all = Vec::new();
    let mut roles = Roles::new();
    for column in 0..columns {
        let name = format!("q{column}");
        let values = (0..rows).map(|row| Value::from(format!("{}", code(row, column)).as_str()));
        all.push(Column::new(name.as_str(), values.collect::<Vec<_>>()));
        let chain = |value: u64| {
            let groups = [(0, "a"), (1, "b"), (2, "c"), (3, "d")];
            groups.map(|(level, name)| match level {
                0 => format!("{value}"),
                level => format!("{name}{}", value >> level),
            })
        };
        roles = roles.quasi(name, Hierarchy::from_rows((0..8).map(chain)).unwrap());
    }
    let data = roles.bind(&Table::new(all).unwrap()).unwrap();
    let found = |threads| {
        let search = Search::over(&data)
            .require([Model::k_anonymity(5).unwrap()])
            .suppress_at_most(Fraction::new(1, 10).unwrap())
            .effort(Effort::new().threads(threads).checks(40));
        let found = search.run(5).unwrap();
        assert!(!found.optimal && found.bound <= found.loss);
        (found.levels, found.loss.to_bits(), found.suppressed)
    };
    let alone = found(1);
    assert_eq!([found(2), found(4)], [alone.clone(), alone]);
}
