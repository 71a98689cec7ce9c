//! How many weekly releases with a given error fit in a yearly budget?
//!
//! `cargo run --release --example budget_planner [OUTPUT.svg]`
//!
//! A team publishes a count every week, each person counted at most once a week, and wants it
//! within +-`ERROR` with 95% confidence. The planner answers for epsilon 2, delta 1e-6 a year by zCDP
//! and by loss distributions, prints what a reviewer reads, and draws the epsilon(delta) curves of
//! the plan and the error that every number of releases costs.

#![allow(clippy::print_stdout)]

use std::error::Error;

use dp_accounting::account::{Accountant, Best, PrivacyLoss, Zcdp};
use dp_accounting::calibrate::Target;
use dp_accounting::event::{Event, Plan, Relation};
use dp_accounting::numeric::normal_quantile;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

const EPSILON: f64 = 2.0;
const DELTA: f64 = 1e-6;
/// Half-width of the 95% interval of a weekly count.
const ERROR: f64 = 40.0;

const INK: RGBColor = RGBColor(31, 41, 55);
const FAINT: RGBColor = RGBColor(107, 114, 128);
const GRID: RGBColor = RGBColor(229, 231, 235);
const BLUE: RGBColor = RGBColor(37, 99, 235);
const ORANGE: RGBColor = RGBColor(194, 98, 10);
const GREEN: RGBColor = RGBColor(4, 120, 87);

fn weekly(sigma: f64, weeks: u64) -> dp_accounting::Result<Plan> {
    Plan::new(Relation::AddRemove, Event::discrete_gaussian(sigma, 1)?.repeat(weeks))
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "target/budget_planner.svg".to_owned());
    let quantile = normal_quantile(0.975);
    let sigma = ERROR / quantile;
    let target = Target::new(EPSILON, DELTA)?;

    println!("a weekly count within +-{ERROR} (95%) needs sigma {sigma:.2};");
    println!("releases that fit in epsilon {EPSILON}, delta {DELTA:e}:");
    let loss = PrivacyLoss::default();
    let accountants: [(&dyn Accountant, RGBColor); 2] = [(&Zcdp, ORANGE), (&loss, BLUE)];
    let mut fits = Vec::new();
    for (accountant, color) in accountants {
        let weeks = target.most_steps(accountant, |weeks| weekly(sigma, weeks))?;
        println!("  {weeks:>5}  by {}", accountant.name());
        fits.push((weeks, color));
    }

    let year = weekly(sigma, 52)?;
    println!("\none year of them:\n{}\n", Best::default().describe(&year, DELTA)?);

    let mut curves = Vec::new();
    let mut errors = Vec::new();
    for (accountant, color) in accountants {
        let epsilon = |exponent: i32| {
            Ok((f64::from(exponent), accountant.epsilon(&year, 10f64.powi(exponent))?))
        };
        let error = |weeks: u64| {
            let sigma =
                target.least("sigma", 0.1, 1e4, accountant, |sigma| weekly(sigma, weeks))?;
            Ok((weeks as f64, quantile * sigma))
        };
        let name = accountant.name();
        let points = (-14..=-2).map(epsilon).collect::<dp_accounting::Result<_>>()?;
        curves.push(Curve { name, color, points });
        let points = [1, 2, 4]
            .into_iter()
            .chain((1..=13).map(|n| 8 * n))
            .map(error)
            .collect::<dp_accounting::Result<_>>()?;
        errors.push(Curve { name, color, points });
    }
    let budget = Mark {
        at: (DELTA.log10(), EPSILON),
        text: "the budget".to_owned(),
        color: GREEN,
        place: Place::AboveRight,
    };
    // The first accountant's number is the smaller; its label goes to the free side.
    let marks = fits.iter().zip([Place::AboveLeft, Place::BelowRight]);
    let marks = marks.map(|(&(weeks, color), place)| Mark {
        at: (weeks as f64, ERROR),
        text: format!("{weeks} releases"),
        color,
        place,
    });
    draw(
        &path,
        &Panel {
            title: format!("Privacy loss of 52 weekly counts within ±{ERROR}"),
            x: Axis { label: "δ", range: (-14.0, -2.0), ticks: 7, show: power_of_ten },
            y: Axis { label: "ε at that δ", range: (0.0, 3.0), ticks: 7, show: plain },
            curves,
            legend: SeriesLabelPosition::LowerLeft,
            marks: vec![budget],
        },
        &Panel {
            title: format!(
                "Error that fits ε = {EPSILON}, δ = {} a year",
                power_of_ten(&DELTA.log10())
            ),
            x: Axis { label: "releases a year", range: (0.0, 104.0), ticks: 9, show: plain },
            y: Axis {
                label: "95% error of each count, ±",
                range: (0.0, 60.0),
                ticks: 7,
                show: plain,
            },
            curves: errors,
            legend: SeriesLabelPosition::UpperLeft,
            marks: marks.collect(),
        },
    )?;
    println!("drawn to {path}");
    Ok(())
}

