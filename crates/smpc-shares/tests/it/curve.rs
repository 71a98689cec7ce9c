//! Verifiable sharing, private set intersection, secure aggregation.

use privacy_core::random::{SecureRng, SystemRng};
use smpc_shares::intersection::{AdditiveEncryption, Asker, Responder};
use smpc_shares::secagg::{Client, Graph, Sealed, Server};
use smpc_shares::sharing::verifiable::{Commitment, Scalar, VerifiableShare, reconstruct};
use smpc_shares::{Error, Result, Shamir};

fn rng() -> SystemRng {
    SystemRng::new().unwrap()
}

#[test]
fn wrong_shares_fail_verification_and_are_named() {
    let scheme = Shamir::new(5, 2).unwrap();
    let secret = Scalar::from(7u64);
    let dealers = [Commitment::feldman, Commitment::pedersen];
    for deal in dealers {
        let (commitment, mut shares) = deal(&scheme, &secret, &mut rng()).unwrap();
        assert!(shares.iter().all(|share| commitment.verify(&scheme, share).is_ok()));
        let bytes = commitment.to_bytes();
        assert_eq!(Commitment::from_bytes(&scheme, &bytes).unwrap(), commitment);
        let mut bad = shares[1].to_bytes();
        bad[2] ^= 1;
        shares[1] = VerifiableShare::from_bytes(&bad).unwrap();
        let found = reconstruct(&scheme, &commitment, &shares).unwrap();
        assert_eq!((found.secret, found.wrong), (secret, vec![2]));
        assert!(reconstruct(&scheme, &commitment, &shares[..3]).is_err(), "two good of three");
        // A longer polynomial would raise the threshold in silence.
        let longer = Shamir::new(5, 3).unwrap();
        assert!(commitment.verify(&longer, &shares[0]).is_err());
        assert!(Commitment::from_bytes(&longer, &bytes).is_err());
        let mut identity = bytes.clone();
        identity[1..33].fill(0);
        assert!(Commitment::from_bytes(&scheme, &identity).is_err());
        assert!(Commitment::from_bytes(&scheme, &bytes[..bytes.len() - 1]).is_err());
        assert!(VerifiableShare::from_bytes(&[0xff; 66]).is_err(), "not canonical");
    }
}

/// All ways a complaint round can end.
#[test]
fn complaints_are_answered_or_the_dealer_goes() {
    use smpc_shares::sharing::verifiable::{Complaints, Decision, Disqualification};
    let scheme = Shamir::new(5, 2).unwrap();
    let secret = Scalar::from(7u64);
    let (commitment, shares) = Commitment::pedersen(&scheme, &secret, &mut rng()).unwrap();
    let round = |complaining: &[usize]| {
        let mut round = Complaints::new(scheme, commitment.clone());
        complaining.iter().for_each(|party| round.complain(*party).unwrap());
        round
    };
    let why = |round: Complaints| match round.decide() {
        Decision::Disqualified { reason } => Some(reason),
        _ => None,
    };
    assert_eq!(why(round(&[])), None);
    // A published share serves like the private one did.
    let mut answered = round(&[2, 5, 2]);
    assert_eq!(answered.open(), [2, 5]);
    answered.answer(&shares[4]).unwrap();
    answered.answer(&shares[1]).unwrap();
    let Decision::Accepted { published } = answered.decide() else { panic!("it was answered") };
    let all = [&published[..], &shares[2..3]].concat();
    assert_eq!(reconstruct(&scheme, &commitment, &all).unwrap().secret, secret);
    assert_eq!(why(round(&[1, 2, 3])), Some(Disqualification::TooManyComplaints { complaints: 3 }));
    let mut silent = round(&[2, 5]);
    silent.answer(&shares[1]).unwrap();
    assert_eq!(why(silent), Some(Disqualification::Unanswered { party: 5 }));
    let mut lying = round(&[4]);
    let mut wrong = shares[3].to_bytes();
    wrong[2] ^= 1;
    let wrong = VerifiableShare::from_bytes(&wrong).unwrap();
    assert_eq!(lying.answer(&wrong), Err(Error::Verification));
    assert_eq!(lying.answer(&shares[3]), Err(Error::BadParties), "the first answer counts");
    assert_eq!(why(lying), Some(Disqualification::WrongAnswer { party: 4 }));
    let mut strange = round(&[]);
    assert_eq!(strange.complain(0), Err(Error::BadParties));
    assert_eq!(strange.complain(6), Err(Error::BadParties));
    assert_eq!(strange.answer(&shares[0]), Err(Error::BadParties), "nobody complained");
    let longer = Complaints::new(Shamir::new(5, 3).unwrap(), commitment.clone());
    assert_eq!(why(longer), Some(Disqualification::WrongCommitment));
}

