//! The state machine against a naive model: a list of charges, summed anew for every question.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use privacy_core::budget::{Budget, Refusal, Reservation};
use privacy_core::prelude::*;
use privacy_core::unit::Relation;
use privacy_ledger::{
    Account, AccountBudget, AccountPath, Begun, Hold, Ledger, ManualClock, Past, Renewal, Timestamp,
};
use proptest::prelude::*;
use tempfile::TempDir;

use crate::common::{USERS, clock, folder, hundredths, limit, noon, request};

const LEAVES: [&str; 8] = ["", "t", "t/d", "t/d/b0", "t/d/b1", "t/d/b2", "t/d/b0/x", "t/e"];
const TIMEOUT: Duration = Duration::from_secs(3600);

#[derive(Clone, Debug)]
enum Step {
    Reserve {
        leaf: usize,
        name: u8,
        amount: u64,
        commit: bool,
        roll_back: bool,
    },
    Hold {
        leaf: usize,
        name: u8,
        amount: u64,
        commit: bool,
    },
    /// Ends what is open, oldest first.
    Settle {
        commit: bool,
    },
    Wait {
        minutes: u64,
    },
    Limit {
        amount: u64,
    },
    /// Another process takes over, where the ledger is in a file.
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let leaf = 0..LEAVES.len();
    prop_oneof![
        6 => (leaf.clone(), 0..12u8, 1..40u64, any::<bool>(), any::<bool>()).prop_map(
            |(leaf, name, amount, commit, roll_back)| Step::Reserve {
                leaf, name, amount, commit, roll_back
            }
        ),
        2 => (leaf, 0..12u8, 1..40u64, any::<bool>())
            .prop_map(|(leaf, name, amount, commit)| Step::Hold { leaf, name, amount, commit }),
        2 => any::<bool>().prop_map(|commit| Step::Settle { commit }),
        2 => (1..600u64).prop_map(|minutes| Step::Wait { minutes }),
        1 => (20..200u64).prop_map(|amount| Step::Limit { amount }),
        2 => Just(Step::Reopen),
    ]
}

/// A charge as the model remembers it.
#[derive(Clone, Debug)]
struct Charged {
    leaf: &'static str,
    name: u8,
    amount: u64,
    day: u64,
    hold: bool,
    lapses: Timestamp,
    open: bool,
    committed: bool,
}

struct Model {
    relation: Relation,
    now: Timestamp,
    limits: BTreeMap<&'static str, u64>,
    charges: Vec<Charged>,
}

fn day(at: Timestamp) -> u64 {
    at.as_millis() / 86_400_000
}

impl Model {
    /// The accounts a charge to `leaf` counts in.
    fn chain(&self, leaf: &str) -> Vec<&'static str> {
        let above = |account: &str| {
            account.is_empty() || leaf == account || leaf.starts_with(&format!("{account}/"))
        };
        self.limits.keys().copied().filter(|account| above(account)).collect()
    }

    /// What `account` has used: the definition, written down.
    fn used(&self, account: &str) -> u64 {
        let renewing = account == "t";
        let counted: Vec<_> = self
            .charges
            .iter()
            .filter(|charge| self.chain(charge.leaf).contains(&account))
            .filter(|charge| !renewing || charge.day == day(self.now))
            .collect();
        let block = |leaf: &str| {
            leaf.strip_prefix("t/d/").map(|rest| rest.split('/').next().unwrap().to_owned())
        };
        // Only accounts at or above the partition see blocks.
        if !["", "t", "t/d"].contains(&account) {
            return counted.iter().map(|charge| charge.amount).sum();
        }
        let outside: u64 = counted
            .iter()
            .filter(|charge| block(charge.leaf).is_none())
            .map(|charge| charge.amount)
            .sum();
        let mut blocks: BTreeMap<String, u64> = BTreeMap::new();
        for charge in &counted {
            if let Some(block) = block(charge.leaf) {
                *blocks.entry(block).or_default() += charge.amount;
            }
        }
        let mut totals: Vec<u64> = blocks.into_values().collect();
        totals.sort_unstable_by(|a, b| b.cmp(a));
        let counts = if self.relation == Relation::AddRemove { 1 } else { 2 };
        outside + totals.iter().take(counts).sum::<u64>()
    }

    fn known(&self, leaf: &str, name: u8) -> Option<&Charged> {
        self.charges.iter().find(|charge| charge.leaf == leaf && charge.name == name)
    }

    fn grants(&mut self, charge: Charged) -> bool {
        let fits_before = self.chain(charge.leaf).iter().all(|a| self.used(a) <= self.limits[a]);
        self.charges.push(charge.clone());
        let fits =
            fits_before && self.chain(charge.leaf).iter().all(|a| self.used(a) <= self.limits[a]);
        if !fits {
            self.charges.pop();
        }
        fits
    }

    fn wait(&mut self, to: Timestamp) {
        self.now = to;
        self.charges.retain(|charge| !(charge.open && charge.hold && charge.lapses <= to));
        for charge in &mut self.charges {
            charge.open &= charge.lapses > to;
        }
    }
}

