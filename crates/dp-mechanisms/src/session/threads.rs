//! Work on large tables, shared by threads.
//!
//! What is computed does not depend on how many threads there are: only exact integer aggregates are
//! computed in several, which add up in any order. Randomness is drawn in one.

use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Rows that are worth a thread.
const ROWS_OF_THREAD: usize = 1 << 18;

/// Threads that a session uses unless it is told otherwise: the rest of the processor is others'.
const MOST_THREADS: usize = 4;

/// How many threads are worth while for so many rows, of `most` if that was said.
pub(super) fn worth_while(rows: usize, most: Option<usize>) -> usize {
    let enough = rows / ROWS_OF_THREAD;
    if enough < 2 {
        // To ask the system takes longer than many a query.
        return 1;
    }
    let available = || thread::available_parallelism().map_or(1, |n| n.get().min(MOST_THREADS));
    enough.min(most.unwrap_or_else(available)).max(1)
}

/// Does `work` on all tasks, in up to `threads` threads with a state each, and returns the states.
///
/// Which thread gets a task is left to chance. A panic in one of them goes on in the caller's.
pub(super) fn share<T, S: Send>(
    threads: usize,
    tasks: impl Iterator<Item = T> + Send,
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, T) + Sync,
) -> Vec<S> {
    let tasks = Mutex::new(tasks);
    let run = || {
        let mut state = state();
        loop {
            // The lock is let go of before the work.
            let task = tasks.lock().unwrap_or_else(PoisonError::into_inner).next();
            match task {
                Some(task) => work(&mut state, task),
                None => return state,
            }
        }
    };
    thread::scope(|scope| {
        // Where the system has no thread to give, the others do its work.
        let spawn = |_| thread::Builder::new().spawn_scoped(scope, run).ok();
        let others: Vec<_> = (1..threads).filter_map(spawn).collect();
        let mut states = vec![run()];
        for other in others {
            states.push(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        states
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_is_done_once() {
        for threads in [1, 2, 3, 8] {
            for tasks in [0u64, 1, 2, 1000] {
                let add =
                    |(sum, done): &mut (u64, u64), task| (*sum, *done) = (*sum + task, *done + 1);
                let states = share(threads, 0..tasks, || (0, 0), add);
                assert!(states.len() <= threads);
                let sum: u64 = states.iter().map(|(sum, _)| sum).sum();
                let done: u64 = states.iter().map(|(_, done)| done).sum();
                assert_eq!((sum, done), (tasks * tasks.saturating_sub(1) / 2, tasks));
            }
        }
    }

    #[test]
    #[should_panic(expected = "in a task")]
    fn a_panic_in_a_task_is_not_lost() {
        share(3, 0..100, || (), |(), task| assert!(task != 57, "in a task"));
    }

    #[test]
    fn small_tables_need_one_thread() {
        assert_eq!([0, 1000, ROWS_OF_THREAD].map(|rows| worth_while(rows, Some(4))), [1, 1, 1]);
        assert_eq!([1, 2, 3].map(|most| worth_while(10_000_000, Some(most))), [1, 2, 3]);
        assert_eq!(worth_while(2 * ROWS_OF_THREAD, Some(4)), 2);
        assert!((1..=MOST_THREADS).contains(&worth_while(10_000_000, None)));
    }
}
