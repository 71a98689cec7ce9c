//! The audit log as a Merkle tree: hashes, proofs, signed checkpoints, tiles, verification.
//!
//! Hashes and proofs follow [RFC 6962], section 2.1 (RFC 9162 keeps them); checkpoints are
//! [signed notes], and exports have the layout of [tlog-tiles], so that existing tools read them.
//!
//! # Security
//!
//! An inclusion proof against a checkpoint shows that an entry is in the log that was signed; a
//! consistency proof shows that a later checkpoint only appends to an earlier one. Both rest on the
//! collision resistance of SHA-256 and the unforgeability of Ed25519. Whoever holds an old checkpoint
//! needs to trust nobody else: neither the writer nor the store.
//!
//! [RFC 6962]: https://www.rfc-editor.org/rfc/rfc6962#section-2.1
//! [signed notes]: https://c2sp.org/signed-note
//! [tlog-tiles]: https://c2sp.org/tlog-tiles

mod checkpoint;
#[cfg(test)]
mod known;
mod proof;
mod tiles;
mod tree;
mod verify;

pub use checkpoint::{Checkpoint, SignedCheckpoint, Signer, VerifierKey};
pub use proof::{ConsistencyProof, InclusionProof};
pub(crate) use tiles::export;
pub use tree::{Hash, hash_entry};
pub(crate) use tree::{Leaves, TILE_WIDTH, Tree};
pub(crate) use verify::Auditor;
pub use verify::{Report, verify_export};
