//! Where an account stands in the hierarchy.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use crate::error::{Error, Result};

const MAX_DEPTH: usize = 16;
const MAX_BYTES: usize = 512;

/// The path of an account: names from the widest scope to the narrowest, joined by `/`, such as
/// `acme/logins/weekly-report/2026-11`.
///
/// The empty path is the whole ledger. What the levels mean is the application's choice: tenant,
/// data set, purpose, analyst, block of users or of time. Names are written to the audit log: use
/// identifiers, never data about a person.
///
/// # Example
///
/// ```
/// use privacy_ledger::AccountPath;
///
/// let path: AccountPath = "acme/logins".parse()?;
/// assert_eq!(path.child("2026-11")?.to_string(), "acme/logins/2026-11");
/// assert!("acme//logins".parse::<AccountPath>().is_err());
/// # Ok::<(), privacy_ledger::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct AccountPath(String);

impl AccountPath {
    /// The whole ledger: every charge counts here.
    #[must_use]
    pub fn root() -> Self {
        AccountPath::default()
    }

    /// The account `name` below this one.
    ///
    /// # Errors
    ///
    /// [`Error::Path`] if the name is empty, contains `/` or a control character, or the path
    /// becomes longer than 16 names or 512 bytes.
    pub fn child(&self, name: &str) -> Result<Self> {
        if name.is_empty() || name.contains('/') {
            return Err(Error::Path {
                requirement: "made of names that are not empty, without `/`",
            });
        }
        if self.0.is_empty() { name.parse() } else { format!("{}/{name}", self.0).parse() }
    }

    /// The path as text; empty for the whole ledger.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How many names it has.
    #[must_use]
    pub fn depth(&self) -> usize {
        if self.0.is_empty() { 0 } else { self.0.split('/').count() }
    }

    /// The path above and the last name; `None` for the whole ledger.
    pub(crate) fn split(&self) -> Option<(&str, &str)> {
        match self.0.rsplit_once('/') {
            Some((parent, name)) => Some((parent, name)),
            None if self.0.is_empty() => None,
            None => Some(("", &self.0)),
        }
    }

    /// Every path from the whole ledger down to this one.
    pub(crate) fn prefixes(&self) -> impl Iterator<Item = &str> {
        let inner = self.0.match_indices('/').map(|(at, _)| &self.0[..at]);
        let own = (!self.0.is_empty()).then_some(self.0.as_str());
        std::iter::once("").chain(inner).chain(own)
    }
}

/// The first name of `path` below its prefix `above`.
pub(crate) fn first_below<'a>(path: &'a str, above: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(above)?;
    let rest = if above.is_empty() { rest } else { rest.strip_prefix('/')? };
    rest.split('/').next().filter(|name| !name.is_empty())
}

impl FromStr for AccountPath {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Ok(AccountPath::root());
        }
        if text.len() > MAX_BYTES || text.split('/').count() > MAX_DEPTH {
            return Err(Error::Path { requirement: "at most 16 names and 512 bytes long" });
        }
        let valid = |name: &str| !name.is_empty() && !name.chars().any(char::is_control);
        if !text.split('/').all(valid) {
            return Err(Error::Path {
                requirement: "names joined by `/`, none of them empty and without control characters",
            });
        }
        Ok(AccountPath(text.to_owned()))
    }
}

impl TryFrom<&str> for AccountPath {
    type Error = Error;

    fn try_from(text: &str) -> Result<Self> {
        text.parse()
    }
}

impl fmt::Display for AccountPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl<'de> Deserialize<'de> for AccountPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_run_from_the_whole_ledger_to_the_path() {
        let path: AccountPath = "a/b/c".parse().unwrap();
        assert_eq!(path.prefixes().collect::<Vec<_>>(), ["", "a", "a/b", "a/b/c"]);
        assert_eq!(AccountPath::root().prefixes().collect::<Vec<_>>(), [""]);
        assert_eq!((path.depth(), AccountPath::root().depth()), (3, 0));
        assert_eq!(path.split(), Some(("a/b", "c")));
        assert_eq!(first_below("a/b/c", "a"), Some("b"));
        assert_eq!(first_below("a/b/c", ""), Some("a"));
        assert_eq!(first_below("ab/c", "a"), None);
        assert_eq!(first_below("a", "a"), None);
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["/", "a/", "/a", "a//b", "a\nb", &"a/".repeat(40), &"x".repeat(600)] {
            assert!(text.parse::<AccountPath>().is_err(), "{text:?}");
        }
        assert!(AccountPath::root().child("a/b").is_err());
        assert!(AccountPath::root().child("").is_err());
    }
}
