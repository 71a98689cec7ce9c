//! The report about the made-up identity product: find out what its sources hold, handle each as
//! chosen, and tell what came of it.

use std::collections::HashMap;
use std::path::Path;

use confidant::core::release::Readable;
use confidant::core::sensitive::SensitivityLevel;
use confidant::deid::Analyzer;
use confidant::dp;
use confidant::dp::prelude::*;
use confidant::kanon::prelude::CsvOptions;

use crate::book::Book;
use crate::choose::{Choices, LOGINS, SMALL, Source, Technique};
use crate::error::Error;
use crate::file;
use crate::identify::{self, Column, Known};
use crate::made_up::Product;
use crate::made_up::generate::Shape;
use crate::made_up::login::Login;
use crate::made_up::profile::{PLANS, Profile};
use crate::progress;
use crate::report::{Answer, Found, Owner, Report};
use crate::run::logins::{self, MAX_LOGINS_PER_USER};
use crate::run::partner::{self, Order};
use crate::run::{minutes, notes};

/// The account of the product in the ledger.
const ROOT: &str = "acme";

/// What is to be made.
pub struct Task<'a> {
    pub shape: Shape,
    pub budget: &'a Epsilon,
    pub choices: &'a Choices,
    /// The file of the ledger; in memory without one.
    pub ledger: Option<&'a Path>,
    /// Where the table for a partner goes.
    pub table: Option<&'a Path>,
    /// Where the redacted notes go.
    pub notes: Option<&'a Path>,
    /// Whether the report has a part for the owner.
    pub for_the_owner: bool,
}

impl<'a> Task<'a> {
    /// With a ledger in memory, the owner's part, and no file.
    pub fn new(shape: Shape, budget: &'a Epsilon, choices: &'a Choices) -> Self {
        let (ledger, table, notes) = (None, None, None);
        Task { shape, budget, choices, ledger, table, notes, for_the_owner: true }
    }
}

/// Makes the data and reports on it.
pub fn report(task: &Task<'_>) -> Result<Report, Error> {
    let Task { shape, budget, choices, .. } = *task;
    if task.table.is_some() && choices.of(Source::Profiles) != Technique::Table {
        return Err(Error::Options("--table needs the technique `table` for the profiles"));
    }
    if task.notes.is_some() && choices.of(Source::Notes) != Technique::Redact {
        return Err(Error::Options("--notes needs the technique `redact` for the notes"));
    }
    let percent = |part: u32| {
        let amount = budget.amount() * &Amount::from_percent(part);
        Epsilon::from_amount(amount).map_err(dp::Error::from)
    };
    let small = percent(SMALL)?;
    let order = Order::for_profiles(choices.k)?;
    let parts = [
        ("logins", percent(LOGINS)?.into()),
        ("profiles", small.clone().into()),
        ("notes", small.clone().into()),
        ("minutes", small.clone().into()),
    ];
    let book = Book::open(task.ledger, ROOT, budget.clone(), parts)?;
    // All or nothing: a report that could not be finished would have spent for little.
    book.check_affordable(&percent(choices.percent())?.into())?;

    let bar = progress::steps(shape.events.into(), "Making a week of data");
    let product = Product::new(shape, || bar.inc(1));
    bar.finish_and_clear();
    let product = product.ok_or(Error::Options(
        "--events must be at least --users, and --users at least 1: every user logs in once",
    ))?;

    let analyzer = Analyzer::new()?;
    let mut owner = Owner { found: identified(&analyzer, &product)?, ..Owner::default() };
    let mut answers = Vec::new();

    if choices.of(Source::Logins) == Technique::Numbers {
        let cx = book.context(Some("logins"), "weekly usage")?;
        answers.extend(logins::ask(&product.logins, percent, cx)?);
    }
    match choices.of(Source::Minutes) {
        Technique::EncryptedSum => {
            let mut cx = book.context(Some("minutes"), "capacity")?;
            answers.push(minutes::sum(&product.minutes(minutes::CAP), &small, &mut cx)?);
        }
        Technique::Numbers => {
            let cx = book.context(Some("minutes"), "capacity")?;
            answers.push(minutes::sum_in_the_clear(&product.minutes_of_users(), &small, cx)?);
        }
        _ => {}
    }
    match choices.of(Source::Profiles) {
        Technique::Table => {
            let spinner = progress::busy("Anonymizing profiles");
            let mut cx = book.context(Some("profiles"), "capacity planning by a partner")?;
            let table = partner::table_of(&product.profiles)?;
            let (release, study) = partner::release(table, &order, &mut cx)?;
            if let Some(path) = task.table {
                CsvOptions::new().write_path(release.table(), path)?;
            }
            owner.table = Some(study);
            spinner.finish_and_clear();
        }
        Technique::Numbers => {
            let cx = book.context(Some("profiles"), "capacity planning by a partner")?;
            answers.push(users_by_plan(&product.profiles, &small, cx)?);
        }
        _ => {}
    }
    if choices.of(Source::Notes) == Technique::Redact {
        let mut cx = book.context(Some("notes"), "staffing of support")?;
        let (safe, study) = notes::redact(&analyzer, &product.notes, &mut cx)?;
        if let Some(path) = task.notes {
            file::write(path, &notes::to_csv(&safe)?)?;
        }
        owner.texts = Some(study);
        answers.push(notes::count(&safe, small.clone(), cx)?);
    }

    let guarantee = |source, technique| match (source, technique) {
        (_, Technique::Table) => partner::guarantee(&order.models),
        (_, Technique::Redact) => notes::guarantee(),
        (_, Technique::EncryptedSum) => minutes::guarantee(&small),
        (Source::Logins, Technique::Numbers) => {
            let epsilon = percent(LOGINS).map_or(String::new(), |e| e.to_string());
            format!("differential privacy, ε = {epsilon} for each user with all their logins")
        }
        (_, Technique::Numbers) => format!("differential privacy, ε = {small} for each user"),
        _ => "no value of it leaves".to_owned(),
    };
    let ledger = book.close()?;
    let limit = Allowance::from(budget.clone());
    let (spent, left) = book.spent_and_left(&ledger, &limit);
    Ok(Report {
        title: "A week of an identity product".to_owned(),
        about: about(shape, left_by_limit(&product.logins), budget),
        sources: choices.handlings(guarantee),
        answers,
        budget: limit,
        spent,
        left,
        ledger,
        for_the_owner: task.for_the_owner.then_some(owner),
    })
}