#[test]
fn intersections_and_their_sizes() {
    let left: Vec<String> = (0..60).map(|i| format!("user {i}")).collect();
    let right: Vec<String> = (40..90).map(|i| format!("user {i}")).collect();
    let (asker, question) = Asker::new(b"s", &left, &mut rng()).unwrap();
    let responder = Responder::new(b"s", &right, &mut rng()).unwrap();
    let answer = responder.answer(&question, &mut rng()).unwrap();
    assert_eq!(asker.common(&answer).unwrap(), (40..60).collect::<Vec<_>>());
    let responder = Responder::new(b"s", &right, &mut rng()).unwrap();
    let answer = responder.answer_size(&question, &mut rng()).unwrap();
    assert_eq!(asker.size(&answer).unwrap(), 20);
    let other = Responder::new(b"another session", &right, &mut rng()).unwrap();
    assert_eq!(asker.size(&other.answer(&question, &mut rng()).unwrap()).unwrap(), 0);
    assert!(Asker::new(b"s", &["a", "a"], &mut rng()).is_err());
    let mut bad = question.clone();
    bad.items[0] = [0; 32];
    let responder = Responder::new(b"s", &right, &mut rng()).unwrap();
    assert!(matches!(responder.answer(&bad, &mut rng()), Err(Error::Encoding { .. })));
}

/// Addition modulo 2^64 behind a pad that the key holder remembers: additive, and enough for a test.
struct Pads(std::cell::RefCell<u64>);

impl AdditiveEncryption for Pads {
    type Ciphertext = (u64, u64);

    fn encrypt(&self, value: u64, rng: &mut dyn SecureRng) -> Result<(u64, u64)> {
        let mut pad = [0; 8];
        rng.fill(&mut pad)?;
        let pad = u64::from_le_bytes(pad);
        *self.0.borrow_mut() += 1;
        Ok((value.wrapping_add(pad), pad))
    }

    fn add(&self, a: &(u64, u64), b: &(u64, u64)) -> Result<(u64, u64)> {
        Ok((a.0.wrapping_add(b.0), a.1.wrapping_add(b.1)))
    }
}

#[test]
fn sums_over_intersections() {
    let encryption = Pads(0.into());
    let (asker, question) = Asker::new(b"s", &["a", "b", "c"], &mut rng()).unwrap();
    let respond = || {
        let responder = Responder::new(b"s", &["c", "x", "a"], &mut rng()).unwrap();
        responder.answer_sum(&question, &[100, 7, 20], &encryption, &mut rng()).unwrap()
    };
    let (answer, values) = respond();
    let (size, sum) = asker.sum(&answer, &values, &encryption, 2, &mut rng()).unwrap();
    assert_eq!((size, sum.0.wrapping_sub(sum.1)), (2, 120));
    let few = asker.sum(&answer, &values, &encryption, 3, &mut rng());
    assert!(matches!(few, Err(Error::OpeningRefused { .. })));
}

/// A whole session; clients for which `drops` is true leave after sharing.
fn aggregate(
    clients: u32,
    degree: u32,
    threshold: u32,
    length: usize,
    drops: impl Fn(u32) -> bool,
) -> Result<Vec<u32>> {
    let mut rng = rng();
    let graph = Graph::new(clients, degree, threshold, &[5; 32])?;
    let mut server = Server::new([1; 32], graph.clone(), length);
    let mut all = Vec::new();
    for id in 0..clients {
        let (client, keys) = Client::new(id, [1; 32], graph.clone(), &mut rng)?;
        server.register(id, keys)?;
        all.push(client);
    }
    let mut mail: Vec<Vec<Sealed>> = vec![Vec::new(); clients as usize];
    for client in &mut all {
        let id = client.id();
        for sealed in client.share(&server.keys_for(id), &mut rng)? {
            mail[sealed.to as usize].push(sealed);
        }
        server.has_shared(id);
    }
    for (client, inbox) in all.iter_mut().zip(&mail) {
        let id = client.id();
        if !drops(id) {
            let values: Vec<u32> = (0..length as u32).map(|i| i + id).collect();
            server.add(id, &client.masked(inbox, &values)?)?;
        }
    }
    let mut answers = Vec::new();
    for client in &mut all {
        let id = client.id();
        if !drops(id) {
            let (sent, dropped) = server.question(id);
            answers.push(client.reveal(&sent, &dropped)?);
            assert_eq!(client.reveal(&sent, &dropped).unwrap_err(), Error::Poisoned);
        }
    }
    server.unmask(&answers, 2)
}

