//! Sessions that pay from (ε, δ) budgets: filters, declared plans, prices in (ε, δ).

use std::sync::Arc;

use confidant::accounting::filter::ZcdpFilter;
use confidant::dp::prelude::*;

#[test]
fn a_filter_pays_for_more_questions_than_plain_sums() -> Result<(), Box<dyn std::error::Error>> {
    let rows: Vec<u32> = (0..1000).collect();
    let (epsilon, delta) = (Epsilon::new(1.0)?, Delta::new(1e-6)?);
    let filter = ZcdpFilter::new(&epsilon, &delta)?;
    let session = Session::over(&rows).ledger(filter).open()?;
    // Each Laplace count at ε = 1/50 is 0.0002-zCDP; by plain sums fifty would spend ε = 1.
    let mut answered = 0;
    while session.count().epsilon(0.02)?.release().is_ok() {
        answered += 1;
    }
    assert!(answered > 75, "{answered}");
    // The session goes on, and Gaussian questions are paid from the same budget.
    assert!(session.count().rho(1e-3)?.release().unwrap_err().is_budget());
    assert!(session.count().rho(1e-9)?.release().is_ok());
    Ok(())
}

#[test]
fn an_epsilon_delta_price_is_paid_from_budgets_in_both_measures()
-> Result<(), Box<dyn std::error::Error>> {
    let rows: Vec<u32> = (0..1000).collect();
    let (epsilon, delta) = (Epsilon::new(1.0)?, Delta::new(1e-6)?);
    let plain = Session::over(&rows).budget((epsilon.clone(), delta.clone())).open()?;
    let plan = plain.count().epsilon_delta(0.4, 5e-7)?;
    assert_eq!(plan.cost().in_approximate().unwrap().to_string(), "ε = 0.4, δ = 0.0000005");
    // The stated price is what the noise is worth: zCDP's conversion, from below.
    let rho = plan.cost().in_zcdp().unwrap().rho.to_f64_up();
    let implied = confidant::accounting::zcdp::epsilon(rho, 5e-7)?;
    assert!(implied <= 0.4 && implied > 0.39, "{implied}");
    let _ = plan.release()?;
    assert_eq!(plain.remaining().to_string(), "ε = 0.6, δ = 0.0000005");

    let filtered = Session::over(&rows).ledger(ZcdpFilter::new(&epsilon, &delta)?).open()?;
    let mut answered = 0;
    while filtered.count().epsilon_delta(0.1, 1e-8)?.release().is_ok() {
        answered += 1;
    }
    assert!(answered > 10, "{answered}");
    // Out of range.
    assert!(plain.count().epsilon_delta(0.1, 0.0).unwrap_err().is_parameter());
    assert!(plain.count().epsilon_delta(0.1, 1.5).unwrap_err().is_parameter());
    Ok(())
}

#[test]
fn a_declared_plan_is_paid_at_the_price_of_its_loss_distribution()
-> Result<(), Box<dyn std::error::Error>> {
    use confidant::accounting::event::{Event, Plan, Relation};
    use confidant::accounting::filter::PlannedBudget;
    use confidant::core::unit::UnitKind;

    let rows: Vec<u32> = (0..1000).collect();
    // A hundred counts at ε = 1/10: 10 by plain sums, 4.775 at δ = 1e-6 by their distribution.
    let plan = Plan::new(Relation::AddRemove, Event::pure_dp(0.1)?.repeat(100))?;
    let budget = PlannedBudget::new(&plan, UnitKind::Record, &Delta::new(1e-6)?)?;
    assert!(budget.epsilon() < 4.775);
    let budget = Arc::new(budget);
    let context = Context::new(Actor::new("tests"), Purpose::new("tests"))?
        .with_shared_budget(budget.clone());
    let session = Session::over(&rows).context(context).open()?;
    assert!(session.count().epsilon(0.11)?.release().unwrap_err().is_budget());
    assert_eq!(budget.releases_left(), 100);
    for _ in 0..100 {
        let _ = session.count().epsilon(0.1)?.release()?;
    }
    assert!(session.count().epsilon(0.1)?.release().unwrap_err().is_budget());
    Ok(())
}
