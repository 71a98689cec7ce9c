//! Three hospitals learn the mean and the longest of their patients' waiting times, and nothing else: not
//! each other's numbers, and of the result only what noise that nobody knows leaves of it.
//!
//! Three processes on this machine, over mutually authenticated TLS on loopback. Noise is drawn inside the
//! computation; every opening is paid from each hospital's privacy budget and recorded in its audit trail
//! before a share leaves. In life each party makes its own identity and tells the others its fingerprint.
//!
//! `cargo run --release --features smpc-tls --example joint_mean`

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example shows its results")]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode};
use std::sync::Arc;

use confidant::core::audit::Outcome;
use confidant::core::guarantee::Guarantee;
use confidant::core::prelude::*;
use confidant::smpc::field::{Ring, Z64};
use confidant::smpc::net::Config;
use confidant::smpc::net::tls::{Endpoint, Identity, run_blocking};
use confidant::smpc::opening::Policy;
use confidant::smpc::protocol::NoisyOpening;
use confidant::smpc::{self, Party, Replicated};

type Error = Box<dyn std::error::Error>;

/// Every hospital sends so many numbers, so that it does not tell how many patients it had.
const PLACES: usize = 512;
/// Stands for no patient; below every candidate of the maximum.
const NOBODY: Z64 = Z64(u64::MAX);
/// Longer waiting times count as four hours: one patient changes the sum by at most this.
const LONGEST: u64 = 240;
/// The longest waiting time is told in steps of a quarter of an hour, and must be that of about so many.
const REACHED_BY: u64 = 60;

/// The waiting times of a hospital's patients, in minutes, which it alone knows.
fn waiting_times(id: usize) -> Vec<u64> {
    let patients = 300 + 50 * id as u64;
    (0..patients).map(|i| (i * i * 7 + 13 * id as u64) % 150 + (i % 11) * 3).collect()
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.as_slice() {
        [id, folder] => one_party(id, Path::new(folder)),
        _ => all_parties(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// One process: what a party runs.
fn one_party(id: &str, folder: &Path) -> Result<(), Error> {
    let id: usize = id.parse()?;
    let file = |kind: &str, id: usize| folder.join(format!("{kind}{id}"));
    let read = |kind: &str, id: usize| std::fs::read(file(kind, id));
    let me = Identity::from_der(read("certificate", id)?, read("key", id)?);
    let mut endpoints = Vec::new();
    for party in 1..=3 {
        let known = std::fs::read_to_string(file("public", party))?;
        let (address, fingerprint) = known.split_once(' ').ok_or("a malformed file")?;
        endpoints.push(Endpoint::new(address, fingerprint.parse()?));
    }
    let budget = Arc::new(MemoryBudget::new((Epsilon::new(1.0)?, Delta::new(1e-9)?)));
    let trail = MemoryAudit::new();
    let policy = Policy::new().at_least(300).paid_from(budget.clone());
    let policy = policy.audited(trail.clone(), Actor::new(format!("hospital {id}")));
    let config = Config::replicated().bound_to("waiting times, week 47");
    let report = run_blocking(config, id, &me, &endpoints, async |party: &mut Party<_, _>| {
        party.set_policy(policy);
        report(party).await
    })?;

    // All three learn the same; the first one prints it.
    if id == 1 {
        let mean = report.sum as f64 / report.patients as f64;
        println!("about {} patients waited {mean:.1} minutes in the mean", report.patients);
        match report.longest {
            Some(minutes) => {
                println!("about {REACHED_BY} of them waited {minutes} minutes or longer")
            }
            None => println!("no {REACHED_BY} of them waited at all"),
        }
        let records = trail.records();
        let opened = records.iter().filter(|record| record.outcome == Outcome::Completed);
        let statement = Guarantee::together(opened.map(|record| record.guarantee.clone()));
        println!("what may be said of all of it: {statement}");
    }
    println!("hospital {id}: budget left {}", budget.remaining()?);
    Ok(())
}

/// What is opened, each number with noise.
struct Report {
    patients: i128,
    sum: i128,
    longest: Option<i64>,
}

/// The computation: the same program at every party.
async fn report(party: &mut Party<Z64, Replicated>) -> smpc::Result<Report> {
    let times = waiting_times(party.id());
    let place = |i: usize| times.get(i).map_or(NOBODY, |minutes| Z64((*minutes).min(LONGEST)));
    let mine: Vec<Z64> = (0..PLACES).map(place).collect();
    // A hospital knows of its own patients, and then about how many all have.
    party.declare("number of patients", times.len() as u64);
    let [a, b, c] = party.input_from_all_as(&mine).await?;
    let all = a.chain(&b).chain(&c);
    let present = -party.is_negative(&all).await? + 1;
    let minutes = party.multiply(&all, &present).await?;

    // One user is one visit: in the count, in the sum with at most four hours, among the longest.
    let release = |name, sensitivity, scale| NoisyOpening {
        request: RequestId::new(name),
        sensitivity,
        scale,
        scope: Scope::of::<User, AddRemove>(),
    };
    let total = |opened: Vec<Z64>| opened.into_iter().sum::<Z64>().to_i128();
    let patients = release("patients in week 47", 1, 4.0); // ε = 1/4
    let patients = total(party.open_with_noise(&present.total(), patients).await?);
    party.declare("waiting times", u64::try_from(patients).unwrap_or(0));
    let sum = release("minutes in week 47", LONGEST, 480.0); // ε = 1/2
    let sum = total(party.open_with_noise(&minutes.total(), sum).await?);
    let longest = release("longest wait in week 47", 1, 8.0); // ε = 2/8
    let candidates: Vec<i64> = (0..=LONGEST as i64).step_by(15).collect();
    let longest = party.open_noisy_maximum(&all, &candidates, REACHED_BY, longest).await?;
    Ok(Report { patients, sum, longest })
}

/// Makes identities, and starts the three processes.
fn all_parties() -> Result<(), Error> {
    let folder = Folder::new()?;
    let listeners: Vec<TcpListener> =
        (0..3).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<Result<_, _>>()?;
    for (id, listener) in (1..).zip(&listeners) {
        let identity = Identity::generate()?;
        let file = |kind: &str| folder.0.join(format!("{kind}{id}"));
        std::fs::write(file("certificate"), identity.certificate())?;
        std::fs::write(file("key"), identity.expose_key())?;
        let public = format!("{} {}", listener.local_addr()?, identity.fingerprint());
        std::fs::write(file("public"), public)?;
    }
    drop(listeners);
    let program = std::env::current_exe()?;
    let start = |id: usize| Command::new(&program).arg(id.to_string()).arg(&folder.0).spawn();
    let children: Vec<Child> = (1..=3).map(start).collect::<Result<_, _>>()?;
    for mut child in children {
        if !child.wait()?.success() {
            return Err("a party failed".into());
        }
    }
    Ok(())
}

/// A folder that is removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, Error> {
        let folder = std::env::temp_dir().join(format!("joint-mean-{}", std::process::id()));
        std::fs::create_dir(&folder)?;
        Ok(Folder(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
