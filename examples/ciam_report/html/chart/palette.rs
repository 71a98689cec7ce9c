//! The colours that charts are drawn in, and the style sheet's variables they stand for.

use std::fmt::Write;

use plotters::style::RGBColor;

pub(super) const INK: RGBColor = RGBColor(31, 41, 55);
pub(super) const SOFT: RGBColor = RGBColor(107, 114, 128);
pub(super) const GRID: RGBColor = RGBColor(229, 231, 235);
pub(super) const MARK: RGBColor = RGBColor(37, 99, 235);
pub(super) const BAR: RGBColor = RGBColor(106, 146, 227);
pub(super) const OTHER: RGBColor = RGBColor(194, 98, 10);
pub(super) const LIMIT: RGBColor = RGBColor(190, 18, 60);

const PALETTE: [(RGBColor, &str); 7] = [
    (INK, "--ink"),
    (SOFT, "--soft"),
    (GRID, "--line"),
    (MARK, "--mark"),
    (BAR, "--fill"),
    (OTHER, "--other"),
    (LIMIT, "--limit"),
];

/// The rules that give charts the colours of the page.
pub(in super::super) fn colours() -> String {
    let mut rules = String::new();
    for (RGBColor(red, green, blue), variable) in PALETTE {
        let colour = format!("#{red:02X}{green:02X}{blue:02X}");
        for property in ["fill", "stroke"] {
            let _ =
                writeln!(rules, ".chart [{property}=\"{colour}\"]{{{property}:var({variable})}}");
        }
    }
    rules
}
