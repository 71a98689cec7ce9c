//! A checked policy at work, and the way back.

use std::collections::HashMap;
use std::fmt;

use privacy_core::random::{SecureRng, SystemRng};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{CustomOperator, canonical};
use crate::entity::Entity;
use crate::error::{Error, Result};
use crate::finding::{Finding, Findings};
use crate::operator::ff1::{FormatKeys, text as format_preserving};
use crate::operator::{
    Keys, Operator, Pseudonym, Surrogates, Token, bucket, date_shift, generalize, mask, subkey,
};
use crate::span::Span;

pub(super) struct Rule {
    operator: Operator,
    machine: Machine,
}

enum Machine {
    None,
    Pseudonym(Pseudonym),
    Token(Token),
    Format(Box<FormatKeys>),
    Date(Zeroizing<[u8; 64]>),
    Surrogate(Surrogates),
}

impl Rule {
    pub(super) fn new(entity: &Entity, operator: &Operator, keys: &Keys) -> Result<Self> {
        let name = entity.name();
        let key = operator.key().and_then(|k| keys.find(k)).unwrap_or_default();
        let machine = match operator {
            Operator::Hash { bits, .. } => Machine::Pseudonym(Pseudonym::new(key, name, *bits)),
            Operator::Token { .. } => Machine::Token(Token::new(key, name, false)),
            Operator::Encrypt { .. } => Machine::Token(Token::new(key, name, true)),
            Operator::Fpe { .. } => {
                Machine::Format(Box::new(FormatKeys::new(&subkey(key, "fpe", name))?))
            }
            // One shift for all of a subject's dates, in texts and in tables.
            Operator::DateShift { .. } => Machine::Date(subkey(key, "date", "")),
            Operator::Surrogate { .. } => Machine::Surrogate(Surrogates::new(key)),
            _ => Machine::None,
        };
        Ok(Rule { operator: operator.clone(), machine })
    }
}

/// A policy that was checked, with its keys; immutable and shareable.
pub struct CompiledPolicy {
    pub(super) rules: HashMap<Entity, Rule>,
    pub(super) context: String,
    pub(super) custom: HashMap<String, CustomOperator>,
}

impl fmt::Debug for CompiledPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompiledPolicy").field("rules", &self.rules.len()).finish_non_exhaustive()
    }
}

/// A text after a policy, and what was done where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Redacted {
    /// The text without what was found.
    pub text: String,
    /// Each edit, in order.
    pub items: Vec<Item>,
}

/// An edit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Item {
    /// What was found.
    pub entity: Entity,
    /// What was done; `tag` where the operator of the policy could not be applied to the value.
    pub operator: String,
    /// Whether [`CompiledPolicy::restore`] undoes it.
    pub reversible: bool,
    /// The bytes of the original that were replaced.
    pub from: Span,
    /// The bytes of the new text that stand for them.
    pub to: Span,
}

/// A value after an operator.
struct Edited {
    text: String,
    operator: &'static str,
    reversible: bool,
}

#[derive(Default)]
struct Instances(HashMap<(Entity, String), usize>, HashMap<Entity, usize>);

