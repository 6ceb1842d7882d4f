//! Decisions that are made inside a unit of work, on the account as it is at that moment and by the tenant's policy.

use crate::users::{HOUR, NOON, User, decided, event, is_done, new_session, random, session_digest, terms, ticket};
use crate::world::World;
use countersign_domain::account::{Account, Unusable};
use countersign_domain::address::MethodKind;
use countersign_domain::attempt::{Claimant, Proof};
use countersign_domain::audit::EventKind;
use countersign_domain::challenge::{Factor, FirstFactor};
use countersign_domain::decisions::endings::Event;
use countersign_domain::decisions::second_factor::{Request, SecondFactor};
use countersign_domain::decisions::sign_in::{Proved, SignIn};
use countersign_domain::device::Device;
use countersign_domain::ids::{ApplicationId, MethodId, RefreshTokenId, RegistrationId};
use countersign_domain::tenant::{Application, Directory, LoginPolicy, Tenant};
use countersign_domain::terms::{EnrolmentPlace, Grant, Rules, Terms};
use countersign_domain::time::Timestamp;
use countersign_domain::user::Registration;
use countersign_store::work::{
    AccountWritten, ChangeAccount, Claim, CompleteSecondFactor, CompleteSignIn, NewRefreshToken, PresentedTrust,
    Register, Registered, SecondFactorCompleted, TicketKind,
};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use std::sync::Arc;
use std::time::Duration;

/// One tenant, the accounts' own.
fn rules(login_policy: LoginPolicy, methods: &[MethodKind]) -> Arc<Rules> {
    let methods = methods.iter().copied().collect();
    let tenant = Tenant { login_policy, methods, ..Tenant::default() };
    let directory = Directory::new(vec![tenant], vec![Application::default()]).unwrap();
    Arc::new(Rules { directory, ..Rules::default() })
}

fn totp(method_id: MethodId, step: i64) -> Proof {
    Proof::Totp { method_id, step, confirms: false }
}

/// A right code that would open everything there is to open.
fn opens_everything(user: &User, claimant: Claimant, proof: Proof, grant: Grant) -> CompleteSecondFactor {
    let refresh_token = NewRefreshToken {
        device: Device::default(),
        ip_address: String::new(),
        digest: session_digest(),
        family_id: RefreshTokenId::generate(NOON, &mut random()),
        application_id: ApplicationId::DEFAULT,
        second_factor_at: Some(NOON),
        expires_at: NOON + HOUR,
    };
    CompleteSecondFactor {
        request: Request { trusts_device: true, without_grant: false },
        terms: Terms { grant, ..terms() },
        refresh_token: Some(refresh_token),
        step_up: Some(ticket(TicketKind::StepUp, NOON + HOUR)),
        change_password: Some(ticket(TicketKind::ChangePassword, NOON + HOUR)),
        email_method: Some(user.mail_method()),
        ..user.pass(claimant, proof)
    }
}

/// Rows of every table that a second factor may write to, and the columns that it changes.
fn written(world: &World) -> Vec<(&'static str, i64)> {
    let tables = [
        "accounts WHERE failed_attempts > 0",
        "accounts WHERE two_factor_enabled",
        "audit_events",
        "backup_codes WHERE used_at IS NULL",
        "challenges",
        "methods",
        "methods WHERE last_step = 1",
        "refresh_tokens",
        "sessions",
        "sessions WHERE second_factor_at IS NULL",
        "tickets",
        "trusted_devices",
    ];
    tables.into_iter().map(|table| (table, world.count(table))).collect()
}

async fn change(world: &World, user: &User, apply: impl FnOnce(&mut ChangeAccount)) {
    let mut change = ChangeAccount {
        account: user.account.clone(),
        before: Account { updated_at: NOON, ..user.account.clone() },
        rules: Arc::default(),
        profile: "{}".to_owned(),
        sets_password: false,
        ending: None,
        moved: Vec::new(),
        events: vec![event(EventKind::AccountChanged, user.id(), NOON)],
    };
    apply(&mut change);
    change.ending = Event::of_service(change.sets_password, user.account.is_active, change.account.is_active);
    assert_eq!(world.store.change_account(change).await.unwrap(), AccountWritten::Done);
}

