//! Lanes of elements, and tables that are read whole.

#[cfg(target_arch = "x86_64")]
use super::super::ifma;
use super::super::nat;
use super::super::words::Words;
use super::{Backend, Ring};

impl Ring {
    /// Copies the number in `lane` of `from` as digits.
    pub(crate) fn extract(&self, from: &[u64], lane: usize, digits: &mut [u64]) {
        for (j, digit) in digits.iter_mut().enumerate() {
            *digit = from[self.position(lane, j)];
        }
    }

    /// Copies the number in lane `from_lane` of `from` to lane `lane` of `to`.
    pub(crate) fn copy_lane(&self, to: &mut [u64], lane: usize, from: &[u64], from_lane: usize) {
        match self.backend {
            Backend::Portable => {
                for j in 0..self.number_digits() {
                    to[self.position(lane, j)] = from[self.position(from_lane, j)];
                }
            }
            #[cfg(target_arch = "x86_64")]
            Backend::Ifma(_) => {
                for (to, from) in to.chunks_exact_mut(8).zip(from.chunks_exact(8)) {
                    to[lane] = from[from_lane];
                }
            }
        }
    }

    /// In each lane the entry of `table` that the lane's index names; all entries are read.
    pub(crate) fn select(&self, out: &mut [u64], table: &[u64], index: &[u64; 8]) {
        match self.backend {
            Backend::Portable => {
                out.fill(0);
                let component = self.component_words();
                for (entry, words) in table.chunks_exact(out.len()).enumerate() {
                    for c in 0..self.components() {
                        for (lane, &index) in index.iter().enumerate().take(self.lanes) {
                            let mask = nat::mask(nat::equal(index, entry as u64));
                            let start = c * component + lane * self.digits;
                            let from = &words[start..start + self.digits];
                            for (out, word) in out[start..].iter_mut().zip(from) {
                                *out |= word & mask;
                            }
                        }
                    }
                }
            }
            #[cfg(target_arch = "x86_64")]
            Backend::Ifma(ifma) => ifma::select(ifma, out, table, index),
        }
    }

    /// A table of numbers (as [extracted](Ring::extract) digits) that all lanes share.
    pub(crate) fn shared_table(&self, entries: &[Vec<u64>]) -> Words {
        let digits = self.number_digits();
        match self.backend {
            Backend::Portable => {
                let mut table = Words::zeroed(entries.len() * digits);
                for (to, from) in table.chunks_mut(digits).zip(entries) {
                    to[..from.len()].copy_from_slice(from);
                }
                table
            }
            #[cfg(target_arch = "x86_64")]
            Backend::Ifma(_) => ifma::shared_table(entries, digits),
        }
    }

    /// In each lane the entry of a [shared table](Ring::shared_table) that the lane's index names;
    /// all entries are read.
    pub(crate) fn select_shared(&self, out: &mut [u64], table: &[u64], index: &[u64; 8]) {
        match self.backend {
            Backend::Portable => {
                out.fill(0);
                for (lane, &index) in index.iter().enumerate().take(self.lanes) {
                    for (entry, words) in table.chunks_exact(self.number_digits()).enumerate() {
                        let mask = nat::mask(nat::equal(index, entry as u64));
                        for (c, words) in words.chunks_exact(self.digits).enumerate() {
                            let start = self.position(lane, c * self.digits);
                            for (out, word) in out[start..].iter_mut().zip(words) {
                                *out |= word & mask;
                            }
                        }
                    }
                }
            }
            #[cfg(target_arch = "x86_64")]
            Backend::Ifma(ifma) => ifma::select_shared(ifma, out, table, index),
        }
    }
}
