//! Operators as Presidio's anonymizer takes them.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Policy;
use crate::entity::Entity;
use crate::error::{Error, Result};
use crate::operator::{Operator, Side};

#[derive(Deserialize)]
struct Entry {
    r#type: String,
    #[serde(default)]
    new_value: Option<String>,
    #[serde(default)]
    masking_char: Option<String>,
    #[serde(default)]
    chars_to_mask: Option<i64>,
    #[serde(default)]
    from_end: Option<bool>,
    #[serde(default)]
    key: Option<serde_yaml_ng::Value>,
}

fn refuse(reason: &str) -> Error {
    Error::Document { what: "Presidio operators", reason: reason.to_owned() }
}

pub(super) fn read(text: &str, key: &str) -> Result<Policy> {
    let parse = |e: serde_yaml_ng::Error| refuse(&e.to_string());
    let document: serde_yaml_ng::Value = serde_yaml_ng::from_str(text).map_err(parse)?;
    let map = document.get("anonymizers").cloned().unwrap_or(document);
    let entries: BTreeMap<String, Entry> = serde_yaml_ng::from_value(map).map_err(parse)?;
    // Without a DEFAULT, what is found becomes its type in brackets.
    let mut policy = Policy::new();
    for (name, entry) in entries {
        let operator = operator(&entry, key)?;
        if name == "DEFAULT" {
            policy.default = operator;
        } else if policy.entities.insert(Entity::new(&name), operator).is_some() {
            return Err(refuse("an entity has two operators: keep one"));
        }
    }
    Ok(policy)
}

fn operator(entry: &Entry, key: &str) -> Result<Operator> {
    if entry.key.is_some() {
        return Err(refuse("a key stands in the document: give it to `Keys` instead"));
    }
    let key = || key.to_owned();
    Ok(match entry.r#type.as_str() {
        "replace" => match entry.new_value.as_deref() {
            None | Some("") => Operator::Tag,
            Some(with) => Operator::Replace { with: with.to_owned() },
        },
        "redact" => Operator::Redact,
        "keep" | "deanonymize_keep" => Operator::Keep,
        "mask" => {
            let mut chars = entry.masking_char.as_deref().unwrap_or("*").chars();
            let (Some(char), None) = (chars.next(), chars.next()) else {
                return Err(refuse("masking_char must be one character"));
            };
            let count = entry.chars_to_mask.ok_or_else(|| refuse("mask needs chars_to_mask"))?;
            let side = if entry.from_end == Some(true) { Side::End } else { Side::Start };
            let count = Some(usize::try_from(count).unwrap_or(0));
            Operator::Mask { char, count, keep: 0, side, ignore: Vec::new() }
        }
        "hash" => Operator::Hash { key: key(), bits: 256 },
        "encrypt" => Operator::Encrypt { key: key() },
        _ => {
            return Err(refuse(
                "an operator is none of replace, redact, mask, hash, encrypt, keep",
            ));
        }
    })
}
