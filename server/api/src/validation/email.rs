//! E-mail addresses.

use jsonschema::{Draft, Validator};
use serde_json::Value;
use std::sync::LazyLock;

/// Whether a text is an e-mail address: by zod 4's grammar (ASCII only, nothing is trimmed, no quoting, no address literals,
/// at least one dot after the `@`) and by RFC 5321, section 4.1.2, which validators of `format: email` apply. zod alone
/// accepts `a@b-.co`, labels of any length, and the like, and refuses internationalized top-level domains (`xn--p1ai`), which
/// are accepted here. An internationalized name is accepted as its A-labels (RFC 5890), the form that mail servers take.
#[must_use]
pub fn is_email(text: &str) -> bool {
    is_address(text, is_local_part)
}

/// Whether a text is an e-mail address whose local part may be any `Dot-string` of RFC 5321, section 4.1.2. Quoted local parts
/// are refused: that section advises against mailboxes that need them.
#[must_use]
pub fn is_mailbox(text: &str) -> bool {
    is_address(text, is_dot_string)
}

fn is_address(text: &str, is_local: impl Fn(&str) -> bool) -> bool {
    static BY_MAIL: LazyLock<Validator> = LazyLock::new(|| {
        let options = jsonschema::options().with_draft(Draft::Draft7).should_validate_formats(true);
        options.build(&serde_json::json!({"format": "email"})).expect("a valid schema")
    });
    let Some((local, host)) = text.split_once('@') else { return false };
    // The validator knows A-labels in lower case only; letter case makes no difference in a host name.
    is_local(local) && is_host(host) && BY_MAIL.is_valid(&Value::from(text.to_ascii_lowercase()))
}

fn is_local_part(local: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_'+-.".contains(&byte);
    local.bytes().all(allowed)
        && !local.is_empty()
        && !local.starts_with('.')
        && !local.ends_with(['.', '\''])
        && !local.contains("..")
}

fn is_dot_string(local: &str) -> bool {
    let is_atext = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atext))
}

fn is_host(host: &str) -> bool {
    let Some((labels, last)) = host.rsplit_once('.') else { return false };
    let is_internationalized = |label: &str| label.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--"));
    let is_label = |label: &str| {
        label.starts_with(|first: char| first.is_ascii_alphanumeric())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let is_word = |label: &str| label.len() >= 2 && label.bytes().all(|byte| byte.is_ascii_alphabetic());
    labels.split('.').all(is_label) && (is_word(last) || (is_label(last) && is_internationalized(last)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e_mail_addresses() {
        for good in [
            "a@b.co",
            "A.b+c'd_e-f@sub.example.com",
            "1@2.io",
            "'a@b.co",
            "-@b.co",
            "_@1-2.example",
            "a@xn--p1ai.example",
            "user@xn--80a1acny.xn--p1ai",
            "User@XN--80A1ACNY.XN--P1AI",
            "a@b.xn--fiqs8s",
        ] {
            assert!(is_email(good), "{good}");
        }
        for bad in [
            "",
            "@",
            "a",
            "a@",
            "@b.co",
            "a@b",
            "a@b.c",
            "a@b.c0m",
            "a@.co",
            "a@b..co",
            "a@-b.co",
            "a@b.co.",
            ".a@b.co",
            "a.@b.co",
            "a..b@c.co",
            "a'@b.co",
            "a b@c.co",
            " a@b.co",
            "a@b.co ",
            "a@b@c.co",
            "ä@b.co",
            "a@ä.co",
            "a\n@b.co",
            "a@b.co\n",
            "\"a\"@b.co",
            "a@[127.0.0.1]",
            "a!@b.co",
            "a@b_c.co",
            "a@b-.co",
            "a@ab--cd.co",
            "a@xn--a.co",
            "a@b.xn--a",
            "a@b.xn--",
            "a@b.xn--p1ai-",
            "a@xn--p1ai",
            "a@пример.рф",
            &format!("{}@b.co", "a".repeat(65)),
            &format!("a@{}.co", "b".repeat(64)),
            &format!("a@{}co", "b.".repeat(127)),
        ] {
            assert!(!is_email(bad), "{bad}");
        }
        for mailbox in ["a!#$%&'*+-/=?^_`{|}~b@c.co", "a'@b.co", "a!@b.co", "user@xn--80a1acny.xn--p1ai"] {
            assert!(is_mailbox(mailbox), "{mailbox}");
        }
        for bad in [
            "",
            "a",
            ".a@b.co",
            "a.@b.co",
            "a..b@c.co",
            "a b@c.co",
            "\"a\"@b.co",
            "a(b)@c.co",
            "ä@b.co",
            "a@b",
            "a@b_c.co",
        ] {
            assert!(!is_mailbox(bad), "{bad}");
        }
        for good in [format!("{}@b.co", "a".repeat(64)), format!("a@{}.co", "b".repeat(63))] {
            assert!(is_email(&good), "{good}");
        }
    }
}
