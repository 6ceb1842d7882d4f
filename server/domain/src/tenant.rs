//! Tenants, applications and the policies that an operator sets for them.
//!
//! They are configuration, not data. Their ids are stored in account rows, so an id must not change once accounts exist.

use crate::address::MethodKind;
use crate::ids::{ApplicationId, TenantId};
use crate::language::Language;
use crate::link_template::LinkTemplates;
use serde::Deserialize;
use std::collections::BTreeSet;

/// When a tenant requires a second factor at sign-in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum LoginPolicy {
    /// If the account has one.
    #[default]
    Enabled,
    /// Never.
    Disabled,
    /// Always; an account without one has to enrol first.
    Required,
}

/// When one-time codes by e-mail count as a second factor. NIST SP 800-63B-4 §3.1.3.1 (N7) and OWASP ASVS 5.0, 6.3.6, advise
/// against them: who can read the mailbox can often reset the password, too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailedCodes {
    /// At every address, as clients of Better Auth expect.
    #[default]
    Always,
    /// At addresses that are proved: a code that was sent there has been presented, or a service vouches for the address.
    Verified,
    /// Never: as if `methods` did not have e-mail.
    Never,
}

impl MailedCodes {
    pub const ALL: [Self; 3] = [Self::Always, Self::Verified, Self::Never];

    /// Name in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Verified => "verified",
            Self::Never => "never",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| choice.name() == text)
    }
}

/// Which trusted devices an application accepts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum TrustPolicy {
    /// Devices trusted in any application.
    #[default]
    Any,
    /// Devices trusted in this application.
    This,
    /// None.
    None,
}

/// How often a refresh token is good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RefreshTokenUsage {
    /// Until it ends; each use renews it. Clients of FusionAuth expect it.
    #[default]
    Reusable,
    /// Once; it gives the next one. A token that somebody copied is noticed when it is used the second time (RFC 9700 §4.14.2).
    OneTimeUse,
}

impl RefreshTokenUsage {
    pub const ALL: [Self; 2] = [Self::Reusable, Self::OneTimeUse];

    /// Name in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reusable => "Reusable",
            Self::OneTimeUse => "OneTimeUse",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|usage| usage.name() == text)
    }
}

/// An isolated set of accounts with its own policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    pub id: TenantId,
    pub name: String,
    pub login_policy: LoginPolicy,
    /// Kinds of second factor that accounts may enrol and use.
    pub methods: BTreeSet<MethodKind>,
    pub mailed_codes: MailedCodes,
    /// Whether strangers may create accounts; services with an API key always may.
    pub sign_up: bool,
    /// Whether a sign-in is refused until the account's e-mail address, if it has one, is proved.
    pub requires_verified_email: bool,
    /// Language of messages to users for whom no other is known; that of the server if there is none.
    pub language: Option<Language>,
}

impl Tenant {
    /// Whether accounts may enrol and use this kind of second factor. Of e-mail, single addresses may still not count:
    /// see [`crate::decisions::usable`].
    #[must_use]
    pub fn allows(&self, kind: MethodKind) -> bool {
        self.methods.contains(&kind) && (kind != MethodKind::Email || self.mailed_codes != MailedCodes::Never)
    }

    /// The kinds that accounts may enrol and use, in the order in which they are offered.
    #[must_use]
    pub fn allowed_methods(&self) -> Vec<MethodKind> {
        MethodKind::ALL.into_iter().filter(|kind| self.allows(*kind)).collect()
    }
}

impl Default for Tenant {
    fn default() -> Self {
        Self {
            id: TenantId::DEFAULT,
            name: "Default".to_owned(),
            login_policy: LoginPolicy::default(),
            methods: MethodKind::ALL.into(),
            mailed_codes: MailedCodes::default(),
            sign_up: true,
            requires_verified_email: false,
            language: None,
        }
    }
}

/// A relying party of one tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    pub id: ApplicationId,
    /// Tenant whose accounts may sign in.
    pub tenant_id: TenantId,
    pub name: String,
    /// Roles that a registration may hold.
    pub roles: BTreeSet<String>,
    pub trust_policy: TrustPolicy,
    /// Whether sign-ins get refresh tokens.
    pub refresh_tokens: bool,
    pub refresh_token_usage: RefreshTokenUsage,
    /// Whether an access token that was issued for it manages its user's second factors. Such tokens are handed to the
    /// application, so this is for applications that are the operator's own.
    pub manages_factors: bool,
    /// Where links lead that are mailed for it, as far as it does not follow the other applications.
    pub links: LinkTemplates,
}

impl Default for Application {
    fn default() -> Self {
        Self {
            id: ApplicationId::DEFAULT,
            tenant_id: TenantId::DEFAULT,
            name: "Default".to_owned(),
            roles: BTreeSet::new(),
            trust_policy: TrustPolicy::default(),
            refresh_tokens: true,
            refresh_token_usage: RefreshTokenUsage::default(),
            manages_factors: true,
            links: LinkTemplates::default(),
        }
    }
}

/// All configured tenants and applications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    /// Never empty; the first is the home tenant.
    tenants: Vec<Tenant>,
    applications: Vec<Application>,
}

impl Default for Directory {
    /// One tenant with one application.
    fn default() -> Self {
        Self { tenants: vec![Tenant::default()], applications: vec![Application::default()] }
    }
}

impl Directory {
    /// `None` when there is no tenant.
    #[must_use]
    pub fn new(tenants: Vec<Tenant>, applications: Vec<Application>) -> Option<Self> {
        (!tenants.is_empty()).then_some(Self { tenants, applications })
    }

    /// The tenant of accounts that sign up without naming one: the first.
    #[must_use]
    pub fn home(&self) -> &Tenant {
        self.tenants.first().expect("a directory has a tenant")
    }

    #[must_use]
    pub fn tenants(&self) -> &[Tenant] {
        &self.tenants
    }

    /// Whether requests may leave the tenant out.
    #[must_use]
    pub fn has_one_tenant(&self) -> bool {
        self.tenants.len() == 1
    }

    #[must_use]
    pub fn tenant(&self, id: TenantId) -> Option<&Tenant> {
        self.tenants.iter().find(|tenant| tenant.id == id)
    }

    #[must_use]
    pub fn application(&self, id: ApplicationId) -> Option<&Application> {
        self.applications.iter().find(|application| application.id == id)
    }
}
