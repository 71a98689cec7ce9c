//! How far off are private statistics of a data set, and how does that fall with ε?
//!
//! `cargo run --release --example utility [OUTPUT.svg [DATA.csv COLUMN LOWER UPPER]]`
//!
//! Releases count, sum, mean, variance and a histogram of one column many times at each ε, and draws
//! the error that 95 of 100 releases stay within, relative to the true value, beside the error that
//! the plan promised before any data was read. Without a file it generates 20,000 ages. The true
//! values are computed in the clear for comparison: a study of utility, not a release.

#![allow(clippy::print_stdout)]

use std::error::Error;

use confidant::dp::prelude::*;
use plotters::prelude::*;

const EPSILONS: [f64; 7] = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0];
/// Releases of each statistic at each ε.
const RELEASES: usize = 200;
const INK: RGBColor = RGBColor(31, 41, 55);
const GRID: RGBColor = RGBColor(229, 231, 235);
const COLORS: [RGBColor; 5] = [
    RGBColor(37, 99, 235),
    RGBColor(4, 120, 87),
    RGBColor(194, 98, 10),
    RGBColor(147, 51, 234),
    RGBColor(190, 18, 60),
];

/// A column with its public bounds.
struct Data {
    name: String,
    values: Vec<f64>,
    lower: f64,
    upper: f64,
}

/// One statistic's error at one ε, relative to its true value.
#[derive(Clone, Copy)]
struct Measured {
    epsilon: f64,
    /// What 95 of 100 releases stay within.
    seen: f64,
    /// What the plan said beforehand.
    promised: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let path = args.first().map_or("target/utility.svg", String::as_str);
    let data = match args.get(1..).unwrap_or_default() {
        [] => generated(),
        [file, column, lower, upper] => read(file, column, lower.parse()?, upper.parse()?)?,
        _ => return Err("usage: utility [OUTPUT.svg [DATA.csv COLUMN LOWER UPPER]]".into()),
    };
    println!("{} values of {}; error of {RELEASES} releases each", data.values.len(), data.name);
    let statistics = study(&data)?;
    for (name, points) in &statistics {
        println!("\n{name}\n       ε   95 % of releases within   promised");
        for point in points {
            let percent = |x: f64| format!("{:.4} %", 100.0 * x);
            let (seen, promised) = (percent(point.seen), percent(point.promised));
            println!("{:>8}   {seen:>24}   {promised:>12}", point.epsilon);
        }
    }
    draw(path, &data, &statistics)?;
    println!("\nwritten: {path}");
    Ok(())
}

/// Ages with the shape of a population of customers: many around 35, few above 80.
fn generated() -> Data {
    let wave = |i: u32, step: u32| f64::from(i.wrapping_mul(step) % 1009) / 1009.0;
    let age = |i| 18.0 + 60.0 * wave(i, 7919) * wave(i, 104_729) + 20.0 * wave(i, 15_485_863);
    let values = (0..20_000).map(|i| f64::from(age(i) as u32)).collect();
    Data { name: "generated ages".to_owned(), values, lower: 0.0, upper: 120.0 }
}

/// The numbers of a column; other fields count as missing.
fn read(file: &str, column: &str, lower: f64, upper: f64) -> Result<Data, Box<dyn Error>> {
    let text = std::fs::read(file)?;
    let header = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let delimiter = *[b';', b'\t', b','].iter().find(|d| header.contains(d)).unwrap_or(&b',');
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(text.as_slice());
    let index = reader.headers()?.iter().position(|name| name == column);
    let index = index.ok_or_else(|| format!("no column is called {column}"))?;
    let mut values = Vec::new();
    for record in reader.records() {
        let field = record?.get(index).and_then(|field| field.trim().parse().ok());
        values.push(field.unwrap_or(f64::NAN));
    }
    Ok(Data { name: column.to_owned(), values, lower, upper })
}

