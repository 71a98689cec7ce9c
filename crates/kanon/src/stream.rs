//! Streams: tuples leave generalized within a bounded delay, in clusters of at least k people
//! (after CASTLE; Cao et al. 2008, <https://doi.org/10.1109/ICDE.2008.4497443>).
//!
//! A tuple joins the open cluster that grows least. When a tuple is `delay` arrivals old, its cluster
//! leaves if it holds k different people; else clusters are merged until it does, and if all
//! together do not, the tuple is suppressed. The delay is never exceeded, and people are counted,
//! not tuples.

use std::collections::{BTreeSet, VecDeque};

use crate::error::{Error, Result};

/// How a stream is anonymized.
#[derive(Clone, Debug)]
#[must_use]
pub struct Castle {
    k: usize,
    delay: usize,
    most_open: usize,
    memory: usize,
    domains: Vec<(f64, f64)>,
    waiting: VecDeque<Waiting>,
    clusters: Vec<Cluster>,
    recent: VecDeque<f64>,
    arrived: u64,
}

#[derive(Clone, Debug)]
struct Waiting {
    number: u64,
    cluster: u64,
}

#[derive(Clone, Debug)]
struct Cluster {
    name: u64,
    ranges: Vec<(f64, f64)>,
    members: Vec<(u64, u64, Vec<f64>)>,
}

/// A tuple that leaves the stream.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Emitted {
    /// Its number in order of arrival, counted from 0; for the holder alone.
    pub number: u64,
    /// The range of each attribute; `None` if the tuple is suppressed.
    pub ranges: Option<Vec<(f64, f64)>>,
}

impl Cluster {
    fn people(&self) -> usize {
        self.members.iter().map(|member| member.1).collect::<BTreeSet<_>>().len()
    }

    fn united(&self, ranges: &[(f64, f64)]) -> Vec<(f64, f64)> {
        let join = |(a, b): (&(f64, f64), &(f64, f64))| (a.0.min(b.0), a.1.max(b.1));
        self.ranges.iter().zip(ranges).map(join).collect()
    }
}

impl Castle {
    /// Clusters of at least k people, a delay in tuples, at most `most_open` clusters at a time, and
    /// the public range of each attribute.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a k, delay or number of clusters of 0, a delay below k, or a range
    /// that is empty or not finite.
    ///
    /// # Example
    ///
    /// ```
    /// use kanon::stream::Castle;
    ///
    /// let mut stream = Castle::new(2, 4, 8, vec![(0.0, 100.0)])?;
    /// let mut out = Vec::new();
    /// for (person, age) in [(1, 30.0), (2, 32.0), (3, 70.0), (4, 71.0), (5, 33.0)] {
    ///     out.extend(stream.push(person, vec![age])?);
    /// }
    /// out.extend(stream.finish());
    /// assert_eq!(out.len(), 5);
    /// # Ok::<(), kanon::Error>(())
    /// ```
    pub fn new(k: usize, delay: usize, most_open: usize, domains: Vec<(f64, f64)>) -> Result<Self> {
        let wrong = |parameter, requirement| Err(Error::Parameter { parameter, requirement });
        if k == 0 || most_open == 0 {
            return wrong("k and the number of open clusters", "at least 1");
        }
        if delay < k {
            return wrong("the delay", "at least k tuples");
        }
        if domains.is_empty() || !domains.iter().all(|(a, b)| a < b && (b - a).is_finite()) {
            return wrong("the range of an attribute", "finite and not empty");
        }
        Ok(Castle {
            k,
            delay,
            most_open,
            memory: 100,
            domains,
            waiting: VecDeque::new(),
            clusters: Vec::new(),
            recent: VecDeque::new(),
            arrived: 0,
        })
    }

    fn loss(&self, ranges: &[(f64, f64)]) -> f64 {
        let share = |((a, b), (low, high)): (&(f64, f64), &(f64, f64))| (b - a) / (high - low);
        ranges.iter().zip(&self.domains).map(share).sum::<f64>() / self.domains.len() as f64
    }

