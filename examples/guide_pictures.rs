//! Draws the pictures of the guide's page on parameters.
//!
//! `cargo run --release --features kanon --example guide_pictures [FOLDER [ADULT_FOLDER]]`
//!
//! Writes `noise.svg`, `limit.svg` and, where the Adult census table lies in `ADULT_FOLDER`, `k.svg`.
//! The picture of error against ε is made by the example `utility`. True values are computed in the
//! clear for comparison: studies, not releases.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::ops::Range;
use std::path::{Path, PathBuf};

use confidant::dp::prelude::*;
use confidant::kanon::prelude::{Anonymizer, CsvOptions, Hierarchy, Model};
use plotters::coord::Shift;
use plotters::prelude::*;

const INK: RGBColor = RGBColor(31, 41, 55);
const GRID: RGBColor = RGBColor(229, 231, 235);
const COLORS: [RGBColor; 3] = [RGBColor(37, 99, 235), RGBColor(4, 120, 87), RGBColor(194, 98, 10)];
/// Columns of the Adult census table that a stranger could know.
const KNOWN: [&str; 4] = ["sex", "age", "marital-status", "education"];

type Line = Vec<(f64, f64)>;
type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let folder = args.first().cloned().unwrap_or_else(|| "target/pictures".into());
    let adult = args.get(1).cloned().unwrap_or_else(|| "../shared/data/adult".into());
    std::fs::create_dir_all(&folder)?;
    noise(&folder.join("noise.svg"))?;
    limit(&folder.join("limit.svg"))?;
    if adult.join("adult.csv").is_file() {
        crowd(&folder.join("k.svg"), &adult)?;
    } else {
        println!("skipped: k.svg, as there is no adult.csv in {}", adult.display());
    }
    Ok(())
}

/// How often a count is off by how much, at three prices.
fn noise(path: &Path) -> Result<(), Box<dyn Error>> {
    let rows = [(); 1];
    let session = Session::over(&rows).budget(Epsilon::new(10.0)?).open()?;
    let mut lines: Vec<(String, Line)> = Vec::new();
    for epsilon in [0.1, 0.3, 1.0] {
        let plan = session.count().epsilon(epsilon)?;
        let within = plan.noise().half_width(0.05);
        let label = format!("ε = {epsilon}: nineteen of twenty within ± {within}");
        let probability = |x: i32| {
            let ratio = (-epsilon).exp();
            (1.0 - ratio) / (1.0 + ratio) * ratio.powi(x.abs())
        };
        lines.push((label, (-40..=40).map(|x| (x.into(), probability(x))).collect()));
    }
    let root = canvas(path)?;
    let names = ["Noise of a count", "off by", "probability"];
    draw(&root, names, -40.0..40.0, 0.0..0.48, &lines)?;
    done(&root, path)
}

/// The error of a total against the limit on rows of each user.
fn limit(path: &Path) -> Result<(), Box<dyn Error>> {
    const USERS: u32 = 2_000;
    const RELEASES: u32 = 200;
    // Most have a handful of rows, one in ten has dozens, one in 400 has hundreds.
    let rows_of = |user: u32| match user % 400 {
        0 => 300 + user % 7 * 40,
        1..40 => 20 + user % 21,
        rest => 1 + rest % 8,
    };
    let rows: Vec<u32> =
        (0..USERS).flat_map(|user| (0..rows_of(user)).map(move |_| user)).collect();
    let truth = rows.len() as f64;
    let [mut noise, mut left_out, mut total] = [Line::new(), Line::new(), Line::new()];
    for limit in [1u32, 2, 3, 5, 8, 12, 20, 30, 50, 80, 120, 200, 300, 500] {
        let session = Session::over(&rows)
            .unit(|user: &u32| *user)
            .max_rows_per_unit(limit)
            .budget(Epsilon::new(1e6)?)
            .open()?;
        let plan = session.count().epsilon(0.1)?;
        let used: u64 = (0..USERS).map(|user| u64::from(rows_of(user).min(limit))).sum();
        let at = f64::from(limit);
        noise.push((at, plan.expected_error(used) / truth));
        left_out.push((at, (truth - used as f64) / truth));
        let mut squares = 0.0;
        for _ in 0..RELEASES {
            let off = *session.count().epsilon(0.1)?.release()?.value() as f64 - truth;
            squares += off * off;
        }
        total.push((at, (squares / f64::from(RELEASES)).sqrt() / truth));
    }
    let lines = [
        ("noise, 95 % (promised)".to_owned(), noise),
        ("rows left out".to_owned(), left_out),
        ("error altogether (measured)".to_owned(), total),
    ];
    let root = canvas(path)?;
    let names =
        ["A total at ε = 0.1: 2,000 users", "limit on rows of each user", "share of the total"];
    draw(&root, names, (1.0..500.0).log_scale(), 0.0..1.0, &lines)?;
    done(&root, path)
}

