//! What may honestly be said of a value, and what a step does to that.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::measure::Charge;
use crate::unit::Scope;

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
        /// Whose privacy, under which adjacency.
        scope: Scope,
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
        if let (
            DifferentialPrivacy { charge: a, scope },
            DifferentialPrivacy { charge: b, scope: other_scope },
        ) = (&self, &other)
            && scope == other_scope
            && let Some(charge) = a.compose(b)
        {
            return DifferentialPrivacy { charge, scope: *scope };
        }
        let mut parts = Vec::new();
        for part in [self, other] {
            match part {
                Separate { parts: more } => parts.extend(more),
                part => parts.push(part),
            }
        }
        Separate { parts }
    }

    /// Whether the value as a whole is differentially private, with a proven bound.
    #[must_use]
    pub fn is_differentially_private(&self) -> bool {
        matches!(self, Guarantee::DifferentialPrivacy { charge, .. } if charge.has_bound())
    }

    /// The differentially private claims in it, each with its price.
    pub fn private_claims(&self) -> Vec<(&Charge, Scope)> {
        match self {
            Guarantee::DifferentialPrivacy { charge, scope } => vec![(charge, *scope)],
            Guarantee::Separate { parts } => {
                parts.iter().flat_map(Guarantee::private_claims).collect()
            }
            _ => Vec::new(),
        }
    }

    /// What remains of it when anything at all is computed from the value.
    ///
    /// Differential privacy is closed under post-processing, and what is computed from ciphertexts
    /// or shares without keys is as unreadable as they are. A syntactic model speaks of one table,
    /// and a value made of several parts is only as good as all of them.
    fn post_processed(&self) -> Guarantee {
        let closed = |guarantee: &Guarantee| {
            guarantee.is_differentially_private()
                || matches!(guarantee, Guarantee::Confidential { .. })
        };
        let keeps = match self {
            Guarantee::Separate { parts } => parts.iter().all(Guarantee::is_differentially_private),
            guarantee => closed(guarantee),
        };
        if keeps { self.clone() } else { Guarantee::None }
    }
}

impl fmt::Display for Guarantee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Guarantee::None => f.write_str("no guarantee"),
            Guarantee::DifferentialPrivacy { charge, scope } => {
                write!(f, "differential privacy, {charge} {scope}")
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
    /// The output is a function of the input alone: no other data is read and no key is used.
    PostProcessing,
    /// A transformation of raw rows: inputs `d` apart have outputs at most `stability · d` apart,
    /// in the sense of `scope` on both sides.
    Stable {
        /// The factor, at least 1.
        stability: u64,
        /// Which distances it speaks of.
        scope: Scope,
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
    /// While the value is raw and the path to it is known to be stable: how far apart neighbours
    /// of the pipeline's input are here, and in which sense once a stage has said so.
    pub(crate) distance: Option<(u64, Option<Scope>)>,
}

impl Standing {
    /// Where a pipeline starts: raw data, neighbours one apart.
    pub(crate) const RAW: Standing =
        Standing { guarantee: Guarantee::None, distance: Some((1, None)) };

    /// What may be said after a stage with the given effect.
    ///
    /// # Errors
    ///
    /// The reason why the stage's claim does not follow here.
    pub(crate) fn after(&self, effect: &Effect) -> Result<Standing, &'static str> {
        let settled = |guarantee| Ok(Standing { guarantee, distance: None });
        match effect {
            Effect::PostProcessing => settled(self.guarantee.post_processed()),
            Effect::Forfeits => settled(Guarantee::None),
            Effect::Stable { stability, scope } => {
                let distance = match self.distance {
                    Some((_, Some(before))) if before != *scope => return Err(OTHER_SCOPE),
                    Some((d, _)) => d.checked_mul((*stability).max(1)).map(|d| (d, Some(*scope))),
                    None => None,
                };
                Ok(Standing { guarantee: self.guarantee.post_processed(), distance })
            }
            Effect::Establishes { guarantee, distance } => {
                let claims = guarantee.private_claims();
                if claims.is_empty() {
                    return settled(guarantee.clone());
                }
                // A stage that draws again beside what was released before: both are known.
                if !self.guarantee.private_claims().is_empty() {
                    let before = self.guarantee.clone();
                    return settled(Guarantee::together([before, guarantee.clone()]));
                }
                let Some((actual, scope)) = self.distance else {
                    return Err("the stages before it do not state how far they drive neighbours \
                                apart");
                };
                if actual > *distance {
                    return Err("the stages before it drive neighbours further apart than its \
                                price covers");
                }
                if claims.iter().any(|(_, claimed)| scope.is_some_and(|scope| scope != *claimed)) {
                    return Err(OTHER_SCOPE);
                }
                settled(guarantee.clone())
            }
        }
    }
}

