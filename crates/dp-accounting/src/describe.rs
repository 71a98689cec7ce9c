//! The table a reviewer reads: event, count, share of the loss.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::event::{Event, Plan, Relation, leaves};
use crate::price::adjacency_name;

/// A plan explained: one line per kind of event, and the total.
///
/// # Example
///
/// ```
/// use dp_accounting::account::{Accountant, Renyi};
/// use dp_accounting::event::{Event, Plan, Relation};
///
/// let weekly = Event::gaussian(20.0)?.repeat(52).and(Event::laplace(30.0)?.repeat(4));
/// let report = Renyi.describe(&Plan::new(Relation::AddRemove, weekly)?, 1e-6)?;
/// assert_eq!(report.lines.len(), 2);
/// println!("{report}");
/// # Ok::<(), dp_accounting::AccountingError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// Who answered.
    pub accountant: String,
    /// The relation between neighbours.
    pub adjacency: Relation,
    /// The delta of the question.
    #[serde(with = "crate::exact")]
    pub delta: f64,
    /// The epsilon of the whole plan, rounded up; infinite where none can be certified.
    #[serde(with = "crate::exact")]
    pub epsilon: f64,
    /// The kinds of events, in the order of the plan.
    pub lines: Vec<Line>,
}

/// One kind of event in a [`Report`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Line {
    /// The event with its parameters.
    pub event: String,
    /// How often it happens.
    pub count: u64,
    /// Its share of the loss, 0 to 1: what the epsilon would fall by without it, in proportion to
    /// the same figure of the other lines. Rounded to nearest; for reading, not for accounting.
    #[serde(with = "crate::exact")]
    pub share: f64,
}

pub(crate) fn report(
    accountant: &'static str,
    plan: &Plan,
    delta: f64,
    epsilon: &dyn Fn(&Plan) -> Result<f64>,
) -> Result<Report> {
    let total = epsilon(plan)?;
    let parts = leaves(plan.event())?;
    let part = |skip: usize| -> Result<f64> {
        let events = parts
            .iter()
            .enumerate()
            .filter(|(i, _)| *i != skip)
            .map(|(_, (leaf, count))| leaf.clone().repeat(*count))
            .collect();
        let rest = epsilon(&Plan::new(plan.adjacency(), Event::Composed { events })?)?;
        // Two infinities tell nothing; one tells everything.
        Ok(if rest.is_infinite() { 0.0 } else { (total - rest).clamp(0.0, f64::MAX) })
    };
    let marginal = (0..parts.len()).map(part).collect::<Result<Vec<f64>>>()?;
    let sum: f64 = marginal.iter().sum();
    let lines = parts
        .iter()
        .zip(&marginal)
        .map(|((leaf, count), share)| Line {
            event: leaf.to_string(),
            count: *count,
            share: if sum > 0.0 { share / sum } else { 0.0 },
        })
        .collect();
    Ok(Report {
        accountant: accountant.to_owned(),
        adjacency: plan.adjacency(),
        delta,
        epsilon: total,
        lines,
    })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.lines.iter().map(|line| line.event.chars().count()).fold(5, usize::max);
        writeln!(f, "{:<width$}  {:>10}  {:>6}", "event", "count", "share")?;
        for Line { event, count, share } in &self.lines {
            writeln!(f, "{event:<width$}  {count:>10}  {:>5.1}%", 100.0 * share)?;
        }
        let adjacency = adjacency_name(self.adjacency);
        if self.epsilon.is_finite() {
            // Six decimals, rounded up.
            let shown = (self.epsilon * 1e6).ceil() / 1e6;
            write!(f, "epsilon <= {shown:.6} at delta {:e}", self.delta)?;
        } else {
            write!(f, "no epsilon can be certified at delta {:e}", self.delta)?;
        }
        write!(f, " ({}, {adjacency})", self.accountant)
    }
}
