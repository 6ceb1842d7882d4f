//! Enrolling an authenticator app or codes by e-mail, showing a secret again, switching the second factor off.

use super::password::Unconfirmed;
use super::{Authenticated, Caller, FlowError, Flows, FullSession};
use countersign_domain::address::MethodKind;
use countersign_domain::assurance::{Assurance, FactorsRefused, Manager, SecondFactorDue};
use countersign_domain::attempt::Authenticator;
use countersign_domain::audit::EventKind;
use countersign_domain::backup_code::BackupCode;
use countersign_domain::challenge::Factor;
use countersign_domain::decisions::enrol_mail::{self, EnrolMail as MailDecision};
use countersign_domain::decisions::enrolment;
use countersign_domain::ids::MethodId;
use countersign_domain::method::MethodHandle;
use countersign_domain::stored_secret::{self, SecretFingerprint};
use countersign_domain::terms::Terms;
use countersign_domain::time::Timestamp;
use countersign_domain::totp::TotpSecret;
use countersign_store::work::{
    BeginEnrolment, Changed, DisableTwoFactor, EnrolMail, EnrolmentBegun, MailEnrolled, NewSession,
};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// Why second factors may not be managed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManagementRefused {
    /// The session has not passed the second factor that the account has, or not lately.
    SecondFactorDue(SecondFactorDue),
    /// The account is locked, or its long-term limit of guesses is reached.
    Locked {
        until: Timestamp,
    },
    /// The password was not confirmed.
    Unconfirmed(Unconfirmed),
    /// The tenant does not allow the factor, or the account cannot have it.
    NotAllowed,
    NotEnrolled,
    /// The credentials changed, or the session ended, while the password was checked.
    Stale,
}

/// What a user needs to finish an enrolment.
#[derive(Debug)]
pub struct Enrolment {
    /// Key URI for the app.
    pub key_uri: Zeroizing<String>,
    /// Shown once.
    pub backup_codes: Vec<BackupCode>,
}

/// What asking for codes by e-mail led to.
#[derive(Debug)]
pub enum MailEnrolment {
    /// The second factor is on, and a new session took the place of the old one.
    Enabled { session: Box<Authenticated>, backup_codes: Vec<BackupCode> },
    /// A code that is sent to the address has to be presented.
    Begun { backup_codes: Vec<BackupCode> },
    /// Codes by e-mail are a method beside others.
    Added,
}

impl Flows {
    /// Makes codes to the account's e-mail address a second factor, or begins it.
    ///
    /// # Errors
    /// When the hashing queue is full or the database fails; then nothing has changed.
    pub async fn enrol_mail(
        &self,
        caller: &Caller,
        authenticated: &Authenticated,
        password: &str,
        terms: &Terms,
    ) -> Result<Result<MailEnrolment, ManagementRefused>, FlowError> {
        let Authenticated { session: old, account, .. } = authenticated;
        let manager = Manager::Owner(Assurance::of_session(old, account));
        let rules = self.rules();
        let tenant = rules.tenant_of(account);
        // What is refused whatever methods there are is refused before the password is looked at.
        let facts = enrol_mail::Facts { account, tenant, manager: &manager, methods: &[] };
        if let Err(refused) = mail_refusal(enrol_mail::decide(&facts, self.policy(), self.now())) {
            return Ok(Err(refused));
        }
        let Some(method) = self.email_method(account, self.now()) else {
            return Ok(Err(ManagementRefused::NotAllowed));
        };
        if let Err(unconfirmed) = self.confirm_password(caller, account, password).await? {
            return Ok(Err(ManagementRefused::Unconfirmed(unconfirmed)));
        }
        let now = self.now();
        let (backup_codes, stored) = match account.two_factor_enabled {
            true => (Vec::new(), Vec::new()),
            false => self.new_backup_codes(caller, account.id, terms.backup_codes).await?,
        };
        let (session, token) = self.new_session(caller, account, old.is_remembered, None, now);
        let session = NewSession { session: session.session.in_place_of(old, self.policy()), ..session };
        let enrol = EnrolMail {
            account_id: account.id,
            versions: account.versions(),
            manager,
            method,
            backup_codes: stored,
            session_id: old.id,
            session: session.clone(),
            rules,
            now,
            audit: self.factor_audit(caller, Some(Factor::OneTimeCode), Some(account.id), Some(old.id), now),
        };
        let decision = match self.store().enrol_mail(enrol).await? {
            MailEnrolled::Decided(decision) => decision,
            MailEnrolled::Stale => return Ok(Err(ManagementRefused::Stale)),
        };
        Ok(mail_refusal(decision).map(|()| match decision {
            MailDecision::First => {
                let mut account = account.clone();
                (account.two_factor_enabled, account.updated_at) = (true, now);
                let session = Box::new(self.authenticated(session.session, account, token));
                MailEnrolment::Enabled { session, backup_codes }
            }
            MailDecision::Begun => MailEnrolment::Begun { backup_codes },
            _ => MailEnrolment::Added,
        }))
    }

