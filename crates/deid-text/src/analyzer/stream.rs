//! Text that arrives in pieces.

use super::{Analyzer, Place};
use crate::error::Result;
use crate::finding::Finding;
use crate::scan::{DECIDES, Scratch, block};

/// A scan of text that arrives in pieces, with bounded memory.
///
/// However the text is cut, the findings are those of [`Analyzer::scan`] on the whole; their
/// positions count from the start of the stream. At most about 64 KiB of text is held.
///
/// # Example
///
/// ```
/// use deid_text::Analyzer;
///
/// let analyzer = Analyzer::builder().without_names().build()?;
/// let mut stream = analyzer.stream();
/// let mut findings = stream.push("Mail ana@exam")?;
/// findings.extend(stream.push("ple.org now.")?);
/// findings.extend(stream.finish()?);
/// assert_eq!(findings[0].span.range(), 5..20);
/// # Ok::<(), deid_text::Error>(())
/// ```
pub struct Stream<'a> {
    pub(super) analyzer: &'a Analyzer,
    pub(super) held: String,
    pub(super) place: Place,
    pub(super) total: usize,
    pub(super) scratch: Scratch,
}

impl Stream<'_> {
    /// Takes the next piece and gives the findings that are settled.
    ///
    /// # Errors
    ///
    /// As [`Analyzer::scan`].
    pub fn push(&mut self, piece: &str) -> Result<Vec<Finding>> {
        self.held.push_str(piece);
        self.total += piece.len();
        let mut out = Vec::new();
        let mut done = 0;
        while self.held.len() - done >= DECIDES {
            let rest = self.held.get(done..).unwrap_or_default();
            let part = rest.get(..block(rest)).unwrap_or_default();
            self.place = self.analyzer.block(part, self.place, &mut self.scratch, &mut out)?;
            done += part.len();
        }
        self.held.drain(..done);
        Ok(out)
    }

    /// Ends the text and gives the remaining findings.
    ///
    /// # Errors
    ///
    /// As [`Analyzer::scan`].
    pub fn finish(mut self) -> Result<Vec<Finding>> {
        let mut out = Vec::new();
        let held = std::mem::take(&mut self.held);
        let mut rest = held.as_str();
        while !rest.is_empty() {
            let (part, more) = rest.split_at(block(rest));
            self.place = self.analyzer.block(part, self.place, &mut self.scratch, &mut out)?;
            rest = more;
        }
        Ok(out)
    }

    /// The bytes taken so far.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.total
    }
}

impl std::fmt::Debug for Stream<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream").field("bytes", &self.total).finish_non_exhaustive()
    }
}
