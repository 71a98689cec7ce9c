//! From a rule to the checked levels of a column.

use std::collections::{HashMap, HashSet};
use std::io::Read;

use super::{ANY, Hierarchy, Levels, Rule, uncovered};
use crate::error::{DataValue, Error, HierarchyProblem, Result};
use crate::table::{Column, Value};

/// Levels above the lowest, at most.
pub(crate) const MOST_LEVELS: usize = 250;

pub(super) fn problem(line: usize, problem: HierarchyProblem) -> Error {
    Error::Hierarchy { column: "(not yet applied)".into(), line: line as u64, problem }
}

pub(super) fn check_rows(rows: &[Vec<String>]) -> Result<()> {
    let expected = match rows.first() {
        None => return Err(problem(0, HierarchyProblem::Empty)),
        Some(row) if row.is_empty() => return Err(problem(1, HierarchyProblem::Empty)),
        Some(row) => row.len(),
    };
    let mut leaves = HashSet::new();
    let mut parents: Vec<HashMap<&str, &str>> = vec![HashMap::new(); expected];
    for (i, row) in rows.iter().enumerate() {
        if row.len() != expected {
            let found = row.len();
            return Err(problem(i + 1, HierarchyProblem::Ragged { expected, found }));
        }
        if !leaves.insert(row[0].as_str()) {
            let value = DataValue::new(&row[0]);
            return Err(problem(i + 1, HierarchyProblem::DuplicateLeaf { value }));
        }
        for (level, pair) in row.windows(2).enumerate() {
            if *parents[level].entry(&pair[0]).or_insert(&pair[1]) != pair[1] {
                let value = DataValue::new(&pair[0]);
                return Err(problem(i + 1, HierarchyProblem::TwoParents { value, level }));
            }
        }
    }
    Ok(())
}

pub(super) fn read_rows(input: impl Read, delimiter: u8) -> Result<Vec<Vec<String>>> {
    if matches!(delimiter, b'"' | b'\n' | b'\r') {
        return Err(Error::Parameter {
            parameter: "the delimiter",
            requirement: "neither the quote nor a line break",
        });
    }
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(input);
    let mut rows = Vec::new();
    for (i, record) in reader.records().enumerate() {
        let record = record.map_err(|error| Error::Csv {
            line: error.position().map_or(i as u64 + 1, csv::Position::line),
            problem: "the hierarchy cannot be read as delimited UTF-8 text",
        })?;
        let skip_mark = |(place, field): (usize, &str)| match (i, place) {
            (0, 0) => field.trim_start_matches('\u{feff}').to_owned(),
            _ => field.to_owned(),
        };
        rows.push(record.iter().enumerate().map(skip_mark).collect());
    }
    Ok(rows)
}

pub(super) fn tree_rows(edges: Vec<(String, String)>) -> Result<Vec<Vec<String>>> {
    let mut parents: HashMap<&str, &str> = HashMap::new();
    let mut inner: HashSet<&str> = HashSet::new();
    for (i, (child, parent)) in edges.iter().enumerate() {
        if *parents.entry(child).or_insert(parent) != parent.as_str() {
            let value = DataValue::new(child);
            return Err(problem(i + 1, HierarchyProblem::TwoParents { value, level: 0 }));
        }
        inner.insert(parent);
    }
    let mut chains = Vec::new();
    for (i, (leaf, _)) in edges.iter().enumerate() {
        if inner.contains(leaf.as_str()) {
            continue;
        }
        let mut chain = vec![leaf.as_str()];
        while let Some(&parent) = chain.last().and_then(|node| parents.get(node)) {
            if chain.len() > MOST_LEVELS.min(edges.len()) {
                let circle = "the pairs run in a circle, or form more than 250 levels";
                return Err(problem(i + 1, HierarchyProblem::Builder(circle)));
            }
            chain.push(parent);
        }
        chains.push(chain);
    }
    if chains.is_empty() {
        let what =
            HierarchyProblem::Builder("no node is without children: the pairs run in circles");
        return Err(problem(0, what));
    }
    let depth = chains.iter().map(Vec::len).max().unwrap_or(0);
    let roots: HashSet<&str> = chains.iter().filter_map(|chain| chain.last().copied()).collect();
    let extra = usize::from(roots.len() > 1);
    let pad = |chain: Vec<&str>| {
        let leaf = chain[0];
        let mut row = vec![leaf.to_owned(); depth - chain.len()];
        row.extend(chain.into_iter().map(str::to_owned));
        row.extend(vec![ANY.to_owned(); extra]);
        row
    };
    Ok(chains.into_iter().map(pad).collect())
}

pub(super) fn check_ordered(values: &[String], fan_outs: &[usize]) -> Result<()> {
    if values.is_empty() {
        return Err(problem(0, HierarchyProblem::Empty));
    }
    if fan_outs.iter().any(|&fan_out| fan_out < 2) {
        return Err(problem(0, HierarchyProblem::Builder("a fan-out must be at least 2")));
    }
    let mut seen = HashSet::new();
    for (i, value) in values.iter().enumerate() {
        if !seen.insert(value) {
            let value = DataValue::new(value);
            return Err(problem(i + 1, HierarchyProblem::DuplicateLeaf { value }));
        }
    }
    Ok(())
}

