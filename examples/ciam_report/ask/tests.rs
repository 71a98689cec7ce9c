use super::*;
use crate::report::{Figures, Group};

fn report_in(input: &Path, config: &Config) -> Result<Report, Error> {
    let (ledger, table, for_the_owner) = (None, None, true);
    report(&Task { input, config, ledger, table, for_the_owner })
}

fn report_on(name: &str, csv: &str, budget: &str, data: &str) -> Report {
    let folder = std::env::temp_dir().join(format!("ciam_report-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let questions = [
        "name = \"rows\"\nkind = \"count\"\nweight = \"1/3\"",
        "name = \"sum\"\nkind = \"sum\"\ncolumn = \"age\"\nbounds = [0, 100]",
        "name = \"mean\"\nkind = \"mean\"\ncolumn = \"age\"\nbounds = [0.0, 100]",
        "name = \"by\"\nkind = \"count\"\nby = \"land\"\nkeys = [\"de\", \"fr\", \"it\"]",
        "name = \"bins\"\nkind = \"histogram\"\ncolumn = \"age\"\nedges = [0, 50, 100]",
    ];
    let questions = questions.map(|lines| format!("[[query]]\n{lines}\n")).concat();
    let toml = format!("[data]\n{data}\nmissing = [\"\"]\n[budget]\n{budget}\n{questions}");
    std::fs::write(folder.join("c.toml"), toml).unwrap();
    std::fs::write(folder.join("d.csv"), csv).unwrap();
    let config = Config::read(&folder.join("c.toml")).unwrap();
    let report = report_in(&folder.join("d.csv"), &config).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    report
}

/// 100 users with 10 rows each, all of age 40 or of none, all in `fr`.
fn csv() -> String {
    let rows = (0..1000).map(|i| format!("u{},{},fr\n", i / 10, ["40", ""][i % 2]));
    format!("who,age,land\n{}", rows.collect::<String>())
}

/// All values in order. At these budgets noise moves them by at most a few thousandths.
fn values(report: &Report) -> Vec<f64> {
    let value = |answer: &Answer| match &answer.result {
        Figures::Figure(figure) => vec![figure.value.to_f64()],
        Figures::Groups(groups) => {
            groups.iter().map(|Group { figure, .. }| figure.value.to_f64()).collect()
        }
    };
    report.answers.iter().flat_map(value).collect()
}

fn assert_close(values: &[f64], expected: &[f64]) {
    assert_eq!(values.len(), expected.len());
    for (value, expected) in values.iter().zip(expected) {
        assert!((value - expected).abs() <= 1e-3 * (1.0 + expected), "{values:?}");
    }
}

#[test]
fn every_kind_of_question_is_answered_and_the_budget_spent_exactly() {
    let report = report_on("rows", &csv(), "epsilon = 1000000", "");
    let expected = [1000.0, 20_000.0, 40.0, 0.0, 1000.0, 0.0, 500.0, 0.0];
    assert_close(&values(&report), &expected);
    assert_eq!(report.spent, report.budget);
    assert!(report.left.is_nothing());
}

#[test]
fn units_are_bounded() {
    let data = "unit = \"who\"\nmax_rows_per_unit = 2";
    let report = report_on("units", &csv(), "rho = 1000000000000", data);
    let expected = [200.0, 8000.0, 40.0, 0.0, 200.0, 0.0, 200.0, 0.0];
    assert_close(&values(&report), &expected);
    assert!(report.left.is_nothing());
}

#[test]
fn questions_that_cannot_be_priced_are_refused_before_the_file_is_opened() {
    let folder = std::env::temp_dir();
    let path = folder.join(format!("ciam_report-{}-price.toml", std::process::id()));
    let toml = "[budget]\nepsilon = 1e-300\n[[query]]\nname = \"n\"\nkind = \"count\"\n";
    std::fs::write(&path, toml).unwrap();
    let config = Config::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let error = report_in(Path::new("no-such-file.csv"), &config).err().unwrap();
    assert!(matches!(error, Error::Question { question, .. } if question == "n"));
}

/// A table asked for beside the numbers, over rows that name people in `who`.
fn with_table(name: &str, roles: &str) -> Result<(Report, String), Error> {
    let folder = std::env::temp_dir().join(format!("ciam_report-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let row = |i: usize| format!("user{i}@example.org,{},{}\n", 20 + i % 4, ["a", "b"][i % 2]);
    let csv = format!("who,age,plan\n{}", (0..400).map(row).collect::<String>());
    let question = "[[query]]\nname = \"rows\"\nkind = \"count\"\n";
    let toml = format!("[budget]\nepsilon = 1\n[table]\nk = 3\n{roles}\n{question}");
    std::fs::write(folder.join("c.toml"), toml).unwrap();
    std::fs::write(folder.join("d.csv"), csv).unwrap();
    let config = Config::read(&folder.join("c.toml")).unwrap();
    let (input, table) = (folder.join("d.csv"), folder.join("t.csv"));
    let task = Task {
        input: &input,
        config: &config,
        ledger: None,
        table: Some(&table),
        for_the_owner: true,
    };
    let report = report(&task);
    let released = std::fs::read_to_string(&table).unwrap_or_default();
    std::fs::remove_dir_all(&folder).unwrap();
    Ok((report?, released))
}

#[test]
fn a_table_is_handed_out_beside_the_numbers() {
    let roles = "identifying = [\"who\"]\nquasi = [\"age\"]\nsensitive = [\"plan\"]";
    let (report, released) = with_table("table", roles).unwrap();
    let study = report.for_the_owner.unwrap().table.unwrap();
    assert!(study.verified && study.smallest_class >= 3);
    assert_eq!(released.lines().count() as u64, study.rows + 1);
    assert!(!released.contains('@'));
    assert_eq!(report.sources.len(), 2);
}

#[test]
fn a_table_in_which_people_are_named_is_refused_and_nothing_is_written() {
    for roles in ["quasi = [\"age\", \"who\"]", "quasi = [\"age\"]\ninsensitive = [\"who\"]"] {
        let roles = format!("{roles}\nsensitive = [\"plan\"]");
        let refused = with_table("named", &roles).err().unwrap();
        assert!(matches!(refused, Error::Identifier { column, .. } if column == "who"));
    }
}
