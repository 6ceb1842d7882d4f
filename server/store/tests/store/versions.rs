//! Grants of older credentials are dead even where no `DELETE` reached them, and rows of a node of the version before count as
//! of the migration.

use crate::users::{
    HOUR, NOON, User, audit, decided, event, is_done, new_session, random, session_digest, terms, ticket, trust,
};
use crate::world::World;
use countersign_domain::account::Versions;
use countersign_domain::attempt::{Claimant, Proof};
use countersign_domain::audit::EventKind;
use countersign_domain::challenge::Factor;
use countersign_domain::decisions::restore;
use countersign_domain::decisions::second_factor::Request;
use countersign_domain::decisions::sign_in::SignIn;
use countersign_domain::device::Device;
use countersign_domain::ids::{ApplicationId, RefreshTokenId, RegistrationId};
use countersign_domain::policy::Policy;
use countersign_domain::secret::Digest;
use countersign_domain::terms::{Grant, Rules, Terms};
use countersign_domain::user::Registration;
use countersign_store::work::{
    Changed, Claim, CompleteSecondFactor, CompleteSignIn, EndAllGrants, EndTrust, FindTrust, Issued, NewRefreshToken,
    PresentedTicket, PresentedTrust, RefreshTokenUsed, Register, Registered, RevokeSessions, SecondFactorCompleted,
    SessionSelector, TicketKind, UseRefreshToken,
};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use std::sync::Arc;

/// Everything that a user with a second factor can have open at once.
struct Open {
    user: User,
    challenge: Claimant,
    step: Proof,
    trust: Digest,
    refresh_token: Digest,
    ticket: Digest,
}

async fn open(world: &World) -> Open {
    let (user, authenticator, _) = User::enrolled(world).await;
    let proof = |step| Proof::Totp { method_id: authenticator, step, confirms: false };
    let (given, refresh_token, step_up) =
        (trust(NOON + HOUR), session_digest(), ticket(TicketKind::StepUp, NOON + HOUR));
    let claimant = user.challenged(world, NOON).await;
    let pass = CompleteSecondFactor {
        request: Request { trusts_device: true, without_grant: false },
        terms: Terms { grant: Grant::Tokens, ..terms() },
        refresh_token: Some(NewRefreshToken {
            device: Device::default(),
            ip_address: String::new(),
            digest: refresh_token,
            family_id: RefreshTokenId::generate(NOON, &mut random()),
            application_id: ApplicationId::DEFAULT,
            second_factor_at: Some(NOON),
            expires_at: NOON + HOUR,
        }),
        step_up: Some(step_up.clone()),
        trust: given.clone(),
        ..user.pass(claimant, proof(2))
    };
    assert!(is_done(&world.store.complete_second_factor(pass).await.unwrap()));
    let challenge = user.challenged(world, NOON).await;
    Open { challenge, step: proof(3), trust: given.digest, refresh_token, ticket: step_up.digest, user }
}

impl Open {
    /// Which of them can be used: session, trust, refresh token, ticket, challenge and a code for it.
    async fn usable(&self, world: &World) -> [bool; 6] {
        let store = &world.store;
        let account = store.account(crate::users::by_email(self.user.email())).await.unwrap().unwrap();
        let session = store.session_by_token((self.user.session.token, NOON)).await.unwrap();
        let listed = store.sessions_of((account.id, NOON)).await.unwrap();
        assert_eq!(session.is_some(), listed.iter().any(|listed| listed.id == self.user.session.session.id));
        let (account_id, versions) = (account.id, account.versions());
        let find = FindTrust { digests: vec![self.trust], account_id, versions, now: NOON };
        let trust = store.trust(find).await.unwrap().is_some();
        let shown = PresentedTicket { kind: TicketKind::StepUp, digest: self.ticket, trust_challenges: Vec::new() };
        let ticket = store.ticket((shown, NOON)).await.unwrap().is_some();
        let refresh = UseRefreshToken {
            digest: self.refresh_token,
            successors: vec![session_digest()],
            rules: Arc::default(),
            now: NOON,
            expires_at: NOON + HOUR,
            audit: audit(account_id, NOON),
        };
        let refreshed = matches!(store.use_refresh_token(refresh).await.unwrap(), RefreshTokenUsed::Renewed(_));
        let issued = store.issue_code(self.user.issue(self.challenge.clone(), 1)).await.unwrap();
        let claimed = matches!(self.user.claimed(world, &self.challenge, Factor::Totp).await, Claim::Granted(_));
        [session.is_some(), trust, refreshed, ticket, matches!(issued, Issued::To { .. }), claimed]
    }
}

