//! Malformed input, contradictory settings and wide tables: typed errors and no panic.

use kanon::prelude::*;
use kanon::search::Search;
use kanon::table::{Column, Value};
use kanon::{Error, Fraction};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(table) = CsvOptions::new().read(bytes.as_slice()) {
            for column in table.columns() {
                let _ = Hierarchy::suggest(column).levels(column);
            }
            let _ = kanon::risk::identifiers::warnings(&table);
            let _ = kanon::utility::summaries(&table);
        }
        let _ = Hierarchy::from_csv(bytes.as_slice(), b';');
    }

    #[test]
    fn texts_of_tables_never_panic(text in "[a-c0-9,;\"*\n-]{0,120}") {
        let Ok(table) = CsvOptions::new().read(text.as_bytes()) else { return Ok(()) };
        let mut work = Anonymizer::builder(&table).require(Model::k_anonymity(2).unwrap());
        for column in table.columns() {
            work = work.quasi(column.name(), Hierarchy::suggest(column));
        }
        for recoding in [Recoding::FullDomain, Recoding::Local, Recoding::CellSuppression, Recoding::Mondrian, Recoding::MondrianRelaxed] {
            work = work.recoding(recoding).suppress_at_most(1.0);
            match work.run() {
                Ok(release) => prop_assert!(release.certificate().verified),
                Err(Error::Refuted(finding)) => prop_assert!(false, "{finding}"),
                Err(_) => {}
            }
        }
    }
}

fn numbers(n: usize) -> Table {
    let age = (0..n).map(|i| Value::from(format!("{}", i * 37 % 90).as_str()));
    let ill = (0..n).map(|i| Value::from(format!("i{}", i % 2).as_str()));
    Table::new(vec![Column::new("age", age), Column::new("illness", ill)]).unwrap()
}

#[test]
fn impossible_requirements_say_which_and_what_helps() {
    let table = numbers(20);
    let work = |model| {
        Anonymizer::builder(&table)
            .quasi("age", Intervals::new(0, 100).widths([10]))
            .sensitive("illness")
            .require(Model::k_anonymity(2).unwrap())
            .require(model)
            .run()
    };
    match work(Model::distinct_diversity("illness", 3).unwrap()).unwrap_err() {
        Error::Infeasible(why) => {
            assert_eq!(why.requirement, "distinct 3-diversity of illness");
            assert_eq!((why.needed, why.allowed), (20, 0));
        }
        other => panic!("{other}"),
    }
    let error = work(Model::k_anonymity(21).unwrap()).unwrap_err();
    assert!(error.to_string().contains("20 rows"), "{error}");
    let error = work(Model::distinct_diversity("age", 2).unwrap()).unwrap_err();
    assert!(matches!(error, Error::Role { .. }), "{error}");
    let error = work(Model::k_map(2).unwrap()).unwrap_err();
    assert!(matches!(error, Error::Combination { .. }), "{error}");
}

#[test]
fn settings_are_checked_before_work_starts() {
    let table = numbers(20);
    let start = || Anonymizer::builder(&table).sensitive("illness");
    let k = || Model::k_anonymity(2).unwrap();
    let all = || start().quasi("age", Intervals::new(0, 100).widths([10])).require(k());
    assert!(
        matches!(start().require(k()).run().unwrap_err(), Error::UndeclaredColumn { column } if column == "age")
    );
    assert!(matches!(
        all().levels(0..=9).run(),
        Err(Error::UndeclaredColumn { .. } | Error::Levels { .. })
    ));
    let levels = start().quasi("age", Intervals::new(0, 100)).levels(1..=9).require(k()).run();
    assert!(matches!(levels.unwrap_err(), Error::Levels { highest: 1, .. }));
    assert!(matches!(all().suppress_at_most(f64::NAN).run().unwrap_err(), Error::Parameter { .. }));
    assert!(matches!(all().suppress_at_most(1.5).run().unwrap_err(), Error::Parameter { .. }));
    assert!(matches!(
        all().quasi("age", Hierarchy::fixed()).run().unwrap_err(),
        Error::DuplicateColumn { .. }
    ));
    let local = all().require(Model::average_risk(0.1).unwrap()).recoding(Recoding::Local).run();
    assert!(matches!(local.unwrap_err(), Error::Combination { .. }));
    assert!(
        Model::k_anonymity(0).is_err() && Model::t_closeness("s", 1.1, Distance::Equal).is_err()
    );
    assert!(
        Model::entropy_diversity("s", 0.5).is_err() && Model::delta_presence(0.5, 0.1).is_err()
    );
    assert!(Model::recursive_diversity("s", f64::NAN, 2).is_err());
}

