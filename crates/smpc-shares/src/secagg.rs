//! Secure aggregation: a server learns the sum of many clients' vectors, and nothing else, though
//! clients drop out (Bonawitz et al. 2017, <https://eprint.iacr.org/2017/281>), on a sparse graph
//! (Bell et al. 2020, <https://eprint.iacr.org/2020/704>).
//!
//! Each client masks its vector with a key of its own and one for each neighbour, added by one of the
//! two and subtracted by the other. Keys of masks are shared among the neighbours: for a client that
//! sent its vector they give the server its own mask, for one that dropped out the pairwise ones, and
//! never both.
//!
//! # Security
//!
//! Against a server that follows the protocol and clients that pool what they see, fewer than the
//! threshold among the neighbours of any client. A server that lies about who dropped out is noticed
//! by a client only where the two lists it is shown overlap, name strangers or are too short. Sums are
//! modulo 2^32: keep clients times maximum below. The sum itself is not protected; add noise.

use crate::sharing::bytes::ByteShare;

mod client;
mod graph;
mod keys;
mod server;

pub use client::Client;
pub use graph::Graph;
pub use keys::PublicKeys;
pub use server::Server;

/// A client's number in the session.
pub type ClientId = u32;

/// Encrypted shares from one client to another, passed on by the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Who sends it.
    pub from: ClientId,
    /// Who can read it.
    pub to: ClientId,
    /// The ciphertext.
    pub bytes: Vec<u8>,
}

/// What a client reveals about one neighbour: a share of its own mask's key if it sent its vector, of
/// its pairwise masks' key if it dropped out.
#[derive(Clone)]
pub struct Revealed {
    /// Who reveals.
    pub from: ClientId,
    /// Shares of own-mask keys, by owner.
    pub own: Vec<(ClientId, ByteShare)>,
    /// Shares of masking keys, by owner.
    pub pairwise: Vec<(ClientId, ByteShare)>,
}

impl std::fmt::Debug for Revealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Revealed").field("from", &self.from).finish_non_exhaustive()
    }
}