#[on_each_database]
async fn a_grant_of_older_credentials_is_dead_without_being_deleted_28(database: DatabaseKind) {
    for (raised, usable) in [
        ("credentials_version = credentials_version", [true; 6]),
        ("credentials_version = credentials_version + 1", [false; 6]),
        // Sessions and refresh tokens go on, by the password alone.
        ("factors_version = factors_version + 1", [true, false, true, false, false, false]),
    ] {
        let world = &World::start(database).await;
        let open = open(world).await;
        world.behind.execute(&format!("UPDATE accounts SET {raised}"));
        assert_eq!(open.usable(world).await, usable, "{raised}");
    }
}

/// For a database that is one of the past.
#[on_each_database]
async fn what_is_open_is_deleted_when_all_grants_end(database: DatabaseKind) {
    let world = &World::start(database).await;
    let open = open(world).await;
    open.user.issued(world, &open.challenge, 7).await;
    let tables = ["sessions", "refresh_tokens", "trusted_devices", "challenges", "tickets", "mailed_codes"];
    for table in tables {
        assert!(world.count(table) > 0, "{table}");
    }
    assert!(world.count("messages WHERE kind = 'sign-in-code'") > 0);
    let notices = world.count("messages WHERE kind = 'device-trusted'");
    assert!(notices > 0);
    let event = event(EventKind::AllGrantsEnded, open.user.id(), NOON);
    world.store.end_all_grants(EndAllGrants { now: NOON, event }).await.unwrap();
    for table in tables {
        assert_eq!(world.count(table), 0, "{table}");
    }
    assert_eq!(world.count("messages WHERE kind = 'sign-in-code'"), 0);
    assert_eq!(world.count("messages WHERE kind = 'device-trusted'"), notices, "notices are still delivered");
    let used = restore::used_up_to(NOON);
    assert_eq!(world.count(&format!("methods WHERE last_step = {used}")), 1);
    assert_eq!(world.count(&format!("spent_steps WHERE last_step < {used}")), 0);
}

#[on_each_database]
async fn a_challenge_of_older_credentials_is_not_completed_by_a_code_that_was_judged_before(database: DatabaseKind) {
    for column in ["credentials_version", "factors_version"] {
        let world = &World::start(database).await;
        let mut open = open(world).await;
        let pass = |open: &Open| open.user.pass(open.challenge.clone(), open.step.clone());
        world.behind.execute(&format!("UPDATE accounts SET {column} = {column} + 1"));
        let outcome = world.store.complete_second_factor(pass(&open)).await.unwrap();
        let SecondFactorCompleted::Changed(account) = outcome else { panic!("{column}: {outcome:?}") };
        open.user.account = *account;
        let outcome = world.store.complete_second_factor(pass(&open)).await.unwrap();
        assert!(matches!(outcome, SecondFactorCompleted::ClaimantGone), "{column}: {outcome:?}");
    }
}

#[on_each_database]
async fn a_second_factor_counts_while_the_account_has_it(database: DatabaseKind) {
    let world = &World::start(database).await;
    let open = open(world).await;
    world.behind.execute(&format!("UPDATE sessions SET second_factor_at = {}", NOON.as_millis()));
    let second_factor = async || {
        let (session, _) = world.store.session_by_token((open.user.session.token, NOON)).await.unwrap().unwrap();
        session.second_factor_at
    };
    assert_eq!(second_factor().await, Some(NOON));
    world.behind.execute("UPDATE accounts SET factors_version = factors_version + 1");
    assert_eq!(second_factor().await, None);
}

/// Bytes as SQL has them.
fn literal(world: &World, digest: Digest) -> String {
    let hex: String = digest.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    match world.behind {
        crate::world::Behind::File { .. } => format!("x'{hex}'"),
        crate::world::Behind::Server(_) => format!("'\\x{hex}'"),
    }
}

