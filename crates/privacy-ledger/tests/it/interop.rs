//! What other tools read. `benches/peers/tlog.py` lets Go's checksum database check it.

use std::fs;

use privacy_core::audit::RecordId;
use privacy_ledger::{Account, Ledger, Signer, verify_export};

use crate::common::{folder, limit, record};

#[test]
fn an_export_with_proofs_is_written_for_other_tools() {
    let temporary = folder();
    let given = std::env::var_os("LEDGER_INTEROP").map(std::path::PathBuf::from);
    let at = given.unwrap_or_else(|| temporary.path().to_owned());
    let signer = Signer::from_seed("ledger.example/acme", &[9; 32]).unwrap();
    let (key, secret) = (signer.verifier(), signer.secret_text());
    let ledger = Ledger::options().signer(signer).in_memory().unwrap();
    ledger.open_account(Account::root(limit(100))).unwrap();
    // Two levels of full tiles would take 65,536 entries; two full and a partial tile do here.
    ledger.record_all((0..700).map(record).collect()).unwrap();
    let size = ledger.size().unwrap();
    ledger.export(&at).unwrap();
    let sizes = [1, 2, 255, 256, 257, 512, 513, size];
    let inclusion: Vec<_> = sizes
        .iter()
        .flat_map(|size| [0, size / 2, size - 1].map(|index| (index, *size)))
        .map(|(index, size)| ledger.prove_inclusion(RecordId(index), size).unwrap().1)
        .collect();
    let pairs = sizes.iter().flat_map(|new| sizes.map(|old| (old, *new))).filter(|(a, b)| a <= b);
    let consistency: Vec<_> =
        pairs.map(|(old, new)| ledger.prove_consistency(old, new).unwrap()).collect();
    let proofs = serde_json::json!({ "inclusion": inclusion, "consistency": consistency });
    fs::write(at.join("proofs.json"), proofs.to_string()).unwrap();
    fs::write(at.join("key"), key.to_string()).unwrap();
    fs::write(at.join("secret"), secret.as_bytes()).unwrap();
    assert_eq!(verify_export(&at, &key).unwrap().entries, size);
}
