//! The steps of this crate as stages of privacy-core pipelines.

use std::borrow::Cow;
use std::sync::Arc;

use privacy_core::context::Context;
use privacy_core::error::Error as CoreError;
use privacy_core::guarantee::{Effect, Guarantee};
use privacy_core::sensitive::Sensitive;
use privacy_core::stage::Stage;

use crate::analyzer::Analyzer;
use crate::policy::CompiledPolicy;

/// Finds personal data in each text and transforms it under a policy.
///
/// # Privacy
///
/// The guarantee is [`Guarantee::Heuristic`]: what was not found stays. Keyed operators hide what they
/// replace from those without the key, assuming HMAC-SHA-256, AES-SIV, AES-GCM-SIV or FF1 with AES are
/// pseudo-random; that is no guarantee for the text as a whole.
#[derive(Clone, Debug)]
pub struct Redact {
    analyzer: Analyzer,
    policy: Arc<CompiledPolicy>,
}

impl Redact {
    /// The stage.
    #[must_use]
    pub fn new(analyzer: Analyzer, policy: CompiledPolicy) -> Self {
        Redact { analyzer, policy: Arc::new(policy) }
    }
}

impl Stage for Redact {
    type Input = Sensitive<Vec<String>>;
    type Output = Vec<String>;

    fn name(&self) -> Cow<'static, str> {
        "redact text".into()
    }

    fn effect(&self) -> Effect {
        let method = "personal data found by patterns and a tagger, transformed under a policy; keyed operators assume \
                      that HMAC-SHA-256, AES-SIV, AES-GCM-SIV and FF1 are pseudo-random";
        Effect::Establishes {
            guarantee: Guarantee::Heuristic { method: method.into() },
            distance: 1,
        }
    }

    fn run(&self, input: Self::Input, _: &mut Context) -> Result<Self::Output, CoreError> {
        let redact = |text: &String| {
            let findings = self.analyzer.scan(text)?;
            self.policy.apply(text, &findings).map(|r| r.text)
        };
        input.expose().iter().map(|t| redact(t).map_err(CoreError::technique)).collect()
    }
}
