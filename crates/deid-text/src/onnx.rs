//! Names by a token-classification model of your own in ONNX form, such as a fine-tuned BERT.
//!
//! ```text
//! text → words and their pieces → windows that overlap → logits → labels of words → names
//! ```
//!
//! Nothing is downloaded: model, vocabulary and labels are bytes that you give, usually the files
//! `model.onnx`, `tokenizer.json` (or `vocab.txt`) and `config.json` of an exported model; see
//! [`OnnxTagger::load`]. The model runs on the processor, in pure Rust (`rten`).
//!
//! - **Tokens.** [`WordPiece`] is built in: BERT, DistilBERT, ELECTRA and their kin. For other schemes implement
//!   [`Tokenizer`]. Each piece knows the bytes it was made of, so that spans are exact whatever
//!   normalization does.
//! - **Length.** A text that is longer than the model's window is read in windows that overlap; where two
//!   overlap, each word is taken from the one in which it stands farther from the edge.
//! - **Labels** may be BIO (IOB1, IOB2), BILOU or BIOES, or bare kinds. Common kinds are mapped to the crate's
//!   entities; a kind that is not known is an error until [`OnnxBuilder::label`] says what it is.
//! - **Score.** A word's probability for a kind is the softmax of its logits, summed over the labels of that kind
//!   (B and I); a name's score is the mean of its words.
//!
//! # Security
//!
//! A model is a program: load none that you don't trust. A model that does not fit is refused when it is
//! built; one that fails on a text, or gives what is no number, makes the scan fail, and nothing passes.

mod labels;
mod windows;
mod wordpiece;

use std::borrow::Cow;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

use rten::{Model, NodeId, RunOptions, Value};

use crate::entity::Entity;
use crate::error::{Error, Result};
use crate::names::{Name, NerBackend};
use labels::{Labels, Verdict};
use windows::{Word, windows};
pub use wordpiece::WordPiece;

/// What models are read up to, in bytes: what a protobuf can hold.
const MODEL_LIMIT: u64 = 1 << 31;
/// The same for vocabularies and configurations.
const DOCUMENT_LIMIT: u64 = 1 << 26;
/// The largest window, in tokens.
const LARGEST_WINDOW: usize = 1 << 16;

/// A piece of a word, as a model's vocabulary knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Its number in the vocabulary.
    pub id: u32,
    /// The bytes of the text that it was made of.
    pub range: Range<usize>,
    /// Whether a word begins with it.
    pub first: bool,
}

/// Cuts text into the pieces that a model knows.
///
/// [`WordPiece`] is built in; implement this for another scheme.
pub trait Tokenizer: Send + Sync {
    /// Appends the pieces of a text, in order; not those that frame it.
    ///
    /// # Errors
    ///
    /// Any; the scan fails with it.
    fn encode(&self, text: &str, out: &mut Vec<Piece>) -> Result<()>;

    /// The tokens before and after a window, such as `[CLS]` and `[SEP]`.
    fn frame(&self) -> (u32, u32);
}

/// Which of a word's pieces decide on its label.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Aggregation {
    /// The first: as most models are trained.
    #[default]
    First,
    /// All, by the mean of their probabilities: for models that were trained on every piece.
    Average,
}

/// Puts a model, its tokenizer and its labels together.
#[must_use = "a builder does nothing until `build`"]
pub struct OnnxBuilder {
    model: Vec<u8>,
    tokenizer: Option<Box<dyn Tokenizer>>,
    labels: Vec<String>,
    mapped: Vec<(String, Option<Entity>)>,
    window: usize,
    overlap: Option<usize>,
    aggregation: Aggregation,
    threads: Option<usize>,
}

impl std::fmt::Debug for OnnxBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OnnxBuilder")
            .field("labels", &self.labels)
            .field("window", &self.window)
            .finish_non_exhaustive()
    }
}

