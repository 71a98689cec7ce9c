//! Kinds of personal data.

use std::fmt;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use crate::recognizer::table::{EntityRow, read};

/// A kind of personal data, such as `EMAIL_ADDRESS` or `DE_TAX_ID`. Cheap to clone.
///
/// Names are those that users of Presidio know; what Presidio lacks is named in its manner.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Entity(Arc<str>);

impl Entity {
    /// The entity of that name, built in or your own. Letters are put into upper case, and names
    /// that Amazon Comprehend and Google's Sensitive Data Protection use are translated.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let upper = name.trim().to_uppercase();
        Entity(alias(&upper).unwrap_or(&upper).into())
    }

    pub(crate) fn exact(name: &str) -> Self {
        Entity(name.into())
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Entity {
    fn from(name: &str) -> Self {
        Entity::new(name)
    }
}

impl PartialEq<str> for Entity {
    fn eq(&self, other: &str) -> bool {
        *self.0 == *other
    }
}

impl PartialEq<&str> for Entity {
    fn eq(&self, other: &&str) -> bool {
        *self.0 == **other
    }
}

/// What other systems call the same thing.
fn alias(name: &str) -> Option<&'static str> {
    Some(match name {
        "NAME" | "PERSON_NAME" | "PER" => "PERSON",
        "EMAIL" => "EMAIL_ADDRESS",
        "PHONE" => "PHONE_NUMBER",
        "SSN" | "US_SOCIAL_SECURITY_NUMBER" => "US_SSN",
        "CREDIT_DEBIT_NUMBER" | "CREDIT_CARD_NUMBER" => "CREDIT_CARD",
        "CREDIT_DEBIT_CVV" => "CVV",
        "CREDIT_DEBIT_EXPIRY" => "CARD_EXPIRY",
        "INTERNATIONAL_BANK_ACCOUNT_NUMBER" | "IBAN" => "IBAN_CODE",
        "SWIFT_CODE" | "BIC" => "BIC_CODE",
        "BANK_ROUTING" => "ABA_ROUTING_NUMBER",
        "BANK_ACCOUNT_NUMBER" => "US_BANK_NUMBER",
        "DRIVER_ID" | "US_DRIVERS_LICENSE_NUMBER" => "US_DRIVER_LICENSE",
        "PASSPORT_NUMBER" => "US_PASSPORT",
        "ADDRESS" => "STREET_ADDRESS",
        "DATE" | "DATE_OF_BIRTH" | "TIME" => "DATE_TIME",
        "VEHICLE_IDENTIFICATION_NUMBER" => "VIN",
        "LOCATION_COORDINATES" => "COORDINATES",
        "ORG" => "ORGANIZATION",
        "LOC" | "GPE" => "LOCATION",
        "NORP" => "NRP",
        "AWS_ACCESS_KEY" | "AWS_SECRET_KEY" | "AUTH_TOKEN" => "SECRET",
        "JSON_WEB_TOKEN" => "JWT",
        _ => return None,
    })
}

/// What is known of a built-in entity.
#[derive(Clone, Copy, Debug)]
pub struct Info(&'static EntityRow);

impl Info {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// Its country as a lower-case ISO 3166 code, if it belongs to one.
    #[must_use]
    pub fn country(self) -> Option<&'static str> {
        Some(self.0.country).filter(|c| !c.is_empty())
    }

    /// What it is, and who issues it.
    #[must_use]
    pub fn description(self) -> &'static str {
        self.0.what
    }

    /// How it is written; made up.
    #[must_use]
    pub fn example(self) -> &'static str {
        self.0.example
    }

    /// What is taken for it by mistake, where that is known.
    #[must_use]
    pub fn false_positives(self) -> Option<&'static str> {
        Some(self.0.false_positives).filter(|f| !f.is_empty())
    }

    /// The words that speak for it.
    #[must_use]
    pub fn context(self) -> &'static [&'static str] {
        &self.0.context
    }
}

/// All built-in entities.
pub fn all() -> impl Iterator<Item = Info> {
    static ROWS: OnceLock<Vec<EntityRow>> = OnceLock::new();
    ROWS.get_or_init(|| read().0).iter().map(Info)
}
