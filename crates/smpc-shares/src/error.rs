//! The one error of the crate.

use privacy_core::budget::Refusal;
use privacy_core::random::EntropyError;

/// The result of every fallible function of the crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a frame of a peer was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameFault {
    /// Shorter than its header or longer than it says.
    Length,
    /// Another version of the wire format.
    Version,
    /// Another session: replayed or misdirected.
    Session,
    /// Not from this sender to this receiver.
    Address,
    /// Not the next frame of its link: replayed, reordered or lost.
    Sequence,
    /// Another step of the program: the parties do not run the same protocol.
    Step,
    /// Another number of elements than this step has.
    Count,
    /// An element that is not canonical.
    Element,
}

/// What can go wrong when secrets are shared, computed on and opened.
///
/// Variants carry numbers and names of parameters, never data.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A parameter was outside its range.
    #[error("{parameter} must be {requirement}, but was {given}")]
    Parameter {
        /// The parameter's name.
        parameter: &'static str,
        /// The range it must lie in.
        requirement: &'static str,
        /// What was given.
        given: u64,
    },
    /// A modulus that is no odd prime.
    #[error("the modulus must be an odd prime")]
    Composite,
    /// The field has no room for the values, their mask and the growth of the mask.
    #[error(
        "the operation needs a field of {need_bits} bits, but this one has {have_bits}; use a larger \
         field or smaller numbers"
    )]
    FieldTooSmall {
        /// Bits that are needed.
        need_bits: u32,
        /// Bits that the field has.
        have_bits: u32,
    },
    /// Two vectors of different length met.
    #[error("vectors of {left} and {right} elements cannot be combined; make them equally long")]
    LengthMismatch {
        /// Elements on the left.
        left: usize,
        /// Elements on the right.
        right: usize,
    },
    /// Shares of different parties, schemes or sessions met in one local operation.
    #[error("shares of different holders or sharings cannot be combined")]
    Mismatch,
    /// Too few shares.
    #[error("{needed} shares are needed to reconstruct, but {given} were given")]
    TooFewShares {
        /// Shares needed.
        needed: usize,
        /// Shares given.
        given: usize,
    },
    /// The same share twice, or the share of a party that does not exist.
    #[error("the shares given are not of distinct parties of this sharing")]
    BadParties,
    /// Surplus shares contradict each other.
    #[error("the shares do not belong to one sharing: at least one is wrong")]
    Inconsistent,
    /// More shares are wrong than can be corrected.
    #[error("more than {radius} of {shares} shares are wrong; nothing can be reconstructed")]
    TooManyWrong {
        /// Errors that can be corrected.
        radius: usize,
        /// Shares given.
        shares: usize,
    },
    /// Verification of a share, a proof or a commitment failed.
    #[error("verification failed; nothing was accepted")]
    Verification,
    /// Bytes that are no canonical encoding of what was expected.
    #[error("the bytes are no valid encoding of {what}")]
    Encoding {
        /// What was expected.
        what: &'static str,
    },
    /// A frame of a peer was refused.
    #[error("frame {sequence} from party {peer} was refused ({fault:?}); the session is over")]
    Frame {
        /// The sender.
        peer: usize,
        /// The number of the frame expected on that link.
        sequence: u32,
        /// Why.
        fault: FrameFault,
    },
    /// A party did not answer within the deadline.
    #[error("party {peer} did not answer step {step} within the deadline; the session is over")]
    Deadline {
        /// Who was waited for.
        peer: usize,
        /// The step, counted from the session's begin.
        step: u64,
    },
    /// A party left the session.
    #[error("party {peer} left the session")]
    PeerGone {
        /// Who left.
        peer: usize,
    },
    /// Active security found that some party deviated; nothing was opened.
    #[error("a party deviated from the protocol; the session and its keys are void")]
    CheatingDetected,
    /// An earlier failure ended the session.
    #[error("the session was ended by an earlier failure; start a new one")]
    Poisoned,
    /// The opening policy refused.
    #[error("the opening was refused: {reason}")]
    OpeningRefused {
        /// Why.
        reason: &'static str,
    },
    /// The budget refused to pay for the opening; nothing was sent and nothing spent.
    #[error(transparent)]
    Budget(#[from] Refusal),
    /// A transport failed.
    #[error("the connection to party {peer} failed while it was {operation}")]
    Transport {
        /// The peer, 0 if unknown.
        peer: usize,
        /// What was being done.
        operation: &'static str,
    },
    /// The random source failed.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}
