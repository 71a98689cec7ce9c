//! What may honestly be said of a value, and what a step does to that.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::measure::Charge;
use crate::unit::{Relation, UnitKind};

/// What may be said of a value that leaves a stage, and nothing more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[non_exhaustive]
pub enum Guarantee {
    /// Nothing is claimed: the value must be treated like the raw data.
    None,
    /// Differential privacy at a price. Immune to post-processing (Dwork, Roth 2014,
    /// Proposition 2.1).
    DifferentialPrivacy {
        /// The price, in every measure that has a proof.
        charge: Charge,
        /// Whose privacy.
        unit: UnitKind,
        /// Which data sets are neighbours.
        relation: Relation,
    },
    /// The table satisfies a syntactic model such as k-anonymity. Holds for this table alone:
    /// neither for what is computed from it nor together with other releases.
    Syntactic {
        /// The model with its parameters, such as `k-anonymity, k = 5`.
        model: Cow<'static, str>,
    },
    /// The value is unreadable to those without the key or enough shares, under an assumption.
    /// Says nothing about the value once it is opened.
    Confidential {
        /// Encryption or secret sharing, with its parameters.
        scheme: Cow<'static, str>,
        /// What the claim rests on.
        assumption: Cow<'static, str>,
    },
    /// Personal data was looked for and transformed where it was found; some may remain.
    Heuristic {
        /// What was done.
        method: Cow<'static, str>,
    },
    /// Several values, each with its own guarantee; of all together only what is common to each.
    Separate {
        /// The guarantees, value by value.
        parts: Vec<Guarantee>,
    },
}

impl Guarantee {
    /// What may be said of several values that were released from the same data.
    ///
    /// Differentially private releases about the same unit and relation compose: their charges
    /// add. Anything else stays separate; in particular a differentially private release beside
    /// a k-anonymous table of the same data has no joint differential privacy.
    #[must_use]
    pub fn together(parts: impl IntoIterator<Item = Guarantee>) -> Guarantee {
        let mut parts = parts.into_iter();
        let Some(mut joint) = parts.next() else {
            return Guarantee::None;
        };
        for part in parts {
            joint = joint.and(part);
        }
        joint
    }

    fn and(self, other: Guarantee) -> Guarantee {
        use Guarantee::{DifferentialPrivacy, Separate};
        match (self, other) {
            (
                DifferentialPrivacy { charge: a, unit, relation },
                DifferentialPrivacy { charge: b, unit: other_unit, relation: other_relation },
            ) => match a.compose(&b) {
                Some(charge) if unit == other_unit && relation == other_relation => {
                    DifferentialPrivacy { charge, unit, relation }
                }
                _ => Separate {
                    parts: vec![
                        DifferentialPrivacy { charge: a, unit, relation },
                        DifferentialPrivacy {
                            charge: b,
                            unit: other_unit,
                            relation: other_relation,
                        },
                    ],
                },
            },
            (Separate { mut parts }, other) => {
                parts.push(other);
                Separate { parts }
            }
            (first, other) => Separate { parts: vec![first, other] },
        }
    }

    /// Whether the value as a whole is differentially private.
    #[must_use]
    pub fn is_differentially_private(&self) -> bool {
        matches!(self, Guarantee::DifferentialPrivacy { .. })
    }
}

impl fmt::Display for Guarantee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Guarantee::None => f.write_str("no guarantee"),
            Guarantee::DifferentialPrivacy { charge, unit, relation } => {
                write!(f, "differential privacy, {charge} per {unit} ({relation})")
            }
            Guarantee::Syntactic { model } => write!(f, "{model}, for this table alone"),
            Guarantee::Confidential { scheme, assumption } => {
                write!(f, "unreadable by {scheme}, assuming {assumption}")
            }
            Guarantee::Heuristic { method } => {
                write!(f, "{method}; heuristic, personal data may remain")
            }
            Guarantee::Separate { parts } => {
                f.write_str("separately: ")?;
                for (i, part) in parts.iter().enumerate() {
                    if i > 0 {
                        f.write_str("; ")?;
                    }
                    write!(f, "({part})")?;
                }
                Ok(())
            }
        }
    }
}

/// What a stage does to the guarantee of the value that passes through it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[expect(clippy::large_enum_variant, reason = "one value for each stage, never stored in bulk")]
pub enum Effect {
    /// The output is a function of the input alone; no other data is read.
    PostProcessing,
    /// A transformation of raw rows: inputs `d` apart have outputs at most `stability · d` apart.
    Stable {
        /// The factor, at least 1.
        stability: u64,
    },
    /// The output satisfies `guarantee` with respect to inputs at most `distance` apart.
    Establishes {
        /// What the stage claims of its output.
        guarantee: Guarantee,
        /// The distance between neighbouring inputs that the claim covers.
        distance: u64,
    },
    /// Nothing is claimed any more, such as after decryption.
    Forfeits,
}

/// What may be said of the value between two stages.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Standing {
    pub(crate) guarantee: Guarantee,
    /// How far apart neighbours of the pipeline's input are here, while the value is still raw
    /// and the path to it is known to be stable.
    pub(crate) distance: Option<u64>,
}

impl Standing {
    /// Where a pipeline starts: raw data, neighbours one apart.
    pub(crate) const RAW: Standing = Standing { guarantee: Guarantee::None, distance: Some(1) };

