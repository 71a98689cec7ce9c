//! Sharing and reconstruction as stages of a pipeline.

use std::borrow::Cow;
use std::marker::PhantomData;

use privacy_core::Result as CoreResult;
use privacy_core::context::Context;
use privacy_core::guarantee::{Effect, Guarantee};
use privacy_core::sensitive::Sensitive;
use privacy_core::stage::Stage;

use crate::field::Field;
use crate::sharing::{Shamir, ShareVec};

/// Splits raw secrets into the shares of all parties.
///
/// # Security
///
/// Each party's share alone, and any threshold of them together, are independent of the secrets. What
/// leaves this stage is the shares of *all* parties: send each to its own.
#[derive(Clone, Debug)]
pub struct Share<F> {
    scheme: Shamir,
    field: PhantomData<fn() -> F>,
}

impl<F> Share<F> {
    /// The stage that shares by `scheme`.
    #[must_use]
    pub fn new(scheme: Shamir) -> Self {
        Share { scheme, field: PhantomData }
    }
}

impl<F: Field> Stage for Share<F> {
    type Input = Sensitive<Vec<F>>;
    type Output = Vec<ShareVec<F>>;

    fn name(&self) -> Cow<'static, str> {
        "share secrets".into()
    }

    fn effect(&self) -> Effect {
        let (n, t) = (self.scheme.parties(), self.scheme.threshold());
        Effect::Establishes {
            guarantee: Guarantee::Confidential {
                scheme: format!("Shamir sharing among {n} parties").into(),
                assumption: format!("at most {t} of them pool their shares").into(),
            },
            distance: 1,
        }
    }

    fn run(&self, input: Self::Input, cx: &mut Context) -> CoreResult<Self::Output> {
        let secrets = input.into_exposed();
        self.scheme.share(&secrets, cx.rng()).map_err(privacy_core::Error::technique)
    }
}

/// Puts shares together again: the secrets are raw data once more.
#[derive(Clone, Debug)]
pub struct Reconstruct<F> {
    scheme: Shamir,
    field: PhantomData<fn() -> F>,
}

impl<F> Reconstruct<F> {
    /// The stage that reconstructs by `scheme`.
    #[must_use]
    pub fn new(scheme: Shamir) -> Self {
        Reconstruct { scheme, field: PhantomData }
    }
}

impl<F: Field> Stage for Reconstruct<F> {
    type Input = Vec<ShareVec<F>>;
    type Output = Sensitive<Vec<F>>;

    fn name(&self) -> Cow<'static, str> {
        "reconstruct secrets".into()
    }

    fn effect(&self) -> Effect {
        Effect::Forfeits
    }

    fn run(&self, shares: Self::Input, _: &mut Context) -> CoreResult<Self::Output> {
        let secrets = self.scheme.reconstruct(&shares).map_err(privacy_core::Error::technique)?;
        Ok(Sensitive::from(secrets))
    }
}

#[cfg(test)]
mod tests {
    use privacy_core::access::{Actor, Purpose};

    use super::*;
    use crate::field::Mersenne61;

    #[test]
    fn shares_come_back_through_stages() {
        let scheme = Shamir::new(3, 1).unwrap();
        let mut cx = Context::new(Actor::new("tests"), Purpose::new("tests")).unwrap();
        let secrets = vec![Mersenne61::from(5), Mersenne61::from(-7)];
        let shares = Share::new(scheme).run(Sensitive::from(secrets.clone()), &mut cx).unwrap();
        let back = Reconstruct::new(scheme).run(shares, &mut cx).unwrap();
        assert_eq!(back.into_exposed(), secrets);
        assert_eq!(Reconstruct::<Mersenne61>::new(scheme).effect(), Effect::Forfeits);
    }
}
