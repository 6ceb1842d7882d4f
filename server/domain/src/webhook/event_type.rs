//! The types of events that are sent, by FusionAuth's names.

macro_rules! event_types {
    ($($(#[$doc:meta])* $event:ident = $name:literal,)*) => {
        /// A type of event, by FusionAuth's name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EventType {
            $($(#[$doc])* $event,)*
        }

        impl EventType {
            pub const ALL: &[Self] = &[$(Self::$event),*];

            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$event => $name,)*
                }
            }
        }
    };
}

event_types! {
    /// A user was locked until some time, or the lock was lifted.
    Action = "user.action",
    UserCreate = "user.create",
    UserDeactivate = "user.deactivate",
    UserDelete = "user.delete",
    EmailVerified = "user.email.verified",
    LoginFailed = "user.login.failed",
    LoginSuccess = "user.login.success",
    PasswordResetStart = "user.password.reset.start",
    PasswordResetSuccess = "user.password.reset.success",
    PasswordUpdate = "user.password.update",
    UserReactivate = "user.reactivate",
    Challenge = "user.two-factor.challenge",
    FailedAttempt = "user.two-factor.failed.attempt",
    MethodAdd = "user.two-factor.method.add",
    MethodRemove = "user.two-factor.method.remove",
    TwoFactorSuccess = "user.two-factor.success",
}

impl EventType {
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|event| event.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_is_known_by_its_name() {
        for event in EventType::ALL {
            assert_eq!(EventType::parse(event.name()), Some(*event));
        }
        assert!(EventType::ALL.is_sorted_by_key(|event| event.name()));
        assert_eq!(EventType::parse("user.two-factor"), None);
    }
}
