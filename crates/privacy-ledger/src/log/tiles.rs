//! Exports in the layout of tlog-tiles: static files that tools and caches understand.

use std::fs;
use std::path::Path;

use super::checkpoint::SignedCheckpoint;
use super::tree::{Leaves, TILE_HEIGHT, TILE_WIDTH, Tree};
use crate::error::{Error, Result};

/// The path of a tile below the export: `tile/<level>/<index>`, with `.p/<width>` if it is partial.
pub(super) fn path(level: &str, index: u64, width: u64) -> String {
    // The index in groups of three digits, all but the last with an x before them.
    let mut rest = index / 1000;
    let mut text = format!("{:03}", index % 1000);
    while rest > 0 {
        text = format!("x{:03}/{text}", rest % 1000);
        rest /= 1000;
    }
    let partial = if width < TILE_WIDTH { format!(".p/{width}") } else { String::new() };
    format!("tile/{level}/{text}{partial}")
}

/// The widths of the tiles that `nodes` nodes fill: 256 for each but the last.
pub(super) fn tiles(nodes: u64) -> impl Iterator<Item = (u64, u64)> {
    (0..nodes.div_ceil(TILE_WIDTH))
        .map(move |index| (index, (nodes - index * TILE_WIDTH).min(TILE_WIDTH)))
}

/// Writes the checkpoint, the hash tiles and the entry bundles into `directory`.
///
/// `bundle` reads the entries `256 index ..` up to the given width.
pub(crate) fn export(
    directory: &Path,
    checkpoint: &SignedCheckpoint,
    tree: &Tree,
    leaves: &mut dyn Leaves,
    bundle: &mut dyn FnMut(u64, u64) -> Result<Vec<Vec<u8>>>,
) -> Result<()> {
    let size = checkpoint.unverified().size;
    for (index, width) in tiles(size) {
        let mut bytes = Vec::new();
        for entry in bundle(index, width)? {
            let length = u16::try_from(entry.len()).map_err(|_| Error::TooLarge {
                what: "entry",
                size: entry.len(),
                limit: usize::from(u16::MAX),
            })?;
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(&entry);
        }
        write(directory, &path("entries", index, width), &bytes)?;
    }
    let mut level = 0;
    while size >> (level * TILE_HEIGHT) > 0 {
        for (index, width) in tiles(size >> (level * TILE_HEIGHT)) {
            let hashes = tree.tile(level, index, size, leaves)?;
            let bytes: Vec<u8> = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
            write(directory, &path(&level.to_string(), index, width), &bytes)?;
        }
        level += 1;
    }
    // Last, so that an export that was cut short has no checkpoint that promises more.
    write(directory, "checkpoint", checkpoint.as_str().as_bytes())
}

fn write(directory: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let path = directory.join(name);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(Error::io("make the folder of an export"))?;
    }
    fs::write(path, bytes).map_err(Error::io("write an export"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_specification() {
        // The example of c2sp.org/tlog-tiles: index 1234067 is x001/x234/067.
        assert_eq!(path("0", 1_234_067, 256), "tile/0/x001/x234/067");
        assert_eq!(path("entries", 5, 12), "tile/entries/005.p/12");
        assert_eq!(path("1", 999, 256), "tile/1/999");
        assert_eq!(path("1", 1000, 1), "tile/1/x001/000.p/1");
        assert_eq!(tiles(257).collect::<Vec<_>>(), [(0, 256), (1, 1)]);
        assert_eq!(tiles(256).collect::<Vec<_>>(), [(0, 256)]);
        assert_eq!(tiles(0).count(), 0);
    }
}
