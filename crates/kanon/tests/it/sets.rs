//! Sets of items and releases over time, against their definitions written down once more.

use std::collections::BTreeSet;

use kanon::sets::{
    Bucket, InvarianceFault, check_invariance, km_anonymize, km_violation, republish,
};
use privacy_core::random::InsecureTestRng;
use proptest::prelude::*;

fn items(mask: u8) -> BTreeSet<String> {
    (0..6).filter(|i| mask >> i & 1 == 1).map(|i| format!("i{i}")).collect()
}

/// Whether each set of at most `m` items that occurs is in at least `k` records, by all 64 sets.
fn is_km(records: &[u8], k: usize, m: u32) -> bool {
    (1u8..64).filter(|set| set.count_ones() <= m).all(|set| {
        let count = records.iter().filter(|&&record| record & set == set).count();
        count == 0 || count >= k
    })
}

/// Whether every two releases agree on whom they have in common, looked at pair by pair.
fn is_invariant(releases: &[Vec<Bucket>], m: usize) -> bool {
    let values = |bucket: &Bucket| bucket.values.iter().cloned().collect::<BTreeSet<_>>();
    let unique = |bucket: &Bucket| {
        values(bucket).len() == bucket.values.len()
            && bucket.values.len() >= m
            && bucket.people.len() <= bucket.values.len()
    };
    let all: Vec<&Bucket> = releases.iter().flatten().collect();
    let same = |a: &Bucket, b: &Bucket| {
        values(a) == values(b) || a.people.iter().all(|person| !b.people.contains(person))
    };
    all.iter().all(|bucket| unique(bucket)) && all.iter().all(|a| all.iter().all(|b| same(a, b)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn combinations_are_counted_as_by_enumeration(
        records in prop::collection::vec(0u8..64, 0..14),
        k in 1u64..5,
        m in 1usize..5,
    ) {
        let sets: Vec<_> = records.iter().map(|&mask| items(mask)).collect();
        let found = km_violation(&sets, k, m);
        prop_assert_eq!(found.is_none(), is_km(&records, k as usize, m as u32));
        if let Some(set) = found {
            let count = sets.iter().filter(|record| set.iter().all(|i| record.contains(i))).count();
            prop_assert!(set.len() <= m && count > 0 && (count as u64) < k);
        }
        let chains: Vec<Vec<String>> = (0..6)
            .map(|i| vec![format!("i{i}"), format!("g{}", i / 2), "*".to_owned()])
            .collect();
        let release = km_anonymize(&sets, &chains, k, m).unwrap();
        prop_assert_eq!(release.records.len(), sets.len());
        prop_assert!(km_violation(&release.records, k, m).is_none());
    }

    #[test]
    fn invariance_is_decided_as_by_pairs(
        releases in prop::collection::vec(prop::collection::vec(
            (prop::collection::btree_set(0u64..6, 0..3), prop::collection::vec(0u8..3, 1..4)), 0..3), 1..3),
        m in 1usize..3,
    ) {
        let bucket = |(people, values): (BTreeSet<u64>, Vec<u8>)| Bucket {
            people: people.into_iter().collect(),
            values: values.iter().map(|v| format!("v{v}")).collect(),
        };
        let releases: Vec<Vec<Bucket>> =
            releases.into_iter().map(|all| all.into_iter().map(bucket).collect()).collect();
        let found = check_invariance(&releases, m);
        prop_assert_eq!(found.is_ok(), is_invariant(&releases, m));
        if let Err(InvarianceFault::Changed { earlier, later }) = found {
            prop_assert!(earlier <= later && later < releases.len());
        }
    }

    #[test]
    fn releases_of_a_changing_table_stay_invariant(
        years in prop::collection::vec(prop::collection::vec((0u64..30, any::<bool>()), 0..30), 1..5),
        m in 1usize..4,
        seed in any::<u64>(),
    ) {
        // A person's value never changes; who is there does.
        let value = |person: u64| format!("v{}", [0, 0, 1, 2, 3, 1][person as usize % 6]);
        let mut rng = InsecureTestRng::from_seed(seed);
        let mut history: Vec<Vec<Bucket>> = Vec::new();
        for year in years {
            let people: BTreeSet<u64> = year.iter().filter(|(_, here)| *here).map(|x| x.0).collect();
            let listed: Vec<_> = people.iter().map(|&person| (person, value(person))).collect();
            let values = listed.iter().map(|(_, value)| value.clone());
            let before = history.iter().flatten().flat_map(|bucket| bucket.values.clone());
            let enough = values.chain(before).collect::<BTreeSet<_>>().len() >= m;
            let made = republish(&history, &listed, m, &mut rng);
            prop_assert_eq!(made.is_ok(), enough || listed.is_empty());
            let Ok(made) = made else { continue };
            let rows: usize = made.buckets.iter().map(|bucket| bucket.values.len()).sum();
            prop_assert_eq!(rows as u64, people.len() as u64 + made.counterfeits);
            let mut released = BTreeSet::new();
            for bucket in &made.buckets {
                prop_assert!(!bucket.people.is_empty());
                for (person, shown) in bucket.people.iter().zip(&bucket.values) {
                    prop_assert!(released.insert(*person) && *shown == value(*person));
                }
            }
            prop_assert_eq!(released, people);
            history.push(made.buckets);
            prop_assert!(check_invariance(&history, m).is_ok() && is_invariant(&history, m));
        }
    }
}

#[test]
fn newcomers_who_can_be_divided_need_no_counterfeits() {
    let people: Vec<(u64, String)> = (0..60).map(|p| (p, format!("v{}", p % 4))).collect();
    let first = republish(&[], &people, 3, &mut InsecureTestRng::from_seed(1)).unwrap();
    assert_eq!(first.counterfeits, 0);
    // Two of three leave: their places are taken by newcomers first.
    let next: Vec<_> =
        (0..60).step_by(3).chain(60..200).map(|p| (p, format!("v{}", p % 4))).collect();
    let history = [first.buckets];
    let second = republish(&history, &next, 3, &mut InsecureTestRng::from_seed(2)).unwrap();
    assert_eq!(second.counterfeits, 0);
    for wrong in [vec![(0, "v1".to_owned())], vec![(90, "v1".to_owned()); 2]] {
        assert!(republish(&history, &wrong, 3, &mut InsecureTestRng::from_seed(3)).is_err());
    }
    assert!(republish(&history, &next, 4, &mut InsecureTestRng::from_seed(4)).is_err());
}