impl OnnxBuilder {
    /// The tokenizer. Needed.
    pub fn tokenizer(mut self, tokenizer: impl Tokenizer + 'static) -> Self {
        self.tokenizer = Some(Box::new(tokenizer));
        self
    }

    /// The labels in the order of the model's output, such as `O`, `B-PER`, `I-PER`. Needed, unless
    /// [`OnnxBuilder::config`] has them.
    pub fn labels<S: Into<String>>(mut self, labels: impl IntoIterator<Item = S>) -> Self {
        self.labels = labels.into_iter().map(Into::into).collect();
        self
    }

    /// Labels (`id2label`) and the longest window (`max_position_embeddings`) of a `config.json`.
    ///
    /// # Errors
    ///
    /// [`Error::Document`] if it cannot be read or labels are missing in it.
    pub fn config(mut self, json: &str) -> Result<Self> {
        let (labels, window) = labels::config(json)?;
        self.labels = labels;
        if let Some(window) = window {
            self.window = self.window.min(window);
        }
        Ok(self)
    }

    /// What a kind of the labels (without `B-` and the like) is reported as; `None` for what is no personal data.
    pub fn label(mut self, kind: impl Into<String>, entity: Option<Entity>) -> Self {
        self.mapped.push((kind.into(), entity));
        self
    }

    /// The most tokens that the model reads at once, with those that frame them; 512 unless set.
    pub fn window(mut self, tokens: usize) -> Self {
        self.window = tokens;
        self
    }

    /// How many tokens of a window are read again by the next one; an eighth of the window unless set.
    pub fn overlap(mut self, tokens: usize) -> Self {
        self.overlap = Some(tokens);
        self
    }

    /// Which pieces decide on a word's label.
    pub fn aggregation(mut self, aggregation: Aggregation) -> Self {
        self.aggregation = aggregation;
        self
    }

    /// How many threads a scan may use; all processor cores unless set.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads.max(1));
        self
    }

    /// Loads the model and tries it once.
    ///
    /// # Errors
    ///
    /// [`Error::Model`] if the model cannot be loaded, wants an input that is not known, or gives another number of
    /// labels; [`Error::Parameter`] if the tokenizer or the labels are missing, or the window is too small or too
    /// large; [`Error::UnknownEntity`] for a kind of label that is not known.
    pub fn build(self) -> Result<OnnxTagger> {
        let parameter = |parameter, requirement| Error::Parameter { parameter, requirement };
        let tokenizer =
            self.tokenizer.ok_or_else(|| parameter("the tokenizer", "given before `build`"))?;
        if self.labels.is_empty() {
            return Err(parameter("the labels", "given before `build`"));
        }
        if !(8..=LARGEST_WINDOW).contains(&self.window) {
            return Err(parameter("the window", "within 8 to 65536 tokens"));
        }
        let room = self.window - 2;
        let overlap = self.overlap.unwrap_or(self.window / 8);
        if 2 * overlap > room {
            return Err(parameter("the overlap", "at most half of the window"));
        }
        let labels = Labels::new(&self.labels, &self.mapped)?;
        let model =
            Model::load(self.model).map_err(|e| Error::Model { reason: e.to_string().into() })?;
        let mut inputs = Vec::new();
        for id in model.input_ids() {
            let name = model.node_info(*id).and_then(|n| n.name().map(str::to_owned));
            let name = name.unwrap_or_default();
            inputs.push((*id, Input::named(&name)?));
        }
        if !inputs.iter().any(|(_, input)| *input == Input::Tokens) {
            return Err(Error::Model { reason: "it has no input `input_ids`".into() });
        }
        let output = model
            .output_ids()
            .iter()
            .find(|id| model.node_info(**id).is_some_and(|n| n.name() == Some("logits")))
            .or(model.output_ids().first())
            .copied()
            .ok_or_else(|| Error::Model { reason: "it has no output".into() })?;
        let options = self.threads.map(|n| {
            let pool = std::sync::Arc::new(rten::ThreadPool::with_num_threads(n));
            RunOptions::default().with_thread_pool(Some(pool))
        });
        let tagger = OnnxTagger {
            model,
            inputs,
            output,
            tokenizer,
            labels,
            room,
            overlap,
            aggregation: self.aggregation,
            options,
        };
        let (before, after) = tagger.tokenizer.frame();
        tagger.logits(&[before, after]).map_err(|reason| Error::Model { reason })?;
        Ok(tagger)
    }
}

