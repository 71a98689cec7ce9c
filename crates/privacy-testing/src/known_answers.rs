//! Known answers from papers, closed forms and other systems, kept in text files beside the tests.
//!
//! A line is `name key=value … => expected ± tolerance`; the tolerance is absolute and may be left
//! out where the answer is exact. Every answer needs an origin: the nearest line `# origin: …`
//! above it. Other lines that begin with `#`, and empty lines, are skipped.
//!
//! ```
//! use privacy_testing::known_answers;
//!
//! let answers = known_answers::parse(
//!     "# origin: closed form r^m/(1+r)\n\
//!      laplace_tail scale=1 m=4 => 0.0133898049326985 ± 1e-15",
//! );
//! for answer in &answers {
//!     let (scale, m) = (answer.number("scale"), answer.number("m"));
//!     let r = (-1.0 / scale).exp();
//!     answer.check(r.powf(m) / (1.0 + r));
//! }
//! ```

use std::collections::BTreeMap;
use std::fmt;

/// One known answer.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownAnswer {
    /// The quantity.
    pub name: String,
    /// Its arguments by name.
    pub arguments: BTreeMap<String, String>,
    /// The value that is known.
    pub expected: f64,
    /// How far a computed value may be from it.
    pub tolerance: f64,
    /// Where the value comes from.
    pub origin: String,
    /// The line of the file.
    pub line: usize,
}

impl KnownAnswer {
    /// A numeric argument.
    ///
    /// # Panics
    ///
    /// If it is missing or not a number.
    #[must_use]
    pub fn number(&self, argument: &str) -> f64 {
        match self.arguments.get(argument).map(|text| text.parse()) {
            Some(Ok(number)) => number,
            _ => panic!("{self} has no number `{argument}`"),
        }
    }

    /// Fails unless `computed` is within the tolerance of the known value.
    ///
    /// # Panics
    ///
    /// If it is not, naming the answer and its origin.
    pub fn check(&self, computed: f64) {
        let error = (computed - self.expected).abs();
        assert!(
            error <= self.tolerance,
            "{self}: computed {computed:e}, known {:e} ± {:e} ({})",
            self.expected,
            self.tolerance,
            self.origin
        );
    }
}

impl fmt::Display for KnownAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.name)?;
        self.arguments.iter().try_for_each(|(key, value)| write!(f, " {key}={value}"))
    }
}

/// Reads a file of known answers.
///
/// # Panics
///
/// If a line does not have the form, an answer has no origin, or there are no answers: a file that
/// checks nothing is a mistake.
#[must_use]
pub fn parse(text: &str) -> Vec<KnownAnswer> {
    let mut origin = None;
    let mut answers = Vec::new();
    for (i, line) in text.lines().enumerate() {
        let (line, number) = (line.trim(), i + 1);
        if let Some(comment) = line.strip_prefix('#') {
            if let Some(text) = comment.trim().strip_prefix("origin:") {
                origin = Some(text.trim().to_owned());
            }
            continue;
        }
        if line.is_empty() {
            continue;
        }
        let Some(answer) = parse_line(line, number, origin.as_deref()) else {
            panic!(
                "line {number} is not `name key=value … => expected ± tolerance` with an origin"
            );
        };
        answers.push(answer);
    }
    assert!(!answers.is_empty(), "there are no known answers in the file");
    answers
}

fn parse_line(line: &str, number: usize, origin: Option<&str>) -> Option<KnownAnswer> {
    let (question, answer) = line.split_once("=>")?;
    let mut words = question.split_whitespace();
    let name = words.next()?.to_owned();
    let arguments = words
        .map(|word| word.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned())))
        .collect::<Option<_>>()?;
    let (expected, tolerance) = answer.split_once('±').unwrap_or((answer, "0"));
    Some(KnownAnswer {
        name,
        arguments,
        expected: expected.trim().parse().ok()?,
        tolerance: tolerance.trim().parse().ok()?,
        origin: origin?.to_owned(),
        line: number,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_carry_arguments_tolerance_and_origin() {
        let answers =
            parse("# a title\n\n# origin: by hand\nsum a=1 b=2.5 => 3.5\nhalf a=3 => 1.5 ± 1e-9");
        assert_eq!(answers.len(), 2);
        assert_eq!((answers[0].number("a"), answers[0].number("b")), (1.0, 2.5));
        assert_eq!((answers[1].expected, answers[1].tolerance, answers[1].line), (1.5, 1e-9, 5));
        assert_eq!(answers[1].origin, "by hand");
        answers[1].check(1.5 + 5e-10);
    }

    #[test]
    #[should_panic(expected = "computed 1.6e0")]
    fn a_wrong_value_fails() {
        parse("# origin: by hand\nhalf a=3 => 1.5 ± 1e-9")[0].check(1.6);
    }

    #[test]
    #[should_panic(expected = "with an origin")]
    fn an_answer_without_an_origin_fails() {
        let _ = parse("half a=3 => 1.5");
    }

    #[test]
    #[should_panic(expected = "no known answers")]
    fn an_empty_file_fails() {
        let _ = parse("# origin: nowhere\n");
    }
}
