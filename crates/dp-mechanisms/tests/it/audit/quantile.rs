//! Quantiles of integers, and bounds that are not known.

use dp_mechanisms::prelude::*;
use dp_mechanisms::quantile::{ApproxBounds, ApproxQuantiles, Quantile, QuantileTree, TreeShape};
use privacy_core::Result;

use super::{FEW, SOME, acquit, amount, epsilon};

type Pair = (Vec<i64>, Vec<i64>);

/// Values at the ends of 0..=3, beyond, and none.
fn added() -> Vec<Pair> {
    vec![(vec![i64::MIN], vec![]), (vec![3, 0, 3], vec![0, 3]), (vec![i64::MAX, 3], vec![3])]
}

fn replaced() -> Vec<Pair> {
    vec![(vec![i64::MIN], vec![3]), (vec![0, 0], vec![i64::MAX, 0])]
}

fn bounds(upper: i64) -> Result<Bounds<i64>> {
    Bounds::new(0, upper)
}

fn quartiles() -> [Amount; 3] {
    ["1/4", "1/2", "3/4"].map(amount)
}

#[test]
fn quantiles_keep_their_price() {
    acquit(
        FEW,
        &[
            ("median, add/remove", |audit, rng| {
                let median: Quantile = Quantile::median(bounds(3)?, &epsilon(4.0))?;
                audit.mechanism(&median, &added(), rng)
            }),
            ("median, replace", |audit, rng| {
                let median = Quantile::<Replace>::median(bounds(3)?, &epsilon(4.0))?;
                audit.mechanism(&median, &replaced(), rng)
            }),
            ("last percentile, ρ", |audit, rng| {
                let rho = Rho::new(2.0)?;
                let last: Quantile = Quantile::zcdp(&amount("99/100"), bounds(3)?, &rho)?;
                audit.mechanism(&last, &added(), rng)
            }),
            ("minimum on the widest grid", |audit, rng| {
                let all = Bounds::new(i64::MIN, i64::MAX)?;
                let least = Quantile::<Replace>::new(&amount("0"), all, &epsilon(4.0))?;
                audit.mechanism(&least, &[(vec![0], vec![i64::MAX])], rng)
            }),
            ("quartiles, add/remove", |audit, rng| {
                let several =
                    ApproxQuantiles::<AddRemove>::new(&quartiles(), bounds(3)?, &epsilon(12.0))?;
                audit.mechanism(&several, &added(), rng)
            }),
            ("quartiles, replace", |audit, rng| {
                let several =
                    ApproxQuantiles::<Replace>::new(&quartiles(), bounds(3)?, &epsilon(12.0))?;
                audit.mechanism(&several, &replaced(), rng)
            }),
            ("quartiles, ρ", |audit, rng| {
                let rho = Rho::new(8.0)?;
                let several = ApproxQuantiles::<AddRemove>::zcdp(&quartiles(), bounds(3)?, &rho)?;
                audit.mechanism(&several, &added(), rng)
            }),
        ],
    );
}

#[test]
fn trees_and_found_bounds_keep_their_price() {
    acquit(
        SOME,
        &[
            ("tree, Laplace, add/remove", |audit, rng| {
                let shape = TreeShape::new(bounds(3)?, 2, 2)?;
                let tree: QuantileTree<_> = QuantileTree::laplace(shape, &epsilon(1.0))?;
                audit.mechanism(&tree, &[(vec![3], vec![]), (vec![1, 1], vec![1])], rng)
            }),
            ("tree, Laplace, replace", |audit, rng| {
                let shape = TreeShape::new(bounds(3)?, 2, 2)?;
                let tree = QuantileTree::<_, Replace>::laplace(shape, &epsilon(2.0))?;
                audit.mechanism(&tree, &[(vec![0], vec![3]), (vec![1, 2], vec![2, 2])], rng)
            }),
            ("tree, Gaussian, add/remove", |audit, rng| {
                let shape = TreeShape::new(bounds(3)?, 2, 2)?;
                let tree: QuantileTree<_> = QuantileTree::gaussian(shape, &Rho::new(0.5)?)?;
                audit.mechanism(&tree, &[(vec![3], vec![]), (vec![1, 1], vec![1])], rng)
            }),
            ("tree, Gaussian, replace", |audit, rng| {
                let shape = TreeShape::new(bounds(3)?, 2, 2)?;
                let tree = QuantileTree::<_, Replace>::gaussian(shape, &Rho::new(0.5)?)?;
                audit.mechanism(&tree, &[(vec![0], vec![3]), (vec![1, 2], vec![2, 2])], rng)
            }),
            ("bounds, add/remove", |audit, rng| {
                let finder: ApproxBounds = ApproxBounds::new(&epsilon(1.0))?;
                // As many as can just pass.
                let enough = vec![7; finder.threshold() as usize];
                let fewer = enough[1..].to_vec();
                audit.mechanism(&finder, &[(enough, fewer), (vec![i64::MIN], vec![])], rng)
            }),
            ("bounds, replace", |audit, rng| {
                let finder = ApproxBounds::<Replace>::new(&epsilon(1.0))?;
                let enough = finder.threshold() as usize;
                let rows =
                    |small: usize, large: usize| [vec![1; small], vec![1 << 40; large]].concat();
                let pairs = [(rows(enough, enough), rows(enough - 1, enough + 1))];
                audit.mechanism(&finder, &pairs, rng)
            }),
        ],
    );
}
