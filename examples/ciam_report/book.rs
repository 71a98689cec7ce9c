//! The ledger under a report: one account for the whole, one below it for each part, and at the end
//! what was spent when, with a signed checkpoint of the log.

use std::path::Path;

use confidant::core::access::{Actor, Purpose};
use confidant::core::context::Context;
use confidant::dp::prelude::{Allowance, Charge};
use confidant::ledger::{Account, Event, Ledger, Signer, VerifierKey};

use crate::error::Error;
use crate::report::{Balance, Checkpoint, Spending, Step};

/// Steps that a report lists at most: of a ledger with a long history the latest.
const STEPS: usize = 200;

/// A ledger that is open for one report.
pub struct Book {
    ledger: Ledger,
    key: VerifierKey,
    root: &'static str,
}

impl Book {
    /// Opens the ledger in the file at `path`, or one in memory, with the account `root` of `limit` and
    /// an account below it for each of `parts`.
    pub fn open(
        path: Option<&Path>,
        root: &'static str,
        limit: impl Into<Allowance>,
        parts: impl IntoIterator<Item = (&'static str, Allowance)>,
    ) -> Result<Self, Error> {
        // A key for this run. Whoever keeps checkpoints for longer keeps a key, apart from the ledger.
        let signer = Signer::generate("ledger.example/ciam-report")?;
        let key = signer.verifier();
        let options = Ledger::options().signer(signer).code_version("ciam_report 0.1.0");
        let ledger = match path {
            Some(path) => options.open(path)?,
            None => options.in_memory()?,
        };
        let open = |account| match ledger.open_account(account) {
            Err(confidant::ledger::Error::AccountDiffers) => Err(Error::OtherBudget),
            opened => opened.map(drop).map_err(Error::from),
        };
        open(Account::at(root, limit)?)?;
        for (part, limit) in parts {
            open(Account::at(format!("{root}/{part}"), limit)?)?;
        }
        Ok(Book { ledger, key, root })
    }

    /// A context that charges the account of `part`, or that of the whole, and records in the log.
    pub fn context(&self, part: Option<&str>, purpose: &'static str) -> Result<Context, Error> {
        let path = match part {
            Some(part) => format!("{}/{part}", self.root),
            None => self.root.to_owned(),
        };
        let context = Context::new(Actor::new("ciam_report"), Purpose::new(purpose))?;
        Ok(context.ledger(self.ledger.account(path)?))
    }

    /// Refuses a report that the whole cannot pay for, before data is touched.
    pub fn check_affordable(&self, price: &Charge) -> Result<(), Error> {
        Ok(self.context(None, "a price")?.check_affordable(price)?)
    }

    /// Where everything stands now, after the log was verified.
    pub fn close(&self) -> Result<Spending, Error> {
        let verified = self.ledger.verify()?;
        let checkpoint = self.ledger.checkpoint()?;
        let known = checkpoint.verify(&self.key)?;
        let accounts: Vec<Balance> = verified
            .accounts
            .iter()
            .map(|account| Balance {
                account: account.path.to_string(),
                limit: account.limit.clone(),
                spent: account.used.clone(),
                left: account.remaining.clone(),
            })
            .collect();
        let checkpoint = Checkpoint {
            entries: known.size,
            root: known.root.to_string(),
            note: checkpoint.as_str().to_owned(),
            key: self.key.to_string(),
        };
        Ok(Spending { accounts, steps: self.steps(known.size)?, checkpoint })
    }

    /// What `spending` says was spent of the whole, and what is left of `limit`.
    pub fn spent_and_left(&self, spending: &Spending, limit: &Allowance) -> (Allowance, Allowance) {
        let whole = spending.accounts.iter().find(|balance| balance.account == self.root);
        whole.map_or_else(
            // Not of the ledger's making: nothing that could be spent by mistake.
            || (limit.clone(), limit.nothing()),
            |whole| (whole.spent.clone(), whole.left.clone()),
        )
    }

    /// What the log says was done, and where the whole stood after each step.
    fn steps(&self, entries: u64) -> Result<Vec<Step>, Error> {
        let mut steps = Vec::new();
        // One moment for each entry.
        let history = self.ledger.history(entries)?;
        for ((_, entry), moment) in self.ledger.entries(0..entries)?.iter().zip(&history) {
            let Event::Recorded(record) = &entry.event else { continue };
            let whole = moment.accounts.iter().find(|account| account.path.as_str() == self.root);
            let Some(whole) = whole else { continue };
            steps.push(Step {
                at: moment.at.to_string(),
                what: record.resource.as_str().to_owned(),
                purpose: record.purpose.as_str().to_owned(),
                outcome: record.outcome.to_string(),
                charge: record.charge.clone(),
                spent: whole.used.clone(),
                left: whole.remaining.clone(),
            });
        }
        steps.drain(..steps.len().saturating_sub(STEPS));
        Ok(steps)
    }
}

#[cfg(test)]
mod tests {
    use confidant::core::prelude::*;

    use super::*;

    #[test]
    fn what_is_spent_in_a_part_is_spent_in_the_whole_and_signed() {
        let limit = Epsilon::new(1.0).unwrap();
        let book = Book::open(None, "acme", limit.clone(), [("a", limit.into())]).unwrap();
        let mut cx = book.context(Some("a"), "a test").unwrap();
        let price = Epsilon::new(0.25).unwrap().into();
        let ask = Ask::new(Resource::new("a number"), price, Scope::of::<User, AddRemove>());
        let _ = cx.release(ask, |_| Ok(())).unwrap();
        cx.record(Resource::new("a table"), Guarantee::None).unwrap();
        let spending = book.close().unwrap();
        let limit = Epsilon::new(1.0).unwrap().into();
        let (spent, left) = book.spent_and_left(&spending, &limit);
        assert_eq!((spent.to_string(), left.to_string()), ("ε = 0.25".into(), "ε = 0.75".into()));
        let steps: Vec<&str> = spending.steps.iter().map(|step| step.what.as_str()).collect();
        assert_eq!(steps, ["a number", "a table"]);
        assert_eq!(spending.steps[1].spent.to_string(), "ε = 0.25");
        assert!(spending.checkpoint.note.contains(&spending.checkpoint.root));
    }

    #[test]
    fn a_second_report_on_the_same_data_has_only_what_the_first_left() {
        let folder = std::env::temp_dir().join(format!("ciam_report-{}-book", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("budget.db");
        let run = |price: f64| {
            let limit = Epsilon::new(1.0).unwrap();
            let book = Book::open(Some(&path), "acme", limit, []).unwrap();
            let mut cx = book.context(None, "a test").unwrap();
            let price = Epsilon::new(price).unwrap().into();
            let ask = Ask::new(Resource::new("n"), price, Scope::of::<User, AddRemove>());
            cx.release(ask, |_| Ok(())).map(|_| ())
        };
        assert!(run(0.9).is_ok());
        assert!(run(0.9).is_err_and(|error| error.is_budget()));
        assert!(run(0.1).is_ok());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
