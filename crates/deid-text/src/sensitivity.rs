//! How sensitive a text, a record or a column is, by what was found in it.

use std::collections::{BTreeMap, BTreeSet};

use privacy_core::sensitive::SensitivityLevel;
use serde::{Deserialize, Serialize};

use crate::entity::Entity;
use crate::finding::Findings;

/// A rule: if its condition holds, the data has at least this level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// All of these must have been found.
    pub entities: Vec<Entity>,
    /// In at least this many findings of each.
    #[serde(default = "one")]
    pub count: usize,
    /// Then the data is at least this sensitive.
    pub level: SensitivityLevel,
}

fn one() -> usize {
    1
}

/// Rules that turn findings into one of the four levels: the highest of all rules that hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Classifier {
    /// The rules.
    pub rules: Vec<Rule>,
    /// For what no rule names, once it is found.
    pub otherwise: SensitivityLevel,
}

const RESTRICTED: &str = "CREDIT_CARD CVV PIN PASSWORD SECRET PRIVATE_KEY JWT CONNECTION_STRING CREDENTIAL_HEADER US_SSN \
    MEDICAL_RECORD_NUMBER US_MBI UK_NHS DE_HEALTH_INSURANCE AU_MEDICARE NRP MRZ OTP_CODE";
const INTERNAL: &str =
    "URL ORGANIZATION DATE_TIME LOCATION TITLE UUID AGE ISBN LEI ISIN CUSIP SEDOL US_ZIP DE_PLZ";

impl Default for Classifier {
    /// Credentials, payment and health data are restricted; what says little of a person by itself is
    /// internal; a person together with a date and a place, or a health identifier, is restricted;
    /// everything else is confidential.
    fn default() -> Self {
        let single =
            |level| move |name: &str| Rule { entities: vec![Entity::exact(name)], count: 1, level };
        let mut rules: Vec<Rule> =
            RESTRICTED.split_whitespace().map(single(SensitivityLevel::Restricted)).collect();
        rules.extend(INTERNAL.split_whitespace().map(single(SensitivityLevel::Internal)));
        rules.push(Rule {
            entities: ["PERSON", "DATE_TIME", "STREET_ADDRESS"].map(Entity::exact).to_vec(),
            count: 1,
            level: SensitivityLevel::Restricted,
        });
        Classifier { rules, otherwise: SensitivityLevel::Confidential }
    }
}

impl Classifier {
    /// The level of a text with these findings; [`SensitivityLevel::Public`] without any.
    #[must_use]
    pub fn classify(&self, findings: &Findings) -> SensitivityLevel {
        let mut counts: BTreeMap<Entity, usize> = BTreeMap::new();
        for finding in findings {
            *counts.entry(finding.entity.clone()).or_default() += 1;
        }
        self.classify_counts(&counts)
    }

    /// The level of data in which entities were found that often.
    #[must_use]
    pub fn classify_counts(&self, counts: &BTreeMap<Entity, usize>) -> SensitivityLevel {
        let mut level = SensitivityLevel::Public;
        let mut named = BTreeSet::new();
        for rule in &self.rules {
            if let [one] = rule.entities.as_slice() {
                named.insert(one);
            }
            if rule.entities.iter().all(|e| counts.get(e).is_some_and(|n| *n >= rule.count)) {
                level = level.max(rule.level);
            }
        }
        if counts.iter().any(|(e, n)| *n > 0 && !named.contains(e)) {
            level = level.max(self.otherwise);
        }
        level
    }
}