#[test]
fn sums_in_spite_of_drop_outs() {
    for (clients, degree, threshold) in [(5, 4, 3), (30, 10, 5), (40, 39, 20)] {
        for modulus in [u32::MAX, 10, 4] {
            let drops = |id: u32| id % modulus == modulus - 1;
            let sum = aggregate(clients, degree, threshold, 100, drops).unwrap();
            let expected: Vec<u32> = (0..100)
                .map(|i| (0..clients).filter(|id| !drops(*id)).map(|id| i + id).sum())
                .collect();
            assert_eq!(sum, expected);
        }
    }
    // So many drop out that keys cannot be recovered: no sum rather than a wrong one.
    assert!(aggregate(5, 4, 3, 10, |id| id >= 2).is_err());
}

#[test]
fn clients_refuse_dishonest_questions() {
    let graph = Graph::new(4, 3, 2, &[5; 32]).unwrap();
    let ready = || {
        let mut rng = rng();
        let (mut clients, keys): (Vec<_>, Vec<_>) =
            (0..4).map(|id| Client::new(id, [1; 32], graph.clone(), &mut rng).unwrap()).unzip();
        let keys: Vec<_> = (0..4).zip(keys).collect();
        let mut inbox = Vec::new();
        for (id, client) in clients.iter_mut().enumerate() {
            let others: Vec<_> =
                keys.iter().filter(|(peer, _)| *peer != id as u32).copied().collect();
            let sealed = client.share(&others, &mut rng).unwrap();
            inbox.extend(sealed.into_iter().filter(|sealed| sealed.to == 0));
        }
        (clients.remove(0), inbox)
    };
    for (sent, dropped) in [
        (vec![1, 2], vec![2, 3]),
        (vec![1], vec![2, 3]),
        (vec![1, 2, 9], vec![3]),
        (vec![1, 2], vec![0]),
    ] {
        let (mut client, inbox) = ready();
        client.masked(&inbox, &[1]).unwrap();
        assert_eq!(client.reveal(&sent, &dropped).unwrap_err(), Error::Verification);
    }
    let (mut client, mut inbox) = ready();
    inbox[0].bytes[5] ^= 1;
    assert_eq!(client.masked(&inbox, &[1]).unwrap_err(), Error::Verification);
    let (mut client, inbox) = ready();
    assert_eq!(client.reveal(&[1, 2], &[]).unwrap_err(), Error::Poisoned, "out of order");
    let twice = [inbox[0].clone(), inbox[0].clone()];
    assert_eq!(client.masked(&twice, &[1]).unwrap_err(), Error::BadParties);
}

/// Derived from the two hypergeometric tails and the connectivity bound, in exact fractions.
#[test]
fn graph_parameters() {
    for (clients, corrupt, dropping, expected) in [
        (100, 0.05, 0.1, (36, 6)),
        (1000, 0.05, 0.1, (40, 19)),
        (1000, 0.1, 0.1, (52, 28)),
        (10_000, 0.05, 0.1, (46, 22)),
        (1000, 0.2, 0.2, (112, 58)),
        (10_000, 0.2, 0.2, (134, 70)),
        (10_000, 0.33, 0.1, (140, 95)),
    ] {
        assert_eq!(Graph::parameters(clients, corrupt, dropping).unwrap(), expected, "{clients}");
    }
    assert!(Graph::parameters(10, 0.4, 0.4).is_err());
    let graph = Graph::new(50, 8, 4, &[3; 32]).unwrap();
    for id in 0..50 {
        let neighbours = graph.neighbours(id);
        assert_eq!(neighbours.len(), 8);
        assert!(neighbours.iter().all(|peer| graph.neighbours(*peer).contains(&id)));
    }
}
