//! The Adult census extract, where it is beside this checkout.

use std::path::PathBuf;
use std::time::Instant;

use kanon::metric::Metric;
use kanon::model::{Distance, Model};
use kanon::search::{Effort, Search};
use kanon::table::CsvOptions;
use kanon::{Dataset, Fraction, Hierarchy, Roles, Table};

const COLUMNS: [&str; 9] = [
    "sex",
    "age",
    "race",
    "marital-status",
    "education",
    "native-country",
    "workclass",
    "occupation",
    "salary-class",
];

/// Milliseconds that this thread has run on a processor, which other load does not change; wall
/// time where the system does not tell.
fn cpu_ms(since: Instant) -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = stat.split(' ').next().and_then(|text| text.parse::<f64>().ok());
    nanoseconds.map_or(since.elapsed().as_secs_f64() * 1e3, |ns| ns / 1e6)
}

/// Milliseconds that this thread has waited for a processor which others had.
fn waited_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ').nth(1).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0) / 1e6
}

fn folder() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/adult");
    folder.exists().then_some(folder)
}

pub(crate) fn adult(sensitive: Option<&str>) -> Option<(Table, Dataset)> {
    let folder = folder()?;
    let table = CsvOptions::new().delimiter(b';').read_path(folder.join("adult.csv")).unwrap();
    let mut roles = Roles::new();
    for column in COLUMNS {
        let path = folder.join(format!("adult_hierarchy_{column}.csv"));
        let hierarchy = Hierarchy::from_csv_path(path, b';').unwrap();
        roles = if Some(column) == sensitive {
            roles.sensitive_with(column, hierarchy)
        } else {
            roles.quasi(column, hierarchy)
        };
    }
    let data = roles.bind(&table).unwrap();
    Some((table, data))
}

