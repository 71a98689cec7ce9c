//! How many weekly releases with a given error fit in a yearly budget?
//!
//! `cargo run --release --example budget_planner [OUTPUT.svg]`
//!
//! A team publishes a count every week, each person counted at most once a week, and wants it
//! within +-`ERROR` with 95% confidence. The planner answers for epsilon 2, delta 1e-6 a year with
//! each accountant, prints what a reviewer reads, and draws the epsilon(delta) curve of the plan
//! and the error that every number of releases costs.

#![allow(clippy::print_stdout)]

use std::error::Error;

use dp_accounting::account::{Accountant, Best, PrivacyLoss, Renyi, Zcdp};
use dp_accounting::calibrate::Target;
use dp_accounting::event::{Event, Plan, Relation};
use dp_accounting::numeric::normal_quantile;
use plotters::prelude::*;

const EPSILON: f64 = 2.0;
const DELTA: f64 = 1e-6;
/// Half-width of the 95% interval of a weekly count.
const ERROR: f64 = 40.0;

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
    let accountants: [&dyn Accountant; 3] = [&Zcdp, &Renyi, &loss];
    for accountant in accountants {
        let weeks = target.most_steps(accountant, |weeks| weekly(sigma, weeks))?;
        println!("  {weeks:>5}  by {}", accountant.name());
    }

    let year = weekly(sigma, 52)?;
    println!("\none year of them:\n{}\n", Best::default().describe(&year, DELTA)?);

    let mut curve = Vec::new();
    for exponent in 1..=14 {
        let delta = 10f64.powi(-exponent);
        curve.push((-f64::from(exponent), loss.epsilon_bracket(&year, delta)?.upper));
    }
    let mut errors = Vec::new();
    for weeks in [4u64, 8, 13, 26, 39, 52, 78, 104] {
        let sigma = target.least_noise(&Zcdp, |sigma| weekly(sigma, weeks))?;
        errors.push((weeks as f64, quantile * sigma));
    }
    draw(&path, &curve, &errors)?;
    println!("drawn to {path}");
    Ok(())
}

fn draw(path: &str, curve: &[(f64, f64)], errors: &[(f64, f64)]) -> Result<(), Box<dyn Error>> {
    // The SVG backend has no font metrics here, so that labels are left to the reader's caption.
    let root = SVGBackend::new(path, (900, 360)).into_drawing_area();
    root.fill(&WHITE)?;
    let (left, right) = root.split_horizontally(450);
    let tops = |points: &[(f64, f64)]| points.iter().map(|p| p.1).fold(0.0f64, f64::max) * 1.1;

    let mut chart =
        ChartBuilder::on(&left).margin(20).build_cartesian_2d(-14.0..-1.0, 0.0..tops(curve))?;
    chart.draw_series(LineSeries::new(curve.iter().copied(), &BLUE))?;
    chart.draw_series(curve.iter().map(|point| Circle::new(*point, 3, BLUE.filled())))?;

    let mut chart =
        ChartBuilder::on(&right).margin(20).build_cartesian_2d(0.0..110.0, 0.0..tops(errors))?;
    chart.draw_series(LineSeries::new(errors.iter().copied(), &RED))?;
    chart.draw_series(errors.iter().map(|point| Circle::new(*point, 3, RED.filled())))?;
    root.present()?;
    Ok(())
}
