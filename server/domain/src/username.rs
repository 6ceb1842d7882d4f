//! The one form in which user names are compared, and which names may be chosen.
//!
//! The form is that of Unicode's `toNFKC_Casefold` (Unicode Standard §3.13, D147), widened to letters that share a capital: a
//! name is normalised to NFKC, code points that nobody sees are removed (`Default_Ignorable_Code_Point`), and each letter becomes the
//! small letter of its capital, so that a dotless `ı` is an `i`. A new name is of one script (UTS 39 §5.1): Latin with a
//! Cyrillic `а` in it is refused.

use unicode_normalization::UnicodeNormalization as _;
use unicode_security::MixedScript as _;

/// `Default_Ignorable_Code_Point` of Unicode's `DerivedCoreProperties.txt`: first and last code points.
const IGNORABLE: [(u32, u32); 17] = [
    (0x00ad, 0x00ad),
    (0x034f, 0x034f),
    (0x061c, 0x061c),
    (0x115f, 0x1160),
    (0x17b4, 0x17b5),
    (0x180b, 0x180f),
    (0x200b, 0x200f),
    (0x202a, 0x202e),
    (0x2060, 0x206f),
    (0x3164, 0x3164),
    (0xfe00, 0xfe0f),
    (0xfeff, 0xfeff),
    (0xffa0, 0xffa0),
    (0xfff0, 0xfff8),
    (0x1_bca0, 0x1_bca3),
    (0x1_d173, 0x1_d17a),
    (0xe_0000, 0xe_0fff),
];

pub(crate) fn is_ignorable(letter: char) -> bool {
    let code = u32::from(letter);
    IGNORABLE.iter().any(|(first, last)| (*first..=*last).contains(&code))
}

fn fold(text: &str) -> String {
    let seen = text.nfkc().filter(|letter| !is_ignorable(*letter));
    let folded: String = seen.flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfkc().collect();
    // The small letter of `İ` is an `i` with another dot.
    folded.replace("i\u{307}", "i")
}

/// The form of a name that is compared and unique. Empty if nothing of the name can be seen.
pub(crate) fn normal_form(text: &str) -> String {
    let mut form = fold(text.trim());
    // Removing and folding may leave what NFKC composes anew; a few rounds end that for every text.
    for _ in 0..4 {
        let again = fold(&form);
        if again == form {
            break;
        }
        form = again;
    }
    form.trim().to_owned()
}

/// Whether all letters of a name are of one script, or of scripts that one language writes together.
pub(crate) fn is_single_script(text: &str) -> bool {
    normal_form(text).as_str().is_single_script()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_that_look_the_same_have_one_form_33() {
        for (name, same) in [
            ("Ada", "ada"),
            (" ADA ", "ada"),
            ("ame\u{301}lie", "amélie"),
            ("ad\u{200b}a", "ada"),
            ("ad\u{ad}a", "ada"),
            ("ａｄａ", "ada"),
            ("ada\u{200f}", "ada"),
            ("ad\u{fe0f}a", "ada"),
            ("ad\u{2060}a\u{feff}", "ada"),
            ("adm\u{131}n", "admin"),
            ("ADM\u{130}N", "admin"),
            ("STRASSE", "straße"),
            ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
            ("ﬁona", "fiona"),
            ("K\u{212a}", "kk"),
        ] {
            assert_eq!(normal_form(name), normal_form(same), "{name:?}");
        }
        assert_eq!(normal_form("\u{200b}\u{ad}"), "");
        assert_ne!(normal_form("ada"), normal_form("ade"));
    }

    #[test]
    fn new_names_are_of_one_script() {
        for (name, is_single) in [
            ("ada_lovelace-1", true),
            ("Ада", true),
            ("日本のアダ", true),
            ("ada\u{430}", false),
            ("\u{0430}dmin", false),
            ("αda", false),
            ("ａｄａ", true),
            ("12345", true),
        ] {
            assert_eq!(is_single_script(name), is_single, "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn the_form_of_a_form_is_itself(text in "\\PC{0,12}") {
            let form = normal_form(&text);
            prop_assert_eq!(normal_form(&form), form);
        }
    }
}
