//! Titles, nationalities, religious and political groups: closed lists.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use crate::context::word_hash;

const GROUPS: &str = include_str!("../../data/groups.txt");

/// What a word of the lists is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    /// Before a name: "Dr".
    Title,
    /// A nationality, a religion, a party.
    Nrp,
    /// The same only where something says so, such as "Polish" or "Labour".
    Maybe,
    /// Before a name, and not part of it: "Dear".
    Greeting,
    /// No name by itself: "Linux", "None".
    Never,
}

#[derive(Debug)]
pub(super) struct Groups(HashMap<u64, Group, FixedState>);

impl Groups {
    pub(super) fn new() -> Self {
        let mut map = HashMap::default();
        for line in GROUPS.lines() {
            let Some((kind, words)) = line.split_once(':') else { continue };
            let group = match kind {
                "title" => Group::Title,
                "nrp" => Group::Nrp,
                "never" => Group::Never,
                "greeting" => Group::Greeting,
                _ => Group::Maybe,
            };
            for word in words.split_whitespace() {
                map.insert(word_hash(word), group);
            }
        }
        Groups(map)
    }

    pub(super) fn of(&self, hash: u64) -> Option<Group> {
        self.0.get(&hash).copied()
    }
}
