//! Groups that are known beforehand.
//!
//! # Privacy
//!
//! A list of known groups is public: every group on it gets a release, empty or not, and rows of
//! other groups are left out. It must come from knowledge of the domain (an enum, a catalogue),
//! never from the rows: that a group occurs at all can disclose a person.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

use crate::error::{Error, Result};
use crate::hash::TableHasher;

/// A list of distinct known groups with fast lookup.
#[derive(Clone, Debug)]
pub struct KnownGroups<K> {
    groups: Vec<K>,
    positions: HashMap<K, u32, TableHasher>,
}

impl<K: Eq + Hash + Clone> KnownGroups<K> {
    /// The given groups in the given order.
    ///
    /// # Errors
    ///
    /// [`Error::NoGroups`] or [`Error::DuplicateGroup`].
    pub fn new(groups: &[K]) -> Result<Self> {
        if groups.is_empty() {
            return Err(Error::NoGroups);
        }
        let mut positions = HashMap::with_capacity_and_hasher(groups.len(), TableHasher::default());
        for (position, group) in groups.iter().enumerate() {
            if positions.insert(group.clone(), position as u32).is_some() {
                return Err(Error::DuplicateGroup { position });
            }
        }
        Ok(KnownGroups { groups: groups.to_vec(), positions })
    }

    /// The groups in order.
    #[must_use]
    pub fn groups(&self) -> &[K] {
        &self.groups
    }

    /// Where the group named by `name` stands, or `None` for a group that is not on the list.
    #[inline]
    pub fn position<N, Form>(&self, name: &N) -> Option<u32>
    where
        N: Names<K, Form>,
        K: Borrow<N::Target>,
    {
        self.positions.get(name.target()).copied()
    }
}

/// What a row may say to name a group `K`: the group itself, a reference to it, or for text any
/// string type.
///
/// `Form` only keeps the implementations apart and is always inferred.
#[diagnostic::on_unimplemented(
    message = "a row's `{Self}` cannot be looked up in a list of `{K}`",
    label = "does not name a `{K}`",
    note = "return the same type as the listed groups, or a reference to it; strings of any kind \
            name strings"
)]
pub trait Names<K, Form> {
    /// What both sides are compared as.
    type Target: ?Sized + Eq + Hash;

    /// The name in the form that is compared.
    fn target(&self) -> &Self::Target;
}

/// A name that is the group. See [`Names`].
#[derive(Debug)]
#[doc(hidden)]
pub enum Itself {}

/// A name that is a reference to the group. See [`Names`].
#[derive(Debug)]
#[doc(hidden)]
pub enum Reference {}

/// A name of another string type. See [`Names`].
#[derive(Debug)]
#[doc(hidden)]
pub enum Text {}

impl<K: Eq + Hash> Names<K, Itself> for K {
    type Target = K;

    #[inline]
    fn target(&self) -> &K {
        self
    }
}

impl<K: Eq + Hash> Names<K, Reference> for &K {
    type Target = K;

    #[inline]
    fn target(&self) -> &K {
        self
    }
}

macro_rules! text_names {
    ($($name:ty => $group:ty),* $(,)?) => {
        $(
            impl<'k> Names<$group, Text> for $name {
                type Target = str;

                #[inline]
                fn target(&self) -> &str {
                    self
                }
            }
        )*
    };
}
text_names! {
    String => &'k str,
    &String => &'k str,
    Box<str> => &'k str,
    &Box<str> => &'k str,
    std::sync::Arc<str> => &'k str,
    &std::sync::Arc<str> => &'k str,
    std::borrow::Cow<'_, str> => &'k str,
    &std::borrow::Cow<'_, str> => &'k str,
    &'k str => String,
    &&'k str => String,
    std::borrow::Cow<'k, str> => String,
    &std::borrow::Cow<'k, str> => String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_string_type_find_their_group() {
        let listed = KnownGroups::new(&["de", "fr"]).unwrap();
        let owned = KnownGroups::new(&["de".to_owned(), "fr".to_owned()]).unwrap();
        let name = String::from("fr");
        assert_eq!(listed.position(&name), Some(1));
        assert_eq!(listed.position(&&name), Some(1));
        assert_eq!(listed.position(&"fr"), Some(1));
        assert_eq!(owned.position(&"fr"), Some(1));
        assert_eq!(owned.position(&&name), Some(1));
        assert_eq!(listed.position(&"it"), None);
    }

    #[test]
    fn lists_must_be_distinct_and_not_empty() {
        assert!(matches!(KnownGroups::<u8>::new(&[]), Err(Error::NoGroups)));
        let twice = KnownGroups::new(&[1, 2, 1]);
        assert!(matches!(twice, Err(Error::DuplicateGroup { position: 2 })));
    }
}
