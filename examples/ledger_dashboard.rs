//! Writes a page that shows how a ledger's budgets are spent: one HTML file without scripts and
//! without anything from elsewhere, light and dark.
//!
//! ```text
//! cargo run --release --example ledger_dashboard                      # a ledger made up for show
//! cargo run --release --example ledger_dashboard -- budget.db out.html
//! ```

#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::{self, Display, Write};
use std::path::PathBuf;
use std::time::Duration;

use privacy_core::access::{Obligation, Promise};
use privacy_core::audit::{Outcome, RecordId};
use privacy_core::prelude::*;
use privacy_ledger::access::{Policy, Rule};
use privacy_ledger::{
    Account, Entry, Event, Ledger, ManualClock, Moment, Renewal, Signer, Standing, Timestamp,
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args_os().skip(1).map(PathBuf::from);
    let signer = Signer::generate("ledger.example/dashboard")?;
    let key = signer.verifier();
    let (ledger, title) = match args.next() {
        Some(path) => {
            let title = path.display().to_string();
            (Ledger::options().signer(signer).open(path)?, title)
        }
        None => (made_up(signer)?, "a ledger made up for show".to_owned()),
    };
    let out = args.next().unwrap_or_else(|| PathBuf::from("target/ledger_dashboard.html"));

    // Everything on the page was verified a moment before.
    let report = ledger.verify()?;
    let checkpoint = ledger.checkpoint()?;
    let known = checkpoint.verify(&key)?;
    let half = known.size / 2;
    if known.size > 0 {
        let (entry, proof) = ledger.prove_inclusion(RecordId(half), known.size)?;
        proof.verify(&entry, &known.root)?;
    }
    let entries = ledger.entries(0..known.size)?;
    let page = Page {
        title,
        entries: &entries,
        accounts: &report.accounts,
        history: &ledger.history(240)?,
        checkpoint: checkpoint.as_str(),
        proven: half,
        key: key.to_string(),
    };
    if let Some(folder) = out.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&out, page.to_string())?;
    println!("{} entries verified; wrote {}", report.entries, out.display());
    Ok(())
}

/// Ten weeks of an identity provider's reporting.
fn made_up(signer: Signer) -> Result<Ledger, Box<dyn Error>> {
    let start = Timestamp::from_date(2026, 9, 14).ok_or("a date")?;
    let clock = ManualClock::at(start);
    let ledger = Ledger::options()
        .signer(signer)
        .clock(clock.clone())
        .code_version("reporting 2.1.0")
        .in_memory()?;
    let users = Scope::of::<User, AddRemove>();
    ledger.open_account(Account::root(Epsilon::new(6.0)?))?;
    ledger.open_account(
        Account::at("logins", Epsilon::new(1.5)?)?.protects(users).renews(Renewal::Monthly),
    )?;
    ledger
        .open_account(Account::at("logins/fraud", Epsilon::new(0.8)?)?.renews(Renewal::Monthly))?;
    ledger.open_account(Account::at("profiles", Epsilon::new(2.0)?)?.protects(users))?;
    ledger.open_account(Account::at("profiles/growth", Epsilon::new(1.2)?)?)?;

    let policy = Policy::new()
        .assign("reporting-job", "reporter")
        .assign("fraud-team", "reporter")
        .assign("growth-team", "analyst")
        .rule(Rule::permit().role("reporter"))
        .rule(
            Rule::permit()
                .role("analyst")
                .purpose("growth")
                .obliging(Obligation::GroupsOfAtLeast(10)),
        );
    let questions: [(&str, &str, &str, &str, f64, u64); 6] = [
        ("logins", "reporting-job", "weekly usage", "active users", 0.05, 7),
        ("logins", "reporting-job", "weekly usage", "logins by country", 0.1, 7),
        ("logins/fraud", "fraud-team", "fraud", "failed logins by hour", 0.04, 2),
        ("profiles/growth", "growth-team", "growth", "sign-ups by source", 0.11, 6),
        ("profiles", "reporting-job", "weekly usage", "profile completeness", 0.08, 14),
        ("logins", "growth-team", "advertising", "logins by device", 0.2, 19),
    ];
    for day in 0..70u64 {
        for (account, actor, purpose, resource, price, every) in questions {
            if day % every != 0 {
                continue;
            }
            clock.advance(Duration::from_secs(1800 + day * 37));
            let mut cx = Context::new(Actor::new(actor), Purpose::new(purpose))?
                .with_authorizer(ledger.guard(policy.clone()))
                .ledger(ledger.account(account)?);
            let ask = Ask::new(Resource::new(resource), Epsilon::new(price)?.into(), users)
                .promising(Promise::GroupsOf(12));
            // Refusals and denials are part of the picture.
            let _ = cx.release(ask, |_| Ok(()));
        }
        clock.set(start.plus(Duration::from_secs(86_400 * (day + 1))));
    }
    Ok(ledger)
}

