//! The questions of a session that moments answer.

use privacy_core::unit::{Adjacency, PrivacyUnit};

use super::super::Session;
use super::super::grouping::Whole;
use super::super::query::Query;
use super::reading::{
    Correlation, Covariance, Joint, LineFit, Single, StandardDeviation, Variance,
};
use super::statistic::{OfOneValue, OfTwoValues};
use crate::grid::Value;

macro_rules! of_one_value {
    ($($(#[$doc:meta])* $name:ident => $reading:ident;)*) => {
        $(
            $(#[$doc])*
            ///
            /// Needs [`Query::bounds`]: the public interval that the value lies in.
            pub fn $name<V, F>(
                &self,
                value: F,
            ) -> Query<'_, 'a, T, U, A, OfOneValue<F, $reading>, Whole>
            where
                F: Fn(&'a T) -> V,
                V: Value,
            {
                Query::new(self, OfOneValue::new(value), Whole)
            }
        )*
    };
}

macro_rules! of_two_values {
    ($($(#[$doc:meta])* $name:ident => $reading:ident;)*) => {
        $(
            $(#[$doc])*
            ///
            /// Needs [`Query::bounds_of_both`]: the public intervals that the values lie in.
            pub fn $name<V, F, W, G>(
                &self,
                first: F,
                second: G,
            ) -> Query<'_, 'a, T, U, A, OfTwoValues<F, G, $reading>, Whole>
            where
                F: Fn(&'a T) -> V,
                V: Value,
                G: Fn(&'a T) -> W,
                W: Value,
            {
                Query::new(self, OfTwoValues::new(first, second), Whole)
            }
        )*
    };
}

impl<'a, T, U: PrivacyUnit, A: Adjacency> Session<'a, T, U, A> {
    of_one_value! {
        /// Number of rows, mean, variance and standard deviation of `value`, all for the price of
        /// one.
        moments => Single;
        /// The population variance of `value`.
        variance => Variance;
        /// The population standard deviation of `value`.
        standard_deviation => StandardDeviation;
    }

    of_two_values! {
        /// Means, variances, covariance, correlation and fitted line of two values, all for the
        /// price of one.
        joint_moments => Joint;
        /// The population covariance of two values.
        covariance => Covariance;
        /// Pearson's correlation of two values.
        correlation => Correlation;
        /// The least-squares line of the second value over the first.
        line_fit => LineFit;
    }
}
