//! Arithmetic modulo N or N², for one modulus in all lanes or a modulus for each.
//!
//! # Elements
//!
//! A *plain* element is a residue modulo N in Montgomery form, `a = x·R mod N`. An element modulo
//! N² is a *pair* `(a₀, a₁)` that stands for `a₀ - a₁·N`, again with the factor R. Of a product
//! `(a₀ - a₁N)(b₀ - b₁N)` modulo N² only `a₀b₀` and, modulo N, `a₀b₁ + a₁b₀` matter. Montgomery's
//! reduction of the first finds `q` with `a₀b₀ + qN = R·c₀`, so that
//!
//! ```text
//! a₀b₀ - (a₀b₁ + a₁b₀)N = R·c₀ - (a₀b₁ + a₁b₀ + q)N = R·(c₀ - c₁N)   (mod N²)
//! c₁ = (a₀b₁ + a₁b₀ + q)/R mod N
//! ```
//!
//! and the quotient, which other reductions throw away, is the carry into `c₁`. That is five
//! eighths of the work of a product of full length (7/12 for squares).
//!
//! # Bounds
//!
//! R ≥ 64N. Components of operands are at most 4N + 4; then results are at most
//! `32(N + 1)²/R + 1 + N < 2N`. No subtraction is needed inside a chain of products.

mod convert;
mod select;

#[cfg(target_arch = "x86_64")]
use super::ifma::{self, Ifma};
use super::nat::{self, Nat};
use super::portable;
use super::words::Words;

/// Which instructions a ring is computed with.
#[derive(Clone, Copy)]
pub(crate) enum Backend {
    /// Limbs of 64 bits, on every processor.
    Portable,
    /// Eight lanes of 52-bit digits.
    #[cfg(target_arch = "x86_64")]
    Ifma(Ifma),
}

/// The bits by which R exceeds N.
const SLACK: u64 = 6;
/// The most chunks of the length of R that a number may be loaded from.
const MOST_CHUNKS: usize = 10;

impl Backend {
    /// The fastest that this processor has.
    pub(crate) fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(ifma) = Ifma::detect() {
            return Backend::Ifma(ifma);
        }
        Backend::Portable
    }

    fn radix(self) -> usize {
        match self {
            Backend::Portable => 64,
            #[cfg(target_arch = "x86_64")]
            Backend::Ifma(_) => 52,
        }
    }
}

/// Arithmetic modulo N or N² (with its constants) on elements of one or more lanes.
#[derive(Clone)]
pub(crate) struct Ring {
    backend: Backend,
    lanes: usize,
    digits: usize,
    pair: bool,
    /// One modulus for each group of lanes.
    moduli: Vec<Nat>,
    n: Words,
    k0: Words,
    /// 1 in Montgomery form.
    one: Words,
    /// R^(i+2): what chunk i of a number is multiplied by when it is loaded.
    chunks: Vec<Words>,
}

/// Space that products are computed in.
pub(crate) struct Scratch {
    t: Words,
    q: Words,
    doubled: Words,
    product: Words,
}

impl Ring {
    /// The ring modulo each of `moduli`: odd, at least 3. Numbers of up to `width` bits can be
    /// loaded. With several moduli the lanes are divided among them in order.
    pub(crate) fn new(backend: Backend, moduli: &[&Nat], pair: bool, width: usize) -> Self {
        let radix = backend.radix();
        let bits = moduli.iter().map(|n| n.bits_vartime()).max().unwrap_or(0);
        let digits = ((bits + SLACK) as usize).div_ceil(radix);
        let (lanes, digits) = match backend {
            Backend::Portable => (moduli.len(), digits),
            #[cfg(target_arch = "x86_64")]
            Backend::Ifma(_) => (8, digits.next_multiple_of(ifma::BLOCK).max(2 * ifma::BLOCK)),
        };
        #[cfg(target_arch = "x86_64")]
        let backend = if digits > ifma::MOST_DIGITS { Backend::Portable } else { backend };
        #[cfg(target_arch = "x86_64")]
        if matches!(backend, Backend::Portable) && radix == 52 {
            // Too long for the columns of the vector kernel.
            return Ring::new(backend, moduli, pair, width);
        }
        let moduli: Vec<Nat> = moduli.iter().map(|n| (*n).clone()).collect();
        let mut ring = Ring {
            backend,
            lanes,
            digits,
            pair,
            moduli,
            n: Words::default(),
            k0: Words::zeroed(lanes),
            one: Words::default(),
            chunks: Vec::new(),
        };
        ring.n = Words::zeroed(ring.component_words());
        ring.one = Words::zeroed(ring.element_words());
        let mut two = ring.one.clone();
        for lane in 0..lanes {
            ring.set_up_lane(lane, &mut two);
        }
        ring.set_up_chunks(two, width.div_ceil(digits * radix));
        ring
    }