struct Page<'a> {
    title: String,
    entries: &'a [(u64, Entry)],
    accounts: &'a [Standing],
    history: &'a [Moment],
    checkpoint: &'a str,
    proven: u64,
    key: String,
}

const STYLE: &str = "
:root{--bg:#f6f7f9;--card:#fff;--ink:#1b2330;--soft:#5c6675;--line:#dfe3e9;--used:#3567c9;--fill:#3567c922;--over:#c2413a;--good:#1f7a4d}
@media(prefers-color-scheme:dark){:root{--bg:#12161c;--card:#1b212a;--ink:#e8ecf2;--soft:#98a3b3;--line:#2e3743;--used:#7aa5ff;--fill:#7aa5ff2b;--over:#ff8078;--good:#5fcf97}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.45 system-ui,sans-serif}
main{max-width:1100px;margin:0 auto;padding:28px 20px 48px}h1{font-size:24px;margin:0}h2{font-size:17px;margin:32px 0 10px}
p{margin:4px 0 0;color:var(--soft)}.good{color:var(--good);font-weight:600}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin-top:20px}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px 16px}
.tiles b{display:block;font-size:24px;font-variant-numeric:tabular-nums}.tiles span{color:var(--soft)}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(320px,1fr));gap:12px}
.head{display:flex;justify-content:space-between;gap:12px;font-weight:600}.head small{color:var(--soft);font-weight:400}
svg{display:block;width:100%;height:auto;margin-top:8px}svg text{fill:var(--soft);font-size:11px}
table{width:100%;border-collapse:collapse;font-variant-numeric:tabular-nums}th{color:var(--soft);font-weight:500;text-align:left}
th,td{padding:6px 8px;border-bottom:1px solid var(--line);vertical-align:middle}td.n,th.n{text-align:right}td.n,td.t{white-space:nowrap}tr:last-child td{border-bottom:0}
.bar{height:8px;border-radius:4px;background:var(--line);overflow:hidden;min-width:120px}.bar i{display:block;height:100%;background:var(--used)}.bar.over i{background:var(--over)}
.scroll{overflow-x:auto}pre{overflow-x:auto;font-size:12.5px;margin:8px 0 0}.no{color:var(--over)}
@media(max-width:600px){.bar{min-width:56px}th,td{padding:6px 5px}.card{padding:12px}}
";

impl Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
             content=\"width=device-width,initial-scale=1\"><title>Privacy budgets</title>\
             <style>{STYLE}</style><main><h1>Privacy budgets</h1><p>{}, as of {}. \
             <span class=\"good\">✓ verified</span>: every entry, balance and payload.</p>",
            Escaped(&self.title),
            self.entries.last().map_or("its beginning".to_owned(), |(_, entry)| moment(entry.at)),
        )?;
        self.tiles(f)?;
        self.charts(f)?;
        self.standings(f)?;
        self.queries(f)?;
        self.latest(f)?;
        write!(
            f,
            "<h2>Checkpoint</h2><div class=\"card\"><p>Signed now by <code>{}</code>. Inclusion of \
             entry {} proven against it. Keep it elsewhere, to hold later logs to it.</p>\
             <pre>{}</pre></div></main></html>",
            Escaped(&self.key),
            self.proven,
            Escaped(self.checkpoint),
        )
    }
}

