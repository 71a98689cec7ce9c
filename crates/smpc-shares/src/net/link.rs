//! One party's end of its links: frames, their headers, and the wait for them.
//!
//! Header, 38 bytes, little-endian: version 1, session 16, sender 2, receiver 2, step 8, sequence 4,
//! type 1, count 4. Every field of a received frame is known beforehand; a frame that differs in one
//! ends the session.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use sha2::{Digest, Sha256};

use super::Cost;
use crate::error::{Error, FrameFault, Result};
use crate::field::Ring;

/// Bytes before the payload of a frame.
pub(crate) const HEADER: usize = 38;
const VERSION: u8 = 1;
/// Bytes that a peer may have sent ahead of the step it is read in.
const MOST_QUEUED: usize = 1 << 31;

/// Why waiting is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The deadline passed.
    Late,
    /// This peer (counted from 0) is gone.
    #[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "only links over a network break"))]
    Gone(usize),
    /// This peer sent more than may be queued.
    Flooded(usize),
}

/// A frame with the simulated time at which it was sent or arrives.
pub(crate) struct Timed {
    pub(crate) bytes: Vec<u8>,
    pub(crate) time: f64,
}

/// What a party and its driver share.
#[derive(Default)]
pub(crate) struct Mailbox {
    incoming: Vec<VecDeque<Timed>>,
    queued: Vec<usize>,
    outgoing: Vec<(usize, Timed)>,
    waker: Option<Waker>,
    end: Option<End>,
}

pub(crate) type Shared = Arc<Mutex<Mailbox>>;

fn lock(shared: &Shared) -> MutexGuard<'_, Mailbox> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn mailbox(parties: usize) -> Shared {
    let mut mailbox = Mailbox::default();
    mailbox.incoming.resize_with(parties, VecDeque::new);
    mailbox.queued.resize(parties, 0);
    Arc::new(Mutex::new(mailbox))
}

