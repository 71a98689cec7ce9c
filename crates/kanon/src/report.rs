//! A report for people: one HTML page, nothing loaded from elsewhere, charts as inline SVG.
//!
//! Class sizes below k of the input are disclosive: the report about the input is for its holder.

use std::fmt::Write as _;

use crate::anonymizer::{Explanation, Point};
use crate::dataset::Dataset;
use crate::error::Result;
use crate::release::Release;
use crate::risk::Classes;
use crate::utility::quality;

fn escaped(text: &str) -> String {
    let mut all = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => all.push_str("&amp;"),
            '<' => all.push_str("&lt;"),
            '>' => all.push_str("&gt;"),
            '"' => all.push_str("&quot;"),
            c => all.push(c),
        }
    }
    all
}

/// With more quasi-identifiers than this, levels are written as a list.
const MOST_COLUMNS: usize = 12;

const STYLE: &str = include_str!("report/style.css");

/// Bars of class sizes on a logarithmic scale of sizes, up to the largest; rows in classes below
/// `least` are marked.
fn sizes(page: &mut String, classes: &Classes, least: u64) {
    let bin = |size: u64| size.max(1).ilog2() as usize;
    let last = classes.sizes().iter().copied().map(bin).max().unwrap_or(0);
    let mut bins = vec![[0u64; 2]; last + 1];
    for &size in classes.sizes() {
        bins[bin(size)][usize::from(size >= least)] += size;
    }
    let most = bins.iter().map(|[a, b]| a + b).max().unwrap_or(1).max(1) as f64;
    let step = 600.0 / bins.len().max(8) as f64;
    page.push_str("<div class=\"wide\"><svg viewBox=\"0 0 640 205\" role=\"img\"><title>Rows by class size</title>");
    for (i, &[risky, others]) in bins.iter().enumerate() {
        let (low, high) = (1u64 << i, (2u64 << i) - 1);
        let label = if low == high { format!("{low}") } else { format!("{low}–{high}") };
        let (x, mut y) = (20.0 + step * i as f64, 165.0);
        let (width, middle) = (step * 0.9, x + step * 0.45);
        for (kind, rows) in [("risky", risky), ("mark", others)] {
            if rows > 0 {
                let height = (130.0 * rows as f64 / most).max(1.5);
                y -= height;
                let _ = write!(
                    page,
                    "<rect class=\"{kind}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"><title>{rows} rows in classes of {label}</title></rect>"
                );
            }
        }
        let text = if step < 56.0 { format!("{low}+") } else { label };
        let _ = write!(
            page,
            "<text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text><text x=\"{middle:.1}\" y=\"181\" text-anchor=\"middle\">{text}</text>",
            y - 5.0,
            risky + others
        );
    }
    let note = match bins.iter().any(|[risky, _]| *risky > 0) {
        true => format!("; red: classes below {least}"),
        false => String::new(),
    };
    let _ = write!(
        page,
        "<text x=\"20\" y=\"201\">class size; height: rows in such classes{note}</text></svg></div>"
    );
}

/// The best loss for each point, as a line and as a table of levels to pick from.
fn frontier(
    page: &mut String,
    points: &[Point],
    columns: &[&str],
    what: &str,
    shown: &dyn Fn(f64) -> String,
) {
    let found: Vec<(usize, f64)> = (points.iter().enumerate())
        .filter_map(|(i, point)| Some((i, point.best.as_ref()?.loss)))
        .collect();
    let most = found.iter().map(|p| p.1).fold(1e-12, f64::max);
    let step = 540.0 / (points.len().max(2) - 1) as f64;
    let at = |(i, loss): (usize, f64)| (45.0 + step * i as f64, 180.0 - 150.0 * loss / most);
    let _ = write!(
        page,
        "<div class=\"wide\"><svg viewBox=\"0 0 640 230\" role=\"img\"><title>Loss by {what}</title>"
    );
    page.push_str("<line class=\"axis\" x1=\"30\" y1=\"180\" x2=\"610\" y2=\"180\"/>");
    let line: Vec<String> =
        found.iter().map(|&point| format!("{:.1},{:.1}", at(point).0, at(point).1)).collect();
    let _ = write!(page, "<polyline class=\"line\" points=\"{}\"/>", line.join(" "));
    for (i, point) in points.iter().enumerate() {
        let x = at((i, 0.0)).0;
        let name = shown(point.at);
        let _ = write!(page, "<text x=\"{x:.1}\" y=\"198\" text-anchor=\"middle\">{name}</text>");
        let Some(best) = &point.best else { continue };
        let y = at((i, best.loss)).1;
        let _ = write!(
            page,
            "<circle class=\"mark\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4.5\"><title>{name}: loss {:.4}, {} rows suppressed, levels {:?}</title></circle><text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{:.3}</text>",
            best.loss,
            best.suppressed,
            best.levels,
            y - 10.0,
            best.loss
        );
    }
    let _ =
        write!(page, "<text x=\"30\" y=\"222\">{what}; height: the least loss</text></svg></div>");
    let _ = write!(
        page,
        "<div class=\"wide\"><table><tr><th>{what}</th><th>loss</th><th>suppressed</th>"
    );
    // A column for each level, where there are not too many.
    let apart = columns.len() <= MOST_COLUMNS;
    match apart {
        true => columns.iter().for_each(|column| {
            let _ = write!(page, "<th class=\"level\">{}</th>", escaped(column));
        }),
        false => {
            let _ = write!(page, "<th>levels of {}</th>", escaped(&columns.join(", ")));
        }
    }
    page.push_str("</tr>");
    for point in points {
        let name = shown(point.at);
        let Some(best) = &point.best else {
            let width = if apart { columns.len() + 2 } else { 3 };
            let _ =
                write!(page, "<tr><td>{name}</td><td colspan=\"{width}\">not possible</td></tr>");
            continue;
        };
        let _ = write!(
            page,
            "<tr><td>{name}</td><td>{:.4}</td><td>{}</td>",
            best.loss, best.suppressed
        );
        match apart {
            true => best.levels.iter().for_each(|level| {
                let _ = write!(page, "<td class=\"level\">{level}</td>");
            }),
            false => {
                let _ = write!(page, "<td><code>{:?}</code></td>", best.levels);
            }
        }
        page.push_str("</tr>");
    }
    page.push_str("</table></div>");
}

