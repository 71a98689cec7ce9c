//! What is found in whole texts, and what is not.

use deid_text::perturb::Perturbation;
use deid_text::{Analyzer, Keys, Operator, Policy};
use proptest::prelude::*;

fn patterns() -> Analyzer {
    Analyzer::builder().without_names().build().unwrap()
}

fn key() -> Vec<u8> {
    (0..32u8).map(|i| i.wrapping_mul(37) ^ 0x5a).collect()
}

const FORM: &str = "Name: Ana Lovelace\nDate of birth: 12/05/1987\nSSN: 536-22-1847\nPhone: (415) 555-0132\n\
    Email: ana@example.org\nCard: 4111 1111 1111 1111 exp 04/27\nIBAN: DE89 3704 0044 0532 0130 00\n\
    IP: 203.0.113.17\nAddress: 12 Baker Street, Leeds LS1 4AP\nHomepage: https://www.example.org/ana\n\
    MAC 00:1b:44:11:3a:b7, wallet 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa, 47 years old\n\
    password: Sunny-Day-42\nGitHub ghp_0123456789abcdefghijABCDEFGHIJ012345\n";

#[test]
fn a_form_is_covered() {
    let findings = patterns().scan(FORM).unwrap();
    let found: Vec<(String, &str)> =
        findings.iter().map(|f| (f.entity.to_string(), &FORM[f.span.range()])).collect();
    for (entity, value) in [
        ("DATE_TIME", "12/05/1987"),
        ("US_SSN", "536-22-1847"),
        ("PHONE_NUMBER", "(415) 555-0132"),
        ("EMAIL_ADDRESS", "ana@example.org"),
        ("CREDIT_CARD", "4111 1111 1111 1111"),
        ("CARD_EXPIRY", "04/27"),
        ("IBAN_CODE", "DE89 3704 0044 0532 0130 00"),
        ("IP_ADDRESS", "203.0.113.17"),
        ("STREET_ADDRESS", "12 Baker Street"),
        ("UK_POSTCODE", "LS1 4AP"),
        ("URL", "https://www.example.org/ana"),
        ("MAC_ADDRESS", "00:1b:44:11:3a:b7"),
        ("CRYPTO", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
        ("AGE", "47 years old"),
        ("PASSWORD", "Sunny-Day-42"),
        ("SECRET", "ghp_0123456789abcdefghijABCDEFGHIJ012345"),
    ] {
        assert!(
            found.iter().any(|(e, v)| e == entity && *v == value),
            "{entity} {value} in {found:#?}"
        );
    }
}

#[test]
fn texts_without_personal_data_stay_quiet() {
    let text = include_str!("../../../../LICENSE-APACHE").to_owned()
        + include_str!("../../../../LICENSE-MIT");
    let findings = Analyzer::new().unwrap().scan(&text).unwrap();
    let per_10kb = findings.len() as f64 * 10_000.0 / text.len() as f64;
    assert!(per_10kb <= 0.2, "{}", findings.explain());
}

#[test]
fn other_forms_are_seen_through() {
    let analyzer = patterns();
    let values =
        ["ana@example.org", "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00", "203.0.113.17"];
    let ways = [
        Perturbation::FullWidth,
        Perturbation::ArabicDigits,
        Perturbation::DevanagariDigits,
        Perturbation::ZeroWidth,
        Perturbation::SoftHyphen,
        Perturbation::NoBreakSpace,
        Perturbation::Html,
        Perturbation::Percent,
    ];
    for value in values {
        for way in ways {
            let written = way.apply(value);
            let text = format!("I wrote {written} there.");
            let findings = analyzer.scan(&text).unwrap();
            assert!(
                findings.iter().any(|f| text[f.span.range()] == written),
                "{way:?}: {text}\n{}",
                findings.explain()
            );
        }
    }
}

#[test]
fn positions_are_right_in_all_units() {
    let text = "😀 é mail ana@example.org";
    let f = &patterns().scan(text).unwrap()[0];
    assert_eq!(&text[f.span.range()], "ana@example.org");
    assert_eq!(f.chars, 9..24);
    assert_eq!(f.utf16, 10..25);
}

#[test]
fn reversible_policies_come_back() {
    let analyzer = patterns();
    let keys = Keys::new().with("k", &key()).unwrap();
    for operator in
        [Operator::Token { key: "k".into() }, Operator::Encrypt { key: "k".into() }, Operator::Keep]
    {
        let policy = Policy::new().otherwise(operator).compile(&analyzer, &keys).unwrap();
        let safe = policy.apply(FORM, &analyzer.scan(FORM).unwrap()).unwrap();
        assert_eq!(policy.restore(&safe).unwrap(), FORM);
    }
    let policy = Policy::new()
        .otherwise(Operator::Token { key: "k".into() })
        .with("CREDIT_CARD", Operator::Fpe { key: "k".into(), card: true })
        .with("DATE_TIME", Operator::DateShift { key: "k".into(), max_days: 100 })
        .compile(&analyzer, &keys)
        .unwrap();
    let safe = policy.apply(FORM, &analyzer.scan(FORM).unwrap()).unwrap();
    assert!(!safe.text.contains("4111 1111 1111 1111") && safe.text.contains("1111 exp"));
    assert_eq!(policy.restore(&safe).unwrap(), FORM);
}

#[test]
fn forged_tokens_and_wrong_policies_are_refused() {
    let analyzer = patterns();
    let keys = Keys::new().with("k", &key()).unwrap();
    let policy = Policy::new()
        .otherwise(Operator::Token { key: "k".into() })
        .compile(&analyzer, &keys)
        .unwrap();
    let safe = policy.apply("ana@example.org", &analyzer.scan("ana@example.org").unwrap()).unwrap();
    let forged = safe.text.replace("EMAIL_ADDRESS", "PHONE_NUMBER");
    assert_eq!(policy.restore_tokens(&forged).unwrap(), (forged.clone(), 1));
    assert_eq!(policy.restore_tokens(&safe.text).unwrap(), ("ana@example.org".to_owned(), 0));
    let unknown = Policy::new().with("EMIAL", Operator::Redact);
    assert!(unknown.compile(&analyzer, &keys).is_err());
    let missing = Policy::new().otherwise(Operator::Hash { key: "other".into(), bits: 128 });
    assert!(missing.compile(&analyzer, &keys).is_err());
    assert!(Keys::new().with("short", b"salt").is_err());
    assert!(policy.apply("another text", &analyzer.scan("ana@example.org").unwrap()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Any text: no panic, disjoint spans in order, every byte of a finding covered, chunks don't matter.
    #[test]
    fn any_text(parts in prop::collection::vec(prop_oneof![
        "\\PC{0,12}",
        "[0-9A-Za-z@:./+() <>\\-_%&#;\n]{0,24}",
        Just("4111 1111 1111 1111".to_owned()),
        Just("ana@example.org".to_owned()),
        Just("&#64;%40\u{200b}５".to_owned()),
        Just("-----BEGIN PRIVATE KEY-----".to_owned()),
    ], 0..12), cut in 0usize..400) {
        let text = parts.concat();
        let analyzer = patterns();
        let findings = analyzer.scan(&text).unwrap();
        let mut at = 0;
        for f in &findings {
            prop_assert!(f.edit.start >= at && f.edit.start <= f.span.start && f.span.end <= f.edit.end);
            prop_assert!(text.get(f.edit.range()).is_some() && text.get(f.span.range()).is_some());
            prop_assert_eq!(text[..f.span.start].chars().count(), f.chars.start);
            at = f.edit.end;
        }
        let policy = Policy::new().otherwise(Operator::Redact).compile(&analyzer, &Keys::new()).unwrap();
        let safe = policy.apply(&text, &findings).unwrap();
        let covered: usize = findings.iter().map(|f| f.edit.len()).sum();
        prop_assert_eq!(safe.text.len() + covered, text.len());
        let mut cut = cut.min(text.len());
        while !text.is_char_boundary(cut) { cut -= 1; }
        let mut stream = analyzer.stream();
        let mut streamed = stream.push(&text[..cut]).unwrap();
        streamed.extend(stream.push(&text[cut..]).unwrap());
        streamed.extend(stream.finish().unwrap());
        prop_assert_eq!(streamed, findings.iter().cloned().collect::<Vec<_>>());
    }
}

#[test]
fn long_text_in_chunks_is_as_long_text() {
    let text = format!("{FORM}some words without anything in them and so on\n").repeat(400);
    let analyzer = patterns();
    let whole: Vec<_> = analyzer.scan(&text).unwrap().iter().cloned().collect();
    let mut stream = analyzer.stream();
    let mut out = Vec::new();
    for chunk in text.as_bytes().chunks(777) {
        out.extend(stream.push(std::str::from_utf8(chunk).unwrap()).unwrap());
    }
    out.extend(stream.finish().unwrap());
    assert_eq!(whole, out);
}

#[test]
fn an_address_in_lower_case_does_not_hide_the_name_it_is_made_of() {
    let analyzer = Analyzer::new().unwrap();
    for address in [
        "marta.kowalska@example.org",
        "marta_kowalska@example.org",
        "https://example.org/marta-kowalska",
        "@marta.kowalska",
    ] {
        for text in [
            format!("Customer: Marta Kowalska, 34 years old. She wrote from {address} today."),
            format!("{address}\nPlease call Marta Kowalska at noon."),
        ] {
            let start = text.find("Marta K").unwrap();
            let name = start..start + "Marta Kowalska".len();
            let findings = analyzer.scan(&text).unwrap();
            let found =
                findings.iter().any(|f| f.entity.name() == "PERSON" && f.span.range() == name);
            assert!(found, "{address}: {}", findings.explain());
        }
    }
}

#[test]
fn a_name_that_is_also_written_in_lower_case_is_still_found() {
    let text = "marta called about her invoice. Please tell Marta that it was sent.";
    let name = text.find("Marta").unwrap()..text.find(" that").unwrap();
    let findings = Analyzer::new().unwrap().scan(text).unwrap();
    let found = findings.iter().any(|f| f.entity.name() == "PERSON" && f.span.range() == name);
    assert!(found, "{}", findings.explain());
}

#[test]
fn examples_in_documentation_stay_quiet_and_values_of_names_do_not() {
    let analyzer = Analyzer::new().unwrap();
    let code = "Returns `None` if `key` is missing; see `get()`, `Map::insert()`, `take()`. ";
    let quiet = format!(
        "{code}`parse(\"2024-02-29\")` reads it, see [the manual](https://manual.example.org/a)."
    );
    let findings = analyzer.scan(&quiet).unwrap();
    assert!(findings.is_empty(), "{}", findings.explain());
    for value in ["1987-05-12", "https://people.example.org/ana"] {
        let text = format!("{code}It failed for {{\"value\": \"{value}\"}} again.");
        let findings = analyzer.scan(&text).unwrap();
        let found = findings.iter().any(|f| &text[f.span.range()] == value);
        assert!(found, "{value}: {}", findings.explain());
    }
}

/// What a text is about decides what a capital letter and an address say.
#[test]
fn documentation_in_words_stays_quiet_and_messages_about_programs_do_not() {
    let analyzer = Analyzer::new().unwrap();
    let found = |text: &str| -> Vec<String> {
        let findings = analyzer.scan(text).unwrap();
        findings.iter().map(|f| format!("{} {}", f.entity, &text[f.span.range()])).collect()
    };
    for quiet in [
        "The name of the resource. If you don't specify a value, the default value of the configuration is \
         returned. For more information, see Polar Harbor in the Polar Harbor User Guide. An error response has \
         no such field. The timestamp of the request, for example, 2024-05-12T08:30:00Z. The identifier of the \
         object is returned by https://api.example.com/v1/objects, and its owner is set to user@example.com. \
         A request without the required parameter is invalid. The method accepts a list of strings.",
        "## [1.5.1](https://github.com/a/b/compare/v1.5.0...v1.5.1) - 2026-09-25\n\n## 0.3.0 (May 5, 2021)\n\n\
         ### v0.2 / 2019-01-30\n",
        "See volume 13(2), pp. 215-232 (1942), volume 77, 036111 (2008), and volume 18 (2001) 116-140.",
        "weights = [0.14685437, 0.20267677, 0.22389607, 0.27971846]; steps = bands[1::2]; Ok(Token::Number(8002))",
        "Counted in seconds since January 1, 1970 and until 2262-04-11.",
        "Files begin with -----BEGIN PRIVATE KEY----- and end with another such line.",
        "Projects 5678 OR 78910 use the 2nd-gen settings.\nVERSION\n    0.5.1.2\nor 0.98.5.3 or higher.",
    ] {
        assert_eq!(found(quiet), <[String; 0]>::default(), "{quiet}");
    }
    let ticket = "Since the update the export function returns an error: invalid token. I requested a new access \
         token with my user key, but the response of the server is the same. The file is in the default folder; the \
         list is empty if I set the filter to the type invoice. It began on 2024-05-12. Write to user@example.com, see \
         https://files.example.com/export, or visit me in Lisbon. Marta Kowalska";
    assert_eq!(
        found(ticket),
        [
            "DATE_TIME 2024-05-12",
            "EMAIL_ADDRESS user@example.com",
            "URL https://files.example.com/export",
            "LOCATION Lisbon",
            "PERSON Marta Kowalska"
        ]
    );
    let key = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIKxq\n-----END PRIVATE KEY-----";
    assert_eq!(found(key), [format!("PRIVATE_KEY {key}")]);
}