    /// Begins to enrol an authenticator app: a new secret and new backup codes. They take the place of existing ones once a
    /// code of the new app is verified in a session.
    ///
    /// # Errors
    /// When the hashing queue is full or the database fails; then nothing has changed.
    pub async fn begin_enrolment(
        &self,
        caller: &Caller,
        authenticated: &Authenticated,
        password: &str,
        issuer: Option<&str>,
        terms: &Terms,
    ) -> Result<Result<Enrolment, ManagementRefused>, FlowError> {
        let Authenticated { session, account, .. } = authenticated;
        let manager = Manager::Owner(Assurance::of_session(session, account));
        let rules = self.rules();
        let facts = enrolment::Facts { account, tenant: rules.tenant_of(account), manager: &manager };
        if let Err(refused) = refusal(enrolment::decide(&facts, self.policy(), self.now())) {
            return Ok(Err(refused));
        }
        if let Err(unconfirmed) = self.confirm_password(caller, account, password).await? {
            return Ok(Err(ManagementRefused::Unconfirmed(unconfirmed)));
        }
        let now = self.now();
        let (backup_codes, stored) = self.new_backup_codes(caller, account.id, terms.backup_codes).await?;
        let (secret, authenticator, handles) = self.random().draw(|random| {
            let id = MethodId::generate(now, random);
            let secret = TotpSecret::generate(random);
            let sealed = stored_secret::seal(&secret, account.id, id, self.secret_binding(), self.keyring(), random);
            let fingerprint = Some(SecretFingerprint::of(&secret, account.id, self.keyring()));
            let authenticator =
                Authenticator { id, account_id: account.id, secret: sealed, fingerprint, last_step: None };
            (secret, authenticator, new_handles(random))
        });
        let begin = BeginEnrolment {
            account_id: account.id,
            versions: account.versions(),
            manager,
            authenticator,
            handles,
            backup_codes: stored,
            rules,
            now,
            audit: self.audit(caller, now).about(account.id).in_session(session.id),
        };
        let decision = match self.store().begin_enrolment(begin).await? {
            EnrolmentBegun::Decided(decision) => decision,
            EnrolmentBegun::Stale => return Ok(Err(ManagementRefused::Stale)),
        };
        Ok(refusal(decision).map(|()| {
            let key_uri = secret.key_uri(issuer.unwrap_or(&self.services.app_name), account.login_name());
            Enrolment { key_uri, backup_codes }
        }))
    }

    /// Key URI of the app that is being enrolled, else of the oldest one that is enrolled.
    ///
    /// # Errors
    /// When the hashing queue is full, the database fails, or the secret cannot be opened.
    pub async fn show_key_uri(
        &self,
        caller: &Caller,
        authenticated: &Authenticated,
        password: &str,
    ) -> Result<Result<Zeroizing<String>, ManagementRefused>, FlowError> {
        let Authenticated { session, account, .. } = authenticated;
        if !self.rules().tenant_of(account).allows(MethodKind::Authenticator) {
            return Ok(Err(ManagementRefused::NotAllowed));
        }
        let (confirmed, pending) = self.store().authenticators_of(account.id).await?;
        let Some(authenticator) = pending.or(confirmed.into_iter().next()) else {
            return Ok(Err(ManagementRefused::NotEnrolled));
        };
        if let Err(refused) = self.confirm_factor_change(caller, authenticated, password).await? {
            return Ok(Err(refused));
        }
        let secret = stored_secret::open(&authenticator, self.keyring())?.secret;
        let audit = self.audit(caller, self.now()).about(account.id).in_session(session.id);
        self.store().record(audit.event(EventKind::SecretShown)).await?;
        Ok(Ok(secret.key_uri(&self.services.app_name, account.login_name())))
    }

