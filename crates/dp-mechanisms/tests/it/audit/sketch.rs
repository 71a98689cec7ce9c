//! Sketches, of which every counter and every bit is observed.

use dp_mechanisms::audit::Claim;
use dp_mechanisms::prelude::*;
use dp_mechanisms::sketch::{DistinctSketch, FrequencySketch};

use super::{SOME, acquit, epsilon};

type Pair = (Vec<u32>, Vec<u32>);

/// A unit that brings one item twice, or two different ones, beside others.
fn items() -> Vec<Pair> {
    vec![(vec![7, 7, 1], vec![1]), (vec![1, 2, 3], vec![3]), (vec![5, 6], vec![])]
}

fn filled(mut sketch: FrequencySketch, items: &[u32]) -> FrequencySketch {
    items.iter().for_each(|item| sketch.add(item.to_le_bytes()));
    sketch
}

#[test]
fn sketches_keep_their_price() {
    acquit(
        SOME,
        &[
            ("count-min, Laplace", |audit, rng| {
                audit.run(epsilon(1.0), &items(), rng, |items: &[u32], rng| {
                    let sketch = filled(FrequencySketch::count_min(2, 4, 1)?, items);
                    sketch.release_laplace(2, &epsilon(1.0), rng)
                })
            }),
            ("count sketch, Laplace", |audit, rng| {
                audit.run(epsilon(1.0), &items(), rng, |items: &[u32], rng| {
                    let sketch = filled(FrequencySketch::count_sketch(2, 4, 1)?, items);
                    sketch.release_laplace(2, &epsilon(1.0), rng)
                })
            }),
            ("count sketch, Gaussian", |audit, rng| {
                let rho = Rho::new(0.5)?;
                audit.run(Claim::zcdp(rho.clone()), &items(), rng, |items: &[u32], rng| {
                    let sketch = filled(FrequencySketch::count_sketch(3, 4, 1)?, items);
                    sketch.release_gaussian(2, &rho, rng)
                })
            }),
            ("distinct count", |audit, rng| {
                let pairs = [(vec![7u32, 7], vec![]), (vec![1, 2, 2], vec![2])];
                audit.run(epsilon(1.0), &pairs, rng, |items: &[u32], rng| {
                    let mut sketch = DistinctSketch::new(16, 1)?;
                    items.iter().for_each(|item| sketch.add(item.to_le_bytes()));
                    sketch.release(1, &epsilon(1.0), rng)
                })
            }),
            ("distinct count, two items of a unit, merged", |audit, rng| {
                audit.run(epsilon(2.0), &items(), rng, |items: &[u32], rng| {
                    let mut sketch = DistinctSketch::new(16, 1)?;
                    let mut others = DistinctSketch::new(16, 1)?;
                    others.add(b"x");
                    items.iter().for_each(|item| sketch.add(item.to_le_bytes()));
                    sketch.merge(&others)?;
                    sketch.release(2, &epsilon(2.0), rng)
                })
            }),
        ],
    );
}
