//! Local randomizers as mechanisms: one value in, one report out, at a pure price.

use privacy_core::error::Result;
use privacy_core::measure::{PureCost, PureDp};
use privacy_core::mechanism::Mechanism;
use privacy_core::params::Amount;
use privacy_core::random::{RandomBuffer, SecureRng};
use privacy_core::space::Scalar;

use super::{
    BitReport, DirectEncoding, FrequencyOracle, HadamardReport, HadamardResponse, HashReport,
    HybridMean, HybridReport, LocalHashing, OneBitMean, PiecewiseMean, SubsetReport,
    SubsetSelection, UnaryEncoding,
};

/// Any two values, however far apart, cost ε; equal values cost nothing.
fn local_cost(epsilon: &Amount, d_in: &Amount) -> PureCost {
    PureCost { epsilon: if d_in.is_zero() { Amount::ZERO } else { epsilon.clone() } }
}

macro_rules! local_mechanism {
    ($randomizer:ident, $report:ty, $value:ident => $prepared:expr) => {
        impl Mechanism for $randomizer {
            type Input = Scalar<i64>;
            type Measure = PureDp;
            type Output = $report;

            fn draw(&self, $value: &i64, rng: &mut dyn SecureRng) -> Result<$report> {
                Ok(self.draw_report($prepared, &mut RandomBuffer::new(rng))?)
            }

            fn cost(&self, d_in: Amount) -> Result<PureCost> {
                Ok(local_cost(self.epsilon().amount(), &d_in))
            }
        }
    };
}

/// Below 0 is the first category; the randomizer takes what is beyond the last as the last.
fn category(value: i64) -> u32 {
    value.clamp(0, u32::MAX.into()) as u32
}

local_mechanism!(DirectEncoding, u32, value => category(*value));
local_mechanism!(UnaryEncoding, BitReport, value => category(*value));
local_mechanism!(LocalHashing, HashReport, value => category(*value));
local_mechanism!(HadamardResponse, HadamardReport, value => category(*value));
local_mechanism!(SubsetSelection, SubsetReport, value => category(*value));
local_mechanism!(OneBitMean, bool, value => *value);
local_mechanism!(PiecewiseMean, u64, value => *value);
local_mechanism!(HybridMean, HybridReport, value => *value);
