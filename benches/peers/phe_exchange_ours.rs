//! The side of `benches/peers/phe_exchange.py` that runs this crate. Internal: not an example.

use std::fs;

use paillier_he::exchange::phe;
use paillier_he::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (step, folder) =
        (arguments.next().unwrap_or_default(), arguments.next().ok_or("a folder")?);
    let path = |name: &str| format!("{folder}/{name}");
    let mut rng = SystemRng::new()?;
    if step == "write" {
        let options = KeyOptions::default().bits(2048).mode(Mode::Standard);
        let key = PrivateKey::generate(options, &mut rng)?;
        fs::write(path("ours_private.jwk"), phe::private_to_jwk(&key, "ours")?.as_bytes())?;
        let encoding = Encoding::fixed(Scale::new(16, 6)?, 1000)?;
        let column = key.encrypt_batch(&[2.5, -0.0625, 100.0], &encoding, &mut rng)?;
        fs::write(path("ours.json"), phe::to_json(&column)?)?;
        return Ok(());
    }
    for (jwk, document, expected) in [
        ("ours_private.jwk", "phe.json", &[7.0, -3.0, 0.1, -1e10, 7.2][..]),
        ("phe_private.jwk", "phe_key.json", &[41.5][..]),
    ] {
        let key = phe::private_from_jwk(&fs::read_to_string(path(jwk))?, &mut rng)?;
        let values = phe::from_json(key.public_key(), &fs::read_to_string(path(document))?)?;
        let opened: Option<Vec<f64>> =
            values.iter().map(|c| key.decrypt(c).ok().and_then(|x| x.to_f64())).collect();
        if opened.as_deref() != Some(expected) {
            return Err(format!("{document} opened to other numbers than it was made of").into());
        }
    }
    Ok(())
}
