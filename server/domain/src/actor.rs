//! Who does what the audit trail records.

use crate::ids::ApiKeyId;
use std::fmt;

/// Who asked for something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The client of a request, with the credentials of a user or with none.
    User,
    /// A service, with its API key.
    Service(ApiKeyId),
    /// An operator of this server.
    Operator(OperatorName),
    /// The server, by one of its own rules, such as a lock after wrong codes.
    Server,
}

impl Actor {
    /// Stored name of the kind.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Service(_) => "service",
            Self::Operator(_) => "operator",
            Self::Server => "server",
        }
    }

    #[must_use]
    pub const fn api_key_id(&self) -> Option<ApiKeyId> {
        match self {
            Self::Service(id) => Some(*id),
            Self::User | Self::Operator(_) | Self::Server => None,
        }
    }

    #[must_use]
    pub const fn is_service(&self) -> bool {
        self.api_key_id().is_some()
    }

    #[must_use]
    pub const fn operator(&self) -> Option<&OperatorName> {
        match self {
            Self::Operator(name) => Some(name),
            Self::User | Self::Service(_) | Self::Server => None,
        }
    }

    /// Reads what is stored. An event of a node of an earlier version has no kind: it is a service's if it has an API key.
    #[must_use]
    pub fn of_stored(kind: Option<&str>, api_key_id: Option<ApiKeyId>, operator: Option<&str>) -> Self {
        match (kind, api_key_id, operator.and_then(OperatorName::new)) {
            (_, _, Some(name)) => Self::Operator(name),
            (Some("server"), ..) => Self::Server,
            (_, Some(id), None) => Self::Service(id),
            (_, None, None) => Self::User,
        }
    }
}

/// Name of an operator, as the audit trail shows it: `cli:ada` for an operator on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorName(String);

/// Begins the name of an operator on a command line.
const COMMAND_LINE_PREFIX: &str = "cli:";

impl OperatorName {
    /// In characters.
    pub const LONGEST: usize = 100;
    /// As it is typed, in characters.
    pub const LONGEST_ON_COMMAND_LINE: usize = Self::LONGEST - COMMAND_LINE_PREFIX.len();

    /// Takes a name; `None` if it is empty, too long, or has characters that cannot be seen.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let is_seen = |letter: char| !letter.is_control() && !letter.is_whitespace();
        let is_name = (1..=Self::LONGEST).contains(&text.chars().count()) && text.chars().all(is_seen);
        is_name.then(|| Self(text.to_owned()))
    }

    /// The name of an operator on the command line.
    #[must_use]
    pub fn on_command_line(name: &str) -> Option<Self> {
        (!name.is_empty()).then(|| Self::new(&format!("{COMMAND_LINE_PREFIX}{name}"))).flatten()
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OperatorName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_is_read_as_it_was_stored_and_as_earlier_versions_stored_it() {
        let key = ApiKeyId::parse("0b7c1e0a-0000-4000-8000-000000000001");
        let service = Actor::Service(key.expect("an id"));
        let operator = Actor::Operator(OperatorName::on_command_line("ada").expect("a name"));
        for actor in [Actor::User, service.clone(), operator.clone(), Actor::Server] {
            let name = actor.operator().map(OperatorName::as_str);
            assert_eq!(Actor::of_stored(Some(actor.kind()), actor.api_key_id(), name), actor);
        }
        assert_eq!(Actor::of_stored(None, key, None), service);
        assert_eq!(Actor::of_stored(None, None, None), Actor::User);
        assert_eq!(operator.operator().map(OperatorName::as_str), Some("cli:ada"));
        assert_eq!((operator.is_service(), service.is_service()), (false, true));
    }

    #[test]
    fn a_name_can_be_seen_and_is_short() {
        for good in ["ada", "ada@example.org", "Ada.Lovelace", "ädä"] {
            assert!(OperatorName::on_command_line(good).is_some(), "{good}");
        }
        for bad in ["", "a b", "a\nb", "a\u{1b}[31m", &"a".repeat(100)] {
            assert_eq!(OperatorName::on_command_line(bad), None, "{bad:?}");
        }
    }
}