/// Hands a frame of `from` to a party; a party that is flooded ends its session.
pub(crate) fn deliver(shared: &Shared, from: usize, bytes: Vec<u8>, time: f64) {
    let mut mailbox = lock(shared);
    let length = bytes.len();
    let Some(queued) = mailbox.queued.get_mut(from) else { return };
    *queued += length;
    if *queued > MOST_QUEUED {
        mailbox.end = Some(End::Flooded(from));
    } else if let Some(queue) = mailbox.incoming.get_mut(from) {
        queue.push_back(Timed { bytes, time });
    }
    let waker = mailbox.waker.take();
    drop(mailbox);
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// Ends the wait of a party.
pub(crate) fn end(shared: &Shared, end: End) {
    let mut mailbox = lock(shared);
    mailbox.end.get_or_insert(end);
    let waker = mailbox.waker.take();
    drop(mailbox);
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// The frames that a party wants sent, as (receiver, frame).
pub(crate) fn take_outgoing(shared: &Shared) -> Vec<(usize, Timed)> {
    std::mem::take(&mut lock(shared).outgoing)
}

/// One party's links to all others. Parties are counted from 0 here.
pub(crate) struct Link {
    pub(crate) me: usize,
    pub(crate) parties: usize,
    pub(crate) session: [u8; 16],
    shared: Shared,
    sent: Vec<u32>,
    received: Vec<u32>,
    step: u64,
    poisoned: bool,
    pub(crate) cost: Cost,
    /// Simulated time.
    pub(crate) clock: f64,
}

impl Link {
    pub(crate) fn new(me: usize, parties: usize) -> (Self, Shared) {
        let shared = mailbox(parties);
        let link = Link {
            me,
            parties,
            session: [0; 16],
            shared: Arc::clone(&shared),
            sent: vec![0; parties],
            received: vec![0; parties],
            step: 0,
            poisoned: false,
            cost: Cost::default(),
            clock: 0.0,
        };
        (link, shared)
    }

    /// An empty frame to append a payload to.
    pub(crate) fn frame(capacity: usize) -> Vec<u8> {
        let mut frame = Vec::with_capacity(HEADER + capacity);
        frame.resize(HEADER, 0);
        frame
    }

    /// A frame with these elements.
    pub(crate) fn frame_of<R: Ring>(values: &[R]) -> Vec<u8> {
        let mut frame = Link::frame(values.len() * R::BYTES);
        R::encode_all(values, &mut frame);
        frame
    }

    /// Ends the session: every later step fails.
    pub(crate) fn poison(&mut self) {
        self.poisoned = true;
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.poisoned { Err(Error::Poisoned) } else { Ok(()) }
    }

    fn header(&self, step: u64, from: usize, to: usize, sequence: u32, count: u32) -> [u8; HEADER] {
        let mut header = [0; HEADER];
        header[0] = VERSION;
        header[1..17].copy_from_slice(&self.session);
        header[17..19].copy_from_slice(&(from as u16).to_le_bytes());
        header[19..21].copy_from_slice(&(to as u16).to_le_bytes());
        header[21..29].copy_from_slice(&step.to_le_bytes());
        header[29..33].copy_from_slice(&sequence.to_le_bytes());
        header[33] = 0;
        header[34..38].copy_from_slice(&count.to_le_bytes());
        header
    }

    /// Sends frames and waits for one frame of `length` payload bytes from each peer in `from`, in
    /// that order. One round.
    pub(crate) async fn exchange(
        &mut self,
        name: &'static str,
        sends: Vec<(usize, Vec<u8>)>,
        from: &[(usize, usize)],
    ) -> Result<Vec<Vec<u8>>> {
        self.check()?;
        // Also where this party is silent and hears nothing: steps are counted by all alike.
        self.step += 1;
        let mut hash = Sha256::new();
        hash.update(self.step.to_le_bytes());
        hash.update(name.as_bytes());
        let mut step = [0; 8];
        step.copy_from_slice(&hash.finalize()[..8]);
        let step = u64::from_le_bytes(step);
        self.cost.rounds += 1;
        self.send(step, sends)?;
        let result = self.receive(step, from).await;
        if result.is_err() {
            self.poison();
        }
        result
    }

    fn send(&mut self, step: u64, sends: Vec<(usize, Vec<u8>)>) -> Result<()> {
        let mut outgoing = Vec::with_capacity(sends.len());
        for (to, mut frame) in sends {
            let payload = frame.len() - HEADER;
            let count = u32::try_from(payload).map_err(|_| Error::Parameter {
                parameter: "the bytes of one frame",
                requirement: "below 2^32; work on fewer elements at a time",
                given: payload as u64,
            })?;
            let sequence = self.sent[to];
            self.sent[to] = sequence.checked_add(1).ok_or(Error::Poisoned)?;
            let header = self.header(step, self.me, to, sequence, count);
            frame[..HEADER].copy_from_slice(&header);
            self.cost.frames += 1;
            self.cost.bytes += payload as u64;
            outgoing.push((to, Timed { bytes: frame, time: self.clock }));
        }
        lock(&self.shared).outgoing.extend(outgoing);
        Ok(())
    }

    async fn receive(&mut self, step: u64, from: &[(usize, usize)]) -> Result<Vec<Vec<u8>>> {
        let shared = Arc::clone(&self.shared);
        let frames = poll_fn(|cx| {
            let mut mailbox = lock(&shared);
            let missing = from.iter().find(|(peer, _)| mailbox.incoming[*peer].is_empty());
            let Some((missing, _)) = missing else {
                let mut frames = Vec::with_capacity(from.len());
                for (peer, _) in from {
                    if let Some(frame) = mailbox.incoming[*peer].pop_front() {
                        mailbox.queued[*peer] -= frame.bytes.len();
                        frames.push(frame);
                    }
                }
                return Poll::Ready(Ok(frames));
            };
            match mailbox.end {
                Some(End::Gone(peer)) if peer == *missing => {
                    Poll::Ready(Err(Error::PeerGone { peer: peer + 1 }))
                }
                Some(End::Late) => {
                    Poll::Ready(Err(Error::Deadline { peer: *missing + 1, step: self.step }))
                }
                Some(End::Flooded(peer)) => Poll::Ready(Err(Error::Frame {
                    peer: peer + 1,
                    sequence: self.received[peer],
                    fault: FrameFault::Length,
                })),
                _ => {
                    mailbox.waker = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await?;
        let mut payloads = Vec::with_capacity(frames.len());
        for ((peer, length), frame) in from.iter().zip(frames) {
            self.verify(step, *peer, *length, &frame.bytes)?;
            self.clock = self.clock.max(frame.time);
            payloads.push(frame.bytes);
        }
        Ok(payloads)
    }

    fn verify(&mut self, step: u64, peer: usize, length: usize, frame: &[u8]) -> Result<()> {
        let sequence = self.received[peer];
        let fault = |fault| Err(Error::Frame { peer: peer + 1, sequence, fault });
        let Some((header, payload)) = frame.split_at_checked(HEADER) else {
            return fault(FrameFault::Length);
        };
        let expected = self.header(step, peer, self.me, sequence, length as u32);
        for (range, kind) in [
            (0..1, FrameFault::Version),
            (1..17, FrameFault::Session),
            (17..21, FrameFault::Address),
            (29..33, FrameFault::Sequence),
            (21..29, FrameFault::Step),
            (33..34, FrameFault::Version),
            (34..38, FrameFault::Count),
        ] {
            if header[range.clone()] != expected[range] {
                return fault(kind);
            }
        }
        if payload.len() != length {
            return fault(FrameFault::Length);
        }
        self.received[peer] = sequence.checked_add(1).ok_or(Error::Poisoned)?;
        Ok(())
    }

    /// The elements of a received frame.
    pub(crate) fn elements<R: Ring>(&mut self, peer: usize, frame: &[u8]) -> Result<Vec<R>> {
        let payload = frame.get(HEADER..).unwrap_or_default();
        R::decode_all(payload).ok_or_else(|| {
            self.poison();
            Error::Frame {
                peer: peer + 1,
                sequence: self.received[peer].saturating_sub(1),
                fault: FrameFault::Element,
            }
        })
    }
}
