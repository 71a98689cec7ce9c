//! Windows over a text that is longer than a model reads at once.

use std::ops::Range;

use super::Piece;

/// A word: its pieces, and the bytes of the text that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) pieces: Range<usize>,
    pub(super) span: Range<usize>,
}

/// Groups pieces into words; nothing if they are not in order within a text of `len` bytes.
pub(super) fn words(pieces: &[Piece], len: usize) -> Option<Vec<Word>> {
    let mut words: Vec<Word> = Vec::new();
    let mut at = 0;
    for (i, piece) in pieces.iter().enumerate() {
        let Range { start, end } = piece.range;
        if start < at || end <= start || end > len {
            return None;
        }
        match words.last_mut().filter(|_| !piece.first) {
            Some(word) => (word.pieces.end, word.span.end) = (i + 1, end),
            None => words.push(Word { pieces: i..i + 1, span: start..end }),
        }
        // Pieces of one letter share its bytes.
        at = if pieces.get(i + 1).is_some_and(|p| !p.first && p.range == piece.range) {
            start
        } else {
            end
        };
    }
    Some(words)
}

/// A stretch of pieces that is read at once, and the words that are judged by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) pieces: Range<usize>,
    pub(super) words: Range<usize>,
}

/// Covers words by windows of at most `room` pieces, which are cut between words; neighbours share about `overlap`
/// pieces, of which each judges the half that is farther from its edge. Each word is judged once.
pub(super) fn windows(words: &[Word], room: usize, overlap: usize) -> Vec<Window> {
    let mut out: Vec<Window> = Vec::new();
    let mut from = 0;
    let mut judged = 0;
    let start = |i: usize| words.get(i).map_or(0, |w| w.pieces.start);
    while let Some(next) = words.get(judged) {
        // What is judged next must fit, if need be without much before it.
        while from < judged && next.pieces.end - start(from) > room {
            from += 1;
        }
        let begin = start(from);
        let fits = words.iter().skip(from).take_while(|w| w.pieces.end - begin <= room).count();
        // A word that is longer than a window is read as far as it fits.
        let to = from + fits.max(1);
        let end = words.get(to - 1).map_or(begin, |w| w.pieces.end.min(begin + room));
        if to >= words.len() {
            out.push(Window { pieces: begin..end, words: judged..words.len() });
            break;
        }
        // Where the next window begins, and where the middle of what is shared lies.
        let back = |least: usize| {
            let shared = words.iter().take(to).skip(from + 1).rev();
            shared.take_while(|w| end - w.pieces.start <= least).count()
        };
        let next = to - back(overlap);
        let middle = (to - back(overlap / 2)).max(judged + 1).max(next);
        out.push(Window { pieces: begin..end, words: judged..middle });
        (from, judged) = (next, middle);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn made(lengths: &[usize]) -> Vec<Word> {
        let mut at = 0;
        let mut words = Vec::new();
        for (i, n) in lengths.iter().enumerate() {
            words.push(Word { pieces: at..at + n, span: i..i + 1 });
            at += n;
        }
        words
    }

    proptest! {
        #[test]
        fn each_word_is_judged_once_and_from_within(
            lengths in prop::collection::vec(1usize..9, 0..200), room in 6usize..60, share in 0usize..=4
        ) {
            let words = made(&lengths);
            let overlap = room * share / 8;
            let all = windows(&words, room, overlap);
            let mut judged = 0;
            for window in &all {
                prop_assert!(window.pieces.len() <= room && !window.pieces.is_empty());
                prop_assert_eq!(window.words.start, judged);
                prop_assert!(window.words.end > judged);
                judged = window.words.end;
                for word in &words[window.words.clone()] {
                    prop_assert!(window.pieces.contains(&word.pieces.start));
                    prop_assert!(word.pieces.end <= window.pieces.end || word.pieces.len() > room);
                }
            }
            prop_assert_eq!(judged, words.len());
            // All is read, and the number of windows is that of the text's length.
            let total: usize = lengths.iter().sum();
            let step = room.saturating_sub(overlap + 8).max(1);
            prop_assert!(all.len() <= total / step + 2 || room < overlap + 9);
        }
    }

    #[test]
    fn a_word_is_judged_where_it_stands_farther_from_the_edge() {
        let words = made(&[1; 20]);
        let all = windows(&words, 10, 4);
        assert_eq!(all[0], Window { pieces: 0..10, words: 0..8 });
        assert_eq!(all[1], Window { pieces: 6..16, words: 8..14 });
        assert_eq!(all[2], Window { pieces: 12..20, words: 14..20 });
    }

    #[test]
    fn pieces_out_of_order_are_refused() {
        let piece = |range, first| Piece { id: 0, range, first };
        assert_eq!(words(&[piece(0..2, true), piece(2..3, false)], 3).unwrap().len(), 1);
        assert!(words(&[piece(0..2, true), piece(1..3, true)], 3).is_none());
        assert!(words(&[piece(0..4, true)], 3).is_none());
        assert!(words(&[piece(1..1, true)], 3).is_none());
    }
}
