//! Models in ONNX form: small ones, written here byte by byte, whose answers are computed a second time.

use std::borrow::Cow;
use std::ops::Range;

use deid_text::onnx::{Aggregation, OnnxBuilder, OnnxTagger, Piece, Tokenizer, WordPiece};
use deid_text::{Analyzer, Entity, Error, Keys, NerBackend, Operator, Policy};
use proptest::prelude::*;

const LABELS: [&str; 5] = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"];
/// Each piece, and the label that the model gives it.
const VOCABULARY: [(&str, usize); 14] = [
    ("[PAD]", 0),
    ("[UNK]", 0),
    ("[CLS]", 0),
    ("[SEP]", 0),
    ("Marta", 1),
    ("Kowal", 2),
    ("##ska", 0),
    ("Leeds", 3),
    ("lives", 0),
    ("in", 0),
    (".", 0),
    ("José", 1),
    ("Moreno", 2),
    ("who", 0),
];
const L: usize = LABELS.len();

/// A message of Protocol Buffers.
#[derive(Clone, Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut n: u64) {
        while n >= 128 {
            self.0.push(n as u8 | 128);
            n >>= 7;
        }
        self.0.push(n as u8);
    }

    fn int(mut self, field: u64, n: u64) -> Self {
        self.varint(field << 3);
        self.varint(n);
        self
    }

    fn bytes(mut self, field: u64, bytes: &[u8]) -> Self {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
        self
    }

    fn text(self, field: u64, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }

    fn with(self, field: u64, inner: Message) -> Self {
        self.bytes(field, &inner.0)
    }
}

const FLOAT: u64 = 1;
const INT64: u64 = 7;

fn tensor(name: &str, dims: &[usize], kind: u64, raw: Vec<u8>) -> Message {
    let m = dims.iter().fold(Message::default(), |m, d| m.int(1, *d as u64));
    m.int(2, kind).text(8, name).bytes(9, &raw)
}

fn floats(name: &str, dims: &[usize], values: &[f32]) -> Message {
    tensor(name, dims, FLOAT, values.iter().flat_map(|v| v.to_le_bytes()).collect())
}

fn value(name: &str, kind: u64, dims: &[&str]) -> Message {
    let shape = dims.iter().fold(Message::default(), |m, dim| {
        m.with(
            1,
            match dim.parse() {
                Ok(n) => Message::default().int(1, n),
                Err(_) => Message::default().text(2, dim),
            },
        )
    });
    let tensor = Message::default().int(1, kind).with(2, shape);
    Message::default().text(1, name).with(2, Message::default().with(1, tensor))
}

fn node(kind: &str, inputs: &[&str], output: &str, attributes: Vec<Message>) -> Message {
    let m = inputs.iter().fold(Message::default(), |m, i| m.text(1, i));
    // Nodes and values share their names' space.
    let m = m.text(2, output).text(3, &format!("{output} node")).text(4, kind);
    attributes.into_iter().fold(m, |m, a| m.with(5, a))
}

fn int_attribute(name: &str, n: u64) -> Message {
    Message::default().text(1, name).int(3, n).int(20, 2)
}

/// What the model is made of; a token's logits are `(e + mean of e over the window) · W + b`, e its row.
struct Made {
    rows: Vec<f32>,
    weights: Vec<f32>,
    bias: Vec<f32>,
}

impl Made {
    fn new() -> Self {
        // Some noise, so that no two pieces are the same.
        let noise = |i: usize| ((i * 2_654_435_761) % 1000) as f32 / 2500.0;
        let rows = (0..VOCABULARY.len() * L)
            .map(|i| noise(i) + if VOCABULARY[i / L].1 == i % L { 5.0 } else { 0.0 })
            .collect();
        let weights = (0..L * L)
            .map(|i| noise(i + 77) / 4.0 + if i / L == i % L { 1.0 } else { 0.0 })
            .collect();
        Made { rows, weights, bias: (0..L).map(|i| noise(i + 991)).collect() }
    }

