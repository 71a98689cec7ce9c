//! Real processes that race, are killed, and run out of disk.
//!
//! `LEDGER_RUNS=1000 cargo test -p privacy-ledger --test it crash` repeats each run a thousand times;
//! with `LEDGER_THREADS=64` each of the eight racing processes has 64 threads.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use privacy_core::budget::Budget;
use privacy_ledger::{Account, Event, Ledger};

use crate::common::{USERS, folder, hundredths, limit, record, request, runs};

const ROLE: &str = "LEDGER_TEST_ROLE";
const FOLDER: &str = "LEDGER_TEST_FOLDER";
const NAME: &str = "LEDGER_TEST_NAME";

fn command(role: &str, folder: &Path, name: usize) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["crash::child", "--exact", "--nocapture", "--test-threads=1"])
        .env(ROLE, role)
        .env(FOLDER, folder)
        .env(NAME, name.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// The other side: what a child process does. Does nothing when it runs as a test.
#[test]
fn child() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap());
    let name = std::env::var(NAME).unwrap();
    match role.as_str() {
        "race" => race(&folder, &name),
        "release" => release(&folder, &name),
        "full" => fill(&folder),
        _ => panic!("no such role"),
    }
}

/// A sequence that is the same in every run with the same seed.
struct Chances(u64);

