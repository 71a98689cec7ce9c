//! Sessions over TLS on loopback.

use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use smpc_shares::field::Z64;
use smpc_shares::net::Config;
use smpc_shares::net::tls::{Endpoint, Fingerprint, Identity, run_blocking};
use smpc_shares::{Error, Party, Replicated, Result};

fn free_ports() -> Vec<u16> {
    let listeners: Vec<_> = (0..3).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect()
}

async fn program(party: &mut Party<Z64, Replicated>) -> Result<Vec<Z64>> {
    let [a, b, c] = party.input_from_all_as(&[Z64(party.id() as u64 + 1)]).await?;
    let product = party.evaluate(&a * &b * &c).await?;
    party.open(&product).await
}

fn run(config: &Config, identities: &[Identity], known: &[Fingerprint]) -> Vec<Result<Vec<Z64>>> {
    let endpoints: Vec<_> = free_ports()
        .iter()
        .zip(known)
        .map(|(port, fingerprint)| Endpoint::new(format!("127.0.0.1:{port}"), *fingerprint))
        .collect();
    thread::scope(|scope| {
        let party = |(i, identity)| {
            let (config, mut endpoints) = (config.clone(), endpoints.clone());
            scope.spawn(move || {
                // Everybody knows itself.
                let own: &Identity = identity;
                let address = format!("{:?}", endpoints[i]);
                let address = address.split('"').nth(1).unwrap().to_owned();
                endpoints[i] = Endpoint::new(address, own.fingerprint());
                run_blocking(config, i + 1, own, &endpoints, program)
            })
        };
        let handles: Vec<_> = identities.iter().enumerate().map(party).collect();
        handles.into_iter().map(|handle| handle.join().unwrap()).collect()
    })
}

fn identities() -> Vec<Identity> {
    (0..3).map(|_| Identity::generate().unwrap()).collect()
}

#[test]
fn three_parties_multiply() {
    let identities = identities();
    let known: Vec<_> = identities.iter().map(Identity::fingerprint).collect();
    let results = run(&Config::replicated(), &identities, &known);
    assert!(results.iter().all(|result| *result == Ok(vec![Z64(24)])), "{results:?}");
}

#[test]
fn a_stranger_is_turned_away_within_the_deadline() {
    let identities = identities();
    let mut known: Vec<_> = identities.iter().map(Identity::fingerprint).collect();
    known[2] = Identity::generate().unwrap().fingerprint();
    let config = Config::replicated().with_deadline(Duration::from_secs(1));
    let results = run(&config, &identities, &known);
    assert!(
        results.iter().all(|result| matches!(
            result,
            Err(Error::Transport { .. } | Error::PeerGone { .. } | Error::Deadline { .. })
        )),
        "{results:?}"
    );
}

#[test]
fn fingerprints_are_64_digits() {
    let own = Identity::generate().unwrap().fingerprint();
    assert_eq!(own.to_string().parse::<Fingerprint>().unwrap(), own);
    for bad in ["", "00", &"g".repeat(64), &"0".repeat(66)] {
        assert!(bad.parse::<Fingerprint>().is_err());
    }
}