/// How much of a table is left when crowds must be larger.
fn crowd(path: &Path, adult: &Path) -> Result<(), Box<dyn Error>> {
    let table = CsvOptions::new().delimiter(b';').read_path(adult.join("adult.csv"))?;
    let mut kept = Line::new();
    for k in [2u64, 3, 5, 8, 12, 20, 30, 50, 80, 120, 200] {
        let mut work =
            Anonymizer::builder(&table).require(Model::k_anonymity(k)?).suppress_at_most(0.05);
        for name in header(adult)? {
            let file = adult.join(format!("adult_hierarchy_{name}.csv"));
            work = if KNOWN.contains(&name.as_str()) {
                work.quasi(&name, Hierarchy::from_csv_path(file, b';')?)
            } else {
                work.insensitive(&name)
            };
        }
        kept.push((k as f64, 1.0 - work.plan()?.loss));
    }
    let root = canvas(path)?;
    let names =
        ["Adult census: sex, age, marital status, education", "k", "detail kept (1 − loss)"];
    let label = "at most 5 % of rows left out".to_owned();
    draw(&root, names, (2.0..200.0).log_scale(), 0.0..1.0, &[(label, kept)])?;
    done(&root, path)
}

fn header(adult: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut reader =
        csv::ReaderBuilder::new().delimiter(b';').from_path(adult.join("adult.csv"))?;
    Ok(reader.headers()?.iter().map(str::to_owned).collect())
}

fn canvas(path: &Path) -> Result<Canvas<'_>, Box<dyn Error>> {
    let root = SVGBackend::new(path, (760, 420)).into_drawing_area();
    root.fill(&WHITE)?;
    Ok(root)
}

/// Draws lines with their labels; `names` are those of the picture and of the two axes.
fn draw<X>(
    root: &Canvas<'_>,
    names: [&str; 3],
    x: X,
    y: Range<f64>,
    lines: &[(String, Line)],
) -> Result<(), Box<dyn Error>>
where
    X: plotters::coord::ranged1d::AsRangedCoord<Value = f64>,
    X::CoordDescType: plotters::coord::ranged1d::ValueFormatter<f64> + Ranged<ValueType = f64>,
{
    let [title, x_name, y_name] = names;
    let mut chart = ChartBuilder::on(root)
        .caption(title, ("sans-serif", 18).into_font().color(&INK))
        .margin(14)
        .x_label_area_size(42)
        .y_label_area_size(64)
        .build_cartesian_2d(x, y)?;
    chart
        .configure_mesh()
        .x_desc(x_name)
        .y_desc(y_name)
        .x_label_formatter(&|x| format!("{x}"))
        .y_label_formatter(&|y| format!("{y:.2}"))
        .light_line_style(WHITE)
        .bold_line_style(GRID)
        .label_style(("sans-serif", 13).into_font().color(&INK))
        .draw()?;
    for ((label, line), color) in lines.iter().zip(COLORS) {
        chart
            .draw_series(LineSeries::new(line.iter().copied(), color.stroke_width(2)))?
            .label(label.as_str())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE)
        .border_style(GRID)
        .label_font(("sans-serif", 13).into_font().color(&INK))
        .draw()?;
    Ok(())
}

fn done(root: &Canvas<'_>, path: &Path) -> Result<(), Box<dyn Error>> {
    root.present()?;
    println!("written: {}", path.display());
    Ok(())
}