    /// Takes a tuple in; gives those that must leave.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for another number of attributes or a value outside its range; the
    /// tuple is not taken in.
    pub fn push(&mut self, person: u64, values: Vec<f64>) -> Result<Vec<Emitted>> {
        let fits = values.len() == self.domains.len()
            && values.iter().zip(&self.domains).all(|(v, (a, b))| a <= v && v <= b);
        if !fits {
            return Err(Error::Parameter {
                parameter: "a tuple of the stream",
                requirement: "one value within its range for each attribute",
            });
        }
        let number = self.arrived;
        self.arrived += 1;
        let point: Vec<(f64, f64)> = values.iter().map(|&v| (v, v)).collect();
        // As much loss as the last released clusters had is good enough.
        let tolerated = self.recent.iter().sum::<f64>() / self.recent.len().max(1) as f64;
        let growth = |cluster: &Cluster| {
            let grown = self.loss(&cluster.united(&point));
            (grown - self.loss(&cluster.ranges), grown)
        };
        let best = self
            .clusters
            .iter()
            .enumerate()
            .map(|(i, cluster)| (i, growth(cluster)))
            .min_by(|a, b| a.1.0.total_cmp(&b.1.0).then(a.1.1.total_cmp(&b.1.1)));
        let place = match best {
            Some((i, (_, loss))) if loss <= tolerated || self.clusters.len() >= self.most_open => i,
            _ => {
                self.clusters.push(Cluster {
                    name: number,
                    ranges: point.clone(),
                    members: Vec::new(),
                });
                self.clusters.len() - 1
            }
        };
        let cluster = &mut self.clusters[place];
        cluster.ranges = cluster.united(&point);
        cluster.members.push((number, person, values));
        let name = cluster.name;
        self.waiting.push_back(Waiting { number, cluster: name });
        let mut out = Vec::new();
        while self.waiting.front().is_some_and(|w| self.arrived - w.number > self.delay as u64) {
            self.expire(&mut out);
        }
        Ok(out)
    }

    /// Lets all that wait leave.
    #[must_use]
    pub fn finish(mut self) -> Vec<Emitted> {
        let mut out = Vec::new();
        while !self.waiting.is_empty() {
            self.expire(&mut out);
        }
        out
    }

    /// The oldest tuple must leave now.
    fn expire(&mut self, out: &mut Vec<Emitted>) {
        let Some(oldest) = self.waiting.front().cloned() else { return };
        let Some(at) = self.clusters.iter().position(|c| c.name == oldest.cluster) else {
            self.waiting.pop_front();
            return;
        };
        let mut cluster = self.clusters.swap_remove(at);
        while cluster.people() < self.k && !self.clusters.is_empty() {
            let nearest = (0..self.clusters.len()).min_by(|&a, &b| {
                let loss = |i: usize| self.loss(&cluster.united(&self.clusters[i].ranges));
                loss(a).total_cmp(&loss(b)).then(self.clusters[a].name.cmp(&self.clusters[b].name))
            });
            let Some(nearest) = nearest else { break };
            let other = self.clusters.swap_remove(nearest);
            cluster.ranges = cluster.united(&other.ranges);
            cluster.members.extend(other.members);
        }
        if cluster.people() < self.k {
            // Not enough people anywhere: this tuple is suppressed, the others wait on.
            cluster.members.retain(|member| member.0 != oldest.number);
            out.push(Emitted { number: oldest.number, ranges: None });
            self.waiting.pop_front();
            for waiting in &mut self.waiting {
                waiting.cluster = cluster.name;
            }
            if let Some((_, _, first)) = cluster.members.first() {
                let mut ranges: Vec<(f64, f64)> = first.iter().map(|&v| (v, v)).collect();
                for (_, _, values) in &cluster.members {
                    for (range, &v) in ranges.iter_mut().zip(values) {
                        *range = (range.0.min(v), range.1.max(v));
                    }
                }
                cluster.ranges = ranges;
                self.clusters.push(cluster);
            }
            return;
        }
        for part in split(cluster, self.k) {
            let loss = self.loss(&part.ranges);
            self.recent.push_back(loss);
            if self.recent.len() > self.memory {
                self.recent.pop_front();
            }
            let gone: BTreeSet<u64> = part.members.iter().map(|member| member.0).collect();
            self.waiting.retain(|waiting| !gone.contains(&waiting.number));
            out.extend(
                gone.into_iter()
                    .map(|number| Emitted { number, ranges: Some(part.ranges.clone()) }),
            );
        }
    }
}

