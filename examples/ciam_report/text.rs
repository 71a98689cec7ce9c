//! The report as text: aligned tables and bars, at most 80 columns wide.

mod layout;
mod owner;

use confidant::dp::prelude::Charge;

use crate::report::{Answer, Figure, Figures, Group, Report};
use layout::{left, right, wrapped};

/// Columns of the whole report.
const WIDTH: usize = 80;

/// Columns of the labels at the top.
const LABEL: usize = 10;

/// Columns of a number, and of its error.
const VALUE: usize = 18;
const MARGIN: usize = 13;

/// Columns of a name among the totals, and of a group's name beside its bar.
const NAME: usize = 30;
const GROUP: usize = 19;

/// Cells of a bar.
const BAR: usize = WIDTH - 2 - GROUP - 1 - VALUE - 3 - MARGIN;

/// Columns of a price.
const COST: usize = WIDTH - 2 - NAME - VALUE - 3 - MARGIN;

/// The whole report, ending in a line end.
pub fn render(report: &Report) -> String {
    let mut lines = vec![String::new(), report.title.clone(), "═".repeat(WIDTH)];
    for (label, text) in &report.about {
        let rows = wrapped(text, WIDTH - LABEL);
        let labels = std::iter::once(*label).chain(std::iter::repeat(""));
        lines.extend(labels.zip(rows).map(|(label, row)| format!("{}{row}", left(label, LABEL))));
    }
    sources(report, &mut lines);
    let mut answers = report.answers.as_slice();
    while let [first, rest @ ..] = answers {
        lines.push(String::new());
        match &first.result {
            Figures::Groups(groups) => {
                breakdown(first, groups, &mut lines);
                answers = rest;
            }
            Figures::Figure(_) => {
                let single = |answer: &&Answer| matches!(answer.result, Figures::Figure(_));
                let together = answers.iter().take_while(single).count();
                let (single, rest) = answers.split_at(together);
                totals(single, &mut lines);
                answers = rest;
            }
        }
    }
    prices(report, &mut lines);
    audit(report, &mut lines);
    if let Some(owner) = &report.for_the_owner {
        owner::lines(owner, &mut lines);
    }
    let mut text = lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n");
    text.push('\n');
    text
}

fn head(title: &str, columns: &str, lines: &mut Vec<String>) {
    let width = WIDTH - layout::width(columns);
    lines.push(format!("{}{columns}", left(title, width)));
    lines.push("─".repeat(WIDTH));
}

/// What was made of each source, and why.
fn sources(report: &Report, lines: &mut Vec<String>) {
    lines.push(String::new());
    head("Sources", "", lines);
    for source in &report.sources {
        let by_hand = if source.overridden { " (chosen by hand)" } else { "" };
        lines.push(format!("  {}: {}{by_hand}", source.source, source.technique));
        let texts =
            [format!("{}.", source.reason), format!("Not covered: {}", source.does_not_cover)];
        for text in texts {
            lines.extend(wrapped(&text, WIDTH - 4).map(|row| format!("    {row}")));
        }
    }
}

/// The checkpoint of the ledger's log.
fn audit(report: &Report, lines: &mut Vec<String>) {
    let checkpoint = &report.ledger.checkpoint;
    lines.push(String::new());
    head("Audit", "", lines);
    lines.push(format!("  {} entries, verified; the root of their tree:", checkpoint.entries));
    lines.push(format!("  {}", checkpoint.root));
}

fn totals(answers: &[Answer], lines: &mut Vec<String>) {
    let columns = format!("{}   {}", right("value", VALUE), left("± 95 %", MARGIN));
    head("Totals", &format!("{columns}{}", right("cost", COST)), lines);
    for answer in answers {
        if let Figures::Figure(figure) = &answer.result {
            let name = left(&answer.name, NAME);
            let cost = right(&price(&answer.charge), COST);
            lines.push(format!("  {name}{}{cost}", number(figure)));
        }
    }
}

fn number(figure: &Figure) -> String {
    format!("{} ± {}", right(&figure.text, VALUE), left(&figure.margin, MARGIN))
}

fn breakdown(answer: &Answer, groups: &[Group], lines: &mut Vec<String>) {
    let columns = format!("{}   {}", right("value", VALUE), left("± 95 %", MARGIN));
    let title = format!("{}  ({})", answer.name, price(&answer.charge));
    head(&title, &columns, lines);
    let ends = groups.iter().map(|group| group.figure.interval_95.upper);
    let longest = ends.filter(|end| end.is_finite()).fold(0.0, f64::max);
    for Group { group, figure } in groups {
        let bar = left(&bar(figure, longest), BAR + 1);
        lines.push(format!("  {}{bar}{}", left(group, GROUP), number(figure)));
    }
}

/// A bar that is solid up to the lower end of the interval and light up to its upper end.
fn bar(figure: &Figure, longest: f64) -> String {
    let cells = |end: f64| {
        let share = if longest > 0.0 { (end / longest).clamp(0.0, 1.0) } else { 0.0 };
        share * BAR as f64
    };
    let (solid, end) = (cells(figure.interval_95.lower), cells(figure.interval_95.upper));
    let value = cells(figure.value.to_f64());
    // Where the error is narrower than a cell, eighths of a cell show more.
    if end - solid < 0.5 {
        let eighths = (value * 8.0).round() as usize;
        let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"].get(eighths % 8).copied();
        return format!("{}{}", "█".repeat(eighths / 8), rest.unwrap_or_default());
    }
    let (solid, end) = (solid.round() as usize, end.round() as usize);
    format!("{}{}", "█".repeat(solid), "░".repeat(end - solid))
}

fn prices(report: &Report, lines: &mut Vec<String>) {
    lines.push(String::new());
    head("How each answer was made", &right("cost", COST), lines);
    for answer in &report.answers {
        let cost = right(&price(&answer.charge), COST);
        lines.push(format!("  {}{cost}", left(&answer.name, WIDTH - 2 - COST)));
        let made = format!("{}; {}", answer.question, answer.noise);
        lines.extend(wrapped(&made, WIDTH - 4).map(|row| format!("    {row}")));
    }
    lines.push("─".repeat(WIDTH));
    let budget = [("budget", &report.budget), ("spent", &report.spent), ("left", &report.left)];
    let budget = budget.map(|(label, amount)| format!("{label} {amount}"));
    lines.push(format!("  {}", budget.join("   ")));
    lines.push(String::new());
    let notes = "A value lies within its ± of the bounded truth with 95 % confidence, each on \
                 its own: of 20 values, about one may be farther off. Bars are solid up to the \
                 lower end of that interval and light up to the upper. Small values may come \
                 out negative. What limits on rows and bounds on values cut off is not in the ±.";
    lines.extend(wrapped(notes, WIDTH));
}

/// A price in a few characters: exact where that is short, else rounded.
fn price(charge: &Charge) -> String {
    let (symbol, amount) = match (charge.in_pure(), charge.in_zcdp()) {
        (Some(cost), _) => ("ε", cost.epsilon),
        (None, Some(cost)) => ("ρ", cost.rho),
        _ => return charge.to_string(),
    };
    let decimal = amount.to_string();
    let fraction = amount.as_ratio().to_string();
    let rounded = amount.to_f64_up();
    match (decimal.len(), fraction.len()) {
        (..=8, _) => format!("{symbol} = {decimal}"),
        (_, ..=9) => format!("{symbol} = {fraction}"),
        _ if (1e-3..1e4).contains(&rounded) => format!("{symbol} ≈ {rounded:.4}"),
        _ => format!("{symbol} ≈ {rounded:.1e}"),
    }
}

#[cfg(test)]
mod tests;
