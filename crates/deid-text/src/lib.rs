#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod analyzer;
#[cfg(feature = "arrow")]
pub mod arrow;
mod calendar;
pub mod checksum;
mod context;
mod engine;
pub mod entity;
mod error;
pub mod evaluate;
mod finding;
#[cfg(feature = "train")]
pub mod generate;
pub mod inventory;
#[cfg(feature = "tracing")]
pub mod log;
mod names;
#[cfg(feature = "onnx")]
pub mod onnx;
mod operator;
pub mod perturb;
mod policy;
mod recognizer;
pub mod record;
mod reidentify;
mod resolve;
mod scan;
pub mod sensitivity;
mod span;
pub mod stage;
mod technical;
mod view;
mod work;

pub use analyzer::{Analyzer, AnalyzerBuilder, DEFAULT_THRESHOLD, Stream};
pub use checksum::Verdict;
pub use entity::Entity;
pub use error::{Error, Result};
pub use finding::{ContextWord, Evidence, Finding, Findings};
#[cfg(feature = "train")]
pub use names::train;
pub use names::{Name, NerBackend};
pub use operator::{Characters, Coarse, Keys, Operator, Side, ff1};
pub use policy::{CompiledPolicy, CustomOperator, Item, Policy, Redacted};
pub use recognizer::{DenyList, Recognizer};
pub use reidentify::Reidentifier;
pub use scan::phone::PhoneLeniency;
pub use span::Span;
