//! Exact amounts against an independent oracle, `Ratio<BigInt>` and exact float comparison.

use num_bigint::{BigInt, BigUint};
use num_rational::Ratio;
use privacy_core::params::Amount;
use proptest::prelude::*;

/// The exact value of a finite float as a ratio, by a path of its own.
fn exact(value: f64) -> Ratio<BigInt> {
    let (mut value, mut power) = (value, Ratio::from_integer(BigInt::from(1)));
    while value.fract() != 0.0 {
        value *= 2.0;
        power /= BigInt::from(2);
    }
    let integer: BigInt = format!("{value:.0}").parse().unwrap();
    Ratio::from_integer(integer) * power
}

fn ratio(amount: &Amount) -> Ratio<BigInt> {
    Ratio::new(amount.numerator().clone().into(), amount.denominator().clone().into())
}

fn amount() -> impl Strategy<Value = Amount> {
    let part = || prop_oneof![any::<u128>(), 0u128..1000];
    let shift = 0u32..1200;
    let large = (part(), part(), shift.clone(), shift).prop_map(|(n, d, up, down)| {
        let big = |part: u128, shift: u32| (BigUint::from(part) + 1u8) << shift;
        Amount::from_fraction(big(n, up), big(d, down)).unwrap()
    });
    // Of one word each, also where sums and products just do not fit in one.
    let word = || {
        prop_oneof![0u64..50, u64::MAX - 50..=u64::MAX, any::<u64>(), any::<u32>().prop_map_into()]
    };
    let words =
        (word(), word()).prop_map(|(n, d)| Amount::from_fraction(n.max(1), d.max(1)).unwrap());
    prop_oneof![large, words]
}

proptest! {
    #[test]
    fn conversions_to_floats_bracket_the_exact_value_tightly(amount in amount()) {
        let (down, up) = (amount.to_f64_down(), amount.to_f64_up());
        prop_assert!(exact(down) <= ratio(&amount));
        prop_assert!(up.is_infinite() || exact(up) >= ratio(&amount));
        prop_assert!(up == down || up == down.next_up());
        if up == down {
            prop_assert_eq!(exact(up), ratio(&amount));
        }
    }

    #[test]
    fn arithmetic_agrees_with_the_oracle(a in amount(), b in amount()) {
        prop_assert_eq!(ratio(&(&a + &b)), ratio(&a) + ratio(&b));
        prop_assert_eq!(ratio(&(&a * &b)), ratio(&a) * ratio(&b));
        prop_assert_eq!(ratio(&a.checked_div(&b).unwrap()), ratio(&a) / ratio(&b));
        match a.checked_sub(&b) {
            Some(difference) => prop_assert_eq!(ratio(&difference), ratio(&a) - ratio(&b)),
            None => prop_assert!(ratio(&a) < ratio(&b)),
        }
    }

    #[test]
    fn text_and_serialization_are_exact_and_display_is_directed(a in amount()) {
        let text = serde_json::to_string(&a).unwrap();
        if text.len() < 400 {
            prop_assert_eq!(&serde_json::from_str::<Amount>(&text).unwrap(), &a);
        }
        if let (Ok(up), Ok(down)) = (
            a.display_up().to_string().parse::<Amount>(),
            a.display_down().to_string().parse::<Amount>(),
        ) {
            prop_assert!(down <= a && a <= up, "{down} {a:?} {up}");
            let width = up.checked_sub(&down).unwrap();
            prop_assert!(&width * &10_000_000_000.into() <= a);
        }
    }

    #[test]
    fn sums_and_squares_can_be_stored_and_read_back(amounts in prop::collection::vec(amount(), 1..40)) {
        let sum = amounts.iter().fold(Amount::ZERO, |sum, next| (&sum + next).compacted_up());
        for kept in [sum.clone(), amounts[0].squared().compacted_up(), sum.compacted_down()] {
            let text = serde_json::to_string(&kept).unwrap();
            prop_assert_eq!(serde_json::from_str::<Amount>(&text).unwrap(), kept);
        }
    }

    #[test]
    fn compaction_errs_by_less_than_its_step_and_on_the_stated_side(a in amount()) {
        let (up, down) = (a.clone().compacted_up(), a.clone().compacted_down());
        prop_assert!(down <= a && a <= up);
        let step = Amount::from_integer(1).scaled_by_power_of_two(-1024);
        prop_assert!(up.checked_sub(&down).unwrap() <= step);
        if a.denominator().bits() <= 1024 {
            prop_assert!(up == a && down == a);
        }
    }

    #[test]
    fn a_float_is_the_decimal_it_prints_as(value in 0.0f64..1e12) {
        let amount = Amount::from_decimal(value).unwrap();
        prop_assert_eq!(&format!("{value}").parse::<Amount>().unwrap(), &amount);
        // The decimal reads back as the same float, so it lies within half a step of it.
        prop_assert!(amount.to_f64_down() == value || amount.to_f64_up() == value);
    }

    #[test]
    fn binary_values_are_exact(bits: u64) {
        let value = f64::from_bits(bits).abs();
        prop_assume!(value.is_finite());
        let amount = Amount::from_binary(value).unwrap();
        prop_assert_eq!(amount.to_f64_up(), value);
        prop_assert_eq!(amount.to_f64_down(), value);
    }

    #[test]
    fn parsing_never_panics(text in "[0-9a-zA-Z+./ -]{0,40}") {
        let _ = text.parse::<Amount>();
    }
}

#[test]
fn decimals_and_fractions_are_read_as_written() {
    let third = Amount::from_fraction(1u8, 3u8).unwrap();
    assert_eq!("1/3".parse::<Amount>().unwrap(), third);
    assert_eq!("0.25".parse::<Amount>().unwrap(), Amount::from_percent(25));
    assert_eq!("25e-2".parse::<Amount>().unwrap(), Amount::from_percent(25));
    assert_eq!(".5".parse::<Amount>().unwrap(), Amount::from_percent(50));
    assert_eq!("3.".parse::<Amount>().unwrap(), 3.into());
    assert_eq!(Amount::from_decimal(5e-324).unwrap(), "5e-324".parse().unwrap());
    for bad in ["", ".", "-1", "+", "1/0", "1/-2", "0x10", "1e", "1e400000000", "NaN", "inf", "1 2"]
    {
        assert!(bad.parse::<Amount>().is_err(), "{bad:?}");
    }
    assert!("9".repeat(5000).parse::<Amount>().is_err());
}

#[test]
fn json_takes_numbers_and_text_and_refuses_the_rest() {
    let read = |json: &str| serde_json::from_str::<Amount>(json);
    assert_eq!(read("0.1").unwrap(), Amount::from_percent(10));
    assert_eq!(read("\"1/3\"").unwrap(), Amount::from_fraction(1u8, 3u8).unwrap());
    assert_eq!(read("3").unwrap(), 3.into());
    for bad in ["-1", "-0.5", "\"x\"", "null", "[]", "1e999"] {
        assert!(read(bad).is_err(), "{bad}");
    }
}

#[test]
fn amounts_read_well() {
    let shown = |text: &str| text.parse::<Amount>().unwrap().to_string();
    assert_eq!(shown("0.1"), "0.1");
    assert_eq!(shown("1e-6"), "0.000001");
    assert_eq!(shown("1e-9"), "1e-9");
    assert_eq!(shown("2.5e-12"), "2.5e-12");
    assert_eq!(shown("120"), "120");
    assert_eq!(shown("1/3"), "0.333333333334");
    assert_eq!("1/3".parse::<Amount>().unwrap().display_down().to_string(), "0.333333333333");
    assert_eq!(shown("0"), "0");
}
