use serde_json::Value;

use super::*;
use crate::choose::{Choices, DEFAULT_K};
use crate::made_up::generate::Shape;
use crate::made_up::note::notes;
use crate::product::{self, Task};
use crate::report::sample::{self, HOSTILE, answer, figure};
use crate::report::{Figures, Group};

const SHAPE: Shape = Shape { users: 1000, events: 5000, seed: 4 };

fn made(for_the_owner: bool) -> Report {
    let choices = Choices::new(&[], DEFAULT_K).unwrap();
    let budget = confidant::dp::prelude::Epsilon::new(1.0).unwrap();
    let task = Task::new(SHAPE, &budget, &choices);
    product::report(&Task { for_the_owner, ..task }).unwrap()
}

fn hostile() -> Report {
    let group = |name: &str, value| Group { group: name.to_owned(), figure: figure(value, 9.0) };
    let groups = || vec![group(HOSTILE, 5), group("b", -70)];
    sample::report(vec![
        answer(HOSTILE, Figures::Figure(figure(7, 2.0))),
        answer(HOSTILE, Figures::Groups(groups())),
        answer("in order", Figures::Groups(groups())).ordered(),
    ])
}

/// The elements of a page, in order: opening tags by name, closing ones with a slash. Fails on what a
/// strict reader would not take.
fn tags(page: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        if rest.starts_with("!doctype") {
            continue;
        }
        let end = rest.find('>').expect("a tag ends");
        let tag = &rest[..end];
        assert_eq!(tag.matches('"').count() % 2, 0, "quotes in <{tag}>");
        assert!(!tag.contains('<'), "a tag in the tag <{tag}>");
        let name = tag.split_whitespace().next().expect("a tag has a name");
        let known = |c: char| c.is_ascii_alphanumeric() || c == '/';
        assert!(name.chars().all(known), "a tag called {name}");
        // Elements without content, and SVG's that end themselves.
        let void = matches!(name, "meta" | "link" | "br") || tag.ends_with('/');
        if !void {
            all.push(name.to_owned());
        }
        rest = &rest[end + 1..];
    }
    all
}

fn assert_well_formed(page: &str) {
    let mut open: Vec<String> = Vec::new();
    for tag in tags(page) {
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop().as_deref(), Some(name), "inside {open:?}"),
            None => open.push(tag),
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
}

#[test]
fn the_page_is_well_formed_and_needs_nothing_else() {
    for page in [render(&made(true)).unwrap(), render(&hostile()).unwrap()] {
        assert_well_formed(&page);
        let outside = page.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "");
        for what in ["http", "//", "src=", "@import", "url(", "<script", "<link", "javascript:"] {
            let at = outside.find(what);
            // Roots, keys and notes are in base64, which has slashes.
            let base64 = what == "//" && at.is_some_and(|at| !outside[at..].starts_with("//www"));
            assert!(at.is_none() || base64, "{what}: {:?}", at.map(|at| &outside[at..at + 40]));
        }
    }
}

#[test]
fn what_users_wrote_is_text() {
    let page = render(&hostile()).unwrap();
    assert!(!page.contains("<script") && !page.contains("alert('x')</"));
    assert!(page.matches("&lt;script&gt;").count() > 20);
}

/// Every number that a machine reads, each as a person should find it on the page.
fn numbers(value: &Value, path: &str, found: &mut Vec<(String, f64)>) {
    match value {
        Value::Number(number) => found.push((path.to_owned(), number.as_f64().unwrap())),
        Value::Array(all) => all.iter().for_each(|value| numbers(value, path, found)),
        Value::Object(all) => {
            all.iter().for_each(|(key, value)| numbers(value, &format!("{path}/{key}"), found));
        }
        _ => {}
    }
}

/// The numbers of a text, as the page writes them.
fn written(page: &str) -> Vec<f64> {
    let text: String =
        page.chars().filter(|c| *c != '\u{202f}').map(|c| if c == '−' { '-' } else { c }).collect();
    text.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-'))
        .filter_map(|word| word.trim_end_matches('.').parse().ok())
        .collect()
}

#[test]
fn every_number_for_machines_is_on_the_page() {
    for report in [made(true), hostile()] {
        let page = written(&render(&report).unwrap());
        let json = serde_json::to_value(&report).unwrap();
        let mut wanted = Vec::new();
        numbers(&json, "", &mut wanted);
        assert!(wanted.len() > 20);
        for (path, number) in wanted {
            // As it is, rounded outwards to its margin's decimals, or as a share in percent.
            let slack = if number.abs() >= 10.0 { 1.0 } else { 0.05 };
            let near = |shown: &f64, number: f64, slack| (shown - number).abs() <= slack;
            let shown = page
                .iter()
                .any(|shown| near(shown, number, slack) || near(shown, 100.0 * number, 0.051));
            assert!(shown, "{path} = {number} is not on the page");
        }
    }
}

#[test]
fn no_name_and_no_address_of_a_note_is_on_the_page() {
    let report = made(true);
    let page = render(&report).unwrap();
    let json = crate::json::render(&report).unwrap();
    for note in notes(SHAPE) {
        for value in note.planted {
            assert!(!page.contains(&value) && !json.contains(&value), "{value}");
        }
    }
    assert!(!page.contains("@example"));
}

#[test]
fn the_public_edition_has_no_part_for_the_owner() {
    let report = made(false);
    let (page, json) = (render(&report).unwrap(), crate::json::render(&report).unwrap());
    assert!(!page.contains("id=\"owner\"") && !json.contains("for_the_owner"));
    assert!(page.contains("Public edition"));
    assert_well_formed(&page);
}