#[test]
#[ignore = "prints timings"]
fn timings() {
    let threads = std::env::var("KANON_THREADS").map_or(1, |t| t.parse().unwrap());
    let Some((_, plain)) = adult(None) else { return };
    let Some((_, occupation)) = adult(Some("occupation")) else { return };
    let k = || Model::k_anonymity(5).unwrap();
    let t = |d| Model::t_closeness("occupation", 0.2, d).unwrap();
    let cases: Vec<(&str, &Dataset, Vec<Model>, f64, Metric)> = vec![
        ("0 %", &plain, vec![k()], 0.0, Metric::loss()),
        ("2 %", &plain, vec![k()], 0.02, Metric::loss()),
        ("5 %", &plain, vec![k()], 0.05, Metric::loss()),
        ("100 %", &plain, vec![k()], 1.0, Metric::loss()),
        ("2 % t equal", &occupation, vec![k(), t(Distance::Equal)], 0.02, Metric::loss()),
        ("2 % t hier", &occupation, vec![k(), t(Distance::Hierarchical)], 0.02, Metric::loss()),
        (
            "2 % distinct-3",
            &occupation,
            vec![k(), Model::distinct_diversity("occupation", 3).unwrap()],
            0.02,
            Metric::loss(),
        ),
        ("2 % DM", &plain, vec![k()], 0.02, Metric::discernibility()),
        ("2 % AECS", &plain, vec![k()], 0.02, Metric::average_class_size()),
        ("2 % ambiguity", &plain, vec![k()], 0.02, Metric::ambiguity()),
        ("2 % entropy", &plain, vec![k()], 0.02, Metric::entropy()),
        ("2 % KL", &plain, vec![k()], 0.02, Metric::kl_divergence()),
    ];
    let only = std::env::var("KANON_CASE").ok();
    let runs = std::env::var("KANON_RUNS").map_or(11, |runs| runs.parse().unwrap());
    for (name, data, models, limit, metric) in cases {
        if only.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        let search = Search::over(data)
            .require(models)
            .suppress_at_most(Fraction::try_from(limit).unwrap())
            .metric(metric)
            .effort(Effort::new().threads(threads));
        let mut times = Vec::new();
        let mut found = None;
        for _ in 0..runs {
            let start = Instant::now();
            found = Some(search.run(7).unwrap());
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        times.sort_by(f64::total_cmp);
        let found = found.unwrap();
        println!(
            "{name:16} median {:8.2} ms, least {:8.2} ms, {} checks, {:?}, {}",
            times[runs / 2],
            times[0],
            found.checked,
            found.levels,
            found.loss
        );
    }
}

/// Rows like Adult's as text, made while they are read: each begins as a random row, and takes each
/// value from another random row with a chance of a fifth. Marginals stay, tuples become many.
struct Varied {
    rows: Vec<Vec<String>>,
    left: u64,
    state: u64,
    text: Vec<u8>,
    at: usize,
}

impl Varied {
    fn new(table: &Table, rows: u64) -> Self {
        let text = |row: usize, name: &str| {
            table.column(name).unwrap().value(row).unwrap().text().unwrap().to_owned()
        };
        let row = |row| COLUMNS.iter().map(|name| text(row, name)).collect();
        let text = format!("{}\n", COLUMNS.join(";")).into_bytes();
        let rows_of = (0..table.rows()).map(row).collect();
        Varied { rows: rows_of, left: rows, state: 1, text, at: 0 }
    }

    fn below(&mut self, bound: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.state;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((u128::from(x ^ (x >> 31)) * bound as u128) >> 64) as usize
    }
}

impl std::io::Read for Varied {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.at == self.text.len() {
            (self.at, self.left) = (0, self.left.saturating_sub(1000));
            self.text.clear();
            for _ in 0..self.left.min(1000) {
                let first = self.below(self.rows.len());
                for column in 0..COLUMNS.len() {
                    let other = self.below(5) == 0;
                    let row = if other { self.below(self.rows.len()) } else { first };
                    self.text.extend_from_slice(self.rows[row][column].as_bytes());
                    self.text.push(if column + 1 < COLUMNS.len() { b';' } else { b'\n' });
                }
            }
        }
        let count = out.len().min(self.text.len() - self.at);
        out[..count].copy_from_slice(&self.text[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

fn hierarchies() -> Option<Roles> {
    let folder = folder()?;
    Some(COLUMNS.iter().fold(Roles::new(), |roles, column| {
        let path = folder.join(format!("adult_hierarchy_{column}.csv"));
        roles.quasi(*column, Hierarchy::from_csv_path(path, b';').unwrap())
    }))
}

/// Megabytes that this process has held at most.
fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("");
    let kb = line.split_whitespace().nth(1).and_then(|kb| kb.parse::<f64>().ok());
    kb.unwrap_or(f64::NAN) / 1024.0
}

#[test]
#[ignore = "prints timings"]
fn release_timings() {
    use kanon::prelude::*;
    let Some(folder) = folder() else { return };
    let options = CsvOptions::new().delimiter(b';');
    for (name, recoding, limit) in [
        ("full domain, 0 %", Recoding::FullDomain, 0.0),
        ("full domain, 2 %", Recoding::FullDomain, 0.02),
        ("local recoding", Recoding::Local, 0.0),
        ("Mondrian", Recoding::Mondrian, 0.0),
    ] {
        let mut times: Vec<[f64; 3]> = Vec::new();
        let mut last = None;
        for _ in 0..5 {
            let start = Instant::now();
            let before = cpu_ms(start);
            let table = options.read_path(folder.join("adult.csv")).unwrap();
            let roles = hierarchies().unwrap();
            let read = cpu_ms(start) - before;
            let work = Anonymizer::builder(&table)
                .roles(roles)
                .require(Model::k_anonymity(5).unwrap())
                .suppress_at_most(limit)
                .recoding(recoding)
                .seed([1; 32]);
            let release = work.run().unwrap();
            let ran = cpu_ms(start) - before;
            let mut out = Vec::new();
            options.write(release.table(), &mut out).unwrap();
            times.push([read, ran - read, cpu_ms(start) - before]);
            last = Some((kanon::utility::quality(&work.dataset().unwrap(), &release), release));
        }
        times.sort_by(|a, b| a[2].total_cmp(&b[2]));
        let [read, ran, all] = times[2];
        let (quality, release) = last.unwrap();
        println!(
            "{name}: read {read:.1} ms, run {ran:.1} ms, with writing {all:.1} ms; granularity {:.4}, {} suppressed, mean class {:.1}",
            quality.granularity,
            release.certificate().suppressed,
            quality.average_class_size
        );
    }
}

/// `KANON_ROWS=10000000 cargo test --release -p kanon large_timings -- --ignored --nocapture`
#[test]
#[ignore = "prints timings and memory"]
fn large_timings() {
    use kanon::prelude::*;
    let rows = std::env::var("KANON_ROWS").map_or(1_000_000, |n| n.parse().unwrap());
    let Some((adult, _)) = adult(None) else { return };
    let start = Instant::now();
    let source = Varied::new(&adult, rows + 1000);
    let table = CsvOptions::new().delimiter(b';').read(source).unwrap();
    println!("{} rows made and read in {:.2} s", table.rows(), start.elapsed().as_secs_f64());
    let data = hierarchies().unwrap().bind(&table).unwrap();
    for limit in [0.0, 0.02] {
        for threads in [1, 2, 1, 2, 1, 2] {
            let start = Instant::now();
            let (before, waited) = (cpu_ms(start), waited_ms());
            let search = Search::over(&data)
                .require([Model::k_anonymity(5).unwrap()])
                .suppress_at_most(Fraction::try_from(limit).unwrap())
                .effort(Effort::new().threads(threads));
            let found = search.run(7).unwrap();
            let (took, ran) = (start.elapsed().as_secs_f64() * 1e3, cpu_ms(start) - before);
            let free = took - (waited_ms() - waited);
            println!(
                "{limit}, {threads} threads: {took:.1} ms, {free:.1} ms without waiting for others, {ran:.1} ms on the first, {} checks, {:?} {}, {:.0} MB",
                found.checked,
                found.levels,
                found.loss,
                peak_mb()
            );
        }
    }
    for (recoding, k, limit) in [(Recoding::Mondrian, 10, 0.0), (Recoding::FullDomain, 5, 0.02)] {
        let start = Instant::now();
        let before = cpu_ms(start);
        let release = Anonymizer::builder(&table)
            .roles(hierarchies().unwrap())
            .require(Model::k_anonymity(k).unwrap())
            .recoding(recoding)
            .suppress_at_most(limit)
            .seed([1; 32])
            .run()
            .unwrap();
        let took = cpu_ms(start) - before;
        let certificate = release.certificate();
        println!(
            "{recoding:?} with verification: {took:.1} ms, {} classes, {:.0} MB",
            certificate.classes,
            peak_mb()
        );
    }
}

/// `KANON_REPORT=report.html cargo test --release -p kanon report_page -- --ignored`
#[test]
#[ignore = "writes a page to look at"]
fn report_page() {
    use kanon::prelude::*;
    let (Some((table, data)), Ok(path)) = (adult(None), std::env::var("KANON_REPORT")) else {
        return;
    };
    let work = Anonymizer::builder(&table)
        .roles(hierarchies().unwrap())
        .require(Model::k_anonymity(5).unwrap())
        .suppress_at_most(0.02)
        .seed([1; 32]);
    let explanation = work.explain(&work.plan().unwrap()).unwrap();
    let release = work.run().unwrap();
    std::fs::write(path, kanon::report::html(&data, &release, Some(&explanation)).unwrap())
        .unwrap();
}
