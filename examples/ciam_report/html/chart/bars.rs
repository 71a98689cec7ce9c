//! Bars with error bars, lying and standing, and pairs of standing bars.

use std::error::Error as Any;

use plotters::prelude::*;

use super::palette::{BAR, GRID, INK, OTHER, SOFT};
use super::{Canvas, WIDTH, drawn, letters, round_step, shortened, tick, width_of};
use crate::error::Error;

/// A bar with its interval.
#[derive(Clone)]
pub(in super::super) struct Bar {
    pub(in super::super) label: String,
    /// The value as text, with its error.
    pub(in super::super) text: String,
    pub(in super::super) value: f64,
    pub(in super::super) lower: f64,
    pub(in super::super) upper: f64,
}

impl Bar {
    /// A bar without error.
    pub(in super::super) fn plain(label: &str, value: f64, text: String) -> Self {
        Bar { label: label.to_owned(), text, value, lower: value, upper: value }
    }
}

const LETTERS: u32 = 16;
const SMALL: u32 = 15;

/// The range of an axis that holds all bars and 0.
fn range(bars: &[Bar]) -> (f64, f64) {
    let ends = || bars.iter().flat_map(|bar| [bar.lower, bar.upper, bar.value]);
    let finite = || ends().filter(|end| end.is_finite());
    let (least, most) = (finite().fold(0.0, f64::min), finite().fold(0.0, f64::max));
    if most - least > 0.0 { (least, most) } else { (0.0, 1.0) }
}

/// Where numbers are, in pixels.
struct Axis {
    least: f64,
    most: f64,
    from: i32,
    to: i32,
}

impl Axis {
    fn at(&self, value: f64) -> i32 {
        let share = (value.clamp(self.least, self.most) - self.least) / (self.most - self.least);
        self.from + (f64::from(self.to - self.from) * share).round() as i32
    }

    fn ticks(&self, wanted: f64) -> Vec<f64> {
        let step = round_step(self.most - self.least, wanted);
        let first = (self.least / step).ceil() as i64;
        let last = (self.most / step + 1e-9).floor() as i64;
        (first..=last).map(|i| i as f64 * step).collect()
    }
}

/// Lying bars, one below the other, each with its label at the left and its value at the right.
pub(in super::super) fn bars(
    id: &str,
    title: &str,
    description: &str,
    bars: &[Bar],
) -> Result<String, Error> {
    const ROW: i32 = 27;
    let longest = |text: fn(&Bar) -> &str| {
        bars.iter().map(|bar| width_of(&shortened(text(bar), 20), LETTERS)).max().unwrap_or(0)
    };
    let names = longest(|bar| &bar.label).min(160) as i32;
    let values = longest(|bar| &bar.text).min(150) as i32;
    let height = (bars.len() as i32 * ROW + 8) as u32;
    let (least, most) = range(bars);
    let axis = Axis { least, most, from: names + 10, to: WIDTH as i32 - values - 12 };
    let draw = |canvas: &Canvas<'_>| -> Result<(), Box<dyn Any>> {
        let (zero, bottom) = (axis.at(0.0), height as i32 - 4);
        canvas.draw(&PathElement::new([(zero, 4), (zero, bottom)], GRID))?;
        let mut ends = Vec::with_capacity(bars.len());
        for (row, bar) in (0..).zip(bars) {
            let middle = 4 + row * ROW + ROW / 2;
            let label = shortened(&bar.label, 22);
            let style = letters(LETTERS, &INK).pos(text_at(Side::Right));
            canvas.draw(&Text::new(label, (names, middle), style))?;
            canvas.draw(&Rectangle::new(
                [(zero, middle - 8), (axis.at(bar.value), middle + 8)],
                BAR.filled(),
            ))?;
            ends.push((axis.at(bar.lower), axis.at(bar.upper), middle));
            let style = letters(SMALL, &SOFT).pos(text_at(Side::Right));
            let end = WIDTH as i32 - 4;
            canvas.draw(&Text::new(bar.text.clone(), (end, middle), style))?;
        }
        whiskers(canvas, &ends, true)
    };
    drawn(id, title, description, height, draw)
}

/// Standing bars in their order, such as hours.
pub(in super::super) fn columns(
    id: &str,
    title: &str,
    description: &str,
    bars: &[Bar],
) -> Result<String, Error> {
    const HEIGHT: i32 = 230;
    const BASE: i32 = HEIGHT - 28;
    let (least, most) = range(bars);
    let axis = Axis { least, most, from: BASE, to: 10 };
    let ticks = axis.ticks(4.0);
    let draw = |canvas: &Canvas<'_>| -> Result<(), Box<dyn Any>> {
        let left = gridlines(canvas, &axis, &ticks)?;
        let step = f64::from(WIDTH as i32 - 4 - left) / bars.len().max(1) as f64;
        let widest = bars.iter().map(|bar| width_of(&bar.label, SMALL)).max().unwrap_or(0);
        // Labels that do not fit side by side are shown every so often.
        let every = ((f64::from(widest) + 8.0) / step).ceil().max(1.0) as usize;
        let mut ends = Vec::with_capacity(bars.len());
        for (i, bar) in bars.iter().enumerate() {
            let start = f64::from(left) + step * i as f64;
            let (from, to) = ((start + step * 0.12) as i32, (start + step * 0.88) as i32);
            let (zero, end) = (axis.at(0.0), axis.at(bar.value));
            canvas.draw(&Rectangle::new([(from, end), (to, zero)], BAR.filled()))?;
            let middle = (from + to) / 2;
            ends.push((axis.at(bar.upper), axis.at(bar.lower), middle));
            let half = width_of(&bar.label, SMALL) as i32 / 2;
            if i % every == 0 && middle + half < WIDTH as i32 {
                let style = letters(SMALL, &SOFT).pos(text_at(Side::Middle));
                canvas.draw(&Text::new(bar.label.clone(), (middle, HEIGHT - 12), style))?;
            }
        }
        whiskers(canvas, &ends, false)
    };
    drawn(id, title, description, HEIGHT as u32, draw)
}