/// What a model's input holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Input {
    Tokens,
    Mask,
    Segments,
    Positions,
}

impl Input {
    fn named(name: &str) -> Result<Self> {
        Ok(match name {
            "input_ids" => Input::Tokens,
            "attention_mask" | "input_mask" => Input::Mask,
            "token_type_ids" | "segment_ids" => Input::Segments,
            "position_ids" => Input::Positions,
            other => {
                let reason = format!("its input `{other}` is not known").into();
                return Err(Error::Model { reason });
            }
        })
    }
}

/// Finds names by a model in ONNX form; a [`NerBackend`] for [`crate::AnalyzerBuilder::names`].
///
/// # Example
///
/// ```no_run
/// use deid_text::Analyzer;
/// use deid_text::onnx::OnnxTagger;
///
/// // A folder with `model.onnx`, `tokenizer.json` and `config.json`.
/// let tagger = OnnxTagger::load("models/bert-ner")?.build()?;
/// let analyzer = Analyzer::builder().names(tagger).build()?;
/// let findings = analyzer.scan("Marta Kowalska moved to Leeds.")?;
/// # Ok::<(), deid_text::Error>(())
/// ```
pub struct OnnxTagger {
    model: Model,
    inputs: Vec<(NodeId, Input)>,
    output: NodeId,
    tokenizer: Box<dyn Tokenizer>,
    labels: Labels,
    /// Tokens of a window, without those that frame it.
    room: usize,
    overlap: usize,
    aggregation: Aggregation,
    options: Option<RunOptions>,
}

impl std::fmt::Debug for OnnxTagger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OnnxTagger").field("labels", &self.labels.len()).finish_non_exhaustive()
    }
}

impl OnnxTagger {
    /// Starts with the bytes of a model.
    pub fn builder(model: Vec<u8>) -> OnnxBuilder {
        OnnxBuilder {
            model,
            tokenizer: None,
            labels: Vec::new(),
            mapped: Vec::new(),
            window: 512,
            overlap: None,
            aggregation: Aggregation::default(),
            threads: None,
        }
    }

    /// Starts with a folder that holds `model.onnx` (also in a folder `onnx`), `config.json` and `tokenizer.json`,
    /// as tools that export models write them.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if a file is missing; [`Error::Document`] if one cannot be used, such as a tokenizer that is
    /// not WordPiece; [`Error::Parameter`] if one is larger than 2 GiB (models) or 64 MiB.
    pub fn load(folder: impl AsRef<Path>) -> Result<OnnxBuilder> {
        let folder = folder.as_ref();
        let document = |name: &str| -> Result<String> {
            let bytes = read(&folder.join(name), DOCUMENT_LIMIT)?;
            String::from_utf8(bytes).map_err(|_| Error::Document {
                what: "model's folder",
                reason: format!("`{name}` is not UTF-8"),
            })
        };
        let tokenizer = WordPiece::from_json(&document("tokenizer.json")?)?;
        let config = document("config.json")?;
        let inner = folder.join("onnx").join("model.onnx");
        let file = if inner.exists() { inner } else { folder.join("model.onnx") };
        OnnxTagger::builder(read(&file, MODEL_LIMIT)?).tokenizer(tokenizer).config(&config)
    }

