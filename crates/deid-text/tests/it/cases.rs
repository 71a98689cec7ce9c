//! Each entity against values that a program of its own made from the published schemes
//! (`tests/data/cases.py`), in several spellings and surroundings.

use std::collections::BTreeMap;

use deid_text::{Analyzer, entity};

const CASES: &str = include_str!("../data/cases.tsv");

/// Where a value may stand.
const SURROUNDINGS: [(&str, &str); 7] = [
    ("", ""),
    ("We noted ", ", thank you."),
    ("(", ")"),
    ("It is ", ". Next"),
    ("first line\n", "\nlast line"),
    ("\"", "\""),
    ("<td>", "</td>"),
];

fn by_entity() -> BTreeMap<&'static str, Vec<(&'static str, &'static str)>> {
    let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for line in CASES.lines() {
        let mut cells = line.split('\t');
        if let (Some(entity), Some(kind), Some(value)) = (cells.next(), cells.next(), cells.next())
        {
            all.entry(entity).or_default().push((kind, value));
        }
    }
    all
}

fn exact(analyzer: &Analyzer, entity: &str, before: &str, value: &str, after: &str) -> bool {
    let text = format!("{before}{value}{after}");
    let range = before.len()..before.len() + value.len();
    let findings = analyzer.scan(&text).unwrap();
    findings.iter().any(|f| f.entity == entity && f.span.range() == range)
}

/// Prints at most a few failures of each entity.
fn report(failures: BTreeMap<&str, Vec<String>>) {
    let count: usize = failures.values().map(Vec::len).sum();
    let mut shown = String::new();
    for (entity, list) in &failures {
        shown += &format!("{entity} ({}): {}\n", list.len(), list[..list.len().min(6)].join(" ¦ "));
    }
    assert!(failures.is_empty(), "{count} failures\n{shown}");
}

#[test]
fn asked_for_by_name_each_form_is_found_with_its_exact_span() {
    let mut failures = BTreeMap::<_, Vec<_>>::new();
    for (entity, cases) in by_entity() {
        let analyzer =
            Analyzer::builder().entities([entity]).threshold(0.01).without_names().build().unwrap();
        for (kind, value) in cases.into_iter().filter(|(kind, _)| *kind != "invalid") {
            for (before, after) in SURROUNDINGS {
                if !exact(&analyzer, entity, before, value, after) {
                    failures
                        .entry(entity)
                        .or_default()
                        .push(format!("{kind} {before:?}{value}{after:?}"));
                    break;
                }
            }
        }
    }
    report(failures);
}

#[test]
fn check_characters_that_hold_are_enough_when_asked_for_by_name() {
    let mut failures = BTreeMap::<_, Vec<_>>::new();
    for (entity, cases) in by_entity() {
        let analyzer = Analyzer::builder().entities([entity]).without_names().build().unwrap();
        for (_, value) in cases.into_iter().filter(|(kind, _)| *kind == "valid") {
            if !exact(&analyzer, entity, "We noted ", value, ", thank you.") {
                failures.entry(entity).or_default().push(value.to_owned());
            }
        }
    }
    report(failures);
}

#[test]
fn a_word_beside_them_is_enough_among_all_entities() {
    let analyzer = Analyzer::builder().without_names().build().unwrap();
    let info: BTreeMap<_, _> = entity::all().map(|i| (i.name(), i)).collect();
    let mut failures = BTreeMap::<_, Vec<_>>::new();
    for (entity, cases) in by_entity() {
        let words = info[entity].context();
        // The longest phrase says most, best if it speaks for this entity alone.
        let same = |a: &str, b: &str| a.replace('-', " ") == b.replace('-', " ");
        let has = |i: &entity::Info, w: &str| i.context().iter().any(|c| same(c, w));
        let shared = |w: &str| info.values().filter(|i| has(i, w)).count() > 1;
        let label = words
            .iter()
            .max_by_key(|w| (!shared(w), w.split(' ').count(), w.len()))
            .copied()
            .unwrap();
        for (kind, value) in cases.into_iter().filter(|(kind, _)| *kind != "invalid") {
            for (before, after) in
                [(format!("{label}: "), "\n"), (format!("Their {label} is "), ", thank you.")]
            {
                let sibling = shared(label)
                    && info.iter().any(|(other, i)| {
                        has(i, label) && exact(&analyzer, other, &before, value, after)
                    });
                if !sibling && !exact(&analyzer, entity, &before, value, after) {
                    let text = format!("{before}{value}{after}");
                    let got: Vec<_> = analyzer
                        .scan(&text)
                        .unwrap()
                        .iter()
                        .map(|f| format!("{} {}", f.entity, &text[f.span.range()]))
                        .collect();
                    failures.entry(entity).or_default().push(format!("{kind} {text:?} {got:?}"));
                    break;
                }
            }
        }
    }
    report(failures);
}

#[test]
fn what_breaks_a_rule_is_not_found() {
    let info: BTreeMap<_, _> = entity::all().map(|i| (i.name(), i)).collect();
    let mut failures = BTreeMap::<_, Vec<_>>::new();
    for (entity, cases) in by_entity() {
        let analyzer = Analyzer::builder().entities([entity]).without_names().build().unwrap();
        let label = info[entity].context().first().copied().unwrap();
        for (_, value) in cases.into_iter().filter(|(kind, _)| *kind == "invalid") {
            let text = format!("{label}: {value}, thank you.");
            let from = label.len() + 2;
            for f in &analyzer.scan(&text).unwrap() {
                if f.span.start < from + value.len() && f.span.end > from && f.span.len() > 3 {
                    failures
                        .entry(entity)
                        .or_default()
                        .push(format!("{value} → {}", &text[f.span.range()]));
                }
            }
        }
    }
    report(failures);
}
