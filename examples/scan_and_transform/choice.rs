//! What becomes of each column: suggested by the inventory, changed by people, within what is safe.

use std::fmt;

use confidant::core::sensitive::SensitivityLevel;
use confidant::deid::Entity;
use confidant::deid::inventory::{ColumnReport, Inventory, Technique};
use confidant::kanon::prelude::{Intervals, Masking, Roles};

/// What becomes of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// It is left out.
    Drop,
    /// Equal values become equal tokens, under a key.
    Token,
    /// What is found in its texts becomes a tag.
    RedactText,
    /// Of a date only the year is kept, made coarser with the other columns.
    Year,
    /// Digits are masked from the right, with the other columns.
    Masked,
    /// It stays, and no class of rows may have one value alone.
    Sensitive,
    /// It stays as it is.
    Keep,
}

impl fmt::Display for Treatment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Treatment::Drop => "left out",
            Treatment::Token => "keyed tokens",
            Treatment::RedactText => "redacted text",
            Treatment::Year => "coarser years",
            Treatment::Masked => "masked digits",
            Treatment::Sensitive => "kept, diverse",
            Treatment::Keep => "kept",
        })
    }
}

/// A column, what becomes of it, and why.
pub struct Choice {
    pub column: String,
    pub treatment: Treatment,
    pub reason: String,
    /// What most of its values hold.
    pub entity: Option<Entity>,
    level: SensitivityLevel,
}

/// Choices for all columns of a source.
pub struct Choices(Vec<Choice>);

/// Why a choice cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error("`{column}` is {level}: it cannot be kept as it is; drop it, or replace it by tokens")]
    Unsafe { column: String, level: SensitivityLevel },
    #[error("there is no column `{column}`")]
    Unknown { column: String },
}

impl Choices {
    /// What fits each column, as far as the scan can tell.
    pub fn suggested(inventory: &Inventory) -> Self {
        Choices(inventory.columns.iter().map(suggestion).collect())
    }

    /// Another treatment of a column.
    pub fn set(&mut self, column: &str, treatment: Treatment, reason: &str) -> Result<(), Refused> {
        let choice = self.0.iter_mut().find(|choice| choice.column == column);
        let choice = choice.ok_or_else(|| Refused::Unknown { column: column.to_owned() })?;
        let kept = matches!(treatment, Treatment::Keep | Treatment::Sensitive);
        if kept && choice.level >= SensitivityLevel::Confidential {
            return Err(Refused::Unsafe { column: column.to_owned(), level: choice.level });
        }
        (choice.treatment, choice.reason) = (treatment, reason.to_owned());
        Ok(())
    }

    pub fn iter(&self) -> impl Iterator<Item = &Choice> {
        self.0.iter()
    }

    /// The roles of the columns where rows are made alike.
    pub fn roles(&self) -> Roles {
        self.0.iter().fold(
            Roles::new(),
            |roles, Choice { column, treatment, .. }| match treatment {
                Treatment::Drop => roles.identifying(column),
                Treatment::Year => {
                    roles.quasi(column, Intervals::new(1920, 2020).widths([5, 10, 50]))
                }
                Treatment::Masked => roles.quasi(column, Masking::new()),
                Treatment::Sensitive => roles.sensitive(column),
                Treatment::Token | Treatment::RedactText | Treatment::Keep => {
                    roles.insensitive(column)
                }
            },
        )
    }
}

fn suggestion(column: &ColumnReport) -> Choice {
    let treatment = match column.technique {
        Technique::Keep => Treatment::Keep,
        Technique::DateShift => Treatment::Year,
        Technique::Generalization => Treatment::Masked,
        Technique::TextRedaction => Treatment::RedactText,
        Technique::KeyedTokens | Technique::Surrogates => Treatment::Token,
        // Also what a later version suggests and this program does not know.
        _ => Treatment::Drop,
    };
    let reason = match treatment {
        Treatment::Year => "the day narrows down a person together with other columns".to_owned(),
        _ => column.reason.clone(),
    };
    Choice {
        column: column.name.clone(),
        treatment,
        reason,
        entity: column.verdict.as_ref().map(|verdict| verdict.entity.clone()),
        level: column.level,
    }
}

impl fmt::Display for Choices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, choice) in self.0.iter().enumerate() {
            let end = if i + 1 < self.0.len() { "\n" } else { "" };
            write!(f, "  {:10} {:14} {}{end}", choice.column, choice.treatment, choice.reason)?;
        }
        Ok(())
    }
}
