//! Batches on several cores give what they give on one.

use paillier_he::prelude::*;
use paillier_he::proof::{Range, RangeProof};
use paillier_he::{Packed, PackedLayout};
use sha3::Shake256;
use sha3::digest::{ExtendableOutput, Update, XofReader};

use crate::support::{rng, small_keys};

/// A digest of everything that runs batch by batch, on 61 numbers under each kind of key.
fn digest() -> String {
    let mut hash = Shake256::default();
    let encoding = Encoding::integers_up_to(1u64 << 40);
    let values: Vec<i64> = (0..61).map(|i| i * i * 7919 - 3_000_000).collect();
    for key in small_keys() {
        let (public, rng) = (key.public_key(), &mut rng(61));
        let column = public.encrypt_batch(&values, &encoding, rng).unwrap();
        let other = public.encrypt_batch(&values, &encoding, rng).unwrap();
        let weights: Vec<i64> = (0..61).map(|i| 37 * i - 999).collect();
        let groups: Vec<usize> = (0..61).map(|i| i % 7).collect();
        let derived = [
            column.add(&other).unwrap(),
            column.sub(&other).unwrap(),
            column.multiply(&weights, 12).unwrap(),
            column.running_sums().unwrap(),
            column.group_sums(&groups, 7).unwrap(),
            column.dot(&weights, 12).unwrap().into_vec(),
            column.dot_vartime(&weights).unwrap().into_vec(),
            column.sum().unwrap().into_vec(),
        ];
        for column in derived {
            let column = column.blind(public, rng).unwrap();
            hash.update(&column.to_bytes());
            for number in key.decrypt_batch(&column).unwrap() {
                hash.update(number.to_string().as_bytes());
            }
        }
        // The owner draws for as many lanes as there are, so that only the plaintexts are fixed.
        let owned = key.encrypt_batch(&values, &encoding, &mut self::rng(62)).unwrap();
        for number in key.decrypt_batch(&owned).unwrap() {
            hash.update(number.to_string().as_bytes());
        }
        let layout = PackedLayout::new(public, 32, 8).unwrap();
        let packed = Packed::encrypt(public, &values, layout, rng).unwrap();
        hash.update(&packed.to_bytes());
        if key.public_key().mode() != Mode::Subgroup {
            let range = Range::new(&0, &99, Scale::INTEGER).unwrap();
            let (column, proof) =
                RangeProof::encrypt(public, &[0, 50, 99], &range, b"a", b"b", rng).unwrap();
            hash.update(&proof.to_bytes(public));
            proof.verify(column, &range, b"a", b"b").unwrap();
        }
    }
    let mut out = [0; 8];
    hash.finalize_xof().read(&mut out);
    out.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// With and without the feature, with and without vector instructions: the same bytes.
#[test]
fn batches_give_the_same_bytes_however_they_are_computed() {
    assert_eq!(digest(), "0055295072460e65");
}

#[cfg(feature = "rayon")]
#[test]
fn parallel_equals_serial() {
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(digest)
    };
    assert_eq!(with(1), with(4));
}
