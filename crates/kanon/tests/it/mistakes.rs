//! What people do wrong at first, and what they are told.

use kanon::prelude::*;

const TEXT: &str = "name,age,zip,illness\nAda,31,8001,flu\nBen,34,8002,cold\nCleo,38,8005,flu\n\
                    Dora,52,8004,cold\nEmil,55,8001,flu\nFay,59,8003,cold\n";

fn table() -> Table {
    CsvOptions::new().read(TEXT.as_bytes()).unwrap()
}

fn all(table: &Table) -> Anonymizer<'_> {
    Anonymizer::builder(table)
        .identifying("name")
        .quasi("age", Intervals::new(0, 100).widths([10, 50]))
        .quasi("zip", Masking::new())
        .sensitive("illness")
        .require(Model::k_anonymity(3).unwrap())
}

fn said<T: std::fmt::Debug>(result: Result<T, kanon::Error>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn a_column_is_forgotten() {
    let table = table();
    let work = Anonymizer::builder(&table)
        .quasi("age", Intervals::new(0, 100).widths([10]))
        .require(Model::k_anonymity(2).unwrap());
    assert_eq!(
        said(work.run()),
        "column `name` has no role; declare it as identifying, quasi-identifying, sensitive or insensitive"
    );
}

#[test]
fn a_name_is_misspelt() {
    let table = table();
    let expected = "the table has no column `Ilness`; did you mean `illness`?";
    assert_eq!(said(all(&table).insensitive("Ilness").run()), expected);
    let model = Model::distinct_diversity("Ilness", 2).unwrap();
    assert_eq!(said(all(&table).require(model).run()), expected);
    let far = said(all(&table).insensitive("postcode").run());
    assert_eq!(far, "the table has no column `postcode`");
}

#[test]
fn a_column_is_declared_twice() {
    let table = table();
    assert_eq!(said(all(&table).sensitive("age").run()), "column `age` is declared twice");
}

#[test]
fn a_quasi_identifier_is_taken_for_sensitive() {
    let table = table();
    let model = Model::t_closeness("age", 0.2, Distance::Equal).unwrap();
    let message = said(all(&table).require(model).run());
    assert!(message.starts_with("column `age` is a quasi-identifier"), "{message}");
    assert!(message.ends_with("declare it sensitive"), "{message}");
}

#[test]
fn an_interval_misses_a_value() {
    let table = table();
    let work = Anonymizer::builder(&table)
        .roles(
            Roles::new()
                .identifying("name")
                .quasi("age", Intervals::new(0, 50).widths([10]))
                .quasi("zip", Masking::new())
                .sensitive("illness"),
        )
        .require(Model::k_anonymity(2).unwrap());
    let message = said(work.run());
    assert!(message.contains("`age`, row 4") && message.contains("hierarchy"), "{message}");
    assert!(!message.contains("52"), "the value itself is kept out: {message}");
}

#[test]
fn a_hierarchy_misses_a_value_or_gives_it_two_parents() {
    let zips = |rows: &[&[&str]]| Hierarchy::from_rows(rows.iter().map(|row| row.to_vec()));
    let table = table();
    let roles = Roles::new().identifying("name").insensitive("age").sensitive("illness");
    let few = zips(&[&["8001", "80", "*"], &["8002", "80", "*"]]).unwrap();
    let message = said(roles.quasi("zip", few).bind(&table));
    assert!(message.contains("`zip`, row 3") && message.contains("add it"), "{message}");
    let message = said(zips(&[&["8001", "80", "*"], &["8002", "80", "x"]]));
    assert!(message.contains("has two parents"), "{message}");
    let message = said(zips(&[&["8001", "80", "*"], &["8002", "80"]]));
    assert!(message.contains("line 2: it has 2 levels instead of 3"), "{message}");
}

#[test]
fn a_share_is_given_in_percent() {
    let table = table();
    let message = said(all(&table).suppress_at_most(5.0).run());
    assert!(message.contains("at most 1") || message.contains("0 to 1"), "{message}");
}

#[test]
fn parameters_without_meaning_are_told_apart() {
    assert_eq!(said(Model::k_anonymity(0)), "k must be at least 1");
    for wrong in [f64::NAN, f64::INFINITY, -0.1] {
        let message = said(Model::t_closeness("illness", wrong, Distance::Equal));
        assert!(message.contains("must be finite, at least 0"), "{message}");
    }
}

#[test]
fn more_is_asked_than_the_table_has() {
    let table = table();
    let message = said(all(&table).require(Model::k_anonymity(7).unwrap()).run());
    assert!(message.contains("k can be at most 6"), "{message}");
    let model = Model::distinct_diversity("illness", 3).unwrap();
    let message = said(all(&table).require(model).run());
    assert!(message.contains("distinct 3-diversity of illness"), "{message}");
}

#[test]
fn a_file_is_not_there_or_has_another_delimiter() {
    let message = said(CsvOptions::new().read_path("no such table.csv"));
    let advice = "check the path, the disk and your rights";
    assert_eq!(message, format!("the table could not be opened: entity not found; {advice}"));
    let table = CsvOptions::new().delimiter(b';').read(TEXT.as_bytes()).unwrap();
    let roles = Roles::new().identifying("name");
    let message = said(roles.bind(&table));
    assert!(
        message.ends_with("its only column holds ',': read it with that delimiter"),
        "{message}"
    );
    let kinds = CsvOptions::new().delimiter(b';').kind("zip", Kind::Text);
    let message = said(kinds.read(TEXT.as_bytes()));
    assert!(message.ends_with("read it with that delimiter"), "{message}");
    let ragged = CsvOptions::new().read("a,b\n1,2\n3\n".as_bytes());
    let message = said(ragged);
    assert!(
        message.starts_with("line 3 has 1 fields instead of 2; check the delimiter"),
        "{message}"
    );
}

#[test]
fn levels_are_beyond_the_hierarchy() {
    let table = table();
    let roles = Roles::new()
        .identifying("name")
        .quasi("age", Intervals::new(0, 100).widths([10, 50]))
        .levels(2..=5)
        .quasi("zip", Masking::new())
        .sensitive("illness");
    assert_eq!(said(roles.bind(&table)), "column `age`: levels 2 to 5 are not within 0 to 3");
}