/// Everything that a user can have open, by the statements of a node of the version before the versions: they name no column
/// of a version, nor the times that came with them.
fn open_as_before(world: &World, mut open: Open) -> Open {
    for table in ["sessions", "challenges", "trusted_devices", "refresh_tokens", "tickets"] {
        world.behind.execute(&format!("DELETE FROM {table}"));
    }
    let digest = || session_digest();
    let (token, challenge) = (digest(), digest());
    (open.trust, open.refresh_token, open.ticket) = (digest(), digest(), digest());
    open.challenge = Claimant::Challenge(challenge);
    let session = new_session(open.user.id(), NOON).session;
    let (id, now, end) = (open.user.id().to_text(), NOON.as_millis(), session.expires_at.as_millis());
    let (session_id, application) = (session.id.to_text(), ApplicationId::DEFAULT.to_text());
    let bytes = |digest| literal(world, digest);
    for (table, columns, values) in [
        (
            "sessions",
            "id, account_id, token_digest, is_remembered, second_factor_at, ip_address, user_agent, created_at, \
             updated_at, expires_at",
            format!("'{session_id}', '{id}', {}, TRUE, NULL, '', '', {now}, {now}, {end}", bytes(token)),
        ),
        (
            "challenges",
            "digest, account_id, tries, failures, is_remembered, application_id, state, trust_challenge, created_at, \
             expires_at",
            format!("{}, '{id}', 0, 0, TRUE, NULL, NULL, NULL, {now}, {end}", bytes(challenge)),
        ),
        (
            "trusted_devices",
            "digest, account_id, application_id, created_at, expires_at",
            format!("{}, '{id}', NULL, {now}, {end}", bytes(open.trust)),
        ),
        (
            "refresh_tokens",
            "digest, family_id, account_id, application_id, second_factor_at, signed_in_at, used_at, created_at, \
             expires_at",
            format!(
                "{}, '{session_id}', '{id}', '{application}', NULL, {now}, NULL, {now}, {end}",
                bytes(open.refresh_token)
            ),
        ),
        (
            "tickets",
            "digest, kind, account_id, trust_challenge, state, created_at, expires_at",
            format!("{}, 'step-up', '{id}', NULL, NULL, {now}, {end}", bytes(open.ticket)),
        ),
    ] {
        world.behind.execute(&format!("INSERT INTO {table} ({columns}) VALUES ({values})"));
    }
    (open.user.session.token, open.user.session.session) = (token, session);
    open
}

/// A default of a column cannot be the account's version of the moment, so such rows are as of the migration: they are good until
/// the first event of the account, or not at all if there was one before. They are never good for longer than others.
#[on_each_database]
async fn what_a_node_of_the_version_before_opens_is_good_until_the_first_event(database: DatabaseKind) {
    let of_factors = [true, false, true, false, false, false];
    for (credentials, factors, usable) in
        [(0, 0, [true; 6]), (0, 1, of_factors), (1, 0, [false; 6]), (3, 2, [false; 6])]
    {
        let world = &World::start(database).await;
        let open = open_as_before(world, open(world).await);
        let versions = format!("credentials_version = {credentials}, factors_version = {factors}");
        world.behind.execute(&format!("UPDATE accounts SET {versions}"));
        assert_eq!(open.usable(world).await, usable, "{versions}");
    }
    for ends_all in [true, false] {
        let world = &World::start(database).await;
        let open = open_as_before(world, open(world).await);
        world.behind.execute("UPDATE accounts SET credentials_version = 0, factors_version = 0");
        let (id, versions) = (open.user.id(), Versions::default());
        if ends_all {
            let revoke = RevokeSessions {
                account_id: id,
                which: SessionSelector::All,
                event: event(EventKind::SessionsRevoked, id, NOON),
            };
            assert!(world.store.revoke_sessions(revoke).await.unwrap());
            assert_eq!(open.usable(world).await, [false; 6]);
        } else {
            let end =
                EndTrust { account_id: id, versions: Some(versions), event: event(EventKind::TrustRevoked, id, NOON) };
            assert_eq!(world.store.end_trust(end).await.unwrap(), Changed::Done);
            assert!(!open.usable(world).await[1], "trust alone");
        }
    }
}

#[on_each_database]
async fn what_a_node_of_the_version_before_opens_ends_as_late_as_anything(database: DatabaseKind) {
    let world = &World::start(database).await;
    let mut open = open_as_before(world, open(world).await);
    // For ever, as that version may have stored it.
    for table in ["sessions", "trusted_devices", "refresh_tokens"] {
        world.behind.execute(&format!("UPDATE {table} SET expires_at = {}", i64::MAX));
    }
    world.behind.execute("UPDATE accounts SET credentials_version = 0, factors_version = 0");
    open.user.account = world.store.account(crate::users::by_email(open.user.email())).await.unwrap().unwrap();
    let policy = Policy::default();
    let (session, _) = world.store.session_by_token((open.user.session.token, NOON)).await.unwrap().unwrap();
    assert_eq!(session.signed_in_at, NOON, "what its absolute end is counted from");
    let now = NOON + policy.trust_absolute_lifetime;
    let trusted = CompleteSignIn {
        trust: Some(PresentedTrust { digests: vec![open.trust], next: None }),
        ..open.user.sign_in(now)
    };
    let decision = decided(world.store.complete_sign_in(trusted).await.unwrap()).decision;
    assert_eq!(decision, SignIn::SecondFactorDue);
    let refresh = UseRefreshToken {
        digest: open.refresh_token,
        successors: vec![session_digest()],
        rules: Arc::default(),
        now: NOON + policy.refresh_token_absolute_lifetime,
        expires_at: now + HOUR,
        audit: audit(open.user.id(), NOON),
    };
    let refreshed = world.store.use_refresh_token(refresh).await.unwrap();
    assert!(matches!(refreshed, RefreshTokenUsed::Refused), "{refreshed:?}");
}

