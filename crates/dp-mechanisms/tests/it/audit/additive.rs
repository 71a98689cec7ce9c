//! Noise on its own, and at the end of chains.

use dp_mechanisms::additive::{GaussianNoise, LaplaceNoise};
use dp_mechanisms::audit::Neighbours;
use dp_mechanisms::bound::BoundRows;
use dp_mechanisms::prelude::*;
use dp_mechanisms::transform::{BoundedSum, Count, CountByGroup, Filter, Map};
use privacy_core::space::{L1, L2, L2Distance, Scalar};
use privacy_core::transformation::Transformation;

use super::{MANY, acquit, amount};

#[test]
fn additive_mechanisms_keep_their_price() {
    acquit(
        MANY,
        &[
            ("Laplace, scalar", |audit, rng| {
                let noise = LaplaceNoise::scalar(amount("1")).unwrap();
                audit.mechanism(&noise, &[(0, 1), (-3, 4), (i128::MAX, i128::MAX - 1)], rng)
            }),
            ("Laplace, scalar, fractional scale", |audit, rng| {
                let noise = LaplaceNoise::scalar(amount("22/7")).unwrap();
                audit.mechanism(&noise, &[(0, 1), (10, 14)], rng)
            }),
            ("Laplace, vector", |audit, rng| {
                let noise = LaplaceNoise::vector(amount("2")).unwrap();
                audit.mechanism(&noise, &[(vec![0, 0, 5], vec![1, -1, 5]), (vec![], vec![])], rng)
            }),
            ("Gaussian, scalar", |audit, rng| {
                let noise = GaussianNoise::scalar(amount("4")).unwrap();
                audit.mechanism(&noise, &[(0, 1), (7, 3), (i128::MIN, i128::MIN)], rng)
            }),
            ("Gaussian, vector", |audit, rng| {
                let noise = GaussianNoise::vector(amount("3")).unwrap();
                audit.mechanism(&noise, &[(vec![0, 0], vec![1, 1]), (vec![4; 9], vec![5; 9])], rng)
            }),
        ],
    );
}

#[test]
fn chains_keep_their_price() {
    acquit(
        MANY,
        &[
            ("count, add/remove", |audit, rng| {
                let chain = Count::<i64>::new().then(LaplaceNoise::scalar(amount("2"))?);
                let pairs = Neighbours::<i64>::extreme().add_remove(5, rng)?;
                audit.mechanism(&chain, &pairs, rng)
            }),
            ("sum, add/remove", |audit, rng| {
                let noise = LaplaceNoise::scalar(amount("20"))?;
                let chain = BoundedSum::new(Bounds::new(-10, 20)?)?.then(noise);
                let pairs = Neighbours::<i64>::extreme().add_remove(5, rng)?;
                audit.mechanism(&chain, &pairs, rng)
            }),
            ("sum, replace", |audit, rng| {
                let sum = BoundedSum::<_, Replace>::under(Bounds::new(-10, 20)?)?;
                let chain = sum.then(LaplaceNoise::scalar(amount("30"))?);
                let pairs = Neighbours::<i64>::extreme().replace(5, rng)?;
                audit.mechanism(&chain, &pairs, rng)
            }),
            ("filter, map, sum", |audit, rng| {
                let keep = Filter::<u32, _>::new(|x: &u32| x % 2 == 1);
                let halve = Map::<u32, i64, _>::new(|x: &u32| i64::from(*x / 2));
                let sum = BoundedSum::new(Bounds::new(0, 9)?)?;
                let chain = keep.then(halve).then(sum).then(LaplaceNoise::scalar(amount("9"))?);
                let pairs = Neighbours::<u32>::extreme().with([9]).add_remove(5, rng)?;
                audit.mechanism(&chain, &pairs, rng)
            }),
            ("count by group, L1", |audit, rng| {
                let count = CountByGroup::<u8, Record, AddRemove, L1>::new(&[1, 2, 3]).unwrap();
                let chain = count.then(LaplaceNoise::vector(amount("1"))?);
                let pairs = Neighbours::of([1, 2, 3, 4]).add_remove(5, rng)?;
                audit.mechanism(&chain, &pairs, rng)
            }),
            ("count by group, L2, replace", |audit, rng| {
                let count = CountByGroup::<u8, Record, Replace, L2>::new(&[1, 2, 3]).unwrap();
                let chain = count.then(GaussianNoise::vector(amount("2"))?);
                let pairs = Neighbours::of([1, 2, 3, 4]).replace(5, rng)?;
                audit.mechanism(&chain, &pairs, rng)
            }),
            ("rows of users, bounded", |audit, rng| {
                let values = Map::<(u64, i64), i64, _>::new(|row: &(u64, i64)| row.1);
                let sum = BoundedSum::new(Bounds::new(0, 5)?)?;
                let noise = LaplaceNoise::scalar(amount("15"))?;
                let chain = BoundRows::new(3)?.then(values).then(sum).then(noise);
                let pairs = Neighbours::<i64>::extreme().users(5, rng)?;
                audit.mechanism(&chain, &pairs, rng)
            }),
            ("Gaussian noise of calibrated variance", |audit, rng| {
                let sensitivity = L2Distance::from_squared(amount("4"));
                let noise = GaussianNoise::<Scalar>::calibrated(&sensitivity, &Rho::new(0.5)?)?;
                audit.mechanism_at(&noise, amount("2"), &[(0, 2), (-2, 0)], rng)
            }),
        ],
    );
}
