//! Whatever a text contains, the work is linear in its length: counted, not timed.

use crate::analyzer::Analyzer;
use crate::work::measured;

/// Characters that mean something to a scanner, and some that don't.
const SIGNS: [&str; 34] = [
    "a", "A", "e", "x", "0", "1", "9", " ", "\n", "\t", ".", ",", ";", ":", "/", "-", "_", "+",
    "(", ")", "<", ">", "@", "&", "%", "#", "=", "\"", "'", "|", "é", "号", "\u{200b}", "５",
];

/// Longer ones, each meant to make some verifier look far.
const UNITS: [&str; 67] = [
    "1 2 3 4 ",
    "12-34-",
    "1.2.3.4.",
    "555-0132 ",
    "4111 ",
    "4111-",
    "+1 ",
    "+44(0)",
    "(0)",
    "((",
    "(1)",
    "01 ",
    "1/2/",
    "12/05/",
    "5 May ",
    "May 5 ",
    "May ",
    "5. Mai ",
    "Jan-",
    "a.a.",
    "a-a.",
    "www.",
    "a.com",
    "a.com/",
    "a.com.",
    "a@b.",
    "a@b.com",
    "@a.com",
    "http://",
    "a://",
    "http://a",
    "http://a.com/",
    "http://a.com:",
    "http://a@",
    "http://u:p@h/",
    "://",
    "eyJ",
    "eyJ-",
    "eyJhbGciOiJIUzI1NiJ9.",
    "sk-",
    "xoxb-",
    "AKIA",
    "password:",
    "password: ",
    "token=a",
    "authorization: bearer ",
    "Authorization: Basic YTpi",
    "-----BEGIN ",
    "-----BEGIN PRIVATE KEY-----\n",
    "&#64;",
    "&#",
    "&amp;",
    "%40",
    "%4",
    "%C3%A9",
    "\u{ff11}\u{ff20}",
    "passport ",
    "account number ",
    "身份证",
    "身份证1",
    "::1",
    "00:1b:",
    "P<",
    "DE89 3704 ",
    "Free Software Foundation, 12 Baker Street, ",
    "[a](https://example.org/a) `b()` ",
    "52°31'12\"N ",
];

/// Candidates close together.
const DENSE: [&str; 10] = [
    "ana@example.org ",
    "4111 1111 1111 1111 ",
    "DE89 3704 0044 0532 0130 00 ",
    "536-22-1847 ",
    "203.0.113.17,",
    "https://example.org/a?b=c ",
    "(415) 555-0132\t",
    "12 Baker Street ",
    "12/05/1987 ",
    "X1234567;AB123456C;12345678Z;",
];

/// Units of work for a byte, at most.
const MOST: usize = 120;

fn check(analyzer: &Analyzer, unit: &str, base: usize) {
    let work = |n: usize| {
        let text = unit.repeat(n / unit.len() + 1);
        measured(|| drop(analyzer.scan(&text)))
    };
    let (one, two, four) = (work(base), work(2 * base), work(4 * base));
    let linear = |more: usize, times: usize| more <= times * one + one / 8 + 4096;
    assert!(linear(two, 2) && linear(four, 4), "{unit:?}: {one}, {two}, {four}");
    assert!(four <= MOST * 4 * base, "{unit:?}: {} units for a byte", four / (4 * base));
}

#[test]
fn work_is_linear_in_repeated_signs() {
    let analyzer = Analyzer::builder().without_names().build().unwrap();
    for a in SIGNS {
        check(&analyzer, a, 4000);
        for b in SIGNS {
            check(&analyzer, &format!("{a}{b}"), 2000);
        }
    }
}

#[test]
fn work_is_linear_in_hostile_texts() {
    let analyzer = Analyzer::builder().without_names().build().unwrap();
    // Up to 48 kB, which is one block: a loop over the rest of a block would show.
    for unit in UNITS.iter().chain(&DENSE) {
        check(&analyzer, unit, 12_000);
    }
    for (head, unit) in
        [("http://a", "."), ("a.", "é"), ("password: ", "x"), ("eyJ", "a"), ("1 1 1 1 ", "1")]
    {
        check(&analyzer, &format!("{}{}", head.repeat(20), unit.repeat(300)), 12_000);
    }
}
