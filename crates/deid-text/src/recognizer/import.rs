//! Presidio's YAML of recognizers.

use serde::Deserialize;

use super::custom::Recognizer;
use crate::error::{Error, Result};

#[derive(Debug, Deserialize)]
struct Registry {
    #[serde(default)]
    recognizers: Vec<Entry>,
    #[serde(default)]
    supported_countries: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Entry {
    Name(#[expect(dead_code, reason = "built in already")] String),
    Full(Box<Full>),
}

#[derive(Debug, Deserialize)]
struct Full {
    name: String,
    #[serde(default)]
    r#type: Option<String>,
    #[serde(default)]
    enabled: Option<bool>,
    #[serde(default)]
    supported_entity: Option<String>,
    #[serde(default)]
    supported_entities: Option<Vec<String>>,
    #[serde(default)]
    context: Vec<String>,
    #[serde(default)]
    supported_languages: Vec<Language>,
    #[serde(default)]
    patterns: Vec<PatternEntry>,
    #[serde(default)]
    deny_list: Vec<String>,
    #[serde(default)]
    deny_list_score: Option<f32>,
    #[serde(default)]
    score_thresholds: Option<std::collections::BTreeMap<String, f32>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Language {
    Code(#[expect(dead_code, reason = "all languages are matched at once")] String),
    Full {
        #[serde(default)]
        context: Vec<String>,
    },
}

#[derive(Debug, Deserialize)]
struct PatternEntry {
    name: String,
    regex: String,
    score: f32,
}

/// What a registry file says.
#[derive(Debug, Default)]
pub(crate) struct Imported {
    pub(crate) recognizers: Vec<Recognizer>,
    pub(crate) countries: Option<Vec<String>>,
    pub(crate) disabled: Vec<String>,
}

/// Reads a registry in Presidio's form.
pub(crate) fn presidio(yaml: &str) -> Result<Imported> {
    let registry: Registry = serde_yaml_ng::from_str(yaml)
        .map_err(|e| Error::Document { what: "recognizer registry", reason: e.to_string() })?;
    let mut imported = Imported { countries: registry.supported_countries, ..Imported::default() };
    for entry in registry.recognizers {
        let entry = match entry {
            Entry::Name(_) => continue,
            Entry::Full(entry) => *entry,
        };
        let refuse = |reason: &'static str| Error::Recognizer {
            name: entry.name.clone(),
            reason: reason.into(),
        };
        let predefined = entry.r#type.as_deref() == Some("predefined")
            || (entry.r#type.is_none() && entry.patterns.is_empty() && entry.deny_list.is_empty());
        if predefined {
            if !entry.patterns.is_empty() {
                return Err(refuse("a predefined recognizer has no patterns of its own"));
            }
            if entry.enabled == Some(false) {
                imported.disabled.push(entry.name);
            }
            continue;
        }
        if entry.enabled == Some(false) {
            continue;
        }
        if entry.patterns.is_empty() && entry.deny_list.is_empty() {
            return Err(refuse("a custom recognizer needs patterns or a deny_list"));
        }
        let entity = match (&entry.supported_entity, &entry.supported_entities) {
            (Some(one), None) => one,
            (None, Some(many)) => {
                many.first().ok_or_else(|| refuse("supported_entities is empty"))?
            }
            _ => return Err(refuse("give either supported_entity or supported_entities")),
        };
        let mut recognizer = Recognizer::new(entity);
        for pattern in &entry.patterns {
            recognizer =
                recognizer.pattern(&pattern.name, &rewrite(&pattern.regex), pattern.score)?;
        }
        recognizer = recognizer.context(entry.context.iter().cloned());
        for language in &entry.supported_languages {
            if let Language::Full { context } = language {
                recognizer = recognizer.context(context.iter().cloned());
            }
        }
        recognizer.terms.clone_from(&entry.deny_list);
        recognizer.terms_score = entry.deny_list_score.unwrap_or(1.0);
        if let Some(t) =
            entry.score_thresholds.as_ref().and_then(|t| t.get(entity).or(t.get("default")))
        {
            recognizer = recognizer.threshold(*t);
        }
        imported.recognizers.push(recognizer);
    }
    Ok(imported)
}

/// The entity that one of Presidio's predefined recognizers finds, by the class's name.
pub(crate) fn predefined<'e>(
    class: &str,
    mut entities: impl Iterator<Item = &'e str>,
) -> Option<&'e str> {
    let plain = |s: &str| -> String {
        s.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
    };
    let class = plain(class.strip_suffix("Recognizer").unwrap_or(class));
    let class = match class.as_str() {
        "date" => "datetime",
        "usbank" => "usbanknumber",
        "uslicense" => "usdriverlicense",
        "email" => "emailaddress",
        "iban" => "ibancode",
        "ip" => "ipaddress",
        "mac" => "macaddress",
        "phone" => "phonenumber",
        "nhs" => "uknhs",
        "sgfin" => "sgnricfin",
        "abarouting" => "abaroutingnumber",
        "spacy" | "stanza" | "transformers" | "gliner" => "person",
        other => other,
    };
    entities.find(|e| plain(e) == class)
}

/// Boundary look-arounds that say no more than `\b` does.
fn rewrite(expression: &str) -> String {
    let mut out = expression.to_owned();
    for form in [
        r"(?<!\w)",
        r"(?!\w)",
        r"(?<![\w])",
        r"(?![\w])",
        r"(?<!\d)",
        r"(?!\d)",
        r"(?<![A-Za-z0-9])",
        r"(?![A-Za-z0-9])",
        r"(?<!\S)",
        r"(?!\S)",
    ] {
        out = out.replace(form, r"\b");
    }
    out
}
