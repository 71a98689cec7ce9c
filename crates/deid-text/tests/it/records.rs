//! JSON, CSV, lines, logs, inventories, the pipeline stage.

use deid_text::inventory::{Inventorist, Technique};
use deid_text::record::{redact_csv, redact_json, redact_lines, scan_json, scan_value};
use deid_text::stage::Redact;
use deid_text::{Analyzer, CompiledPolicy, Keys, Policy};
use serde_json::json;

fn analyzer() -> Analyzer {
    Analyzer::builder().without_names().build().unwrap()
}

fn tags(analyzer: &Analyzer) -> CompiledPolicy {
    Policy::new().compile(analyzer, &Keys::new()).unwrap()
}

#[test]
fn json_of_any_shape() {
    let analyzer = analyzer();
    let mut value = json!({
        "customer": {"ssn": "536-22-1847", "contacts": ["ana@example.org", {"phone": 4155550132u64}]},
        "ana@example.org": [null, true, 1.5],
        "card/number": "4111111111111111",
        "note": "",
        "count": 12,
    });
    let found = scan_json(&analyzer, &value).unwrap();
    let pointers: Vec<&str> = found.iter().map(|l| l.pointer.as_str()).collect();
    for pointer in
        ["/customer/ssn", "/customer/contacts/0", "/customer/contacts/1/phone", "/card~1number"]
    {
        assert!(pointers.contains(&pointer), "{pointer} in {pointers:?}");
    }
    redact_json(&analyzer, &tags(&analyzer), "", &mut value).unwrap();
    let expected = json!({
        "customer": {"ssn": "<US_SSN>", "contacts": ["<EMAIL_ADDRESS>", {"phone": "<PHONE_NUMBER>"}]},
        "<EMAIL_ADDRESS>": [null, true, 1.5],
        "card/number": "<CREDIT_CARD>",
        "note": "",
        "count": 12,
    });
    assert_eq!(value, expected);
}

#[test]
fn members_that_become_equal_stay_apart() {
    let analyzer = analyzer();
    let mut value = json!({"ana@example.org": 1, "bob@example.org": 2});
    redact_json(&analyzer, &tags(&analyzer), "", &mut value).unwrap();
    assert_eq!(value, json!({"<EMAIL_ADDRESS>": 1, "<EMAIL_ADDRESS>_2": 2}));
}

#[test]
fn the_header_is_context_and_positions_are_those_of_the_value() {
    let analyzer = analyzer();
    assert!(analyzer.scan("536221847").unwrap().is_empty());
    let findings = scan_value(&analyzer, "patient.ssn", "536221847").unwrap();
    assert_eq!(findings[0].entity, "US_SSN");
    assert_eq!(findings[0].span.range(), 0..9);
    assert_eq!(findings[0].chars, 0..9);
}

#[test]
fn csv_and_lines() {
    let analyzer = analyzer();
    let policy = tags(&analyzer);
    let mut out = Vec::new();
    let input = "id,ssn,note\n1,536221847,\"mail ana@example.org, please\"\n2,,fine\n";
    let edits = redact_csv(&analyzer, &policy, input.as_bytes(), &mut out).unwrap();
    assert_eq!(edits, 2);
    let expected = "id,ssn,note\n1,<US_SSN>,\"mail <EMAIL_ADDRESS>, please\"\n2,,fine\n";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
    // A row that cannot be read ends it with an error that says which.
    let broken = redact_csv(&analyzer, &policy, &b"a,b\n1\n"[..], Vec::new());
    assert!(broken.is_err());

    let mut out = Vec::new();
    let input = b"from 203.0.113.17\r\nbad \xff byte, ana@example.org\nlast";
    assert_eq!(redact_lines(&analyzer, &policy, &input[..], &mut out).unwrap(), 2);
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text, "from <IP_ADDRESS>\r\nbad \u{fffd} byte, <EMAIL_ADDRESS>\nlast");
}

#[test]
fn an_inventory_names_columns_levels_and_techniques() {
    let analyzer = analyzer();
    let mut csv = "id,mail,card,city<b>\n".to_owned();
    for i in 0..40 {
        csv += &format!("{i},user{i}@example.org,4111111111111111,x\n");
    }
    let inventory = Inventorist::new(&analyzer).csv("a & b", csv.as_bytes()).unwrap();
    let mail = &inventory.columns[1];
    let verdict = mail.verdict.as_ref().unwrap();
    assert_eq!(verdict.entity, "EMAIL_ADDRESS");
    assert!(verdict.share > 0.99 && verdict.low > 0.9 && verdict.high <= 1.0);
    assert_eq!(inventory.columns[2].level.to_string(), "restricted");
    assert_eq!(inventory.level, inventory.columns[2].level);
    assert!(inventory.columns[0].verdict.as_ref().is_none_or(|v| v.share < 0.5));
    let html = inventory.to_html();
    assert!(
        html.contains("city&lt;b&gt;") && html.contains("a &amp; b") && !html.contains("user1@")
    );
    let json: serde_json::Value = serde_json::from_str(&inventory.to_json().unwrap()).unwrap();
    assert_eq!(json["columns"][1]["name"], "mail");
    assert_eq!(inventory.columns[2].technique, Technique::FormatPreservingEncryption);
    assert_eq!(json["columns"][2]["technique"], "format_preserving_encryption");
    assert_eq!(inventory.columns[2].technique.to_string(), "format-preserving encryption");
}

#[test]
fn the_stage_claims_nothing_but_heuristics() {
    use privacy_core::guarantee::{Effect, Guarantee};
    use privacy_core::stage::Stage;
    let analyzer = analyzer();
    let stage = Redact::new(analyzer.clone(), tags(&analyzer));
    let Effect::Establishes { guarantee, .. } = stage.effect() else { panic!("no effect") };
    assert!(matches!(guarantee, Guarantee::Heuristic { .. }));
}

#[cfg(feature = "tracing")]
#[test]
fn logs_are_redacted_as_they_are_written() {
    use std::sync::{Arc, Mutex};
    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let analyzer = Analyzer::builder().without_names().without(["DATE_TIME"]).build().unwrap();
    let policy = tags(&analyzer);
    let shared = Shared::default();
    let sink = shared.clone();
    let writer = deid_text::log::Redacting::new(analyzer, policy, move || sink.clone());
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(writer).finish();
    tracing::subscriber::with_default(subscriber, || {
        tracing::info!(user = "ana@example.org", "card 4111 1111 1111 1111 from 203.0.113.17");
    });
    let text = String::from_utf8(shared.0.lock().unwrap().clone()).unwrap();
    assert!(!text.contains("ana@") && !text.contains("4111") && !text.contains("203.0"), "{text}");
    assert!(text.contains("<CREDIT_CARD>") && text.contains("<IP_ADDRESS>"), "{text}");
}
