//! Parties in processes of their own, over mutually authenticated TLS 1.3 on tokio.
//!
//! Each party has an [`Identity`] (a key with a self-signed certificate) and knows the fingerprints of
//! the others, which it got in a way it trusts. A connection is accepted only from a certificate with
//! a known fingerprint; there are no authorities.
//!
//! ```no_run
//! use smpc_shares::net::{Config, tls::{Endpoint, Identity, run_blocking}};
//! use smpc_shares::{Party, Replicated, field::Z64};
//!
//! let me = Identity::generate()?;
//! println!("tell the others: {}", me.fingerprint());
//! let endpoints = [
//!     Endpoint::new("alpha.example:7000", "41…".parse()?),
//!     Endpoint::new("beta.example:7000", "9c…".parse()?),
//!     Endpoint::new("gamma.example:7000", me.fingerprint()),
//! ];
//! let sum = run_blocking(Config::replicated(), 3, &me, &endpoints, async |party: &mut Party<Z64, Replicated>| {
//!     let [a, b, c] = party.input_from_all_as(&[Z64(5)]).await?;
//!     party.open(&(a + b + c)).await
//! })?;
//! # Ok::<(), smpc_shares::Error>(())
//! ```

use std::fmt;
use std::future::poll_fn;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use privacy_core::random::SystemRng;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{
    CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime,
};
use tokio_rustls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error as TlsError,
    ServerConfig, SignatureScheme, version,
};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};
use zeroize::Zeroizing;

use super::{Config, End, Link, Shared, deliver, end, take_outgoing};
use crate::error::{Error, Result};
use crate::field::Ring;
use crate::party::Party;
use crate::security::Scheme;

/// The longest frame that is read.
const MOST_FRAME: u32 = 1 << 30;
/// The pause between attempts to reach a party that is not there yet.
const RETRY: Duration = Duration::from_millis(50);

fn failed(peer: usize, operation: &'static str) -> Error {
    Error::Transport { peer, operation }
}

/// SHA-256 of a party's certificate.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    fn of(certificate: &CertificateDer<'_>) -> Self {
        Fingerprint(Sha256::digest(certificate.as_ref()).into())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

impl FromStr for Fingerprint {
    type Err = Error;

    /// From 64 hexadecimal digits.
    fn from_str(text: &str) -> Result<Self> {
        let malformed = || Error::Encoding { what: "a fingerprint of 64 hexadecimal digits" };
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return Err(malformed()) };
        let mut bytes = [0; 32];
        if pairs.len() != bytes.len() {
            return Err(malformed());
        }
        for (byte, pair) in bytes.iter_mut().zip(pairs) {
            let digit = |digit: u8| char::from(digit).to_digit(16).ok_or_else(malformed);
            *byte = (digit(pair[0])? * 16 + digit(pair[1])?) as u8;
        }
        Ok(Fingerprint(bytes))
    }
}

/// A party's key and self-signed certificate. The key is not printed, and wiped on drop.
pub struct Identity {
    certificate: CertificateDer<'static>,
    key: Zeroizing<Vec<u8>>,
}

impl Identity {
    /// A new key (ECDSA on P-256) and its certificate.
    ///
    /// # Errors
    ///
    /// [`Error::Transport`] if it cannot be made.
    pub fn generate() -> Result<Self> {
        let made = rcgen::generate_simple_self_signed(vec!["party.invalid".to_owned()]);
        let made = made.map_err(|_| failed(0, "making a certificate"))?;
        Ok(Identity {
            certificate: made.cert.der().clone(),
            key: Zeroizing::new(made.signing_key.serialize_der()),
        })
    }

    /// An identity that was stored: certificate and PKCS #8 key in DER.
    #[must_use]
    pub fn from_der(certificate: Vec<u8>, key: Vec<u8>) -> Self {
        Identity { certificate: certificate.into(), key: Zeroizing::new(key) }
    }

    /// The certificate in DER.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The key in PKCS #8, secret, to be stored.
    #[must_use]
    pub fn expose_key(&self) -> &[u8] {
        &self.key
    }

    /// What the other parties must know.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.certificate)
    }

    fn key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.to_vec()).into()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Identity").field(&self.fingerprint()).finish()
    }
}

/// Where a party listens, and who it must be.
#[derive(Clone, Debug)]
pub struct Endpoint {
    address: String,
    fingerprint: Fingerprint,
}

impl Endpoint {
    /// A host and port, and the fingerprint of the party there.
    pub fn new(address: impl Into<String>, fingerprint: Fingerprint) -> Self {
        Endpoint { address: address.into(), fingerprint }
    }
}

