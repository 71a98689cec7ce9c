//! Powers: fixed windows with masked table scans for secret exponents, and a variable-time form
//! for public ones.

use super::nat::{self, Nat};
use super::ring::{Ring, Scratch};
use super::words::Words;

impl Ring {
    /// `base^e` in each lane, where lane `l` takes the exponent number `l·k/lanes` of the `k`
    /// given ones.
    ///
    /// # Timing
    ///
    /// Depends on `bits`, the public length of the exponents, alone.
    pub(crate) fn pow(
        &self,
        base: &[u64],
        exponents: &[&[u64]],
        bits: usize,
        scratch: &mut Scratch,
    ) -> Words {
        // The table of a wider window no longer fits into the cache next to the processor.
        let window = if bits <= 16 {
            2
        } else if self.number_digits() > 48 && bits > 512 {
            5
        } else {
            4
        };
        let table = self.powers(base, 1 << window, scratch);
        let windows = bits.div_ceil(window);
        let index = |at: usize| {
            let mut index = [0; 8];
            for (lane, index) in index.iter_mut().enumerate().take(self.lanes()) {
                let exponent = exponents[lane * exponents.len() / self.lanes()];
                *index = nat::bits_at(exponent, at * window, window.min(bits - at * window));
            }
            index
        };
        let mut acc = self.one().clone();
        let mut factor = self.zeroed();
        for at in (0..windows).rev() {
            if at + 1 == windows {
                self.select(&mut acc, &table, &index(at));
                continue;
            }
            for _ in 0..window {
                self.square_assign(&mut acc, scratch);
            }
            self.select(&mut factor, &table, &index(at));
            self.mul_assign(&mut acc, &factor, scratch);
        }
        acc
    }

    /// [`Ring::pow`] of numbers that each fill `spread` neighbouring lanes, in fewer steps: lane `k`
    /// of a number raises it to part `k` of the exponent. All lanes of a number hold its power.
    ///
    /// There are as many squarings as ever, but the products for the parts of the exponent run side
    /// by side.
    ///
    /// # Timing
    ///
    /// As [`Ring::pow`].
    pub(crate) fn pow_spread(
        &self,
        base: &[u64],
        exponents: &[&[u64]],
        bits: usize,
        spread: usize,
        scratch: &mut Scratch,
    ) -> Words {
        if spread == 1 {
            return self.pow(base, exponents, bits, scratch);
        }
        let words = bits.div_ceil(64 * spread);
        let mut bases = self.zeroed();
        bases.copy_from_slice(base);
        let mut power = bases.clone();
        for part in 1..spread {
            for _ in 0..64 * words {
                self.square_assign(&mut power, scratch);
            }
            for lane in (0..self.lanes()).filter(|lane| lane % spread == part) {
                self.copy_lane(&mut bases, lane, &power, lane);
            }
        }
        let parts: Vec<&[u64]> = (0..self.lanes())
            .map(|lane| {
                let exponent = exponents[lane * exponents.len() / self.lanes()];
                let start = (lane % spread * words).min(exponent.len());
                &exponent[start..exponent.len().min(start + words)]
            })
            .collect();
        let mut acc = self.pow(&bases, &parts, 64 * words, scratch);
        let mut distance = 1;
        while distance < spread {
            let mut other = self.zeroed();
            for lane in 0..self.lanes() {
                self.copy_lane(&mut other, lane, &acc, lane ^ distance);
            }
            self.mul_assign(&mut acc, &other, scratch);
            distance *= 2;
        }
        acc
    }

    /// `bases[i]^exponents[i]` for a ring with one modulus.
    ///
    /// # Timing
    ///
    /// Depends on the number of bases and the longest exponent in words, not on the values.
    pub(crate) fn pow_each(&self, bases: &[&[u64]], exponents: &[&[u64]]) -> Vec<Nat> {
        debug_assert_eq!(bases.len(), exponents.len());
        let mut scratch = self.scratch();
        let bits = 64 * exponents.iter().map(|e| e.len()).max().unwrap_or(0);
        let mut out = Vec::with_capacity(bases.len());
        for (bases, exponents) in bases.chunks(self.lanes()).zip(exponents.chunks(self.lanes())) {
            let none: &[u64] = &[];
            let exponents: Vec<&[u64]> = (0..self.lanes())
                .map(|lane| exponents.get(lane).copied().unwrap_or(none))
                .collect();
            let element = self.load(bases, &mut scratch);
            let power = self.pow(&element, &exponents, bits, &mut scratch);
            out.extend(self.store(&power, &mut scratch).into_iter().take(bases.len()));
        }
        out
    }

