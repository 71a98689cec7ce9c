//! The small table with known losses at each node.

use kanon::metric::Metric;
use kanon::model::Model;
use kanon::search::Search;
use kanon::table::{CsvOptions, Kind};
use kanon::{Dataset, Fraction, Hierarchy, Roles};

fn data() -> Dataset {
    let text = "age,zip\n21,1011\n21,1011\n24,1012\n29,1012\n35,1021\n38,1021\n38,1101\n52,1101\n";
    let table = CsvOptions::new().kind("age", Kind::Text).kind("zip", Kind::Text);
    let table = table.read(text.as_bytes()).unwrap();
    let ages = ["21 20s *", "24 20s *", "29 20s *", "35 30s *", "38 30s *", "52 50s *"];
    let zips = ["1011 101 *", "1012 101 *", "1021 102 *", "1101 110 *"];
    let list = |rows: &[&str]| {
        Hierarchy::from_rows(rows.iter().map(|r| r.split(' ').map(str::to_owned))).unwrap()
    };
    Roles::new().quasi("age", list(&ages)).quasi("zip", list(&zips)).bind(&table).unwrap()
}

fn search(data: &Dataset, metric: Metric) -> Search<'_> {
    Search::over(data)
        .require([Model::k_anonymity(2).unwrap()])
        .suppress_at_most(Fraction::new(1, 4).unwrap())
        .metric(metric)
}

#[test]
fn every_metric_at_every_node() {
    let data = data();
    // node, suppressed, loss, DM, DM*, AECS, ambiguity, entropy, precision, entropy-based, KL, KL by rows
    let rows: [([usize; 2], u64, [f64; 10]); 6] = [
        (
            [1, 0],
            2,
            [
                0.3693063938,
                28.0,
                14.0,
                2.0,
                64.0,
                10.754888,
                7.0 / 16.0,
                3.818957,
                1.438722,
                1.834963,
            ],
        ),
        (
            [1, 1],
            2,
            [
                0.4577379737,
                36.0,
                22.0,
                8.0 / 3.0,
                76.0,
                14.754888,
                5.0 / 8.0,
                4.691374,
                1.438722,
                1.834963,
            ],
        ),
        (
            [1, 2],
            1,
            [
                0.6733200531,
                33.0,
                26.0,
                8.0 / 3.0,
                96.0,
                24.754888,
                25.0 / 32.0,
                6.090521,
                2.146241,
                2.792481,
            ],
        ),
        ([2, 0], 0, [0.4142135624, 16.0, 16.0, 2.0, 48.0, 20.0, 0.5, 4.510331, 1.834963, 2.481203]),
        (
            [2, 1],
            0,
            [0.5275252317, 24.0, 24.0, 8.0 / 3.0, 72.0, 24.0, 0.75, 5.382748, 1.834963, 2.481203],
        ),
        ([2, 2], 0, [1.0, 64.0, 64.0, 8.0, 192.0, 36.0, 1.0, 8.0, 1.834963, 2.481203]),
    ];
    let metrics = [
        Metric::loss(),
        Metric::discernibility(),
        Metric::monotone_discernibility(),
        Metric::average_class_size(),
        Metric::ambiguity(),
        Metric::entropy(),
        Metric::precision(),
        Metric::entropy_based_loss(),
        Metric::kl_divergence(),
        Metric::kl_divergence_by_rows(),
    ];
    for (levels, suppressed, losses) in rows {
        for (metric, expected) in metrics.iter().zip(losses) {
            let found = search(&data, metric.clone()).measure(&levels, 1).unwrap().unwrap();
            assert_eq!(found.suppressed, suppressed, "{levels:?}");
            assert!(
                (found.loss - expected).abs() < 1e-6,
                "{levels:?} {}: {}",
                metric.name(),
                found.loss
            );
        }
    }
    for levels in [[0, 0], [0, 1], [0, 2]] {
        assert_eq!(search(&data, Metric::loss()).measure(&levels, 1).unwrap(), None);
    }
}

#[test]
fn the_balance_moves_the_optimum() {
    let data = data();
    let at = |balance: f64| search(&data, Metric::loss().balance(balance).unwrap());
    let loss = |balance| at(balance).measure(&[1, 0], 1).unwrap().unwrap().loss;
    assert!((loss(0.2) - 0.2253570908).abs() < 1e-9);
    assert!((loss(0.8) - 0.2938729238).abs() < 1e-9);
    let found = at(0.8).run(1).unwrap();
    assert_eq!(found.levels, [2, 0]);
    assert!((found.loss - 0.1649647450).abs() < 1e-9);
    let none = at(0.5).suppress_at_most(Fraction::ZERO).run(1).unwrap();
    assert_eq!(none.levels, [2, 0]);
}
