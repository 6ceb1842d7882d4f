//! Texts of characters that programs often mishandle.

/// Pieces of texts: beyond ASCII, combining and joined characters, beyond the Basic Multilingual Plane, from right to left,
/// control characters, noncharacters, and characters with a meaning in HTML, SQL, templates, shells and paths.
const PIECES: [&str; 28] = [
    "é",
    "e\u{301}",
    "😀",
    "\u{0}",
    "שלום",
    "\u{202e}",
    "İ",
    "ß",
    "👩\u{200d}👧",
    "𝔘",
    "漢字",
    "\u{10ffff}",
    "\u{ffff}",
    "\u{feff}",
    "\u{2028}",
    "\u{7f}",
    "\u{1b}",
    "\n",
    "\t",
    "'",
    "\"",
    "\\",
    "<b>",
    "&",
    "%",
    "{{",
    ";",
    " ",
];

/// Length of a text whose schema has no maximum: every piece occurs.
const USUAL: usize = 48;

/// A text with a length of `least` to `most` characters, which counts code points as JSON Schema does. `start` is the number
/// of the first piece.
pub(super) fn text(least: usize, most: usize, start: usize) -> String {
    let length = USUAL.max(least).min(most);
    PIECES.iter().cycle().skip(start % PIECES.len()).flat_map(|piece| piece.chars()).take(length).collect()
}

#[cfg(test)]
mod tests {
    use super::{PIECES, text};

    #[test]
    fn texts_keep_their_limits_and_long_ones_have_every_piece() {
        for (least, most, length) in [(0, 5, 5), (100, 200, 100), (0, 0, 0), (0, usize::MAX, 48)] {
            for start in 0..PIECES.len() {
                assert_eq!(text(least, most, start).chars().count(), length);
            }
        }
        let all = text(0, usize::MAX, 0);
        assert!(PIECES.iter().all(|piece| all.contains(piece)), "{all:?}");
    }

    #[test]
    fn short_texts_begin_with_each_piece_in_turn() {
        let first: Vec<String> = (0..4).map(|start| text(1, 1, start)).collect();
        assert_eq!(first, ["é", "e", "😀", "\0"]);
    }
}
