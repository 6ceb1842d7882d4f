//! The dialects that the server speaks: the one list from which everything else is derived.
//!
//! This file depends on nothing, because the build script of the client includes it too.

/// An API that the server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DialectName {
    /// Better Auth's.
    BetterAuth,
    /// FusionAuth's.
    FusionAuth,
    /// This server's own, for administrators. No user signs in there.
    Admin,
}

impl DialectName {
    /// All dialects, in the order in which they are listed to people.
    pub const ALL: [Self; 3] = [Self::BetterAuth, Self::FusionAuth, Self::Admin];

    /// Those in which users sign in.
    pub const OF_USERS: [Self; 2] = [Self::BetterAuth, Self::FusionAuth];

    /// Name in settings, in the audit trail and in paths of the documentation.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BetterAuth => "better-auth",
            Self::FusionAuth => "fusionauth",
            Self::Admin => "admin",
        }
    }

    /// Name of the product whose API it is, or what it is for.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::BetterAuth => "Better Auth",
            Self::FusionAuth => "FusionAuth",
            Self::Admin => "Admin",
        }
    }

    /// Path below which its operations are, without a slash at the end.
    #[must_use]
    pub const fn base_path(self) -> &'static str {
        match self {
            Self::BetterAuth => "/api/auth",
            Self::FusionAuth => "/api",
            Self::Admin => "/admin",
        }
    }

    /// The contract's file, relative to the repository; with a slash in front, the path at which it is served.
    #[must_use]
    pub const fn contract_file(self) -> &'static str {
        match self {
            Self::BetterAuth => "openapi/better-auth.yaml",
            Self::FusionAuth => "openapi/fusionauth.yaml",
            Self::Admin => "openapi/admin.yaml",
        }
    }

    /// Name of its Rust modules. In upper case, the name of its table of operations.
    #[must_use]
    pub const fn module(self) -> &'static str {
        match self {
            Self::BetterAuth => "better_auth",
            Self::FusionAuth => "fusionauth",
            Self::Admin => "admin",
        }
    }

    /// Reads the name that [`DialectName::as_str`] writes.
    ///
    /// # Errors
    /// Says what is wrong with `text`, as the continuation of a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|dialect| dialect.as_str() == text);
        found.ok_or_else(|| format!("`{text}` is none of {}", Self::ALL.map(Self::as_str).join(", ")))
    }
}
