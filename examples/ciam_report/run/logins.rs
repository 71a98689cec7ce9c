//! Numbers about a week of logins: what a product team would ask.
//!
//! Read [`ask`] for how an application uses the library.

use confidant::dp;
use confidant::dp::prelude::*;

use crate::made_up::login::{COUNTRIES, DEVICES, HOURS, Login, MFA, names};
use crate::progress;
use crate::report::Answer;

/// How many logins of a user count at most. A product team knows without looking that most people
/// log in a few times a day at most; whoever does more often is cut off, and everybody is covered.
pub const MAX_LOGINS_PER_USER: u32 = 30;

/// What sessions are clamped to, in seconds: what lasts longer counts as an hour.
const SESSION_SECONDS: std::ops::RangeInclusive<u32> = 0..=3600;

/// Asks everything there is to ask of the logins; `percent` gives parts of the whole budget, of which
/// the questions take [`LOGINS`](crate::choose::LOGINS) together.
pub fn ask(
    logins: &[Login],
    percent: impl Fn(u32) -> dp::Result<Epsilon>,
    cx: Context,
) -> dp::Result<Vec<Answer>> {
    let (countries, devices, mfa) = (names(&COUNTRIES), names(&DEVICES), names(&MFA));
    let bar = progress::steps(10, "Answering");

    let session = Session::over(logins)
        .unit(|e: &Login| e.user_id)
        .max_rows_per_unit(MAX_LOGINS_PER_USER)
        .context(cx)
        .open()?;

    let mut answers = Vec::new();
    let mut answered = |answer| {
        answers.push(answer);
        bar.inc(1);
    };

    let name = "Active users";
    let users = session.count_units().named(name).epsilon(percent(2)?)?.release()?;
    answered(Answer::number(name, "users with a login attempt".into(), &users));

    let name = "Login attempts";
    let total = session.count().named(name).epsilon(percent(5)?)?.release()?;
    answered(Answer::number(name, "all attempts".into(), &total));

    let name = "Failed attempts";
    let failed = session.count().filter(|e| !e.success).named(name);
    let failed = failed.epsilon(percent(8)?)?.release()?;
    answered(Answer::number(name, "attempts without success".into(), &failed));

    let name = "Session seconds";
    let seconds = session
        .sum(|e| e.seconds)
        .filter(|e| e.success)
        .bounds(SESSION_SECONDS)?
        .named(name)
        .epsilon(percent(8)?)?
        .release()?;
    answered(Answer::number(name, "sum over sessions, each 0 to 3600 s".into(), &seconds));

    let name = "Seconds per session";
    let mean = session
        .mean(|e| e.seconds)
        .filter(|e| e.success)
        .bounds(SESSION_SECONDS)?
        .named(name)
        .epsilon(percent(8)?)?
        .release()?;
    answered(Answer::number(name, "mean of sessions, each 0 to 3600 s".into(), &mean));

    let name = "Attempts by country";
    let by = session.count().by(|e| e.country, &countries).named(name);
    let by = by.epsilon(percent(10)?)?.release()?;
    answered(Answer::groups(name, "attempts by country".into(), &by, text));

    let name = "Attempts by device";
    let by = session.count().by(|e| e.device, &devices).named(name);
    let by = by.epsilon(percent(6)?)?.release()?;
    answered(Answer::groups(name, "attempts by device".into(), &by, text));

    let name = "Attempts by factor";
    let by = session.count().by(|e| e.mfa, &mfa).named(name);
    let by = by.epsilon(percent(6)?)?.release()?;
    answered(Answer::groups(name, "attempts by second factor".into(), &by, text));

    let name = "Attempts by hour";
    let by = session.count().by(|e| e.hour, &HOURS).named(name);
    let by = by.epsilon(percent(12)?)?.release()?;
    answered(Answer::groups(name, "attempts by hour".into(), &by, hour).ordered());

    let name = "Failures by hour";
    let by = session.count().filter(|e| !e.success).by(|e| e.hour, &HOURS).named(name);
    let by = by.epsilon(percent(15)?)?.release()?;
    answered(Answer::groups(name, "failed attempts by hour".into(), &by, hour).ordered());

    bar.finish_and_clear();
    Ok(answers)
}

fn text(name: &&'static str) -> String {
    (*name).to_owned()
}

fn hour(hour: &u8) -> String {
    format!("{hour:02}:00")
}
