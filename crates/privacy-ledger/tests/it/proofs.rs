//! The log as an auditor sees it.

use std::fs;

use privacy_core::audit::RecordId;
use privacy_core::budget::Budget;
use privacy_ledger::{
    Account, Entry, Error, Ledger, SignedCheckpoint, Signer, VerifierKey, verify_export,
};

use crate::common::{USERS, hundredths, limit, record, request};

fn signer() -> Signer {
    Signer::from_seed("ledger.example/acme", &[7; 32]).unwrap()
}

fn key() -> VerifierKey {
    signer().verifier()
}

fn ledger(records: u64) -> Ledger {
    let ledger = Ledger::options().signer(signer()).in_memory().unwrap();
    ledger.open_account(Account::root(limit(100))).unwrap();
    let all = (0..records).map(record).collect();
    ledger.record_all(all).unwrap();
    ledger
}

#[test]
fn inclusion_and_consistency_are_proven_against_checkpoints_alone() {
    let ledger = ledger(300);
    let old = ledger.checkpoint().unwrap();
    let old = SignedCheckpoint::parse(old.as_str()).unwrap();
    let old = old.verify(&key()).unwrap();
    ledger.record_all((0..500).map(record).collect()).unwrap();
    let new = ledger.checkpoint().unwrap();
    let new = new.verify(&key()).unwrap();
    assert_eq!((old.size, new.size), (301, 801));
    ledger.prove_consistency(301, 801).unwrap().verify(&old.root, &new.root).unwrap();
    for index in [0, 1, 255, 256, 300, 511, 800] {
        let (entry, proof) = ledger.prove_inclusion(RecordId(index), 801).unwrap();
        proof.verify(&entry, &new.root).unwrap();
        assert!(proof.verify(&entry, &old.root).is_err());
        Entry::decode(&entry, index).unwrap();
        if index < 301 {
            let (entry, proof) = ledger.prove_inclusion(RecordId(index), 301).unwrap();
            proof.verify(&entry, &old.root).unwrap();
        }
    }
    assert!(ledger.prove_inclusion(RecordId(801), 801).is_err());
    assert!(ledger.prove_inclusion(RecordId(0), 802).is_err());
    assert!(ledger.prove_consistency(3, 2).is_err());
    ledger.verify_against(&ledger.checkpoint().unwrap(), &key()).unwrap();
}

#[test]
fn another_history_and_a_shorter_one_are_caught_by_an_old_checkpoint() {
    let kept = ledger(40).checkpoint().unwrap();
    let other = Ledger::options().signer(signer()).in_memory().unwrap();
    other.record_all((100..150).map(record).collect()).unwrap();
    assert!(matches!(other.verify_against(&kept, &key()), Err(Error::Unproven { .. })));
    let shorter = ledger(3);
    assert!(shorter.verify().is_ok());
    assert!(matches!(shorter.verify_against(&kept, &key()), Err(Error::Unproven { .. })));
    let stranger = Signer::from_seed("ledger.example/acme", &[8; 32]).unwrap();
    assert!(other.verify_against(&other.checkpoint().unwrap(), &stranger.verifier()).is_err());
    assert!(matches!(Ledger::in_memory().checkpoint(), Err(Error::NoSigner)));
}

#[test]
fn an_export_verifies_and_no_bit_of_it_can_be_changed() {
    let ledger = ledger(600);
    let _ = ledger.reserve(&request("a"), &hundredths(10), USERS).unwrap();
    let folder = tempfile::tempdir().unwrap();
    ledger.export(folder.path()).unwrap();
    let report = verify_export(folder.path(), &key()).unwrap();
    assert_eq!((report.entries, report.charges), (602, 1));
    assert_eq!(report.accounts, ledger.accounts().unwrap());
    for name in [
        "checkpoint",
        "tile/0/000",
        "tile/0/002.p/90",
        "tile/1/000.p/2",
        "tile/entries/000",
        "tile/entries/002.p/90",
    ] {
        let path = folder.path().join(name);
        let bytes = fs::read(&path).unwrap();
        let step = (bytes.len() / 97).max(1);
        for at in (0..bytes.len()).step_by(step) {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (at % 8);
            fs::write(&path, &changed).unwrap();
            assert!(verify_export(folder.path(), &key()).is_err(), "{name}, byte {at}");
        }
        for changed in [&bytes[..bytes.len() - 1], &[&bytes[..], b"x"].concat()] {
            fs::write(&path, changed).unwrap();
            assert!(verify_export(folder.path(), &key()).is_err(), "{name}");
        }
        fs::write(&path, &bytes).unwrap();
    }
    let mut bytes = fs::read(folder.path().join("tile/entries/001")).unwrap();
    let length = usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
    bytes[2 + length + 20] ^= 1;
    fs::write(folder.path().join("tile/entries/001"), bytes).unwrap();
    let located = verify_export(folder.path(), &key()).unwrap_err();
    assert!(matches!(located, Error::Corrupt { entry: 257, .. }), "{located}");
}

#[test]
fn an_erased_payload_is_gone_and_the_tree_is_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("budget.db");
    let text = b"select count(*) from logins where note like '%ann%'";
    let ledger = Ledger::options().signer(signer()).open(&path).unwrap();
    let kept = ledger.record_with(record("kept"), b"harmless").unwrap();
    let gone = ledger.record_with(record("gone"), text).unwrap();
    let before = ledger.checkpoint().unwrap();
    assert_eq!(ledger.payload(gone).unwrap(), text);
    let holds =
        |what: &[u8]| fs::read(&path).unwrap().windows(what.len()).any(|window| window == what);
    assert!(holds(text));
    ledger.erase(gone, "request 17").unwrap();
    assert!(!holds(text) && holds(b"harmless"));
    assert!(matches!(ledger.payload(gone), Err(Error::Erased { index: 1 })));
    assert!(matches!(ledger.erase(gone, "again"), Err(Error::Erased { .. })));
    assert!(matches!(ledger.erase(RecordId(2), "none"), Err(Error::NoEntry { .. })));
    drop(ledger);
    let ledger = Ledger::options().signer(signer()).open(&path).unwrap();
    assert_eq!(ledger.payload(kept).unwrap(), b"harmless");
    assert!(matches!(ledger.payload(gone), Err(Error::Erased { .. })));
    assert_eq!(ledger.verify_against(&before, &key()).unwrap().erased, 1);
}

#[test]
fn entries_have_one_form_only() {
    let ledger = ledger(1);
    let (bytes, _) = ledger.prove_inclusion(RecordId(1), 2).unwrap();
    Entry::decode(&bytes, 1).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let spaced = text.replacen(':', ": ", 1);
    let unknown = text.replacen('{', r#"{"note":1,"#, 1);
    for other in [spaced, unknown, format!("{text} "), text[1..].to_owned()] {
        assert!(Entry::decode(other.as_bytes(), 1).is_err(), "{other}");
    }
}
