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
    for (name, data, models, limit, metric) in cases {
        let search = Search::over(data)
            .require(models)
            .suppress_at_most(Fraction::try_from(limit).unwrap())
            .metric(metric)
            .effort(Effort::new().threads(threads));
        let mut times = Vec::new();
        let mut found = None;
        for _ in 0..5 {
            let start = Instant::now();
            let before = cpu_ms(start);
            found = Some(search.run(7));
            times.push(cpu_ms(start) - before);
        }
        times.sort_by(f64::total_cmp);
        println!("{name:16} {:8.2} ms  {:?}", times[2], found.unwrap());
    }
}

/// Adult with its rows repeated, and a column that tells copies apart where it is asked for.
fn scaled(times: u32) -> Option<Dataset> {
    let (table, _) = adult(None)?;
    let n = table.rows() as u32;
    let rows: Vec<u32> = (0..times).flat_map(|_| 0..n).collect();
    let table = table.take(&rows).unwrap();
    let mut roles = Roles::new();
    for column in COLUMNS {
        let path = folder()?.join(format!("adult_hierarchy_{column}.csv"));
        roles = roles.quasi(column, Hierarchy::from_csv_path(path, b';').unwrap());
    }
    Some(roles.bind(&table).unwrap())
}

#[test]
#[ignore = "prints timings"]
fn other_timings() {
    use kanon::prelude::*;
    let Some(folder) = folder() else { return };
    let start = Instant::now();
    let options = CsvOptions::new().delimiter(b';');
    let table = options.read_path(folder.join("adult.csv")).unwrap();
    println!("read {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    let roles = || {
        COLUMNS.iter().fold(Roles::new(), |roles, column| {
            let path = folder.join(format!("adult_hierarchy_{column}.csv"));
            roles.quasi(*column, Hierarchy::from_csv_path(path, b';').unwrap())
        })
    };
    for recoding in [Recoding::FullDomain, Recoding::Local, Recoding::Mondrian] {
        let start = Instant::now();
        let before = cpu_ms(start);
        let work = Anonymizer::builder(&table)
            .roles(roles())
            .require(Model::k_anonymity(5).unwrap())
            .suppress_at_most(0.02)
            .recoding(recoding)
            .seed([1; 32]);
        let release = work.run().unwrap();
        let ran = cpu_ms(start) - before;
        let mut out = Vec::new();
        options.write(release.table(), &mut out).unwrap();
        let all = cpu_ms(start) - before;
        let quality = kanon::utility::quality(&work.dataset().unwrap(), &release);
        println!(
            "{recoding:?}: {ran:.1} ms, written {all:.1} ms, granularity {:.4}, {} suppressed, mean class {:.1}",
            quality.granularity,
            release.certificate().suppressed,
            quality.average_class_size
        );
    }
    for threads in [1, 2] {
        let data = scaled(33).unwrap();
        for limit in [0.0, 0.02] {
            let start = Instant::now();
            let found = Search::over(&data)
                .require([Model::k_anonymity(5).unwrap()])
                .suppress_at_most(Fraction::try_from(limit).unwrap())
                .effort(Effort::new().threads(threads))
                .run(7)
                .unwrap();
            let took = start.elapsed().as_secs_f64() * 1e3;
            println!(
                "{} rows, {limit}, {threads} threads: {took:.1} ms, {} checks",
                data.table().rows(),
                found.checked
            );
        }
    }
    let data = scaled(33).unwrap();
    let start = Instant::now();
    let before = cpu_ms(start);
    let release = Anonymizer::builder(data.table())
        .roles(roles())
        .require(Model::k_anonymity(10).unwrap())
        .recoding(Recoding::Mondrian)
        .seed([1; 32])
        .run()
        .unwrap();
    let took = cpu_ms(start) - before;
    println!("Mondrian with verification, {} rows: {took:.1} ms", release.table().rows());
}
