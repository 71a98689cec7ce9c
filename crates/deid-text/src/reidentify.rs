//! The way back.

use crate::analyzer::Analyzer;
use crate::entity::Entity;
use crate::error::{Error, Result};
use crate::operator::Keys;
use crate::policy::{CompiledPolicy, Policy, Redacted};

/// Undoes what a policy did, for who holds its keys: kept, tokenized, encrypted, format-preserving
/// encrypted and shifted values come back exactly; the rest stays as it was made.
///
/// Whoever only transforms needs none: give it to the few that may look behind the tokens.
///
/// # Security
///
/// Tokens and ciphertexts are authenticated, with their entity and the policy's context; what was
/// forged or changed is refused with [`Error::Restore`], whatever is wrong with it.
/// Format-preserving encryption and shifted dates carry no authentication: a changed value gives
/// another plausible value.
///
/// # Example
///
/// ```
/// use deid_text::{Analyzer, Keys, Operator, Policy, Reidentifier};
///
/// let analyzer = Analyzer::builder().without_names().build()?;
/// let keys = Keys::new().with("k", &std::array::from_fn::<u8, 32, _>(|i| i as u8))?;
/// let policy = Policy::new().otherwise(Operator::Token { key: "k".into() });
/// let text = "Mail ana@example.org";
/// let safe = policy.compile(&analyzer, &keys)?.apply(text, &analyzer.scan(text)?)?;
///
/// let reidentifier = Reidentifier::new(&policy, &analyzer, &keys)?;
/// assert!(reidentifier.is_exact());
/// assert_eq!(reidentifier.restore(&safe)?, text);
/// # Ok::<(), deid_text::Error>(())
/// ```
#[derive(Debug)]
pub struct Reidentifier {
    policy: CompiledPolicy,
}

impl Reidentifier {
    /// From the policy and the keys that the texts were transformed with.
    ///
    /// # Errors
    ///
    /// As [`Policy::compile`], and [`Error::Contradiction`] if nothing of the policy can be undone.
    pub fn new(policy: &Policy, analyzer: &Analyzer, keys: &Keys) -> Result<Self> {
        let policy = policy.compile(analyzer, keys)?;
        if !policy.operators().any(|o| o.is_reversible()) {
            return Err(Error::Contradiction {
                entity: "default".to_owned(),
                reason: "no operator of this policy can be undone",
            });
        }
        Ok(Reidentifier { policy })
    }

    /// Whether every operator of the policy can be undone, so that whole texts come back.
    ///
    /// Single values may still stay: those an operator could not work on, which became a tag.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.policy.operators().all(|o| o.is_reversible())
    }

    /// The original of a text, as far as it can be had; see [`CompiledPolicy::restore`].
    ///
    /// # Errors
    ///
    /// [`Error::Restore`] if the text or the items were changed, or were made with other keys.
    pub fn restore(&self, redacted: &Redacted) -> Result<String> {
        self.policy.restore(redacted)
    }

    /// As [`Reidentifier::restore`], for a text about a subject.
    ///
    /// # Errors
    ///
    /// As [`Reidentifier::restore`].
    pub fn restore_for(&self, subject: &str, redacted: &Redacted) -> Result<String> {
        self.policy.restore_for(subject, redacted)
    }

    /// Opens the tokens in a text of which no items were kept, and counts those it refused.
    ///
    /// # Errors
    ///
    /// As [`CompiledPolicy::restore_tokens`].
    pub fn restore_tokens(&self, text: &str) -> Result<(String, usize)> {
        self.policy.restore_tokens(text)
    }

    /// The value behind one transformed value, such as a cell of a column.
    ///
    /// # Errors
    ///
    /// [`Error::Restore`] if the operator of that entity cannot be undone or the value is none of
    /// this policy's.
    pub fn value(&self, entity: &Entity, subject: &str, value: &str) -> Result<String> {
        self.policy.reverse(entity, subject, value)
    }
}
