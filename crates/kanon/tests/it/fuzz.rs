//! Hierarchies and configurations that make no sense: typed errors, and no panic.

use kanon::Error;
use kanon::prelude::*;
use kanon::search::Search;
use kanon::table::{Column, Value};
use proptest::prelude::*;

/// Texts that meet each other often.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-d]",
        2 => "[0-9]{1,3}",
        1 => Just(String::new()),
        1 => Just("*".to_owned()),
        1 => "\\PC{0,12}",
        1 => Just("9".repeat(40)),
        1 => Just("2026-02-30".to_owned()),
        1 => Just("1e308".to_owned()),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        8 => text().prop_map(|text| Value::from(text.as_str())),
        1 => Just(Value::Missing),
        1 => Just(Value::Suppressed),
    ]
}

fn number() -> impl Strategy<Value = f64> {
    let odd = [0.0, -0.0, 1.0, -1.0, 1e-300, 1e300, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    prop_oneof![prop::sample::select(odd.to_vec()), 0.0f64..2.0, any::<f64>()]
}

fn whole() -> impl Strategy<Value = u64> {
    prop_oneof![0u64..8, Just(u64::MAX), Just(1 << 32), any::<u64>()]
}

fn bound() -> impl Strategy<Value = i64> {
    prop_oneof![-5i64..120, Just(i64::MIN), Just(i64::MAX), any::<i64>()]
}

/// Hierarchies of every kind, right and wrong; `None` where the builder refuses.
fn hierarchy() -> impl Strategy<Value = Option<Hierarchy>> {
    let rows = prop::collection::vec(prop::collection::vec(text(), 0..5), 0..8);
    let edges = prop::collection::vec((text(), text()), 0..10);
    let ordered = (prop::collection::vec(text(), 0..8), prop::collection::vec(0usize..5, 0..5));
    let intervals = (bound(), bound(), prop::collection::vec(whole(), 0..5), any::<bool>());
    let units = [
        DateUnit::Hour,
        DateUnit::Day,
        DateUnit::Week,
        DateUnit::Month,
        DateUnit::Quarter,
        DateUnit::Year,
        DateUnit::Decade,
        DateUnit::Century,
    ];
    let masks = (prop::option::of(0usize..80), whole(), prop::option::of(whole()), any::<bool>());
    prop_oneof![
        rows.prop_map(|rows| Hierarchy::from_rows(rows).ok()),
        edges.prop_map(|edges| Hierarchy::tree(edges).ok()),
        ordered.prop_map(|(values, fan_outs)| Hierarchy::ordered(values, &fan_outs).ok()),
        intervals.prop_map(|(low, high, widths, open)| {
            let intervals = Intervals::new(low, high).widths(widths);
            Some(Hierarchy::from(if open { intervals.open_ended() } else { intervals }))
        }),
        prop::collection::vec(prop::sample::select(units.to_vec()), 0..5)
            .prop_map(|units| Hierarchy::dates(&units).ok()),
        masks.prop_map(|(length, alphabet, domain, left)| {
            let mut masking = Masking::new().alphabet(alphabet);
            masking = length.into_iter().fold(masking, Masking::length);
            masking = domain.into_iter().fold(masking, Masking::domain);
            Some(Hierarchy::from(if left { masking.from_left() } else { masking }))
        }),
        // Groups that need not nest, of too many levels now and then.
        (prop_oneof![0usize..6, Just(1000usize)], 1usize..4).prop_map(|(levels, parts)| {
            Some(Hierarchy::function(levels, move |text, level| {
                format!("{}", text.len() * level % parts)
            }))
        }),
        Just(Some(Hierarchy::suppress())),
        Just(Some(Hierarchy::fixed())),
    ]
}

fn model() -> impl Strategy<Value = Option<Model>> {
    let column = || prop::sample::select(vec!["q", "s", "t", "nowhere"]);
    let distance =
        || prop::sample::select(vec![Distance::Equal, Distance::Ordered, Distance::Hierarchical]);
    prop_oneof![
        whole().prop_map(|k| Model::k_anonymity(k).ok()),
        whole().prop_map(|k| Model::k_map(k).ok()),
        (number(), number()).prop_map(|(a, b)| Model::delta_presence(a, b).ok()),
        (column(), whole()).prop_map(|(c, l)| Model::distinct_diversity(c, l).ok()),
        (column(), number()).prop_map(|(c, l)| Model::entropy_diversity(c, l).ok()),
        (column(), number(), whole())
            .prop_map(|(s, c, l)| Model::recursive_diversity(s, c, l).ok()),
        (column(), number(), distance()).prop_map(|(c, t, d)| Model::t_closeness(c, t, d).ok()),
        (column(), number()).prop_map(|(c, d)| Model::delta_disclosure(c, d).ok()),
        (column(), number()).prop_map(|(c, b)| Model::basic_beta_likeness(c, b).ok()),
        (column(), number()).prop_map(|(c, b)| Model::enhanced_beta_likeness(c, b).ok()),
        (column(), number(), whole()).prop_map(|(c, a, k)| Model::alpha_k(c, a, k).ok()),
        (column(), whole(), whole()).prop_map(|(c, p, k)| Model::p_sensitive(c, p, k).ok()),
        number().prop_map(|most| Model::average_risk(most).ok()),
        number().prop_map(|most| Model::sample_uniqueness(most).ok()),
    ]
}

fn recodings() -> impl Strategy<Value = Recoding> {
    prop::sample::select(vec![
        Recoding::FullDomain,
        Recoding::Local,
        Recoding::CellSuppression,
        Recoding::Mondrian,
        Recoding::MondrianRelaxed,
    ])
}

fn table(q: Vec<Value>, others: &[(Value, Value)]) -> Option<Table> {
    let rows = q.len().min(others.len());
    let s = others[..rows].iter().map(|pair| pair.0.clone());
    let t = others[..rows].iter().map(|pair| pair.1.clone());
    Table::new(vec![
        Column::new("q", q.into_iter().take(rows)),
        Column::new("s", s),
        Column::new("t", t),
    ])
    .ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn hierarchies_nest_or_are_refused(
        hierarchy in hierarchy(),
        values in prop::collection::vec(value(), 0..12),
    ) {
        let Some(hierarchy) = hierarchy else { return Ok(()) };
        let column = Column::new("q", values);
        let Ok(levels) = hierarchy.levels(&column) else { return Ok(()) };
        for level in 0..levels.count() {
            prop_assert_eq!(levels.groups(level).len(), column.dictionary().len());
            prop_assert!(levels.shares(level).iter().all(|&share| share > 0.0 && share <= 1.0),
                "{:?} {:?}", hierarchy, levels.shares(level));
            // Values that share a group share one at every level above.
            for (a, group) in levels.groups(level).iter().enumerate() {
                for (b, other) in levels.groups(level).iter().enumerate().take(a) {
                    let above = level + 1 < levels.count() && group == other;
                    prop_assert!(!above || levels.groups(level + 1)[a] == levels.groups(level + 1)[b]);
                }
            }
        }
        prop_assert!(levels.groups(levels.count()).is_empty() && levels.domain() > 0.0);
    }

    #[test]
    fn hierarchy_files_are_read_or_refused(
        text in "[a-c0-9;,\"*\n\r\t \u{feff}]{0,80}",
        delimiter in any::<u8>(),
    ) {
        let column = Column::new("q", ["a", "b", "1"].map(Value::from));
        if let Ok(hierarchy) = Hierarchy::from_csv(text.as_bytes(), delimiter) {
            let _ = hierarchy.levels(&column);
        }
        let _ = CsvOptions::new().delimiter(delimiter).quote(text.len() as u8).read(text.as_bytes());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn configurations_give_a_verified_release_or_an_error(
        hierarchy in hierarchy(),
        sensitive in hierarchy(),
        q in prop::collection::vec(value(), 0..14),
        others in prop::collection::vec((value(), value()), 0..14),
        models in prop::collection::vec(model(), 0..4),
        share in number(),
        recoding in recodings(),
        levels in prop::option::of((0usize..6, 0usize..6)),
        missing in prop::sample::select(vec![Missing::OwnCategory, Missing::DropRow, Missing::Refuse]),
        weights in number(),
        effort in (0usize..5, prop::option::of(whole()), any::<bool>()),
    ) {
        let (Some(hierarchy), Some(sensitive)) = (hierarchy, sensitive) else { return Ok(()) };
        let Some(table) = table(q, &others) else { return Ok(()) };
        let mut roles = Roles::new().quasi("q", hierarchy).missing(missing);
        if let Some((low, high)) = levels {
            roles = roles.levels(low..=high);
        }
        roles = roles.sensitive_with("s", sensitive).insensitive("t");
        let (threads, checks, sample) = effort;
        let mut limits = Effort::new().threads(threads);
        limits = checks.into_iter().fold(limits, Effort::checks);
        let metric = if sample { Metric::loss() } else { Metric::precision() };
        let metric = metric.clone().weight("q", weights).unwrap_or(metric);
        let mut work = Anonymizer::builder(&table)
            .roles(roles.clone())
            .suppress_at_most(share)
            .metric(metric)
            .recoding(recoding)
            .effort(limits)
            .seed([1; 32]);
        if sample {
            work = work.population(&table);
        }
        for model in models.into_iter().flatten() {
            work = work.require(model);
        }
        match work.run() {
            Ok(release) => {
                prop_assert!(release.certificate().verified);
                if let Ok(solution) = work.plan() {
                    prop_assert!(!solution.loss.is_nan());
                    let _ = work.explain(&solution).map(|found| found.to_string());
                }
            }
            Err(Error::Refuted(finding)) => prop_assert!(false, "{finding}"),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
        if let Ok(data) = roles.bind(&table) {
            let node = levels.map_or(vec![0], |(low, high)| vec![low, high]);
            let _ = Search::over(&data).measure(&node, 1);
        }
    }
}

#[test]
fn huge_hierarchies_are_refused_before_they_take_the_memory() {
    let column = Column::new("q", ["0", "1"].map(Value::from));
    let refused = |hierarchy: Hierarchy| {
        let error = hierarchy.levels(&column).unwrap_err();
        assert!(matches!(error, Error::TooLarge { limit: 250, .. }), "{error}");
    };
    refused(Hierarchy::function(usize::MAX, |text, _| text.to_owned()));
    refused(Hierarchy::from(Intervals::new(0, 9).widths(vec![1; 1 << 20])));
    refused(Hierarchy::ordered(["0", "1"], &vec![2; 1 << 20]).unwrap());
    refused(Hierarchy::from_rows([vec!["0"; 300], vec!["1"; 300]]).unwrap());
    // A chain of nodes, each the child of the next, and a leaf at each of them.
    let chain = (0..40_000).map(|i| (format!("n{i}"), format!("n{}", i + 1)));
    let leaves = (0..40_000).map(|i| (format!("l{i}"), format!("n{i}")));
    let error = Hierarchy::tree(chain.chain(leaves)).unwrap_err();
    assert!(error.to_string().contains("more than 250 levels"), "{error}");
}

#[test]
fn errors_about_groups_hold_no_values() {
    let column = Column::new("q", ["alpha", "beta"].map(Value::from));
    let crossing = Hierarchy::function(2, |text, level| match level {
        1 => "secret7".to_owned(),
        _ => text.to_owned(),
    });
    let error = crossing.levels(&column).unwrap_err().to_string();
    assert!(!error.contains("secret7") && error.contains("aaaaaa9"), "{error}");
}
