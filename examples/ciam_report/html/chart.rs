//! Charts as SVG text for a page.
//!
//! Drawn small, so that a phone shows their letters at a size that can be read. A chart carries no
//! colours of its own: it is drawn in the palette's, which the page's style sheet maps to its variables.

mod bars;
mod palette;
mod steps;

use plotters::coord::Shift;
use plotters::prelude::*;
use unicode_width::UnicodeWidthChar;

use crate::error::Error;

pub(super) use bars::{Bar, bars, columns, pairs};
pub(super) use palette::colours;
pub(super) use steps::steps;

/// The width of every chart, in the units of its view box.
const WIDTH: u32 = 440;

type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Letters of the given size in the given colour.
fn letters(size: u32, color: &'static RGBColor) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(color)
}

/// About how wide a label is drawn, in units, in a font that is rather wide.
fn width_of(text: &str, size: u32) -> u32 {
    // The library draws letters a fifth smaller than it is told.
    let em = f64::from(size) * 0.81;
    let share = |c: char| match c {
        ' ' | '\u{202f}' | '.' | ',' | 'i' | 'l' | 'j' | 't' | 'f' | 'r' | '1' => 0.45,
        'm' | 'w' | 'M' | 'W' => 0.95,
        c if c.is_ascii_lowercase() || c.is_ascii_digit() => 0.62,
        c => 0.72 * c.width().unwrap_or(0) as f64,
    };
    (text.chars().map(share).sum::<f64>() * em).ceil() as u32 + 2
}

/// A text of at most `most` characters.
fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).collect::<String>() + "…"
}

/// Draws on a canvas of the given height, and gives the SVG a name and a description.
fn drawn(
    id: &str,
    title: &str,
    description: &str,
    height: u32,
    draw: impl FnOnce(&Canvas<'_>) -> Result<(), Box<dyn std::error::Error>>,
) -> Result<String, Error> {
    let mut svg = String::new();
    let failed = |_| Error::Chart { title: title.to_owned() };
    {
        let canvas = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        draw(&canvas).map_err(failed)?;
        canvas.present().map_err(|error| failed(error.into()))?;
    }
    let body = svg.find('>').and_then(|end| svg.get(end + 1..)).unwrap_or_default();
    Ok(format!(
        "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-labelledby=\"{id}-title {id}-desc\" xmlns=\"http://www.w3.org/2000/svg\">\n\
         <title id=\"{id}-title\">{}</title>\n<desc id=\"{id}-desc\">{}</desc>{body}",
        escaped(title),
        escaped(description),
    ))
}

fn escaped(text: &str) -> String {
    minijinja::HtmlEscape(text).to_string()
}

/// The step of an axis that gives about `wanted` round numbers up to `most`.
fn round_step(most: f64, wanted: f64) -> f64 {
    let rough = (most / wanted).max(f64::MIN_POSITIVE);
    let power = 10f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(|f| f * power >= rough * 0.999);
    factor.unwrap_or(10.0) * power
}

/// A number on an axis: `40k`, `1.5M`.
fn tick(value: f64) -> String {
    let (scaled, unit) = match value.abs() {
        1e9.. => (value / 1e9, "G"),
        1e6.. => (value / 1e6, "M"),
        1e4.. => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let text = format!("{scaled:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.').replace('-', "−");
    format!("{text}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_short() {
        assert_eq!(round_step(87.0, 4.0), 25.0);
        assert_eq!(round_step(0.9, 5.0), 0.2);
        let ticks: Vec<String> = [0.0, 0.25, -5.0, 12_500.0, 3e6, 2e9].map(tick).to_vec();
        assert_eq!(ticks, ["0", "0.25", "−5", "12.5k", "3M", "2G"]);
    }

    #[test]
    fn a_hostile_label_is_text() {
        let bar = Bar::plain("<script>alert(1)</script>", 1.0, "<b>".to_owned());
        for chart in [
            bars("a", "<i>", "\"&", std::slice::from_ref(&bar)),
            columns("a", "<i>", "\"&", &[bar]),
        ] {
            let svg = chart.unwrap();
            assert!(!svg.contains("<script") && !svg.contains("<b>") && !svg.contains("<i>"));
            assert!(svg.contains("&lt;script"));
        }
    }

    #[test]
    fn every_colour_of_a_chart_is_mapped() {
        let bar = Bar { lower: 0.5, upper: 2.0, ..Bar::plain("a", 1.0, "1".to_owned()) };
        let size = ("1".to_owned(), 10.0, 20.0);
        let all = [
            bars("a", "t", "d", std::slice::from_ref(&bar)),
            columns("b", "t", "d", &[bar]),
            pairs("c", "t", ["x", "y"], &[size]),
            steps("d", "t", "ε", &[0.1, 0.2], 1.0),
        ];
        for svg in all.map(Result::unwrap) {
            for colour in svg.split("=\"#").skip(1).filter_map(|rest| rest.get(..6)) {
                assert!(colours().contains(&format!("#{colour}")), "#{colour}");
            }
        }
    }
}
