//! Books that are carried forward: a copy that saves time, and never says anything of its own.

use std::fs;
use std::path::{Path, PathBuf};

use privacy_core::audit::RecordId;
use privacy_core::budget::Budget;
use privacy_ledger::{Account, Begun, Error, Event, Ledger, Past, Signer};
use tempfile::TempDir;

use crate::common::{USERS, folder, hundredths, limit, record, request};

fn open(path: &Path) -> Ledger {
    Ledger::options().carry_every(20).open(path).unwrap()
}

/// A ledger whose books were carried forward several times, with something of each kind in it.
fn written() -> (TempDir, PathBuf) {
    let folder = folder();
    let path = folder.path().join("budget.db");
    let ledger = open(&path);
    ledger.open_account(Account::root(limit(100))).unwrap();
    let blocks = Account::at("days", limit(60)).unwrap().protects(USERS).blocks(limit(40));
    ledger.open_account(blocks).unwrap();
    let declared = [(hundredths(1), 30)];
    let delta = privacy_core::params::Delta::new(1e-6).unwrap();
    ledger.open_account(Account::declared("plan", USERS, &delta, declared).unwrap()).unwrap();
    for i in 0..25 {
        let account = ledger.account(["days/monday", "days/tuesday", "plan"][i % 3]).unwrap();
        let reservation = account.reserve(&request(i), &hundredths(1), USERS).unwrap();
        match i % 5 {
            0 => {}
            1 => account.roll_back(reservation).unwrap(),
            _ => account.commit(reservation).unwrap(),
        }
    }
    let gone = ledger.record_with(record("gone"), b"a payload").unwrap();
    ledger.erase(gone, "request 1").unwrap();
    ledger.record_all((0..30).map(record).collect()).unwrap();
    ledger.account("").unwrap().reserve(&request("last"), &hundredths(1), USERS).map(drop).unwrap();
    (folder, path)
}

fn beside(path: &Path) -> PathBuf {
    path.with_file_name("budget.db.carried")
}

#[test]
fn books_carried_forward_are_those_that_follow_from_the_log() {
    let (_folder, path) = written();
    let size = open(&path).size().unwrap();
    let entries = open(&path).entries(0..size).unwrap();
    let carried = entries.iter().filter(|(_, entry)| matches!(entry.event, Event::Carried { .. }));
    assert!(carried.count() >= 3);
    let with = open(&path);
    fs::remove_file(beside(&path)).unwrap();
    let without = Ledger::options().carry_every(1000).open(&path).unwrap();
    assert_eq!(with.accounts().unwrap(), without.accounts().unwrap());
    assert_eq!(with.verify().unwrap().accounts, without.accounts().unwrap());
    // Requests of before are known, whether they were committed, are open or were given back.
    for ledger in [&with, &without] {
        let begin = |account: &str, name| {
            ledger.account(account).unwrap().begin(&request(name), &hundredths(1), USERS, None)
        };
        assert!(matches!(begin("days/monday", 3), Ok(Begun::Before(Past::Committed { .. }))));
        assert!(matches!(begin("days/monday", 0), Ok(Begun::Before(Past::Open))));
        let dearer = ledger.account("days/monday").unwrap();
        let dearer = dearer.begin(&request(3), &hundredths(2), USERS, None);
        assert!(matches!(dearer, Err(Error::RequestDiffers)));
        let erased = entries.iter().find(|(_, e)| matches!(e.event, Event::Erased { .. })).unwrap();
        assert!(matches!(ledger.payload(RecordId(erased.0 - 1)), Err(Error::Erased { .. })));
    }
}

#[test]
fn books_that_were_changed_or_are_of_another_log_are_passed_over() {
    let (_folder, path) = written();
    let (log, books) = (fs::read(&path).unwrap(), fs::read(beside(&path)).unwrap());
    let expected = open(&path).accounts().unwrap();
    for at in (0..books.len()).step_by((books.len() / 150).max(1)) {
        let mut changed = books.clone();
        changed[at] ^= 1 << (at % 8);
        fs::write(beside(&path), &changed).unwrap();
        assert_eq!(open(&path).accounts().unwrap(), expected, "byte {at}");
    }
    for length in (0..books.len()).step_by((books.len() / 50).max(1)) {
        fs::write(beside(&path), &books[..length]).unwrap();
        assert_eq!(open(&path).accounts().unwrap(), expected, "{length} bytes");
    }
    let (_other, elsewhere) = written();
    fs::copy(beside(&elsewhere), beside(&path)).unwrap();
    assert_eq!(open(&path).accounts().unwrap(), expected);
    assert_eq!(fs::read(&path).unwrap(), log, "reading has written");
}