    /// Logits for each token, a row each; why there are none otherwise.
    fn logits(&self, tokens: &[u32]) -> Result<Vec<f32>, Cow<'static, str>> {
        let shape = [1, tokens.len()];
        let mut inputs = Vec::with_capacity(self.inputs.len());
        for (id, input) in &self.inputs {
            let data: Option<Vec<i32>> = match input {
                Input::Tokens => tokens.iter().map(|t| i32::try_from(*t).ok()).collect(),
                Input::Mask => Some(vec![1; tokens.len()]),
                Input::Segments => Some(vec![0; tokens.len()]),
                Input::Positions => (0..tokens.len()).map(|i| i32::try_from(i).ok()).collect(),
            };
            let data = data.ok_or("a token has too large a number")?;
            let value = Value::from_shape(shape, data).map_err(|_| "an input has no shape")?;
            inputs.push((*id, value.into()));
        }
        let mut values = self
            .model
            .run(inputs, &[self.output], self.options.clone())
            .map_err(|e| e.to_string())?;
        let value = values.pop().ok_or("it gives no output")?;
        let (shape, logits) = value
            .into_shape_vec::<f32, 3>()
            .map_err(|_| "its output is not of floating-point numbers by token and label")?;
        if shape != [1, tokens.len(), self.labels.len()] {
            let (rows, columns) = (shape[1], shape[2]);
            let (tokens, labels) = (tokens.len(), self.labels.len());
            return Err(format!(
                "it gives {columns} labels for {rows} tokens where {labels} for {tokens} are expected"
            )
            .into());
        }
        if logits.iter().any(|x| !x.is_finite()) {
            return Err("it gives what is no number".into());
        }
        Ok(logits)
    }

    /// What the model says of each word.
    fn verdicts(&self, pieces: &[Piece], words: &[Word]) -> Result<Vec<Verdict>, ()> {
        let (before, after) = self.tokenizer.frame();
        let labels = self.labels.len();
        let mut verdicts = Vec::with_capacity(words.len());
        let mut tokens = Vec::with_capacity(self.room + 2);
        for window in windows(words, self.room, self.overlap) {
            tokens.clear();
            tokens.push(before);
            tokens.extend(pieces.get(window.pieces.clone()).ok_or(())?.iter().map(|p| p.id));
            tokens.push(after);
            let logits = self.logits(&tokens).map_err(drop)?;
            for word in words.get(window.words.clone()).ok_or(())? {
                let from = word.pieces.start - window.pieces.start;
                // What of a very long word did not fit has no say.
                let to =
                    (word.pieces.end.min(window.pieces.end) - window.pieces.start).max(from + 1);
                let to = if self.aggregation == Aggregation::First { from + 1 } else { to };
                // The first row is that of the token before the window.
                let rows = logits.get((from + 1) * labels..(to + 1) * labels).ok_or(())?;
                verdicts.push(self.labels.judge(rows));
            }
        }
        Ok(verdicts)
    }
}

fn read(file: &Path, limit: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(file)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(Error::Parameter {
            parameter: "a file of the model's folder",
            requirement: "at most 2 GiB (the model) or 64 MiB (the others)",
        });
    }
    Ok(bytes)
}

impl NerBackend for OnnxTagger {
    fn name(&self) -> Cow<'static, str> {
        "ONNX model".into()
    }

    fn entities(&self) -> Vec<Entity> {
        self.labels.entities()
    }

    fn tag(&self, text: &str) -> Result<Vec<Name>> {
        let mut pieces = Vec::new();
        self.tokenizer.encode(text, &mut pieces)?;
        let failed = || Error::Backend { backend: self.name() };
        let words = windows::words(&pieces, text.len()).ok_or_else(failed)?;
        let verdicts = self.verdicts(&pieces, &words).map_err(|()| failed())?;
        if verdicts.len() != words.len() {
            return Err(failed());
        }
        let spans = words.iter().map(|w| w.span.clone());
        Ok(self.labels.names(spans.zip(verdicts)))
    }
}