    /// `base^exponent` in all lanes.
    ///
    /// # Timing
    ///
    /// Depends on the exponent, which must be public; not on the base.
    pub(crate) fn pow_vartime(
        &self,
        base: &[u64],
        exponent: &[u64],
        scratch: &mut Scratch,
    ) -> Words {
        let bits = nat::bits(exponent) as usize;
        let window = match bits {
            0..=8 => 1,
            9..=32 => 2,
            33..=128 => 3,
            129..=512 => 4,
            513..=1400 => 5,
            _ => 6,
        };
        // Odd powers alone: a sliding window starts and ends with a one.
        let mut square = self.zeroed();
        self.square(&mut square, base, scratch);
        let stride = self.element_words();
        let mut table = Words::zeroed(stride << (window - 1));
        table[..stride].copy_from_slice(base);
        for i in 1..1 << (window - 1) {
            let (before, after) = table.split_at_mut(i * stride);
            self.mul(&mut after[..stride], &before[(i - 1) * stride..], &square, scratch);
        }
        let mut acc = self.one().clone();
        let mut at = bits;
        while at > 0 {
            if nat::bits_at(exponent, at - 1, 1) == 0 {
                self.square_assign(&mut acc, scratch);
                at -= 1;
                continue;
            }
            let mut width = window.min(at);
            while nat::bits_at(exponent, at - width, 1) == 0 {
                width -= 1;
            }
            for _ in 0..width {
                self.square_assign(&mut acc, scratch);
            }
            at -= width;
            let entry = nat::bits_at(exponent, at, width) as usize / 2;
            self.mul_assign(&mut acc, &table[entry * stride..(entry + 1) * stride], scratch);
        }
        acc
    }

