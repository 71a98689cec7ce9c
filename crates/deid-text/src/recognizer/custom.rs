//! Recognizers of the caller's: expressions, lists, validators, context words.

use std::fmt;
use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use crate::checksum::Verdict;
use crate::entity::Entity;
use crate::error::{Error, Result};

/// The most memory a compiled expression may take, in bytes.
const EXPRESSION_LIMIT: usize = 1 << 20;

/// Judges a match of a recognizer.
pub(crate) type Judge = Arc<dyn Fn(&str) -> Verdict + Send + Sync>;

/// A recognizer made of regular expressions, a list of terms, or both.
///
/// Expressions are those of the crate `regex`: they match in linear time and have neither
/// look-around nor back-references.
///
/// # Example
///
/// ```
/// use deid_text::{Analyzer, Recognizer};
///
/// let badge = Recognizer::new("BADGE_NUMBER")
///     .pattern("badge", r"\bB-\d{5}\b", 0.5)?
///     .context(["badge", "gate"])
///     .validator(|text| text.ends_with('7'));
/// let analyzer = Analyzer::builder().recognizer(badge).build()?;
/// let findings = analyzer.scan("His badge is B-48217.")?;
/// assert_eq!(findings[0].entity.name(), "BADGE_NUMBER");
/// # Ok::<(), deid_text::Error>(())
/// ```
#[derive(Clone)]
pub struct Recognizer {
    pub(crate) entity: Entity,
    pub(crate) patterns: Vec<CustomPattern>,
    pub(crate) context: Vec<String>,
    pub(crate) judge: Option<Judge>,
    pub(crate) threshold: Option<f32>,
    pub(crate) terms: Vec<String>,
    pub(crate) terms_score: f32,
}

#[derive(Clone, Debug)]
pub(crate) struct CustomPattern {
    #[expect(dead_code, reason = "shown by Debug")]
    pub(crate) name: Arc<str>,
    pub(crate) regex: Regex,
    pub(crate) score: f32,
}

impl Recognizer {
    /// A recognizer without any pattern yet.
    #[must_use]
    pub fn new(entity: &str) -> Self {
        Recognizer {
            entity: Entity::new(entity),
            patterns: Vec::new(),
            context: Vec::new(),
            judge: None,
            threshold: None,
            terms: Vec::new(),
            terms_score: 1.0,
        }
    }

    /// Adds an expression; what it matches as a whole has the given score before context. Letters
    /// match in either case unless the expression begins with `(?-i)`.
    ///
    /// # Errors
    ///
    /// [`Error::Recognizer`] if the expression does not parse or is too large, [`Error::Parameter`]
    /// if the score is not within 0 to 1.
    pub fn pattern(mut self, name: &str, expression: &str, score: f32) -> Result<Self> {
        if !(0.0..=1.0).contains(&score) {
            return Err(Error::Parameter {
                parameter: "a pattern's score",
                requirement: "within 0 to 1",
            });
        }
        let regex = RegexBuilder::new(expression)
            .case_insensitive(true)
            .multi_line(true)
            .dot_matches_new_line(true)
            .size_limit(EXPRESSION_LIMIT)
            .build()
            .map_err(|e| self.refused(&e))?;
        self.patterns.push(CustomPattern { name: name.into(), regex, score });
        Ok(self)
    }

    fn refused(&self, error: &regex::Error) -> Error {
        let text = error.to_string();
        let reason = if text.contains("look-around") {
            "look-around is not supported: use \\b, or a validator that looks at the match".into()
        } else if text.contains("backreferences") {
            "back-references are not supported: use a validator".into()
        } else if matches!(error, regex::Error::CompiledTooBig(_)) {
            "the expression is too large: make its repetitions smaller".into()
        } else {
            "the expression does not parse".into()
        };
        Error::Recognizer { name: self.entity.name().to_owned(), reason }
    }

    /// Words and phrases that speak for it when they stand near a match.
    #[must_use]
    pub fn context<S: Into<String>>(mut self, words: impl IntoIterator<Item = S>) -> Self {
        self.context.extend(words.into_iter().map(Into::into));
        self
    }

    /// Takes only matches for which `valid` holds, and is sure of those.
    #[must_use]
    pub fn validator(mut self, valid: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.judge = Some(Arc::new(move |text| Verdict::of(valid(text))));
        self
    }

    /// As [`Recognizer::validator`], for checks that may also say nothing.
    #[must_use]
    pub fn judge(mut self, judge: impl Fn(&str) -> Verdict + Send + Sync + 'static) -> Self {
        self.judge = Some(Arc::new(judge));
        self
    }

    /// The least score that is reported, instead of the analyzer's.
    #[must_use]
    pub fn threshold(mut self, threshold: f32) -> Self {
        self.threshold = Some(threshold.clamp(0.0, 1.0));
        self
    }
}

impl fmt::Debug for Recognizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recognizer")
            .field("entity", &self.entity)
            .field("patterns", &self.patterns.len())
            .field("terms", &self.terms.len())
            .finish_non_exhaustive()
    }
}

/// Terms that are always an entity, such as the names of the patients of a ward.
///
/// Terms match as whole words, in either case, and their score is 1.
#[derive(Clone)]
pub struct DenyList {
    pub(crate) entity: Entity,
    pub(crate) terms: Vec<String>,
    pub(crate) score: f32,
}

impl DenyList {
    /// The terms of an entity.
    #[must_use]
    pub fn new<S: Into<String>>(entity: &str, terms: impl IntoIterator<Item = S>) -> Self {
        let terms = terms.into_iter().map(Into::into).filter(|t: &String| !t.is_empty()).collect();
        DenyList { entity: Entity::new(entity), terms, score: 1.0 }
    }
}

impl fmt::Debug for DenyList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DenyList")
            .field("entity", &self.entity)
            .field("terms", &self.terms.len())
            .finish()
    }
}

/// One expression for a list of terms, longest first.
pub(crate) fn terms_expression(terms: &[String]) -> Result<Regex, regex::Error> {
    let mut terms: Vec<&String> = terms.iter().collect();
    terms.sort_by_key(|t| std::cmp::Reverse(t.len()));
    let all: Vec<String> = terms.iter().map(|t| regex::escape(t)).collect();
    RegexBuilder::new(&all.join("|")).case_insensitive(true).size_limit(64 << 20).build()
}
