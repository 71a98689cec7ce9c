//! Arrow record batches as tables.

use std::sync::Arc;

use arrow_array::builder::StringDictionaryBuilder;
use arrow_array::types::{Int8Type, TimestampMillisecondType};
use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, LargeStringArray, RecordBatch,
    StringArray, StringViewArray, TimestampMillisecondArray, UInt64Array,
};
use arrow_schema::{DataType, Field, Schema};
use dp_mechanisms::arrow::{ArrowTable, Nulls, TableError, values};
use dp_mechanisms::prelude::*;

fn epsilon(value: f64) -> Epsilon {
    Epsilon::new(value).unwrap()
}

/// So much budget that the noise is 0 in all but e^-1000 of draws.
fn exact() -> Epsilon {
    epsilon(1e9)
}

fn batch(users: Vec<u64>, seconds: Vec<Option<i64>>, countries: Vec<Option<&str>>) -> RecordBatch {
    let schema = Schema::new(vec![
        Field::new("user", DataType::UInt64, false),
        Field::new("seconds", DataType::Int64, true),
        Field::new("country", DataType::Utf8, true),
    ]);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(UInt64Array::from(users)),
        Arc::new(Int64Array::from(seconds)),
        Arc::new(StringArray::from(countries)),
    ];
    RecordBatch::try_new(Arc::new(schema), columns).unwrap()
}

fn batches() -> [RecordBatch; 3] {
    [
        batch(vec![1, 1, 2], vec![Some(10), None, Some(-5)], vec![Some("de"), None, Some("fr")]),
        batch(vec![], vec![], vec![]),
        batch(vec![3, 4], vec![Some(100), Some(7)], vec![Some("it"), Some("de")]),
    ]
}

#[test]
fn a_session_over_batches_answers_as_one_over_rows() {
    let batches = batches();
    let mut table = ArrowTable::new(&batches).unwrap();
    let user = table.u64("user", Nulls::Refuse).unwrap();
    let seconds = table.i64("seconds", Nulls::Drop).unwrap();
    let country = table.text("country", Nulls::Impute("??")).unwrap();
    let rows = table.into_rows();
    assert_eq!(rows.len(), 4);

    let plain: Vec<(u64, i64, &str)> =
        vec![(1, 10, "de"), (2, -5, "fr"), (3, 100, "it"), (4, 7, "de")];
    let read: Vec<_> =
        rows.iter().map(|row| (user.get(row), seconds.get(row), country.get(row))).collect();
    assert_eq!(read, plain);

    let session = Session::over(&rows)
        .unit(|row| user.get(row))
        .max_rows_per_unit(2)
        .budget(epsilon(1e12))
        .open()
        .unwrap();
    let sum = session.sum(|row| seconds.get(row)).bounds(0..=60).unwrap();
    assert_eq!(*sum.epsilon(exact()).unwrap().release().unwrap().value(), 10 + 60 + 7);
    let counts = session.count().by(|row| country.get(row), &["de", "fr", "xx"]);
    let counts = counts.epsilon(exact()).unwrap().release().unwrap();
    assert_eq!(counts.iter().map(|(_, n)| *n.value()).collect::<Vec<_>>(), [2, 1, 0]);
}

#[test]
fn nulls_mean_what_the_caller_says() {
    let batches = batches();
    let mut table = ArrowTable::new(&batches).unwrap();
    let seconds = table.i64("seconds", Nulls::Impute(-1)).unwrap();
    let country = table.text("country", Nulls::Impute("??")).unwrap();
    let rows = table.into_rows();
    let read: Vec<_> = rows.iter().map(|row| (seconds.get(row), country.get(row))).collect();
    assert_eq!(read[1], (-1, "??"));
    assert_eq!(rows.len(), 5);
    // Columns nobody asked about drop nothing, and one dropping column is enough.
    assert_eq!(ArrowTable::new(&batches).unwrap().into_rows().len(), 5);
    let mut table = ArrowTable::new(&batches).unwrap();
    let _ = table.text("country", Nulls::Drop).unwrap();
    assert_eq!(table.into_rows().len(), 4);
}

#[test]
fn refusal_follows_the_schema_and_not_the_rows() {
    // No null anywhere, and refused all the same.
    let batches = [batch(vec![1], vec![Some(1)], vec![Some("de")])];
    let mut table = ArrowTable::new(&batches).unwrap();
    let refused = table.i64("seconds", Nulls::Refuse).unwrap_err();
    assert_eq!(refused, TableError::Nullable { column: "seconds".to_owned() });
    assert!(table.u64("user", Nulls::Refuse).is_ok());
}

