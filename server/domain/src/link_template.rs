//! Where mailed links lead, for dialects whose requests name no page.

/// A URL with a place for the id or the code that the link carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkTemplate {
    before: String,
    after: String,
}

impl LinkTemplate {
    /// What stands where the id goes.
    pub const PLACE: &'static str = "{id}";

    /// A template such as `https://app.example.com/reset?id={id}`.
    ///
    /// # Errors
    /// Says what is wrong with the text, as the continuation of a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let place = Self::PLACE;
        let rest = ["https://", "http://"].iter().find_map(|scheme| text.strip_prefix(scheme));
        let (host, _) = rest.ok_or("must begin with https:// or http://")?.split_once('/').unwrap_or_default();
        if host.is_empty() || host.contains(place) {
            return Err("must have a host and a path".to_owned());
        }
        if text.chars().any(|character| character.is_whitespace() || character.is_control()) {
            return Err("must not contain spaces".to_owned());
        }
        match text.split(place).collect::<Vec<_>>()[..] {
            [before, after] => Ok(Self { before: before.to_owned(), after: after.to_owned() }),
            _ => Err(format!("must contain {place} once: the id, or the code, takes its place")),
        }
    }

    /// The texts before and after the id.
    #[must_use]
    pub fn parts(&self) -> (&str, &str) {
        (&self.before, &self.after)
    }
}

/// One for each kind of link; `None` follows whatever is configured more generally.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkTemplates {
    /// Where a new password is chosen.
    pub change_password: Option<LinkTemplate>,
    /// Where an address is proved.
    pub verify_email: Option<LinkTemplate>,
    /// Where a code signs in without a password.
    pub passwordless: Option<LinkTemplate>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_a_url_with_one_place() {
        for (text, parts) in [
            ("https://app.example.com/reset?id={id}", ("https://app.example.com/reset?id=", "")),
            ("http://localhost:3000/verify/{id}?x=1", ("http://localhost:3000/verify/", "?x=1")),
        ] {
            assert_eq!(LinkTemplate::parse(text).expect("a template").parts(), parts);
        }
        for (text, problem) in [
            ("", "https://"),
            ("app.example.com/{id}", "https://"),
            ("javascript:alert({id})", "https://"),
            ("https://app.example.com", "host and a path"),
            ("https:///reset/{id}", "host and a path"),
            ("https://{id}.example.com/", "host and a path"),
            ("https://app.example.com/reset", "once"),
            ("https://app.example.com/{id}/{id}", "once"),
            ("https://app.example.com/a b/{id}", "spaces"),
        ] {
            let error = LinkTemplate::parse(text).expect_err(text);
            assert!(error.contains(problem), "{text}: {error}");
        }
    }
}
