//! Users, and the units of work that they cause.

use crate::world::World;
use countersign_domain::account::{Account, EmailAddress, LoginName};
use countersign_domain::actor::Actor;
use countersign_domain::address::Address;
use countersign_domain::assurance::{Assurance, Manager};
use countersign_domain::attempt::{Authenticator, Claimant, Expected, Proof, StoredBackupCode, StoredCode};
use countersign_domain::audit::{AuditContext, AuditEvent, EventKind, RequestIds};
use countersign_domain::audit_chain::TrailKeys;
use countersign_domain::backup_code::Alphabet;
use countersign_domain::challenge::{Challenge, Factor, FirstFactor};
use countersign_domain::decisions::delivery::SendTo;
use countersign_domain::decisions::enrolment::Enrolment;
use countersign_domain::decisions::second_factor::Request;
use countersign_domain::decisions::sign_in::SignIn;
use countersign_domain::guess::Guess;
use countersign_domain::ids::{AccountId, AuditId, BackupCodeId, MessageId, MethodId, SessionId, TenantId};
use countersign_domain::keyring::{Keyring, Sealed};
use countersign_domain::language::Languages;
use countersign_domain::message::{Notices, Sealer};
use countersign_domain::method::MethodHandle;
use countersign_domain::network::ClientDigest;
use countersign_domain::one_time_code::{OneTimeCode, Subject};
use countersign_domain::password::PasswordHash;
use countersign_domain::policy::Policy;
use countersign_domain::presentation::Presentation;
use countersign_domain::presented_code::PresentedCode;
use countersign_domain::quota::{QuotaLimit, QuotaUse};
use countersign_domain::secret::{ChallengeToken, Digest, SessionToken};
use countersign_domain::session::Session;
use countersign_domain::stored_secret::SecretFingerprint;
use countersign_domain::terms::{CeremonyForm, ChallengeForm, EnrolmentPlace, Grant, Terms, TrustForm};
use countersign_domain::time::Timestamp;
use countersign_domain::user::AccountLookup;
use countersign_store::work::{
    AccountWritten, BeginEnrolment, Claim, ClaimAttempt, CodeMessage, CompleteSecondFactor, CompleteSignIn,
    CreateAccount, EnrolMail, EnrolmentBegun, IssueCode, Issued, KnownNetwork, NewFactor, NewMethod, NewSession,
    NewTicket, NewTrust, SecondFactorCompleted, Seen, SignInCompleted, SignInDecided, TicketKind,
};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{CryptoRng, SeedableRng as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A moment that tests count from.
pub(crate) const NOON: Timestamp = Timestamp::from_millis(1_800_000_000_000);

pub(crate) const HOUR: Duration = Duration::from_secs(60 * 60);

/// Randomness that no two calls share.
pub(crate) fn random() -> impl CryptoRng {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    ChaCha20Rng::seed_from_u64(NEXT.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn session_digest() -> Digest {
    SessionToken::generate(&mut random()).digest()
}

pub(crate) fn challenge_digest() -> Digest {
    ChallengeToken::generate(&mut random()).digest()
}

pub(crate) fn hash() -> PasswordHash {
    let text = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQxMjM0NTY3OA$RdescudvJCsgt3ub+b4dWRWJTmaaJObGgdVKsWqNDFM";
    PasswordHash::parse(text).unwrap()
}

/// One keyring for all tests.
pub(crate) fn keyring() -> Arc<Keyring> {
    Arc::new(Keyring::generate(&mut ChaCha20Rng::seed_from_u64(1)))
}

pub(crate) fn sealer() -> Sealer {
    Sealer::new(keyring())
}

pub(crate) fn trail_keys() -> TrailKeys {
    TrailKeys::new(keyring())
}

pub(crate) fn notices() -> Notices {
    Notices { sealer: sealer(), lifetime: 24 * HOUR, unverified_a_day: 5, directory: Arc::default() }
}

pub(crate) fn event(kind: EventKind, account_id: AccountId, at: Timestamp) -> AuditEvent {
    AuditEvent {
        id: AuditId::generate(at, &mut random()),
        at,
        kind,
        account_id: Some(account_id),
        session_id: None,
        factor: None,
        dialect: "better-auth",
        ip_address: "192.0.2.1".to_owned(),
        actor: Actor::User,
        request: RequestIds::default(),
        keys: Some(trail_keys()),
        notices: Some(notices()),
        webhooks: None,
    }
}

/// The same for an event whose kind is decided in the store.
pub(crate) fn audit(account_id: AccountId, at: Timestamp) -> AuditContext {
    AuditContext {
        id: AuditId::generate(at, &mut random()),
        at,
        account_id: Some(account_id),
        session_id: None,
        factor: None,
        dialect: "better-auth",
        ip_address: "192.0.2.1".to_owned(),
        actor: Actor::User,
        request: RequestIds::default(),
        keys: Some(trail_keys()),
        notices: Some(notices()),
        webhooks: None,
    }
}

/// Terms of a dialect that grants sessions, in which an account without a second factor can enrol.
pub(crate) fn terms() -> Terms {
    let policy = Policy::default();
    Terms {
        grant: Grant::Session,
        enrolment: EnrolmentPlace::Session,
        trust: TrustForm::Rotating,
        challenge: ChallengeForm::Token,
        challenge_lifetime: policy.challenge_lifetime,
        code_lifetime: policy.one_time_code_lifetime,
        backup_codes: Alphabet::Mixed,
        ceremony: CeremonyForm::Token,
        email_with_app: true,
    }
}

pub(crate) fn by_email(email: EmailAddress) -> AccountLookup {
    AccountLookup::Login(TenantId::DEFAULT, vec![LoginName::Email(email)])
}

/// What a sign-in was decided to open.
pub(crate) fn decided(outcome: SignInCompleted) -> SignInDecided {
    match outcome {
        SignInCompleted::Decided(decided) => *decided,
        SignInCompleted::PasskeyRefused(why) => panic!("the passkey does not count: {why:?}"),
        SignInCompleted::Stale => panic!("the sign-in is stale"),
    }
}

pub(crate) fn is_done(outcome: &SecondFactorCompleted) -> bool {
    matches!(outcome, SecondFactorCompleted::Done { .. })
}

pub(crate) fn handles() -> [MethodHandle; 3] {
    std::array::from_fn(|_| MethodHandle::generate(&mut random()))
}

pub(crate) fn address_method(address: Address) -> NewMethod {
    NewMethod {
        id: MethodId::generate(NOON, &mut random()),
        handles: handles(),
        name: None,
        factor: NewFactor::Address(address),
    }
}

/// The code of this number.
fn code(number: u8) -> OneTimeCode {
    OneTimeCode::chosen(&format!("code {number}")).unwrap()
}

pub(crate) fn ticket(kind: TicketKind, expires_at: Timestamp) -> NewTicket {
    NewTicket { kind, digest: session_digest(), trust_challenge: None, state: None, expires_at, address: None }
}

pub(crate) fn backup_codes(count: usize) -> Vec<StoredBackupCode> {
    let code = |_| StoredBackupCode {
        id: BackupCodeId::generate(NOON, &mut random()),
        selector: session_digest().as_bytes().to_vec(),
        hash: hash(),
        is_spent: false,
    };
    (0..count).map(code).collect()
}

pub(crate) fn trust(expires_at: Timestamp) -> NewTrust {
    NewTrust { digest: session_digest(), application_id: None, name: None, seen: seen(), expires_at }
}

pub(crate) fn seen() -> Seen {
    Seen { user_agent: "Mozilla/5.0".to_owned(), ip_address: "192.0.2.1".to_owned() }
}

/// A user who signed up.
#[derive(Clone)]
pub(crate) struct User {
    pub(crate) account: Account,
    pub(crate) session: NewSession,
}

impl User {
    pub(crate) fn new() -> Self {
        let id = AccountId::generate(NOON, &mut random());
        let account = Account {
            id,
            tenant_id: TenantId::DEFAULT,
            email: Some(EmailAddress::new(&format!("{id}@example.org"))),
            username: None,
            phone_number: None,
            name: "Somebody".to_owned(),
            email_verified: false,
            image: None,
            password: Some(hash()),
            password_changed_at: NOON,
            password_change_required: false,
            is_active: true,
            expires_at: None,
            two_factor_enabled: false,
            credentials_version: 0,
            limits_epoch: 0,
            factors_version: 0,
            lock_ends_at: None,
            guess_level: None,
            suspended_until: None,
            wrong_guess: None,
            created_at: NOON,
            updated_at: NOON,
        };
        let session = new_session(id, NOON);
        Self { account, session }
    }

    pub(crate) async fn signed_up(world: &World) -> Self {
        let user = Self::new();
        assert_eq!(world.store.create_account(user.sign_up()).await.unwrap(), AccountWritten::Done);
        user
    }

    /// A user with an authenticator app, ten backup codes, and the second factor on.
    pub(crate) async fn enrolled(world: &World) -> (Self, MethodId, Vec<StoredBackupCode>) {
        let mut user = Self::signed_up(world).await;
        let begin = user.begin_enrolment();
        let (authenticator, codes) = (begin.authenticator.id, begin.backup_codes.clone());
        assert_eq!(world.store.begin_enrolment(begin).await.unwrap(), EnrolmentBegun::Decided(Enrolment::First));
        let next = new_session(user.id(), NOON);
        let proof = Proof::Totp { method_id: authenticator, step: 1, confirms: true };
        let pass = CompleteSecondFactor {
            session: next.clone(),
            email_method: Some(user.mail_method()),
            ..user.pass(user.in_session(), proof)
        };
        let outcome = world.store.complete_second_factor(pass).await.unwrap();
        assert!(is_done(&outcome), "{outcome:?}");
        user.session = next;
        user.account.two_factor_enabled = true;
        user.account.factors_version += 1;
        (user, authenticator, codes)
    }

    pub(crate) fn email(&self) -> EmailAddress {
        self.account.email.clone().unwrap()
    }

    pub(crate) fn email_address(&self) -> Address {
        Address::Email(self.email())
    }

    /// Codes by mail to the account's address.
    pub(crate) fn mail_method(&self) -> NewMethod {
        address_method(self.email_address())
    }

    pub(crate) fn id(&self) -> AccountId {
        self.account.id
    }

    pub(crate) fn sign_up(&self) -> CreateAccount {
        CreateAccount {
            account: self.account.clone(),
            profile: "{}".to_owned(),
            registration: None,
            session: Some(self.session.clone()),
            verification: None,
            event: event(EventKind::SignedUp, self.id(), NOON),
        }
    }

    pub(crate) fn in_session(&self) -> Claimant {
        Claimant::Session { session_id: self.session.session.id, account_id: self.id() }
    }

    pub(crate) fn sign_in(&self, now: Timestamp) -> CompleteSignIn {
        let challenge = Challenge {
            digest: challenge_digest(),
            account_id: self.id(),
            first_factor: FirstFactor::Password,
            is_remembered: true,
            application_id: None,
            state: None,
            trust_challenge: None,
            network: None,
            created_at: now,
            expires_at: now + Duration::from_secs(600),
        };
        CompleteSignIn {
            account_id: self.id(),
            credentials_version: self.account.credentials_version,
            rehashed: None,
            password_uses: vec![window(&format!("password:{}", self.id()))],
            network: Some(network(self.id(), 1, now)),
            ticket: None,
            passkey: None,
            proved: None,
            rules: Arc::default(),
            terms: terms(),
            application_id: None,
            trust: None,
            session: Some(new_session(self.id(), now)),
            refresh_token: None,
            challenge,
            change_password: Some(ticket(TicketKind::ChangePassword, now + HOUR)),
            audit: audit(self.id(), now),
            seen: seen(),
            absence_audit: audit(self.id(), now),
        }
    }

    /// Signs in as far as the challenge.
    pub(crate) async fn challenged(&self, world: &World, now: Timestamp) -> Claimant {
        let sign_in = self.sign_in(now);
        let digest = sign_in.challenge.digest;
        let outcome = decided(world.store.complete_sign_in(sign_in).await.unwrap());
        assert_eq!((outcome.decision, outcome.methods.is_empty()), (SignIn::SecondFactorDue, false));
        Claimant::Challenge(digest)
    }

    pub(crate) fn begin_enrolment(&self) -> BeginEnrolment {
        BeginEnrolment {
            account_id: self.id(),
            versions: self.account.versions(),
            manager: Manager::Owner(Assurance {
                account_id: self.id(),
                signed_in_at: NOON,
                second_factor_at: Some(NOON),
                factors_version: self.account.factors_version,
            }),
            authenticator: Authenticator {
                id: MethodId::generate(NOON, &mut random()),
                account_id: self.id(),
                secret: Sealed { key_id: "k1".to_owned(), bytes: vec![1, 2, 3] },
                fingerprint: SecretFingerprint::from_bytes(session_digest().as_bytes()),
                last_step: None,
            },
            handles: handles(),
            backup_codes: backup_codes(10),
            rules: Arc::default(),
            now: NOON,
            audit: audit(self.id(), NOON),
        }
    }

    /// Codes by mail, asked for in the session; `next` takes its place.
    pub(crate) fn enrol_mail(&self, next: &NewSession) -> EnrolMail {
        let BeginEnrolment { account_id, versions, manager, backup_codes, rules, now, audit, .. } =
            self.begin_enrolment();
        EnrolMail {
            account_id,
            versions,
            manager,
            method: self.mail_method(),
            backup_codes,
            session_id: self.session.session.id,
            session: next.clone(),
            rules,
            now,
            audit,
        }
    }

    pub(crate) fn claim(&self, claimant: Claimant, factor: Factor, now: Timestamp) -> ClaimAttempt {
        let (expected, presentation) = (Expected::One(factor), new_code(&claimant));
        ClaimAttempt { claimant, expected, presentation, passkey: None, now, rules: Arc::default() }
    }

    pub(crate) async fn claimed(&self, world: &World, claimant: &Claimant, factor: Factor) -> Claim {
        world.store.claim_attempt(self.claim(claimant.clone(), factor, NOON)).await.unwrap()
    }

    pub(crate) fn pass(&self, claimant: Claimant, proof: Proof) -> CompleteSecondFactor {
        CompleteSecondFactor {
            claimant,
            account: self.account.clone(),
            proof,
            renewal: None,
            charge: guess(),
            few_codes: event(EventKind::BackupCodesFew, self.id(), NOON),
            request: Request::default(),
            rules: Arc::default(),
            terms: terms(),
            session: new_session(self.id(), NOON),
            session_token: self.session.token,
            is_assured: false,
            refresh_token: None,
            step_up: None,
            change_password: None,
            trust: trust(NOON + 24 * HOUR),
            network: Some(network(self.id(), 1, NOON)),
            email_method: None,
            now: NOON,
            audit: audit(self.id(), NOON),
            more_audit: [audit(self.id(), NOON), audit(self.id(), NOON)],
            absence_audit: audit(self.id(), NOON),
        }
    }

    /// What the code of this number is stored as.
    pub(crate) fn mac(&self, claimant: &Claimant, number: u8) -> [u8; 32] {
        sealer().code_mac(&code(number), &claimant.subject(), self.id())
    }

    pub(crate) fn mailed(&self, claimant: &Claimant, number: u8) -> Proof {
        Proof::OneTimeCode(StoredCode { mac: self.mac(claimant, number).to_vec(), method_id: None })
    }

    pub(crate) fn issue(&self, claimant: Claimant, number: u8) -> IssueCode {
        IssueCode {
            claimant,
            to: SendTo::Primary,
            network: Some(ClientDigest([7; 32])),
            is_service: false,
            message: CodeMessage {
                id: MessageId::generate(NOON, &mut random()),
                code: code(number),
                sealer: sealer(),
                languages: Languages::default(),
                due_at: NOON,
            },
            lifetime: Policy::default().one_time_code_lifetime,
            now: NOON,
            rules: Arc::default(),
            audit: audit(self.id(), NOON),
        }
    }

    pub(crate) async fn issued(&self, world: &World, claimant: &Claimant, number: u8) {
        let issued = world.store.issue_code(self.issue(claimant.clone(), number)).await.unwrap();
        assert!(matches!(issued, Issued::To { account, .. } if account.id == self.id()));
    }
}

/// A use of ten within an hour.
pub(crate) fn window(name: &str) -> QuotaUse {
    QuotaUse { name: name.to_owned(), limit: QuotaLimit::Window { uses: 10, window: HOUR }, owner: None }
}

/// A network as the account knows it for a day.
pub(crate) fn network(account_id: AccountId, seed: u8, now: Timestamp) -> KnownNetwork {
    let mut digest = [seed; 32];
    digest.iter_mut().zip(account_id.to_text().bytes()).for_each(|(byte, of_account)| *byte ^= of_account);
    KnownNetwork { digest, expires_at: now + 24 * HOUR }
}

/// What one guess adds to the long-term count.
/// A code that has not been presented before.
fn new_code(claimant: &Claimant) -> Presentation {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let code = NEXT.fetch_add(1, Ordering::Relaxed).to_string();
    presentation(&code, &claimant.subject())
}

pub(crate) fn presentation(code: &str, subject: &Subject) -> Presentation {
    let keyring = Keyring::generate(&mut ChaCha20Rng::seed_from_u64(1));
    Presentation::new(&PresentedCode::new(code), Expected::Any { backup_code: true }, subject, NOON, &keyring)
}

/// One that no claim of a test is for.
pub(crate) fn other_guess() -> Guess {
    Guess::from_bytes(&[1; 32]).unwrap()
}

pub(crate) fn guess() -> Duration {
    Policy::default().account_guesses.cost(1)
}

pub(crate) fn new_session(account_id: AccountId, now: Timestamp) -> NewSession {
    NewSession {
        session: Session {
            id: SessionId::generate(now, &mut random()),
            account_id,
            is_remembered: true,
            second_factor_at: None,
            ip_address: "192.0.2.1".to_owned(),
            user_agent: "test".to_owned(),
            signed_in_at: now,
            created_at: now,
            updated_at: now,
            last_used_at: now,
            expires_at: now + 24 * HOUR,
        },
        token: session_digest(),
    }
}
