//! Answers of Go's checksum database (golang.org/x/mod/sumdb), held to ours: `benches/peers/tlog.py known`
//! writes them anew.

use serde::Deserialize;

use super::tree::{Leaves, Tree};
use super::{ConsistencyProof, Hash, InclusionProof, SignedCheckpoint, Signer, hash_entry};
use crate::error::Result;

#[derive(Deserialize)]
struct Known {
    classic: Classic,
    roots: std::collections::BTreeMap<String, String>,
    inclusion: Vec<InclusionProof>,
    consistency: Vec<ConsistencyProof>,
    secret: String,
    verifier: String,
    note: String,
}

/// The leaves that tests of Certificate Transparency use, and the roots of their prefixes, in
/// hexadecimal.
#[derive(Deserialize)]
struct Classic {
    leaves: Vec<String>,
    roots: Vec<String>,
}

fn known() -> Known {
    serde_json::from_str(include_str!("../../tests/data/tlog.json")).unwrap()
}

struct All(Vec<Hash>);

impl Leaves for All {
    fn tile(&mut self, tile: u64) -> Result<Vec<Hash>> {
        Ok(self.0[(tile * 256) as usize..((tile + 1) * 256) as usize].to_vec())
    }
}

/// The tree over the texts `entry 0`, `entry 1`, …
fn log(size: u64) -> (Tree, All) {
    let leaves: Vec<Hash> =
        (0..size).map(|i| hash_entry(format!("entry {i}").as_bytes())).collect();
    let mut tree = Tree::default();
    leaves.iter().for_each(|leaf| tree.push(*leaf));
    (tree, All(leaves))
}

#[test]
fn the_classic_leaves_have_their_roots() {
    let Classic { leaves, roots } = known().classic;
    let mut tree = Tree::default();
    for (leaf, root) in leaves.iter().zip(&roots) {
        let bytes: Vec<u8> = (0..leaf.len() / 2)
            .map(|i| u8::from_str_radix(&leaf[2 * i..2 * i + 2], 16).unwrap())
            .collect();
        tree.push(hash_entry(&bytes));
        let hex: String = tree.root().as_bytes().iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, *root);
    }
    assert_eq!(tree.size(), 8);
}

#[test]
fn roots_and_proofs_are_those_of_the_checksum_database() {
    let known = known();
    let (tree, mut all) = log(700);
    let root = |size: u64| Hash::from_base64(&known.roots[&size.to_string()]).unwrap();
    for size in known.roots.keys() {
        let size = size.parse().unwrap();
        assert_eq!(tree.root_at(size, &mut all).unwrap(), root(size));
    }
    for proof in &known.inclusion {
        assert_eq!(tree.inclusion(proof.index, proof.size, &mut all).unwrap(), proof.path);
        let entry = format!("entry {}", proof.index);
        proof.verify(entry.as_bytes(), &root(proof.size)).unwrap();
    }
    for proof in &known.consistency {
        assert_eq!(tree.consistency(proof.old, proof.new, &mut all).unwrap(), proof.path);
        proof.verify(&root(proof.old), &root(proof.new)).unwrap();
    }
    assert!(known.inclusion.len() > 50 && known.consistency.len() > 80);
}

#[test]
fn keys_and_notes_are_those_of_the_checksum_database() {
    let known = known();
    let signer = Signer::from_secret_text(&known.secret).unwrap();
    assert_eq!(*signer.secret_text(), known.secret);
    assert_eq!(signer.verifier().to_string(), known.verifier);
    let (tree, _) = log(700);
    let ours = signer.sign(700, tree.root());
    assert_eq!(ours.as_str(), known.note);
    let theirs = SignedCheckpoint::parse(&known.note).unwrap();
    let checkpoint = theirs.verify(&known.verifier.parse().unwrap()).unwrap();
    assert_eq!((checkpoint.size, checkpoint.root), (700, tree.root()));
}
