//! The same promises in a real PostgreSQL server, which the tests start on the loopback address.
//!
//! `LEDGER_POSTGRES="host=… user=… dbname=…"` tests against another server. Without one and without
//! `initdb` the tests say that they were skipped, and fail where `CI` is set.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use privacy_core::budget::Budget;
use privacy_core::conformance;
use privacy_ledger::store::PostgresStore;
use privacy_ledger::{Account, Error, Ledger};
use tempfile::TempDir;

use crate::common::{USERS, hundredths, limit, record, request};

struct Server {
    config: String,
    process: Option<Child>,
    _folder: Option<TempDir>,
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            // SIGINT is a fast shutdown: it ends the server's own children too.
            let _ = Command::new("kill").args(["-INT", &process.id().to_string()]).status();
            let _ = process.wait();
        }
    }
}

fn programs() -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").exists())
        .collect();
    found.sort();
    found.pop()
}

/// A command that does not run as root, which the server refuses.
fn unprivileged(program: &Path) -> Command {
    let root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
    if !root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
    command
}

fn server() -> Option<Server> {
    if let Ok(config) = std::env::var("LEDGER_POSTGRES") {
        return Some(Server { config, process: None, _folder: None });
    }
    let Some(bin) = programs() else {
        assert!(std::env::var_os("CI").is_none(), "PostgreSQL is not installed, and must be in CI");
        eprintln!("skipped: PostgreSQL is not installed (apt-get install postgresql)");
        return None;
    };
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let open = Command::new("chmod").args(["777"]).arg(folder.path()).status().unwrap();
    assert!(open.success());
    let made = unprivileged(&bin.join("initdb"))
        .args(["--no-sync", "--auth=trust", "--username=ledger", "-D"])
        .arg(&data)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(made.success(), "initdb failed");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let process = unprivileged(&bin.join("postgres"))
        .args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="])
        .args(["-p", &port.to_string(), "-D"])
        .arg(&data)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let config = format!("host=127.0.0.1 port={port} user=ledger dbname=postgres");
    let server = Server { config, process: Some(process), _folder: Some(folder) };
    let patience = Instant::now();
    while PostgresStore::connect(&server.config, "probe").is_err() {
        assert!(patience.elapsed() < Duration::from_secs(30), "the server did not start");
        std::thread::sleep(Duration::from_millis(50));
    }
    Some(server)
}

fn open(server: &Server, name: &str) -> Ledger {
    let store = PostgresStore::connect(&server.config, name).unwrap();
    Ledger::options().with_store(store).unwrap()
}

fn sql(server: &Server, text: &str) {
    postgres::Client::connect(&server.config, postgres::NoTls)
        .unwrap()
        .batch_execute(text)
        .unwrap();
}

#[test]
fn a_database_keeps_the_promises_of_the_file() {
    let Some(server) = server() else { return };

    // A budget like any other.
    let ledger = open(&server, "conformance");
    let account = ledger.open_account(Account::root(limit(31))).unwrap();
    conformance::budget(&account, &hundredths(10), USERS).unwrap();

    // Racing handles spend exactly the limit.
    let ledger = open(&server, "race");
    ledger.open_account(Account::root(limit(41))).unwrap();
    let granted: usize = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..6)
            .map(|racer| {
                let server = &server;
                scope.spawn(move || {
                    let ledger = open(server, "race");
                    let spend = |i: &i32| {
                        let name = request(format!("{racer}/{i}"));
                        ledger
                            .reserve(&name, &hundredths(1), USERS)
                            .and_then(|r| ledger.commit(r))
                            .is_ok()
                    };
                    (0..12).filter(spend).count()
                })
            })
            .collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).sum()
    });
    assert_eq!(granted, 41);
    assert_eq!(ledger.verify().unwrap().charges, 41);

    // Payloads are erased and the rest stays.
    let ledger = open(&server, "payloads");
    let gone = ledger.record_with(record("gone"), b"a text").unwrap();
    let kept = ledger.record_with(record("kept"), b"another").unwrap();
    ledger.erase(gone, "request 1").unwrap();
    assert!(matches!(ledger.payload(gone), Err(Error::Erased { .. })));
    assert_eq!(ledger.payload(kept).unwrap(), b"another");
    let (entry, proof) = ledger.prove_inclusion(gone, 3).unwrap();
    proof
        .verify(
            &entry,
            &privacy_ledger::log::Hash::from_base64(&ledger.verify().unwrap().root).unwrap(),
        )
        .unwrap();

    // A lost connection is made again.
    sql(
        &server,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'",
    );
    let lost = ledger.record(record("lost"));
    assert!(lost.is_err() || lost.is_ok_and(|id| id.0 == 3));
    ledger.record(record("again")).unwrap();
    ledger.verify().unwrap();

    // Whatever is changed behind its back is found, and where.
    let changes = [
        ("UPDATE privacy_ledger_entry SET body = set_byte(body, 9, get_byte(body, 9) # 1) WHERE name = 'payloads' AND index = 1", 1),
        ("UPDATE privacy_ledger_entry SET body = set_byte(body, 9, get_byte(body, 9) # 1) WHERE name = 'payloads' AND index = 1;
          UPDATE privacy_ledger_entry SET payload = '\\x00' WHERE name = 'payloads' AND index = 1", 1),
        ("DELETE FROM privacy_ledger_entry WHERE name = 'race' AND index = 20", 20),
        ("UPDATE privacy_ledger_log SET size = 30 WHERE name = 'race'", 20),
    ];
    for (i, (change, _)) in changes.iter().enumerate() {
        sql(&server, change);
        let name = if i < 2 { "payloads" } else { "race" };
        let store = PostgresStore::connect(&server.config, name).unwrap();
        let opened = Ledger::options().with_store(store).and_then(|ledger| ledger.verify());
        let error = opened.expect_err(change);
        assert!(matches!(error, Error::Corrupt { .. }), "{change}: {error}");
    }
    sql(&server, "UPDATE privacy_ledger_log SET version = 2 WHERE name = 'conformance'");
    let newer = PostgresStore::connect(&server.config, "conformance");
    assert!(matches!(newer, Err(Error::NewerVersion { found: 2, supported: 1 })));
}
