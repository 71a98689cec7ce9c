//! Releases with their origin and one cell changed: what is untrue or breaks a class is refused.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Finding, verify};
use crate::prelude::*;
use crate::release::Release;
use crate::table::{Column, Value};

const K: usize = 3;

fn table(rows: &[(u32, u8)]) -> Table {
    let ages = rows.iter().map(|row| Value::from(row.0.to_string().as_str()));
    let cities = rows.iter().map(|row| Value::from(format!("c{}", row.1).as_str()));
    Table::new(vec![Column::new("age", ages), Column::new("city", cities)]).unwrap()
}

fn anonymizer(table: &Table, recoding: Recoding) -> Anonymizer<'_> {
    let cities = (0..6).map(|c| [format!("c{c}"), format!("r{}", c / 2), "*".to_owned()]);
    Anonymizer::builder(table)
        .quasi("age", Intervals::new(0, 100).widths([10, 50]))
        .quasi("city", Hierarchy::from_rows(cities).unwrap())
        .require(Model::k_anonymity(K as u64).unwrap())
        .suppress_at_most(1.0)
        .recoding(recoding)
        .seed([5; 32])
}

/// Whether a label of an age is true of it, read without the crate.
fn holds_age(label: &Value, age: u32) -> bool {
    let Some(text) = label.text() else { return *label == Value::Suppressed };
    let number = |text: &str| text.parse::<u32>().ok();
    if let Some(most) = text.strip_prefix("<=") {
        return number(most).is_some_and(|most| age <= most);
    }
    if let Some(least) = text.strip_prefix(">=") {
        return number(least).is_some_and(|least| least <= age);
    }
    match text.split_once('-') {
        Some((low, high)) => {
            number(low).is_some_and(|low| low <= age)
                && number(high).is_some_and(|high| age <= high)
        }
        None => text == "*" || number(text) == Some(age),
    }
}

fn holds_city(label: &Value, city: u8) -> bool {
    let Some(text) = label.text() else { return *label == Value::Suppressed };
    text == "*" || text == format!("c{city}") || text == format!("r{}", city / 2)
}

fn sizes(table: &Table) -> BTreeMap<[Value; 2], usize> {
    let mut sizes = BTreeMap::new();
    for row in 0..table.rows() {
        let cell = |i: usize| table.columns()[i].value(row).unwrap().clone();
        *sizes.entry([cell(0), cell(1)]).or_insert(0) += 1;
    }
    sizes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_untrue_is_refused_and_what_is_as_claimed_is_not(
        rows in prop::collection::vec((0u32..100, 0u8..6), 9..40),
        at in prop::collection::vec(any::<prop::sample::Index>(), 6),
    ) {
        let table = table(&rows);
        for recoding in [Recoding::FullDomain, Recoding::Local, Recoding::CellSuppression, Recoding::Mondrian, Recoding::MondrianRelaxed] {
            let work = anonymizer(&table, recoding);
            let data = work.dataset().unwrap();
            let release = work.run().unwrap();
            prop_assert_eq!(verify(&data, &release, None), Ok(()));
            if release.table().rows() == 0 {
                continue;
            }
            for (index, place) in at.iter().zip([0, 1].into_iter().cycle()) {
                let row = index.index(release.table().rows());
                let column = &release.table().columns()[place];
                let mut values = column.dictionary().to_vec();
                values.extend(["*".into(), Value::Suppressed, Value::Missing, "nowhere".into()]);
                let old = column.value(row).unwrap();
                for value in values.iter().filter(|value| *value != old) {
                    let cell = |r: usize| if r == row { value } else { column.value(r).unwrap() };
                    let cells: Vec<Value> = (0..column.codes().len()).map(|r| cell(r).clone()).collect();
                    let mut columns = release.table().columns().to_vec();
                    columns[place] = Column::new(column.name(), cells);
                    let mutant = Release { table: Table::new(columns).unwrap(), ..release.clone() };
                    let (age, city) = rows[release.origin()[row] as usize];
                    let is_true = if place == 0 { holds_age(value, age) } else { holds_city(value, city) };
                    let sizes = sizes(mutant.table());
                    let smallest = sizes.values().copied().min().unwrap_or(0);
                    let claims = release.certificate();
                    let as_claimed = smallest >= K
                        && claims.smallest_class == smallest as u64
                        && claims.classes == sizes.len() as u64;
                    let verdict = verify(&data, &mutant, None);
                    if !is_true {
                        let is_untrue = matches!(verdict, Err(Finding::Untrue { .. }));
                        prop_assert!(is_untrue, "{value:?} for {age}, {city}: {verdict:?}");
                    } else if recoding == Recoding::FullDomain || !as_claimed {
                        prop_assert!(verdict.is_err(), "{value:?} for {age}, {city}");
                    } else {
                        prop_assert_eq!(verdict, Ok(()));
                    }
                }
            }
        }
    }
}