/// One chart: curves, and points marked on it.
struct Panel {
    title: String,
    x: Axis,
    y: Axis,
    curves: Vec<Curve>,
    legend: SeriesLabelPosition,
    marks: Vec<Mark>,
}

struct Axis {
    label: &'static str,
    range: (f64, f64),
    ticks: usize,
    show: fn(&f64) -> String,
}

struct Curve {
    name: &'static str,
    color: RGBColor,
    points: Vec<(f64, f64)>,
}

struct Mark {
    at: (f64, f64),
    text: String,
    color: RGBColor,
    place: Place,
}

/// Where a mark's text stands.
enum Place {
    AboveLeft,
    AboveRight,
    BelowRight,
}

fn plain(value: &f64) -> String {
    format!("{value}")
}

fn power_of_ten(exponent: &f64) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let raised = |c: char| c.to_digit(10).map_or('⁻', |digit| DIGITS[digit as usize]);
    format!("10{}", exponent.to_string().chars().map(raised).collect::<String>())
}

fn draw(path: &str, left: &Panel, right: &Panel) -> Result<(), Box<dyn Error>> {
    let root = SVGBackend::new(path, (1200, 500)).into_drawing_area();
    root.fill(&WHITE)?;
    let (left_half, right_half) = root.split_horizontally(600);
    draw_panel(&left_half, left)?;
    draw_panel(&right_half, right)?;
    root.present()?;
    Ok(())
}

fn draw_panel(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    panel: &Panel,
) -> Result<(), Box<dyn Error>> {
    let text = |size: i32, color: &RGBColor| ("sans-serif", size).into_font().color(color);
    area.draw(&Text::new(panel.title.as_str(), (72, 22), text(24, &INK)))?;

    let (x, y) = (&panel.x, &panel.y);
    let mut chart = ChartBuilder::on(area)
        .margin_top(64)
        .margin_right(32)
        .margin_bottom(12)
        .margin_left(14)
        .x_label_area_size(56)
        .y_label_area_size(64)
        .build_cartesian_2d(x.range.0..x.range.1, y.range.0..y.range.1)?;
    chart
        .configure_mesh()
        .x_labels(x.ticks)
        .y_labels(y.ticks)
        .max_light_lines(0)
        .bold_line_style(GRID)
        .axis_style(FAINT)
        .x_label_formatter(&x.show)
        .y_label_formatter(&y.show)
        .label_style(text(17, &FAINT))
        .axis_desc_style(text(18, &INK))
        .x_desc(x.label)
        .y_desc(y.label)
        .draw()?;

    for curve in &panel.curves {
        let line = curve.color.stroke_width(3);
        chart
            .draw_series(LineSeries::new(curve.points.iter().copied(), line))?
            .label(curve.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 28, y)], line));
    }
    for Mark { at, text: words, color, place } in &panel.marks {
        let guide = color.mix(0.6).stroke_width(1);
        chart.draw_series([
            PathElement::new([(at.0, y.range.0), *at], guide),
            PathElement::new([(x.range.0, at.1), *at], guide),
        ])?;
        chart.draw_series([Circle::new(*at, 5, color.filled())])?;
        let (offset, side) = match place {
            Place::AboveLeft => ((-8, -8), Pos::new(HPos::Right, VPos::Bottom)),
            Place::AboveRight => ((8, -8), Pos::new(HPos::Left, VPos::Bottom)),
            Place::BelowRight => ((8, 8), Pos::new(HPos::Left, VPos::Top)),
        };
        let label = Text::new(words.clone(), offset, text(17, color).pos(side));
        chart.draw_series([EmptyElement::at(*at) + label])?;
    }
    chart
        .configure_series_labels()
        .position(panel.legend.clone())
        .label_font(text(17, &INK))
        .legend_area_size(36)
        .margin(12)
        .draw()?;
    Ok(())
}
