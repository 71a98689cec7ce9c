//! Progress on a terminal; silence in a pipe.
//!
//! `indicatif` draws on standard error, and only where that is a terminal.

use std::fs::File;
use std::io::Read;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

const COUNTED: &str = "{msg:<24} [{bar:36}] {human_pos}/{human_len}";
const BYTES: &str = "{msg:<24} [{bar:36}] {bytes}/{total_bytes}";

fn bar(length: u64, message: &'static str, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template)
        .map(|style| style.progress_chars("━╸ "))
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(length).with_style(style).with_message(message);
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// A bar over `length` steps.
pub fn steps(length: u64, message: &'static str) -> ProgressBar {
    bar(length, message, COUNTED)
}

/// A sign that something is being done that cannot be counted.
pub fn busy(message: &'static str) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(message);
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// The file with a bar over its bytes.
pub fn reading(file: File, message: &'static str) -> (ProgressBar, impl Read) {
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    let bar = bar(length, message, BYTES);
    let reader = bar.wrap_read(file);
    (bar, reader)
}