impl Page<'_> {
    fn count(&self, which: impl Fn(&Event) -> bool) -> usize {
        self.entries.iter().filter(|(_, entry)| which(&entry.event)).count()
    }

    fn tiles(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ended = |wanted: Outcome| {
            self.count(|event| matches!(event, Event::Recorded(record) if record.outcome == wanted))
        };
        let open: usize = self.accounts.iter().map(|account| account.open).sum();
        f.write_str("<div class=\"tiles\">")?;
        for (number, what) in [
            (ended(Outcome::Completed), "releases"),
            (ended(Outcome::Refused), "refused by a budget"),
            (ended(Outcome::Denied), "denied by a rule"),
            (open, "open reservations"),
            (self.entries.len(), "entries in the log"),
        ] {
            write!(f, "<div class=\"card\"><b>{number}</b><span>{what}</span></div>")?;
        }
        f.write_str("</div>")
    }

    fn charts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<h2>Used over time</h2><div class=\"charts\">")?;
        for account in self.accounts {
            let points: Vec<(f64, f64)> = self
                .history
                .iter()
                .filter_map(|moment| {
                    let then = moment.accounts.iter().find(|then| then.path == account.path)?;
                    Some((moment.at.as_millis() as f64, amount(&then.used)))
                })
                .collect();
            write!(
                f,
                "<div class=\"card\"><div class=\"head\"><span>{}</span><small>{} left{}</small></div>",
                Escaped(&name(account)),
                account.remaining,
                account.renewal.map_or(String::new(), |renewal| format!(", renews {renewal}")),
            )?;
            chart(f, &points, &account.limit)?;
            f.write_str("</div>")?;
        }
        f.write_str("</div>")
    }

    fn standings(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "<h2>Now</h2><div class=\"card scroll\"><table><tr><th>account<th>share<th class=\"n\">\
             used<th class=\"n\">limit<th class=\"n\">left</tr>",
        )?;
        for account in self.accounts {
            let share =
                100.0 * amount(&account.used) / amount(&account.limit).max(f64::MIN_POSITIVE);
            let over = if share > 90.0 { " over" } else { "" };
            write!(
                f,
                "<tr><td>{}<td><div class=\"bar{over}\"><i style=\"width:{:.1}%\"></i></div>\
                 <td class=\"n\">{}<td class=\"n\">{}<td class=\"n\">{}</tr>",
                Escaped(&name(account)),
                share.min(100.0),
                account.used.display_up(),
                account.limit,
                account.remaining,
            )?;
        }
        f.write_str("</table></div>")
    }

    fn queries(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut by_query: BTreeMap<&str, (usize, f64)> = BTreeMap::new();
        for (_, entry) in self.entries {
            if let Event::Recorded(record) = &entry.event
                && record.outcome == Outcome::Completed
                && let Some(cost) = record.charge.as_ref().and_then(Charge::in_pure)
            {
                let sum = by_query.entry(record.resource.as_str()).or_default();
                *sum = (sum.0 + 1, sum.1 + cost.epsilon.to_f64_up());
            }
        }
        let mut rows: Vec<_> = by_query.into_iter().collect();
        rows.sort_by(|(_, a), (_, b)| b.1.total_cmp(&a.1));
        let most = rows.first().map_or(1.0, |(_, (_, sum))| *sum);
        f.write_str(
            "<h2>Spent by query</h2><div class=\"card scroll\"><table><tr><th>query<th>share<th \
             class=\"n\">releases<th class=\"n\">ε in all</tr>",
        )?;
        for (query, (releases, sum)) in rows {
            write!(
                f,
                "<tr><td>{}<td><div class=\"bar\"><i style=\"width:{:.1}%\"></i></div>\
                 <td class=\"n\">{releases}<td class=\"n\">{sum:.2}</tr>",
                Escaped(query),
                100.0 * sum / most,
            )?;
        }
        f.write_str("</table></div>")
    }

    fn latest(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "<h2>Latest records</h2><div class=\"card scroll\"><table><tr><th class=\"n\">#<th>when\
             <th>who<th>what<th>why<th class=\"n\">price<th>outcome</tr>",
        )?;
        let records = self.entries.iter().rev().filter_map(|(index, entry)| match &entry.event {
            Event::Recorded(record) => Some((index, entry.at, record)),
            _ => None,
        });
        for (index, at, record) in records.take(12) {
            let class = if record.outcome == Outcome::Completed { "" } else { " class=\"no\"" };
            let price = record.charge.as_ref().map_or(String::new(), ToString::to_string);
            write!(
                f,
                "<tr><td class=\"n\">{index}<td class=\"t\">{}<td>{}<td>{}<td>{}<td class=\"n\">{price}<td{class}>{}</tr>",
                moment(at),
                Escaped(record.actor.as_str()),
                Escaped(record.resource.as_str()),
                Escaped(record.purpose.as_str()),
                record.outcome,
            )?;
        }
        f.write_str("</table></div>")
    }
}

