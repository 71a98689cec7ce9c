//! The report over the built-in week of logins: what a product team would ask.
//!
//! Read [`ask`] for how an application uses the library.

use std::collections::HashMap;

use confidant::core::release::Readable;
use confidant::dp;
use confidant::dp::prelude::*;

use crate::error::Error;
use crate::generate::{self, Shape};
use crate::login::{COUNTRIES, DEVICES, HOURS, Login, MFA, names};
use crate::progress;
use crate::report::{Answer, Report};

/// How many logins of a user count at most. A product team knows without looking that most people
/// log in a few times a day at most; whoever does more often is cut off, and everybody is covered.
pub const MAX_LOGINS_PER_USER: u32 = 30;

/// What sessions are clamped to, in seconds: what lasts longer counts as an hour.
const SESSION_SECONDS: std::ops::RangeInclusive<u32> = 0..=3600;

/// Makes the data and reports on it.
pub fn report(shape: Shape, budget: &Epsilon) -> Result<Report, Error> {
    let bar = progress::steps(shape.events.into(), "Making logins");
    let logins = generate::logins(shape, || bar.inc(1));
    bar.finish_and_clear();
    let logins = logins.ok_or(Error::Options(
        "--events must be at least --users, and --users at least 1: every user logs in once",
    ))?;
    ask(&logins, shape, budget).map_err(Error::Session)
}

/// Asks everything there is to ask of the logins.
fn ask(logins: &[Login], shape: Shape, budget: &Epsilon) -> dp::Result<Report> {
    // A part of the budget, exactly: the parts below are 90 %, the rest is for a later question.
    let percent = |part| Epsilon::from_amount(budget.amount() * &Amount::from_percent(part));
    let (countries, devices, mfa) = (names(&COUNTRIES), names(&DEVICES), names(&MFA));
    let bar = progress::steps(10, "Answering");

    let session = Session::over(logins)
        .unit(|e: &Login| e.user_id)
        .max_rows_per_unit(MAX_LOGINS_PER_USER)
        .budget(budget.clone())
        .open()?;

    let mut answers = Vec::new();
    let mut answered = |answer| {
        answers.push(answer);
        bar.inc(1);
    };

    let users = session.count_units().epsilon(percent(2)?)?.release()?;
    answered(Answer::number("Active users", "users with a login attempt".into(), &users));

    let total = session.count().epsilon(percent(5)?)?.release()?;
    answered(Answer::number("Login attempts", "all attempts".into(), &total));

    let failed = session.count().filter(|e| !e.success).epsilon(percent(10)?)?.release()?;
    answered(Answer::number("Failed attempts", "attempts without success".into(), &failed));

    let seconds = session
        .sum(|e| e.seconds)
        .filter(|e| e.success)
        .bounds(SESSION_SECONDS)?
        .epsilon(percent(10)?)?
        .release()?;
    let question = "sum over sessions, each 0 to 3600 s".into();
    answered(Answer::number("Session seconds", question, &seconds));

    let mean = session
        .mean(|e| e.seconds)
        .filter(|e| e.success)
        .bounds(SESSION_SECONDS)?
        .epsilon(percent(10)?)?
        .release()?;
    let question = "mean of sessions, each 0 to 3600 s".into();
    answered(Answer::number("Seconds per session", question, &mean));

    let by = session.count().by(|e| e.country, &countries).epsilon(percent(10)?)?.release()?;
    answered(Answer::groups("Attempts by country", "attempts by country".into(), &by, text));

    let by = session.count().by(|e| e.device, &devices).epsilon(percent(8)?)?.release()?;
    answered(Answer::groups("Attempts by device", "attempts by device".into(), &by, text));

    let by = session.count().by(|e| e.mfa, &mfa).epsilon(percent(8)?)?.release()?;
    answered(Answer::groups("Attempts by factor", "attempts by second factor".into(), &by, text));

    let by = session.count().by(|e| e.hour, &HOURS).epsilon(percent(12)?)?.release()?;
    answered(Answer::groups("Attempts by hour", "attempts by hour".into(), &by, hour));

    let by = session
        .count()
        .filter(|e| !e.success)
        .by(|e| e.hour, &HOURS)
        .epsilon(percent(15)?)?
        .release()?;
    answered(Answer::groups("Failures by hour", "failed attempts by hour".into(), &by, hour));

    bar.finish_and_clear();
    Ok(Report {
        title: "A week of logins, reported with differential privacy".to_owned(),
        about: about(shape, left_by_limit(logins), budget),
        answers,
        budget: session.limit(),
        spent: session.spent(),
        left: session.remaining(),
    })
}

fn text(name: &&'static str) -> String {
    (*name).to_owned()
}

fn hour(hour: &u8) -> String {
    format!("{hour:02}:00")
}

/// How many attempts are left where each user counts at most [`MAX_LOGINS_PER_USER`] times.
///
/// This looks at the data without noise. Only for data that is made up.
fn left_by_limit(logins: &[Login]) -> i64 {
    let mut attempts: HashMap<u32, u32> = HashMap::new();
    for login in logins {
        *attempts.entry(login.user_id).or_default() += 1;
    }
    attempts.into_values().map(|count| i64::from(count.min(MAX_LOGINS_PER_USER))).sum()
}

/// What may be said about the data and the parameters before any question.
fn about(shape: Shape, left: i64, budget: &Epsilon) -> Vec<(&'static str, String)> {
    let Shape { users, events, seed } = shape;
    let number = |count: i64| count.readable(0.0);
    let data = format!(
        "{} login attempts of {} users, made up from seed {seed}. Because they are made up, it may \
         be told that {} are left when each user counts at most {MAX_LOGINS_PER_USER} times: that \
         is the number of attempts that the report estimates.",
        number(events.into()),
        number(users.into()),
        number(left),
    );
    let protects = format!(
        "a user, with everything they did. At most {MAX_LOGINS_PER_USER} attempts of each user \
         count, chosen at random: more would mean more noise, fewer would cut off more. \
         Adding or removing one user changes the probability of any report by at most e^ε."
    );
    let budget = format!(
        "ε = {budget} for everything. 2 % buys the number of users, to which each adds only 1; \
         5 to 15 % buys each other question; 10 % stays for a later one."
    );
    let known = "Countries, devices, factors and hours are listed beforehand, and sessions are \
                 clamped to an hour: nothing about the parameters was read off the data.";
    let noise = "discrete Laplace, drawn exactly, from the operating system's randomness.";
    vec![
        ("Data", data),
        ("Protects", protects),
        ("Budget", budget),
        ("Known", known.to_owned()),
        ("Noise", noise.to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_of_the_budget_is_left_exactly() {
        let shape = Shape { users: 100, events: 1000, seed: 3 };
        let report = report(shape, &Epsilon::new(0.7).unwrap()).unwrap();
        assert_eq!(report.left, Epsilon::new(0.07).unwrap().into());
        assert_eq!(report.spent, Epsilon::new(0.63).unwrap().into());
        assert_eq!(report.answers.len(), 10);
    }

    #[test]
    fn too_few_events_are_an_error_of_the_options() {
        let shape = Shape { users: 10, events: 9, seed: 3 };
        let error = report(shape, &Epsilon::new(1.0).unwrap()).err().unwrap();
        assert!(matches!(error, Error::Options(_)));
    }
}
