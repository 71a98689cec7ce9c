//! Each party on a thread of its own, with channels between them.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use privacy_core::random::SystemRng;

use super::{Config, End, Link, Shared, deliver, end, take_outgoing};
use crate::error::{Error, Result};
use crate::field::Ring;
use crate::party::Party;
use crate::security::Scheme;

type Wire = (usize, Vec<u8>);

/// Runs `program` as each party on a thread of its own and returns what each got.
///
/// ```
/// use smpc_shares::{Party, Replicated, field::Z64, net::{Config, run_threads}};
///
/// let results = run_threads(Config::replicated(), async |party: &mut Party<Z64, Replicated>| {
///     let mine = [Z64(party.id() as u64), Z64(10)];
///     let [a, b, c] = party.input_from_all_as(&mine).await?;
///     party.open(&(a + b + c)).await
/// })?;
/// assert!(results.iter().all(|opened| *opened == [Z64(6), Z64(30)]));
/// # Ok::<(), smpc_shares::Error>(())
/// ```
///
/// # Errors
///
/// The error of the first party that failed.
pub fn run_threads<R: Ring, S: Scheme<R>, T: Send>(
    config: Config,
    program: impl AsyncFn(&mut Party<R, S>) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    S::validate(&config)?;
    let parties = config.parties;
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..parties).map(|_| channel::<Wire>()).unzip();
    let (program, config) = (&program, &config);
    std::thread::scope(|scope| {
        let run = |(me, inbox): (usize, Receiver<Wire>)| {
            let senders = senders.clone();
            scope.spawn(move || one_party(me, config, program, &senders, &inbox))
        };
        let handles: Vec<_> = receivers.into_iter().enumerate().map(run).collect();
        let join = |handle: std::thread::ScopedJoinHandle<'_, Result<T>>| {
            handle.join().unwrap_or(Err(Error::Poisoned))
        };
        handles.into_iter().map(join).collect()
    })
}

fn one_party<R: Ring, S: Scheme<R>, T>(
    me: usize,
    config: &Config,
    program: &impl AsyncFn(&mut Party<R, S>) -> Result<T>,
    senders: &[Sender<Wire>],
    inbox: &Receiver<Wire>,
) -> Result<T> {
    let (link, shared) = Link::new(me, config.parties);
    let rng = Box::new(SystemRng::new()?);
    let task = async {
        let mut party = Party::<R, S>::start(link, config, rng).await?;
        program(&mut party).await
    };
    let mut task = std::pin::pin!(task);
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        let state = task.as_mut().poll(&mut cx);
        for (to, frame) in take_outgoing(&shared) {
            // A peer that is gone is noticed where its frame is missing.
            if let Some(sender) = senders.get(to) {
                let _ = sender.send((me, frame.bytes));
            }
        }
        match state {
            Poll::Ready(result) => return result,
            Poll::Pending => wait(inbox, &shared, config.deadline),
        }
    }
}

/// Takes at least one frame, or ends the wait at the deadline.
fn wait(inbox: &Receiver<Wire>, shared: &Shared, deadline: Duration) {
    let begin = Instant::now();
    let left = deadline.saturating_sub(begin.elapsed());
    match inbox.recv_timeout(left) {
        Ok((from, bytes)) => {
            deliver(shared, from, bytes, 0.0);
            for (from, bytes) in inbox.try_iter() {
                deliver(shared, from, bytes, 0.0);
            }
        }
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => end(shared, End::Late),
    }
}