#[test]
fn empty_tables_and_columns_of_one_value_have_results() {
    for n in [0, 1, 2, 5] {
        let values = (0..n).map(|_| Value::from("x"));
        let table = Table::new(vec![Column::new("q", values)]).unwrap();
        for recoding in
            [Recoding::FullDomain, Recoding::Local, Recoding::CellSuppression, Recoding::Mondrian]
        {
            let release = Anonymizer::builder(&table)
                .quasi("q", Hierarchy::suppress())
                .require(Model::k_anonymity(2).unwrap())
                .suppress_at_most(1.0)
                .recoding(recoding)
                .run()
                .unwrap();
            let expected = if n >= 2 { n } else { 0 };
            assert_eq!(release.table().rows(), expected, "{n} {recoding:?}");
        }
    }
}

#[test]
fn missing_values_do_not_raise_k() {
    let values = ["a", "a", "a"].map(Value::from).into_iter().chain([Value::Missing]);
    let table = Table::new(vec![Column::new("q", values)]).unwrap();
    let work = |missing| {
        Anonymizer::builder(&table)
            .quasi("q", Hierarchy::suppress())
            .missing(missing)
            .require(Model::k_anonymity(3).unwrap())
            .suppress_at_most(0.5)
            .metric(Metric::loss())
            .run()
    };
    let kept = work(Missing::OwnCategory).unwrap();
    assert!(kept.certificate().smallest_class >= 3);
    assert_eq!(work(Missing::DropRow).unwrap().table().rows(), 3);
    assert!(matches!(work(Missing::Refuse).unwrap_err(), Error::MissingValue { row: 4, .. }));
}

#[test]
fn wide_tables_get_an_answer_with_a_bound() {
    let q = 120;
    let n = 300usize;
    let mut roles = Roles::new();
    let mut columns = Vec::new();
    for i in 0..q {
        let values =
            (0..n).map(|row| Value::from(format!("v{}", (row * (i + 3) / 7) % 4).as_str()));
        columns.push(Column::new(format!("q{i}"), values));
        let rows = (0..4).map(|v| [format!("v{v}"), format!("g{}", v / 2), "*".to_owned()]);
        roles = roles.quasi(format!("q{i}"), Hierarchy::from_rows(rows).unwrap());
    }
    let data = roles.bind(&Table::new(columns).unwrap()).unwrap();
    let search = Search::over(&data)
        .require([Model::k_anonymity(3).unwrap()])
        .suppress_at_most(Fraction::new(1, 20).unwrap())
        .effort(Effort::new().checks(600));
    let (a, b) = (search.run(1).unwrap(), search.run(1).unwrap());
    assert_eq!(a.levels, b.levels);
    assert!(!a.optimal && a.bound <= a.loss && a.gap() >= 0.0 && a.loss < 1.0);
}

#[test]
fn work_can_be_cancelled() {
    let table = numbers(50);
    let cancel = Cancel::new();
    cancel.cancel();
    let result = Anonymizer::builder(&table)
        .quasi("age", Intervals::new(0, 100).widths([10]))
        .insensitive("illness")
        .require(Model::k_anonymity(2).unwrap())
        .effort(Effort::new().cancel(cancel))
        .run();
    assert!(matches!(result.unwrap_err(), Error::Stopped { .. }));
}

#[test]
fn sizes_estimated_for_large_k_are_those_of_the_verifier() {
    use kanon::model::SamplingLaw;
    let table = numbers(9000);
    for (k, sampling) in [(1300, 0.5), (4000, 0.3), (1 << 50, 1e-12), (u64::MAX, 1.0)] {
        for law in [SamplingLaw::Poisson, SamplingLaw::ZeroTruncated] {
            let model = Model::EstimatedKMap {
                k: std::num::NonZeroU64::new(k).unwrap(),
                sampling: Fraction::try_from(sampling).unwrap(),
                significance: Fraction::new(1, 20).unwrap(),
                law,
            };
            let release = Anonymizer::builder(&table)
                .quasi("age", Intervals::new(0, 100).widths([10, 50]))
                .insensitive("illness")
                .require(model)
                .run()
                .unwrap();
            // λ = 650, 1200, 1126 and more than there are rows: λ + 1.645 √λ people and one more.
            let lambda = sampling * k as f64;
            let needed = (lambda + 1.6 * lambda.sqrt()).min(9000.0) as u64;
            let smallest = release.certificate().smallest_class;
            assert!(smallest >= needed, "{k} {sampling} {smallest}");
        }
    }
}
