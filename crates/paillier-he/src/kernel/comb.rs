//! Powers of a fixed base by Lim and Lee's comb (CRYPTO 1994): the exponent is cut into rows, and
//! one table lookup serves a column of all rows.
//!
//! Rows have `row` bits and are cut into `blocks` of `depth` bits; each block has a table of the
//! products of the rows' bases. A power costs `row` products and `depth - 1` squarings. Lookups
//! read whole tables, so that the exponent leaves no trace in the cache.

use super::lanes::Batch;
use super::nat;
use super::ring::Ring;
use super::words::Words;

/// Bits of a table index: as many rows.
const TEETH: usize = 6;
/// Elements that one pass over a table serves.
#[cfg(not(feature = "rayon"))]
const TOGETHER: usize = 16;

/// Tables for the powers of one number for each modulus of a ring.
#[derive(Clone)]
pub(crate) struct Comb {
    bits: usize,
    row: usize,
    depth: usize,
    tables: Vec<Words>,
}

impl Comb {
    /// Tables for exponents of up to `bits` bits, of at most `bytes` bytes in all.
    ///
    /// `base` holds the base of each modulus in all lanes of that modulus.
    pub(crate) fn new(ring: &Ring, base: &[u64], bits: usize, bytes: usize) -> Self {
        let lanes = ring.lanes();
        let moduli = ring.modulus_index(lanes - 1) + 1;
        let row = bits.div_ceil(TEETH);
        let table_bytes = (moduli << TEETH) * ring.number_digits() * 8;
        let blocks = (bytes / table_bytes).clamp(1, row.div_ceil(4));
        let depth = row.div_ceil(blocks);
        let blocks = row.div_ceil(depth);
        let mut scratch = ring.scratch();

        // base^(2^(row·i + depth·j)) of row i and block j.
        let mut bases = vec![Words::default(); TEETH * blocks];
        let mut power = Words::zeroed(base.len());
        power.copy_from_slice(base);
        for at in 0..TEETH * row {
            if (at % row).is_multiple_of(depth) {
                bases[at / row * blocks + at % row / depth] = power.clone();
            }
            ring.square_assign(&mut power, &mut scratch);
        }
        let digits = ring.number_digits();
        let tables = (0..blocks)
            .map(|block| {
                let mut entries: Vec<Words> = vec![ring.one().clone()];
                for tooth in 0..TEETH {
                    for low in 0..1 << tooth {
                        let mut product = ring.zeroed();
                        let base = &bases[tooth * blocks + block];
                        ring.mul(&mut product, &entries[low], base, &mut scratch);
                        entries.push(product);
                    }
                }
                let mut numbers = Vec::new();
                for modulus in 0..moduli {
                    let lane = modulus * lanes / moduli;
                    for entry in &entries {
                        let mut number = vec![0; digits];
                        ring.extract(entry, lane, &mut number);
                        numbers.push(number);
                    }
                }
                let table = ring.shared_table(&numbers);
                zeroize::Zeroize::zeroize(&mut numbers);
                table
            })
            .collect();
        Comb { bits, row, depth, tables }
    }

    /// Bytes that the tables take.
    pub(crate) fn bytes(&self) -> usize {
        self.tables.iter().map(|table| table.len() * 8).sum()
    }

    /// The base to each of the exponents; number `i` of the result takes the exponent
    /// `exponents[i % lanes of one modulus …]` that `exponent` names.
    ///
    /// # Timing
    ///
    /// Depends on the number of exponents and their greatest length alone.
    pub(crate) fn pow<'e>(
        &self,
        ring: &Ring,
        len: usize,
        exponent: impl Fn(usize) -> &'e [u64] + Sync,
    ) -> Batch {
        let mut out = Batch::ones(ring, len);
        let lanes = ring.lanes();
        let index = |block: usize, table: usize, step: usize| {
            let mut index = [0u64; 8];
            let at = table * self.depth + step;
            for (lane, index) in index.iter_mut().enumerate().take(lanes) {
                let number = block * lanes + lane;
                if at < self.row && number < len {
                    let exponent = exponent(number);
                    for tooth in 0..TEETH {
                        let bit = tooth * self.row + at;
                        if bit < self.bits {
                            *index |= nat::bits_at(exponent, bit, 1) << tooth;
                        }
                    }
                }
                *index |= (ring.modulus_index(lane) as u64) << TEETH;
            }
            index
        };
        let step = |acc: &mut [u64], block, table: usize, step, factor: &mut Words, s: &mut _| {
            if table == 0 && step + 1 < self.depth {
                ring.square_assign(acc, s);
            }
            if table * self.depth + step < self.row {
                ring.select_shared(factor, &self.tables[table], &index(block, table, step));
                ring.mul_assign(acc, factor, s);
            }
        };
        #[cfg(feature = "rayon")]
        super::lanes::for_each_block(ring, &mut out, |i, acc, scratch| {
            let mut factor = ring.zeroed();
            for k in (0..self.depth).rev() {
                for table in 0..self.tables.len() {
                    step(acc, i, table, k, &mut factor, scratch);
                }
            }
        });
        #[cfg(not(feature = "rayon"))]
        {
            // Several elements use a table while it is in the cache.
            let mut scratch = ring.scratch();
            let mut factor = ring.zeroed();
            let mut blocks: Vec<&mut [u64]> = out.blocks_mut().collect();
            for (group, accs) in blocks.chunks_mut(TOGETHER).enumerate() {
                for k in (0..self.depth).rev() {
                    for table in 0..self.tables.len() {
                        for (i, acc) in accs.iter_mut().enumerate() {
                            let block = group * TOGETHER + i;
                            step(acc, block, table, k, &mut factor, &mut scratch);
                        }
                    }
                }
            }
        }
        out
    }
}
