//! What an auditor asks of a ledger: checkpoints, proofs, verification, exports.

use std::collections::HashSet;
use std::path::Path;

use privacy_core::audit::RecordId;

use super::{Ledger, opened};
use crate::error::{Error, Result};
use crate::log::{
    self, Auditor, ConsistencyProof, Hash, InclusionProof, Report, SignedCheckpoint, VerifierKey,
    hash_entry,
};
use crate::store::{Facts, Store};
use crate::telemetry::{self, Doing};

impl Ledger {
    /// The size and root of the log, signed.
    ///
    /// # Errors
    ///
    /// [`Error::NoSigner`] without a key, or what the store reports.
    pub fn checkpoint(&self) -> Result<SignedCheckpoint> {
        let signer = self.inner.signer.as_ref().ok_or(Error::NoSigner)?;
        self.writer().look(|book| Ok(signer.sign(book.tree.size(), book.tree.root())))
    }

    /// The bytes of an entry and the proof that it is among the first `size`, for whoever holds a
    /// checkpoint of that size.
    ///
    /// # Errors
    ///
    /// [`Error::NoEntry`] unless `record < size` and there are as many; what the store reports.
    pub fn prove_inclusion(
        &self,
        record: RecordId,
        size: u64,
    ) -> Result<(Vec<u8>, InclusionProof)> {
        let index = record.0;
        if index >= size {
            return Err(Error::NoEntry { index, entries: size });
        }
        self.known(size)?;
        let mut bytes = Vec::new();
        self.writer().store.read(index, index + 1, &mut |entry| {
            bytes = entry.to_vec();
            Ok(())
        })?;
        let path = self
            .writer()
            .look(|book| book.tree.inclusion(index, size, &mut Stored(&*self.writer().store)))?;
        Ok((bytes, InclusionProof { index, size, path }))
    }

    /// The proof that the log of `new` entries begins with the log of `old` entries.
    ///
    /// # Errors
    ///
    /// [`Error::NoEntry`] unless `old ≤ new` and there are as many; what the store reports.
    pub fn prove_consistency(&self, old: u64, new: u64) -> Result<ConsistencyProof> {
        if old > new {
            return Err(Error::NoEntry { index: old, entries: new });
        }
        self.known(new)?;
        let path = self
            .writer()
            .look(|book| book.tree.consistency(old, new, &mut Stored(&*self.writer().store)))?;
        Ok(ConsistencyProof { old, new, path })
    }

    /// Reads the whole ledger again and checks everything: that each bit of the store is what was
    /// written, that each entry follows from those before it, and that each payload is what was
    /// committed to or was erased as the log says. Nobody else writes meanwhile.
    ///
    /// This trusts nothing in the store, but a store that was replaced as a whole by an older copy
    /// or by another history is consistent in itself: see [`Ledger::verify_against`].
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`] names the first entry that is wrong; [`Error::Truncated`]; what the store
    /// reports.
    pub fn verify(&self) -> Result<Report> {
        self.audited().map(|(report, _)| report)
    }

    /// As [`Ledger::verify`], and the log begins with what `checkpoint`, kept from earlier, signed.
    ///
    /// # Errors
    ///
    /// As [`Ledger::verify`]; [`Error::Unproven`] if the checkpoint is not signed by `key`, or the
    /// log is shorter than it or has another history.
    pub fn verify_against(
        &self,
        checkpoint: &SignedCheckpoint,
        key: &VerifierKey,
    ) -> Result<Report> {
        let known = checkpoint.verify(key)?;
        let (report, leaves) = self.audited()?;
        let failed = |reason| Error::Unproven { what: "log", reason };
        let mut tree = log::Tree::default();
        let size = usize::try_from(known.size).unwrap_or(usize::MAX);
        let prefix = leaves.get(..size).ok_or(failed("it is shorter than the checkpoint"))?;
        prefix.iter().for_each(|leaf| tree.push(*leaf));
        if tree.root() != known.root {
            return Err(failed("it has another history than the checkpoint"));
        }
        Ok(report)
    }

    fn audited(&self) -> Result<(Report, Vec<Hash>)> {
        let _span = telemetry::span(Doing::Verify);
        let audited = self.audit();
        telemetry::verified(audited.is_ok());
        audited
    }

    fn audit(&self) -> Result<(Report, Vec<Hash>)> {
        let mut auditor = Auditor::default();
        let mut leaves = Vec::new();
        self.writer().look_in_turn(|_, turn| {
            turn.catch_up(0, &mut |leaf| {
                leaves.push(leaf.hash());
                auditor.read(leaf)
            })?;
            let erased: HashSet<u64> = auditor.erased().collect();
            let known = Known(&leaves);
            turn.check(&Facts {
                root_at: &|size| known.root_at(auditor.tree(), size),
                erased: &|index| erased.contains(&index),
            })
        })?;
        for (index, commitment) in auditor.payloads() {
            match self.writer().store.payload(index)? {
                Some(bytes) => drop(opened(&bytes, &commitment, index)?),
                None => return Err(Error::Corrupt { entry: index, what: "its payload is gone" }),
            }
        }
        Ok((auditor.report(), leaves))
    }

    /// Writes the log into the folder `directory` in the layout of
    /// [tlog-tiles](https://c2sp.org/tlog-tiles), with a signed checkpoint: for auditors, mirrors
    /// and existing tools. Payloads are not exported. See [`verify_export`](crate::verify_export).
    ///
    /// # Errors
    ///
    /// [`Error::NoSigner`] without a key, or what the store or the file system reports.
    pub fn export(&self, directory: impl AsRef<Path>) -> Result<SignedCheckpoint> {
        let signer = self.inner.signer.as_ref().ok_or(Error::NoSigner)?;
        let store = &*self.writer().store;
        let tree = self.writer().look(|book| Ok(book.tree.clone()))?;
        let checkpoint = signer.sign(tree.size(), tree.root());
        log::export(
            directory.as_ref(),
            &checkpoint,
            &tree,
            &mut Stored(store),
            &mut |index, width| {
                let (first, mut entries) = (index * log::TILE_WIDTH, Vec::new());
                store.read(first, first + width, &mut |bytes| {
                    entries.push(bytes.to_vec());
                    Ok(())
                })?;
                Ok(entries)
            },
        )?;
        Ok(checkpoint)
    }
}

/// Leaves read from a store.
struct Stored<'a>(&'a dyn Store);

impl log::Leaves for Stored<'_> {
    fn tile(&mut self, tile: u64) -> Result<Vec<Hash>> {
        let first = tile * log::TILE_WIDTH;
        let mut leaves = Vec::with_capacity(log::TILE_WIDTH as usize);
        self.0.read(first, first + log::TILE_WIDTH, &mut |bytes| {
            leaves.push(hash_entry(bytes));
            Ok(())
        })?;
        Ok(leaves)
    }
}

/// Leaves that are all known.
struct Known<'a>(&'a [Hash]);

impl Known<'_> {
    fn root_at(&self, tree: &log::Tree, size: u64) -> Result<Hash> {
        if size > tree.size() {
            return Err(Error::NoEntry { index: size, entries: tree.size() });
        }
        tree.root_at(size, &mut Known(self.0))
    }
}

impl log::Leaves for Known<'_> {
    fn tile(&mut self, tile: u64) -> Result<Vec<Hash>> {
        let first = usize::try_from(tile * log::TILE_WIDTH).unwrap_or(usize::MAX);
        let range = first..first.saturating_add(log::TILE_WIDTH as usize);
        Ok(self.0.get(range).unwrap_or_default().to_vec())
    }
}
