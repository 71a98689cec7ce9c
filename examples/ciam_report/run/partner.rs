//! A table for a partner: rows in crowds, with a study for the owner of what that took away.

use confidant::core::context::Context;
use confidant::core::pipeline::Pipeline;
use confidant::core::sensitive::Sensitive;
use confidant::kanon::prelude::{Hierarchy, Intervals, Masking, Model, Roles, Table};
use confidant::kanon::risk::Classes;
use confidant::kanon::stage::AnonymizeStage;
use confidant::kanon::table::Column;
use confidant::kanon::{self, Release};

use crate::error::Error;
use crate::made_up::profile::{BIRTH_YEARS, POSTCODE_DIGITS, POSTCODES, Profile, REGIONS};
use crate::report::{Band, ColumnDetail, RiskOf, TableStudy};

/// The share of rows that may be left out for the others' sake.
pub const LEFT_OUT: f64 = 0.02;

/// Above which a risk is counted as high: a crowd of five.
const HIGH: f64 = 0.2;

/// Upper ends of the bands of class sizes.
const BANDS: [(u64, &str); 6] =
    [(1, "1"), (4, "2–4"), (9, "5–9"), (49, "10–49"), (199, "50–199"), (u64::MAX, "200+")];

/// How a table is to be made anonymous.
pub struct Order {
    pub roles: Roles,
    pub models: Vec<Model>,
    pub left_out: f64,
}

impl Order {
    /// For the profiles of the made-up product.
    pub fn for_profiles(k: u64) -> Result<Self, Error> {
        let years = Intervals::new(BIRTH_YEARS.start, BIRTH_YEARS.end).widths([5, 10, 20, 40]);
        let regions = REGIONS.map(|(country, region)| [country, region, "*"]);
        let roles = Roles::new()
            .identifying("email")
            .quasi("birth_year", years)
            .quasi("postcode", Masking::new().length(POSTCODE_DIGITS).domain(POSTCODES))
            .quasi("country", Hierarchy::from_rows(regions)?)
            .sensitive("plan");
        let models = vec![Model::k_anonymity(k)?, Model::distinct_diversity("plan", 2)?];
        Ok(Order { roles, models, left_out: LEFT_OUT })
    }
}

/// What is claimed of a release, in a sentence.
pub fn guarantee(models: &[Model]) -> String {
    let models: Vec<String> = models.iter().map(ToString::to_string).collect();
    format!("{}, for this table alone", models.join("; "))
}

/// The profiles as a table.
pub fn table_of(profiles: &[Profile]) -> Result<Table, Error> {
    Ok(Table::from_rows(profiles)?)
}

/// Makes the release, records it, and compares it with the original.
pub fn release(
    table: Table,
    order: &Order,
    cx: &mut Context,
) -> Result<(Release, TableStudy), Error> {
    let stage = AnonymizeStage::new(order.roles.clone(), order.models.clone())
        .suppress_at_most(order.left_out);
    let release = Pipeline::new(stage).run(Sensitive::new(table.clone()), cx)?;
    let study = study(&table, order, &release)?;
    Ok((release, study))
}

fn study(table: &Table, order: &Order, release: &Release) -> Result<TableStudy, Error> {
    let data = order.roles.bind(table)?;
    let names: Vec<&str> = data.quasi().map(|quasi| quasi.column.name()).collect();
    let before = Classes::of(data.table(), &names)?;
    let after = Classes::of(release.table(), &names)?;
    let mut detail = Vec::with_capacity(names.len());
    for name in &names {
        detail.push(column_detail(table.column(name)?, release.table().column(name)?));
    }
    let certificate = release.certificate();
    Ok(TableStudy {
        models: certificate.models.iter().map(ToString::to_string).collect(),
        verified: certificate.verified,
        optimal: certificate.optimal,
        data_dependent: certificate.data_dependent,
        rows: certificate.rows,
        left_out: certificate.suppressed,
        classes: certificate.classes,
        smallest_class: certificate.smallest_class,
        before: risk(&before)?,
        after: risk(&after)?,
        sizes: bands(&before, &after),
        detail,
    })
}

/// What a column tells about a row, in bits (the entropy of its values), before and after.
fn column_detail(before: &Column, after: &Column) -> ColumnDetail {
    let bits = |column: &Column| {
        let counts = column.counts();
        let all = counts.iter().sum::<u64>().max(1) as f64;
        let shares = counts.iter().filter(|count| **count > 0).map(|count| *count as f64 / all);
        shares.map(|share| -share * share.log2()).sum::<f64>()
    };
    let distinct = |column: &Column| column.counts().iter().filter(|count| **count > 0).count();
    let (bits_before, bits_after) = (bits(before), bits(after));
    ColumnDetail {
        column: before.name().to_owned(),
        values_before: distinct(before),
        values_after: distinct(after),
        left: if bits_before > 0.0 { (bits_after / bits_before).min(1.0) } else { 1.0 },
    }
}

fn risk(classes: &Classes) -> kanon::Result<RiskOf> {
    let risk = classes.prosecutor(HIGH)?;
    Ok(RiskOf {
        highest: risk.highest,
        average: risk.average,
        above_a_fifth: risk.at_risk,
        unique: classes.sample_uniqueness(),
    })
}

fn bands(before: &Classes, after: &Classes) -> Vec<Band> {
    let share = |classes: &Classes, low: u64, high: u64| {
        let all: u64 = classes.sizes().iter().sum();
        let within =
            classes.sizes().iter().filter(|size| (low..=high).contains(*size)).sum::<u64>();
        within as f64 / all.max(1) as f64
    };
    let mut low = 1;
    let mut band = |(high, label): (u64, &str)| {
        let band = Band {
            class_size: label.to_owned(),
            before: share(before, low, high),
            after: share(after, low, high),
        };
        low = high.saturating_add(1);
        band
    };
    BANDS.into_iter().map(&mut band).collect()
}

#[cfg(test)]
mod tests {
    use confidant::core::access::{Actor, Purpose};

    use super::*;
    use crate::made_up::generate::{Shape, week};
    use crate::made_up::profile::profiles;

    #[test]
    fn nobody_is_alone_in_the_release_and_no_address_is_in_it() {
        let shape = Shape { users: 2000, events: 2000, seed: 5 };
        let profiles = profiles(5, &week(shape, || ()).unwrap().homes);
        let order = Order::for_profiles(5).unwrap();
        let mut cx = Context::new(Actor::new("a"), Purpose::new("b")).unwrap();
        let table = table_of(&profiles).unwrap();
        let (release, study) = release(table, &order, &mut cx).unwrap();
        assert!(study.verified && study.smallest_class >= 5);
        assert!(study.after.highest <= 0.2 && study.before.highest == 1.0);
        assert_eq!(study.after.above_a_fifth, 0.0);
        assert!(release.table().column("email").is_err());
        let all = |side: fn(&Band) -> f64| study.sizes.iter().map(side).sum::<f64>();
        assert!((all(|band| band.before) - 1.0).abs() < 1e-9);
        assert!((all(|band| band.after) - 1.0).abs() < 1e-9);
        assert_eq!(study.sizes[0].after + study.sizes[1].after, 0.0);
        assert_eq!(cx.records().len(), 1, "the release is on record");
    }
}