struct World {
    ledger: Ledger,
    clock: Arc<ManualClock>,
    model: Model,
    open: Vec<(&'static str, u8, Ticket)>,
    file: Option<(TempDir, u64)>,
}

fn opened(clock: &Arc<ManualClock>, file: Option<&(TempDir, u64)>) -> Ledger {
    let options = Ledger::options().clock(clock.clone()).timeout(TIMEOUT);
    match file {
        Some((folder, entries)) => {
            options.carry_every(*entries).open(folder.path().join("budget.db")).unwrap()
        }
        None => options.in_memory().unwrap(),
    }
}

enum Ticket {
    Reservation(Reservation),
    Hold(Hold),
}

impl World {
    /// In memory, or in a file that carries its books forward every so many entries.
    fn new(relation: Relation, carry_every: Option<u64>) -> Self {
        let clock = clock();
        let file = carry_every.map(|entries| (folder(), entries));
        let ledger = opened(&clock, file.as_ref());
        let scope = Scope { relation, ..USERS };
        let at = |path: &str, n| Account::at(path, limit(n)).unwrap().protects(scope);
        ledger.open_account(Account::root(limit(300))).unwrap();
        ledger.open_account(at("t", 150).renews(Renewal::Daily)).unwrap();
        ledger.open_account(at("t/d", 100).blocks(limit(60))).unwrap();
        ledger.open_account(at("t/d/b0/x", 30)).unwrap();
        ledger.open_account(at("t/e", 80)).unwrap();
        let limits = [
            ("", 300),
            ("t", 150),
            ("t/d", 100),
            ("t/d/b0", 60),
            ("t/d/b1", 60),
            ("t/d/b2", 60),
            ("t/d/b0/x", 30),
            ("t/e", 80),
        ];
        let model = Model { relation, now: noon(), limits: limits.into(), charges: Vec::new() };
        World { ledger, clock, model, open: Vec::new(), file }
    }

    fn account(&self, leaf: &str) -> AccountBudget {
        self.ledger.account(leaf).unwrap()
    }

    fn charge(&self, leaf: &'static str, name: u8, amount: u64, hold: bool) -> Charged {
        let lapses = self.model.now.plus(if hold { TIMEOUT / 2 } else { TIMEOUT });
        let day = day(self.model.now);
        Charged { leaf, name, amount, day, hold, lapses, open: true, committed: false }
    }

