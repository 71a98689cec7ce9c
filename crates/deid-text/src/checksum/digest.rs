//! Checksums of crypto-currency addresses, over SHA-256, Keccak-256 and BCH codes.

use sha2::{Digest, Sha256};
use sha3::Keccak256;

/// Base58Check, as in Bitcoin's legacy addresses: 21 bytes and four of SHA-256(SHA-256(…)).
#[must_use]
pub fn base58check(text: &[u8]) -> bool {
    const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mut bytes = [0u8; 25];
    if !(26..=35).contains(&text.len()) {
        return false;
    }
    for &c in text {
        let Some(mut carry) = ALPHABET.iter().position(|a| *a == c) else { return false };
        for byte in bytes.iter_mut().rev() {
            carry += 58 * usize::from(*byte);
            *byte = carry as u8;
            carry >>= 8;
        }
        if carry != 0 {
            return false;
        }
    }
    let ones = text.iter().take_while(|c| **c == b'1').count();
    let zeros = bytes.iter().take_while(|b| **b == 0).count();
    let (payload, check) = bytes.split_at(21);
    ones == zeros && Sha256::digest(Sha256::digest(payload))[..4] == *check
}

/// Bech32 (BIP 173) for witness version 0 and Bech32m (BIP 350) for later ones, human part `bc`.
#[must_use]
pub fn bech32(text: &[u8]) -> bool {
    const ALPHABET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    let lower = text.iter().any(u8::is_ascii_lowercase);
    if lower && text.iter().any(u8::is_ascii_uppercase) {
        return false;
    }
    let text = text.to_ascii_lowercase();
    let Some(data) = text.strip_prefix(b"bc1") else { return false };
    if !(14..=74).contains(&text.len()) || data.len() < 7 {
        return false;
    }
    let mut checksum = 1u32;
    let mut step = |value: u32| {
        let top = checksum >> 25;
        checksum = (checksum & 0x01ff_ffff) << 5 ^ value;
        for (i, generator) in GENERATOR.iter().enumerate() {
            if top >> i & 1 == 1 {
                checksum ^= generator;
            }
        }
    };
    for v in [3, 3, 0, 2, 3] {
        step(v);
    }
    let mut version = None;
    for c in data {
        let Some(v) = ALPHABET.iter().position(|a| a == c) else { return false };
        version.get_or_insert(v);
        step(v as u32);
    }
    let program = (data.len() - 7) * 5 / 8;
    match version {
        Some(0) => checksum == 1 && (program == 20 || program == 32),
        Some(1..=16) => checksum == 0x2bc8_30a3 && (2..=40).contains(&program),
        _ => false,
    }
}

/// The mixed-case checksum of Ethereum addresses (EIP-55), over the 40 hexadecimal digits.
#[must_use]
pub fn eip55(hex: &[u8]) -> bool {
    let hash = Keccak256::digest(hex.to_ascii_lowercase());
    hex.len() == 40
        && hex.iter().enumerate().all(|(i, c)| {
            let nibble = hash[i / 2] >> (4 * (1 - i % 2)) & 15;
            c.is_ascii_digit() || c.is_ascii_uppercase() == (nibble >= 8)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_addresses_hold_and_changed_ones_do_not() {
        // Genesis block; BIP 173 and BIP 350 examples; EIP-55 example.
        assert!(base58check(b"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"));
        assert!(!base58check(b"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb"));
        assert!(bech32(b"BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4"));
        assert!(bech32(b"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"));
        assert!(!bech32(b"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5"));
        assert!(eip55(b"5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"));
        assert!(!eip55(b"5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed"));
    }
}