#[test]
fn books_of_a_log_that_was_longer_are_passed_over_and_unfinished_appends_are_still_told() {
    let (_folder, path) = written();
    let early = fs::read(&path).unwrap();
    let expected = open(&path).accounts().unwrap();
    open(&path).record_all((0..100).map(record).collect()).unwrap();
    let late = fs::read(beside(&path)).unwrap();
    // The log as it was, put back in place with the rest of an append behind it.
    fs::write(&path, [&early[..], &early[early.len() - 40..]].concat()).unwrap();
    fs::write(beside(&path), late).unwrap();
    let ledger = open(&path);
    assert_eq!(ledger.accounts().unwrap(), expected);
    let size = ledger.size().unwrap();
    let (_, last) = ledger.entries(size - 1..size).unwrap().pop().unwrap();
    assert_eq!(last.event, Event::Recovered { bytes: 40 });
    ledger.verify().unwrap();
}

#[test]
fn damage_before_the_carried_books_is_found_when_the_log_is_opened() {
    let (_folder, path) = written();
    let bytes = fs::read(&path).unwrap();
    assert!(beside(&path).exists());
    for at in (4096..bytes.len()).step_by(211) {
        let mut changed = bytes.clone();
        changed[at] ^= 4;
        fs::write(&path, &changed).unwrap();
        let opened = Ledger::open(&path).and_then(|ledger| ledger.verify());
        let whole = opened.is_ok() && fs::read(&path).unwrap() == bytes;
        assert!(whole || matches!(opened, Err(Error::Corrupt { .. })), "byte {at}");
    }
}

#[test]
fn an_export_says_that_books_were_carried_and_its_auditor_checks_them() {
    let (_folder, path) = written();
    let signer = Signer::from_seed("ledger.example/acme", &[7; 32]).unwrap();
    let key = signer.verifier();
    let ledger = Ledger::options().signer(signer).open(&path).unwrap();
    let export = folder();
    ledger.export(export.path()).unwrap();
    let report = privacy_ledger::verify_export(export.path(), &key).unwrap();
    assert_eq!(report.accounts, ledger.accounts().unwrap());
}

/// A million entries: `cargo test --release -p privacy-ledger --test it -- --ignored --nocapture`. With
/// `LEDGER_LONG=folder` they are kept there, and read again the next time.
#[test]
#[ignore = "writes a file of some 400 MB"]
fn a_long_log_opens_quickly() {
    let temporary = folder();
    let given = std::env::var_os("LEDGER_LONG").map(PathBuf::from);
    let path = given.unwrap_or_else(|| temporary.path().to_owned()).join("budget.db");
    if !path.exists() {
        write_long(&path);
    }
    let mut expected = None;
    for carried in [true, false] {
        let kept = beside(&path).with_extension("kept");
        if !carried {
            fs::rename(beside(&path), &kept).unwrap();
        }
        let (started, used) = (std::time::Instant::now(), processor_seconds());
        let ledger = Ledger::options().carry_every(u64::MAX).open(&path).unwrap();
        eprintln!(
            "{} entries, books carried: {carried}: {:.2?}, {:.2} s of processor time",
            ledger.size().unwrap(),
            started.elapsed(),
            processor_seconds() - used,
        );
        let accounts = ledger.accounts().unwrap();
        assert_eq!(*expected.get_or_insert_with(|| accounts.clone()), accounts);
        if !carried {
            fs::rename(&kept, beside(&path)).unwrap();
        }
    }
}

/// What this process has used, where the system says so.
fn processor_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks =
        after_name.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

/// Charges by threads, and a record for each.
fn write_long(path: &Path) {
    let ledger = Ledger::open(path).unwrap();
    ledger.open_account(Account::root(limit(100_000_000))).unwrap();
    for i in 0..1000 {
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let ledger = &ledger;
                scope.spawn(move || {
                    for j in 0..42 {
                        let name = request(format!("{i}/{thread}/{j}"));
                        let reservation = ledger.reserve(&name, &hundredths(1), USERS).unwrap();
                        ledger.commit(reservation).unwrap();
                    }
                });
            }
        });
        ledger.record_all((0..336).map(record).collect()).unwrap();
    }
}