    fn set_up_lane(&mut self, lane: usize, two: &mut Words) {
        let n = self.modulus(lane).clone();
        let n_words = std::mem::take(&mut self.n);
        let mut n_words = n_words;
        self.put(&mut n_words, 0, lane, &n);
        self.n = n_words;
        let radix = self.backend.radix();
        let k0 = nat::negated_inverse(n[0]);
        self.k0[lane] = if radix == 64 { k0 } else { k0 & ((1 << 52) - 1) };

        // 2^(bits - 1) < N, doubled up to R and once more.
        let bits = n.bits_vartime() as usize;
        let (mut low, mut high) = (Nat::zero(n.len()), Nat::zero(n.len()));
        low[(bits - 1) / 64] = 1 << ((bits - 1) % 64);
        for exponent in bits..=self.digits * radix + 1 {
            let subtracted = nat::double_mod(&mut low, &n);
            nat::double_mod(&mut high, &n);
            let borrow = nat::sub_masked(&mut high, &[1], nat::mask(subtracted));
            nat::add_masked(&mut high, &n, nat::mask(borrow));
            if exponent >= self.digits * radix {
                let mut one = std::mem::take(&mut self.one);
                let element = if exponent == self.digits * radix { &mut one } else { &mut *two };
                self.put(element, 0, lane, &low);
                if self.pair {
                    self.put(element, 1, lane, &high);
                }
                self.one = one;
            }
        }
    }

    /// From R and 2R: R² as the Montgomery form of 2^(bits of R), and its successors.
    fn set_up_chunks(&mut self, two: Words, count: usize) {
        assert!(
            count <= MOST_CHUNKS,
            "numbers to load are at most ten times as long as a digit row"
        );
        let mut scratch = self.scratch();
        let exponent = self.digits * self.backend.radix();
        let mut square = two.clone();
        for bit in (0..exponent.ilog2()).rev() {
            self.square_assign(&mut square, &mut scratch);
            if exponent >> bit & 1 == 1 {
                self.mul_assign(&mut square, &two, &mut scratch);
            }
        }
        let mut next = square.clone();
        self.chunks.push(next.clone());
        while self.chunks.len() < count {
            self.mul_assign(&mut next, &square, &mut scratch);
            self.chunks.push(next.clone());
        }
    }

    /// Numbers that an element holds side by side.
    pub(crate) fn lanes(&self) -> usize {
        self.lanes
    }

    /// Words of an element.
    pub(crate) fn element_words(&self) -> usize {
        self.component_words() * self.components()
    }

    /// Digits of one number in all components.
    pub(crate) fn number_digits(&self) -> usize {
        self.digits * self.components()
    }

    /// The modulus N of a lane.
    pub(crate) fn modulus(&self, lane: usize) -> &Nat {
        &self.moduli[lane * self.moduli.len() / self.lanes]
    }

    /// The number of the modulus of a lane among the moduli.
    pub(crate) fn modulus_index(&self, lane: usize) -> usize {
        lane * self.moduli.len() / self.lanes
    }

    /// 1 in Montgomery form.
    pub(crate) fn one(&self) -> &Words {
        &self.one
    }

    /// An element of zeros.
    pub(crate) fn zeroed(&self) -> Words {
        Words::zeroed(self.element_words())
    }

    /// Space for products in this ring.
    pub(crate) fn scratch(&self) -> Scratch {
        let component = self.component_words();
        Scratch {
            t: Words::zeroed(2 * component),
            q: Words::zeroed(component),
            doubled: Words::zeroed(component),
            product: self.zeroed(),
        }
    }

    fn components(&self) -> usize {
        if self.pair { 2 } else { 1 }
    }

    fn component_words(&self) -> usize {
        (self.lanes * self.digits).next_multiple_of(8)
    }

    /// Where digit `j` of a number (counted over all components) lies in an element.
    fn position(&self, lane: usize, j: usize) -> usize {
        let (component, j) = (j / self.digits, j % self.digits);
        component * self.component_words()
            + match self.backend {
                Backend::Portable => lane * self.digits + j,
                #[cfg(target_arch = "x86_64")]
                Backend::Ifma(_) => 8 * j + lane,
            }
    }

    /// `out = a·b`.
    pub(crate) fn mul(&self, out: &mut [u64], a: &[u64], b: &[u64], scratch: &mut Scratch) {
        let half = self.component_words();
        let ((a0, a1), (b0, b1)) = (a.split_at(half), b.split_at(half));
        let (c0, c1) = out.split_at_mut(half);
        self.each(scratch, |lanes, part, _| {
            lanes.mul(part.of_mut(c0), part.of(a0), part.of(b0));
            if self.pair {
                let terms = [part.of(a0), part.of(b1), part.of(a1), part.of(b0)];
                lanes.cross(part.of_mut(c1), terms);
            }
        });
    }

    /// `out = a²`.
    pub(crate) fn square(&self, out: &mut [u64], a: &[u64], scratch: &mut Scratch) {
        let half = self.component_words();
        let (a0, a1) = a.split_at(half);
        let (c0, c1) = out.split_at_mut(half);
        self.each(scratch, |lanes, part, doubled| {
            lanes.square(part.of_mut(c0), part.of(a0));
            if self.pair {
                lanes.cross_doubled(part.of_mut(c1), part.of(a0), part.of(a1), doubled);
            }
        });
    }

