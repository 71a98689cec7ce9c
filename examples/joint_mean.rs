//! Three hospitals learn the mean and the maximum of their waiting times, and nothing else.
//!
//! Three processes on this machine, over mutually authenticated TLS on loopback. In life each party
//! makes its own identity and tells the others its fingerprint.
//!
//! `cargo run --release --features smpc-tls --example joint_mean`

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example shows its results")]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode};

use confidant::smpc::field::{Ring, Z64};
use confidant::smpc::net::Config;
use confidant::smpc::net::tls::{Endpoint, Identity, run_blocking};
use confidant::smpc::opening::Policy;
use confidant::smpc::{Party, Replicated};

type Error = Box<dyn std::error::Error>;

/// Waiting times in minutes, known to one hospital each.
const WAITING: [[u64; 4]; 3] = [[12, 45, 31, 8], [25, 90, 17, 40], [33, 21, 64, 5]];

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
    let mine: Vec<Z64> = WAITING[id - 1].iter().map(|minutes| Z64(*minutes)).collect();
    let config = Config::replicated().bound_to("waiting times, week 47");
    let (mean, most) =
        run_blocking(config, id, &me, &endpoints, async |party: &mut Party<Z64, Replicated>| {
            party.set_policy(Policy::new().at_least(10));
            party.declare("weekly report", 12);
            let [a, b, c] = party.input_from_all_as(&mine).await?;
            let all = a.chain(&b).chain(&c);
            let mean = party.mean(&all).await?;
            let most = party.max(&all).await?;
            let opened = party.open(&mean.chain(&most)).await?;
            Ok((opened[0].to_u128(), opened[1].to_u128()))
        })?;
    println!("party {id}: mean {mean} minutes, longest {most} minutes");
    Ok(())
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