/// A step line of what is used below the line of the limit.
fn chart(f: &mut fmt::Formatter<'_>, points: &[(f64, f64)], limit: &Allowance) -> fmt::Result {
    const WIDTH: f64 = 340.0;
    const HEIGHT: f64 = 120.0;
    const BASE: f64 = HEIGHT - 18.0;
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Ok(()) };
    let span = (last.0 - first.0).max(1.0);
    let top = points.iter().map(|point| point.1).fold(amount(limit), f64::max) * 1.12;
    let x = |at: f64| 4.0 + (WIDTH - 8.0) * (at - first.0) / span;
    let y = |value: f64| BASE - (BASE - 6.0) * value / top.max(f64::MIN_POSITIVE);
    let mut line = format!("M{:.1},{:.1}", x(first.0), y(first.1));
    for point in points.iter().skip(1) {
        write!(line, "H{:.1}V{:.1}", x(point.0), y(point.1))?;
    }
    let (end, at_limit) = (x(last.0), y(amount(limit)));
    let day = |at: f64| moment(Timestamp::from_millis(at as u64))[..10].to_owned();
    write!(
        f,
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">\
         <path d=\"{line}V{BASE}H4Z\" fill=\"var(--fill)\"/>\
         <path d=\"{line}\" fill=\"none\" stroke=\"var(--used)\" stroke-width=\"1.6\"/>\
         <path d=\"M4,{at_limit:.1}H{end:.1}\" stroke=\"var(--over)\" stroke-dasharray=\"4 4\"/>\
         <path d=\"M4,{BASE}H{end:.1}\" stroke=\"var(--line)\"/>\
         <text x=\"4\" y=\"{HEIGHT}\" dy=\"-4\">{}</text>\
         <text x=\"{end:.1}\" y=\"{HEIGHT}\" dy=\"-4\" text-anchor=\"end\">{}</text>\
         <text x=\"{end:.1}\" y=\"{at_limit:.1}\" dy=\"-4\" text-anchor=\"end\">limit {limit}</text></svg>",
        day(first.0),
        day(last.0),
    )
}

fn name(account: &Standing) -> String {
    match account.path.as_str() {
        "" => "everything".to_owned(),
        path => path.to_owned(),
    }
}

fn amount(allowance: &Allowance) -> f64 {
    match allowance {
        Allowance::Pure { epsilon } | Allowance::Approximate { epsilon, .. } => epsilon.to_f64_up(),
        Allowance::Zcdp { rho } => rho.to_f64_up(),
        _ => 0.0,
    }
}

fn moment(at: Timestamp) -> String {
    let text = at.to_string();
    text.get(..16).unwrap_or(&text).replace('T', " ")
}

/// Text without meaning to a browser.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '&' => f.write_str("&amp;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            c => f.write_char(c),
        })
    }
}