/// Halves a cluster along its widest attribute while both halves keep k people.
fn split(cluster: Cluster, k: usize) -> Vec<Cluster> {
    if cluster.people() < 2 * k {
        return vec![cluster];
    }
    let widest = (0..cluster.ranges.len()).max_by(|&a, &b| {
        let width = |i: usize| cluster.ranges[i].1 - cluster.ranges[i].0;
        width(a).total_cmp(&width(b))
    });
    let Some(widest) = widest else { return vec![cluster] };
    let mut members = cluster.members.clone();
    members.sort_by(|a, b| a.2[widest].total_cmp(&b.2[widest]).then(a.0.cmp(&b.0)));
    let right = members.split_off(members.len() / 2);
    let part = |members: Vec<(u64, u64, Vec<f64>)>| {
        let fold = |i: usize| {
            let values = || members.iter().map(|member| member.2[i]);
            let least = values().fold(f64::INFINITY, f64::min);
            (least, values().fold(f64::NEG_INFINITY, f64::max))
        };
        let ranges = (0..cluster.ranges.len()).map(fold).collect();
        Cluster { name: cluster.name, ranges, members }
    };
    let (left, right) = (part(members), part(right));
    if left.people() < k || right.people() < k {
        return vec![cluster];
    }
    let mut all = split(left, k);
    all.extend(split(right, k));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn every_tuple_leaves_in_time_and_in_company() {
        let (k, delay) = (3, 10);
        let mut stream = Castle::new(k, delay, 4, vec![(0.0, 100.0), (0.0, 10.0)]).unwrap();
        let mut left: BTreeMap<u64, u64> = BTreeMap::new();
        let mut company: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
        let person = |i: u64| i * 7 % 23;
        let values = |i: u64| vec![(i * 37 % 101) as f64 % 100.0, (i % 7) as f64];
        let mut out = Vec::new();
        for i in 0..300u64 {
            for emitted in stream.push(person(i), values(i)).unwrap() {
                left.insert(emitted.number, i);
                out.push(emitted);
            }
        }
        for emitted in stream.finish() {
            left.insert(emitted.number, 299);
            out.push(emitted);
        }
        assert_eq!(left.len(), 300);
        assert!(left.iter().all(|(number, at)| at - number <= delay as u64));
        for emitted in &out {
            let Some(ranges) = &emitted.ranges else { continue };
            let inside = |(v, (a, b)): (f64, &(f64, f64))| *a <= v && v <= *b;
            assert!(values(emitted.number).into_iter().zip(ranges).all(inside));
            company.entry(format!("{ranges:?}")).or_default().insert(person(emitted.number));
        }
        assert!(company.values().all(|people| people.len() >= k));
        assert!(out.iter().filter(|e| e.ranges.is_none()).count() < 10);
    }

    #[test]
    fn one_person_alone_is_suppressed() {
        let mut stream = Castle::new(2, 2, 4, vec![(0.0, 1.0)]).unwrap();
        let mut out = Vec::new();
        for _ in 0..5 {
            out.extend(stream.push(1, vec![0.5]).unwrap());
        }
        out.extend(stream.finish());
        assert!(out.len() == 5 && out.iter().all(|e| e.ranges.is_none()));
        let mut stream = Castle::new(2, 2, 4, vec![(0.0, 1.0)]).unwrap();
        assert!(stream.push(1, vec![2.0]).is_err() && stream.push(1, vec![]).is_err());
        assert!(Castle::new(3, 2, 1, vec![(0.0, 1.0)]).is_err());
    }
}