#[on_each_database]
async fn a_rotated_trust_keeps_the_time_at_which_it_was_given(database: DatabaseKind) {
    let world = &World::start(database).await;
    let open = open(world).await;
    let policy = Policy { trust_absolute_lifetime: 2 * HOUR, trust_lifetime: 2 * HOUR, ..Policy::default() };
    let rules = Arc::new(Rules { policy, ..Rules::default() });
    let mut shown = open.trust;
    for (hours, by_trust) in [(0, true), (1, true), (2, false)] {
        let now = NOON + hours * HOUR;
        let next = trust(now + 2 * HOUR);
        let digest = next.digest;
        let sign_in = CompleteSignIn {
            trust: Some(PresentedTrust { digests: vec![shown], next: Some(next) }),
            rules: rules.clone(),
            ..open.user.sign_in(now)
        };
        let decision = decided(world.store.complete_sign_in(sign_in).await.unwrap()).decision;
        assert_eq!(decision == SignIn::Granted { by_trust: true }, by_trust, "after {hours} hours: {decision:?}");
        shown = digest;
    }
}

/// The one that was used longest ago gives way to a further one; a row of the version before, which has no time, before all others.
#[on_each_database]
async fn an_account_trusts_so_many_devices_at_most(database: DatabaseKind) {
    let world = &World::start(database).await;
    let (user, app, _) = User::enrolled(world).await;
    let policy = Policy { trusted_devices_per_account: 2, ..Policy::default() };
    let rules = Arc::new(Rules { policy, ..Rules::default() });
    let mut given = Vec::new();
    for step in 1..=4 {
        let now = NOON + u32::try_from(step).unwrap() * HOUR;
        let claimant = user.challenged(world, now).await;
        let pass = CompleteSecondFactor {
            request: Request { trusts_device: true, without_grant: false },
            trust: trust(now + 100 * HOUR),
            rules: rules.clone(),
            now,
            ..user.pass(claimant, Proof::Totp { method_id: app, step: 100 + step, confirms: false })
        };
        given.push(pass.trust.digest);
        assert!(is_done(&world.store.complete_second_factor(pass).await.unwrap()));
        if step == 1 {
            world.behind.execute("UPDATE trusted_devices SET last_used_at = NULL WHERE last_used_at > 0");
        }
    }
    let mut kept = Vec::new();
    for digest in given {
        let (account_id, versions) = (user.id(), user.account.versions());
        let find = FindTrust { digests: vec![digest], account_id, versions, now: NOON + 5 * HOUR };
        kept.push(world.store.trust(find).await.unwrap().is_some());
    }
    assert_eq!(kept, [false, false, true, true]);
    assert_eq!(world.count("trusted_devices"), 2);
}

#[on_each_database]
async fn nobody_is_registered_once_the_account_is_deleted(database: DatabaseKind) {
    let world = &World::start(database).await;
    let user = User::signed_up(world).await;
    let register = |application_id| Register {
        account_id: user.id(),
        registration: Registration {
            id: RegistrationId::generate(NOON, &mut random()),
            application_id,
            roles: Vec::new(),
            username: None,
            data: None,
            last_sign_in_at: None,
            created_at: NOON,
            updated_at: NOON,
        },
        event: event(EventKind::Registered, user.id(), NOON),
    };
    let application = ApplicationId::DEFAULT;
    for outcome in [Registered::Done, Registered::Already] {
        assert_eq!(world.store.register(register(application)).await.unwrap(), outcome);
    }
    let gone = event(EventKind::AccountDeleted, user.id(), NOON);
    assert!(world.store.delete_account((user.id(), gone)).await.unwrap());
    assert_eq!(world.store.register(register(application)).await.unwrap(), Registered::NoAccount);
}
