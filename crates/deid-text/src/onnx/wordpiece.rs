//! WordPiece, as BERT and its kin use it, with the bytes that each piece was made of.
//!
//! Normalization, splitting and the greedy match are those of the reference implementation (Devlin et al.,
//! BERT, 2018; the file format is that of Hugging Face's `tokenizers`): control characters are left out, Chinese
//! characters stand alone, accents and case are dropped where the model wants it, punctuation stands alone, and a
//! word is cut into the longest pieces of the vocabulary from the left, or is unknown as a whole.

use std::collections::HashMap;
use std::ops::Range;

use foldhash::fast::FixedState;
use regex::Regex;
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization;

use super::{Piece, Tokenizer};
use crate::error::{Error, Result};

/// Pieces that a vocabulary may have.
const MOST_PIECES: usize = 1 << 21;
/// Bytes that one may have.
const LONGEST_PIECE: usize = 1024;

/// The WordPiece tokenizer of BERT, DistilBERT, ELECTRA and their kin.
///
/// # Example
///
/// ```
/// use deid_text::onnx::{Tokenizer, WordPiece};
///
/// let vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\nMarta\nKowal\n##ska";
/// let tokenizer = WordPiece::from_vocabulary(vocabulary, false)?;
/// let mut pieces = Vec::new();
/// tokenizer.encode("Marta Kowalska", &mut pieces)?;
/// let found: Vec<_> = pieces.iter().map(|p| (p.id, p.range.clone(), p.first)).collect();
/// assert_eq!(found, [(4, 0..5, true), (5, 6..11, true), (6, 11..14, false)]);
/// # Ok::<(), deid_text::Error>(())
/// ```
pub struct WordPiece {
    vocabulary: HashMap<Box<str>, u32, FixedState>,
    /// Characters of the longest piece, without its prefix.
    longest: usize,
    unknown: u32,
    frame: (u32, u32),
    prefix: Box<str>,
    /// Words of more characters are unknown.
    longest_word: usize,
    lower: bool,
    strip_accents: bool,
    clean: bool,
    chinese: bool,
    classes: Classes,
}

/// Classes of characters beyond ASCII.
struct Classes {
    punctuation: Regex,
    mark: Regex,
    other: Regex,
}

impl Classes {
    fn new() -> Result<Self> {
        let class = |expression| {
            Regex::new(expression)
                .map_err(|_| unusable("this build knows no classes of characters"))
        };
        Ok(Classes {
            punctuation: class(r"^\p{P}")?,
            mark: class(r"^\p{Mn}")?,
            other: class(r"^[\p{Cc}\p{Cf}\p{Co}]")?,
        })
    }
}

fn is(class: &Regex, c: char) -> bool {
    class.is_match(c.encode_utf8(&mut [0; 4]))
}

fn unusable(reason: impl Into<String>) -> Error {
    Error::Document { what: "tokenizer", reason: reason.into() }
}

#[derive(Deserialize)]
struct File {
    normalizer: Option<Normalizer>,
    pre_tokenizer: Option<Kind>,
    model: ModelOf,
}

#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Normalizer {
    #[serde(rename = "type")]
    kind: String,
    clean_text: Option<bool>,
    handle_chinese_chars: Option<bool>,
    strip_accents: Option<bool>,
    lowercase: Option<bool>,
}

#[derive(Deserialize)]
struct ModelOf {
    #[serde(rename = "type")]
    kind: Option<String>,
    unk_token: Option<String>,
    continuing_subword_prefix: Option<String>,
    max_input_chars_per_word: Option<usize>,
    vocab: serde_json::Value,
}

impl WordPiece {
    /// From a `vocab.txt`: a piece a line, numbered from 0. With `lower`, case and accents are dropped, as
    /// "uncased" models want it.
    ///
    /// # Errors
    ///
    /// [`Error::Document`] if `[UNK]`, `[CLS]` or `[SEP]` is missing, or the vocabulary is too large.
    pub fn from_vocabulary(lines: &str, lower: bool) -> Result<Self> {
        let lines = lines.strip_suffix('\n').unwrap_or(lines);
        let pieces = lines.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
        WordPiece::new(pieces.zip(0..).map(|(p, i)| (p.to_owned(), i)), "[UNK]", "##", lower)
    }