const OTHER_SCOPE: &str =
    "it speaks of another privacy unit or adjacency than the stages before it";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::{Amount, Epsilon};
    use crate::unit::{Relation, UnitKind};

    const USERS: Scope = Scope { unit: UnitKind::User, relation: Relation::AddRemove };

    fn stable(stability: u64) -> Effect {
        Effect::Stable { stability, scope: USERS }
    }

    fn private(epsilon: f64) -> Guarantee {
        Guarantee::DifferentialPrivacy {
            charge: Charge::from(Epsilon::new(epsilon).unwrap()),
            scope: USERS,
        }
    }

    fn k_anonymous() -> Guarantee {
        Guarantee::Syntactic { model: "k-anonymity, k = 5".into() }
    }

    fn establishes(guarantee: Guarantee) -> Effect {
        Effect::Establishes { guarantee, distance: 1 }
    }

    #[test]
    fn differential_privacy_survives_what_is_computed_from_the_release() {
        let released = Standing::RAW.after(&establishes(private(0.5))).unwrap();
        for effect in [Effect::PostProcessing, stable(9)] {
            assert_eq!(released.after(&effect).unwrap().guarantee, private(0.5), "{effect:?}");
        }
        // A stage that brings data of its own may say only what it establishes.
        let table = released.after(&establishes(k_anonymous())).unwrap();
        assert_eq!(table.guarantee, k_anonymous());
        assert_eq!(released.after(&Effect::Forfeits).unwrap().guarantee, Guarantee::None);
    }

    #[test]
    fn a_second_private_draw_adds_its_price() {
        let released = Standing::RAW.after(&establishes(private(0.5))).unwrap();
        let again = released.after(&establishes(private(2.0))).unwrap().guarantee;
        assert_eq!(again, Guarantee::together([private(0.5), private(2.0)]));
        assert_eq!(again.private_claims().len(), 1);
    }

    #[test]
    fn private_parts_of_a_joint_claim_are_held_to_the_same_rules() {
        let joint = Guarantee::together([private(0.5), k_anonymous()]);
        assert_eq!(joint.private_claims().len(), 1);
        let far = Standing::RAW.after(&stable(1000)).unwrap();
        assert!(far.after(&establishes(joint.clone())).is_err());
        let near = Standing::RAW.after(&establishes(joint)).unwrap();
        assert_eq!(near.after(&Effect::PostProcessing).unwrap().guarantee, Guarantee::None);
    }

    #[test]
    fn a_stage_about_another_unit_or_adjacency_is_refused() {
        let replaced = Scope { relation: Relation::Replace, ..USERS };
        let filtered = Standing::RAW.after(&stable(1)).unwrap();
        assert!(filtered.after(&Effect::Stable { stability: 1, scope: replaced }).is_err());
        let charge = Charge::from(Epsilon::new(1.0).unwrap());
        let claim = Guarantee::DifferentialPrivacy { charge, scope: replaced };
        assert!(filtered.after(&establishes(claim.clone())).is_err());
        assert!(Standing::RAW.after(&establishes(claim)).is_ok());
    }

    #[test]
    fn a_claim_without_a_bound_is_no_privacy() {
        let curve = crate::measure::RenyiPoint { order: 2.into(), epsilon: 1.into() };
        let curve = crate::measure::RenyiCost::new(vec![curve]).unwrap();
        let charge = Charge::renyi(curve).group(5);
        assert!(!charge.has_bound());
        let claim = Guarantee::DifferentialPrivacy { charge, scope: USERS };
        assert!(!claim.is_differentially_private());
        assert!(serde_json::from_str::<Charge>("{}").is_err());
    }

    #[test]
    fn a_syntactic_model_is_lost_with_the_table_it_spoke_of() {
        let table = Standing::RAW.after(&establishes(k_anonymous())).unwrap();
        for effect in [Effect::PostProcessing, stable(1), Effect::Forfeits] {
            assert_eq!(table.after(&effect).unwrap().guarantee, Guarantee::None, "{effect:?}");
        }
    }

    #[test]
    fn a_private_claim_needs_a_known_distance_that_its_price_covers() {
        let redacted = Standing::RAW.after(&stable(1)).unwrap();
        assert!(redacted.after(&establishes(private(1.0))).is_ok());
        let tripled = redacted.after(&stable(3)).unwrap();
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
        let charge = Charge::from(Epsilon::new(0.5).unwrap());
        let scope = Scope { unit: UnitKind::Record, ..USERS };
        let record = Guarantee::DifferentialPrivacy { charge, scope };
        let joint = Guarantee::together([private(0.5), record]);
        assert!(matches!(joint, Guarantee::Separate { .. }));
    }
}
