//! Persons, places and organizations.

use std::borrow::Cow;
use std::ops::Range;

use crate::entity::Entity;
use crate::error::Result;

/// A name in a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    /// `PERSON`, `LOCATION`, `ORGANIZATION`, `NRP`, `TITLE`, any other entity the analyzer knows, or one of
    /// [`NerBackend::entities`]; anything else makes the scan fail.
    pub entity: Entity,
    /// Where it is, in bytes of the text that was given.
    pub range: Range<usize>,
    /// How sure it is, 0 to 1.
    pub score: f32,
}

/// Finds names: the built-in tagger, or a model of your own.
///
/// # Example
///
/// ```
/// use deid_text::{Analyzer, Error, Name, NerBackend};
///
/// /// Knows one name.
/// struct Fixed;
///
/// impl NerBackend for Fixed {
///     fn name(&self) -> std::borrow::Cow<'static, str> {
///         "fixed".into()
///     }
///
///     fn tag(&self, text: &str) -> Result<Vec<Name>, Error> {
///         let found = text.match_indices("Zaphod");
///         Ok(found
///             .map(|(i, m)| Name { entity: "PERSON".into(), range: i..i + m.len(), score: 0.9 })
///             .collect())
///     }
/// }
///
/// let analyzer = Analyzer::builder().names(Fixed).build()?;
/// assert_eq!(analyzer.scan("I met Zaphod.")?[0].span.range(), 6..12);
/// # Ok::<(), Error>(())
/// ```
pub trait NerBackend: Send + Sync {
    /// Its name in errors.
    fn name(&self) -> Cow<'static, str>;

    /// The entities that it reports, as far as they are none of the built-in ones: the analyzer then
    /// knows them, too. None unless you say so.
    fn entities(&self) -> Vec<Entity> {
        Vec::new()
    }

    /// The names in a block of text.
    ///
    /// # Errors
    ///
    /// Any; the scan fails with it, nothing is passed through.
    fn tag(&self, text: &str) -> Result<Vec<Name>>;
}

#[cfg(feature = "ner")]
mod features;
#[cfg(feature = "ner")]
mod gazetteer;
#[cfg(feature = "ner")]
mod judge;
#[cfg(feature = "ner")]
mod lists;
#[cfg(feature = "ner")]
mod tagger;
#[cfg(feature = "ner")]
mod tokens;
#[cfg(feature = "train")]
pub mod train;

/// The built-in tagger, loaded once for the whole process.
#[cfg(feature = "ner")]
pub(crate) fn built_in() -> Result<std::sync::Arc<dyn NerBackend>> {
    use std::sync::{Arc, OnceLock};
    static TAGGER: OnceLock<Option<Arc<tagger::Tagger>>> = OnceLock::new();
    let tagger = TAGGER.get_or_init(|| tagger::Tagger::load().map(Arc::new));
    match tagger {
        Some(tagger) => Ok(Arc::clone(tagger) as Arc<dyn NerBackend>),
        None => Err(crate::Error::Backend { backend: "built-in tagger".into() }),
    }
}
