//! A report for tests, in which every text that could come from a user is hostile.

use confidant::core::release::Interval;
use confidant::core::sensitive::SensitivityLevel;
use confidant::dp::prelude::{Allowance, Charge, Epsilon};

use super::*;

/// What nobody may be able to put into a page.
pub const HOSTILE: &str = "<script>alert('x')</script>\"&";

pub fn figure(value: i64, margin: f64) -> Figure {
    Figure {
        value: Number::from(value),
        interval_95: Interval { lower: value as f64 - margin, upper: value as f64 + margin },
        text: value.to_string(),
        margin: margin.to_string(),
    }
}

pub fn answer(name: &str, result: Figures) -> Answer {
    let charge = Charge::from(Epsilon::from_fraction(1, 7).unwrap());
    let (question, noise) = ("q".to_owned(), "n".to_owned());
    Answer { name: name.to_owned(), question, charge, noise, result, ordered: false }
}

/// A report with these answers and everything else there is.
pub fn report(answers: Vec<Answer>) -> Report {
    let text = || HOSTILE.to_owned();
    let limit = Allowance::from(Epsilon::new(1.0).unwrap());
    let (spent, left) = (limit.nothing(), limit.clone());
    let balance = || Balance {
        account: text(),
        limit: limit.clone(),
        spent: spent.clone(),
        left: left.clone(),
    };
    let step = Step {
        at: "2026-11-22T10:00:00.000Z".to_owned(),
        what: text(),
        purpose: text(),
        outcome: "completed".to_owned(),
        charge: Some(Charge::from(Epsilon::new(0.25).unwrap())),
        spent: spent.clone(),
        left: left.clone(),
    };
    let note = format!("{HOSTILE}\n3\n");
    let checkpoint = Checkpoint { entries: 3, root: text(), note, key: text() };
    let ledger = Spending { accounts: vec![balance()], steps: vec![step], checkpoint };
    let handling = Handling {
        source: text(),
        what: text(),
        technique: text(),
        overridden: true,
        reason: text(),
        guarantee: text(),
        does_not_cover: text(),
    };
    Report {
        title: HOSTILE.to_owned(),
        about: vec![("Data", "a long text ".repeat(20)), ("Known", text())],
        sources: vec![handling],
        answers,
        budget: limit.clone(),
        spent: spent.clone(),
        left: left.clone(),
        ledger,
        for_the_owner: Some(owner()),
    }
}

fn owner() -> Owner {
    let text = || HOSTILE.to_owned();
    let column = FoundColumn {
        column: text(),
        holds: Some(text()),
        share: Some(0.75),
        share_95: Some([0.625, 0.875]),
        level: SensitivityLevel::Confidential,
        why: text(),
    };
    let level = SensitivityLevel::Confidential;
    let risk = |highest| RiskOf { highest, average: 0.125, above_a_fifth: 0.25, unique: 0.5 };
    let table = TableStudy {
        models: vec![text()],
        verified: true,
        optimal: true,
        data_dependent: true,
        rows: 1234,
        left_out: 56,
        classes: 78,
        smallest_class: 5,
        before: risk(1.0),
        after: risk(0.2),
        sizes: vec![Band { class_size: text(), before: 0.375, after: 0.0 }],
        detail: vec![ColumnDetail {
            column: text(),
            values_before: 910,
            values_after: 23,
            left: 0.4,
        }],
    };
    let texts = TextStudy {
        texts: 2000,
        replaced: vec![(text(), 321)],
        planted: 90,
        gone: 81,
        gone_95: [0.82, 0.95],
        samples: vec![text()],
    };
    Owner {
        found: vec![Found { source: text(), level, columns: vec![column] }],
        table: Some(table),
        texts: Some(texts),
    }
}