    fn model(&self, mask: &str) -> Vec<u8> {
        let axis = |n: u64| Message::default().text(1, "axes").int(8, n).int(20, 7);
        let nodes = [
            node("Gather", &["E", "input_ids"], "e", vec![]),
            node("Cast", &[mask], "m", vec![int_attribute("to", FLOAT)]),
            node("Unsqueeze", &["m", "two"], "mm", vec![]),
            node("Mul", &["e", "mm"], "em", vec![]),
            node("ReduceMean", &["em"], "mean", vec![axis(1), int_attribute("keepdims", 1)]),
            node("Add", &["em", "mean"], "h", vec![]),
            node("MatMul", &["h", "W"], "hw", vec![]),
            node("Add", &["hw", "b"], "logits", vec![]),
        ];
        let graph = nodes.into_iter().fold(Message::default(), |g, n| g.with(1, n));
        let graph = graph
            .text(2, "small")
            .with(5, floats("E", &[VOCABULARY.len(), L], &self.rows))
            .with(5, floats("W", &[L, L], &self.weights))
            .with(5, floats("b", &[L], &self.bias))
            .with(5, tensor("two", &[1], INT64, 2i64.to_le_bytes().to_vec()))
            .with(11, value("input_ids", INT64, &["batch", "length"]))
            .with(11, value(mask, INT64, &["batch", "length"]))
            .with(12, value("logits", FLOAT, &["batch", "length", &L.to_string()]));
        let opset = Message::default().text(1, "").int(2, 13);
        Message::default().int(1, 8).with(7, graph).with(8, opset).0
    }

    /// Probabilities of the labels for each token, in double precision.
    fn probabilities(&self, tokens: &[usize]) -> Vec<Vec<f64>> {
        let row =
            |t: usize| self.rows[t * L..][..L].iter().map(|x| f64::from(*x)).collect::<Vec<_>>();
        let mean: Vec<f64> = (0..L)
            .map(|d| tokens.iter().map(|t| row(*t)[d]).sum::<f64>() / tokens.len() as f64)
            .collect();
        tokens
            .iter()
            .map(|t| {
                let h: Vec<f64> = row(*t).iter().zip(&mean).map(|(a, b)| a + b).collect();
                let logits = (0..L).map(|l| {
                    let dot: f64 = (0..L).map(|d| h[d] * f64::from(self.weights[d * L + l])).sum();
                    (dot + f64::from(self.bias[l])).exp()
                });
                let powers: Vec<f64> = logits.collect();
                let total: f64 = powers.iter().sum();
                powers.iter().map(|p| p / total).collect()
            })
            .collect()
    }
}

fn tokenizer() -> WordPiece {
    let lines: Vec<&str> = VOCABULARY.iter().map(|(piece, _)| *piece).collect();
    WordPiece::from_vocabulary(&lines.join("\n"), false).unwrap()
}

fn builder() -> OnnxBuilder {
    OnnxTagger::builder(Made::new().model("attention_mask"))
        .tokenizer(tokenizer())
        .labels(LABELS)
        .threads(1)
}

fn found(analyzer: &Analyzer, text: &str) -> Vec<(String, Range<usize>)> {
    let findings = analyzer.scan(text).unwrap();
    findings.iter().map(|f| (f.entity.to_string(), f.span.range())).collect()
}

#[test]
fn names_have_exact_spans_and_the_probabilities_of_their_kind() {
    let text = "é Marta Kowalska lives in Leeds.";
    let tagger = builder().build().unwrap();
    let names = tagger.tag(text).unwrap();
    let at: Vec<_> = names.iter().map(|n| (n.entity.name(), &text[n.range.clone()])).collect();
    assert_eq!(at, [("PERSON", "Marta Kowalska"), ("LOCATION", "Leeds")]);
    // [CLS] [UNK] Marta Kowal ##ska lives in Leeds . [SEP]
    let all = Made::new().probabilities(&[2, 1, 4, 5, 6, 8, 9, 7, 10, 3]);
    let person = (all[2][1] + all[2][2] + all[3][1] + all[3][2]) / 2.0;
    let place = all[7][3] + all[7][4];
    assert!((f64::from(names[0].score) - person).abs() < 1e-5, "{} {person}", names[0].score);
    assert!((f64::from(names[1].score) - place).abs() < 1e-5, "{} {place}", names[1].score);
    // With the mean of all pieces, "##ska" has a say.
    let average = builder().aggregation(Aggregation::Average).build().unwrap();
    let second = (all[3][1] + all[3][2] + all[4][1] + all[4][2]) / 2.0;
    let label = |l: usize| (all[3][l] + all[4][l]) / 2.0;
    let names = average.tag(text).unwrap();
    if (0..L).all(|l| l == 2 || label(l) < label(2)) {
        let person = (all[2][1] + all[2][2] + second) / 2.0;
        assert!((f64::from(names[0].score) - person).abs() < 1e-5);
    } else {
        assert_eq!(&text[names[0].range.clone()], "Marta");
    }
}