/// The page: risk before and after, class sizes, what each column costs, the frontier of loss and
/// suppression.
///
/// # Errors
///
/// [`Error::UnknownColumn`](crate::Error::UnknownColumn) if the release is of another dataset.
pub fn html(
    data: &Dataset,
    release: &Release,
    explanation: Option<&Explanation>,
) -> Result<String> {
    let names: Vec<&str> = data.quasi().map(|quasi| quasi.column.name()).collect();
    let before = Classes::of(data.table(), &names)?;
    let after = Classes::of(release.table(), &names)?;
    let certificate = release.certificate();
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>Release of {0} rows</title><style>{STYLE}</style><h1>Release of {0} rows</h1><p class=\"note\">For the holder of the table: what it says about the input is as confidential as the input.</p>",
        certificate.rows
    );
    page.push_str("<h2>What holds</h2><ul>");
    for model in &certificate.models {
        let _ = write!(page, "<li>{}</li>", escaped(&model.to_string()));
    }
    let _ = write!(
        page,
        "</ul><p>{} rows suppressed, {} classes, the smallest of {} rows. {}</p>",
        certificate.suppressed,
        certificate.classes,
        certificate.smallest_class,
        if certificate.verified { "Checked by the independent verifier." } else { "Not verified." }
    );
    page.push_str("<h2>Risk</h2><div class=\"wide\"><table><tr><th>of re-identification</th><th>before</th><th>after</th></tr>");
    let (a, b) = (before.prosecutor(0.2)?, after.prosecutor(0.2)?);
    for (name, a, b) in [
        ("of the row most at risk", a.highest, b.highest),
        ("on average", a.average, b.average),
        ("share of rows above 0.2", a.at_risk, b.at_risk),
        ("share of rows that are unique", before.sample_uniqueness(), after.sample_uniqueness()),
    ] {
        let _ = write!(page, "<tr><td>{name}</td><td>{a:.4}</td><td>{b:.4}</td></tr>");
    }
    page.push_str("</table></div><h2>Class sizes before</h2>");
    let least = certificate.smallest_class;
    sizes(&mut page, &before, least);
    page.push_str("<h2>Class sizes after</h2>");
    sizes(&mut page, &after, least);
    let quality = quality(data, release);
    let _ = write!(
        page,
        "<h2>Utility</h2><p>Granularity {:.4} (1 is unchanged).</p><div class=\"wide\"><table><tr><th>column</th><th>granularity</th></tr>",
        quality.granularity
    );
    for (column, granularity) in &quality.columns {
        let _ = write!(page, "<tr><td>{}</td><td>{granularity:.4}</td></tr>", escaped(column));
    }
    page.push_str("</table></div>");
    if let Some(explanation) = explanation {
        page.push_str("<h2>Loss against suppression</h2>");
        let percent = |at: f64| format!("{:.0} %", 100.0 * at);
        frontier(&mut page, &explanation.by_limit, &names, "rows that may be suppressed", &percent);
        if !explanation.by_k.is_empty() {
            page.push_str("<h2>Loss against k</h2>");
            frontier(&mut page, &explanation.by_k, &names, "k", &|k| format!("{k}"));
        }
        for column in &explanation.unprotected {
            let _ = write!(
                page,
                "<p><strong>No requirement protects {}.</strong></p>",
                escaped(column)
            );
        }
    }
    page.push_str("</html>\n");
    Ok(page)
}
