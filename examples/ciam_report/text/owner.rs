//! The owner's part in a few lines; the page has all of it.

use super::{WIDTH, head, layout};
use crate::report::Owner;
use layout::{left, right, wrapped};

/// Columns of a name and of a number.
const NAME: usize = 46;
const NUMBER: usize = 16;

pub(super) fn lines(owner: &Owner, lines: &mut Vec<String>) {
    lines.push(String::new());
    head("For the owner of the data only", "", lines);
    let notes = "Computed without noise, and as confidential as the data; --public leaves it out.";
    lines.extend(wrapped(notes, WIDTH - 2).map(|row| format!("  {row}")));
    for found in &owner.found {
        let mostly = found.columns.iter().filter(|c| c.share.is_some_and(|share| share >= 0.5));
        let columns = mostly.filter_map(|column| {
            column.holds.as_ref().map(|entity| format!("{} ({entity})", column.column))
        });
        let columns: Vec<String> = columns.collect();
        let text = format!("{}: {}; {}", found.source, found.level, columns.join(", "));
        lines.extend(wrapped(&text, WIDTH - 2).map(|row| format!("  {row}")));
    }
    let percent = |share: f64| format!("{:.2} %", 100.0 * share);
    if let Some(table) = &owner.table {
        lines.push(String::new());
        let columns = format!("{}{}", right("before", NUMBER), right("after", NUMBER));
        head("Risk of being recognized in the table", &columns, lines);
        let (before, after) = (&table.before, &table.after);
        for (name, before, after) in [
            ("of the row most at risk", before.highest, after.highest),
            ("on average", before.average, after.average),
            ("rows at a risk above one in five", before.above_a_fifth, after.above_a_fifth),
            ("rows that look like no other", before.unique, after.unique),
        ] {
            let (before, after) = (right(&percent(before), NUMBER), right(&percent(after), NUMBER));
            lines.push(format!("  {}{before}{after}", left(name, NAME)));
        }
        let text = format!(
            "{} rows handed out, {} left out, crowds of at least {}.",
            table.rows, table.left_out, table.smallest_class
        );
        lines.extend(wrapped(&text, WIDTH - 2).map(|row| format!("  {row}")));
    }
    if let Some(texts) = &owner.texts {
        let text = format!(
            "Notes: of {} names, addresses and numbers known to stand in {} notes, {} are gone.",
            texts.planted, texts.texts, texts.gone
        );
        lines.push(String::new());
        lines.extend(wrapped(&text, WIDTH - 2).map(|row| format!("  {row}")));
    }
}