#[test]
fn a_model_takes_the_place_of_the_built_in_tagger() {
    let analyzer = Analyzer::builder().names(builder().build().unwrap()).build().unwrap();
    let text = "José Moreno lives in Leeds. Mail: ana@example.org";
    let expected = [
        ("PERSON".to_owned(), 0..12),
        ("LOCATION".to_owned(), 22..27),
        ("EMAIL_ADDRESS".to_owned(), 35..50),
    ];
    assert_eq!(found(&analyzer, text), expected);
    let policy = Policy::new().otherwise(Operator::Tag).compile(&analyzer, &Keys::new()).unwrap();
    let safe = policy.apply(text, &analyzer.scan(text).unwrap()).unwrap();
    assert_eq!(safe.text, "<PERSON> lives in <LOCATION>. Mail: <EMAIL_ADDRESS>");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever the window: the same names at the same places, across any edge.
    #[test]
    fn windows_change_no_span(parts in prop::collection::vec(0usize..4, 1..120), window in 10usize..40, share in 0usize..3) {
        let tagger = builder().window(window).overlap((window - 2) * share / 8).build().unwrap();
        let (mut text, mut expected) = (String::new(), Vec::new());
        for part in parts {
            let start = text.len();
            match part {
                0 => text.push_str("Marta Kowalska"),
                1 => text.push_str("Leeds"),
                2 => text.push_str("José Moreno"),
                _ => {}
            }
            if part < 3 {
                expected.push((if part == 1 { "LOCATION" } else { "PERSON" }, start..text.len()));
            }
            text.push_str(" who lives\nin ");
        }
        let names = tagger.tag(&text).unwrap();
        let names: Vec<_> = names.iter().map(|n| (n.entity.name(), n.range.clone())).collect();
        prop_assert_eq!(names, expected);
    }

    /// Pieces are in order and made of the text.
    #[test]
    fn any_text_is_cut_into_pieces(text in "\\PC{0,60}", lower in any::<bool>()) {
        let lines: Vec<&str> = VOCABULARY.iter().map(|(piece, _)| *piece).collect();
        let tokenizer = WordPiece::from_vocabulary(&lines.join("\r\n"), lower).unwrap();
        let mut pieces = Vec::new();
        tokenizer.encode(&text, &mut pieces).unwrap();
        let mut at = 0;
        for piece in &pieces {
            prop_assert!(piece.range.start >= at && text.get(piece.range.clone()).is_some_and(|t| !t.is_empty()));
            at = piece.range.start;
        }
        builder().build().unwrap().tag(&text).unwrap();
    }
}