impl Chances {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Spends at random prices, giving some of it back, until nothing is left and nothing is open.
fn race(folder: &Path, name: &str) {
    let ledger = Ledger::open(folder.join("budget.db")).unwrap();
    let below = ledger.account("tenant").unwrap();
    let seed: u64 = name.parse().unwrap();
    fs::write(folder.join(format!("ready-{name}")), "").unwrap();
    wait_for(&folder.join("go"));
    let spent: u64 = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads())
            .map(|thread| {
                let (ledger, below) = (&ledger, &below);
                scope.spawn(move || {
                    let mut chances = Chances(seed << 8 | thread);
                    let (mut spent, mut dearest) = (0, 3);
                    for i in 0.. {
                        // A file's lock is not fair; the pause lets the others in.
                        std::thread::sleep(Duration::from_micros(chances.below(4000)));
                        let request = request(format!("{name}/{thread}/{i}"));
                        let price = 1 + chances.below(dearest);
                        let budget: &dyn Budget = if thread % 2 == 0 { ledger } else { below };
                        match budget.reserve(&request, &hundredths(price), USERS) {
                            Ok(reservation) if chances.below(4) == 0 => {
                                budget.roll_back(reservation).unwrap();
                            }
                            Ok(reservation) => {
                                budget.commit(reservation).unwrap();
                                spent += price;
                            }
                            Err(error) if error.is_budget() && price > 1 => dearest = 1,
                            Err(error) if error.is_budget() => {
                                let all = ledger.accounts().unwrap().swap_remove(0);
                                if all.open == 0 && all.remaining.is_nothing() {
                                    return spent;
                                }
                            }
                            Err(error) => panic!("{error}"),
                        }
                    }
                    spent
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    fs::write(folder.join(format!("spent-{name}")), spent.to_string()).unwrap();
}

fn wait_for(path: &Path) {
    let patience = Instant::now();
    while !path.exists() {
        assert!(patience.elapsed() < Duration::from_secs(60), "nobody wrote {}", path.display());
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// In each of eight processes; `LEDGER_THREADS=64` makes a crowd of them.
fn threads() -> u64 {
    std::env::var("LEDGER_THREADS").ok().and_then(|threads| threads.parse().ok()).unwrap_or(8)
}

#[test]
fn threads_of_eight_processes_spend_exactly_the_limit() {
    let seed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as u64;
    let (mut chances, mut spenders) = (Chances(seed), 0);
    for run in 0..runs(4) {
        let folder = folder();
        let allowed = 300 + chances.below(300);
        let ledger = Ledger::open(folder.path().join("budget.db")).unwrap();
        ledger.open_account(Account::root(limit(allowed))).unwrap();
        ledger.open_account(Account::at("tenant", limit(1000)).unwrap()).unwrap();
        let names: Vec<usize> = (0..8).map(|_| chances.below(1 << 40) as usize).collect();
        let children: Vec<Child> = names
            .iter()
            .map(|name| command("race", folder.path(), *name).spawn().unwrap())
            .collect();
        // All start at once, or the first would be done before the last has begun.
        for name in &names {
            wait_for(&folder.path().join(format!("ready-{name}")));
        }
        fs::write(folder.path().join("go"), "").unwrap();
        for mut child in children {
            assert!(child.wait().unwrap().success(), "run {run} of seed {seed}");
        }
        let spent: Vec<u64> = names
            .iter()
            .map(|name| fs::read_to_string(folder.path().join(format!("spent-{name}"))).unwrap())
            .map(|text| text.parse().unwrap())
            .collect();
        assert_eq!(spent.iter().sum::<u64>(), allowed, "run {run} of seed {seed}");
        spenders += spent.iter().filter(|spent| **spent > 0).count();
        let report = ledger.verify().unwrap();
        assert_eq!(report.accounts[0].used, limit(allowed), "run {run} of seed {seed}");
        assert_eq!(report.accounts[0].open, 0);
    }
    // Otherwise it was no race.
    assert!(spenders >= 4 * runs(4) as usize, "{spenders} processes got something");
}

/// Reserves, draws, commits and records until somebody kills it. A release is a line that stays.
fn release(folder: &Path, name: &str) {
    let ledger = Ledger::open(folder.join("budget.db")).unwrap();
    let mut releases =
        OpenOptions::new().create(true).append(true).open(folder.join("releases")).unwrap();
    for i in 0.. {
        let request = request(format!("{name}/{i}"));
        let Ok(reservation) = ledger.reserve(&request, &hundredths(1), USERS) else { return };
        // One write: a line is whole or not there.
        releases.write_all(format!("{request}\n").as_bytes()).unwrap();
        ledger.commit(reservation).unwrap();
        ledger.record_with(record(&request), b"the text of the question").unwrap();
    }
}

#[test]
fn whatever_is_killed_when_nothing_was_released_that_was_not_charged() {
    let seed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos() as u64;
    let mut chances = Chances(seed);
    let mut seen = 0;
    for _ in 0..runs(3) {
        let folder = folder();
        let path = folder.path().join("budget.db");
        Ledger::open(&path).unwrap().open_account(Account::root(limit(1_000_000))).unwrap();
        for round in 0..6 {
            let mut children: Vec<Child> = (0..2)
                .map(|i| command("release", folder.path(), round * 10 + i).spawn().unwrap())
                .collect();
            std::thread::sleep(Duration::from_millis(20 + chances.below(120)));
            for child in &mut children {
                child.kill().unwrap();
                child.wait().unwrap();
            }
            let ledger = Ledger::open(&path).unwrap();
            let report = ledger.verify().unwrap();
            let charged: std::collections::HashSet<String> = ledger
                .entries(0..report.entries)
                .unwrap()
                .into_iter()
                .filter_map(|(_, entry)| match entry.event {
                    Event::Reserved(reserved) => Some(reserved.request.to_string()),
                    _ => None,
                })
                .collect();
            let releases = fs::read_to_string(folder.path().join("releases")).unwrap_or_default();
            for line in releases.lines() {
                assert!(charged.contains(line), "{line} was released and not charged");
            }
            seen += releases.lines().count();
            // At most what each dead process had open is wasted.
            let open = report.accounts[0].open;
            assert!(open <= 2 * (round + 1), "{open} open");
            assert!(charged.len() <= releases.lines().count() + 2 * (round + 1));
        }
    }
    assert!(seen > 0, "nothing was ever released; the test shows nothing");
}

fn fill(folder: &Path) {
    let ledger = Ledger::open(folder.join("budget.db")).unwrap();
    let mut granted = 0;
    let error = loop {
        match ledger.account("").unwrap().begin(
            &request(granted),
            &hundredths(1),
            USERS,
            Some(&"x".repeat(500)),
        ) {
            Ok(_) => granted += 1,
            Err(error) => break error,
        }
    };
    assert!(error.is_full(), "{error:?}");
    // Still open, still whole, and reading is still possible.
    assert_eq!(ledger.verify().unwrap().charges, granted);
    fs::write(folder.join("filled"), granted.to_string()).unwrap_or_default();
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_an_error_and_loses_nothing() {
    let folder = folder();
    let path = folder.path().join("budget.db");
    Ledger::open(&path).unwrap().open_account(Account::root(limit(100_000))).unwrap();
    let program = std::env::current_exe().unwrap();
    let status = Command::new("sh")
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f 40; exec \"$0\" crash::child --exact --test-threads=1",
        ])
        .arg(program)
        .env(ROLE, "full")
        .env(FOLDER, folder.path())
        .env(NAME, "0")
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    let granted: u64 = fs::read_to_string(folder.path().join("filled")).unwrap().parse().unwrap();
    assert!(granted > 3);
    let ledger = Ledger::open(&path).unwrap();
    assert_eq!(ledger.verify().unwrap().charges, granted);
    ledger.record(record("room again")).unwrap();
}
