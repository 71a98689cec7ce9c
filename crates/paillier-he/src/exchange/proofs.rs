//! Proofs as canonical bytes.
//!
//! Four bytes for the kind, then the parts in the order of the fields. Numbers carry their length,
//! counts have 4 bytes. Only [`RangeProof`] has fixed widths, those of its key.

use num_bigint::BigUint;

use super::codec::{Reader, put_fixed, put_number};
use crate::error::Result;
use crate::key::PublicKey;
use crate::proof::{
    Answer, DecryptionProof, FactorProof, MODULUS_ROUNDS, ModulusProof, PedersenParameters,
    ProvenBit, RangeProof, Round,
};
use crate::threshold::DecryptionShare;

const MODULUS: &[u8; 4] = b"PHM1";
const FACTORS: &[u8; 4] = b"PHF1";
const PEDERSEN: &[u8; 4] = b"PHG1";
const DECRYPTION: &[u8; 4] = b"PHO1";
const DECRYPTION_SHARE: &[u8; 4] = b"PHV1";
const RANGE: &[u8; 4] = b"PHR1";

impl ModulusProof {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = MODULUS.to_vec();
        put_number(&mut out, &self.w);
        for answer in &self.answers {
            put_number(&mut out, &answer.fourth_root);
            put_number(&mut out, &answer.root);
            out.push(u8::from(answer.negated) | u8::from(answer.twisted) << 1);
        }
        out
    }

    /// The proof with the given bytes, to be verified.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`](crate::Error::Malformed).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, MODULUS, "proof of a modulus")?;
        let w = reader.number()?;
        let mut answers = Vec::with_capacity(MODULUS_ROUNDS);
        for _ in 0..MODULUS_ROUNDS {
            let (fourth_root, root) = (reader.number()?, reader.number()?);
            let flags = reader.u8()?;
            if flags > 3 {
                return Err(reader.malformed());
            }
            let (negated, twisted) = (flags & 1 == 1, flags & 2 == 2);
            answers.push(Answer { fourth_root, negated, twisted, root });
        }
        reader.end()?;
        Ok(ModulusProof { w, answers })
    }
}

impl FactorProof {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = FACTORS.to_vec();
        self.commitments.iter().chain(&self.answers).for_each(|x| put_number(&mut out, x));
        out
    }

    /// The proof with the given bytes, to be verified.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`](crate::Error::Malformed).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, FACTORS, "proof of factors")?;
        let mut five = || -> Result<[BigUint; 5]> {
            let mut next = || reader.number();
            Ok([next()?, next()?, next()?, next()?, next()?])
        };
        let (commitments, answers) = (five()?, five()?);
        reader.end()?;
        Ok(FactorProof { commitments, answers })
    }
}

impl PedersenParameters {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let (n, [s, t], rounds) = self.parts();
        let mut out = PEDERSEN.to_vec();
        [n, s, t].iter().for_each(|x| put_number(&mut out, x));
        out.extend((rounds.len() as u32).to_be_bytes());
        for Round { commitment, answer } in rounds {
            put_number(&mut out, commitment);
            put_number(&mut out, answer);
        }
        out
    }

    /// The parameters with the given bytes, if the proof in them holds.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`](crate::Error::Malformed), [`Error::KeySize`](crate::Error::KeySize) for a
    /// modulus below 2048 bits, [`Error::Proof`](crate::Error::Proof).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Self::decode(bytes, crate::key::LEAST_BITS)
    }

    /// As [`PedersenParameters::from_bytes`], also for moduli that are far too short.
    ///
    /// # Errors
    ///
    /// As [`PedersenParameters::from_bytes`].
    ///
    /// # Security
    ///
    /// None. Only with the feature `insecure-test-keys`.
    #[cfg(feature = "insecure-test-keys")]
    pub fn from_bytes_insecure_for_tests(bytes: &[u8]) -> Result<Self> {
        Self::decode(bytes, 128)
    }

    fn decode(bytes: &[u8], least_bits: u64) -> Result<Self> {
        let mut reader = Reader::new(bytes, PEDERSEN, "commitment parameters")?;
        let (n, s, t) = (reader.number()?, reader.number()?, reader.number()?);
        let count = reader.u32()?;
        // Each round takes at least the four bytes of two lengths.
        if count as usize > reader.left() / 4 {
            return Err(reader.malformed());
        }
        let round = |reader: &mut Reader<'_>| {
            Ok(Round { commitment: reader.number()?, answer: reader.number()? })
        };
        let rounds = (0..count).map(|_| round(&mut reader)).collect::<Result<Vec<_>>>()?;
        reader.end()?;
        PedersenParameters::from_parts(n, [s, t], rounds, least_bits)
    }
}

impl DecryptionProof {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = DECRYPTION.to_vec();
        put_number(&mut out, &self.commitment);
        put_number(&mut out, &self.answer);
        out
    }

    /// The proof with the given bytes, to be verified.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`](crate::Error::Malformed).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, DECRYPTION, "proof of a decryption")?;
        let (commitment, answer) = (reader.number()?, reader.number()?);
        reader.end()?;
        Ok(DecryptionProof { commitment, answer })
    }
}

impl DecryptionShare {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = DECRYPTION_SHARE.to_vec();
        out.extend(self.index.to_be_bytes());
        put_number(&mut out, &self.value);
        out.extend(self.challenge.to_be_bytes());
        put_number(&mut out, &self.answer);
        out
    }

    /// The share with the given bytes, to be verified.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`](crate::Error::Malformed).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, DECRYPTION_SHARE, "decryption share")?;
        let (index, value) = (reader.u32()?, reader.number()?);
        let (challenge, answer) = (reader.u128()?, reader.number()?);
        reader.end()?;
        Ok(DecryptionShare { index, value, challenge, answer })
    }
}

/// The bytes of a bit: C, A₀ and A₁ modulo n², e₀, z₀ and z₁ modulo n.
fn widths(key: &PublicKey) -> [usize; 2] {
    [key.ciphertext_bytes(), (key.bits() as usize).div_ceil(8)]
}

impl RangeProof {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self, key: &PublicKey) -> Vec<u8> {
        let [long, short] = widths(key);
        let mut out = RANGE.to_vec();
        out.extend(key.fingerprint());
        out.extend((self.bits.len() as u32).to_be_bytes());
        for ProvenBit { ciphertext, commitments: [a, b], split, answers } in &self.bits {
            [ciphertext, a, b].iter().for_each(|x| put_fixed(&mut out, x, long));
            out.extend(split.to_be_bytes());
            answers.iter().for_each(|z| put_fixed(&mut out, z, short));
        }
        out
    }

    /// The proof with the given bytes, to be verified.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`](crate::Error::Malformed).
    pub fn from_bytes(key: &PublicKey, bytes: &[u8]) -> Result<Self> {
        let [long, short] = widths(key);
        let mut reader = Reader::new(bytes, RANGE, "range proof")?;
        reader.expect(&key.fingerprint())?;
        let count = reader.u32()? as usize;
        if count.checked_mul(3 * long + 2 * short + 16) != Some(reader.left()) {
            return Err(reader.malformed());
        }
        let bit = |reader: &mut Reader<'_>| {
            let ciphertext = reader.fixed(long)?;
            let commitments = [reader.fixed(long)?, reader.fixed(long)?];
            let split = reader.u128()?;
            let answers = [reader.fixed(short)?, reader.fixed(short)?];
            Ok(ProvenBit { ciphertext, commitments, split, answers })
        };
        let bits = (0..count).map(|_| bit(&mut reader)).collect::<Result<_>>()?;
        reader.end()?;
        Ok(RangeProof { bits })
    }
}