#[test]
fn pieces_are_those_of_the_reference() {
    #[derive(serde::Deserialize)]
    struct Way {
        tokenizer: serde_json::Value,
        cases: Vec<Case>,
    }
    #[derive(serde::Deserialize)]
    struct Case {
        text: String,
        pieces: Vec<(u32, usize, usize, usize)>,
    }
    let marks = regex::Regex::new(r"^\p{Mn}*$").unwrap();
    let ways: Vec<Way> = serde_json::from_str(include_str!("../data/wordpiece.json")).unwrap();
    for way in ways {
        let tokenizer = WordPiece::from_json(&way.tokenizer.to_string()).unwrap();
        for case in way.cases {
            let mut pieces = Vec::new();
            tokenizer.encode(&case.text, &mut pieces).unwrap();
            let ids: Vec<u32> = pieces.iter().map(|p| p.id).collect();
            let expected: Vec<u32> = case.pieces.iter().map(|p| p.0).collect();
            assert_eq!(ids, expected, "{:?} {:?}", case.text, way.tokenizer["normalizer"]);
            let mut word = 0;
            for (i, (piece, (_, start, end, of))) in pieces.iter().zip(case.pieces).enumerate() {
                word += usize::from(piece.first && i > 0);
                assert_eq!((piece.range.start, word), (start, of), "{:?} {i}", case.text);
                // An accent that was dropped is left out there, and covered here.
                let more = &case.text[end.min(piece.range.end)..piece.range.end];
                assert!(marks.is_match(more), "{:?} {more:?}", case.text);
            }
        }
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let refused = |builder: OnnxBuilder| match builder.build() {
        Err(Error::Model { reason }) => reason.into_owned(),
        other => panic!("{other:?}"),
    };
    let bytes = Made::new().model("attention_mask");
    let with = |model: Vec<u8>| OnnxTagger::builder(model).tokenizer(tokenizer()).labels(LABELS);
    for n in [0, 1, 10, bytes.len() / 3, bytes.len() / 2] {
        refused(with(bytes[..n].to_vec()));
    }
    assert!(refused(with(Made::new().model("pixels"))).contains("pixels"));
    let few = OnnxTagger::builder(bytes.clone()).tokenizer(tokenizer()).labels(["O", "B-PER"]);
    assert!(refused(few).contains("5 labels"));
    let parameter = |b: OnnxBuilder| matches!(b.build(), Err(Error::Parameter { .. }));
    assert!(parameter(OnnxTagger::builder(bytes.clone()).labels(LABELS)));
    assert!(parameter(OnnxTagger::builder(bytes.clone()).tokenizer(tokenizer())));
    assert!(
        parameter(with(bytes.clone()).window(4)) && parameter(with(bytes.clone()).window(1 << 20))
    );
    assert!(parameter(with(bytes.clone()).window(64).overlap(40)));
    let unknown = with(bytes).labels(["O", "B-PER", "I-PER", "B-GENE", "I-GENE"]).build();
    assert!(matches!(unknown, Err(Error::UnknownEntity { name }) if name == "GENE"));
}

#[test]
fn documents_that_cannot_be_used_are_refused() {
    let bad = |json: &str| matches!(WordPiece::from_json(json), Err(Error::Document { .. }));
    assert!(bad("") && bad("{}") && bad("[]"));
    let whole = |kind: &str, split: &str, normalizer: &str, vocabulary: &str| {
        format!(
            r#"{{"normalizer":{{"type":"{normalizer}"}},"pre_tokenizer":{{"type":"{split}"}},
                "model":{{"type":"{kind}","vocab":{vocabulary}}}}}"#
        )
    };
    let vocabulary = r#"{"[UNK]":0,"[CLS]":1,"[SEP]":2}"#;
    let (split, normalizer) = ("BertPreTokenizer", "BertNormalizer");
    assert!(!bad(&whole("WordPiece", split, normalizer, vocabulary)));
    assert!(bad(&whole("BPE", split, normalizer, vocabulary)));
    assert!(bad(&whole("WordPiece", "ByteLevel", normalizer, vocabulary)));
    assert!(bad(&whole("WordPiece", split, "NFKC", vocabulary)));
    assert!(bad(&whole("WordPiece", split, normalizer, r#"{"[UNK]":0,"[CLS]":1}"#)));
    assert!(bad(&whole("WordPiece", split, normalizer, r#"{"[UNK]":0,"[CLS]":1,"[SEP]":-2}"#)));
    assert!(bad(&whole(
        "WordPiece",
        split,
        normalizer,
        r#"{"[UNK]":0,"[CLS]":1,"[SEP]":99999999999}"#
    )));
    assert!(WordPiece::from_vocabulary("[UNK]\n[CLS]\nMarta", false).is_err());
    let config = |json: &str| builder().config(json);
    let labels = r#"{"id2label":{"0":"O","1":"B-PER","2":"I-PER","3":"B-LOC","10":"I-LOC"}}"#;
    assert!(config(labels).is_err() && config("{}").is_err());
    assert!(config(&labels.replace("10", "4")).unwrap().build().is_ok());
}

#[test]
fn what_fails_on_a_text_lets_nothing_pass() {
    let fails = |tagger: OnnxTagger| {
        let analyzer = Analyzer::builder().names(tagger).build().unwrap();
        matches!(analyzer.scan("Marta lives in Leeds, ana@example.org"), Err(Error::Backend { .. }))
    };
    // A row that is no number is met by a text only.
    let mut made = Made::new();
    made.rows[4 * L] = f32::NAN;
    let nan =
        OnnxTagger::builder(made.model("attention_mask")).tokenizer(tokenizer()).labels(LABELS);
    assert!(fails(nan.build().unwrap()));

    /// Pieces that no text has, numbers that no model has.
    struct Wrong(Piece);
    impl Tokenizer for Wrong {
        fn encode(&self, _: &str, out: &mut Vec<Piece>) -> Result<(), Error> {
            out.push(self.0.clone());
            Ok(())
        }
        fn frame(&self) -> (u32, u32) {
            (2, 3)
        }
    }
    for (id, range) in [(4, 0..1000), (14, 0..5), (u32::MAX, 0..5), (4, 3..3)] {
        let wrong = Wrong(Piece { id, range, first: true });
        assert!(fails(builder().tokenizer(wrong).build().unwrap()), "{id}");
    }
}

/// Says what it is told to.
struct Says(&'static str, bool);

impl NerBackend for Says {
    fn name(&self) -> Cow<'static, str> {
        "says".into()
    }
    fn entities(&self) -> Vec<Entity> {
        if self.1 { vec![Entity::from(self.0)] } else { Vec::new() }
    }
    fn tag(&self, _: &str) -> Result<Vec<deid_text::Name>, Error> {
        Ok(vec![deid_text::Name { entity: self.0.into(), range: 0..3, score: 0.9 }])
    }
}

#[test]
fn a_backend_may_have_entities_of_its_own_if_it_says_so() {
    let scan = |entity, says| {
        let analyzer = Analyzer::builder().names(Says(entity, says)).build().unwrap();
        analyzer.scan("xyz").map(|f| f[0].entity.to_string())
    };
    assert_eq!(scan("PERSON", false).unwrap(), "PERSON");
    assert_eq!(scan("PET", true).unwrap(), "PET");
    assert!(matches!(scan("PET", false), Err(Error::Backend { .. })));
}
