//! Policies as strangers write them, and the way back.

use deid_text::evaluate::{Calibration, Sample};
use deid_text::{Analyzer, Error, Keys, Operator, Policy, Recognizer, Reidentifier, Side};
use proptest::prelude::*;

fn analyzer() -> Analyzer {
    Analyzer::builder().without_names().build().unwrap()
}

fn keys() -> Keys {
    Keys::new().with("k", &std::array::from_fn::<u8, 32, _>(|i| i as u8 ^ 0x5a)).unwrap()
}

#[test]
fn mistakes_in_documents_are_told() {
    for (text, says) in [
        ("default: { type: tagg }", "tagg"),
        ("defaults: { type: tag }", "defaults"),
        ("entities: { EMAIL_ADDRESS: { type: token } }", "key"),
        ("entities: { EMAIL_ADDRESS: { type: mask, keeps: 4 } }", "keeps"),
        ("entities: { EMAIL_ADDRESS: { type: mask, keep: many } }", "usize"),
        ("entities: [EMAIL_ADDRESS]", "map"),
        ("entities: { EMAIL: { type: tag }, EMAIL_ADDRESS: { type: redact } }", "EMAIL_ADDRESS"),
        ("entities: { EMAIL_ADDRESS: tag", ""),
        ("default: { type: replace }", "with"),
        ("default: { type: bucket, size: -1 }", ""),
    ] {
        match Policy::from_yaml(text) {
            Err(e) => assert!(e.to_string().contains(says), "{text}: {e}"),
            Ok(_) => panic!("{text} was accepted"),
        }
    }
    assert!(Policy::from_json("{\"default\": {\"type\": \"tag\"}} x").is_err());
    assert!(Policy::from_toml("[default]\ntype = 3").is_err());
}

#[test]
fn the_three_forms_say_the_same() {
    let yaml =
        Policy::from_yaml("default: { type: redact }\nentities: { ssn: { type: mask, keep: 4 } }");
    let json = Policy::from_json(
        r#"{"default": {"type": "redact"}, "entities": {"US_SSN": {"type": "mask", "keep": 4}}}"#,
    )
    .unwrap();
    let toml = Policy::from_toml(
        "[default]\ntype = \"redact\"\n[entities.US_SSN]\ntype = \"mask\"\nkeep = 4",
    );
    assert_eq!(yaml.unwrap(), json);
    assert_eq!(toml.unwrap(), json);
}

#[test]
fn mistakes_are_found_before_any_text_is_read() {
    let analyzer = analyzer();
    let refused = |p: Policy| p.compile(&analyzer, &keys()).unwrap_err();
    let key = || "k".to_owned();
    assert!(matches!(
        refused(Policy::new().with("EMIAL", Operator::Redact)),
        Error::UnknownEntity { .. }
    ));
    // Names are not looked for by this analyzer.
    assert!(Analyzer::builder().without(["URL"]).build().is_ok_and(|a| {
        Policy::new().with("URL", Operator::Redact).compile(&a, &keys()).is_err()
    }));
    let other = Operator::Token { key: "other".into() };
    assert!(matches!(refused(Policy::new().otherwise(other)), Error::MissingKey { .. }));
    let short = Operator::Hash { key: key(), bits: 40 };
    assert!(matches!(refused(Policy::new().otherwise(short)), Error::Parameter { .. }));
    let dates = Operator::DateShift { key: key(), max_days: 30 };
    assert!(matches!(refused(Policy::new().with("URL", dates)), Error::Contradiction { .. }));
    let card = Operator::Fpe { key: key(), card: true };
    assert!(matches!(refused(Policy::new().with("URL", card)), Error::Contradiction { .. }));
    let custom = Operator::Custom { name: "mine".into() };
    assert!(matches!(refused(Policy::new().otherwise(custom)), Error::Contradiction { .. }));
    assert!(Keys::new().with("short", &[1; 16]).is_err());
    assert!(Keys::new().with("same", &[9; 32]).is_err());
}

