//! Histograms of several dimensions: exact without noise, consistent with it, as precise as said.

use dp_mechanisms::prelude::*;
use dp_mechanisms::session::histogram::Axes;
use privacy_core::random::InsecureTestRng;

type Row = (u32, &'static str, f64);

fn rows() -> Vec<Row> {
    (0..4000u32)
        .map(|i| (i % 800, ["de", "fr", "it"][(i * i % 7 % 3) as usize], f64::from(i * 31 % 100)))
        .collect()
}

fn axes<'a>() -> Axes<'a, Row> {
    let axes = Axes::new().groups("country", |r: &Row| r.1, &["de", "fr", "it"]).unwrap();
    axes.bins("seconds", |r: &Row| r.2, &[0.0, 10.0, 50.0, 90.0]).unwrap()
}

fn open(rows: &[Row], seed: u64) -> Session<'_, Row> {
    let cx = Context::new(Actor::new("test"), Purpose::new("test"))
        .unwrap()
        .with_budget(MemoryBudget::new(Rho::new(1e24).unwrap()))
        .with_rng(InsecureTestRng::from_seed(seed));
    Session::over(rows).context(cx).open().unwrap()
}

#[test]
fn without_noise_to_speak_of_it_is_the_table_of_the_rows() {
    let rows = rows();
    let session = open(&rows, 0);
    let release = session.histogram(axes()).epsilon(1e9).unwrap().release().unwrap();
    let table = release.value();
    let plain = |country: &str, low: f64, high: f64| {
        rows.iter().filter(|r| r.1 == country && low <= r.2 && r.2 < high).count() as f64
    };
    let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-6, "{a} is not {b}");
    near(table.count(&[1, 2]).unwrap(), plain("fr", 50.0, 90.0) + plain("fr", 90.0, 90.1));
    near(
        table.margin(&[0]).unwrap()[2],
        rows.iter().filter(|r| r.1 == "it" && r.2 <= 90.0).count() as f64,
    );
    near(table.total(), rows.iter().filter(|r| r.2 <= 90.0).count() as f64);
    assert_eq!(table.names(), ["country", "seconds"]);
    assert_eq!(table.labels(1).unwrap(), ["0..10", "10..50", "50..90"]);
    assert_eq!((table.count(&[3, 0]), table.margin(&[2]), table.labels(2)), (None, None, None));
}

#[test]
fn cells_and_margins_agree_and_are_as_far_off_as_stated() {
    let rows = rows();
    let truth = open(&rows, 0).histogram(axes()).epsilon(1e9).unwrap().release().unwrap();
    let truth = truth.into_value();
    let trials = 400;
    let (mut cell, mut margin, mut total) = (0.0, 0.0, 0.0);
    let mut stated = [0.0; 3];
    for seed in 0..trials {
        let session = open(&rows, seed);
        let plan = session.histogram(axes()).rho(0.05).unwrap();
        let table = plan.release().unwrap().into_value();
        let by_country = table.margin(&[0]).unwrap();
        let cells: f64 = (0..3).map(|bin| table.count(&[1, bin]).unwrap()).sum();
        assert!((cells - by_country[1]).abs() < 1e-6);
        let square = |a: f64, b: f64| (a - b) * (a - b) / f64::from(trials as u32);
        cell += square(table.count(&[1, 1]).unwrap(), truth.count(&[1, 1]).unwrap());
        margin += square(by_country[0], truth.margin(&[0]).unwrap()[0]);
        total += square(table.total(), truth.total());
        let variance = |of: &[usize]| table.deviation(of).unwrap().powi(2);
        stated = [variance(&[0, 1]), variance(&[0]), variance(&[])];
    }
    // The mean of 400 squares of Gaussians is within a third of its expectation, but for 4e-6.
    for (seen, stated) in [cell, margin, total].into_iter().zip(stated) {
        assert!((seen / stated - 1.0).abs() < 1.0 / 3.0, "{seen} is not {stated}");
    }
    // A margin is better than the sum of three cells.
    assert!(stated[1] < 3.0 * stated[0]);
}

#[test]
fn its_price_is_that_of_three_counts_and_its_size_is_limited() {
    let rows = rows();
    let session = open(&rows, 0);
    let plan = session.histogram(axes()).epsilon(0.3).unwrap();
    assert_eq!(plan.cost(), &Epsilon::new(0.3).unwrap().into());
    let third = session.count().epsilon(0.1).unwrap();
    assert_eq!(plan.noise().standard_deviation(), third.noise().standard_deviation());
    assert!(plan.to_string().starts_with("histogram by country, seconds"), "{plan}");
    let edges: Vec<u32> = (0..3000).collect();
    let wide = || Axes::new().bins("a", |r: &Row| r.0, &edges).unwrap();
    assert!(wide().bins("b", |r: &Row| r.0, &edges).is_err());
    assert!(Axes::new().bins("a", |r: &Row| r.2, &[1.0, 1.0]).unwrap_err().is_parameter());
    assert!(Axes::new().groups("a", |r: &Row| r.0, &[1, 1]).unwrap_err().is_parameter());
}