/// Standing bars in pairs, in percent, with a legend.
pub(in super::super) fn pairs(
    id: &str,
    title: &str,
    names: [&str; 2],
    pairs: &[(String, f64, f64)],
) -> Result<String, Error> {
    const HEIGHT: i32 = 240;
    const BASE: i32 = HEIGHT - 28;
    let most = pairs.iter().flat_map(|(_, a, b)| [*a, *b]).fold(1.0, f64::max);
    let axis = Axis { least: 0.0, most, from: BASE, to: 34 };
    let ticks = axis.ticks(4.0);
    let description = format!("{} and {}, in percent", names[0], names[1]);
    let draw = |canvas: &Canvas<'_>| -> Result<(), Box<dyn Any>> {
        let left = gridlines(canvas, &axis, &ticks)?;
        let mut x = left;
        for (name, color) in names.into_iter().zip([OTHER, BAR]) {
            canvas.draw(&Rectangle::new([(x, 8), (x + 12, 20)], color.filled()))?;
            let style = letters(LETTERS, &INK).pos(text_at(Side::Left));
            canvas.draw(&Text::new(name.to_owned(), (x + 18, 14), style))?;
            x += 34 + width_of(name, LETTERS) as i32;
        }
        let step = f64::from(WIDTH as i32 - 4 - left) / pairs.len().max(1) as f64;
        for (i, (label, before, after)) in pairs.iter().enumerate() {
            let start = f64::from(left) + step * i as f64;
            for (value, color, at) in [(before, OTHER, 0.12), (after, BAR, 0.52)] {
                let (from, to) = (start + step * at, start + step * (at + 0.36));
                let corners = [(from as i32, axis.at(*value)), (to as i32, BASE)];
                canvas.draw(&Rectangle::new(corners, color.filled()))?;
            }
            let style = letters(SMALL, &SOFT).pos(text_at(Side::Middle));
            let middle = (start + step * 0.5) as i32;
            canvas.draw(&Text::new(label.clone(), (middle, HEIGHT - 12), style))?;
        }
        Ok(())
    };
    drawn(id, title, &description, HEIGHT as u32, draw)
}

/// Horizontal lines at round numbers; says where the plot begins at the left.
fn gridlines(canvas: &Canvas<'_>, axis: &Axis, ticks: &[f64]) -> Result<i32, Box<dyn Any>> {
    let widest = ticks.iter().map(|value| width_of(&tick(*value), SMALL)).max().unwrap_or(0);
    let left = widest as i32 + 10;
    for value in ticks {
        let y = axis.at(*value);
        canvas.draw(&PathElement::new([(left, y), (WIDTH as i32 - 4, y)], GRID))?;
        let style = letters(SMALL, &SOFT).pos(text_at(Side::Right));
        canvas.draw(&Text::new(tick(*value), (left - 6, y), style))?;
    }
    Ok(left)
}

/// Error bars, lying or standing, each from where to where and across which line. Where all of them
/// are narrower than a few pixels, they would only be blots.
fn whiskers(
    canvas: &Canvas<'_>,
    ends: &[(i32, i32, i32)],
    lying: bool,
) -> Result<(), Box<dyn Any>> {
    if ends.iter().all(|(low, high, _)| (high - low).abs() < 5) {
        return Ok(());
    }
    let point = |along: i32, across: i32| if lying { (along, across) } else { (across, along) };
    let line = |a: (i32, i32), b: (i32, i32)| {
        canvas.draw(&PathElement::new([point(a.0, a.1), point(b.0, b.1)], INK.stroke_width(1)))
    };
    for &(low, high, middle) in ends {
        line((low, middle), (high, middle))?;
        line((low, middle - 3), (low, middle + 3))?;
        line((high, middle - 3), (high, middle + 3))?;
    }
    Ok(())
}

enum Side {
    Left,
    Middle,
    Right,
}

fn text_at(side: Side) -> plotters::style::text_anchor::Pos {
    use plotters::style::text_anchor::{HPos, Pos, VPos};
    let across = match side {
        Side::Left => HPos::Left,
        Side::Middle => HPos::Center,
        Side::Right => HPos::Right,
    };
    Pos::new(across, VPos::Center)
}
