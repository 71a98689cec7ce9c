//! Policies: which operator for which entity, compiled before use.

mod compiled;
mod presidio;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use compiled::Rule;
pub use compiled::{CompiledPolicy, Item, Redacted};

use crate::analyzer::Analyzer;
use crate::entity::Entity;
use crate::error::{Error, Result};
use crate::operator::{Keys, Operator};

/// A function of the caller's: the entity and the text in, the replacement out.
pub type CustomOperator = Arc<dyn Fn(&Entity, &str) -> Result<String> + Send + Sync>;

/// Which operator is used for which entity.
///
/// Made in code, or read from YAML, JSON or TOML:
///
/// ```
/// use deid_text::{Analyzer, Keys, Operator, Policy};
///
/// let policy = Policy::from_yaml("
/// default: { type: tag }
/// entities:
///   EMAIL_ADDRESS: { type: token, key: joins }
///   CREDIT_CARD: { type: mask, keep: 4, ignore: [punctuation, whitespace] }
/// ")?;
/// let keys = Keys::new().with("joins", &[
///     7, 1, 9, 4, 2, 8, 3, 6, 5, 0, 7, 1, 9, 4, 2, 8, 3, 6, 5, 0, 7, 1, 9, 4, 2, 8, 3, 6, 5, 0, 7, 1,
/// ])?;
/// let analyzer = Analyzer::builder().without_names().build()?;
/// let policy = policy.compile(&analyzer, &keys)?;
/// let text = "Card 4111 1111 1111 1111, mail ana@example.org";
/// let safe = policy.apply(text, &analyzer.scan(text)?)?;
/// assert!(safe.text.starts_with("Card **** **** **** 1111, mail <EMAIL_ADDRESS:"));
/// # Ok::<(), deid_text::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// For entities that are not named.
    #[serde(default = "Policy::tag")]
    pub default: Operator,
    /// By entity; each at most once, whichever of its names is used.
    #[serde(default, deserialize_with = "once")]
    pub entities: BTreeMap<Entity, Operator>,
    /// Bound into hashes and tokens, such as the name of a tenant or data set: what was made in one
    /// context neither equals nor opens in another.
    #[serde(default)]
    pub context: String,
}

/// Entities by any of their names, none of them twice.
fn once<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<Entity, Operator>, D::Error> {
    struct Once;
    impl<'de> Visitor<'de> for Once {
        type Value = BTreeMap<Entity, Operator>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map from entities to operators")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut out = BTreeMap::new();
            while let Some((name, operator)) = map.next_entry::<String, Operator>()? {
                let entity = Entity::new(&name);
                let known = entity.name().to_owned();
                if out.insert(entity, operator).is_some() {
                    return Err(A::Error::custom(format!("{known} has two operators: keep one")));
                }
            }
            Ok(out)
        }
    }
    from.deserialize_map(Once)
}

impl Default for Policy {
    fn default() -> Self {
        Policy { default: Operator::Tag, entities: BTreeMap::new(), context: String::new() }
    }
}

impl Policy {
    fn tag() -> Operator {
        Operator::Tag
    }

    /// A policy that replaces everything by its entity.
    #[must_use]
    pub fn new() -> Self {
        Policy::default()
    }

    /// The operator for entities that are not named.
    #[must_use]
    pub fn otherwise(mut self, operator: Operator) -> Self {
        self.default = operator;
        self
    }

    /// The operator for an entity.
    #[must_use]
    pub fn with(mut self, entity: impl Into<Entity>, operator: Operator) -> Self {
        self.entities.insert(entity.into(), operator);
        self
    }

    /// The context that is bound into hashes and tokens.
    #[must_use]
    pub fn context(mut self, context: &str) -> Self {
        context.clone_into(&mut self.context);
        self
    }

    /// Reads a policy in YAML (or JSON, which is YAML).
    ///
    /// # Errors
    ///
    /// [`Error::Document`] for what does not parse, unknown fields among it.
    pub fn from_yaml(text: &str) -> Result<Self> {
        serde_yaml_ng::from_str(text).map_err(|e| document(&e))
    }

