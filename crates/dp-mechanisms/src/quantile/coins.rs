//! Many coins of the same exact probability.

use privacy_core::random::EntropyError;

use super::rank::Position;
use crate::noise::Choices;

/// Coins that are flipped together.
const LANES: usize = 63;

/// How many of `coins` coins of a/b show heads.
pub(super) fn heads<C: Choices + ?Sized>(
    coins: usize,
    position: Position,
    choices: &mut C,
) -> Result<usize, EntropyError> {
    let mut heads = 0;
    for _ in 0..coins / LANES {
        heads += flipped_together(position, choices)?.count_ones() as usize;
    }
    for _ in 0..coins % LANES {
        heads += usize::from(choices.chance(&position.numer, &position.denom)?);
    }
    Ok(heads)
}

/// [`LANES`] coins of a/b, one in each bit.
///
/// A coin compares a uniform number with a/b, binary digit by digit, and is decided where they
/// first differ: about seven words decide all coins, for any a/b.
fn flipped_together<C: Choices + ?Sized>(
    Position { numer, denom }: Position,
    choices: &mut C,
) -> Result<u64, EntropyError> {
    const ALL: u64 = (1 << LANES) - 1;
    if numer >= denom {
        return Ok(ALL);
    }
    let (mut heads, mut open, mut rest) = (0, ALL, numer);
    // Once the digits that are left are all 0, no number is below.
    while open != 0 && rest != 0 {
        // Both are at most 2^32.
        rest *= 2;
        let drawn = choices.below_u64(1 << LANES)?;
        if rest >= denom {
            rest -= denom;
            heads |= open & !drawn;
            open &= drawn;
        } else {
            open &= !drawn;
        }
    }
    Ok(heads)
}

#[cfg(test)]
mod tests {
    use privacy_core::random::{InsecureTestRng, RandomBuffer};
    use privacy_testing::statistics::check_binomial;

    use super::*;

    #[test]
    fn coins_flipped_together_show_heads_as_often_as_one_by_one() {
        // Each lane by itself, and the pairs of neighbouring lanes; false alarms below 1e-6.
        let mut rng = InsecureTestRng::from_seed(33);
        let mut random = RandomBuffer::new(&mut rng);
        for (numer, denom) in [(0, 1), (1, 1), (1, 2), (1, 3), (5, 8), (99, 100), (1, 1 << 32)] {
            let position = Position { numer, denom };
            let p = numer as f64 / denom as f64;
            let rounds = 20_000;
            let mut lanes = [0u64; LANES];
            let mut pairs = 0;
            for _ in 0..rounds {
                let flipped = flipped_together(position, &mut random).unwrap();
                assert_eq!(flipped >> LANES, 0);
                (0..LANES).for_each(|lane| lanes[lane] += flipped >> lane & 1);
                pairs += u64::from((flipped & (flipped >> 1) & 1) == 1);
            }
            lanes.iter().for_each(|seen| check_binomial(*seen, rounds, p, 1e-9));
            check_binomial(pairs, rounds, p * p, 1e-9);
        }
        assert_eq!(heads(130, Position { numer: 3, denom: 3 }, &mut random).unwrap(), 130);
        assert_eq!(heads(130, Position { numer: 0, denom: 3 }, &mut random).unwrap(), 0);
    }
}
