//! How a user knows a device: the name of a trusted device or a session, and what a client says of itself.

use crate::username;
use serde::{Deserialize, Serialize};

/// The longest name, in characters: what fits a line of a list.
const LONGEST_NAME: usize = 64;

/// Characters beside the control characters that change how the text around them is shown: ends of lines, and directions (Unicode
/// Technical Report 36, 2.4).
const INVISIBLE: [char; 14] = [
    '\u{2028}', '\u{2029}', '\u{61c}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}',
    '\u{202e}', '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}',
];

/// Browsers by what their `User-Agent` has. Most name others as well, so the order counts.
const BROWSERS: [(&str, &str); 13] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("Vivaldi/", "Vivaldi"),
    ("YaBrowser/", "Yandex Browser"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Safari/", "Safari"),
];

/// Systems in the same way: an iPhone names macOS, and Android names Linux.
const SYSTEMS: [(&str, &str); 7] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// The name of a device: 1 to 64 characters, of which some can be seen, and none changes how others are shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeviceName(String);

impl DeviceName {
    /// Takes a name as typed, without blanks around it.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_short = text.chars().count() <= LONGEST_NAME;
        let is_plain = !text.chars().any(|letter| letter.is_control() || INVISIBLE.contains(&letter));
        (is_short && is_plain && !username::normal_form(text).is_empty()).then(|| Self(text.to_owned()))
    }

    /// The name of a device whose user gave it none, such as "Chrome on Windows"; for a program that is no browser, its own name.
    /// `User-Agent` is what the client wants to be taken for, and proves nothing.
    #[must_use]
    pub fn of_user_agent(user_agent: &str) -> Self {
        let find = |table: &[(&str, &'static str)]| {
            table.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
        };
        let product = user_agent.split(['/', ' ']).next().filter(|product| *product != "Mozilla").and_then(Self::new);
        match (find(&BROWSERS), find(&SYSTEMS), product) {
            (Some(browser), Some(system), _) => Self(format!("{browser} on {system}")),
            (None, _, Some(product)) => product,
            (Some(name), None, _) | (None, Some(name), None) => Self(name.to_owned()),
            (None, None, None) => Self("Unknown device".to_owned()),
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the client of a login says of the device of its user. Only a name that may be shown is kept of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<DeviceName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Such as `BROWSER` or `MOBILE`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

/// The longest description that is kept, in characters.
const LONGEST_DESCRIPTION: usize = 256;

impl Device {
    /// What is kept of such a description: a name that may be shown, and the beginning of the rest.
    #[must_use]
    pub fn described(name: Option<&str>, description: Option<&str>, kind: Option<&str>) -> Self {
        let beginning = |text: &str, length| text.trim().chars().take(length).collect::<String>();
        let described =
            |text: Option<&str>| text.map(|text| beginning(text, LONGEST_DESCRIPTION)).filter(|text| !text.is_empty());
        Self {
            name: name.and_then(|name| DeviceName::new(&beginning(name, LONGEST_NAME))),
            description: described(description),
            kind: described(kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_something_to_see_and_nothing_that_changes_the_rest() {
        for (text, name) in [
            ("Ada's phone", Some("Ada's phone")),
            ("  Küche 📱 ", Some("Küche 📱")),
            ("", None),
            (" \t ", None),
            ("\u{200b}", None),
            ("two\nlines", None),
            ("a\u{0}b", None),
            ("a\u{7f}b", None),
            ("a\u{85}b", None),
            ("evil\u{202e}txt", None),
            ("a\u{2028}b", None),
        ] {
            assert_eq!(DeviceName::new(text).as_ref().map(DeviceName::as_str), name, "{text:?}");
        }
        assert!(DeviceName::new(&"ü".repeat(LONGEST_NAME)).is_some());
        assert!(DeviceName::new(&"u".repeat(LONGEST_NAME + 1)).is_none());
    }

    #[test]
    fn a_description_is_kept_within_limits() {
        let long = "x".repeat(1_000);
        let device = Device::described(Some(&long), Some(&long), Some(" "));
        assert_eq!(device.name, DeviceName::new(&long[..LONGEST_NAME]));
        assert_eq!((device.description.map(|text| text.len()), device.kind), (Some(LONGEST_DESCRIPTION), None));
        let device = Device::described(Some("a\u{0}b"), None, Some("MOBILE"));
        assert_eq!(device, Device { name: None, description: None, kind: Some("MOBILE".to_owned()) });
    }

    #[test]
    fn user_agents_of_browsers_and_programs() {
        const KIT: &str = "AppleWebKit/537.36 (KHTML, like Gecko)";
        for (user_agent, name) in [
            (format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KIT} Chrome/131.0.0.0 Safari/537.36"), "Chrome on Windows"),
            (
                format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KIT} Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0"),
                "Edge on Windows",
            ),
            (format!("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {KIT} Chrome/131.0.0.0 Safari/537.36"), "Chrome on ChromeOS"),
            (
                format!("Mozilla/5.0 (Linux; Android 10; K) {KIT} SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36"),
                "Samsung Internet on Android",
            ),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0".to_owned(), "Firefox on Linux"),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15"
                    .to_owned(),
                "Safari on macOS",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/131.0 Mobile/15E148 Safari/604.1"
                    .to_owned(),
                "Chrome on iPhone",
            ),
            ("curl/8.14.1".to_owned(), "curl"),
            ("MyBank/3.1 CFNetwork/1568 Darwin/24.1.0".to_owned(), "MyBank"),
            ("node".to_owned(), "node"),
            ("okhttp/4.12.0 (Android)".to_owned(), "okhttp"),
            ("Mozilla/5.0 (Linux)".to_owned(), "Linux"),
            ("Mozilla/5.0".to_owned(), "Unknown device"),
            (String::new(), "Unknown device"),
            ("\u{202e}/1".to_owned(), "Unknown device"),
            ("x".repeat(512), "Unknown device"),
        ] {
            assert_eq!(DeviceName::of_user_agent(&user_agent).as_str(), name, "{user_agent:?}");
        }
    }
}
