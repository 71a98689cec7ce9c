//! A stage that treats each column by itself.

use std::borrow::Cow;
use std::collections::HashMap;

use confidant::core::prelude::*;
use confidant::core::unit::{AddRemove, Record, Scope};
use confidant::deid::{Analyzer, CompiledPolicy, Entity, Keys, Operator, Policy};
use confidant::kanon::prelude::Table;
use confidant::kanon::table::{Column, Value};

use crate::choice::{Choices, Treatment};

/// Tokens for identifiers, tags in texts, years for dates; other columns pass. Rows stay rows: what
/// comes out is as sensitive as what went in.
pub struct TransformColumns {
    treatments: Vec<(String, Treatment, Entity)>,
    analyzer: Analyzer,
    texts: CompiledPolicy,
    values: CompiledPolicy,
}

impl TransformColumns {
    pub fn new(
        choices: &Choices,
        analyzer: Analyzer,
        keys: &Keys,
    ) -> std::result::Result<Self, confidant::deid::Error> {
        let texts = Policy::new().otherwise(Operator::Tag).compile(&analyzer, keys)?;
        let token = Operator::Token { key: "tables".into() };
        let values = Policy::new().otherwise(token).compile(&analyzer, keys)?;
        let treatments = choices.iter().map(|choice| {
            let entity = choice.entity.clone().unwrap_or_else(|| "PERSON".into());
            (choice.column.clone(), choice.treatment, entity)
        });
        let treatments = treatments.collect();
        Ok(TransformColumns { treatments, analyzer, texts, values })
    }

    fn treated(
        &self,
        column: &Column,
        rows: usize,
        treatment: Treatment,
        entity: &Entity,
    ) -> Result<Column> {
        let text = |text: &str| -> std::result::Result<String, confidant::deid::Error> {
            match treatment {
                Treatment::RedactText => {
                    Ok(self.texts.apply(text, &self.analyzer.scan(text)?)?.text)
                }
                Treatment::Token => self.values.apply_value(entity, column.name(), text),
                Treatment::Year => Ok(text.chars().take(4).collect()),
                _ => Ok(text.to_owned()),
            }
        };
        // Each different value once.
        let treated = column.dictionary().iter().map(|value| {
            let new = match value.text() {
                Some(known) => Value::from(text(known).map_err(Error::technique)?.as_str()),
                None => value.clone(),
            };
            Ok((value, new))
        });
        let treated = treated.collect::<Result<HashMap<&Value, Value>>>()?;
        let of_row = |row: usize| column.value(row).and_then(|value| treated.get(value)).cloned();
        let values = (0..rows).map(|row| of_row(row).unwrap_or(Value::Missing));
        Ok(Column::new(column.name(), values))
    }
}

impl Stage for TransformColumns {
    type Input = Sensitive<Table>;
    type Output = Sensitive<Table>;

    fn name(&self) -> Cow<'static, str> {
        "transform columns".into()
    }

    /// One row in, one row out: neighbours stay neighbours, and nothing is claimed yet.
    fn effect(&self) -> Effect {
        Effect::Stable { stability: 1, scope: Scope::of::<Record, AddRemove>() }
    }

    fn run(&self, table: Sensitive<Table>, _: &mut Context) -> Result<Sensitive<Table>> {
        let table = table.expose();
        let treated = table.columns().iter().map(|column| {
            let known = self.treatments.iter().find(|(name, ..)| name == column.name());
            // A column that was not there when the choices were made passes to the next stage, which
            // refuses columns without a role.
            known.map_or_else(
                || Ok(column.clone()),
                |(_, how, entity)| self.treated(column, table.rows(), *how, entity),
            )
        });
        let columns = treated.collect::<Result<Vec<_>>>()?;
        Ok(Sensitive::new(Table::new(columns).map_err(Error::technique)?))
    }
}
