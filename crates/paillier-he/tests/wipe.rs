//! What a key leaves behind: an allocator looks for words of a prime in every block that is freed.

#![allow(unsafe_code, reason = "an allocator that watches what is freed")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use paillier_he::prelude::*;
use privacy_core::random::InsecureTestRng;

struct Watching;

/// The word to look for; 0 looks for nothing.
static SECRET: AtomicU64 = AtomicU64::new(0);
static FOUND: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is passed on to the system's allocator; blocks are read before they are freed.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise. Zeroed, so that all that is read later is initialized.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let secret = SECRET.load(Ordering::Relaxed);
        if secret != 0 && layout.align() >= 8 {
            for i in 0..layout.size() / 8 {
                // SAFETY: within the block, which is aligned for words.
                let word = unsafe { block.cast::<u64>().add(i).read_volatile() };
                FOUND.fetch_add(usize::from(word == secret), Ordering::Relaxed);
            }
        }
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Watching = Watching;

fn found_while(secret: u64, f: impl FnOnce()) -> usize {
    FOUND.store(0, Ordering::Relaxed);
    SECRET.store(secret, Ordering::Relaxed);
    f();
    SECRET.store(0, Ordering::Relaxed);
    FOUND.load(Ordering::Relaxed)
}

#[test]
fn keys_leave_nothing_in_freed_memory() {
    let mut rng = InsecureTestRng::from_seed(1);
    for mode in [Mode::Standard, Mode::Djn] {
        let options = KeyOptions::insecure_for_tests(512).mode(mode);
        let key = PrivateKey::generate(options, &mut rng).expect("a key");
        let secret = key.expose_primes().0.to_u64_digits()[2];
        let encoding = Encoding::integers_up_to(1000u32);
        let column = key.encrypt_batch(&[1, 2, 3], &encoding, &mut rng).expect("encrypted");

        // The watch can find something.
        assert_eq!(found_while(secret, || drop(std::hint::black_box(vec![1, secret, 3]))), 1);
        let found = found_while(secret, || drop(key.decrypt_batch(&column)));
        assert_eq!(found, 0, "while decrypting in {mode:?} mode");
        let found =
            found_while(secret, || drop(key.encrypt_batch(&[1, 2, 3], &encoding, &mut rng)));
        assert_eq!(found, 0, "while encrypting in {mode:?} mode");
        assert_eq!(found_while(secret, || drop(key)), 0, "when a key in {mode:?} mode is dropped");
    }
}