#[on_each_database]
async fn a_right_code_opens_nothing_once_the_account_has_changed(database: DatabaseKind) {
    type Apply = fn(&mut ChangeAccount);
    let changes: [(Apply, SecondFactor); 3] = [
        (|change| change.account.is_active = false, SecondFactor::Refused(Unusable::Inactive)),
        (|change| change.account.expires_at = Some(NOON), SecondFactor::Refused(Unusable::Expired)),
        (|change| change.account.password_change_required = true, SecondFactor::PasswordChangeDue),
    ];
    for (apply, expected) in changes {
        for grant in [Grant::Session, Grant::Tokens] {
            let world = &World::start(database).await;
            let (mut user, authenticator, _) = User::enrolled(world).await;
            let claimant = user.challenged(world, NOON).await;
            assert!(matches!(user.claimed(world, &claimant, Factor::Totp).await, Claim::Granted(_)));
            change(world, &user, apply).await;

            let before = written(world);
            let pass = opens_everything(&user, claimant.clone(), totp(authenticator, 2), grant);
            let outcome = world.store.complete_second_factor(pass).await.unwrap();
            let SecondFactorCompleted::Changed(account) = outcome else { panic!("{expected:?}: {outcome:?}") };
            assert_eq!(written(world), before, "{expected:?}: nothing was written");

            // Decided on the account as it is now, the same code counts.
            user.account = *account;
            let pass = opens_everything(&user, claimant, totp(authenticator, 2), grant);
            let outcome = world.store.complete_second_factor(pass).await.unwrap();
            let SecondFactorCompleted::Done { decision, user: opened, .. } = outcome else { panic!("{outcome:?}") };
            assert_eq!((decision, opened.is_none()), (expected, true));
            let opened = ["sessions WHERE second_factor_at IS NOT NULL", "refresh_tokens", "trusted_devices"];
            assert_eq!(opened.map(|table| world.count(table)), [0, 0, 0], "{expected:?}");
            let due = i64::from(expected == SecondFactor::PasswordChangeDue);
            assert_eq!((world.count("tickets WHERE kind = 'change-password'"), world.count("tickets")), (due, due));
        }
    }
}

#[on_each_database]
async fn a_factor_that_the_tenant_does_not_allow_takes_no_try(database: DatabaseKind) {
    let world = &World::start(database).await;
    let (user, _, _) = User::enrolled(world).await;
    let rules = rules(LoginPolicy::Enabled, &[MethodKind::Email, MethodKind::Sms]);
    let challenge = user.challenged(world, NOON).await;
    let before = written(world);
    for claimant in [challenge.clone(), user.in_session()] {
        let mut claim = user.claim(claimant, Factor::Totp, NOON);
        claim.rules = rules.clone();
        let outcome = world.store.claim_attempt(claim).await.unwrap();
        assert!(matches!(outcome, Claim::NotAllowed), "{outcome:?}");
    }
    assert_eq!(written(world), before);
    let untouched = (world.count("challenges WHERE tries = 0"), world.count("accounts WHERE failed_attempts = 0"));
    assert_eq!(untouched, (1, 1), "neither a try nor a failure was counted");

    // A code by e-mail is allowed, and the challenge still has all of its tries.
    user.issued(world, &challenge, 1).await;
    let mut claim = user.claim(challenge, Factor::OneTimeCode, NOON);
    claim.rules = rules;
    assert!(matches!(world.store.claim_attempt(claim).await.unwrap(), Claim::Granted(_)));
}