    /// From a `tokenizer.json`.
    ///
    /// # Errors
    ///
    /// [`Error::Document`] if it cannot be read, is of another scheme than WordPiece with BERT's normalization and
    /// splitting, lacks `[UNK]`, `[CLS]` or `[SEP]`, or is too large.
    pub fn from_json(json: &str) -> Result<Self> {
        let file: File = serde_json::from_str(json).map_err(|e| unusable(e.to_string()))?;
        if file.model.kind.as_deref().is_some_and(|kind| kind != "WordPiece") {
            return Err(unusable("only WordPiece is built in: implement `Tokenizer`"));
        }
        if file.pre_tokenizer.is_none_or(|p| p.kind != "BertPreTokenizer") {
            return Err(unusable("only `BertPreTokenizer` is built in: implement `Tokenizer`"));
        }
        let normalizer = file
            .normalizer
            .filter(|n| n.kind == "BertNormalizer")
            .ok_or_else(|| unusable("only `BertNormalizer` is built in: implement `Tokenizer`"))?;
        let serde_json::Value::Object(vocabulary) = file.model.vocab else {
            return Err(unusable("`vocab` is no map"));
        };
        let mut pieces = Vec::with_capacity(vocabulary.len().min(MOST_PIECES));
        for (piece, id) in vocabulary {
            let id = id.as_u64().and_then(|id| u32::try_from(id).ok());
            pieces.push((piece, id.ok_or_else(|| unusable("a piece has no number"))?));
        }
        let lower = normalizer.lowercase.unwrap_or(true);
        let mut made = WordPiece::new(
            pieces,
            file.model.unk_token.as_deref().unwrap_or("[UNK]"),
            file.model.continuing_subword_prefix.as_deref().unwrap_or("##"),
            lower,
        )?;
        made.strip_accents = normalizer.strip_accents.unwrap_or(lower);
        made.clean = normalizer.clean_text.unwrap_or(true);
        made.chinese = normalizer.handle_chinese_chars.unwrap_or(true);
        made.longest_word = file.model.max_input_chars_per_word.unwrap_or(100).min(1000);
        Ok(made)
    }

    fn new(
        pieces: impl IntoIterator<Item = (String, u32)>,
        unknown: &str,
        prefix: &str,
        lower: bool,
    ) -> Result<Self> {
        let mut vocabulary: HashMap<Box<str>, u32, FixedState> = HashMap::default();
        let mut longest = 0;
        for (piece, id) in pieces {
            if vocabulary.len() >= MOST_PIECES || piece.len() > LONGEST_PIECE {
                return Err(unusable("the vocabulary is too large"));
            }
            longest = longest.max(piece.strip_prefix(prefix).unwrap_or(&piece).chars().count());
            vocabulary.insert(piece.into(), id);
        }
        let of = |piece: &str| {
            let missing = || unusable(format!("the vocabulary lacks `{piece}`"));
            vocabulary.get(piece).copied().ok_or_else(missing)
        };
        Ok(WordPiece {
            unknown: of(unknown)?,
            frame: (of("[CLS]")?, of("[SEP]")?),
            vocabulary,
            longest,
            prefix: prefix.into(),
            longest_word: 100,
            lower,
            strip_accents: lower,
            clean: true,
            chinese: true,
            classes: Classes::new()?,
        })
    }

    /// Whether cleaning leaves a character out.
    fn is_left_out(&self, c: char) -> bool {
        match c {
            '\t' | '\n' | '\r' => false,
            '\0' | '\u{fffd}' => true,
            c if c.is_ascii() => c.is_ascii_control(),
            c => is(&self.classes.other, c),
        }
    }

    fn stands_alone(&self, c: char) -> bool {
        if c.is_ascii() { c.is_ascii_punctuation() } else { is(&self.classes.punctuation, c) }
    }

    /// A character as the model sees it.
    fn normalized(&self, c: char, mut each: impl FnMut(char)) {
        let mut cased = |c: char| {
            if self.lower {
                c.to_lowercase().for_each(&mut each);
            } else {
                each(c);
            }
        };
        if !self.strip_accents || c.is_ascii() {
            return cased(c);
        }
        for d in std::iter::once(c).nfd() {
            if d.is_ascii() || !is(&self.classes.mark, d) {
                cased(d);
            }
        }
    }
}

