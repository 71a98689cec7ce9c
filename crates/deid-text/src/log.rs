//! Redacts what `tracing` writes, as it is written.

use std::io::{self, Write};
use std::sync::Arc;

use tracing_subscriber::fmt::MakeWriter;

use crate::analyzer::Analyzer;
use crate::policy::CompiledPolicy;

/// Wraps the writer of a `tracing_subscriber::fmt` layer: each event is scanned and transformed before
/// it reaches the writer.
///
/// If an event cannot be transformed, it is replaced by a line that says so.
///
/// # Example
///
/// ```
/// use deid_text::{Analyzer, Keys, Policy, log::Redacting};
///
/// let analyzer = Analyzer::builder().without_names().build()?;
/// let policy = Policy::new().compile(&analyzer, &Keys::new())?;
/// let writer = Redacting::new(analyzer, policy, std::io::stderr);
/// let subscriber = tracing_subscriber::fmt().with_writer(writer).finish();
/// tracing::subscriber::with_default(subscriber, || {
///     tracing::info!("sent to ana@example.org"); // … sent to <EMAIL_ADDRESS>
/// });
/// # Ok::<(), deid_text::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Redacting<M> {
    analyzer: Analyzer,
    policy: Arc<CompiledPolicy>,
    inner: M,
}

impl<M> Redacting<M> {
    /// Wraps a writer.
    #[must_use]
    pub fn new(analyzer: Analyzer, policy: CompiledPolicy, inner: M) -> Self {
        Redacting { analyzer, policy: Arc::new(policy), inner }
    }
}

/// Holds an event until it is complete.
#[derive(Debug)]
pub struct RedactingWriter<'a, W: Write> {
    analyzer: &'a Analyzer,
    policy: &'a CompiledPolicy,
    held: Vec<u8>,
    inner: W,
}

impl<'a, M> MakeWriter<'a> for Redacting<M>
where
    M: MakeWriter<'a>,
{
    type Writer = RedactingWriter<'a, M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        RedactingWriter {
            analyzer: &self.analyzer,
            policy: &self.policy,
            held: Vec::new(),
            inner: self.inner.make_writer(),
        }
    }
}

impl<W: Write> Write for RedactingWriter<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.held.is_empty() {
            let text = String::from_utf8_lossy(&self.held);
            let safe = self.analyzer.scan(&text).and_then(|f| self.policy.apply(&text, &f));
            match safe {
                Ok(safe) => self.inner.write_all(safe.text.as_bytes())?,
                Err(_) => {
                    self.inner.write_all(b"an event could not be redacted and was withheld\n")?
                }
            }
            self.held.clear();
        }
        self.inner.flush()
    }
}

impl<W: Write> Drop for RedactingWriter<'_, W> {
    fn drop(&mut self) {
        // Nobody is left to tell; what could not be written is lost, not leaked.
        let _ = self.flush();
    }
}