#[on_each_database]
async fn where_a_second_factor_is_required_the_first_one_ends_other_sessions(database: DatabaseKind) {
    for (policy, left) in [(LoginPolicy::Required, 1), (LoginPolicy::Enabled, 3)] {
        let world = &World::start(database).await;
        let rules = rules(policy, &MethodKind::ALL);
        let user = User::signed_up(world).await;
        for _ in 0..2 {
            let sign_in = CompleteSignIn { rules: rules.clone(), ..user.sign_in(NOON) };
            assert!(decided(world.store.complete_sign_in(sign_in).await.unwrap()).decision.is_granted());
        }
        let stranger = User::signed_up(world).await;
        let begin = user.begin_enrolment();
        let proof = Proof::Totp { method_id: begin.authenticator.id, step: 1, confirms: true };
        world.store.begin_enrolment(begin).await.unwrap();
        let next = new_session(user.id(), NOON);
        let confirm = CompleteSecondFactor { rules, session: next.clone(), ..user.pass(user.in_session(), proof) };
        assert!(is_done(&world.store.complete_second_factor(confirm).await.unwrap()));
        let sessions = world.store.sessions_of((user.id(), NOON)).await.unwrap();
        assert_eq!(sessions.len(), left, "{policy:?}");
        assert!(sessions.iter().any(|session| session.id == next.session.id), "{policy:?}: the new one stays");
        assert_eq!(world.store.sessions_of((stranger.id(), NOON)).await.unwrap().len(), 1, "another account's stays");
    }
}

#[on_each_database]
async fn where_a_second_factor_is_required_a_password_alone_leads_to_enrolment(database: DatabaseKind) {
    let places = [
        (EnrolmentPlace::Session, SignIn::GrantedForEnrolment, (1, 0)),
        (EnrolmentPlace::Challenge, SignIn::EnrolmentDue, (0, 1)),
    ];
    for (enrolment, expected, opened) in places {
        let world = &World::start(database).await;
        let user = User::signed_up(world).await;
        let sign_in = CompleteSignIn {
            rules: rules(LoginPolicy::Required, &MethodKind::ALL),
            terms: Terms { enrolment, ..terms() },
            ..user.sign_in(NOON + HOUR)
        };
        let outcome = decided(world.store.complete_sign_in(sign_in.clone()).await.unwrap());
        assert_eq!((outcome.decision, outcome.methods.len()), (expected, 0));
        let now = (NOON + HOUR).as_millis();
        let sessions = world.count(&format!("sessions WHERE created_at = {now}"));
        assert_eq!((sessions, world.count("challenges")), opened, "{enrolment:?}");
        let session = sign_in.session.unwrap();
        let found = world.store.session_by_token((session.token, NOON + HOUR)).await.unwrap();
        assert_eq!(found.is_some(), expected.is_granted());
        let kind = expected.event(Proved::One(FirstFactor::Password)).unwrap().name();
        assert_eq!(world.count(&format!("audit_events WHERE kind = '{kind}'")), 1, "{enrolment:?}");
    }
}

#[on_each_database]
async fn a_deleted_account_is_no_claimant(database: DatabaseKind) {
    for grant in [Grant::Session, Grant::Tokens] {
        for in_session in [false, true] {
            let world = &World::start(database).await;
            let (user, authenticator, _) = User::enrolled(world).await;
            let claimant = if in_session { user.in_session() } else { user.challenged(world, NOON).await };
            assert!(matches!(user.claimed(world, &claimant, Factor::Totp).await, Claim::Granted(_)));
            delete(world, &user).await;
            let pass = opens_everything(&user, claimant, totp(authenticator, 2), grant);
            let outcome = world.store.complete_second_factor(pass).await.unwrap();
            assert!(matches!(outcome, SecondFactorCompleted::ClaimantGone), "{grant:?} {in_session}: {outcome:?}");
        }
    }
}