#[test]
fn wrong_columns_are_named() {
    let batches = batches();
    let mut table = ArrowTable::new(&batches).unwrap();
    let missing = table.i64("second", Nulls::Drop).unwrap_err();
    assert_eq!(missing.to_string(), "there is no column `second`");
    let wrong = table.f64("seconds", Nulls::Drop).unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "column `seconds` holds Int64, not Float64; cast it, or read it as what it is"
    );
    assert!(table.text("seconds", Nulls::Drop).is_err());
    assert!(table.flag("seconds", Nulls::Drop).is_err());
    // A column that was refused drops nothing.
    assert_eq!(table.into_rows().len(), 5);
    assert!(matches!(
        ArrowTable::new(&[]).unwrap().u64("user", Nulls::Drop),
        Err(TableError::NoColumn { .. })
    ));
}

#[test]
fn batches_must_share_a_schema() {
    let one: ArrayRef = Arc::new(Int32Array::from(vec![1]));
    let two: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let batches = [
        RecordBatch::try_from_iter([("x", one)]).unwrap(),
        RecordBatch::try_from_iter([("x", two)]).unwrap(),
    ];
    assert_eq!(ArrowTable::new(&batches).unwrap_err(), TableError::Schema { batch: 1 });
}

#[test]
fn every_text_layout_reads_the_same_also_when_sliced() {
    let texts = [Some("de"), None, Some(""), Some("a text that is longer than twelve bytes")];
    let mut dictionary = StringDictionaryBuilder::<Int8Type>::new();
    texts.iter().for_each(|text| dictionary.append_option(*text));
    let mut empty = StringDictionaryBuilder::<Int8Type>::new();
    (0..4).for_each(|_| empty.append_null());
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("short", Arc::new(StringArray::from(texts.to_vec()))),
        ("large", Arc::new(LargeStringArray::from(texts.to_vec()))),
        ("view", Arc::new(StringViewArray::from(texts.to_vec()))),
        ("dictionary", Arc::new(dictionary.finish())),
        ("nothing", Arc::new(empty.finish())),
    ];
    let whole = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )
    .unwrap();
    for batches in [[whole.clone()], [whole.slice(1, 3)]] {
        let mut table = ArrowTable::new(&batches).unwrap();
        let columns = ["short", "large", "view", "dictionary"]
            .map(|name| table.text(name, Nulls::Impute("none")).unwrap());
        let nothing = table.text("nothing", Nulls::Impute("none")).unwrap();
        let rows = table.into_rows();
        let skipped = texts.len() - rows.len();
        for (row, text) in rows.iter().zip(&texts[skipped..]) {
            for column in &columns {
                assert_eq!(column.get(row), text.unwrap_or("none"));
            }
            assert_eq!(nothing.get(row), "none");
        }
        let mut table = ArrowTable::new(&batches).unwrap();
        let _ = table.text("dictionary", Nulls::Drop).unwrap();
        assert_eq!(table.into_rows().len(), rows.len() - 1);
    }
}

#[test]
fn flags_and_times_are_read_natively() {
    let flag: ArrayRef = Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]));
    let time: ArrayRef = Arc::new(TimestampMillisecondArray::from(vec![Some(5), Some(6), None]));
    let batches = [RecordBatch::try_from_iter([("ok", flag), ("at", time)]).unwrap()];
    let mut table = ArrowTable::new(&batches).unwrap();
    let ok = table.flag("ok", Nulls::Impute(true)).unwrap();
    let at = table.primitive::<TimestampMillisecondType>("at", Nulls::Drop).unwrap();
    let rows = table.into_rows();
    let read: Vec<_> = rows.iter().map(|row| (ok.get(row), at.get(row))).collect();
    assert_eq!(read, [(true, 5), (true, 6)]);
}

#[test]
fn rows_of_another_table_are_no_error() {
    let large = batches();
    let rows = ArrowTable::new(&large).unwrap().into_rows();
    let small = [batch(vec![1], vec![Some(9)], vec![Some("de")])];
    let mut table = ArrowTable::new(&small).unwrap();
    let seconds = table.i64("seconds", Nulls::Impute(4)).unwrap();
    let country = table.text("country", Nulls::Drop).unwrap();
    for row in &rows {
        let _ = (seconds.get(row), country.get(row));
    }
    assert_eq!(seconds.get(&rows[4]), 4);
    assert_eq!(format!("{:?}", rows[4]), "Row");
}

#[test]
fn arrays_are_slices() {
    let seconds = Int64Array::from(vec![Some(30), None, Some(45)]);
    assert_eq!(*values(&seconds, Nulls::Drop).unwrap(), [30, 45]);
    assert_eq!(*values(&seconds, Nulls::Impute(1)).unwrap(), [30, 1, 45]);
    assert_eq!(values(&seconds, Nulls::Refuse).unwrap_err(), TableError::NullableArray);
    let plain = Float64Array::from(vec![0.5, f64::NAN]);
    let borrowed = values(&plain, Nulls::Refuse).unwrap();
    assert!(matches!(borrowed, std::borrow::Cow::Borrowed(_)));
    let sum = dp_mechanisms::sum(borrowed.iter(), 0.0..=1.0, exact()).unwrap();
    assert!((sum.value() - 0.5).abs() < 1e-6);
}
