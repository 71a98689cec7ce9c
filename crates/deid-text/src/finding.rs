//! What a scan gives: where which entity is, how sure that is and why. Never the text itself.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::checksum::Verdict;
use crate::entity::Entity;
use crate::span::Span;

/// A stretch of text that is taken for an entity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Finding {
    /// What it is.
    pub entity: Entity,
    /// Where it is, in bytes.
    pub span: Span,
    /// What an edit must cover: the span, and what else of overruled findings touches it.
    pub edit: Span,
    /// Where it is, in characters (Unicode scalar values).
    pub chars: Range<usize>,
    /// Where it is, in UTF-16 code units.
    pub utf16: Range<usize>,
    /// How sure it is, 0 to 1.
    pub score: f32,
    /// Why.
    pub evidence: Evidence,
}

/// Why something was found, without any of the text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Evidence {
    /// The recognizer that found it.
    pub recognizer: Arc<str>,
    /// The shape it has, for recognizers made of shapes or expressions.
    pub pattern: Option<Arc<str>>,
    /// What its check character says.
    pub verdict: Verdict,
    /// The score before context.
    pub base: f32,
    /// The words near it that speak for it.
    pub context: Option<ContextWord>,
    /// What context added to the score.
    pub boost: f32,
    /// A remark, such as that a host is a public site or an address reserved for documentation.
    pub note: Option<Arc<str>>,
    /// Entities that claimed the same text and were overruled.
    pub overruled: Vec<Entity>,
}

/// A word or phrase of the tables that stands near a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContextWord {
    /// As it stands in the tables, not as it stands in the text.
    pub phrase: Arc<str>,
    /// Words between it and the finding.
    pub distance: u8,
    /// Whether it follows the finding.
    pub after: bool,
}

impl Finding {
    /// Why this was found, in a sentence; without any of the text.
    #[must_use]
    pub fn explain(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let e = &self.evidence;
        write!(
            f,
            "{} at bytes {}..{}, score {:.2}: {}",
            self.entity, self.span.start, self.span.end, self.score, e.recognizer
        )?;
        if let Some(pattern) = &e.pattern {
            write!(f, ", pattern `{pattern}`")?;
        }
        match e.verdict {
            Verdict::Valid => f.write_str(", check characters hold")?,
            Verdict::Invalid => f.write_str(", check characters fail")?,
            Verdict::Unchecked => {}
        }
        write!(f, ", original score {:.2}", e.base)?;
        if let Some(word) = &e.context {
            let side = if word.after { "after" } else { "before" };
            write!(
                f,
                ", +{:.2} for \"{}\" {} words {side} it",
                e.boost, word.phrase, word.distance
            )?;
        }
        if let Some(note) = &e.note {
            write!(f, ", {note}")?;
        }
        if !e.overruled.is_empty() {
            f.write_str(", rather than")?;
            for (i, entity) in e.overruled.iter().enumerate() {
                write!(f, "{} {entity}", if i > 0 { "," } else { "" })?;
            }
        }
        Ok(())
    }
}

/// The findings of one text: disjoint, in order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Findings {
    pub(crate) list: Vec<Finding>,
    pub(crate) text_len: usize,
}

impl Findings {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The findings in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Finding> {
        self.list.iter()
    }

    /// The bytes of the text that was scanned.
    #[must_use]
    pub fn text_len(&self) -> usize {
        self.text_len
    }

    /// Why each was found, a line for each; without any of the text.
    #[must_use]
    pub fn explain(&self) -> String {
        self.list.iter().fold(String::new(), |mut out, finding| {
            out.push_str(&finding.explain());
            out.push('\n');
            out
        })
    }

    /// Only the findings for which `keep` holds.
    #[must_use]
    pub fn filter(mut self, mut keep: impl FnMut(&Finding) -> bool) -> Self {
        self.list.retain(|f| keep(f));
        self
    }
}

impl<'a> IntoIterator for &'a Findings {
    type Item = &'a Finding;
    type IntoIter = std::slice::Iter<'a, Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

impl std::ops::Index<usize> for Findings {
    type Output = Finding;

    fn index(&self, i: usize) -> &Finding {
        &self.list[i]
    }
}
