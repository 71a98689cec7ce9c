//! Every parameter refuses what it must.

use privacy_core::params::RowLimit;
use privacy_core::prelude::*;

const NOT_NUMBERS: [f64; 4] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.1];

#[test]
fn privacy_parameters_refuse_what_is_out_of_range() {
    for bad in NOT_NUMBERS {
        assert!(Epsilon::new(bad).unwrap_err().is_parameter());
        assert!(Rho::new(bad).unwrap_err().is_parameter());
        assert!(Delta::new(bad).unwrap_err().is_parameter());
        assert!(Confidence::new(bad).unwrap_err().is_parameter());
    }
    for zero in [0.0, -0.0] {
        assert!(Epsilon::new(zero).is_err());
        assert!(Rho::new(zero).is_err());
        assert!(Confidence::new(zero).is_err());
        assert!(Delta::new(zero).is_ok());
    }
    assert!(Delta::new(1.0).is_err());
    assert!(Confidence::new(1.0).is_err());
    assert!(Epsilon::from_fraction(1, 0).is_err());
    assert!(Sensitivity::new(Amount::ZERO).is_err());
    assert!(RowLimit::new("rows", 0).is_err());
    assert_eq!(
        Epsilon::new(-1.0).unwrap_err().to_string(),
        "epsilon must be finite and above 0, but was -1"
    );
}

#[test]
fn text_and_json_go_through_the_same_checks() {
    assert_eq!("0.1".parse::<Epsilon>().unwrap(), Epsilon::new(0.1).unwrap());
    assert!("0".parse::<Epsilon>().is_err());
    let read = |json: &str| serde_json::from_str::<Epsilon>(json);
    assert_eq!(read("0.1").unwrap(), Epsilon::from_fraction(1, 10).unwrap());
    assert!(read("0").is_err() && read("-1").is_err() && read("\"inf\"").is_err());
    assert!(serde_json::from_str::<Delta>("1").is_err());
    assert!(serde_json::from_str::<Bounds<i64>>("[3, 1]").is_err());
    let bounds: Bounds<i64> = serde_json::from_str("[1, 3]").unwrap();
    assert_eq!(serde_json::to_string(&bounds).unwrap(), "[1,3]");
    assert!(serde_json::from_str::<RowLimit>("0").is_err());
}

#[test]
fn bounds_refuse_what_is_not_an_interval() {
    assert!(Bounds::new(3, 3).is_err());
    assert!(Bounds::new(4, 3).is_err());
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(Bounds::new(0.0, bad).is_err());
        assert!(Bounds::new(bad, 0.0).is_err());
    }
    let bounds = Bounds::new(-1.0, 1.0).unwrap();
    let clamped = [f64::NAN, -5.0, 0.5, f64::INFINITY].map(|x| bounds.clamp(x));
    assert_eq!(clamped, [-1.0, -1.0, 0.5, 1.0]);
}

#[test]
fn miss_probabilities_round_down() {
    let confidence = Confidence::new(0.95).unwrap();
    assert!(confidence.miss_probability() <= 0.05);
    assert_eq!(confidence, Confidence::default());
}
