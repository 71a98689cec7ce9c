//! Releases with one cell changed. What still holds of each is counted here, row by row and without
//! the crate's classes; the verifier must refuse exactly those of which something does not.

use std::collections::{BTreeMap, BTreeSet};

use kanon::prelude::*;
use kanon::table::{Column, Value};
use kanon::transform::micro;
use kanon::verify::{Finding, verify_table};
use kanon::{Dataset, Error, Release};
use proptest::prelude::*;

const K: usize = 3;
const VALUES: usize = 2;
/// The quasi-identifiers and, after them, the sensitive column.
const COLUMNS: [&str; 3] = ["age", "city", "illness"];

fn table(rows: &[(u32, u8, u8)]) -> Table {
    let column = |name: &str, text: &dyn Fn(&(u32, u8, u8)) -> String| {
        Column::new(name, rows.iter().map(|r| text(r).as_str().into()).collect::<Vec<Value>>())
    };
    Table::new(vec![
        column("age", &|r| r.0.to_string()),
        column("city", &|r| format!("c{}", r.1)),
        column("illness", &|r| format!("i{}", r.2)),
    ])
    .unwrap()
}

fn models() -> [Model; 2] {
    [
        Model::k_anonymity(K as u64).unwrap(),
        Model::distinct_diversity("illness", VALUES as u64).unwrap(),
    ]
}

fn anonymizer(table: &Table, recoding: Recoding) -> Anonymizer<'_> {
    let cities = (0..6).map(|c| [format!("c{c}"), format!("r{}", c / 2), "*".to_owned()]);
    let [k, l] = models();
    Anonymizer::builder(table)
        .quasi("age", Intervals::new(0, 100).widths([10, 50]))
        .quasi("city", Hierarchy::from_rows(cities).unwrap())
        .sensitive("illness")
        .require(k)
        .require(l)
        .suppress_at_most(1.0)
        .recoding(recoding)
        .seed([3; 32])
}

/// Cells of the table, row by row.
fn cells(table: &Table) -> Vec<Vec<Value>> {
    let cell = |row: usize, name: &str| table.column(name).unwrap().value(row).unwrap().clone();
    (0..table.rows()).map(|row| COLUMNS.iter().map(|name| cell(row, name)).collect()).collect()
}

/// Whether every class has k rows and enough values.
fn is_sound(table: &Table) -> bool {
    let mut classes: BTreeMap<Vec<Value>, (usize, BTreeSet<Value>)> = BTreeMap::new();
    for mut row in cells(table) {
        let illness = row.pop().unwrap();
        let class = classes.entry(row).or_default();
        class.0 += 1;
        class.1.insert(illness);
    }
    classes.values().all(|(rows, values)| *rows >= K && values.len() >= VALUES)
}

/// The table with another value in one cell.
fn with_cell(table: &Table, row: usize, name: &str, value: &Value) -> Table {
    let column = |column: &Column| match column.name() == name {
        true => Column::new(
            name,
            (0..table.rows())
                .map(|r| if r == row { value } else { column.value(r).unwrap() }.clone())
                .collect::<Vec<_>>(),
        ),
        false => column.clone(),
    };
    Table::new(table.columns().iter().map(column).collect()).unwrap()
}

/// How many mutants something fails to hold of, and how many are sound.
#[derive(Default)]
struct Tally {
    broken: usize,
    sound: usize,
}

/// Changes each chosen cell to each value of its column, to a blank, and to a new value.
fn try_mutants(
    data: &Dataset,
    release: &Table,
    rows: &[prop::sample::Index],
    tally: &mut Tally,
) -> Result<(), TestCaseError> {
    let check = |table: &Table| verify_table(data, table, &models(), None, None);
    prop_assert!(is_sound(release) && check(release).is_ok());
    if release.rows() == 0 {
        return Ok(());
    }
    for (index, name) in rows.iter().zip(COLUMNS.iter().cycle()) {
        let row = index.index(release.rows());
        let column = release.column(name).unwrap();
        let old = column.value(row).unwrap();
        let mut values: BTreeSet<Value> = column.dictionary().iter().cloned().collect();
        values.extend([Value::Suppressed, Value::Missing, "7".into(), "new".into()]);
        for value in values.iter().filter(|value| *value != old) {
            let mutant = with_cell(release, row, name, value);
            let verdict = check(&mutant);
            // A sensitive value that nobody has is refused whatever the class.
            let known = data.table().column(name).unwrap();
            let foreign = *name == "illness" && !known.dictionary().contains(value);
            if is_sound(&mutant) && !foreign {
                tally.sound += 1;
                prop_assert_eq!(verdict, Ok(()), "{} of row {}", name, row);
            } else {
                tally.broken += 1;
                let is_class = matches!(verdict, Err(Finding::Class { .. }));
                prop_assert!(is_class, "{name} of row {row}: {verdict:?}");
            }
        }
    }
    Ok(())
}