fn ordered_rows(values: &[String], fan_outs: &[usize]) -> Vec<Vec<Value>> {
    let last = values.len() - 1;
    let row = |(i, value): (usize, &String)| {
        let mut chain = vec![Value::from(value.as_str())];
        let mut size = 1usize;
        for &fan_out in fan_outs {
            size = size.saturating_mul(fan_out);
            let start = i / size * size;
            let end = start.saturating_add(size - 1).min(last);
            let label = match (start, end) {
                (0, end) if end == last => ANY.to_owned(),
                (start, end) if start == end => values[start].clone(),
                (start, end) => format!("{}..{}", values[start], values[end]),
            };
            chain.push(label.as_str().into());
        }
        chain.push(ANY.into());
        chain
    };
    values.iter().enumerate().map(row).collect()
}

/// The chains of the column's entries: from a list by look-up, else by the rule.
pub(super) fn levels(rule: &Rule, column: &Column) -> Result<Levels> {
    let count = match rule {
        Rule::Listed(rows) => rows.first().map_or(0, |row| row.len() - 1),
        Rule::Ordered(_, fan_outs) => fan_outs.len() + 1,
        Rule::Intervals(intervals) => intervals.count(),
        Rule::Dates(units) => units.len() + 1,
        Rule::Function(count, _) => *count,
        Rule::Masking(_) | Rule::Suppress | Rule::Fixed => 1,
    };
    if count > MOST_LEVELS {
        return Err(Error::TooLarge { what: "levels of a hierarchy", limit: MOST_LEVELS as u64 });
    }
    match rule {
        Rule::Listed(rows) => {
            let chain = |row: &Vec<String>| row.iter().map(|s| Value::from(s.as_str())).collect();
            listed(rows.iter().map(chain).collect(), column)
        }
        Rule::Ordered(values, fan_outs) => listed(ordered_rows(values, fan_outs), column),
        Rule::Intervals(intervals) => intervals.levels(column),
        Rule::Masking(masking) => masking.levels(column),
        Rule::Dates(units) => super::rules::date_levels(units, column),
        Rule::Function(count, group) => by_value(column, *count, |text, level| group(text, level)),
        Rule::Suppress => by_value(column, 1, |_, _| ANY.to_owned()),
        Rule::Fixed => by_value(column, 0, |_, _| String::new()),
    }
}

/// Levels whose domain is the column's own values.
pub(super) fn by_value(
    column: &Column,
    count: usize,
    group: impl Fn(&str, usize) -> String,
) -> Result<Levels> {
    let chain = |value: &Value| match value {
        Value::Text(text) => {
            let mut chain = vec![value.clone()];
            chain.extend((1..=count).map(|level| Value::from(group(text, level).as_str())));
            chain
        }
        other => vec![other.clone(); count + 1],
    };
    let mut chains: Vec<Vec<Value>> = column.dictionary().iter().map(chain).collect();
    join_at_top(&mut chains);
    Levels::assemble(column.name(), &chains, None, None)
}

/// A missing value joins the others where these form one group.
pub(super) fn join_at_top(chains: &mut [Vec<Value>]) {
    let mut tops = chains.iter().filter_map(|chain| chain.last().filter(|v| v.text().is_some()));
    let Some(top) = tops.next().cloned() else { return };
    let single = tops.all(|other| *other == top);
    let nontrivial = chains.first().is_some_and(|chain| chain.len() > 1);
    if single && nontrivial {
        for chain in chains.iter_mut() {
            if let Some(last) = chain.last_mut() {
                *last = top.clone();
            }
        }
    }
}

fn listed(mut domain: Vec<Vec<Value>>, column: &Column) -> Result<Levels> {
    let count = domain.first().map_or(1, Vec::len);
    let known: HashMap<Value, usize> =
        domain.iter().enumerate().map(|(i, chain)| (chain[0].clone(), i)).collect();
    // An empty text in a list stands for a missing value.
    let listed_missing = known.get(&Value::from("")).copied();
    let mut chains = Vec::with_capacity(column.dictionary().len());
    let mut unlisted = Vec::new();
    let occurs = column.counts();
    for (entry, value) in column.dictionary().iter().enumerate() {
        let found = match value {
            Value::Text(_) => known.get(value).copied(),
            _ => listed_missing,
        };
        match (found, value) {
            (Some(place), Value::Text(_)) => {
                // An empty text that is a value stands beside the missing one.
                if found == listed_missing {
                    unlisted.push(domain[place].clone());
                }
                chains.push(domain[place].clone());
            }
            (Some(place), other) => {
                let mut chain = domain[place].clone();
                chain[0] = other.clone();
                if *other != Value::Missing {
                    unlisted.push(chain.clone());
                }
                chains.push(chain);
            }
            (None, Value::Text(_)) if occurs[entry] > 0 => return Err(uncovered(column, entry)),
            (None, other) => {
                let mut chain = vec![other.clone(); count];
                let top = &domain[0][count - 1];
                if count > 1 && domain.iter().all(|chain| chain[count - 1] == *top) {
                    chain[count - 1] = top.clone();
                }
                if other.text().is_none() {
                    unlisted.push(chain.clone());
                }
                chains.push(chain);
            }
        }
    }
    if let Some(place) = listed_missing {
        domain[place][0] = Value::Missing;
    }
    domain.extend(unlisted);
    Levels::assemble(column.name(), &chains, Some(&domain), None)
}

impl Hierarchy {
    pub(super) fn masked(masking: super::Masking) -> Self {
        Hierarchy { rule: Rule::Masking(masking) }
    }
}