    /// The powers 0 to `count - 1` of `base`, one after another.
    pub(crate) fn powers(&self, base: &[u64], count: usize, scratch: &mut Scratch) -> Words {
        let stride = self.element_words();
        let mut table = Words::zeroed(stride * count);
        table[..stride].copy_from_slice(self.one());
        table[stride..2 * stride].copy_from_slice(base);
        for i in 2..count {
            let (before, after) = table.split_at_mut(i * stride);
            let power = &mut after[..stride];
            if i % 2 == 0 {
                self.square(power, &before[i / 2 * stride..(i / 2 + 1) * stride], scratch);
            } else {
                self.mul(power, &before[(i - 1) * stride..], base, scratch);
            }
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;
    use proptest::prelude::*;

    use super::super::{Backend, Nat, Ring};

    /// Words with the shapes that carries go wrong on.
    fn words(len: usize) -> impl Strategy<Value = Vec<u64>> {
        let word = prop_oneof![
            4 => any::<u64>(),
            2 => Just(u64::MAX),
            2 => Just(0),
            1 => (0u32..64).prop_map(|k| 1 << k),
            1 => (0u32..64).prop_map(|k| (1 << k) - 1),
        ];
        prop::collection::vec(word, len)
    }

    fn operand(n: &BigUint, raw: &[u64], kind: u8) -> BigUint {
        let square = n * n;
        match kind % 8 {
            0 => &square - 1u8,
            1 => n - 1u8,
            2 => n + 1u8,
            3 => BigUint::from(1u8) << ((raw[0] % (2 * n.bits() - 1)) as u32),
            4 => (BigUint::from(1u8) << ((raw[0] % (2 * n.bits() - 1)) as u32)) - 1u8,
            5 => BigUint::from(kind / 8 % 3),
            _ => super::super::nat::words_to_big(raw) % square,
        }
    }

    fn backends() -> Vec<Backend> {
        let mut all = vec![Backend::Portable];
        if !matches!(Backend::best(), Backend::Portable) {
            all.push(Backend::best());
        }
        all
    }

    fn agrees(n: &BigUint, a: &[BigUint], b: &[BigUint], e: &BigUint) {
        let modulus = Nat::from_big(n);
        for backend in backends() {
            for pair in [false, true] {
                let m = if pair { n * n } else { n.clone() };
                let ring = Ring::new(backend, &[&modulus], pair, 2 * n.bits() as usize);
                let mut s = ring.scratch();
                let lanes = ring.lanes();
                for (a, b) in a.chunks(lanes).zip(b.chunks(lanes)) {
                    let numbers = |x: &[BigUint]| x.iter().map(Nat::from_big).collect::<Vec<_>>();
                    let (na, nb) = (numbers(a), numbers(b));
                    let load = |x: &[Nat], s: &mut _| {
                        ring.load(&x.iter().map(|x| &x[..]).collect::<Vec<_>>(), s)
                    };
                    let (x, y) = (load(&na, &mut s), load(&nb, &mut s));
                    let mut z = ring.zeroed();
                    let check = |z: &[u64], s: &mut _, f: &dyn Fn(usize) -> BigUint| {
                        for (lane, value) in ring.store(z, s).iter().enumerate().take(a.len()) {
                            assert_eq!(value.to_big(), f(lane));
                        }
                    };
                    check(&x, &mut s, &|i| &a[i] % &m);
                    ring.mul(&mut z, &x, &y, &mut s);
                    check(&z, &mut s, &|i| &a[i] * &b[i] % &m);
                    ring.square(&mut z, &x, &mut s);
                    check(&z, &mut s, &|i| &a[i] * &a[i] % &m);
                    let exponent = Nat::from_big(e);
                    let z = ring.pow(&x, &[&exponent], exponent.len() * 64, &mut s);
                    check(&z, &mut s, &|i| a[i].modpow(e, &m));
                    for spread in [2, 4].into_iter().filter(|spread| *spread <= lanes) {
                        let numbers: Vec<&[u64]> =
                            (0..lanes).map(|lane| &na[lane / spread * spread][..]).collect();
                        let x = ring.load(&numbers, &mut s);
                        let bits = exponent.len() * 64;
                        let z = ring.pow_spread(&x, &[&exponent], bits, spread, &mut s);
                        check(&z, &mut s, &|i| a[i / spread * spread].modpow(e, &m));
                    }
                    let z = ring.pow_vartime(&x, &exponent, &mut s);
                    check(&z, &mut s, &|i| a[i].modpow(e, &m));
                }
            }
        }
    }

    #[test]
    fn zeroth_powers_and_powers_of_zero() {
        let n = (BigUint::from(1u8) << 512u32) - 569u32;
        let a: Vec<BigUint> = (0u8..8).map(BigUint::from).collect();
        agrees(&n, &a, &a, &BigUint::from(0u8));
        agrees(&n, &a, &a, &BigUint::from(1u8));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(cases()))]
        #[test]
        fn kernels_agree_with_big_integers(
            bits in prop_oneof![
                10 => Just(512usize), 10 => Just(1024), 10 => Just(1536), 10 => 64usize..2100,
                1 => 2100usize..=8192,
            ],
            seed in words(128),
            raw in prop::collection::vec(words(256), 16),
            kinds in prop::collection::vec(any::<u8>(), 16),
            e in words(1),
        ) {
            let mut n = super::super::nat::words_to_big(&seed[..bits.div_ceil(64)]);
            n &= (BigUint::from(1u8) << bits) - 1u8;
            n.set_bit(bits as u64 - 1, true);
            n.set_bit(0, true);
            let x: Vec<BigUint> = raw.iter().zip(&kinds).map(|(r, k)| operand(&n, r, *k)).collect();
            agrees(&n, &x[..8], &x[8..], &super::super::nat::words_to_big(&e));
        }
    }

    /// How many moduli the property test tries; each checks some 190 results of 32 inputs (16 numbers
    /// modulo N and N²) on two backends.
    ///
    /// `PAILLIER_HE_CASES=32000 cargo test -p paillier-he --release kernels_agree` compares results of
    /// 10^6 inputs.
    fn cases() -> u32 {
        std::env::var("PAILLIER_HE_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(48)
    }

    #[test]
    fn kernels_agree_on_long_and_extreme_moduli() {
        for bits in [512u32, 3072, 4096, 8192] {
            let power = BigUint::from(1u8) << bits;
            for n in [&power - 1u8, (&power >> 1) + 1u8, &power - (BigUint::from(1u8) << 63) - 1u8]
            {
                let raw: Vec<Vec<u64>> =
                    (0..16).map(|i| vec![u64::MAX - i; 2 * bits as usize / 64]).collect();
                let x: Vec<BigUint> =
                    (0u8..16).map(|i| operand(&n, &raw[usize::from(i)], i)).collect();
                agrees(&n, &x[..8], &x[8..], &BigUint::from(0xfff0_0000_0000_0001u64));
            }
        }
    }
}
