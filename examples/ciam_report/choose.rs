//! Which technique for which source, and why; overrides, and what is refused.
//!
//! A choice is checked when it is made, before any data exists in the process.

use std::fmt;
use std::str::FromStr;

use crate::error::Choice as Problem;
use crate::report::Handling;

/// A source of the made-up product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Logins,
    Profiles,
    Notes,
    Minutes,
}

/// What may leave of a source, and how it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Technique {
    /// Numbers with noise: differential privacy.
    Numbers,
    /// Rows in crowds: k-anonymity with diverse sensitive values.
    Table,
    /// Texts in which personal data is replaced.
    Redact,
    /// A sum over tenants that only exists encrypted until noise is in it.
    EncryptedSum,
    /// Nothing.
    Drop,
    /// Everything as it is. Understood so that it can be refused with a reason.
    Keep,
}

/// The number of people that a row must share its visible values with, unless told otherwise.
pub const DEFAULT_K: u64 = 5;

/// What the questions about logins cost of the budget, in percent.
pub const LOGINS: u32 = 80;

/// What the question about each other source costs of the budget, in percent.
pub const SMALL: u32 = 5;

/// One `--technique SOURCE=TECHNIQUE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Override {
    source: Source,
    technique: Technique,
}

/// The choices for all sources.
#[derive(Clone, Debug)]
pub struct Choices {
    chosen: [(Source, Technique, bool); 4],
    /// The k of a table.
    pub k: u64,
}

impl Source {
    const ALL: [Source; 4] = [Source::Logins, Source::Profiles, Source::Notes, Source::Minutes];

    pub fn name(self) -> &'static str {
        match self {
            Source::Logins => "logins",
            Source::Profiles => "profiles",
            Source::Notes => "notes",
            Source::Minutes => "minutes",
        }
    }

    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Source::Logins => "Logins",
            Source::Profiles => "Profiles",
            Source::Notes => "Notes",
            Source::Minutes => "Minutes",
        }
    }

    fn what(self) -> &'static str {
        match self {
            Source::Logins => "login events: user, country, device, second factor, hour, outcome",
            Source::Profiles => "user profiles: e-mail, year of birth, postcode, country, plan",
            Source::Notes => "support notes: free text about a customer",
            Source::Minutes => {
                "session minutes of five tenants, who do not show them to each other"
            }
        }
    }

    /// The technique that fits, unless told otherwise.
    fn proposed(self) -> Technique {
        match self {
            Source::Logins => Technique::Numbers,
            Source::Profiles => Technique::Table,
            Source::Notes => Technique::Redact,
            Source::Minutes => Technique::EncryptedSum,
        }
    }

    /// Why a technique fits; `None` where it does not.
    fn reason(self, technique: Technique) -> Option<&'static str> {
        Some(match (self, technique) {
            (Source::Logins, Technique::Numbers) => {
                "the team needs totals and breakdowns, not rows, and will ask again next week: only \
                 differential privacy says what all answers together reveal"
            }
            (Source::Profiles, Technique::Table) => {
                "the partner's tool reads rows; e-mail addresses are dropped, and what a neighbour \
                 could know is coarsened until every row has company"
            }
            (Source::Profiles, Technique::Numbers) => {
                "counts by plan answer the partner's question without a row leaving"
            }
            (Source::Notes, Technique::Redact) => {
                "the notes are read for their sense, so the text stays and the people in it go; equal \
                 people keep equal surrogates, so that customers can still be counted"
            }
            (Source::Minutes, Technique::EncryptedSum) => {
                "each tenant encrypts its total with a share of the noise; nobody, the platform \
                 included, sees a tenant's number, and the sum is opened only against the budget"
            }
            (Source::Minutes, Technique::Numbers) => {
                "the platform holds all minutes anyway, so a noisy sum needs no encryption"
            }
            (_, Technique::Drop) => "nothing of it is needed this week",
            _ => return None,
        })
    }
}

impl Technique {
    const ALL: [Technique; 6] = [
        Technique::Numbers,
        Technique::Table,
        Technique::Redact,
        Technique::EncryptedSum,
        Technique::Drop,
        Technique::Keep,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Technique::Numbers => "numbers",
            Technique::Table => "table",
            Technique::Redact => "redact",
            Technique::EncryptedSum => "encrypted-sum",
            Technique::Drop => "drop",
            Technique::Keep => "keep",
        }
    }

    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Technique::Numbers => "differentially private numbers",
            Technique::Table => "anonymous table",
            Technique::Redact => "redacted text",
            Technique::EncryptedSum => "encrypted sum with noise",
            Technique::Drop => "nothing leaves",
            Technique::Keep => "as it is",
        }
    }

    /// What its guarantee does not cover, in plain words.
    pub fn does_not_cover(self) -> &'static str {
        match self {
            Technique::Numbers => {
                "Facts about groups: if most users of a country log in at night, a private report says \
                 so too. A person with two accounts is protected as two. What limits and bounds cut off \
                 is not in the ±."
            }
            Technique::Table => {
                "It speaks of this table alone: beside another release of the same people, or known \
                 facts about them, rows can be singled out again. It is a property of the table, not \
                 differential privacy."
            }
            Technique::Redact => {
                "What was not recognized stays in the text, and a story can identify its hero without a \
                 name. Whoever holds the key can tell which surrogates belong together."
            }
            Technique::EncryptedSum => {
                "It assumes that every tenant adds its share of noise and that the key holder opens only \
                 what is paid for. The sum has the limits of any noisy number."
            }
            Technique::Drop => "Nothing to cover: no value of this source is in the report.",
            Technique::Keep => "Everything.",
        }
    }
}

