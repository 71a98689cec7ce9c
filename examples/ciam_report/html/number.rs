//! Numbers as people read them.

use confidant::core::release::{Interval, Readable, readable_up};
use confidant::dp::prelude::{Allowance, Amount, Charge};

/// A share in percent, with the decimals that show where a small one differs from nothing.
pub(super) fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    let text = match percent.abs() {
        0.0 => "0".to_owned(),
        ..0.01 => return "< 0.01\u{a0}%".to_owned(),
        ..1.0 => readable(percent, 2),
        ..99.95 => readable(percent, 1),
        _ => readable(percent, if percent.fract() == 0.0 { 0 } else { 2 }),
    };
    text + "\u{a0}%"
}

fn readable(number: f64, decimals: i32) -> String {
    // A margin of that size asks for that many decimals.
    let text = number.readable(2.0 * 10f64.powi(1 - decimals));
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// A whole number.
pub(super) fn count(number: u64) -> String {
    i128::from(number).readable(0.0)
}

/// The ends of an interval, with the decimals of the value between them.
pub(super) fn interval(interval: &Interval, value: &str) -> String {
    let decimals = value.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let end = |end: f64| match end {
        f64::INFINITY => "∞".to_owned(),
        f64::NEG_INFINITY => "−∞".to_owned(),
        // Outwards, as intervals are.
        end if end < 0.0 => format!("−{}", readable_up(-end, decimals)),
        end => readable_up(end, decimals),
    };
    format!("{} to {}", end(interval.lower), end(interval.upper))
}

/// An amount of privacy in a few characters: exact where that is short, else rounded to four digits,
/// up or down.
fn amount(amount: &Amount, up: bool) -> String {
    const SHORT: usize = 8;
    let exact = [amount.to_string(), amount.as_ratio().to_string()];
    if let Some(short) = exact.into_iter().find(|text| text.len() <= SHORT) {
        return short;
    }
    let number = if up { amount.to_f64_up() } else { amount.to_f64_down() };
    if !(1e-6..1e9).contains(&number) {
        return format!("{number:.3e}");
    }
    let unit = 10f64.powi(number.log10().floor() as i32 - 3);
    let digits = number / unit;
    let rounded = unit * if up { digits.ceil() } else { digits.floor() };
    let decimals = (3 - number.log10().floor() as i32).max(0) as usize;
    format!("{rounded:.decimals$}")
}

/// What is asked or spent of a budget: rounded up.
pub(super) fn spent(allowance: &Allowance) -> String {
    shown(allowance, true)
}

/// What is left of a budget: rounded down.
pub(super) fn left(allowance: &Allowance) -> String {
    shown(allowance, false)
}

fn shown(allowance: &Allowance, up: bool) -> String {
    match allowance {
        Allowance::Pure { epsilon } => format!("ε = {}", amount(epsilon, up)),
        Allowance::Zcdp { rho } => format!("ρ = {}", amount(rho, up)),
        other => other.to_string(),
    }
}

/// A price.
pub(super) fn price(charge: &Charge) -> String {
    match (charge.in_pure(), charge.in_zcdp()) {
        (Some(cost), _) => format!("ε = {}", amount(&cost.epsilon, true)),
        (None, Some(cost)) => format!("ρ = {}", amount(&cost.rho, true)),
        _ => charge.to_string(),
    }
}

/// What an allowance has of its first measure, for an axis.
pub(super) fn height(allowance: &Allowance) -> f64 {
    match allowance {
        Allowance::Pure { epsilon } | Allowance::Approximate { epsilon, .. } => epsilon.to_f64_up(),
        Allowance::Zcdp { rho } => rho.to_f64_up(),
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_read_well_at_every_size() {
        let shown = |share| percent(share).replace('\u{a0}', " ");
        assert_eq!(shown(0.0), "0 %");
        assert_eq!(shown(0.000_01), "< 0.01 %");
        assert_eq!(shown(0.0042), "0.42 %");
        assert_eq!(shown(0.25), "25 %");
        assert_eq!(shown(0.1234), "12.3 %");
        assert_eq!(shown(0.9996), "99.96 %");
        assert_eq!(shown(1.0), "100 %");
    }

    #[test]
    fn amounts_are_short_and_rounded_against_us() {
        let shown = |text: &str, up| amount(&text.parse().unwrap(), up);
        assert_eq!(shown("0.1", true), "0.1");
        assert_eq!(shown("1/3", true), "1/3");
        assert_eq!(shown("1000001/3000001", true), "0.3334");
        assert_eq!(shown("1000001/3000001", false), "0.3333");
        assert_eq!(shown("1/3000000019", true), "3.333e-10");
    }

    #[test]
    fn intervals_have_the_decimals_of_their_value() {
        let shown = |lower, upper, value| interval(&Interval { lower, upper }, value);
        assert_eq!(shown(-3.0, 7.0, "2"), "−3 to 7");
        assert_eq!(shown(0.125, 0.375, "0.25"), "0.13 to 0.38");
        assert_eq!(shown(f64::NEG_INFINITY, f64::INFINITY, "1"), "−∞ to ∞");
    }
}