/// Ages replaced by the means of groups of similar ones.
fn averaged(table: &Table) -> Table {
    let ages: Vec<f64> =
        cells(table).iter().map(|row| row[0].text().unwrap().parse().unwrap()).collect();
    let mut means = vec![Value::Missing; table.rows()];
    for group in micro::groups(&[&ages], K).unwrap() {
        let values: Vec<f64> = group.iter().map(|&row| ages[row]).collect();
        let mean = micro::Average::Mean.of(&values).unwrap();
        for row in group {
            means[row] = Value::from(format!("{mean:.3}").as_str());
        }
    }
    let columns = table.columns().iter();
    let column = |c: &Column| match c.name() {
        "age" => Column::new("age", means.clone()),
        // One city for all: age alone is microaggregated.
        "city" => Column::new("city", vec![Value::from("*"); table.rows()]),
        _ => c.clone(),
    };
    Table::new(columns.map(column).collect()).unwrap()
}

/// The rows of classes that are sound.
fn sound_part(table: &Table) -> Table {
    let all = cells(table);
    let keep = |row: &u32| {
        let own = &all[*row as usize];
        let class: Vec<_> = all.iter().filter(|other| other[..2] == own[..2]).collect();
        let values: BTreeSet<_> = class.iter().map(|other| &other[2]).collect();
        class.len() >= K && values.len() >= VALUES
    };
    table.take(&(0..table.rows() as u32).filter(keep).collect::<Vec<_>>()).unwrap()
}

fn runs(seed: u64, cases: u32) -> proptest::test_runner::TestRunner {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let algorithm = proptest::test_runner::RngAlgorithm::ChaCha;
    let rng = proptest::test_runner::TestRng::from_seed(algorithm, &bytes);
    proptest::test_runner::TestRunner::new_with_rng(config, rng)
}

fn inputs() -> impl Strategy<Value = (Vec<(u32, u8, u8)>, Vec<prop::sample::Index>)> {
    let rows = prop::collection::vec((0u32..100, 0u8..6, 0u8..3), 9..50);
    (rows, prop::collection::vec(any::<prop::sample::Index>(), 9))
}

#[test]
fn a_changed_cell_is_refused_exactly_where_it_breaks_something() {
    let recodings =
        [Recoding::Local, Recoding::CellSuppression, Recoding::Mondrian, Recoding::MondrianRelaxed];
    for (seed, recoding) in recodings.into_iter().enumerate() {
        let tally = std::cell::RefCell::new(Tally::default());
        let run = |(rows, at): (Vec<(u32, u8, u8)>, Vec<prop::sample::Index>)| {
            let table = table(&rows);
            let work = anonymizer(&table, recoding);
            let release: Release = match work.run() {
                Ok(release) => release,
                Err(Error::Infeasible(_)) => return Ok(()),
                Err(other) => return Err(TestCaseError::fail(other.to_string())),
            };
            let data = work.dataset().unwrap();
            try_mutants(&data, release.table(), &at, &mut tally.borrow_mut())
        };
        runs(seed as u64, 60).run(&inputs(), run).unwrap();
        let Tally { broken, sound } = tally.into_inner();
        println!("{recoding:?}: {broken} mutants broken, {sound} sound");
        assert!(broken > 1000 && sound > 100, "{recoding:?}: {broken} broken, {sound} sound");
    }
}

#[test]
fn a_changed_cell_of_microaggregated_rows_is_refused_exactly_where_it_breaks_something() {
    let tally = std::cell::RefCell::new(Tally::default());
    let run = |(rows, at): (Vec<(u32, u8, u8)>, Vec<prop::sample::Index>)| {
        let table = table(&rows);
        let data = anonymizer(&table, Recoding::FullDomain).dataset().unwrap();
        try_mutants(&data, &sound_part(&averaged(&table)), &at, &mut tally.borrow_mut())
    };
    runs(9, 60).run(&inputs(), run).unwrap();
    let Tally { broken, sound } = tally.into_inner();
    println!("microaggregation: {broken} mutants broken, {sound} sound");
    assert!(broken > 1000 && sound > 100, "{broken} broken, {sound} sound");
}