/// A word while it is read: its letters and the bytes that each came from.
#[derive(Default)]
struct Letters {
    text: String,
    /// Where each letter begins in `text`, and its bytes in the original.
    each: Vec<(usize, Range<usize>)>,
}

impl Letters {
    fn push(&mut self, c: char, from: Range<usize>) {
        self.each.push((self.text.len(), from));
        self.text.push(c);
    }

    /// Lets the last letter reach farther.
    fn extend(&mut self, to: usize) {
        if let Some((_, range)) = self.each.last_mut() {
            range.end = to;
        }
    }

    /// Cuts the word into pieces and forgets it.
    fn flush(&mut self, of: &WordPiece, buffer: &mut String, out: &mut Vec<Piece>) {
        let n = self.each.len();
        let known = out.len();
        let mut at = 0;
        while at < n && n <= of.longest_word {
            let begin = self.each.get(at).map_or(0, |(i, _)| *i);
            let found = (at + 1..=n.min(at + of.longest)).rev().find_map(|to| {
                let end = self.each.get(to).map_or(self.text.len(), |(i, _)| *i);
                let piece = self.text.get(begin..end)?;
                let id = if at == 0 {
                    of.vocabulary.get(piece)
                } else {
                    buffer.clear();
                    buffer.push_str(&of.prefix);
                    buffer.push_str(piece);
                    of.vocabulary.get(buffer.as_str())
                };
                id.map(|id| (to, *id))
            });
            let Some((to, id)) = found else { break };
            out.push(Piece { id, range: self.range(at, to), first: at == 0 });
            at = to;
        }
        if at < n {
            // Part of it is unknown, or it is too long: so is the word.
            out.truncate(known);
            out.push(Piece { id: of.unknown, range: self.range(0, n), first: true });
        }
        self.text.clear();
        self.each.clear();
    }

    /// The original bytes of the letters `from..to`.
    fn range(&self, from: usize, to: usize) -> Range<usize> {
        let start = self.each.get(from).map_or(0, |(_, r)| r.start);
        let end = self.each.get(to.saturating_sub(1)).map_or(start, |(_, r)| r.end);
        start..end
    }
}

impl Tokenizer for WordPiece {
    fn encode(&self, text: &str, out: &mut Vec<Piece>) -> Result<()> {
        let mut word = Letters::default();
        let mut buffer = String::new();
        for (i, c) in text.char_indices() {
            let from = i..i + c.len_utf8();
            if self.clean && self.is_left_out(c) {
                continue;
            }
            let alone = self.chinese && is_chinese(c);
            if alone || c.is_whitespace() {
                word.flush(self, &mut buffer, out);
            }
            let mut seen = false;
            self.normalized(c, |c| {
                seen = true;
                if c.is_whitespace() {
                    word.flush(self, &mut buffer, out);
                } else if self.stands_alone(c) {
                    word.flush(self, &mut buffer, out);
                    word.push(c, from.clone());
                    word.flush(self, &mut buffer, out);
                } else {
                    word.push(c, from.clone());
                }
            });
            if !seen {
                // An accent that is dropped belongs to its letter all the same.
                word.extend(from.end);
            }
            if alone {
                word.flush(self, &mut buffer, out);
            }
        }
        word.flush(self, &mut buffer, out);
        Ok(())
    }

    fn frame(&self) -> (u32, u32) {
        self.frame
    }
}

impl std::fmt::Debug for WordPiece {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WordPiece")
            .field("pieces", &self.vocabulary.len())
            .field("lower", &self.lower)
            .finish_non_exhaustive()
    }
}

/// The blocks of Chinese characters, as the reference implementation lists them.
fn is_chinese(c: char) -> bool {
    matches!(c as u32,
        0x4e00..=0x9fff | 0x3400..=0x4dbf | 0x20000..=0x2a6df | 0x2a700..=0x2b73f | 0x2b740..=0x2b81f
        | 0x2b920..=0x2ceaf | 0xf900..=0xfaff | 0x2f800..=0x2fa1f)
}
