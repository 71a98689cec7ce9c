use std::io::Write;
use std::path::PathBuf;

use super::*;
use crate::config::{Groups, Range};

/// Reads `text` with the unit `who` and the columns `age` (whole) and `land` (keys `de`, `fr`).
fn rows(name: &str, text: &[u8]) -> Result<Vec<Row>, Error> {
    let path = file(name, text);
    let data = DataConfig {
        delimiter: b';',
        unit: Some("who".to_owned()),
        max_rows_per_unit: Some(1),
        missing: Vec::new(),
    };
    let mut layout = Layout::default();
    layout.add("age", Format::number(&Range::Whole(0, 100)));
    let keys = ["de".to_owned(), "fr".to_owned()].to_vec();
    layout.add("land", Format::key(&Groups { column: "land".to_owned(), keys }));
    let rows = read(&path, &data, &layout);
    std::fs::remove_file(&path).unwrap();
    rows
}

fn file(name: &str, text: &[u8]) -> PathBuf {
    let path = std::env::temp_dir().join(format!("ciam_report-{}-{name}.csv", std::process::id()));
    File::create(&path).unwrap().write_all(text).unwrap();
    path
}

/// The message without the path.
fn fault(name: &str, text: &[u8]) -> String {
    let message = rows(name, text).err().unwrap().to_string();
    assert!(!message.contains("secret"), "{message}");
    assert!(!message.contains('\n'), "{message}");
    message.split_once("csv, ").unwrap().1.to_owned()
}

#[test]
fn rows_are_read_with_their_units_numbers_and_groups() {
    let text = "\u{feff}who;age;land\r\nanna;39;de\r\n\"bert\"; 40 ;xx\r\n\r\nanna;41;fr";
    let rows = rows("good", text.as_bytes()).unwrap();
    let units: Vec<u32> = rows.iter().map(|row| row.unit).collect();
    assert_eq!(units, [0, 1, 0]);
    let ages: Vec<_> = rows.iter().map(|row| row.cell(0)).collect();
    assert_eq!(ages, [Cell::Whole(39), Cell::Whole(40), Cell::Whole(41)]);
    let lands: Vec<_> = rows.iter().map(|row| row.cell(1)).collect();
    assert_eq!(lands, [Cell::Group(0), Cell::Missing, Cell::Group(1)]);
    assert_eq!(rows.first().unwrap().cell(7), Cell::Missing);
}

#[test]
fn a_file_with_a_header_only_has_no_rows() {
    assert_eq!(rows("header", b"who;age;land\n").unwrap().len(), 0);
}

#[test]
fn faults_name_line_and_column_and_never_the_value() {
    let bad = b"who;age;land\r\nanna;39;de\r\n\r\nbert;secret;fr\r\n";
    assert!(fault("bad", bad).starts_with("line 4: column `age` is not a number"));
    let decimal = b"who;age;land\nanna;39.5;de\n";
    assert!(fault("decimal", decimal).starts_with("line 2: column `age` is not a whole number"));
    let empty = b"who;age;land\nanna;;de\n";
    assert!(fault("no-number", empty).starts_with("line 2: column `age` is empty"));
    let short = b"who;age;land\nanna;39;de\nsecret;40\n";
    assert_eq!(
        fault("short", short),
        "line 3: column `land` is missing: the row has 2 of 3 fields"
    );
    let long = b"who;age;land\nanna;39;de\n\nbert;39;de;secret\n";
    assert!(fault("long", long).starts_with("line 4: after the last column `land`"));
    let nobody = b"who;age;land\n;39;de\n";
    assert!(fault("nobody", nobody).starts_with("line 2: column `who` is empty"));
    let latin = b"who;age;land\nanna;39;de\nJos\xe9;40;fr\n";
    assert_eq!(
        fault("latin", latin),
        "line 3: column `who` is not UTF-8; convert the file to UTF-8"
    );
}

#[test]
fn lines_are_counted_across_quoted_line_ends() {
    let text = b"who;age;land\r\n\"an\r\nna\";39;de\r\nbert;secret;fr\r\n";
    assert!(fault("quoted", text).starts_with("line 4: column `age`"));
}

#[test]
fn faults_of_the_header_are_on_line_1() {
    let problem = fault("no-column", b"who;secret;land\nanna;39;de\n");
    assert!(problem.starts_with("line 1: there is no column `age`"));
    let problem = fault("twice", b"who;age;age;land\nanna;39;39;de\n");
    assert!(problem.starts_with("line 1: column `age` is named twice"));
    assert!(fault("empty", b"").starts_with("line 1: the file is empty"));
    assert!(fault("blank", b"\n\r\n").contains("the file is empty"));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let path = PathBuf::from("no-such-file.csv");
    let error = read(&path, &DataConfig::default(), &Layout::default()).err().unwrap();
    assert!(error.to_string().starts_with("cannot read no-such-file.csv: "));
}