#[test]
fn presidio_operators() {
    let policy = Policy::from_presidio(
        r##"{"anonymizers": {"DEFAULT": {"type": "replace", "new_value": "[gone]"},
            "PHONE_NUMBER": {"type": "mask", "masking_char": "#", "chars_to_mask": 4, "from_end": true},
            "EMAIL_ADDRESS": {"type": "hash", "hash_type": "sha256"}, "URL": {"type": "replace"}}}"##,
        "k",
    )
    .unwrap();
    assert_eq!(policy.default, Operator::Replace { with: "[gone]".into() });
    assert_eq!(policy.entities[&"URL".into()], Operator::Tag);
    assert_eq!(policy.entities[&"EMAIL".into()], Operator::Hash { key: "k".into(), bits: 256 });
    let mask = &policy.entities[&"PHONE".into()];
    assert!(matches!(mask, Operator::Mask { char: '#', count: Some(4), side: Side::End, .. }));
    let analyzer = analyzer();
    let policy = policy.compile(&analyzer, &keys()).unwrap();
    let text = "Call 415-555-0132, SSN 536-22-1847";
    let safe = policy.apply(text, &analyzer.scan(text).unwrap()).unwrap();
    assert_eq!(safe.text, "Call 415-555-####, SSN [gone]");
    for refused in [
        r#"{"DEFAULT": {"type": "encrypt", "key": "WmZq4t7w!z%C&F)J"}}"#,
        r#"{"DEFAULT": {"type": "surrogate_ahds"}}"#,
        r#"{"DEFAULT": {"type": "mask", "masking_char": "ab", "chars_to_mask": 1}}"#,
    ] {
        assert!(Policy::from_presidio(refused, "k").is_err(), "{refused}");
    }
}

#[test]
fn presidio_recognizers() {
    let yaml = r#"
supported_languages: [en, es]
global_regex_flags: 26
recognizers:
  - name: CreditCardRecognizer
    supported_languages:
      - language: en
        context: [credit, card]
    type: predefined
  - name: UsBankRecognizer
    type: predefined
    enabled: false
  - name: "Zip code Recognizer"
    supported_languages:
      - language: en
        context: [zip, code]
    patterns:
      - name: "zip code (weak)"
        regex: "(?<!\\d)(\\d{5}(?:\\-\\d{4})?)(?!\\d)"
        score: 0.2
    supported_entity: "ZIP"
  - name: TitlesRecognizer
    type: custom
    supported_language: en
    supported_entity: HONORIFIC
    deny_list: [Mr., Mrs.]
    deny_list_score: 0.9
"#;
    let analyzer =
        Analyzer::builder().without_names().presidio_yaml(yaml).unwrap().build().unwrap();
    assert!(!analyzer.recognizes(&"US_BANK_NUMBER".into()));
    let text = "Mrs. Lee, zip code 94105";
    let found: Vec<_> = analyzer.scan(text).unwrap().iter().map(|f| f.entity.to_string()).collect();
    assert!(found.contains(&"HONORIFIC".to_owned()), "{found:?}");
    assert!(found.iter().any(|e| e == "ZIP" || e == "US_ZIP"), "{found:?}");
    for bad in [
        "recognizers: [{name: X, type: predefined, patterns: [{name: a, regex: b, score: 0.1}]}]",
        "recognizers: [{name: X, type: custom, supported_entity: Y}]",
        "recognizers: [{name: X, supported_entity: Y, patterns: [{name: a, regex: '(', score: 0.1}]}]",
        "recognizers: [{name: X, supported_entity: Y, patterns: [{name: a, regex: '(?<=a)b', score: 0.1}]}]",
        "recognizers: [{name: X, supported_entity: Y, patterns: [{name: a, regex: b, score: 2}]}]",
        "recognizers: [{name: NoSuchRecognizer, type: predefined, enabled: false}]",
        "recognizers: 3",
    ] {
        assert!(Analyzer::builder().presidio_yaml(bad).is_err(), "{bad}");
    }
}

