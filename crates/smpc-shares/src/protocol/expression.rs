//! Arithmetic written as arithmetic: `let z = &x * &y + 3;`.

use std::ops::{Add, Mul, Neg, Sub};

use crate::error::Result;
use crate::field::Ring;
use crate::party::Party;
use crate::security::Scheme;
use crate::sharing::ShareVec;

/// A computation that is written down but not yet run; [`Party::evaluate`] runs it.
///
/// Products whose operands are ready are computed together: the rounds are the depth of the
/// expression, not the number of its products.
///
/// ```
/// use smpc_shares::{Party, field::Mersenne61 as F, net::{Config, simulate}};
///
/// let results = simulate(Config::shamir(3, 1), async |party: &mut Party<F>| {
///     let mine = [F::from(party.id() as u64)];
///     let [x, y, w] = party.input_from_all_as(&mine).await?;
///     let z = &x * &y + &w * &w - 3;
///     let z = party.evaluate(z).await?;
///     party.open(&z).await
/// })?;
/// assert_eq!(results[0], [F::from(8)]);
/// # Ok::<(), smpc_shares::Error>(())
/// ```
#[must_use = "an expression computes nothing until a party evaluates it"]
#[derive(Debug)]
pub struct Expr<R: Ring, S>(Node<R, S>);

#[derive(Debug)]
enum Node<R: Ring, S> {
    Leaf(ShareVec<R, S>),
    Sum(Box<Node<R, S>>, Box<Node<R, S>>),
    Scaled(Box<Node<R, S>>, i64),
    Shifted(Box<Node<R, S>>, i64),
    Product(Box<Node<R, S>>, Box<Node<R, S>>),
}

impl<R: Ring, S> Node<R, S> {
    /// Computes what needs no communication.
    fn settle(self) -> Self {
        match self {
            Node::Sum(a, b) => match (a.settle(), b.settle()) {
                (Node::Leaf(a), Node::Leaf(b)) => Node::Leaf(a + b),
                (a, b) => Node::Sum(a.into(), b.into()),
            },
            Node::Scaled(a, factor) => match a.settle() {
                Node::Leaf(a) => Node::Leaf(a * factor),
                a => Node::Scaled(a.into(), factor),
            },
            Node::Shifted(a, offset) => match a.settle() {
                Node::Leaf(a) => Node::Leaf(a + offset),
                a => Node::Shifted(a.into(), offset),
            },
            Node::Product(a, b) => Node::Product(a.settle().into(), b.settle().into()),
            leaf @ Node::Leaf(_) => leaf,
        }
    }

    /// The products whose operands are ready, to be replaced by their results in this order.
    fn ready<'a>(&'a mut self, found: &mut Vec<&'a mut Node<R, S>>) {
        let is_ready = matches!(self, Node::Product(a, b)
            if matches!((&**a, &**b), (Node::Leaf(_), Node::Leaf(_))));
        if is_ready {
            found.push(self);
            return;
        }
        match self {
            Node::Leaf(_) => {}
            Node::Scaled(a, _) | Node::Shifted(a, _) => a.ready(found),
            Node::Sum(a, b) | Node::Product(a, b) => {
                a.ready(found);
                b.ready(found);
            }
        }
    }
}

impl<R: Ring, S: Scheme<R>> Party<R, S> {
    /// Runs an expression; one round for each level of products.
    ///
    /// # Errors
    ///
    /// As [`Party::multiply`].
    pub async fn evaluate(&mut self, expression: Expr<R, S>) -> Result<ShareVec<R, S>> {
        let mut node = expression.0.settle();
        loop {
            if let Node::Leaf(shares) = node {
                shares.checked()?;
                return Ok(shares);
            }
            let mut found = Vec::new();
            node.ready(&mut found);
            let mut pairs = Vec::new();
            for product in &found {
                if let Node::Product(a, b) = &**product
                    && let (Node::Leaf(a), Node::Leaf(b)) = (&**a, &**b)
                {
                    pairs.push((a, b));
                }
            }
            let products = self.multiply_all(&pairs).await?;
            for (place, product) in found.into_iter().zip(products) {
                *place = Node::Leaf(product);
            }
            node = node.settle();
        }
    }
}