impl CompiledPolicy {
    /// Applies the policy to a text and the findings of that text.
    ///
    /// Every byte of every finding is covered by an edit. A value that an operator cannot work on (a
    /// partial date, a number too short for format-preserving encryption) is replaced by its entity.
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`] if the findings are not of this text, [`Error::Operator`] if a custom
    /// operator fails, [`Error::Entropy`]. Nothing of the text is passed on then.
    pub fn apply(&self, text: &str, findings: &Findings) -> Result<Redacted> {
        self.apply_for("", text, findings)
    }

    /// As [`CompiledPolicy::apply`], for a text about a subject: dates are moved by that subject's
    /// shift.
    ///
    /// # Errors
    ///
    /// As [`CompiledPolicy::apply`].
    pub fn apply_for(&self, subject: &str, text: &str, findings: &Findings) -> Result<Redacted> {
        if findings.text_len != text.len() {
            return Err(Error::Mismatch);
        }
        let mut rng = SystemRng::new()?;
        let mut out = Redacted {
            text: String::with_capacity(text.len()),
            items: Vec::with_capacity(findings.len()),
        };
        let mut instances = Instances::default();
        let mut at = 0;
        for finding in findings {
            let between = text.get(at..finding.edit.start).ok_or(Error::Mismatch)?;
            out.text.push_str(between);
            let start = out.text.len();
            let edited = self.edit(subject, text, finding, &mut instances, &mut rng)?;
            out.text.push_str(&edited.text);
            out.items.push(Item {
                entity: finding.entity.clone(),
                operator: edited.operator.to_owned(),
                reversible: edited.reversible,
                from: finding.edit,
                to: Span { start, end: out.text.len() },
            });
            at = finding.edit.end;
        }
        out.text.push_str(text.get(at..).ok_or(Error::Mismatch)?);
        Ok(out)
    }

    fn edit(
        &self,
        subject: &str,
        text: &str,
        finding: &Finding,
        instances: &mut Instances,
        rng: &mut dyn SecureRng,
    ) -> Result<Edited> {
        let whole = text.get(finding.edit.range()).ok_or(Error::Mismatch)?;
        let value = text.get(finding.span.range()).ok_or(Error::Mismatch)?;
        let rule = self
            .rules
            .get(&finding.entity)
            .ok_or_else(|| Error::UnknownEntity { name: finding.entity.name().to_owned() })?;
        self.transform(rule, &finding.entity, subject, value, whole, instances, rng)
    }

    #[expect(clippy::too_many_arguments, reason = "private, and each is needed")]
    fn transform(
        &self,
        rule: &Rule,
        entity: &Entity,
        subject: &str,
        value: &str,
        whole: &str,
        instances: &mut Instances,
        rng: &mut dyn SecureRng,
    ) -> Result<Edited> {
        let name = entity.name();
        let operator = rule.operator.name();
        // What else was overruled here is gone, so only the whole can come back.
        let exact = value.len() == whole.len();
        let tag = || Edited { text: format!("<{name}>"), operator: "tag", reversible: false };
        let done = |text: String| Edited { text, operator, reversible: false };
        let back = |text: String| Edited { text, operator, reversible: exact };
        let or_tag = |text: Option<String>| text.map_or_else(tag, done);
        Ok(match (&rule.operator, &rule.machine) {
            (Operator::Keep, _) => Edited { text: whole.to_owned(), operator, reversible: true },
            (Operator::Redact, _) => done(String::new()),
            (Operator::Replace { with }, _) => done(with.clone()),
            (Operator::InstanceTag, _) => {
                let key = (entity.clone(), canonical(name, value));
                let next = instances.1.entry(entity.clone()).or_default();
                let number = *instances.0.entry(key).or_insert_with(|| {
                    *next += 1;
                    *next
                });
                done(format!("<{name}_{number}>"))
            }
            (Operator::Mask { char, count, keep, side, ignore }, _) => {
                done(mask(value, *char, *count, *keep, *side, ignore))
            }
            (Operator::Truncate { keep }, _) => done(value.chars().take(*keep).collect()),
            (Operator::Generalize { to }, _) => or_tag(generalize(value, *to)),
            (Operator::Bucket { size }, _) => or_tag(bucket(value, *size)),
            (Operator::Hash { .. }, Machine::Pseudonym(p)) => {
                done(p.of(name, &self.context, &canonical(name, value)))
            }
            (Operator::Token { .. } | Operator::Encrypt { .. }, Machine::Token(t)) => Edited {
                text: t.seal(name, &self.context, whole, rng)?,
                operator,
                reversible: true,
            },
            (Operator::Fpe { card, .. }, Machine::Format(keys)) => {
                match format_preserving(keys, self.context.as_bytes(), value, *card, true) {
                    Ok(text) => back(text),
                    Err(_) => tag(),
                }
            }
            (Operator::DateShift { max_days, .. }, Machine::Date(key)) => {
                let moved = date_shift(value, &**key, subject, *max_days, true);
                // Only what comes back exactly is called reversible.
                let same = |m: &String| {
                    date_shift(m, &**key, subject, *max_days, false).as_deref() == Some(value)
                };
                match moved {
                    Some(text) => {
                        let reversible = exact && same(&text);
                        Edited { text, operator, reversible }
                    }
                    None => tag(),
                }
            }
            (Operator::Surrogate { .. }, Machine::Surrogate(s)) => done(s.of(name, value)),
            (Operator::Custom { name: function }, _) => {
                let run = self.custom.get(function).ok_or_else(|| Error::Operator {
                    operator,
                    entity: name.to_owned(),
                    reason: "no such function",
                })?;
                done(run(entity, value)?)
            }
            _ => tag(),
        })
    }

    /// Transforms a single value of a known kind, such as a cell of a column.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownEntity`], and as [`CompiledPolicy::apply`].
    pub fn apply_value(&self, entity: &Entity, subject: &str, value: &str) -> Result<String> {
        let rule = self
            .rules
            .get(entity)
            .ok_or_else(|| Error::UnknownEntity { name: entity.name().to_owned() })?;
        let mut rng = SystemRng::new()?;
        let mut instances = Instances::default();
        self.transform(rule, entity, subject, value, value, &mut instances, &mut rng)
            .map(|e| e.text)
    }

    /// Undoes [`CompiledPolicy::apply`]: the original text, if every item is reversible; otherwise what
    /// is irreversible stays as it was made.
    ///
    /// # Errors
    ///
    /// [`Error::Restore`] if the text or the items were changed, or were made with other keys.
    pub fn restore(&self, redacted: &Redacted) -> Result<String> {
        self.restore_for("", redacted)
    }

    /// As [`CompiledPolicy::restore`], for what [`CompiledPolicy::apply_for`] gave.
    ///
    /// # Errors
    ///
    /// As [`CompiledPolicy::restore`].
    pub fn restore_for(&self, subject: &str, redacted: &Redacted) -> Result<String> {
        let mut out = String::with_capacity(redacted.text.len());
        let mut at = 0;
        for item in &redacted.items {
            out.push_str(redacted.text.get(at..item.to.start).ok_or(Error::Restore)?);
            let value = redacted.text.get(item.to.range()).ok_or(Error::Restore)?;
            if item.reversible {
                out.push_str(&self.reverse(&item.entity, subject, value)?);
            } else {
                out.push_str(value);
            }
            at = item.to.end;
        }
        out.push_str(redacted.text.get(at..).ok_or(Error::Restore)?);
        Ok(out)
    }

    pub(crate) fn operators(&self) -> impl Iterator<Item = &Operator> {
        self.rules.values().map(|r| &r.operator)
    }

    pub(crate) fn reverse(&self, entity: &Entity, subject: &str, value: &str) -> Result<String> {
        let rule = self.rules.get(entity).ok_or(Error::Restore)?;
        match (&rule.operator, &rule.machine) {
            (Operator::Keep, _) => Ok(value.to_owned()),
            (_, Machine::Token(t)) => t.open(entity.name(), &self.context, value),
            (Operator::Fpe { card, .. }, Machine::Format(keys)) => {
                format_preserving(keys, self.context.as_bytes(), value, *card, false)
                    .map_err(|_| Error::Restore)
            }
            (Operator::DateShift { max_days, .. }, Machine::Date(key)) => {
                date_shift(value, &**key, subject, *max_days, false).ok_or(Error::Restore)
            }
            _ => Err(Error::Restore),
        }
    }

    /// Opens the tokens in a text of which no items were kept. What looks like a token and is none of
    /// this policy's stays, and is counted.
    ///
    /// # Errors
    ///
    /// None at present; an error would mean that nothing was opened.
    pub fn restore_tokens(&self, text: &str) -> Result<(String, usize)> {
        let mut out = String::with_capacity(text.len());
        let mut refused = 0;
        let mut rest = text;
        while let Some(open) = rest.find('<') {
            out.push_str(&rest[..open]);
            rest = &rest[open..];
            let inside = rest[1..]
                .bytes()
                .take_while(|c| c.is_ascii_alphanumeric() || b"_-:".contains(c))
                .count();
            let token = rest.get(..inside + 2).filter(|t| t.ends_with('>'));
            let parts =
                token.and_then(|t| t[1..].split_once(':').map(|(e, _)| (t, Entity::exact(e))));
            let opened = parts.and_then(|(t, e)| match self.rules.get(&e).map(|r| &r.machine) {
                Some(Machine::Token(machine)) => {
                    let plain = machine.open(e.name(), &self.context, t);
                    refused += usize::from(plain.is_err());
                    plain.ok().map(|p| (t.len(), p))
                }
                _ => None,
            });
            match opened {
                Some((len, plain)) => {
                    out.push_str(&plain);
                    rest = &rest[len..];
                }
                None => {
                    out.push('<');
                    rest = &rest[1..];
                }
            }
        }
        out.push_str(rest);
        Ok((out, refused))
    }
}