/// Accepts certificates with known fingerprints, and nothing else.
#[derive(Debug)]
struct Pinned {
    known: Vec<Fingerprint>,
    provider: Arc<CryptoProvider>,
}

impl Pinned {
    fn check(&self, certificate: &CertificateDer<'_>) -> std::result::Result<(), TlsError> {
        let given = Fingerprint::of(certificate);
        if self.known.iter().any(|known| known.0.ct_eq(&given.0).into()) {
            return Ok(());
        }
        Err(TlsError::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
    }
}

type Signature = std::result::Result<HandshakeSignatureValid, TlsError>;

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, TlsError> {
        self.check(certificate).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Signature {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Signature {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl ClientCertVerifier for Pinned {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> std::result::Result<ClientCertVerified, TlsError> {
        self.check(certificate).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Signature {
        ServerCertVerifier::verify_tls12_signature(self, message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Signature {
        ServerCertVerifier::verify_tls13_signature(self, message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ServerCertVerifier::supported_verify_schemes(self)
    }
}

fn pinned(known: Vec<Fingerprint>) -> Arc<Pinned> {
    Arc::new(Pinned { known, provider: Arc::new(ring::default_provider()) })
}

fn client(identity: &Identity, peer: Fingerprint) -> Result<TlsConnector> {
    let setup = |_| failed(0, "setting up TLS");
    let verifier = pinned(vec![peer]);
    let config = ClientConfig::builder_with_provider(Arc::clone(&verifier.provider))
        .with_protocol_versions(&[&version::TLS13])
        .map_err(setup)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_auth_cert(vec![identity.certificate.clone()], identity.key())
        .map_err(setup)?;
    Ok(TlsConnector::from(Arc::new(config)))
}

fn server(identity: &Identity, peers: Vec<Fingerprint>) -> Result<TlsAcceptor> {
    let setup = |_| failed(0, "setting up TLS");
    let verifier = pinned(peers);
    let config = ServerConfig::builder_with_provider(Arc::clone(&verifier.provider))
        .with_protocol_versions(&[&version::TLS13])
        .map_err(setup)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![identity.certificate.clone()], identity.key())
        .map_err(setup)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn reach(
    endpoint: &Endpoint,
    identity: &Identity,
    peer: usize,
) -> Result<TlsStream<TcpStream>> {
    let connector = client(identity, endpoint.fingerprint)?;
    let name = ServerName::try_from("party.invalid").map_err(|_| failed(peer, "naming it"))?;
    loop {
        let Ok(stream) = TcpStream::connect(&endpoint.address).await else {
            sleep(RETRY).await;
            continue;
        };
        // Small frames must not wait for more of them.
        stream.set_nodelay(true).map_err(|_| failed(peer, "being connected"))?;
        let stream = connector.connect(name.clone(), stream).await;
        return stream.map(TlsStream::from).map_err(|_| failed(peer, "being authenticated"));
    }
}

/// Connects to the parties before and accepts those after, in any order.
async fn connect(
    me: usize,
    identity: &Identity,
    endpoints: &[Endpoint],
    listener: &TcpListener,
) -> Result<Vec<Option<TlsStream<TcpStream>>>> {
    let mut streams: Vec<Option<TlsStream<TcpStream>>> = endpoints.iter().map(|_| None).collect();
    let (before, after) = endpoints.split_at(me);
    for (peer, endpoint) in before.iter().enumerate() {
        streams[peer] = Some(reach(endpoint, identity, peer + 1).await?);
    }
    let known: Vec<Fingerprint> = after.iter().skip(1).map(|peer| peer.fingerprint).collect();
    let acceptor = server(identity, known)?;
    while streams.iter().skip(me + 1).any(Option::is_none) {
        let (stream, _) = listener.accept().await.map_err(|_| failed(0, "being accepted"))?;
        stream.set_nodelay(true).map_err(|_| failed(0, "being accepted"))?;
        // A stranger is turned away, and does not end the wait for the parties.
        let Ok(stream) = acceptor.accept(stream).await else { continue };
        let certificates = stream.get_ref().1.peer_certificates();
        let Some(given) = certificates.and_then(<[_]>::first).map(Fingerprint::of) else {
            continue;
        };
        let place = endpoints.iter().skip(me + 1).position(|peer| peer.fingerprint == given);
        if let Some(place) = place {
            streams[me + 1 + place] = Some(TlsStream::from(stream));
        }
    }
    Ok(streams)
}

async fn read(mut stream: ReadHalf<TlsStream<TcpStream>>, peer: usize, shared: Shared) {
    while let Ok(length) = stream.read_u32_le().await {
        if length > MOST_FRAME {
            break;
        }
        // Grows with what arrives, not with what is announced.
        let mut frame = Vec::new();
        match (&mut stream).take(length.into()).read_to_end(&mut frame).await {
            Ok(read) if read == length as usize => deliver(&shared, peer, frame, 0.0),
            _ => break,
        }
    }
    end(&shared, End::Gone(peer));
}

async fn write(
    mut stream: WriteHalf<TlsStream<TcpStream>>,
    mut frames: UnboundedReceiver<Vec<u8>>,
) {
    while let Some(frame) = frames.recv().await {
        let length = (frame.len() as u32).to_le_bytes();
        if stream.write_all(&length).await.is_err()
            || stream.write_all(&frame).await.is_err()
            || stream.flush().await.is_err()
        {
            return;
        }
    }
    let _ = stream.shutdown().await;
}

/// Runs `program` as party `id` (from 1) with the parties at `endpoints`, this one's included, on the
/// caller's tokio runtime.
///
/// # Errors
///
/// [`Error::BadParties`] unless there is an endpoint for each party and this one's has `identity`'s
/// fingerprint; [`Error::Transport`] if a connection cannot be made within the deadline; those of the
/// session and the program.
pub async fn run<R: Ring, S: Scheme<R>, T>(
    config: Config,
    id: usize,
    identity: &Identity,
    endpoints: &[Endpoint],
    program: impl AsyncFnOnce(&mut Party<R, S>) -> Result<T>,
) -> Result<T> {
    S::validate(&config)?;
    let own = id.checked_sub(1).and_then(|me| endpoints.get(me));
    let Some(own) = own.filter(|own| own.fingerprint == identity.fingerprint()) else {
        return Err(Error::BadParties);
    };
    let me = id - 1;
    let distinct: std::collections::HashSet<_> =
        endpoints.iter().map(|peer| peer.fingerprint).collect();
    if endpoints.len() != config.parties || distinct.len() != endpoints.len() {
        return Err(Error::BadParties);
    }
    let listener = TcpListener::bind(&own.address).await.map_err(|_| failed(id, "listening"))?;
    let connected = timeout(config.deadline, connect(me, identity, endpoints, &listener)).await;
    let streams = connected.map_err(|_| failed(0, "being waited for"))??;

    let (link, shared) = Link::new(me, config.parties);
    let mut senders = Vec::new();
    let mut writers = Vec::new();
    let mut readers = Vec::new();
    for (peer, stream) in streams.into_iter().enumerate() {
        let Some(stream) = stream else {
            senders.push(None);
            continue;
        };
        let (reader, writer) = tokio::io::split(stream);
        let (sender, receiver) = unbounded_channel();
        readers.push(tokio::spawn(read(reader, peer, Arc::clone(&shared))));
        writers.push(tokio::spawn(write(writer, receiver)));
        senders.push(Some(sender));
    }
    let deadline = config.deadline;
    let rng = Box::new(SystemRng::new()?);
    let task = async {
        let mut party = Party::<R, S>::start(link, &config, rng).await?;
        program(&mut party).await
    };
    let mut task = std::pin::pin!(task);
    let mut alarm = Box::pin(sleep(deadline));
    let result = poll_fn(|cx| {
        let state = task.as_mut().poll(cx);
        let outgoing = take_outgoing(&shared);
        if !outgoing.is_empty() {
            alarm.as_mut().reset(Instant::now() + deadline);
        }
        for (to, frame) in outgoing {
            // A peer that is gone is noticed where its frame is missing.
            if let Some(Some(sender)) = senders.get(to) {
                let _ = sender.send(frame.bytes);
            }
        }
        if state.is_pending() && alarm.as_mut().poll(cx).is_ready() {
            end(&shared, End::Late);
        }
        state
    })
    .await;
    drop(senders);
    // What was sent must arrive before this process may end.
    for writer in writers {
        let _ = timeout(deadline, writer).await;
    }
    for reader in readers {
        reader.abort();
    }
    result
}

/// As [`run`], on a runtime of its own in this thread.
///
/// # Errors
///
/// As [`run`].
pub fn run_blocking<R: Ring, S: Scheme<R>, T>(
    config: Config,
    id: usize,
    identity: &Identity,
    endpoints: &[Endpoint],
    program: impl AsyncFnOnce(&mut Party<R, S>) -> Result<T>,
) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|_| failed(id, "starting a runtime"))?;
    runtime.block_on(run(config, id, identity, endpoints, program))
}
