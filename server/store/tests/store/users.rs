//! Users, and the units of work that they cause.

use crate::world::World;
use countersign_domain::account::{Account, EmailAddress};
use countersign_domain::audit::{AuditEvent, EventKind};
use countersign_domain::challenge::{Challenge, Factor};
use countersign_domain::ids::{AccountId, AuditId, BackupCodeId, MethodId, SessionId, TenantId};
use countersign_domain::keyring::Sealed;
use countersign_domain::mailed_code::Address;
use countersign_domain::method::MethodHandle;
use countersign_domain::password::PasswordHash;
use countersign_domain::policy::Policy;
use countersign_domain::secret::{ChallengeToken, Digest, SessionToken};
use countersign_domain::session::Session;
use countersign_domain::time::Timestamp;
use countersign_store::work::{
    Actor, Asks, Authenticator, BeginEnrolment, Changed, Claim, ClaimAttempt, CompleteSignIn, Expected, IssueCode,
    Issued, NewFactor, NewMethod, NewSession, NewTicket, NewTrust, PassSecondFactor, Passed, Proof, SendTo, SignIn,
    SignUp, SignedUp, StoredBackupCode, StoredCode, TicketKind,
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
        api_key_id: None,
    }
}

pub(crate) fn handles() -> [MethodHandle; 3] {
    std::array::from_fn(|_| MethodHandle::generate(&mut random()))
}

pub(crate) fn address_method(address: Address) -> NewMethod {
    NewMethod {
        id: MethodId::generate(NOON, &mut random()),
        handles: handles(),
        name: None,
        what: NewFactor::Address(address),
    }
}

/// The code whose MAC is all this byte.
pub(crate) fn mailed(mac: u8) -> Proof {
    Proof::MailedCode(StoredCode { mac: vec![mac; 32], method_id: None })
}

pub(crate) fn ticket(kind: TicketKind, expires_at: Timestamp) -> NewTicket {
    NewTicket { kind, digest: session_digest(), trust_challenge: None, state: None, expires_at }
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
    NewTrust { digest: session_digest(), application_id: None, expires_at }
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
            created_at: NOON,
            updated_at: NOON,
        };
        let session = new_session(id, NOON);
        Self { account, session }
    }

    pub(crate) async fn signed_up(world: &World) -> Self {
        let user = Self::new();
        assert_eq!(world.store.sign_up(user.sign_up()).await.unwrap(), SignedUp::Done);
        user
    }

    /// A user with an authenticator app, ten backup codes, and the second factor on.
    pub(crate) async fn enrolled(world: &World) -> (Self, MethodId, Vec<StoredBackupCode>) {
        let mut user = Self::signed_up(world).await;
        let begin = user.begin_enrolment();
        let (authenticator, codes) = (begin.authenticator.id, begin.backup_codes.clone());
        assert_eq!(world.store.begin_enrolment(begin).await.unwrap(), Changed::Done);
        let next = new_session(user.id(), NOON);
        let pass = PassSecondFactor {
            actor: user.in_session(),
            proof: Proof::Totp { method_id: authenticator, step: 1, confirms: true },
            session: Some(next.clone()),
            enables: Some(user.mail_method()),
            ..user.pass(user.in_session(), mailed(0))
        };
        assert_eq!(world.store.pass_second_factor(pass).await.unwrap(), Passed::Done);
        user.session = next;
        user.account.two_factor_enabled = true;
        user.account.credentials_version += 1;
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

    pub(crate) fn sign_up(&self) -> SignUp {
        SignUp {
            account: self.account.clone(),
            session: self.session.clone(),
            event: event(EventKind::SignedUp, self.id(), NOON),
        }
    }

    pub(crate) fn in_session(&self) -> Actor {
        Actor::Session { session_id: self.session.session.id, account_id: self.id() }
    }

    pub(crate) fn sign_in(&self, now: Timestamp) -> CompleteSignIn {
        let challenge = Challenge {
            digest: challenge_digest(),
            account_id: self.id(),
            is_remembered: true,
            application_id: None,
            state: None,
            trust_challenge: None,
            created_at: now,
            expires_at: now + Duration::from_secs(600),
        };
        CompleteSignIn {
            account_id: self.id(),
            credentials_version: self.account.credentials_version,
            rehashed: None,
            budget: Some(format!("password:{}", self.id())),
            ticket: None,
            asks: Asks::IfEnabled,
            session: Some(new_session(self.id(), now)),
            refresh_token: None,
            challenge,
            trust: None,
            change_password: ticket(TicketKind::ChangePassword, now + HOUR),
            event: event(EventKind::SignedIn, self.id(), now),
        }
    }

    /// Signs in as far as the challenge.
    pub(crate) async fn challenged(&self, world: &World, now: Timestamp) -> Actor {
        let sign_in = self.sign_in(now);
        let digest = sign_in.challenge.digest;
        let outcome = world.store.complete_sign_in(sign_in).await.unwrap();
        assert!(matches!(outcome, SignIn::Challenged { methods } if !methods.is_empty()));
        Actor::Challenge(digest)
    }

    pub(crate) fn begin_enrolment(&self) -> BeginEnrolment {
        BeginEnrolment {
            account_id: self.id(),
            credentials_version: self.account.credentials_version,
            authenticator: Authenticator {
                id: MethodId::generate(NOON, &mut random()),
                secret: Sealed { key_id: "k1".to_owned(), bytes: vec![1, 2, 3] },
                last_step: None,
            },
            handles: handles(),
            backup_codes: backup_codes(10),
            now: NOON,
            event: event(EventKind::EnrolmentBegun, self.id(), NOON),
        }
    }

    pub(crate) fn claim(&self, actor: Actor, factor: Factor, now: Timestamp) -> ClaimAttempt {
        ClaimAttempt {
            actor,
            expected: Expected::One(factor),
            now,
            policy: Arc::new(Policy::default()),
            lock_event: event(EventKind::AccountLocked, self.id(), now),
        }
    }

    pub(crate) async fn claimed(&self, world: &World, actor: &Actor, factor: Factor) -> Claim {
        world.store.claim_attempt(self.claim(actor.clone(), factor, NOON)).await.unwrap()
    }

    pub(crate) fn pass(&self, actor: Actor, proof: Proof) -> PassSecondFactor {
        let session = matches!(actor, Actor::Challenge(_)).then(|| new_session(self.id(), NOON));
        PassSecondFactor {
            actor,
            account_id: self.id(),
            proof,
            session,
            refresh_token: None,
            ticket: None,
            trust: None,
            enables: None,
            removes: None,
            now: NOON,
            event: event(EventKind::SecondFactorSignedIn, self.id(), NOON),
        }
    }

    pub(crate) fn issue(&self, actor: Actor, mac: u8) -> IssueCode {
        IssueCode {
            actor,
            to: SendTo::Primary,
            mac: [mac; 32],
            lifetime: Policy::default().mailed_code_lifetime,
            now: NOON,
            policy: Arc::new(Policy::default()),
            event: event(EventKind::CodeSent, self.id(), NOON),
        }
    }

    pub(crate) async fn issued(&self, world: &World, actor: &Actor, mac: u8) {
        let issued = world.store.issue_code(self.issue(actor.clone(), mac)).await.unwrap();
        assert!(matches!(issued, Issued::To { account, .. } if account.id == self.id()));
    }
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
            created_at: now,
            updated_at: now,
            expires_at: now + 24 * HOUR,
        },
        token: session_digest(),
    }
}
