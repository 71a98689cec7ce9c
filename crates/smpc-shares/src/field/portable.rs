//! Butterflies of transforms, element by element: what a field without kernels does, and what kernels
//! are held to.

use super::NttField;

pub(crate) fn in_frequency<F: NttField>(low: &mut [F], high: &mut [F], root: Option<F>) {
    let Some(root) = root else { return sum_and_difference(low, high) };
    for (low, high) in low.iter_mut().zip(high) {
        (*low, *high) = (*low + *high, (*low - *high) * root);
    }
}

pub(crate) fn in_time<F: NttField>(low: &mut [F], high: &mut [F], root: Option<F>) {
    let Some(root) = root else { return sum_and_difference(low, high) };
    for (low, high) in low.iter_mut().zip(high) {
        let turned = *high * root;
        (*low, *high) = (*low + turned, *low - turned);
    }
}

fn sum_and_difference<F: NttField>(low: &mut [F], high: &mut [F]) {
    for (low, high) in low.iter_mut().zip(high) {
        (*low, *high) = (*low + *high, *low - *high);
    }
}

pub(crate) fn in_frequency_each<F: NttField>(low: &mut [F], high: &mut [F], roots: &[F]) {
    for ((low, high), root) in low.iter_mut().zip(high).zip(roots) {
        (*low, *high) = (*low + *high, (*low - *high) * *root);
    }
}

pub(crate) fn in_time_each<F: NttField>(low: &mut [F], high: &mut [F], roots: &[F]) {
    for ((low, high), root) in low.iter_mut().zip(high).zip(roots) {
        let turned = *high * *root;
        (*low, *high) = (*low + turned, *low - turned);
    }
}

pub(crate) fn last_in_frequency<F: NttField>(values: &mut [F], roots: &[F]) {
    let length = values.len();
    for half in [4, 2].into_iter().filter(|half| 2 * half <= length) {
        for block in values.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            in_frequency_each(low, high, &roots[half - 1..]);
        }
    }
    neighbours(values);
}

pub(crate) fn first_in_time<F: NttField>(values: &mut [F], roots: &[F]) {
    neighbours(values);
    let length = values.len();
    for half in [2, 4].into_iter().filter(|half| 2 * half <= length) {
        for block in values.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            in_time_each(low, high, &roots[half - 1..]);
        }
    }
}

fn neighbours<F: NttField>(values: &mut [F]) {
    for [low, high] in values.as_chunks_mut().0 {
        (*low, *high) = (*low + *high, *low - *high);
    }
}

pub(crate) fn scale<F: NttField>(values: &mut [F], factor: F) {
    for value in values {
        *value *= factor;
    }
}

pub(crate) fn scale_each<F: NttField>(values: &mut [F], factors: &[F]) {
    for (value, factor) in values.iter_mut().zip(factors) {
        *value *= *factor;
    }
}
