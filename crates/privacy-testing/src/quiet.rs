//! Errors, `Debug` and `Display` carry no data.

use std::error::Error;
use std::fmt::Debug;

/// Fails if a text contains one of the secrets.
///
/// # Panics
///
/// Naming the position of the secret, never the secret.
pub fn check_text(what: &str, text: &str, secrets: &[&str]) {
    assert!(!secrets.is_empty(), "give at least one secret to look for");
    for (i, secret) in secrets.iter().enumerate() {
        assert!(!secret.is_empty(), "secret {i} is empty and would be found everywhere");
        assert!(!text.contains(secret), "{what} shows secret {i}");
    }
}

/// Fails if `Debug`, plain or pretty, shows one of the secrets.
///
/// # Panics
///
/// As [`check_text`].
pub fn check_debug(value: &impl Debug, secrets: &[&str]) {
    check_text("Debug", &format!("{value:?}"), secrets);
    check_text("Debug", &format!("{value:#?}"), secrets);
}

/// Fails if an error, or any of its sources, shows one of the secrets in `Display` or `Debug`.
///
/// # Panics
///
/// As [`check_text`].
pub fn check_error(error: &(dyn Error + 'static), secrets: &[&str]) {
    let mut next = Some(error);
    while let Some(error) = next {
        check_text("an error's Display", &error.to_string(), secrets);
        check_text("an error's Debug", &format!("{error:?}"), secrets);
        next = error.source();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Outer(std::num::ParseIntError);

    impl std::fmt::Display for Outer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("outer")
        }
    }

    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    fn outer() -> Outer {
        Outer("x".parse::<u8>().unwrap_err())
    }

    #[test]
    fn quiet_errors_pass() {
        check_error(&outer(), &["ana@example.org"]);
        check_debug(&outer(), &["ana@example.org"]);
    }

    #[test]
    #[should_panic(expected = "shows secret 1")]
    fn a_source_that_speaks_fails() {
        check_error(&outer(), &["ana", "invalid digit"]);
    }

    #[test]
    #[should_panic(expected = "is empty")]
    fn an_empty_secret_is_a_mistake() {
        check_text("text", "text", &[""]);
    }
}
