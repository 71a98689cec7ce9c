//! The report as one page that needs nothing else: no scripts, no fonts, nothing from a network.
//!
//! Text goes through a template whose every value is escaped; charts are SVG in the page, in colours that
//! follow light and dark. Beside each chart stands its table, for those who do not see charts.

mod chart;
mod number;
mod view;

use minijinja::{AutoEscape, Environment, UndefinedBehavior};

use crate::error::Error;
use crate::report::Report;
use view::View;

/// Where the page goes unless the caller says otherwise: among the build's own files.
pub const DEFAULT: &str = "target/report.html";

/// The templates: the page, and the parts that it includes.
const TEMPLATES: [(&str, &str); 8] = [
    ("page.html", include_str!("html/page.html")),
    ("macros.html", include_str!("html/macros.html")),
    ("sources.html", include_str!("html/parts/sources.html")),
    ("numbers.html", include_str!("html/parts/numbers.html")),
    ("budget.html", include_str!("html/parts/budget.html")),
    ("audit.html", include_str!("html/parts/audit.html")),
    ("limits.html", include_str!("html/parts/limits.html")),
    ("owner.html", include_str!("html/parts/owner.html")),
];

/// The whole page.
pub fn render(report: &Report) -> Result<String, Error> {
    let mut templates = Environment::new();
    templates.set_auto_escape_callback(|_| AutoEscape::Html);
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates.set_trim_blocks(true);
    templates.set_lstrip_blocks(true);
    templates.add_filter("sentence", sentence);
    for (name, text) in TEMPLATES {
        templates.add_template(name, text)?;
    }
    Ok(templates.get_template("page.html")?.render(View::of(report)?)?)
}

/// The text with a capital at its beginning, unless it begins with a symbol such as ε.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) if first.is_ascii() => first.to_ascii_uppercase().to_string() + chars.as_str(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
