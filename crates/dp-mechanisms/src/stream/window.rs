//! Sums of the latest steps.

use std::fmt;

use privacy_core::measure::Charge;
use privacy_core::params::{Epsilon, Rho};
use privacy_core::random::SecureRng;

use super::contribution::Contribution;
use super::law::PrefixLaw;
use super::pool::{Pool, noisy};
use super::tree::TreePlan;
use super::{Continual, checked_steps};
use crate::additive::Noise;
use crate::error::Result;

/// The most steps of a window: a stream remembers 64 bytes of each.
const WIDEST: u64 = 1 << 24;

/// The sum of the last W steps, released after each step, for as long as the stream lasts.
///
/// The steps are cut into blocks of W; each block has a binary tree. A window is the end of one
/// block and the beginning of the next, at most 2 log₂ W nodes (Bolot, Fawaz, Muthukrishnan,
/// Nikolov, Taft 2013, "Private decayed predicate sums on streams"). Before W steps have come, the
/// window holds those there are.
///
/// # Privacy
///
/// As for [`TreePlan`] over W steps, for the whole stream however long: a step lies in one block,
/// and all blocks have the same levels, so that a unit changes the nodes of all blocks together by
/// no more than those of one.
///
/// # Example
///
/// ```
/// use dp_mechanisms::stream::{Continual, Contribution, WindowPlan};
/// use privacy_core::params::Epsilon;
/// use privacy_core::random::SystemRng;
///
/// // Logins of the last hour, told every minute.
/// let plan = WindowPlan::laplace(60, Contribution::ONE_RECORD, &Epsilon::new(1.0)?)?;
/// let mut last_hour = plan.open(SystemRng::new()?);
/// let told = last_hour.advance(41)?;
/// # let _ = told;
/// # Ok::<(), dp_mechanisms::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a plan is opened"]
pub struct WindowPlan {
    tree: TreePlan,
}

impl WindowPlan {
    /// Windows of `steps` steps (at most 2^24) with Laplace noise, at the price `epsilon` for the
    /// whole stream.
    ///
    /// # Errors
    ///
    /// [`privacy_core::Error::Parameter`] for a window out of range,
    /// [`NoiseError`](crate::noise::NoiseError) if the noise would be too large to draw.
    pub fn laplace(steps: u64, unit: Contribution, epsilon: &Epsilon) -> Result<Self> {
        checked_steps("the steps of the window", steps, WIDEST)?;
        Ok(WindowPlan { tree: TreePlan::laplace(steps, unit, epsilon)? })
    }

    /// Windows of `steps` steps (at most 2^24) with Gaussian noise, at the price `rho` for the
    /// whole stream.
    ///
    /// # Errors
    ///
    /// As [`WindowPlan::laplace`].
    pub fn gaussian(steps: u64, unit: Contribution, rho: &Rho) -> Result<Self> {
        checked_steps("the steps of the window", steps, WIDEST)?;
        Ok(WindowPlan { tree: TreePlan::gaussian(steps, unit, rho)? })
    }

    /// How many steps a window holds.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.tree.horizon()
    }

    /// The noise of each node.
    #[must_use]
    pub fn noise(&self) -> &Noise {
        self.tree.noise()
    }

    /// What the whole stream costs, once.
    #[must_use]
    pub fn charge(&self) -> &Charge {
        self.tree.charge()
    }

    /// Opens the stream with a random source of its own. Pay the charge first, see
    /// [`open_paid`](super::open_paid).
    pub fn open<R: SecureRng>(&self, rng: R) -> WindowStream<R> {
        WindowStream {
            width: self.steps(),
            pool: Pool::new(self.noise().clone()),
            rng,
            steps: 0,
            exact: 0,
            ends: [0; 64],
            current: self.empty(),
            previous: self.empty(),
        }
    }

    fn empty(&self) -> Block {
        vec![Vec::new(); self.tree.levels() as usize]
    }
}

/// The noisy nodes of a block, as far as they are complete: at index j those of height j.
type Block = Vec<Vec<i128>>;

/// The open stream; releases integers.
pub struct WindowStream<R> {
    width: u64,
    pool: Pool,
    rng: R,
    steps: u64,
    /// The exact sum of the current block.
    exact: i128,
    /// The exact sums where the latest node of each height ended.
    ends: [i128; 64],
    current: Block,
    previous: Block,
}

impl<R: SecureRng> Continual for WindowStream<R> {
    fn advance(&mut self, increment: i64) -> Result<i128> {
        self.pool.ensure(self.current.len(), &mut self.rng)?;
        let mut place = self.place();
        if place == self.width {
            std::mem::swap(&mut self.previous, &mut self.current);
            self.current.iter_mut().for_each(Vec::clear);
            (place, self.exact) = (0, 0);
        }
        place += 1;
        self.steps += 1;
        self.exact += i128::from(increment);
        for height in 0..=place.trailing_zeros() {
            let start = place - (1 << height);
            let before = match start {
                0 => 0,
                start => self.ends[start.trailing_zeros() as usize],
            };
            let node = noisy(self.exact - before, self.pool.next(&mut self.rng)?);
            if let Some(nodes) = self.current.get_mut(height as usize) {
                nodes.push(node);
            }
        }
        self.ends[place.trailing_zeros() as usize] = self.exact;
        let recent = cover(0, place).map(|node| node.of(&self.current));
        let earlier = cover(place, self.earlier_end(place)).map(|node| node.of(&self.previous));
        Ok(recent.chain(earlier).fold(0, i128::saturating_add))
    }

    fn exponent(&self) -> i32 {
        0
    }

    fn steps(&self) -> u64 {
        self.steps
    }

    /// The law of the latest window's error.
    fn law(&self) -> PrefixLaw {
        let place = self.place();
        let nodes = cover(0, place).count() + cover(place, self.earlier_end(place)).count();
        PrefixLaw::sum(self.pool.noise(), nodes as u64)
    }
}

impl<R> WindowStream<R> {
    /// How many steps of the current block have come.
    fn place(&self) -> u64 {
        match self.steps {
            0 => 0,
            steps => (steps - 1) % self.width + 1,
        }
    }

    /// Where the part of the window in the previous block ends, if there is one.
    fn earlier_end(&self, place: u64) -> u64 {
        if self.steps > self.width { self.width } else { place }
    }
}

/// A node: the steps `index << height .. (index + 1) << height` of a block.
struct Node {
    height: u32,
    index: usize,
}

impl Node {
    fn of(&self, block: &Block) -> i128 {
        let nodes = block.get(self.height as usize);
        nodes.and_then(|nodes| nodes.get(self.index)).copied().unwrap_or_default()
    }
}

/// The fewest nodes that make up the steps `from..to` of a block.
fn cover(from: u64, to: u64) -> impl Iterator<Item = Node> {
    let mut start = from;
    std::iter::from_fn(move || {
        if start >= to {
            return None;
        }
        let fitting = 63 - (to - start).leading_zeros();
        let height = start.trailing_zeros().min(fitting);
        let node = Node { height, index: (start >> height) as usize };
        start += 1 << height;
        Some(node)
    })
}

impl<R> fmt::Debug for WindowStream<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WindowStream").field("width", &self.width).finish_non_exhaustive()
    }
}
