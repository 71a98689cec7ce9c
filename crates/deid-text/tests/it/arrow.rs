//! Columns of record batches.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, DictionaryArray, Int64Array, LargeStringArray, RecordBatch, StringArray,
    StringViewArray,
};
use deid_text::arrow::redact_batch;
use deid_text::inventory::{Inventorist, Technique};
use deid_text::{Analyzer, Error, Keys, Operator, Policy};

fn analyzer() -> Analyzer {
    Analyzer::builder().without_names().build().unwrap()
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true)))
        .unwrap()
}

#[test]
fn every_kind_of_string_column_is_redacted_and_keeps_its_type() {
    let analyzer = analyzer();
    let policy = Policy::new().compile(&analyzer, &Keys::new()).unwrap();
    let words = [Some("to ana@example.org"), None, Some("nothing"), Some("to ana@example.org")];
    let batch = batch(vec![
        ("a", Arc::new(StringArray::from_iter(words))),
        ("b", Arc::new(LargeStringArray::from_iter(words))),
        ("c", Arc::new(StringViewArray::from_iter(words))),
        ("d", Arc::new(DictionaryArray::<Int32Type>::from_iter(words))),
        ("n", Arc::new(Int64Array::from(vec![1, 2, 3, 4]))),
    ]);
    let safe = redact_batch(&analyzer, &policy, None, &batch).unwrap();
    assert_eq!(safe.schema(), batch.schema());
    let expected = [Some("to <EMAIL_ADDRESS>"), None, Some("nothing"), Some("to <EMAIL_ADDRESS>")];
    assert_eq!(safe.column(0).as_string::<i32>().iter().collect::<Vec<_>>(), expected);
    assert_eq!(safe.column(1).as_string::<i64>().iter().collect::<Vec<_>>(), expected);
    assert_eq!(safe.column(2).as_string_view().iter().collect::<Vec<_>>(), expected);
    let dictionary = safe.column(3).as_dictionary::<Int32Type>();
    let typed = dictionary.downcast_dict::<StringArray>().unwrap();
    assert_eq!(typed.into_iter().collect::<Vec<_>>(), expected);
    assert_eq!(safe.column(4), batch.column(4));
}

#[test]
fn the_name_of_a_column_is_context_and_numbers_are_not_passed_through() {
    let analyzer = analyzer();
    let policy = Policy::new().compile(&analyzer, &Keys::new()).unwrap();
    let text: ArrayRef = Arc::new(StringArray::from(vec!["X1234567"]));
    let named = batch(vec![("passport_number", Arc::clone(&text))]);
    let safe = redact_batch(&analyzer, &policy, None, &named).unwrap();
    assert_ne!(safe.column(0).as_string::<i32>().value(0), "X1234567");
    let cards: ArrayRef = Arc::new(Int64Array::from(vec![4_111_111_111_111_111]));
    let refused = redact_batch(&analyzer, &policy, None, &batch(vec![("card", cards)]));
    assert!(matches!(refused, Err(Error::Parameter { .. })));
    let missing = redact_batch(&analyzer, &policy, Some("whom"), &named);
    assert!(matches!(missing, Err(Error::Parameter { .. })));
}

#[test]
fn dates_move_with_the_subject_of_their_row() {
    let analyzer = analyzer();
    let key: Vec<u8> = (0..32).collect();
    let keys = Keys::new().with("k", &key).unwrap();
    let shift = Operator::DateShift { key: "k".into(), max_days: 100 };
    let policy = Policy::new().with("DATE_TIME", shift).compile(&analyzer, &keys).unwrap();
    let batch = batch(vec![
        ("who", Arc::new(Int64Array::from(vec![1, 2, 1]))),
        ("date", Arc::new(StringArray::from(vec!["2024-05-10", "2024-05-10", "2024-05-12"]))),
    ]);
    let safe = redact_batch(&analyzer, &policy, Some("who"), &batch).unwrap();
    let dates: Vec<&str> = safe.column(1).as_string::<i32>().iter().flatten().collect();
    assert_ne!(dates[0], "2024-05-10");
    assert_ne!(dates[0], dates[1]);
    let day = |d: &str| d[8..].parse::<i32>().unwrap();
    assert!([2, 2 - 31, 2 - 30, 2 - 29, 2 - 28].contains(&(day(dates[2]) - day(dates[0]))));
}

#[test]
fn a_batch_has_an_inventory() {
    let analyzer = analyzer();
    let mails: Vec<String> = (0..40).map(|i| format!("user{i}@example.org")).collect();
    let batch = batch(vec![
        ("mail", Arc::new(StringArray::from(mails))),
        ("card", Arc::new(Int64Array::from(vec![4_111_111_111_111_111; 40]))),
    ]);
    let inventory = Inventorist::new(&analyzer).batch("batch", &batch).unwrap();
    assert_eq!(inventory.columns[0].verdict.as_ref().unwrap().entity, "EMAIL_ADDRESS");
    assert_eq!(inventory.columns[1].technique, Technique::FormatPreservingEncryption);
}
