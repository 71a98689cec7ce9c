//! The same value written in other ways: for testing what a scan sees through.

/// A way to write a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Perturbation {
    /// Letters in capitals.
    Upper,
    /// Letters in lower case.
    Lower,
    /// Full-width forms.
    FullWidth,
    /// Digits of the Arabic script.
    ArabicDigits,
    /// Digits of Devanagari.
    DevanagariDigits,
    /// An invisible character between any two.
    ZeroWidth,
    /// Soft hyphens between any two characters.
    SoftHyphen,
    /// No-break spaces for blanks.
    NoBreakSpace,
    /// Typographic dashes for hyphens.
    Dashes,
    /// HTML character references for signs and digits.
    Html,
    /// Percent escapes for signs.
    Percent,
    /// Two neighbouring letters swapped.
    Typo,
}

impl Perturbation {
    /// All of them.
    pub const ALL: [Perturbation; 12] = [
        Perturbation::Upper,
        Perturbation::Lower,
        Perturbation::FullWidth,
        Perturbation::ArabicDigits,
        Perturbation::DevanagariDigits,
        Perturbation::ZeroWidth,
        Perturbation::SoftHyphen,
        Perturbation::NoBreakSpace,
        Perturbation::Dashes,
        Perturbation::Html,
        Perturbation::Percent,
        Perturbation::Typo,
    ];

    /// The value, written that way.
    #[must_use]
    pub fn apply(self, value: &str) -> String {
        let digits = |zero: u32| {
            value
                .chars()
                .map(|c| c.to_digit(10).and_then(|d| char::from_u32(zero + d)).unwrap_or(c))
                .collect()
        };
        let between = |sign: char| {
            let mut out = String::new();
            for (i, c) in value.chars().enumerate() {
                if i > 0 {
                    out.push(sign);
                }
                out.push(c);
            }
            out
        };
        match self {
            Perturbation::Upper => value.to_uppercase(),
            Perturbation::Lower => value.to_lowercase(),
            Perturbation::FullWidth => {
                let wide = |c: char| {
                    if ('!'..='~').contains(&c) {
                        char::from_u32(c as u32 + 0xfee0).unwrap_or(c)
                    } else {
                        c
                    }
                };
                value.chars().map(wide).collect()
            }
            Perturbation::ArabicDigits => digits(0x660),
            Perturbation::DevanagariDigits => digits(0x966),
            Perturbation::ZeroWidth => between('\u{200b}'),
            Perturbation::SoftHyphen => between('\u{ad}'),
            Perturbation::NoBreakSpace => value.replace(' ', "\u{a0}"),
            Perturbation::Dashes => value.replace('-', "\u{2013}"),
            Perturbation::Html => value
                .chars()
                .map(|c| {
                    if c.is_ascii_alphabetic() { c.to_string() } else { format!("&#{};", c as u32) }
                })
                .collect(),
            Perturbation::Percent => value
                .chars()
                .map(|c| {
                    if c.is_ascii_punctuation() {
                        format!("%{:02X}", c as u32)
                    } else {
                        c.to_string()
                    }
                })
                .collect(),
            Perturbation::Typo => {
                let mut chars: Vec<char> = value.chars().collect();
                if let Some(i) = chars
                    .windows(2)
                    .position(|w| w.iter().all(|c| c.is_alphabetic()) && w[0] != w[1])
                {
                    chars.swap(i, i + 1);
                }
                chars.into_iter().collect()
            }
        }
    }
}
