//! Releases: every one is accepted by the verifier, every mutated one refused.

use kanon::prelude::*;
use kanon::table::{Column, Value};
use kanon::verify::verify_table;
use proptest::prelude::*;

fn table(rows: &[(u32, u8, u8)]) -> Table {
    let column = |name: &str, value: &dyn Fn(&(u32, u8, u8)) -> String| {
        Column::new(
            name,
            rows.iter().map(|row| Value::from(value(row).as_str())).collect::<Vec<_>>(),
        )
    };
    Table::new(vec![
        column("age", &|r| r.0.to_string()),
        column("city", &|r| format!("c{}", r.1)),
        column("illness", &|r| format!("i{}", r.2)),
        column("note", &|r| format!("n{}", r.0 % 3)),
    ])
    .unwrap()
}

fn anonymizer(table: &Table, recoding: Recoding) -> Anonymizer<'_> {
    let cities = (0..6).map(|c| [format!("c{c}"), format!("r{}", c / 2), "*".to_owned()]);
    Anonymizer::builder(table)
        .quasi("age", Intervals::new(0, 100).widths([10, 50]))
        .quasi("city", Hierarchy::from_rows(cities).unwrap())
        .sensitive("illness")
        .insensitive("note")
        .require(Model::k_anonymity(3).unwrap())
        .require(Model::distinct_diversity("illness", 2).unwrap())
        .suppress_at_most(0.3)
        .recoding(recoding)
        .seed([9; 32])
}

/// The table with one cell changed to another value of its column.
fn flipped(table: &Table, row: usize, place: usize) -> Option<Table> {
    let mut columns = table.columns().to_vec();
    let column = &columns[place];
    let old = column.value(row)?.clone();
    let other = (0..table.rows()).filter_map(|r| column.value(r)).find(|v| **v != old)?.clone();
    let values = (0..table.rows()).map(|r| match r == row {
        true => other.clone(),
        false => column.value(r).unwrap().clone(),
    });
    columns[place] = Column::new(column.name(), values.collect::<Vec<_>>());
    Table::new(columns).ok()
}

/// The rows that agree with one on both quasi-identifiers.
fn members(table: &Table, row: usize) -> Vec<usize> {
    let cell = |row: usize, place: usize| table.columns()[place].value(row);
    let same = |&other: &usize| (0..2).all(|place| cell(other, place) == cell(row, place));
    (0..table.rows()).filter(same).collect()
}

/// The table with one illness for all rows of a class.
fn alike(table: &Table, class: &[usize]) -> Table {
    let mut columns = table.columns().to_vec();
    let column = &columns[2];
    let value = |row: usize| column.value(if class.contains(&row) { class[0] } else { row });
    let values: Vec<Value> = (0..table.rows()).map(|row| value(row).unwrap().clone()).collect();
    columns[2] = Column::new(column.name(), values);
    Table::new(columns).unwrap()
}

fn without(table: &Table, row: u32) -> Table {
    let rows: Vec<u32> = (0..table.rows() as u32).filter(|&r| r != row).collect();
    table.take(&rows).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn releases_are_accepted_and_mutations_refused(
        rows in prop::collection::vec((0u32..100, 0u8..6, 0u8..3), 12..60),
        at in any::<prop::sample::Index>(),
    ) {
        let table = table(&rows);
        for recoding in [Recoding::FullDomain, Recoding::Local, Recoding::CellSuppression, Recoding::Mondrian, Recoding::MondrianRelaxed] {
            let work = anonymizer(&table, recoding);
            let data = work.dataset().unwrap();
            let release = match work.run() {
                Ok(release) => release,
                Err(kanon::Error::Infeasible(_)) => continue,
                Err(other) => return Err(TestCaseError::fail(other.to_string())),
            };
            prop_assert!(release.certificate().verified);
            prop_assert_eq!(release.table().rows(), release.certificate().rows as usize);
            let again = anonymizer(&table, recoding).run().unwrap();
            prop_assert_eq!(again.table().digest(), release.table().digest());
            if release.table().rows() == 0 {
                continue;
            }
            // A class cut down below k, and one of a single illness, are refused of every recoding.
            let class = members(release.table(), at.index(release.table().rows()));
            let models = &release.certificate().models;
            let scheme = Some(&release.certificate().scheme);
            let rest = (0..release.table().rows()).filter(|row| !class[2..].contains(row));
            let rest: Vec<u32> = rest.map(|row| row as u32).collect();
            let cut = release.table().take(&rest).unwrap();
            prop_assert!(verify_table(&data, &cut, models, scheme, None).is_err());
            let alike = alike(release.table(), &class);
            prop_assert!(verify_table(&data, &alike, models, scheme, None).is_err());
            if recoding != Recoding::FullDomain {
                continue;
            }
            let check = |table: &Table| verify_table(&data, table, models, scheme, None);
            prop_assert!(check(release.table()).is_ok());
            let row = at.index(release.table().rows());
            prop_assert!(check(&without(release.table(), row as u32)).is_err());
            for place in 0..4 {
                if let Some(mutated) = flipped(release.table(), row, place) {
                    // A cell may be flipped to what another row of the same class is: then a
                    // suppressed row would have to have been like it, which whole classes exclude.
                    prop_assert!(check(&mutated).is_err(), "place {}", place);
                }
            }
            let twice: Vec<u32> = (0..release.table().rows() as u32).chain([row as u32]).collect();
            prop_assert!(check(&release.table().take(&twice).unwrap()).is_err());
        }
    }
}
