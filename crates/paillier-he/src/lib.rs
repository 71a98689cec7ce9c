#![doc = include_str!("../README.md")]

pub mod arithmetic;
pub mod ciphertext;
pub mod damgard_jurik;
pub mod error;
pub mod exchange;
pub mod hazmat;
mod kernel;
pub mod key;
pub mod noise;
pub mod number;
pub mod packing;
pub mod policy;
pub mod pool;
mod prime;
pub mod proof;
mod random;
pub mod stage;
pub mod threshold;

pub use ciphertext::{Blinded, Ciphertext, CiphertextVec, Derived, encrypt_batch};
pub use error::{Error, Result};
pub use key::{Encryptor, KeyOptions, KeyPolicy, Mode, PrivateKey, PublicKey, UncheckedPublicKey};
pub use number::{Encoding, Number, Scale, Value};
pub use packing::{Packed, PackedLayout};
pub use pool::BlindingPool;

/// What most programs need, in one import.
pub mod prelude {
    pub use privacy_core::random::{SecureRng, SystemRng};

    pub use crate::{
        BlindingPool, Ciphertext, CiphertextVec, Encoding, Encryptor, KeyOptions, Mode, Number,
        PrivateKey, PublicKey, Scale,
    };
}