impl<R: Ring, S> From<ShareVec<R, S>> for Expr<R, S> {
    fn from(shares: ShareVec<R, S>) -> Self {
        Expr(Node::Leaf(shares))
    }
}

impl<R: Ring, S> From<&ShareVec<R, S>> for Expr<R, S> {
    fn from(shares: &ShareVec<R, S>) -> Self {
        Expr(Node::Leaf(shares.clone()))
    }
}

fn product<R: Ring, S>(a: Expr<R, S>, b: Expr<R, S>) -> Expr<R, S> {
    Expr(Node::Product(a.0.into(), b.0.into()))
}

macro_rules! share_products {
    ($($left:ty, $right:ty);*) => { $(
        impl<R: Ring, S> Mul<$right> for $left {
            type Output = Expr<R, S>;
            fn mul(self, other: $right) -> Expr<R, S> { product(self.into(), other.into()) }
        }
    )* };
}
share_products!(
    ShareVec<R, S>, ShareVec<R, S>; ShareVec<R, S>, &ShareVec<R, S>;
    &ShareVec<R, S>, ShareVec<R, S>; &ShareVec<R, S>, &ShareVec<R, S>;
    ShareVec<R, S>, Expr<R, S>; &ShareVec<R, S>, Expr<R, S>
);

macro_rules! share_sums {
    ($($left:ty),*) => { $(
        impl<R: Ring, S> Add<Expr<R, S>> for $left {
            type Output = Expr<R, S>;
            fn add(self, other: Expr<R, S>) -> Expr<R, S> { Expr::from(self) + other }
        }
        impl<R: Ring, S> Sub<Expr<R, S>> for $left {
            type Output = Expr<R, S>;
            fn sub(self, other: Expr<R, S>) -> Expr<R, S> { Expr::from(self) - other }
        }
    )* };
}
share_sums!(ShareVec<R, S>, &ShareVec<R, S>);

impl<R: Ring, S, T: Into<Expr<R, S>>> Mul<T> for Expr<R, S> {
    type Output = Expr<R, S>;
    fn mul(self, other: T) -> Expr<R, S> {
        product(self, other.into())
    }
}

impl<R: Ring, S, T: Into<Operand<R, S>>> Add<T> for Expr<R, S> {
    type Output = Expr<R, S>;
    fn add(self, other: T) -> Expr<R, S> {
        match other.into() {
            Operand::Number(value) => Expr(Node::Shifted(self.0.into(), value)),
            Operand::Shares(other) => Expr(Node::Sum(self.0.into(), other.0.into())),
        }
    }
}

impl<R: Ring, S, T: Into<Operand<R, S>>> Sub<T> for Expr<R, S> {
    type Output = Expr<R, S>;
    fn sub(self, other: T) -> Expr<R, S> {
        match other.into() {
            Operand::Number(value) => match value.checked_neg() {
                Some(value) => Expr(Node::Shifted(self.0.into(), value)),
                None => self + i64::MAX + 1,
            },
            Operand::Shares(other) => self + -other,
        }
    }
}

impl<R: Ring, S> Neg for Expr<R, S> {
    type Output = Expr<R, S>;
    fn neg(self) -> Expr<R, S> {
        Expr(Node::Scaled(self.0.into(), -1))
    }
}

/// What may stand on the right of `+` and `-`.
#[doc(hidden)]
#[derive(Debug)]
pub enum Operand<R: Ring, S> {
    Number(i64),
    Shares(Expr<R, S>),
}

impl<R: Ring, S> From<i64> for Operand<R, S> {
    fn from(value: i64) -> Self {
        Operand::Number(value)
    }
}

impl<R: Ring, S, T> From<T> for Operand<R, S>
where
    Expr<R, S>: From<T>,
    T: IsShares,
{
    fn from(value: T) -> Self {
        Operand::Shares(value.into())
    }
}

#[doc(hidden)]
pub trait IsShares {}
impl<R: Ring, S> IsShares for ShareVec<R, S> {}
impl<R: Ring, S> IsShares for &ShareVec<R, S> {}
impl<R: Ring, S> IsShares for Expr<R, S> {}