    /// Reads a policy in JSON.
    ///
    /// # Errors
    ///
    /// As [`Policy::from_yaml`].
    pub fn from_json(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|e| document(&e))
    }

    /// Reads a policy in TOML.
    ///
    /// # Errors
    ///
    /// As [`Policy::from_yaml`].
    pub fn from_toml(text: &str) -> Result<Self> {
        toml::from_str(text).map_err(|e| document(&e))
    }

    /// Reads the operators of Presidio's anonymizer, as JSON or YAML: a map from entities (and
    /// `DEFAULT`) to `{type, …}`, or a whole request with such a map under `anonymizers`.
    ///
    /// `hash` becomes a keyed hash and `encrypt` authenticated encryption, both with the key of the
    /// name `key`: an unkeyed hash hides nothing that can be guessed, and keys don't belong into
    /// documents, so a key given there is refused.
    ///
    /// # Errors
    ///
    /// [`Error::Document`] for what does not parse or has no counterpart.
    pub fn from_presidio(text: &str, key: &str) -> Result<Self> {
        presidio::read(text, key)
    }

    /// Checks the policy and derives its keys.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownEntity`] for an entity that the analyzer does not look for,
    /// [`Error::MissingKey`], [`Error::Parameter`], and [`Error::Contradiction`] for an operator that
    /// cannot work on its entity.
    pub fn compile(&self, analyzer: &Analyzer, keys: &Keys) -> Result<CompiledPolicy> {
        self.compile_with(analyzer, keys, HashMap::new())
    }

    /// As [`Policy::compile`], with functions for `custom` operators by name. Compiling calls none.
    ///
    /// # Errors
    ///
    /// As [`Policy::compile`].
    pub fn compile_with(
        &self,
        analyzer: &Analyzer,
        keys: &Keys,
        mut custom: HashMap<String, CustomOperator>,
    ) -> Result<CompiledPolicy> {
        let mut rules = HashMap::new();
        for (entity, operator) in &self.entities {
            if !analyzer.recognizes(entity) {
                return Err(Error::UnknownEntity { name: entity.name().to_owned() });
            }
            check(entity, operator, &custom, keys)?;
        }
        check(&Entity::exact("default"), &self.default, &custom, keys)?;
        for entity in analyzer.entities() {
            let operator = self.entities.get(entity).unwrap_or(&self.default);
            rules.insert(entity.clone(), Rule::new(entity, operator, keys)?);
        }
        custom.shrink_to_fit();
        Ok(CompiledPolicy { rules, context: self.context.clone(), custom })
    }
}

fn document(error: &dyn fmt::Display) -> Error {
    Error::Document { what: "policy", reason: error.to_string() }
}

fn check(
    entity: &Entity,
    operator: &Operator,
    custom: &HashMap<String, CustomOperator>,
    keys: &Keys,
) -> Result<()> {
    if let Some(key) = operator.key()
        && keys.find(key).is_none()
    {
        return Err(Error::MissingKey {
            operator: operator.name(),
            entity: entity.name().to_owned(),
            key: key.to_owned(),
        });
    }
    let refuse = |reason| Err(Error::Contradiction { entity: entity.name().to_owned(), reason });
    match operator {
        Operator::Hash { bits, .. } if !(64..=256).contains(bits) || bits % 8 != 0 => {
            Err(Error::Parameter {
                parameter: "the bits of a hash",
                requirement: "a multiple of 8 from 64 to 256",
            })
        }
        Operator::Bucket { size: 0 } => {
            Err(Error::Parameter { parameter: "the size of a bucket", requirement: "at least 1" })
        }
        Operator::DateShift { max_days: 0, .. } => {
            Err(Error::Parameter { parameter: "max_days", requirement: "at least 1" })
        }
        Operator::DateShift { .. } if *entity != "DATE_TIME" && *entity != "default" => {
            refuse("only dates can be shifted")
        }
        Operator::Fpe { card: true, .. } if *entity != "CREDIT_CARD" => {
            refuse("`card` is for card numbers")
        }
        Operator::Generalize { .. } if *entity == "default" => {
            refuse("name the entity that is to be generalized")
        }
        Operator::Custom { name } if !custom.contains_key(name) => {
            refuse("no function of that name was given")
        }
        _ => Ok(()),
    }
}

/// The form in which values of an entity are compared: digits and letters only for identifiers, lower
/// case for the rest.
pub(crate) fn canonical(entity: &str, value: &str) -> String {
    match entity {
        "PERSON" | "LOCATION" | "ORGANIZATION" | "NRP" | "TITLE" | "STREET_ADDRESS" | "URL"
        | "EMAIL_ADDRESS" => {
            let words: Vec<String> = value.split_whitespace().map(str::to_lowercase).collect();
            words.join(" ")
        }
        "PASSWORD" | "SECRET" | "JWT" | "PRIVATE_KEY" | "CRYPTO" | "USERNAME" => value.to_owned(),
        _ => value
            .chars()
            .filter(|c| c.is_alphanumeric() || *c == '+')
            .flat_map(char::to_uppercase)
            .collect(),
    }
}