    /// `out = a₀·b₀` modulo N: the product of the first components alone.
    pub(crate) fn mul_low(&self, out: &mut [u64], a: &[u64], b: &[u64], scratch: &mut Scratch) {
        let half = self.component_words();
        let (a, b, out) = (&a[..half], &b[..half], &mut out[..half]);
        self.each(scratch, |lanes, part, _| lanes.mul(part.of_mut(out), part.of(a), part.of(b)));
    }

    /// Multiplies pairs by `1 + mN`, where `minus_m` holds `(N - m)·R mod N` in its first
    /// component: `c₁ ← c₁ + c₀·(-m)`.
    pub(crate) fn shift_by(&self, a: &mut [u64], minus_m: &[u64], scratch: &mut Scratch) {
        let half = self.component_words();
        scratch.q.fill(0);
        let mut out = std::mem::take(&mut scratch.product);
        let (a0, a1) = a.split_at_mut(half);
        self.each(scratch, |lanes, part, _| {
            let terms = [part.of(a0), part.of(minus_m), part.of(a1), part.of(&self.one)];
            lanes.cross(part.of_mut(&mut out), terms);
        });
        a1.copy_from_slice(&out[..half]);
        scratch.product = out;
    }

    /// `a = a·b`.
    pub(crate) fn mul_assign(&self, a: &mut [u64], b: &[u64], scratch: &mut Scratch) {
        let mut product = std::mem::take(&mut scratch.product);
        self.mul(&mut product, a, b, scratch);
        a.copy_from_slice(&product[..a.len()]);
        scratch.product = product;
    }

    /// `a = a²`.
    pub(crate) fn square_assign(&self, a: &mut [u64], scratch: &mut Scratch) {
        let mut product = std::mem::take(&mut scratch.product);
        self.square(&mut product, a, scratch);
        a.copy_from_slice(&product[..a.len()]);
        scratch.product = product;
    }

    /// Runs `f` on the lanes as the backend divides them.
    fn each(&self, scratch: &mut Scratch, mut f: impl FnMut(&mut Lanes<'_>, Part, &mut [u64])) {
        let Scratch { t, q, doubled, .. } = scratch;
        match self.backend {
            Backend::Portable => {
                for lane in 0..self.lanes {
                    let part = Part { start: lane * self.digits, len: self.digits };
                    let (k0, n) = (self.k0[lane], part.of(&self.n));
                    let q = &mut q[part.start..part.start + part.len];
                    let lanes = portable::Lane { n, k0, t, q };
                    f(&mut Lanes::Portable(lanes), part, doubled);
                }
            }
            #[cfg(target_arch = "x86_64")]
            Backend::Ifma(ifma) => {
                let part = Part { start: 0, len: 8 * self.digits };
                let (n, k0) = (&self.n, &self.k0);
                let lanes = ifma::Lanes { ifma, digits: self.digits, n, k0, t, q };
                f(&mut Lanes::Ifma(lanes), part, doubled);
            }
        }
    }
}

/// The part of a component that a backend works on at a time.
#[derive(Clone, Copy)]
struct Part {
    start: usize,
    len: usize,
}

impl Part {
    fn of(self, words: &[u64]) -> &[u64] {
        &words[self.start..self.start + self.len]
    }

    fn of_mut(self, words: &mut [u64]) -> &mut [u64] {
        &mut words[self.start..self.start + self.len]
    }
}

/// The backends' kernels behind one face.
enum Lanes<'a> {
    Portable(portable::Lane<'a>),
    #[cfg(target_arch = "x86_64")]
    Ifma(ifma::Lanes<'a>),
}

impl Lanes<'_> {
    fn mul(&mut self, out: &mut [u64], a: &[u64], b: &[u64]) {
        match self {
            Lanes::Portable(lane) => lane.mul(out, a, b),
            #[cfg(target_arch = "x86_64")]
            Lanes::Ifma(lanes) => lanes.mul(out, a, b),
        }
    }

    fn square(&mut self, out: &mut [u64], a: &[u64]) {
        match self {
            Lanes::Portable(lane) => lane.square(out, a),
            #[cfg(target_arch = "x86_64")]
            Lanes::Ifma(lanes) => lanes.square(out, a),
        }
    }

    fn cross(&mut self, out: &mut [u64], terms: [&[u64]; 4]) {
        match self {
            Lanes::Portable(lane) => lane.cross(out, terms),
            #[cfg(target_arch = "x86_64")]
            Lanes::Ifma(lanes) => lanes.cross(out, terms),
        }
    }

    fn cross_doubled(&mut self, out: &mut [u64], a: &[u64], b: &[u64], doubled: &mut [u64]) {
        match self {
            Lanes::Portable(lane) => lane.cross_doubled(out, a, b, &mut doubled[..a.len()]),
            #[cfg(target_arch = "x86_64")]
            Lanes::Ifma(lanes) => lanes.cross_doubled(out, a, b, doubled),
        }
    }
}
