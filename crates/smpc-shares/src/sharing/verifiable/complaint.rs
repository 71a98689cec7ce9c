//! The complaint round: what happens where a receiver's share does not verify.

use std::collections::BTreeMap;

use super::{Commitment, VerifiableShare};
use crate::error::{Error, Result};
use crate::sharing::Shamir;

/// The public record of one dealing's complaints, the same at all parties.
///
/// Each receiver whose share fails [`Commitment::verify`], or who got none, broadcasts a complaint. The
/// dealer answers each by broadcasting that party's share. All parties then decide alike: the dealer
/// stays if there are at most threshold complaints and every answer verifies, and is disqualified by
/// name otherwise.
///
/// # Security
///
/// Needs a broadcast that all parties see alike, and threshold < parties/2, so that an honest majority
/// holds shares of the committed polynomial (Gennaro, Jarecki, Krawczyk, Rabin 1999). A published share
/// is public; while the dealer stays there are at most threshold of them, and if it is honest they all
/// belonged to parties that lied.
///
/// ```
/// use privacy_core::random::SystemRng;
/// use smpc_shares::Shamir;
/// use smpc_shares::sharing::verifiable::{Commitment, Complaints, Decision, Scalar};
///
/// let scheme = Shamir::new(5, 2)?;
/// let (commitment, shares) =
///     Commitment::pedersen(&scheme, &Scalar::from(42u64), &mut SystemRng::new()?)?;
/// let mut complaints = Complaints::new(scheme, commitment);
/// complaints.complain(3)?; // party 3 says that it got nothing
/// assert_eq!(complaints.open(), [3]);
/// complaints.answer(&shares[2])?; // the dealer publishes that share
/// assert!(matches!(complaints.decide(), Decision::Accepted { .. }));
/// # Ok::<(), smpc_shares::Error>(())
/// ```
#[derive(Debug)]
pub struct Complaints {
    scheme: Shamir,
    commitment: Commitment,
    /// For each party that complained, the share that the dealer published.
    answers: BTreeMap<usize, Option<VerifiableShare>>,
    /// A published share that does not verify, or two that differ.
    wrong: Option<usize>,
}

/// Whether a dealer's sharing stands.
#[derive(Debug)]
#[must_use]
#[non_exhaustive]
pub enum Decision {
    /// It does. Whoever complained uses the published share.
    Accepted {
        /// The published shares, in the order of parties.
        published: Vec<VerifiableShare>,
    },
    /// It does not: the dealer cheated, provably to all.
    Disqualified {
        /// Why.
        reason: Disqualification,
    },
}

/// What a dealer was disqualified for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Disqualification {
    /// More parties complained than can be dishonest.
    TooManyComplaints {
        /// How many complained.
        complaints: usize,
    },
    /// It did not publish this party's share.
    Unanswered {
        /// The party, counted from 1.
        party: usize,
    },
    /// The share that it published for this party does not verify.
    WrongAnswer {
        /// The party, counted from 1.
        party: usize,
    },
    /// The commitment is not one of this scheme.
    WrongCommitment,
}

impl Complaints {
    /// No complaints yet about the sharing behind `commitment`.
    #[must_use]
    pub fn new(scheme: Shamir, commitment: Commitment) -> Self {
        Complaints { scheme, commitment, answers: BTreeMap::new(), wrong: None }
    }

    /// Takes down that a party complained. A second complaint changes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::BadParties`] for a party that there is not.
    pub fn complain(&mut self, party: usize) -> Result<()> {
        if party == 0 || party > self.scheme.parties() {
            return Err(Error::BadParties);
        }
        self.answers.entry(party).or_insert(None);
        Ok(())
    }

    /// The parties whose complaint the dealer has still to answer.
    #[must_use]
    pub fn open(&self) -> Vec<usize> {
        let unanswered = self.answers.iter().filter(|(_, answer)| answer.is_none());
        unanswered.map(|(party, _)| *party).collect()
    }

    /// Takes down the share that the dealer published for a party that complained.
    ///
    /// # Errors
    ///
    /// [`Error::BadParties`] where that party did not complain, or was answered before;
    /// [`Error::Verification`] if the share is wrong: the dealer will be disqualified.
    pub fn answer(&mut self, share: &VerifiableShare) -> Result<()> {
        let Some(slot @ None) = self.answers.get_mut(&share.party()) else {
            return Err(Error::BadParties);
        };
        *slot = Some(share.clone());
        let verified = self.commitment.verify(&self.scheme, share);
        if verified.is_err() {
            self.wrong.get_or_insert(share.party());
        }
        verified
    }

    /// Ends the round. All parties that saw the same broadcasts decide alike.
    pub fn decide(self) -> Decision {
        let disqualified = |reason| Decision::Disqualified { reason };
        let complaints = self.answers.len();
        if !self.commitment.is_of(&self.scheme) {
            return disqualified(Disqualification::WrongCommitment);
        }
        if complaints > self.scheme.threshold() {
            return disqualified(Disqualification::TooManyComplaints { complaints });
        }
        if let Some(party) = self.wrong {
            return disqualified(Disqualification::WrongAnswer { party });
        }
        if let Some(party) = self.open().first() {
            return disqualified(Disqualification::Unanswered { party: *party });
        }
        Decision::Accepted { published: self.answers.into_values().flatten().collect() }
    }
}
