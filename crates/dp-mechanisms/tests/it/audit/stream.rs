//! Streams: all of their first steps are observed.

use dp_mechanisms::audit::Claim;
use dp_mechanisms::prelude::*;
use dp_mechanisms::stream::{
    Continual, Contribution, SquareRootPlan, TreePlan, UnboundedPlan, WindowPlan,
};
use privacy_core::random::SecureRng;

use super::{FEW, acquit, epsilon};

type Pair = (Vec<i64>, Vec<i64>);

/// Streams of five steps that differ in one of them by 1.
fn one_record() -> Vec<Pair> {
    let other = |step: usize| {
        let mut steps = vec![0; 5];
        steps[step] += 1;
        steps
    };
    vec![(vec![0; 5], other(0)), (other(3), vec![0; 5])]
}

/// Streams of five steps that differ in two of them by 3.
fn two_steps() -> Vec<Pair> {
    vec![(vec![0; 5], vec![3, 3, 0, 0, 0]), (vec![1, 3, 1, 1, 3], vec![1, 0, 1, 1, 6])]
}

/// The estimates, and their differences: what a step seems to have brought.
fn observed(
    mut stream: impl Continual,
    steps: &[i64],
) -> dp_mechanisms::Result<(Vec<i128>, Vec<i128>)> {
    let told: dp_mechanisms::Result<Vec<i128>> = steps.iter().map(|x| stream.advance(*x)).collect();
    let told = told?;
    let brought = told.windows(2).map(|pair| pair[1] - pair[0]).collect();
    Ok((told, brought))
}

fn twice() -> dp_mechanisms::Result<Contribution> {
    Contribution::new(2, 3)
}

#[test]
fn trees_keep_their_price() {
    acquit(
        FEW,
        &[
            ("tree, Laplace", |audit, rng| {
                let plan = TreePlan::laplace(5, Contribution::ONE_RECORD, &epsilon(4.0)).unwrap();
                let run = |steps: &[i64], rng: &mut dyn SecureRng| observed(plan.open(rng), steps);
                audit.run(plan.charge().clone(), &one_record(), rng, run)
            }),
            ("tree, Laplace, a unit in two steps", |audit, rng| {
                let plan = TreePlan::laplace(5, twice().unwrap(), &epsilon(4.0)).unwrap();
                let run = |steps: &[i64], rng: &mut dyn SecureRng| observed(plan.open(rng), steps);
                audit.run(plan.charge().clone(), &two_steps(), rng, run)
            }),
            ("refined tree, Laplace, a unit in two steps", |audit, rng| {
                let plan = TreePlan::laplace(5, twice().unwrap(), &epsilon(4.0)).unwrap();
                audit.run(plan.charge().clone(), &two_steps(), rng, |steps: &[i64], rng| {
                    let mut stream = plan.open_refined(rng);
                    steps.iter().map(|x| stream.step(*x)).collect::<dp_mechanisms::Result<Vec<_>>>()
                })
            }),
            ("tree, Gaussian, a unit in two steps", |audit, rng| {
                let rho = Rho::new(3.0)?;
                let plan = TreePlan::gaussian(5, twice().unwrap(), &rho).unwrap();
                let run = |steps: &[i64], rng: &mut dyn SecureRng| observed(plan.open(rng), steps);
                audit.run(plan.charge().clone(), &two_steps(), rng, run)
            }),
        ],
    );
}

#[test]
fn other_streams_keep_their_price() {
    acquit(
        FEW,
        &[
            ("square root", |audit, rng| {
                let rho = Rho::new(2.0)?;
                let plan = SquareRootPlan::new(5, Contribution::ONE_RECORD, &rho).unwrap();
                let run = |steps: &[i64], rng: &mut dyn SecureRng| observed(plan.open(rng), steps);
                audit.run(Claim::zcdp(rho), &one_record(), rng, run)
            }),
            ("square root, a unit in two steps", |audit, rng| {
                let plan = SquareRootPlan::new(5, twice().unwrap(), &Rho::new(3.0)?).unwrap();
                let run = |steps: &[i64], rng: &mut dyn SecureRng| observed(plan.open(rng), steps);
                audit.run(plan.charge().clone(), &two_steps(), rng, run)
            }),
            ("stream without end, Laplace, a unit in two steps", |audit, rng| {
                let plan = UnboundedPlan::laplace(twice().unwrap(), &epsilon(4.0)).unwrap();
                audit.run(plan.charge().clone(), &two_steps(), rng, |steps: &[i64], rng| {
                    observed(plan.open(rng)?, steps)
                })
            }),
            ("stream without end, Gaussian", |audit, rng| {
                let plan = UnboundedPlan::gaussian(Contribution::ONE_RECORD, &Rho::new(2.0)?);
                let plan = plan.unwrap();
                audit.run(plan.charge().clone(), &one_record(), rng, |steps: &[i64], rng| {
                    observed(plan.open(rng)?, steps)
                })
            }),
            ("window, Laplace", |audit, rng| {
                let plan = WindowPlan::laplace(3, Contribution::ONE_RECORD, &epsilon(4.0)).unwrap();
                let run = |steps: &[i64], rng: &mut dyn SecureRng| observed(plan.open(rng), steps);
                audit.run(plan.charge().clone(), &one_record(), rng, run)
            }),
            ("window, Gaussian, a unit in two steps", |audit, rng| {
                let plan = WindowPlan::gaussian(3, twice().unwrap(), &Rho::new(3.0)?).unwrap();
                let run = |steps: &[i64], rng: &mut dyn SecureRng| observed(plan.open(rng), steps);
                audit.run(plan.charge().clone(), &two_steps(), rng, run)
            }),
        ],
    );
}
