//! One sentence for each form that an identifier takes in text, and for what looks like one and is none
//! (`tests/data/sentences.txt`).
//!
//! A line is `+ENTITY|text` with what must be found, exactly, in brackets `⟦ ⟧`, or `-ENTITY|text` in which nothing
//! must be found as that entity. Values are those that authorities publish as examples, or are made by the scheme.

use deid_text::Analyzer;

const SENTENCES: &str = include_str!("../data/sentences.txt");

/// A text without its brackets, and what stood between them.
fn unmark(marked: &str) -> (String, Vec<std::ops::Range<usize>>) {
    let (mut text, mut ranges, mut start) = (String::new(), Vec::new(), 0);
    for c in marked.chars() {
        match c {
            '⟦' => start = text.len(),
            '⟧' => ranges.push(start..text.len()),
            c => text.push(c),
        }
    }
    (text, ranges)
}

#[test]
fn sentences() {
    let all = Analyzer::new().unwrap();
    let mut wrong = String::new();
    for line in SENTENCES.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
        let (entity, marked) = line[1..].split_once('|').unwrap();
        let (text, ranges) = unmark(marked);
        let own = Analyzer::builder().entities([entity]).build().unwrap();
        for (how, analyzer) in [("all", &all), ("alone", &own)] {
            let findings = analyzer.scan(&text).unwrap();
            let found = |r: &std::ops::Range<usize>| {
                findings.iter().any(|f| f.entity == entity && f.span.range() == *r)
            };
            let ok = match line.starts_with('+') {
                true => ranges.iter().all(found),
                false => !findings.iter().any(|f| f.entity == entity),
            };
            if !ok {
                let got: Vec<_> = findings
                    .iter()
                    .map(|f| format!("{} {:?} {:.2}", f.entity, &text[f.span.range()], f.score))
                    .collect();
                wrong += &format!("{how}: {line}\n    {}\n", got.join(", "));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{wrong}", wrong.matches('\n').count() / 2);
}