#[test]
fn own_recognizers_judge_their_matches() {
    let badge = Recognizer::new("BADGE")
        .pattern("badge", r"\bB-\d{5}\b", 0.3)
        .unwrap()
        .context(["badge"])
        .validator(|text| !text.ends_with('0'));
    let analyzer = Analyzer::builder().without_names().recognizer(badge).build().unwrap();
    assert_eq!(analyzer.scan("B-48217").unwrap()[0].score, 1.0);
    assert!(analyzer.scan("badge B-48210").unwrap().iter().all(|f| f.entity != "BADGE"));
}

const WORDS: [&str; 12] = [
    "ana@example.org",
    "4111 1111 1111 1111",
    "12/05/1987",
    "2024-02-29",
    "+44 20 7946 0958",
    "536-22-1847",
    "DE89 3704 0044 0532 0130 00",
    "203.0.113.17",
    "https://www.example.org/a?b=c",
    "<EMAIL_ADDRESS:AQAAAAA>",
    "ａｎａ＠ｅｘａｍｐｌｅ．ｏｒｇ",
    "7 May 1999",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// restore ∘ apply is the identity for reversible policies, whatever the text.
    #[test]
    fn what_was_transformed_comes_back(
        parts in prop::collection::vec(
            prop_oneof![prop::sample::select(&WORDS[..]).prop_map(str::to_owned), "\\PC{0,8}", "[ \n,.;<>:]{1,3}"], 0..14),
        which in 0usize..4,
        subject in "[a-z]{0,4}",
    ) {
        let text = parts.join(" ");
        let analyzer = analyzer();
        let token = || Operator::Token { key: "k".into() };
        let policy = match which {
            0 => Policy::new().otherwise(token()),
            1 => Policy::new().otherwise(Operator::Encrypt { key: "k".into() }),
            2 => Policy::new().otherwise(Operator::Keep),
            _ => Policy::new().otherwise(token())
                .with("CREDIT_CARD", Operator::Fpe { key: "k".into(), card: true })
                .with("DATE_TIME", Operator::DateShift { key: "k".into(), max_days: 400 }),
        };
        let safe = policy.compile(&analyzer, &keys()).unwrap()
            .apply_for(&subject, &text, &analyzer.scan(&text).unwrap()).unwrap();
        let reidentifier = Reidentifier::new(&policy, &analyzer, &keys()).unwrap();
        prop_assert!(reidentifier.is_exact());
        if safe.items.iter().all(|i| i.reversible) {
            prop_assert_eq!(reidentifier.restore_for(&subject, &safe).unwrap(), text);
        } else {
            // Only what an operator could not work on became a tag.
            prop_assert!(which == 3);
        }
    }
}

#[test]
fn nothing_to_undo_is_an_error() {
    let analyzer = analyzer();
    assert!(Reidentifier::new(&Policy::new(), &analyzer, &keys()).is_err());
}

#[test]
fn calibrated_scores_are_shares() {
    // Dates that stand for birthdays in three of four texts, and nothing in the fourth.
    let samples: Vec<Sample> = (0..800)
        .map(|i| {
            let date = format!("{:02}/{:02}/19{:02}", 1 + i % 28, 1 + i % 12, i % 100);
            let mail = format!("user{i}@example.org");
            let text = format!("Seen {date} and {mail} there");
            let mut spans = vec![("EMAIL_ADDRESS".into(), 20..20 + mail.len())];
            if i * 7 % 4 != 0 {
                spans.push(("DATE_TIME".into(), 5..15));
            }
            Sample { text, spans }
        })
        .collect();
    let (fit, check) = samples.split_at(400);
    let plain = analyzer();
    let calibration = Calibration::fit(&plain, fit).unwrap();
    let calibrated = Analyzer::builder().without_names().calibration(calibration).build().unwrap();
    for (entity, share) in [("DATE_TIME", 0.75), ("EMAIL_ADDRESS", 1.0)] {
        let mut scores = Vec::new();
        for sample in check {
            for f in calibrated.scan(&sample.text).unwrap().iter().filter(|f| f.entity == entity) {
                scores.push(f64::from(f.score));
            }
        }
        let mean = scores.iter().sum::<f64>() / scores.len() as f64;
        assert!((mean - share).abs() < 0.03, "{entity}: {mean}");
    }
}
