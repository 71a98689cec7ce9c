//! What a key leaves behind: an allocator looks for words of a prime in every block that is freed.

#![allow(unsafe_code, reason = "an allocator that watches what is freed")]
#![allow(clippy::expect_used, reason = "a failed expectation of a test is a failed test")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use paillier_he::KeyPolicy;
use paillier_he::damgard_jurik::DamgardJurik;
use paillier_he::prelude::*;
use paillier_he::proof::{DecryptionProof, ModulusProof};
use paillier_he::threshold::ThresholdKey;
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
        let stored = key.to_secret_bytes();
        let found = found_while(secret, || {
            let policy = KeyPolicy::insecure_for_tests();
            drop(key.to_secret_bytes());
            drop(PrivateKey::from_secret_bytes(&stored, &policy, &mut rng));
        });
        assert_eq!(found, 0, "while a key in {mode:?} mode is stored and read");
        let found = found_while(secret, || drop(ModulusProof::prove(&key, b"", &mut rng)));
        assert_eq!(found, 0, "while a modulus is proven");
        let c = key.encrypt(3, &encoding, &mut rng).expect("encrypted");
        let found = found_while(secret, || drop(DecryptionProof::open(&key, &c, b"", &mut rng)));
        assert_eq!(found, 0, "while a decryption is proven");
        let large = DamgardJurik::new(key.public_key(), 2).expect("a scheme");
        let c = large.encrypt(&3.into(), &mut rng).expect("encrypted");
        let found = found_while(secret, || drop(large.decrypt(&key, &c)));
        assert_eq!(found, 0, "while a long number is opened");
        assert_eq!(found_while(secret, || drop(key)), 0, "when a key in {mode:?} mode is dropped");
    }
    making_keys_leaves_nothing();
    dealing_leaves_nothing();
}

/// The same seed makes the same key again, whose primes are then known.
fn making_keys_leaves_nothing() {
    for (mode, bits) in [(Mode::Djn, 512), (Mode::Subgroup, 1024)] {
        let options = KeyOptions::insecure_for_tests(bits).mode(mode);
        let make = || PrivateKey::generate(options, &mut InsecureTestRng::from_seed(9));
        let key = make().expect("a key");
        let (p, q) = key.expose_primes();
        for prime in [p, q] {
            let secret = prime.to_u64_digits()[2];
            assert_eq!(found_while(secret, || drop(make())), 0, "a prime of a {mode:?} key");
        }
    }
}

/// The primes of the dealer's key, and the shares.
fn dealing_leaves_nothing() {
    let options = KeyOptions::insecure_for_tests(256).safe_primes();
    let dealer = PrivateKey::generate(options, &mut InsecureTestRng::from_seed(3)).expect("a key");
    let deal = || ThresholdKey::deal_key(&dealer, 3, 2, &mut InsecureTestRng::from_seed(4));
    let secret = dealer.expose_primes().0.to_u64_digits()[1];
    assert_eq!(found_while(secret, || drop(deal())), 0, "a prime while dealing");
    // The third word of the second party's secret, after tag, fingerprint, index and length.
    let (key, shares) = deal().expect("shares");
    let bytes = shares[1].to_secret_bytes(&key);
    let at = bytes.len() - 24;
    let secret = bytes[at..at + 8].iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    assert_eq!(found_while(secret, || drop(deal())), 0, "a share while dealing");
    let c = key.public_key().encrypt(
        7,
        &Encoding::integers_up_to(9u8),
        &mut SystemRng::new().expect("entropy"),
    );
    let c = c.expect("encrypted");
    let mut rng = InsecureTestRng::from_seed(5);
    let found = found_while(secret, || drop(shares[1].decrypt(&key, &c, b"s", &mut rng)));
    assert_eq!(found, 0, "a share while decrypting");
    assert_eq!(found_while(secret, || drop(bytes)), 0, "a stored share");
    assert_eq!(found_while(secret, || drop(shares)), 0, "shares");
}