/// What the sources hold: found in samples, and known to the product's makers.
fn identified(analyzer: &Analyzer, product: &Product) -> Result<Vec<Found>, Error> {
    use SensitivityLevel::{Confidential, Internal};
    let known = |column, level, why| Known { column, level, why };
    let logins: &[Login] = &product.logins;
    let columns = [
        Column::of("user_id", logins, |e| e.user_id.to_string()),
        Column::of("country", logins, |e| e.country.to_owned()),
        Column::of("device", logins, |e| e.device.to_owned()),
        Column::of("mfa", logins, |e| e.mfa.to_owned()),
        Column::of("hour", logins, |e| e.hour.to_string()),
        Column::of("seconds", logins, |e| e.seconds.to_string()),
    ];
    let habits = "together the events of a user show habits";
    let by_owner = [
        known("user_id", Confidential, "it is the key of a person in every system"),
        known("hour", Internal, habits),
        known("device", Internal, habits),
        known("seconds", Internal, habits),
    ];
    let logins = identify::source(analyzer, Source::Logins.title(), &columns, &by_owner)?;

    let profiles: &[Profile] = &product.profiles;
    let columns = [
        Column::of("email", profiles, |p| p.email.clone()),
        Column::of("birth_year", profiles, |p| p.birth_year.to_string()),
        Column::of("postcode", profiles, |p| p.postcode.clone()),
        Column::of("country", profiles, |p| p.country.to_owned()),
        Column::of("plan", profiles, |p| p.plan.to_owned()),
    ];
    let together = "with the other columns it singles people out";
    let by_owner = [
        known("birth_year", Internal, together),
        known("postcode", Internal, together),
        known("country", Internal, together),
        known("plan", Confidential, "what someone pays is nobody's business"),
    ];
    let profiles = identify::source(analyzer, Source::Profiles.title(), &columns, &by_owner)?;

    let columns = [
        Column::of("topic", &product.notes, |note| note.topic.to_owned()),
        Column::of("text", &product.notes, |note| note.text.clone()),
    ];
    let by_owner = [known("text", Confidential, "free text about a customer may hold anything")];
    let notes = identify::source(analyzer, Source::Notes.title(), &columns, &by_owner)?;
    Ok(vec![logins, profiles, notes])
}

