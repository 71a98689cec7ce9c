//! A report for people: one HTML page, nothing loaded from elsewhere, charts as inline SVG.
//!
//! Class sizes below k of the input are disclosive: the report about the input is for its holder.

use std::fmt::Write as _;

use crate::anonymizer::Explanation;
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

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#222}table{border-collapse:collapse}td,th{padding:.2rem .8rem;border-bottom:1px solid #ddd;text-align:left}svg{max-width:100%;height:auto}";

/// Bars of class sizes on a logarithmic scale of sizes.
fn sizes(svg: &mut String, classes: &Classes) {
    let mut bins = [0u64; 16];
    for &size in classes.sizes() {
        bins[(size.max(1).ilog2() as usize).min(15)] += size;
    }
    let most = bins.iter().copied().max().unwrap_or(1).max(1) as f64;
    let _ =
        write!(svg, "<svg viewBox=\"0 0 640 180\" role=\"img\" aria-label=\"rows by class size\">");
    for (i, &rows) in bins.iter().enumerate() {
        let height = 130.0 * rows as f64 / most;
        let (x, y) = (40 * i, 140.0 - height);
        let _ = write!(
            svg,
            "<rect x=\"{x}\" y=\"{y:.1}\" width=\"34\" height=\"{height:.1}\" fill=\"#37c\"><title>{rows} rows</title></rect><text x=\"{x}\" y=\"160\" font-size=\"11\">{}</text>",
            1u32 << i
        );
    }
    svg.push_str("<text x=\"0\" y=\"176\" font-size=\"11\">class size from … on (rows in such classes)</text></svg>");
}

/// The best loss for each suppression limit.
fn frontier(svg: &mut String, explanation: &Explanation) {
    let points: Vec<(f64, f64)> =
        explanation.frontier.iter().filter_map(|&(limit, loss)| Some((limit, loss?))).collect();
    let most = points.iter().map(|p| p.1).fold(1e-12, f64::max);
    let right = points.iter().map(|p| p.0).fold(1e-12, f64::max);
    svg.push_str(
        "<svg viewBox=\"0 0 640 220\" role=\"img\" aria-label=\"loss by suppression limit\">",
    );
    let at =
        |&(limit, loss): &(f64, f64)| (40.0 + 560.0 * limit / right, 180.0 - 160.0 * loss / most);
    let line: Vec<String> =
        points.iter().map(|p| format!("{:.1},{:.1}", at(p).0, at(p).1)).collect();
    let _ = write!(
        svg,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"#37c\" stroke-width=\"2\"/>",
        line.join(" ")
    );
    for point in &points {
        let (x, y) = at(point);
        let _ = write!(
            svg,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"#37c\"/><text x=\"{x:.1}\" y=\"{:.1}\" font-size=\"11\">{:.0} %: {:.3}</text>",
            y - 8.0,
            100.0 * point.0,
            point.1
        );
    }
    svg.push_str("<text x=\"40\" y=\"210\" font-size=\"11\">share of rows that may be suppressed, and the least loss</text></svg>");
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
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Release</title><style>{STYLE}</style><h1>Release of {} rows</h1>",
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
    page.push_str("<h2>Risk</h2><table><tr><th></th><th>before</th><th>after</th></tr>");
    let (a, b) = (before.prosecutor(0.2)?, after.prosecutor(0.2)?);
    for (name, a, b) in [
        ("highest", a.highest, b.highest),
        ("average", a.average, b.average),
        ("rows above 0.2", a.at_risk, b.at_risk),
        ("unique rows", before.sample_uniqueness(), after.sample_uniqueness()),
    ] {
        let _ = write!(page, "<tr><td>{name}</td><td>{a:.4}</td><td>{b:.4}</td></tr>");
    }
    page.push_str("</table><h2>Class sizes before</h2>");
    sizes(&mut page, &before);
    page.push_str("<h2>Class sizes after</h2>");
    sizes(&mut page, &after);
    let quality = quality(data, release);
    let _ = write!(
        page,
        "<h2>Utility</h2><p>Granularity {:.4} (1 is unchanged).</p><table><tr><th>column</th><th>granularity</th></tr>",
        quality.granularity
    );
    for (column, granularity) in &quality.columns {
        let _ = write!(page, "<tr><td>{}</td><td>{granularity:.4}</td></tr>", escaped(column));
    }
    page.push_str("</table>");
    if let Some(explanation) = explanation {
        page.push_str("<h2>Loss against suppression</h2>");
        frontier(&mut page, explanation);
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
