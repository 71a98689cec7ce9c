//! Files that are not what was written.

use std::fs;
use std::path::{Path, PathBuf};

use privacy_core::budget::Budget;
use privacy_ledger::{Account, Error, Event, Ledger};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::common::{USERS, hundredths, limit, record, request};

/// A ledger with payloads, one of them erased, and nothing written after the last durable entry.
fn written() -> (TempDir, PathBuf, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("budget.db");
    let ledger = Ledger::open(&path).unwrap();
    ledger.open_account(Account::root(limit(100))).unwrap();
    for i in 0..3 {
        let reservation = ledger.reserve(&request(i), &hundredths(10), USERS).unwrap();
        ledger.commit(reservation).unwrap();
        ledger.record_with(record(i), b"a payload of some length").unwrap();
    }
    ledger.erase(privacy_core::audit::RecordId(3), "request 1").unwrap();
    ledger.record(record("last")).unwrap();
    drop(ledger);
    let bytes = fs::read(&path).unwrap();
    (folder, path, bytes)
}

fn opened_and_verified(path: &Path) -> Result<u64, Error> {
    Ok(Ledger::open(path)?.verify()?.entries)
}

#[test]
fn no_bit_of_the_file_can_change_unnoticed() {
    let (_folder, path, bytes) = written();
    let entries = opened_and_verified(&path).unwrap();
    let page = 4096;
    // Every byte of what is written, every seventh of the empty rest of the first page.
    let places = (0..bytes.len())
        .filter(|at| *at < 40 || *at >= page || at % 7 == 0 || (500..1100).contains(at));
    let mut located = 0;
    for at in places {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at * 5 % 8);
        fs::write(&path, &changed).unwrap();
        match opened_and_verified(&path) {
            // The zeros of an erased payload are written again: an erasure is finished.
            Ok(_) => {
                assert_eq!(fs::read(&path).unwrap(), bytes, "byte {at} was changed unnoticed");
                located += 1;
            }
            Err(Error::Corrupt { entry, .. }) => {
                assert!(entry <= entries, "{at}");
                located += usize::from(at >= page);
            }
            Err(Error::NotALedger) => assert!(at < 8, "{at}"),
            Err(error) => panic!("byte {at}: {error}"),
        }
    }
    assert_eq!(located, bytes.len() - page);
}

#[test]
fn damage_is_located_at_its_entry() {
    let (_folder, path, bytes) = written();
    let text = br#""request":"1""#;
    let at = bytes.windows(text.len()).position(|window| window == text).unwrap();
    let mut changed = bytes.clone();
    changed[at + 11] = b'7';
    fs::write(&path, &changed).unwrap();
    // Entries: opened, then reserved, committed, recorded for each request.
    let error = Ledger::open(&path).unwrap_err();
    assert!(matches!(error, Error::Corrupt { entry: 4, .. }), "{error}");
    assert!(error.is_tampering());
}

#[test]
fn a_file_that_was_cut_off_is_refused_at_every_length() {
    let (_folder, path, bytes) = written();
    for length in (0..bytes.len()).filter(|at| at % 13 == 0 || *at > 4090 && *at < 4100) {
        fs::write(&path, &bytes[..length]).unwrap();
        let error = Ledger::open(&path).unwrap_err();
        let expected = matches!(error, Error::Truncated { .. })
            || matches!(error, Error::NotALedger if length < 8);
        assert!(expected, "{length}: {error}");
        assert_eq!(fs::read(&path).unwrap().len(), length, "the rest was touched");
    }
}

#[test]
fn an_unfinished_append_is_cut_off_and_said_so() {
    let (_folder, path, bytes) = written();
    let mut longer = bytes.clone();
    longer.extend_from_slice(&bytes[bytes.len() - 150..][..100]);
    fs::write(&path, &longer).unwrap();
    let ledger = Ledger::open(&path).unwrap();
    let size = ledger.size().unwrap();
    let (_, last) = ledger.entries(size - 1..size).unwrap().pop().unwrap();
    assert_eq!(last.event, Event::Recovered { bytes: 100 });
    ledger.record(record("on it goes")).unwrap();
    ledger.verify().unwrap();
}

#[test]
fn every_prefix_of_an_append_that_was_not_durable_recovers() {
    let (_folder, path, durable) = written();
    {
        let ledger = Ledger::open(&path).unwrap();
        // The commitment does not wait for the disk, so the commit slot does not name it.
        let reservation = ledger.reserve(&request("open"), &hundredths(10), USERS).unwrap();
        ledger.commit(reservation).unwrap();
    }
    let bytes = fs::read(&path).unwrap();
    let slot = |bytes: &[u8]| {
        let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
        if number(512) > number(1024) { number(520) } else { number(1032) }
    };
    let floor = slot(&bytes) as usize;
    assert!(durable.len() < floor && floor < bytes.len());
    for length in floor..=bytes.len() {
        fs::write(&path, &bytes[..length]).unwrap();
        let ledger = Ledger::open(&path).unwrap();
        assert_eq!(ledger.remaining().unwrap(), limit(60), "{length}");
        ledger.verify().unwrap();
    }
}

#[test]
fn an_erasure_that_a_crash_left_half_done_is_finished() {
    let (_folder, path, bytes) = written();
    let ledger = Ledger::open(&path).unwrap();
    ledger.erase(privacy_core::audit::RecordId(6), "request 2").unwrap();
    drop(ledger);
    let mut erased = fs::read(&path).unwrap();
    // The payload of entry 6 as it was before, half of it.
    let text = b"a payload of some length";
    let places: Vec<_> =
        (0..bytes.len() - text.len()).filter(|at| bytes[*at..].starts_with(text)).collect();
    let at = places[0];
    assert!(erased[at..at + text.len()].iter().all(|byte| *byte == 0));
    erased[at + 9..at + text.len()].copy_from_slice(&text[9..]);
    fs::write(&path, &erased).unwrap();
    let ledger = Ledger::open(&path).unwrap();
    ledger.verify().unwrap();
    let now = fs::read(&path).unwrap();
    assert!(now[at..at + text.len()].iter().all(|byte| *byte == 0));
}

#[test]
fn files_of_other_kinds_and_newer_versions_are_refused() {
    let (_folder, path, bytes) = written();
    for other in [&b""[..], b"SQLite format 3\0", &[0; 5000]] {
        fs::write(&path, other).unwrap();
        assert!(matches!(Ledger::open(&path), Err(Error::NotALedger)));
    }
    let mut newer = bytes;
    newer[8] = 2;
    let sum: [u8; 32] = Sha256::digest(&newer[..28]).into();
    newer[28..36].copy_from_slice(&sum[..8]);
    fs::write(&path, newer).unwrap();
    let error = Ledger::open(&path).unwrap_err();
    assert!(matches!(error, Error::NewerVersion { found: 2, supported: 1 }), "{error}");
}

#[test]
fn a_file_that_was_replaced_or_removed_while_open_is_refused() {
    let (_folder, path, bytes) = written();
    let ledger = Ledger::open(&path).unwrap();
    let copy = path.with_extension("copy");
    fs::write(&copy, bytes).unwrap();
    fs::rename(&copy, &path).unwrap();
    assert!(matches!(ledger.record(record("a")), Err(Error::Replaced)));
    assert!(matches!(ledger.size(), Err(Error::Replaced)));
    let ledger = Ledger::open(&path).unwrap();
    fs::remove_file(&path).unwrap();
    assert!(matches!(ledger.record(record("a")), Err(Error::Replaced)));
}
