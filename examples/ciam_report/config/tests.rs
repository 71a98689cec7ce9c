use super::*;

const PEOPLE: &str = "[budget]\nepsilon = 1\n[[query]]\nname = \"People\"\nkind = \"count\"\n";

fn checked(text: &str) -> Result<Config, String> {
    let file = from_toml(text).map_err(|(line, message)| format!("line {line}: {message}"))?;
    Config::checked(file).map_err(|problem| problem.to_string())
}

/// The problem of a configuration with one query that holds `lines`.
fn problem(lines: &str) -> String {
    let head = "[data]\ndelimiter = \";\"\n[budget]\nepsilon = 0.5\n[[query]]\nname = \"Q\"\n";
    checked(&format!("{head}{lines}")).err().unwrap()
}

#[test]
fn the_shipped_example_reads() {
    let config = checked(include_str!("../adult.toml")).unwrap();
    assert_eq!(config.questions.len(), 6);
    assert_eq!(config.data.delimiter, b';');
}

#[test]
fn toml_and_json_say_the_same() {
    let toml = checked(PEOPLE).unwrap();
    let json = r#"{"budget": {"epsilon": 1}, "query": [{"name": "People", "kind": "count"}]}"#;
    let json = Config::checked(from_json(json).ok().unwrap()).unwrap();
    assert_eq!(format!("{toml:?}"), format!("{json:?}"));
}

#[test]
fn parts_spend_the_budget_exactly() {
    let weights: Vec<Amount> = ["1", "1", "1/3", "0.1", "7e-3"].map(|w| w.parse().unwrap()).into();
    let weights: Vec<&Amount> = weights.iter().collect();
    let parts = Budget::Pure(Epsilon::new(0.7).unwrap()).split(&weights).unwrap();
    let amounts = parts.into_iter().map(|part| match part {
        Budget::Pure(epsilon) => epsilon.into_amount(),
        Budget::Zcdp(rho) => rho.into_amount(),
    });
    assert_eq!(amounts.sum::<Amount>(), "0.7".parse().unwrap());
    let zero = Amount::ZERO;
    assert_eq!(Budget::Zcdp(Rho::new(0.1).unwrap()).split(&[&zero]), None);
}

#[test]
fn fractions_and_decimals_are_exact() {
    let thirds = checked(&PEOPLE.replace("epsilon = 1", "epsilon = \"1/3\"")).unwrap();
    assert_eq!(thirds.budget, Budget::Pure(Epsilon::from_fraction(1, 3).unwrap()));
    let rho = checked(&PEOPLE.replace("epsilon = 1", "rho = 0.1")).unwrap();
    assert_eq!(rho.budget, Budget::Zcdp(Rho::from_fraction(1, 10).unwrap()));
}

#[test]
fn senseless_budgets_are_refused_with_their_line() {
    for budget in ["epsilon = 0", "epsilon = -1", "epsilon = nan", "epsilon = inf", "rho = 0"] {
        let message = checked(&PEOPLE.replace("epsilon = 1", budget)).err().unwrap();
        assert!(message.starts_with("line 2: "), "{budget}: {message}");
    }
    for budget in ["", "epsilon = 1\nrho = 1"] {
        let message = checked(&PEOPLE.replace("epsilon = 1", budget)).err().unwrap();
        assert!(message.contains("either `epsilon` or `rho`"), "{budget}: {message}");
    }
}

#[test]
fn unknown_names_are_refused_with_their_line() {
    assert!(checked(&format!("titel = \"x\"\n{PEOPLE}")).err().unwrap().contains("`titel`"));
    assert!(problem("kind = \"median\"").starts_with("line 7: unknown variant `median`"));
    assert!(
        problem("kind = \"count\"\nbound = [1, 2]").starts_with("line 8: unknown field `bound`")
    );
}

#[test]
fn settings_must_fit_the_kind() {
    let cases = [
        ("kind = \"mean\"\ncolumn = \"age\"", "kind `mean` needs `bounds`"),
        ("kind = \"sum\"\nbounds = [0, 1]", "kind `sum` needs `column`"),
        ("kind = \"histogram\"\ncolumn = \"age\"", "kind `histogram` needs `edges`"),
        ("kind = \"count\"\ncolumn = \"age\"", "kind `count` takes no `column`"),
        ("kind = \"count\"\nby = \"sex\"", "`by` and `keys` belong together"),
        ("kind = \"count\"\nby = \"sex\"\nkeys = []", "`keys` is empty"),
        ("kind = \"count\"\nby = \"sex\"\nkeys = [\"a\", \"a\"]", "`keys` lists `a` twice"),
        ("kind = \"units\"", "kind `units` needs `unit`"),
        ("kind = \"count\"\nweight = 0", "`weight` must be above 0"),
        ("kind = \"mean\"\ncolumn = \"a\"\nbounds = [5, 1]", "`bounds` must be"),
        ("kind = \"mean\"\ncolumn = \"a\"\nbounds = [0, inf]", "`bounds` must be"),
        ("kind = \"mean\"\ncolumn = \"a\"\nbounds = [nan, 1]", "`bounds` must be"),
        ("kind = \"mean\"\ncolumn = \"a\"\nbounds = [1]", "`bounds` must be"),
        ("kind = \"histogram\"\ncolumn = \"a\"\nedges = [1]", "`edges` must be"),
        ("kind = \"histogram\"\ncolumn = \"a\"\nedges = [1, 1]", "`edges` must be"),
        ("kind = \"histogram\"\ncolumn = \"a\"\nedges = [1, nan]", "`edges` must be"),
    ];
    for (lines, expected) in cases {
        let message = problem(lines);
        assert!(message.starts_with("query 1 (`Q`): "), "{message}");
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_unit_needs_a_limit_and_a_limit_a_unit() {
    for data in ["unit = \"who\"", "max_rows_per_unit = 3"] {
        let message = checked(&format!("[data]\n{data}\n{PEOPLE}")).err().unwrap();
        assert!(message.contains("belong together"), "{message}");
    }
    let none = format!("[data]\nunit = \"who\"\nmax_rows_per_unit = 0\n{PEOPLE}");
    assert!(checked(&none).err().unwrap().contains("at least 1"));
    let message = checked(&format!("[data]\ndelimiter = \"||\"\n{PEOPLE}")).err().unwrap();
    assert!(message.contains("one ASCII character"), "{message}");
    assert!(checked("[budget]\nepsilon = 1").err().unwrap().contains("no question"));
}

#[test]
fn bins_hold_their_lower_edge_and_the_last_one_both() {
    let question = |edges: &str| {
        let text =
            format!("{PEOPLE}[[query]]\nname = \"H\"\nkind = \"histogram\"\ncolumn = \"a\"\n");
        match checked(&format!("{text}edges = {edges}")).unwrap().questions.pop().unwrap().ask {
            Ask::Histogram { bins, .. } => bins,
            _ => unreachable!("a histogram was asked"),
        }
    };
    let bins = question("[10, 20.5, 30]");
    let cases = [
        (9.9, None),
        (10.0, Some(0)),
        (20.4, Some(0)),
        (20.5, Some(1)),
        (30.0, Some(1)),
        (30.1, None),
    ];
    for (number, bin) in cases {
        assert_eq!(bins.position(number), bin, "{number}");
    }
    assert_eq!(bins.labels(), ["10 to <20.5", "20.5 to 30"]);
    let open = question("[-inf, 0, inf]");
    assert_eq!(open.labels(), ["under 0", "0 and over"]);
    assert_eq!((open.position(-1e300), open.position(0.0)), (Some(0), Some(1)));
}