type Study = Vec<(&'static str, Vec<Measured>)>;

fn study(data: &Data) -> Result<Study, Box<dyn Error>> {
    let numbers: Vec<f64> = data.values.iter().copied().filter(|x| !x.is_nan()).collect();
    let clamped: Vec<f64> = numbers.iter().map(|x| x.clamp(data.lower, data.upper)).collect();
    let rows = clamped.len() as u64;
    let n = rows as f64;
    if rows == 0 {
        return Err("the column has no numbers".into());
    }
    let sum: f64 = clamped.iter().sum();
    let mean = sum / n;
    let variance = clamped.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
    let width = (data.upper - data.lower) / 12.0;
    let edges: Vec<f64> = (0..=12).map(|i| data.lower + f64::from(i) * width).collect();
    let bounds = data.lower..=data.upper;
    // A budget for all releases of the study together: nothing here is handed out.
    let plenty = Epsilon::new(1e7)?;
    let session = Session::over(&clamped).budget(plenty).open()?;
    let mut bins = [0f64; 12];
    for x in &clamped {
        let passed = edges.iter().filter(|edge| *edge <= x).count();
        bins[passed.clamp(1, 12) - 1] += 1.0;
    }

    let mut statistics: Study = Vec::new();
    let mut measure = |name, one: &dyn Fn(f64) -> Result<(f64, f64), Box<dyn Error>>| {
        let mut points = Vec::new();
        for epsilon in EPSILONS {
            let mut errors = Vec::with_capacity(RELEASES);
            let mut promised = 0.0;
            for _ in 0..RELEASES {
                let (error, promise) = one(epsilon)?;
                errors.push(error);
                promised = promise;
            }
            errors.sort_by(f64::total_cmp);
            points.push(Measured { epsilon, seen: errors[RELEASES * 95 / 100], promised });
        }
        statistics.push((name, points));
        Ok::<(), Box<dyn Error>>(())
    };
    measure("count", &|epsilon| {
        let plan = session.count().epsilon(epsilon)?;
        let promise = plan.expected_error(rows) / n;
        Ok(((*plan.release()?.value() as f64 - n).abs() / n, promise))
    })?;
    measure("sum", &|epsilon| {
        let plan = session.sum(|x| *x).bounds(bounds.clone())?.epsilon(epsilon)?;
        let promise = plan.expected_error(rows) / sum.abs();
        Ok(((plan.release()?.value() - sum).abs() / sum.abs(), promise))
    })?;
    measure("mean", &|epsilon| {
        let plan = session.mean(|x| *x).bounds(bounds.clone())?.epsilon(epsilon)?;
        let promise = plan.expected_error(rows) / mean.abs();
        Ok(((plan.release()?.value() - mean).abs() / mean.abs(), promise))
    })?;
    measure("variance", &|epsilon| {
        let plan = session.variance(|x| *x).bounds(bounds.clone())?.epsilon(epsilon)?;
        let promise = plan.expected_error(rows) / variance;
        Ok(((plan.release()?.value() - variance).abs() / variance, promise))
    })?;
    measure("a histogram's largest of 12 errors", &|epsilon| {
        let plan = session.count().by_bin(|x| *x, &edges).epsilon(epsilon)?;
        let miss_each = 0.05 / 12.0;
        let promise = plan.noise().half_width(miss_each) / n;
        let release = plan.release()?;
        let off = release.iter().zip(bins).map(|((_, r), bin)| (*r.value() as f64 - bin).abs());
        Ok((off.fold(0.0, f64::max) / n, promise))
    })?;
    Ok(statistics)
}

fn draw(path: &str, data: &Data, statistics: &Study) -> Result<(), Box<dyn Error>> {
    let root = SVGBackend::new(path, (900, 560)).into_drawing_area();
    root.fill(&WHITE)?;
    let all = || statistics.iter().flat_map(|(_, points)| points);
    let positive = |x: f64| if x > 0.0 { x } else { f64::INFINITY };
    let low = all().map(|p| positive(p.seen).min(p.promised)).fold(1.0, f64::min);
    let high = all().map(|p| p.seen.max(p.promised)).fold(low, f64::max);
    let (least, most) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let title = format!("Relative error against ε: {} values of {}", data.values.len(), data.name);
    let mut chart = ChartBuilder::on(&root)
        .caption(title, ("sans-serif", 20).into_font().color(&INK))
        .margin(16)
        .x_label_area_size(44)
        .y_label_area_size(72)
        .build_cartesian_2d(
            (0.009f64..11.0).log_scale(),
            (10f64.powi(least)..10f64.powi(most)).log_scale(),
        )?;
    chart
        .configure_mesh()
        .x_desc("ε (one release)")
        .y_desc("95 % of releases are within")
        .x_label_formatter(&|x| format!("{x}"))
        .y_label_formatter(&|y| format!("{} %", 100.0 * y))
        .light_line_style(WHITE)
        .bold_line_style(GRID)
        .label_style(("sans-serif", 14).into_font().color(&INK))
        .draw()?;
    for ((name, points), color) in statistics.iter().zip(COLORS) {
        let promised = points.iter().map(|p| (p.epsilon, p.promised));
        chart
            .draw_series(LineSeries::new(promised, color.stroke_width(2)))?
            .label(*name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
        // A release without error has no place on a logarithmic axis.
        let seen = points.iter().filter(|p| p.seen > 0.0);
        chart.draw_series(seen.map(|p| Circle::new((p.epsilon, p.seen), 4, color.filled())))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE)
        .border_style(GRID)
        .label_font(("sans-serif", 14).into_font().color(&INK))
        .draw()?;
    root.present()?;
    Ok(())
}
