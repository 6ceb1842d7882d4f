//! The classes of operations that are timed.

use serde::Serialize;

/// A class of operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Operation {
    /// Make an account: one argon2id hash.
    SignUp,
    /// Sign in to an account without a second factor: one argon2id hash.
    SignIn,
    /// Sign in to an account with a second factor, up to the challenge: one argon2id hash.
    SignInToChallenge,
    /// Sign in from a trusted device, whose trust is replaced each time: one argon2id hash.
    TrustedSignIn,
    /// Complete a challenge with an unused TOTP code: one transaction, no hash.
    VerifyTotp,
    /// Complete a challenge with an unused backup code: two transactions, one small hash.
    VerifyBackupCode,
    /// Read the session: one query.
    GetSession,
    /// Change the password: two argon2id hashes.
    ChangePassword,
    /// Replace the backup codes: one argon2id hash and ten small ones.
    GenerateBackupCodes,
    /// End a session: one transaction, no hash.
    SignOut,
}

impl Operation {
    /// All of them, in the order in which they are timed.
    pub(crate) const ALL: [Self; 10] = [
        Self::SignUp,
        Self::SignIn,
        Self::SignInToChallenge,
        Self::TrustedSignIn,
        Self::VerifyTotp,
        Self::VerifyBackupCode,
        Self::GetSession,
        Self::ChangePassword,
        Self::GenerateBackupCodes,
        Self::SignOut,
    ];

    /// The name that options and tables use.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::SignUp => "sign-up",
            Self::SignIn => "sign-in",
            Self::SignInToChallenge => "sign-in-to-challenge",
            Self::TrustedSignIn => "trusted-sign-in",
            Self::VerifyTotp => "verify-totp",
            Self::VerifyBackupCode => "verify-backup-code",
            Self::GetSession => "get-session",
            Self::ChangePassword => "change-password",
            Self::GenerateBackupCodes => "generate-backup-codes",
            Self::SignOut => "sign-out",
        }
    }

    /// Argon2id hashes of a password that it costs, which is most of its cost if there are any.
    pub(crate) const fn password_hashes(self) -> u32 {
        match self {
            Self::SignUp | Self::SignIn | Self::SignInToChallenge | Self::TrustedSignIn | Self::GenerateBackupCodes => {
                1
            }
            Self::ChangePassword => 2,
            Self::VerifyTotp | Self::VerifyBackupCode | Self::GetSession | Self::SignOut => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum as _;

    #[test]
    fn every_operation_is_timed_under_the_name_that_options_use() {
        assert_eq!(Operation::ALL.as_slice(), Operation::value_variants());
        for operation in Operation::ALL {
            let value = operation.to_possible_value().expect("none is hidden");
            assert_eq!(value.get_name(), operation.name());
            assert_eq!(serde_json::to_value(operation).expect("plain"), operation.name());
        }
    }
}
