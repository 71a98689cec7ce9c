use confidant::dp::prelude::Amount;

use super::*;
use crate::report::sample::{self, answer, figure};

#[test]
fn no_line_is_wider_than_a_terminal() {
    let group = |name: &str, value| Group { group: name.to_owned(), figure: figure(value, 900.0) };
    let groups =
        vec![group("日本からのログイン、全部", 5), group("b", -70_000), group("c", i64::MAX)];
    let text = render(&sample::report(vec![
        answer(&"a very long name ".repeat(9), Figures::Figure(figure(7, 0.5))),
        answer("By", Figures::Groups(groups)),
    ]));
    for line in text.lines() {
        assert!(layout::width(line) <= WIDTH, "{line}");
        assert_eq!(line.trim_end(), line);
    }
}

#[test]
fn bars_show_the_value_and_its_error() {
    assert_eq!(bar(&figure(100, 0.0), 100.0), "█".repeat(BAR));
    assert_eq!(bar(&figure(-5, 1.0), 100.0).trim(), "");
    let half = bar(&figure(50, 25.0), 100.0);
    assert_eq!(half.chars().filter(|c| *c == '█').count(), (BAR as f64 / 4.0).round() as usize);
    assert_eq!(half.chars().count(), (BAR as f64 * 0.75).round() as usize);
    assert_eq!(bar(&figure(0, 0.0), 0.0).trim(), "");
}

#[test]
fn prices_are_short_and_exact_where_that_is_short() {
    let shown = |text: &str| price(&Charge::pure(text.parse::<Amount>().unwrap()));
    assert_eq!(shown("0.1"), "ε = 0.1");
    assert_eq!(shown("1/7"), "ε = 1/7");
    assert_eq!(shown("1234567/7654321"), "ε ≈ 0.1613");
    assert_eq!(shown("1234567/7654321000"), "ε ≈ 1.6e-4");
    assert_eq!(shown("1e300"), "ε ≈ 1.0e300");
}