    /// What may be said after a stage with the given effect.
    ///
    /// # Errors
    ///
    /// The reason why the stage's claim does not follow here.
    pub(crate) fn after(&self, effect: &Effect) -> Result<Standing, &'static str> {
        let private = self.guarantee.is_differentially_private();
        let kept = |keep: bool| {
            if keep { self.guarantee.clone() } else { Guarantee::None }
        };
        Ok(match effect {
            Effect::PostProcessing => {
                // Differential privacy is closed under post-processing, and what is computed from
                // ciphertexts or shares is as unreadable as they are. A syntactic model speaks of
                // one table only.
                let keep = private || matches!(self.guarantee, Guarantee::Confidential { .. });
                Standing { guarantee: kept(keep), distance: None }
            }
            Effect::Stable { stability } => Standing {
                guarantee: kept(private),
                distance: self.distance.and_then(|d| d.checked_mul((*stability).max(1))),
            },
            // The claim of an earlier differentially private release covers whatever is made of it.
            Effect::Establishes { .. } if private => {
                Standing { guarantee: self.guarantee.clone(), distance: None }
            }
            Effect::Establishes { guarantee, distance } => {
                if guarantee.is_differentially_private() {
                    match self.distance {
                        None => {
                            return Err("the stages before it do not state how far they drive \
                                        neighbours apart");
                        }
                        Some(actual) if actual > *distance => {
                            return Err(
                                "the stages before it drive neighbours further apart than \
                                        its price covers",
                            );
                        }
                        Some(_) => {}
                    }
                }
                Standing { guarantee: guarantee.clone(), distance: None }
            }
            Effect::Forfeits => Standing { guarantee: kept(private), distance: None },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::{Amount, Epsilon};

    fn private(epsilon: f64) -> Guarantee {
        Guarantee::DifferentialPrivacy {
            charge: Charge::from(Epsilon::new(epsilon).unwrap()),
            unit: UnitKind::User,
            relation: Relation::AddRemove,
        }
    }

    fn k_anonymous() -> Guarantee {
        Guarantee::Syntactic { model: "k-anonymity, k = 5".into() }
    }

    fn establishes(guarantee: Guarantee) -> Effect {
        Effect::Establishes { guarantee, distance: 1 }
    }

    #[test]
    fn differential_privacy_survives_whatever_comes_after() {
        let released = Standing::RAW.after(&establishes(private(0.5))).unwrap();
        for effect in [
            Effect::PostProcessing,
            Effect::Stable { stability: 9 },
            Effect::Forfeits,
            establishes(k_anonymous()),
            establishes(private(0.1)),
        ] {
            assert_eq!(released.after(&effect).unwrap().guarantee, private(0.5), "{effect:?}");
        }
    }

    #[test]
    fn a_syntactic_model_is_lost_with_the_table_it_spoke_of() {
        let table = Standing::RAW.after(&establishes(k_anonymous())).unwrap();
        for effect in [Effect::PostProcessing, Effect::Stable { stability: 1 }, Effect::Forfeits] {
            assert_eq!(table.after(&effect).unwrap().guarantee, Guarantee::None, "{effect:?}");
        }
    }

    #[test]
    fn a_private_claim_needs_a_known_distance_that_its_price_covers() {
        let redacted = Standing::RAW.after(&Effect::Stable { stability: 1 }).unwrap();
        assert!(redacted.after(&establishes(private(1.0))).is_ok());
        let tripled = redacted.after(&Effect::Stable { stability: 3 }).unwrap();
        assert!(tripled.after(&establishes(private(1.0))).is_err());
        let covering = Effect::Establishes { guarantee: private(1.0), distance: 3 };
        assert!(tripled.after(&covering).is_ok());
        let shuffled_unknown = Standing::RAW.after(&Effect::Forfeits).unwrap();
        assert!(shuffled_unknown.after(&establishes(private(1.0))).is_err());
        let anonymized = Standing::RAW.after(&establishes(k_anonymous())).unwrap();
        assert!(anonymized.after(&establishes(private(1.0))).is_err());
    }

    #[test]
    fn private_releases_add_up_and_nothing_else_does() {
        let joint = Guarantee::together([private(0.5), private(0.25)]);
        let Guarantee::DifferentialPrivacy { charge, .. } = joint else {
            panic!("two private releases are private together");
        };
        assert_eq!(charge.in_pure().unwrap().epsilon, Amount::from_fraction(3u8, 4u8).unwrap());
        let mixed = Guarantee::together([private(0.5), k_anonymous(), Guarantee::None]);
        assert!(!mixed.is_differentially_private());
        assert_eq!(
            mixed,
            Guarantee::Separate { parts: vec![private(0.5), k_anonymous(), Guarantee::None] }
        );
        assert_eq!(Guarantee::together([]), Guarantee::None);
    }

    #[test]
    fn releases_about_different_units_do_not_add_up() {
        let Guarantee::DifferentialPrivacy { charge, relation, .. } = private(0.5) else {
            unreachable!()
        };
        let record = Guarantee::DifferentialPrivacy { charge, unit: UnitKind::Record, relation };
        let joint = Guarantee::together([private(0.5), record]);
        assert!(matches!(joint, Guarantee::Separate { .. }));
    }
}