impl FromStr for Override {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let (source, technique) = text.split_once('=').ok_or(Problem::Notation)?;
        let source = Source::ALL.into_iter().find(|known| known.name() == source.trim());
        let technique = Technique::ALL.into_iter().find(|known| known.name() == technique.trim());
        Ok(Override {
            source: source.ok_or(Problem::UnknownSource)?,
            technique: technique.ok_or(Problem::UnknownTechnique)?,
        })
    }
}

impl Choices {
    /// The proposals, changed by `overrides`.
    ///
    /// # Errors
    ///
    /// A refusal of an override that would let personal data out, that does not fit its source, or
    /// that contradicts another.
    pub fn new(overrides: &[Override], k: u64) -> Result<Self, Problem> {
        if k < 2 {
            return Err(Problem::SmallK { given: k });
        }
        let mut chosen = Source::ALL.map(|source| (source, source.proposed(), false));
        for Override { source, technique } in overrides {
            let (source, technique) = (*source, *technique);
            let names = (source.name(), technique.name());
            if technique == Technique::Keep {
                return Err(Problem::Unsafe { source_name: names.0 });
            }
            if source.reason(technique).is_none() {
                return Err(Problem::Unsuitable { source_name: names.0, technique: names.1 });
            }
            for choice in chosen.iter_mut().filter(|choice| choice.0 == source) {
                if choice.2 {
                    return Err(Problem::Twice { source_name: names.0 });
                }
                *choice = (source, technique, true);
            }
        }
        Ok(Choices { chosen, k })
    }

    /// The technique for a source.
    pub fn of(&self, source: Source) -> Technique {
        let found = self.chosen.iter().find(|choice| choice.0 == source);
        found.map_or(Technique::Drop, |choice| choice.1)
    }

    /// What all choices together cost of the budget, in percent.
    pub fn percent(&self) -> u32 {
        let cost = |(source, technique, _): &(Source, Technique, bool)| match (source, technique) {
            (_, Technique::Drop | Technique::Keep | Technique::Table) => 0,
            (Source::Logins, _) => LOGINS,
            _ => SMALL,
        };
        self.chosen.iter().map(cost).sum()
    }

    /// What the report says about the choices, with the guarantee of each as `guarantee` states it.
    pub fn handlings(&self, guarantee: impl Fn(Source, Technique) -> String) -> Vec<Handling> {
        let handling = |(source, technique, overridden): &(Source, Technique, bool)| Handling {
            source: source.title().to_owned(),
            what: source.what().to_owned(),
            technique: technique.title().to_owned(),
            overridden: *overridden,
            reason: source.reason(*technique).unwrap_or_default().to_owned(),
            guarantee: guarantee(*source, *technique),
            does_not_cover: technique.does_not_cover().to_owned(),
        };
        self.chosen.iter().map(handling).collect()
    }
}

impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.source.name(), self.technique.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(overrides: &[&str]) -> Result<Choices, Problem> {
        let overrides: Result<Vec<Override>, _> = overrides.iter().map(|o| o.parse()).collect();
        Choices::new(&overrides?, DEFAULT_K)
    }

    #[test]
    fn every_proposal_has_a_reason() {
        for source in Source::ALL {
            assert!(source.reason(source.proposed()).is_some());
        }
        assert_eq!(choose(&[]).unwrap().of(Source::Notes), Technique::Redact);
        assert_eq!(choose(&[]).unwrap().percent(), 90);
    }

    #[test]
    fn a_choice_can_be_overridden() {
        let choices = choose(&["notes=drop", "profiles=numbers"]).unwrap();
        assert_eq!(choices.of(Source::Notes), Technique::Drop);
        assert_eq!(choices.of(Source::Profiles), Technique::Numbers);
        assert_eq!(choices.of(Source::Logins), Technique::Numbers);
        assert_eq!("notes=drop".parse::<Override>().unwrap().to_string(), "notes=drop");
    }

    #[test]
    fn unsafe_and_senseless_overrides_are_refused() {
        assert!(matches!(choose(&["notes=keep"]), Err(Problem::Unsafe { source_name: "notes" })));
        assert!(matches!(choose(&["notes=table"]), Err(Problem::Unsuitable { .. })));
        assert!(matches!(choose(&["logins=redact"]), Err(Problem::Unsuitable { .. })));
        assert!(matches!(choose(&["notes=drop", "notes=redact"]), Err(Problem::Twice { .. })));
        assert!(matches!(choose(&["note=drop"]), Err(Problem::UnknownSource)));
        assert!(matches!(choose(&["notes=blur"]), Err(Problem::UnknownTechnique)));
        assert!(matches!(choose(&["notes"]), Err(Problem::Notation)));
        assert!(matches!(Choices::new(&[], 1), Err(Problem::SmallK { given: 1 })));
    }
}