    fn run(&mut self, step: &Step) {
        let scope = Scope { relation: self.model.relation, ..USERS };
        match *step {
            Step::Reserve { leaf, name, amount, commit, roll_back } => {
                let leaf = LEAVES[leaf];
                let begun =
                    self.account(leaf).begin(&request(name), &hundredths(amount), scope, None);
                if let Some(known) = self.model.known(leaf, name).cloned() {
                    if known.hold || known.amount != amount {
                        assert!(matches!(begun, Err(privacy_ledger::Error::RequestDiffers)));
                        return;
                    }
                    let Ok(Begun::Before(past)) = begun else { panic!("{begun:?}") };
                    match past {
                        Past::Open => assert!(known.open),
                        Past::Committed { .. } => assert!(known.committed),
                        _ => assert!(!known.open && !known.committed),
                    }
                    return;
                }
                let charge = self.charge(leaf, name, amount, false);
                assert_eq!(begun.is_ok(), self.model.grants(charge), "{step:?}: {begun:?}");
                match begun {
                    Ok(Begun::New(reservation)) if commit || roll_back => {
                        self.settle(leaf, name, Ticket::Reservation(reservation), commit);
                    }
                    Ok(Begun::New(reservation)) => {
                        self.open.push((leaf, name, Ticket::Reservation(reservation)));
                    }
                    Ok(Begun::Before(_)) => panic!("the model does not know it"),
                    Err(error) => assert!(error.is_budget(), "{error}"),
                }
            }
            Step::Hold { leaf, name, amount, commit } => {
                let leaf = LEAVES[leaf];
                let held = self.account(leaf).hold(
                    &request(name),
                    &hundredths(amount),
                    scope,
                    TIMEOUT / 2,
                );
                if self.model.known(leaf, name).is_some() {
                    assert!(held.is_err());
                    return;
                }
                let charge = self.charge(leaf, name, amount, true);
                assert_eq!(held.is_ok(), self.model.grants(charge), "{step:?}: {held:?}");
                if let Ok(hold) = held {
                    if commit {
                        self.settle(leaf, name, Ticket::Hold(hold), true);
                    } else {
                        self.open.push((leaf, name, Ticket::Hold(hold)));
                    }
                }
            }
            Step::Settle { commit } => {
                if !self.open.is_empty() {
                    let (leaf, name, ticket) = self.open.remove(0);
                    self.settle(leaf, name, ticket, commit);
                }
            }
            Step::Wait { minutes } => {
                self.clock.advance(Duration::from_secs(minutes * 60));
                let now = self.model.now.plus(Duration::from_secs(minutes * 60));
                self.model.wait(now);
            }
            Step::Limit { amount } => {
                self.ledger.set_limit("t", limit(amount)).unwrap();
                self.model.limits.insert("t", amount);
            }
            Step::Reopen if self.file.is_some() => {
                self.ledger = opened(&self.clock, self.file.as_ref());
            }
            Step::Reopen => {}
        }
    }

    fn settle(&mut self, leaf: &'static str, name: u8, ticket: Ticket, commit: bool) {
        let account = self.account(leaf);
        let hold = matches!(ticket, Ticket::Hold(_));
        let result = match (ticket, commit) {
            (Ticket::Reservation(reservation), true) => {
                account.commit(reservation).map_err(privacy_ledger::Error::from)
            }
            (Ticket::Reservation(reservation), false) => {
                account.roll_back(reservation).map_err(privacy_ledger::Error::from)
            }
            (Ticket::Hold(hold), true) => hold.commit(),
            (Ticket::Hold(hold), false) => hold.release(),
        };
        let at = self.model.charges.iter().position(|charge| {
            charge.leaf == leaf && charge.name == name && charge.hold == hold && !charge.committed
        });
        // A reservation that lapsed may still be committed, since it is spent; nothing else.
        let fits = at.is_some_and(|at| {
            let charge = &self.model.charges[at];
            charge.open || (commit && !charge.hold)
        });
        // A name that was used again stands for another charge, which an old hold cannot end.
        if !fits {
            let refused = matches!(
                &result,
                Err(privacy_ledger::Error::Core(Error::Budget(Refusal::UnknownReservation)))
            );
            assert!(refused, "{result:?}");
            return;
        }
        if hold && result.is_err() {
            return;
        }
        assert!(result.is_ok(), "{result:?}");
        if commit {
            self.model.charges[at.unwrap()].open = false;
            self.model.charges[at.unwrap()].committed = true;
        } else {
            self.model.charges.remove(at.unwrap());
        }
    }

    fn compare(&self) {
        for standing in self.ledger.accounts().unwrap() {
            let path = standing.path.as_str();
            assert_eq!(standing.used, limit(self.model.used(path)), "account `{path}`");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: crate::common::runs(64), ..ProptestConfig::default() })]

    #[test]
    fn the_ledger_grants_and_counts_what_the_model_does(
        replace in any::<bool>(),
        carry_every in prop::option::of(1..20u64),
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let relation = if replace { Relation::Replace } else { Relation::AddRemove };
        let mut world = World::new(relation, carry_every);
        for step in &steps {
            world.run(step);
            world.compare();
        }
        // Reading the log from its beginning gives the same books.
        let report = world.ledger.verify().unwrap();
        prop_assert_eq!(report.accounts, world.ledger.accounts().unwrap());
    }
}

#[test]
fn paths_of_the_model_are_paths() {
    for leaf in LEAVES {
        assert_eq!(leaf.parse::<AccountPath>().unwrap().as_str(), leaf);
    }
}
