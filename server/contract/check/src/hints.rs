//! Texts that servers accept for names with a usual meaning, if the document has neither a format nor an example.

use super::names::{plain, singular};

/// A text for a parameter or property; `None` for a name without a usual meaning. Equal numbers give equal texts.
pub(super) fn text(name: &str, number: u64) -> Option<String> {
    let plain = plain(name);
    let has = |words: &[&str]| words.iter().any(|word| plain.contains(word));
    let is_id = plain == "id"
        || ["Id", "ID", "_id", "-id", "uuid", "Uuid", "guid", "Guid"].iter().any(|end| name.ends_with(end));
    if is_id {
        return Some(uuid(number, number.rotate_left(32)));
    }
    Some(match singular(name).as_str() {
        _ if has(&["email"]) => format!("check{number:x}@example.com"),
        _ if has(&["password", "passphrase"]) => format!("Check-{number:x}-1"),
        _ if has(&["phone"]) => format!("+1202555{:04}", number % 10_000),
        _ if has(&["url", "uri", "website"]) => "https://example.com/".to_owned(),
        _ if has(&["timezone"]) => "Europe/Berlin".to_owned(),
        _ if has(&["language", "locale"]) => "en".to_owned(),
        _ if has(&["ipaddress"]) => "192.0.2.1".to_owned(),
        "country" | "countrycode" => "DE".to_owned(),
        "currency" | "currencycode" => "EUR".to_owned(),
        "date" | "birthdate" | "startdate" | "enddate" => "2000-01-31".to_owned(),
        _ => return None,
    })
}

/// A UUID of version 4 (RFC 9562, section 5.4) with these bits.
pub(super) fn uuid(high: u64, low: u64) -> String {
    let high = (high & !0xf000) | 0x4000;
    let low = (low & !(0b11 << 62)) | (0b10 << 62);
    let all = format!("{high:016x}{low:016x}");
    format!("{}-{}-{}-{}-{}", &all[..8], &all[8..12], &all[12..16], &all[16..20], &all[20..])
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn names_with_a_usual_meaning_have_a_text() {
        for (name, expected) in [
            ("backupEmail", Some("check7@example.com")),
            ("tenantId", Some("00000000-0000-4007-8000-000700000000")),
            ("user_id", Some("00000000-0000-4007-8000-000700000000")),
            ("paid", None),
            ("newPassword", Some("Check-7-1")),
            ("imageUrl", Some("https://example.com/")),
            ("preferredLanguages", Some("en")),
            ("birthDate", Some("2000-01-31")),
            ("update", None),
            ("comment", None),
        ] {
            assert_eq!(text(name, 7).as_deref(), expected, "{name}");
        }
    }
}