#[on_each_database]
async fn an_account_that_is_deleted_while_it_enrols_is_no_claimant(database: DatabaseKind) {
    let world = &World::start(database).await;
    let user = User::signed_up(world).await;
    let begin = user.begin_enrolment();
    let proof = Proof::Totp { method_id: begin.authenticator.id, step: 1, confirms: true };
    world.store.begin_enrolment(begin).await.unwrap();
    delete(world, &user).await;
    let pass = opens_everything(&user, user.in_session(), proof, Grant::Session);
    let outcome = world.store.complete_second_factor(pass).await.unwrap();
    assert!(matches!(outcome, SecondFactorCompleted::ClaimantGone), "{outcome:?}");
}

async fn delete(world: &World, user: &User) {
    assert!(world.store.delete_account((user.id(), event(EventKind::AccountDeleted, user.id(), NOON))).await.unwrap());
}

#[on_each_database]
async fn tokens_are_granted_together_with_the_user_they_speak_of(database: DatabaseKind) {
    let world = &World::start(database).await;
    let (user, authenticator, _) = User::enrolled(world).await;
    let registration = |seconds| Registration {
        id: RegistrationId::generate(NOON, &mut random()),
        application_id: ApplicationId::generate(NOON, &mut random()),
        roles: vec!["admin".to_owned()],
        username: None,
        data: None,
        last_sign_in_at: None,
        created_at: NOON + Duration::from_secs(seconds),
        updated_at: NOON,
    };
    let registrations = [registration(1), registration(2)];
    for registration in registrations.clone() {
        let event = event(EventKind::Registered, user.id(), NOON);
        let register = Register { account_id: user.id(), registration, event };
        assert_eq!(world.store.register(register).await.unwrap(), Registered::Done);
    }
    let signed_in_at: Timestamp = NOON + HOUR / 2;
    let sign_in = CompleteSignIn { terms: Terms { grant: Grant::Tokens, ..terms() }, ..user.sign_in(signed_in_at) };
    let claimant = Claimant::Challenge(sign_in.challenge.digest);
    let outcome = decided(world.store.complete_sign_in(sign_in).await.unwrap());
    assert_eq!((outcome.decision, outcome.user.is_none()), (SignIn::SecondFactorDue, true));

    let pass = opens_everything(&user, claimant, totp(authenticator, 2), Grant::Tokens);
    let trust = pass.trust.digest;
    let outcome = world.store.complete_second_factor(pass).await.unwrap();
    let SecondFactorCompleted::Done { user: Some(granted), .. } = outcome else { panic!("{outcome:?}") };
    let check = |granted: &countersign_domain::user::User, last_sign_in_at: Timestamp| {
        assert_eq!((granted.account.id, granted.profile.as_str()), (user.id(), "{}"));
        let kinds: Vec<_> = granted.methods.iter().map(|method| method.kind).collect();
        assert_eq!(kinds, [MethodKind::Authenticator, MethodKind::Email]);
        let ids: Vec<_> = granted.registrations.iter().map(|registration| registration.id).collect();
        assert_eq!(ids, registrations.each_ref().map(|registration| registration.id), "the oldest first");
        assert_eq!(granted.last_sign_in_at, Some(last_sign_in_at));
    };
    check(&granted, NOON);
    assert_ne!(signed_in_at, NOON, "a right password alone is no sign-in");
    assert!(granted.methods[0].last_used_at == Some(NOON), "the code's own use is seen");

    // A trusted device is granted tokens at once.
    let later = signed_in_at + HOUR;
    let sign_in = CompleteSignIn {
        terms: Terms { grant: Grant::Tokens, ..terms() },
        trust: Some(PresentedTrust { digests: vec![trust], next: None }),
        ..user.sign_in(later)
    };
    let outcome = decided(world.store.complete_sign_in(sign_in).await.unwrap());
    assert_eq!(outcome.decision, SignIn::Granted { by_trust: true });
    check(&outcome.user.expect("tokens are granted"), later);
}
