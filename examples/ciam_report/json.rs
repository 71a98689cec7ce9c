//! The report for machines.

use crate::error::Error;
use crate::report::Report;

/// Where it goes unless the caller says otherwise: among the build's own files.
pub const DEFAULT: &str = "target/ciam_report.json";

/// The report as JSON, ending in a line end.
pub fn render(report: &Report) -> Result<String, Error> {
    Ok(serde_json::to_string_pretty(report)? + "\n")
}
