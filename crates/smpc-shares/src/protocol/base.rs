//! What the two sharings of the crate have in common, as seen by every protocol above.

use crate::engine::Engine;
use crate::error::Result;
use crate::field::Ring;
use crate::sharing::{Raw, Shamir};
use crate::stream::Stream;

/// The primitive protocols of a sharing.
#[doc(hidden)]
#[allow(async_fn_in_trait, reason = "sealed; drivers poll on one thread")]
pub trait Base<R: Ring>: Send + Sync + 'static {
    const REPLICATED: bool;

    /// The shares of all parties of fresh secrets.
    fn split(scheme: &Shamir, secrets: &[R], stream: &mut Stream) -> Vec<Raw<R>>;

    /// This party's additive parts of the shared values, to be added to those of products.
    fn parts(raw: &Raw<R>) -> Vec<R>;

    /// This party's additive parts of the products, for [`Base::reshare`].
    fn products(a: &Raw<R>, b: &Raw<R>) -> Vec<R>;

    /// As [`Base::products`], summed over consecutive groups of `width`.
    fn dots(a: &Raw<R>, b: &Raw<R>, width: usize) -> Vec<R>;

    /// What this party, one of `dealers`, holds of an additive sharing among them.
    fn additive(core: &mut Engine, raw: &Raw<R>, dealers: &[usize]) -> Vec<R>;

    /// Turns additive parts of products into shares. One round.
    async fn reshare(core: &mut Engine, parts: Vec<R>) -> Result<Raw<R>>;

    /// Shares that dealers give: `(dealer, length)`, with `mine` if this party is one. One round.
    async fn deal(core: &mut Engine, dealers: &[(usize, usize)], mine: &[R])
    -> Result<Vec<Raw<R>>>;

    /// Opens to the parties for which `to` is true; `None` for the others. One round. Checked by all
    /// copies and surplus shares in active security.
    async fn open(core: &mut Engine, raw: &Raw<R>, to: &[bool]) -> Result<Option<Vec<R>>>;

    /// Opens additive parts of products to all, masked with a sharing of zero. One round. Cannot be
    /// checked.
    async fn open_parts(core: &mut Engine, parts: Vec<R>) -> Result<Vec<R>>;

    /// Shares of uniform elements that nobody knows. No message.
    fn random(core: &mut Engine, length: usize) -> Raw<R>;

    /// Several vectors of shares of uniform bits, each known to one key's holders; their XOR is
    /// known to nobody. No message.
    fn known_bits(core: &mut Engine, length: usize) -> Vec<Raw<R>>;

    /// Shares of sums of as many uniform integers below 2^bits as there are keys. No message.
    fn bounded(core: &mut Engine, length: usize, bits: u32) -> Raw<R>;
}
