//! A session that pays from an (ε, δ) budget through a filter.

use std::sync::Arc;

use confidant::accounting::filter::ZcdpFilter;
use confidant::dp::prelude::*;

#[test]
fn a_filter_pays_for_more_questions_than_plain_sums() -> Result<(), Box<dyn std::error::Error>> {
    let rows: Vec<u32> = (0..1000).collect();
    let (epsilon, delta) = (Epsilon::new(1.0)?, Delta::new(1e-6)?);
    let filter = ZcdpFilter::new(&epsilon, &delta)?;
    let context = Context::new(Actor::new("tests"), Purpose::new("tests"))?
        .with_shared_budget(Arc::new(filter));
    let session = Session::over(&rows).context(context).open()?;
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