    /// Removes every second factor of the account, all trust in devices and all open challenges, and replaces the session.
    ///
    /// # Errors
    /// When the hashing queue is full or the database fails; then nothing has changed.
    pub async fn disable_two_factor(
        &self,
        caller: &Caller,
        full: &FullSession,
        password: &str,
    ) -> Result<Result<Authenticated, ManagementRefused>, FlowError> {
        let Authenticated { session: old, account, .. } = &**full;
        if let Err(refused) = self.confirm_factor_change(caller, full, password).await? {
            return Ok(Err(refused));
        }
        let now = self.now();
        let (session, token) = self.new_session(caller, account, old.is_remembered, None, now);
        let session = NewSession { session: session.session.in_place_of(old, self.policy()), ..session };
        let disable = DisableTwoFactor {
            account_id: account.id,
            versions: account.versions(),
            session_id: old.id,
            session: session.clone(),
            now,
            event: self.audit(caller, now).about(account.id).in_session(old.id).event(EventKind::TwoFactorDisabled),
        };
        if self.store().disable_two_factor(disable).await? != Changed::Done {
            return Ok(Err(ManagementRefused::Stale));
        }
        let mut account = account.clone();
        (account.two_factor_enabled, account.updated_at) = (false, now);
        Ok(Ok(self.authenticated(session.session, account, token)))
    }

    /// Asked before everything that shows or changes a second factor in a session: assurance, no lock, then the password. The units
    /// of work that follow are bound to the version of the credentials that was found.
    pub(super) async fn confirm_factor_change(
        &self,
        caller: &Caller,
        authenticated: &Authenticated,
        password: &str,
    ) -> Result<Result<(), ManagementRefused>, FlowError> {
        let Authenticated { session, account, .. } = authenticated;
        let owner = Manager::Owner(Assurance::of_session(session, account));
        if let Err(refused) = owner.may_change_factors(account, self.policy(), self.now()) {
            return Ok(Err(refused.into()));
        }
        self.confirm_management(caller, authenticated, password).await
    }

    /// Asked before what only ends access, also while the account is locked: assurance, then the password.
    pub(super) async fn confirm_management(
        &self,
        caller: &Caller,
        Authenticated { session, account, .. }: &Authenticated,
        password: &str,
    ) -> Result<Result<(), ManagementRefused>, FlowError> {
        let owner = Manager::Owner(Assurance::of_session(session, account));
        if let Err(due) = owner.check_assurance(account, self.policy(), self.now()) {
            return Ok(Err(ManagementRefused::SecondFactorDue(due)));
        }
        Ok(self.confirm_password(caller, account, password).await?.map_err(ManagementRefused::Unconfirmed))
    }
}

impl From<FactorsRefused> for ManagementRefused {
    fn from(refused: FactorsRefused) -> Self {
        match refused {
            FactorsRefused::SecondFactorDue(due) => Self::SecondFactorDue(due),
            FactorsRefused::Locked { until } => Self::Locked { until },
        }
    }
}

fn refusal(decision: enrolment::Enrolment) -> Result<(), ManagementRefused> {
    match decision {
        enrolment::Enrolment::First | enrolment::Enrolment::Replacement => Ok(()),
        enrolment::Enrolment::Refused(refused) => Err(refused.into()),
        enrolment::Enrolment::NotAllowed => Err(ManagementRefused::NotAllowed),
    }
}

fn mail_refusal(decision: MailDecision) -> Result<(), ManagementRefused> {
    match decision {
        MailDecision::First | MailDecision::Begun | MailDecision::Further | MailDecision::Already => Ok(()),
        MailDecision::Refused(refused) => Err(refused.into()),
        MailDecision::NotAllowed => Err(ManagementRefused::NotAllowed),
    }
}

/// Three candidates for the handle of a new method. That an account uses all three is negligible: it has few methods, and
/// there are 36^4 handles.
pub(super) fn new_handles(random: &mut dyn CryptoRng) -> [MethodHandle; 3] {
    std::array::from_fn(|_| MethodHandle::generate(random))
}
