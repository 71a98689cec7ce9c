//! A budget over time: what was spent after each step, below the line of the limit.

use std::error::Error as Any;

use plotters::prelude::*;

use super::palette::{GRID, INK, LIMIT, MARK, SOFT};
use super::{Canvas, drawn, letters, round_step, tick};
use crate::error::Error;

const HEIGHT: u32 = 240;

/// Draws `spent` as steps, from nothing at the beginning.
pub(in super::super) fn steps(
    id: &str,
    title: &str,
    measure: &str,
    spent: &[f64],
    limit: f64,
) -> Result<String, Error> {
    let last = spent.len().max(1) as f64;
    let top = spent.iter().copied().fold(limit, f64::max).max(f64::MIN_POSITIVE) * 1.12;
    let mut line = vec![(0.0, 0.0)];
    for (step, amount) in spent.iter().enumerate() {
        let before = line.last().map_or(0.0, |point| point.1);
        let at = (step + 1) as f64;
        line.extend([(at, before), (at, *amount)]);
    }
    let step = round_step(last, 6.0).ceil();
    let draw = |canvas: &Canvas<'_>| -> Result<(), Box<dyn Any>> {
        let mut chart = ChartBuilder::on(canvas)
            .margin(8)
            .margin_right(14)
            .x_label_area_size(42)
            .y_label_area_size(50)
            .build_cartesian_2d(
                (0.0..last + 0.3).step(step),
                (0.0..top).step(round_step(limit, 5.0)),
            )?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .x_desc("steps in the log")
            .y_desc(measure)
            .x_label_formatter(&|x| tick(*x))
            .y_label_formatter(&|y| tick(*y))
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID)
            .axis_style(GRID)
            .label_style(letters(15, &SOFT))
            .axis_desc_style(letters(15, &SOFT))
            .draw()?;
        let end = line.last().map_or(0.0, |point| point.0);
        let area: Vec<(f64, f64)> = line.iter().copied().chain([(end, 0.0)]).collect();
        chart.draw_series([Polygon::new(area, MARK.mix(0.15))])?;
        chart.draw_series(LineSeries::new(line.clone(), MARK.stroke_width(2)))?;
        let edge = [(0.0, limit), (last + 0.3, limit)];
        chart.draw_series(DashedLineSeries::new(edge, 5, 4, LIMIT.stroke_width(1)))?;
        let style = letters(15, &INK);
        let label = format!("limit {measure} = {}", tick(limit));
        chart.draw_series([Text::new(label, (last * 0.02, limit * 1.1), style)])?;
        Ok(())
    };
    let description =
        format!("{} of {} spent", tick(spent.last().copied().unwrap_or(0.0)), tick(limit));
    drawn(id, title, &description, HEIGHT, draw)
}