/// How many users have which plan.
fn users_by_plan(profiles: &[Profile], epsilon: &Epsilon, cx: Context) -> Result<Answer, Error> {
    let name = "Users by plan";
    let plans = PLANS.map(|(plan, _)| plan);
    let session = Session::over(profiles)
        .unit(|profile: &Profile| &profile.email)
        .max_rows_per_unit(1)
        .context(cx)
        .open()?;
    let by = session.count().by(|profile| profile.plan, &plans).named(name);
    let by = by.epsilon(epsilon.clone())?.release()?;
    Ok(Answer::groups(name, "users by plan".into(), &by, |plan| (*plan).to_owned()))
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
        "{} login attempts, the profiles and the support notes of {} users, made up from seed {seed}. \
         Because they are made up, it may be told that {} attempts are left when each user counts at \
         most {MAX_LOGINS_PER_USER} times: that is the number that the report estimates.",
        number(events.into()),
        number(users.into()),
        number(left),
    );
    let protects = format!(
        "a user, with everything they did in all sources. At most {MAX_LOGINS_PER_USER} attempts of each \
         user count, chosen at random: more would mean more noise, fewer would cut off more. \
         Adding or removing one user changes the probability of any set of answers by at most e^ε."
    );
    let budget = format!(
        "ε = {budget} for all answers of all sources. 80 % is for the logins, 5 % each for notes, \
         session minutes and profiles; what is not used stays for a later question."
    );
    let known = "Countries, devices, factors, hours, topics and plans are listed beforehand, and numbers \
                 are clamped to fixed bounds: nothing about the parameters was read off the data.";
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
    use crate::choose::DEFAULT_K;

    fn made(shape: Shape, epsilon: f64, overrides: &[&str]) -> Result<Report, Error> {
        let overrides: Vec<_> = overrides.iter().map(|text| text.parse().unwrap()).collect();
        let choices = Choices::new(&overrides, DEFAULT_K).unwrap();
        let budget = Epsilon::new(epsilon).unwrap();
        report(&Task::new(shape, &budget, &choices))
    }

    const SMALL: Shape = Shape { users: 300, events: 1500, seed: 3 };

    #[test]
    fn a_tenth_of_the_budget_is_left_exactly() {
        let report = made(SMALL, 0.7, &[]).unwrap();
        assert_eq!(report.left, Epsilon::new(0.07).unwrap().into());
        assert_eq!(report.spent, Epsilon::new(0.63).unwrap().into());
        assert_eq!(report.answers.len(), 12);
        let steps = &report.ledger.steps;
        assert_eq!(steps.len(), 14, "every answer, the table and the redaction");
        assert_eq!(steps.last().unwrap().spent, report.spent);
    }

    #[test]
    fn what_is_dropped_costs_nothing_and_is_not_in_the_report() {
        let report = made(SMALL, 1.0, &["notes=drop", "minutes=drop", "profiles=numbers"]).unwrap();
        assert_eq!(report.spent, Epsilon::new(0.85).unwrap().into());
        let owner = report.for_the_owner.unwrap();
        assert!(owner.table.is_none() && owner.texts.is_none());
        assert!(report.answers.iter().all(|answer| !answer.name.contains("inutes")));
        assert!(report.sources.iter().filter(|source| source.overridden).count() == 3);
    }

    #[test]
    fn a_second_report_from_the_same_ledger_is_refused_whole() {
        let folder = std::env::temp_dir().join(format!("ciam_report-{}-twice", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("budget.db");
        let run = |epsilon: f64| {
            let (choices, budget) =
                (Choices::new(&[], DEFAULT_K).unwrap(), Epsilon::new(epsilon).unwrap());
            report(&Task { ledger: Some(&path), ..Task::new(SMALL, &budget, &choices) })
        };
        let first = run(1.0).unwrap().ledger.checkpoint.entries;
        let refused = run(1.0).err().unwrap();
        assert!(matches!(refused, Error::Step(error) if error.is_budget()));
        assert!(matches!(run(2.0), Err(Error::OtherBudget)));
        let entries = confidant::ledger::Ledger::open(&path).unwrap().size().unwrap();
        assert_eq!(entries, first, "nothing was tried, so nothing was recorded");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn table_and_notes_can_be_written_where_they_are_made() {
        let folder = std::env::temp_dir().join(format!("ciam_report-{}-files", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let [table, notes] = ["table.csv", "notes.csv"].map(|name| folder.join(name));
        let budget = Epsilon::new(1.0).unwrap();
        let choices = Choices::new(&[], DEFAULT_K).unwrap();
        let (to_table, to_notes) = (Some(table.as_path()), Some(notes.as_path()));
        let wanted =
            Task { table: to_table, notes: to_notes, ..Task::new(SMALL, &budget, &choices) };
        let owner = report(&wanted).unwrap().for_the_owner.unwrap();
        let lines = |path: &Path| std::fs::read_to_string(path).unwrap().lines().count() as u64;
        assert_eq!(lines(&table), 1 + owner.table.unwrap().rows);
        let mut reader = csv::Reader::from_path(&notes).unwrap();
        assert_eq!(reader.records().count(), owner.texts.unwrap().texts);

        let choices = ["profiles=drop", "notes=drop"].map(|text| text.parse().unwrap());
        let choices = Choices::new(&choices, DEFAULT_K).unwrap();
        for (table, notes) in [(to_table, None), (None, to_notes)] {
            let wanted = Task { table, notes, ..Task::new(SMALL, &budget, &choices) };
            assert!(matches!(report(&wanted), Err(Error::Options(_))));
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn too_few_events_are_an_error_of_the_options() {
        let error = made(Shape { users: 10, events: 9, seed: 3 }, 1.0, &[]).err().unwrap();
        assert!(matches!(error, Error::Options(_)));
    }
}
