//! Overlapping candidates become disjoint findings.
//!
//! Candidates that overlap, directly or through others, form a cluster. Within it they are taken in
//! this order, each if it overlaps none that was taken before: the caller's own recognizers; the
//! higher score, with 0.1 for check characters that hold and 0.25 for a label just before it; the
//! longer; the entity that stands first in the tables. A candidate within another of the same
//! entity does not count by itself. What the others cover
//! beyond that is edited together with a neighbour, so that no byte of any candidate is left.
//! The result does not depend on the order in which candidates were found.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::checksum::Verdict;
use crate::scan::{Candidate, Source};
use crate::work::work;

/// A candidate that was taken, what must be edited with it, and whom it overruled.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) candidate: Candidate,
    pub(crate) edit: (usize, usize),
    pub(crate) overruled: Vec<u16>,
}

/// The score that counts between overlapping candidates: check characters that hold speak for one,
/// and a label just before it even more.
fn strength(c: &Candidate) -> f32 {
    let sure = c.verdict == Verdict::Valid && c.score >= 0.6;
    let labelled = c.context.is_some_and(|hit| !hit.after && hit.distance <= 2);
    c.score + if sure { 0.1 } else { 0.0 } + if labelled { 0.25 } else { 0.0 }
}

fn priority(a: &Candidate, b: &Candidate) -> Ordering {
    let custom = |c: &Candidate| matches!(c.source, Source::Custom(_)) && c.score >= 0.8;
    custom(b)
        .cmp(&custom(a))
        .then(strength(b).total_cmp(&strength(a)))
        .then((b.end - b.start).cmp(&(a.end - a.start)))
        .then(a.entity.cmp(&b.entity))
        .then(a.start.cmp(&b.start))
}

pub(crate) fn resolve(all: &mut Vec<Candidate>) -> Vec<Resolved> {
    work(all.len());
    all.sort_by(|a, b| (a.start, b.end).cmp(&(b.start, a.end)).then_with(|| priority(a, b)));
    join_contained(all);
    let mut out = Vec::with_capacity(all.len());
    let mut rest = all.as_mut_slice();
    while let Some(first) = rest.first() {
        let mut end = first.end;
        let len = rest
            .iter()
            .position(|c| {
                let apart = c.start >= end;
                end = end.max(c.end);
                apart
            })
            .unwrap_or(rest.len());
        let (cluster, more) = std::mem::take(&mut rest).split_at_mut(len);
        settle(cluster, &mut out);
        rest = more;
    }
    out
}

/// Gives a candidate the score of those of its entity that lie within it, and drops those:
/// "RX-482913" is one number, whatever speaks for "482913". Only check characters that hold
/// in the part and not in the whole keep the part.
fn join_contained(all: &mut Vec<Candidate>) {
    let mut kept = 0;
    for i in 0..all.len() {
        let Some((before, [c, ..])) = all.split_at_mut_checked(i) else { break };
        let before = before.get_mut(..kept).unwrap_or_default();
        let whole = before.iter_mut().rev().take(12).find(|w| {
            w.entity == c.entity
                && w.end >= c.end
                && (w.verdict == Verdict::Valid || c.verdict != Verdict::Valid)
        });
        match whole {
            Some(whole) => {
                if c.score > whole.score {
                    whole.score = c.score;
                    whole.context = whole.context.or(c.context);
                }
            }
            None => {
                all.swap(kept, i);
                kept += 1;
            }
        }
    }
    all.truncate(kept);
}

fn settle(cluster: &mut [Candidate], out: &mut Vec<Resolved>) {
    if let [only] = cluster {
        let edit = (only.start, only.end);
        out.push(Resolved { candidate: *only, edit, overruled: Vec::new() });
        return;
    }
    let start = cluster.iter().map(|c| c.start).min().unwrap_or(0);
    let end = cluster.iter().map(|c| c.end).max().unwrap_or(start);
    cluster.sort_by(priority);
    let first = out.len();
    let mut take = |c: &Candidate| {
        out.push(Resolved { candidate: *c, edit: (c.start, c.end), overruled: Vec::new() });
    };
    match cluster {
        // The strongest overlaps all others: the usual case.
        [c, others @ ..] if others.iter().all(|o| o.start < c.end && c.start < o.end) => take(c),
        _ => {
            // Taken spans are disjoint: a map from start to end answers whether a new one overlaps.
            let mut taken = BTreeMap::new();
            for (i, c) in cluster.iter().enumerate() {
                let before = taken.range(..c.end).next_back();
                if before.is_none_or(|(_, (taken_end, _))| *taken_end <= c.start) {
                    taken.insert(c.start, (c.end, i));
                }
            }
            taken.values().filter_map(|(_, i)| cluster.get(*i)).for_each(take);
        }
    }
    let Some(winners) = out.get_mut(first..) else { return };
    for c in cluster.iter() {
        let at = winners.partition_point(|w| w.candidate.start <= c.start);
        let at = at.saturating_sub(1);
        for winner in winners.iter_mut().skip(at).take(2) {
            let w = &winner.candidate;
            let overlaps = w.start < c.end && c.start < w.end;
            if overlaps
                && w.entity != c.entity
                && !winner.overruled.contains(&c.entity)
                && winner.overruled.len() < 8
            {
                winner.overruled.push(c.entity);
            }
        }
    }
    // The cluster has no gaps: each winner's edit reaches to the next winner.
    let starts: Vec<usize> =
        winners.iter().skip(1).map(|w| w.candidate.start).chain([end]).collect();
    let mut from = start;
    for (winner, to) in winners.iter_mut().zip(starts) {
        winner.edit = (from, to);
        from = to;
    }
}
