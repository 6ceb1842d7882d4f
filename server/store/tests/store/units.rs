//! Every unit of work: what it does, what it refuses, and that it leaves nothing behind when it refuses.

use crate::users::{
    HOUR, NOON, User, address_method, backup_codes, by_email, challenge_digest, decided, event, guess, hash, is_done,
    new_session, other_guess, random, session_digest, trust,
};
use crate::world::World;
use countersign_domain::account::{EmailAddress, Versions};
use countersign_domain::address::Address;
use countersign_domain::attempt::{Claimant, Proof};
use countersign_domain::audit::EventKind;
use countersign_domain::challenge::Factor;
use countersign_domain::decisions::endings::Event;
use countersign_domain::decisions::enrol_mail::EnrolMail as MailDecision;
use countersign_domain::decisions::enrolment::Enrolment;
use countersign_domain::decisions::password_attempt::PasswordAttempt;
use countersign_domain::decisions::second_factor::Request;
use countersign_domain::decisions::sign_in::SignIn;
use countersign_domain::decisions::trust::Trust;
use countersign_domain::ids::AccountId;
use countersign_domain::policy::Policy;
use countersign_domain::quota::{QuotaLimit, QuotaUse};
use countersign_domain::time::Timestamp;
use countersign_store::work::{
    AccountWritten, ChangePassword, Changed, Claim, CompleteSecondFactor, CompleteSignIn, DisableTwoFactor, EnrolMail,
    EnrolmentBegun, ExtendSession, FailAttempt, Issued, MailEnrolled, PasswordTry, PasswordUses, PresentedTrust,
    ReplaceBackupCodes, RevokeSessions, SecondFactorCompleted, SessionSelector, SignInCompleted, TakePasswordTry,
};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use futures::future::join_all;
use std::sync::Arc;
use std::time::Duration;

pub(crate) fn fail(user: &User, claimant: &Claimant, factor: Factor, is_replay: bool) -> FailAttempt {
    FailAttempt {
        claimant: claimant.clone(),
        factor: Some(factor),
        account_id: user.id(),
        is_replay,
        guess: other_guess(),
        charge: guess(),
        ceremony: None,
        rules: Arc::default(),
        event: event(EventKind::SecondFactorRejected, user.id(), NOON),
        lock_event: None,
    }
}

pub(crate) fn change(user: &User, credentials: i64) -> ChangePassword {
    ChangePassword {
        account_id: user.id(),
        versions: Versions { credentials, ..user.account.versions() },
        password: hash(),
        ticket: None,
        step_up: None,
        proved_address: None,
        ending: Event::PasswordChangedEndingSessions,
        lifts_lock: true,
        session: Some(new_session(user.id(), NOON)),
        one_time_password: None,
        now: NOON,
        event: event(EventKind::PasswordChanged, user.id(), NOON),
    }
}

/// A password that takes one of so many uses within an hour: of a quota with this name, and of one of its account.
pub(crate) fn password_try(name: &str, uses: u32, now: Timestamp) -> TakePasswordTry {
    let quota = |name: String| QuotaUse { name, limit: QuotaLimit::Window { uses, window: HOUR }, owner: None };
    TakePasswordTry {
        account_id: AccountId::generate(now, &mut random()),
        in_network: None,
        in_known_network: None,
        anywhere: PasswordUses { by_name: quota(name.to_owned()), by_account: quota(format!("{name} of account")) },
        network: None,
        device: None,
        versions: Versions::default(),
        knows_account: false,
        now,
    }
}

/// How many of these passwords were judged.
pub(crate) fn judged<E: std::fmt::Debug>(tries: impl IntoIterator<Item = Result<PasswordTry, E>>) -> usize {
    tries.into_iter().filter(|taken| taken.as_ref().unwrap().decision == PasswordAttempt::Judged).count()
}

pub(crate) fn replace(user: &User, versions: Versions) -> ReplaceBackupCodes {
    ReplaceBackupCodes {
        account_id: user.id(),
        versions,
        backup_codes: backup_codes(3),
        now: NOON,
        event: event(EventKind::BackupCodesReplaced, user.id(), NOON),
    }
}

pub(crate) fn disable(user: &User) -> DisableTwoFactor {
    DisableTwoFactor {
        account_id: user.id(),
        versions: user.account.versions(),
        session_id: user.session.session.id,
        session: new_session(user.id(), NOON),
        now: NOON,
        event: event(EventKind::TwoFactorDisabled, user.id(), NOON),
    }
}

#[on_each_database]
async fn signing_up_makes_account_and_session_once_per_address(database: DatabaseKind) {
    let world = &World::start(database).await;
    let user = User::signed_up(world).await;
    let found = world.store.account(by_email(user.email())).await.unwrap().unwrap();
    assert_eq!((found.id, &found.name, found.credentials_version), (user.id(), &user.account.name, 0));
    let (session, account) = world.store.session_by_token((user.session.token, NOON)).await.unwrap().unwrap();
    assert_eq!((session.id, account.id), (user.session.session.id, user.id()));

    let mut other = User::new();
    other.account.email = user.account.email.clone();
    assert_eq!(world.store.create_account(other.sign_up()).await.unwrap(), AccountWritten::EmailTaken);
    assert_eq!((world.count("accounts"), world.count("sessions"), world.count("audit_events")), (1, 1, 1));
    assert!(world.store.account(by_email(EmailAddress::new("nobody@example.org"))).await.unwrap().is_none());
    world.store.ping(()).await.unwrap();
}

#[on_each_database]
async fn one_address_signs_up_once_in_parallel(database: DatabaseKind) {
    let world = &World::start(database).await;
    let email = EmailAddress::new("same@example.org");
    let users = (0..16).map(|_| {
        let mut user = User::new();
        user.account.email = Some(email.clone());
        world.store.create_account(user.sign_up())
    });
    let outcomes: Vec<_> = join_all(users).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == AccountWritten::Done).count(), 1);
    assert_eq!((world.count("accounts"), world.count("sessions"), world.count("audit_events")), (1, 1, 1));
}

#[on_each_database]
async fn a_failed_unit_of_work_leaves_nothing_behind(database: DatabaseKind) {
    let world = &World::start(database).await;
    let user = User::signed_up(world).await;
    // The same session again: the last statement of the unit but one is refused.
    let mut again = User::new();
    again.session.session.id = user.session.session.id;
    let error = world.store.create_account(again.sign_up()).await.unwrap_err();
    assert!(!error.is_unavailable(), "{error:?}");
    assert_eq!((world.count("accounts"), world.count("sessions"), world.count("audit_events")), (1, 1, 1));
    User::signed_up(world).await;
}

#[on_each_database]
async fn a_line_of_the_audit_trail_stands_for_itself(database: DatabaseKind) {
    let world = &World::start(database).await;
    let user = User::signed_up(world).await;
    world.store.record(event(EventKind::PasswordRejected, user.id(), NOON)).await.unwrap();
    let line = format!("audit_events WHERE kind = 'password-rejected' AND account_id = '{}'", user.id());
    assert_eq!(world.count(&line), 1);
}

#[on_each_database]
async fn a_quota_is_exact_and_begins_anew(database: DatabaseKind) {
    let world = &World::start(database).await;
    let take = |now| world.store.take_password_try(password_try("n", 5, now));
    let taken: Vec<_> = join_all((0..16).map(|_| take(NOON))).await;
    let until = NOON + HOUR;
    let is_refused = |decision| decision == PasswordAttempt::TooMany { until };
    assert_eq!(taken.iter().filter(|taken| is_refused(taken.as_ref().unwrap().decision)).count(), 11);
    assert_eq!(judged(taken), 5);
    let PasswordTry { decision, uses } = take(until).await.unwrap();
    assert_eq!(decision, PasswordAttempt::Judged, "a new window");
    world.store.give_back(uses.clone()).await.unwrap();
    let live = format!("budgets WHERE expires_at > {}", until.as_millis());
    assert_eq!((world.count("budgets"), world.count(&live)), (2, 0), "they have ended");
    world.store.give_back(uses).await.unwrap();
    assert_eq!(world.count(&live), 0);
}

#[on_each_database]
async fn sessions_are_listed_extended_and_ended(database: DatabaseKind) {
    let world = &World::start(database).await;
    let (user, stranger) = (User::signed_up(world).await, User::signed_up(world).await);
    let granted = SignIn::Granted { by_trust: false };
    let second = world.store.complete_sign_in(user.sign_in(NOON + HOUR)).await.unwrap();
    assert_eq!(decided(second).decision, granted);
    let third = user.sign_in(NOON + 2 * HOUR);
    assert_eq!(decided(world.store.complete_sign_in(third.clone()).await.unwrap()).decision, granted);
    let sessions = world.store.sessions_of((user.id(), NOON)).await.unwrap();
    assert_eq!(sessions.len(), 3);
    assert_eq!(sessions[0].id, third.session.as_ref().unwrap().session.id, "the newest first");
    assert!(world.store.sessions_of((user.id(), NOON + 48 * HOUR)).await.unwrap().is_empty(), "all ended");

    let until = NOON + 72 * HOUR;
    let extend = ExtendSession { session_id: sessions[2].id, now: NOON, expires_at: until };
    assert!(world.store.extend_session(extend).await.unwrap());
    assert_eq!(world.store.sessions_of((user.id(), NOON + 48 * HOUR)).await.unwrap()[0].expires_at, until);

    let revoke = |which| RevokeSessions {
        account_id: user.id(),
        which,
        event: event(EventKind::SessionsRevoked, user.id(), NOON),
    };
    let theirs = stranger.session.session.id;
    assert!(!world.store.revoke_sessions(revoke(SessionSelector::WithId(theirs))).await.unwrap(), "36: another's");
    assert_eq!(world.count("audit_events WHERE kind = 'sessions-revoked'"), 0);
    let with_token = SessionSelector::WithToken(third.session.as_ref().unwrap().token);
    for (which, left) in [(with_token, 3), (SessionSelector::AllBut(sessions[2].id), 2), (SessionSelector::All, 1)] {
        assert!(world.store.revoke_sessions(revoke(which)).await.unwrap());
        assert_eq!(world.count("sessions"), left, "one of them is the stranger's");
    }
    assert!(!world.store.extend_session(extend).await.unwrap(), "it is gone");
    assert_eq!(world.count("sessions"), 1, "the stranger's");
}

#[on_each_database]
async fn signing_out_ends_the_session_once_and_says_whose_it_was(database: DatabaseKind) {
    let world = &World::start(database).await;
    let user = User::signed_up(world).await;
    let mut out = event(EventKind::SignedOut, user.id(), NOON);
    out.account_id = None;
    world.store.sign_out((user.session.token, out.clone())).await.unwrap();
    world.store.sign_out((user.session.token, out)).await.unwrap();
    assert!(world.store.session_by_token((user.session.token, NOON)).await.unwrap().is_none());
    let line = format!("audit_events WHERE kind = 'signed-out' AND account_id = '{}'", user.id());
    assert_eq!(world.count(&line), 1);
}

#[on_each_database]
async fn a_sign_in_is_stale_when_the_password_changed_meanwhile(database: DatabaseKind) {
    let world = &World::start(database).await;
    let user = User::signed_up(world).await;
    let changed = world.store.change_password(change(&user, 0)).await.unwrap();
    assert_eq!(changed, Changed::Done);
    assert_eq!(world.count("sessions"), 1, "the new one");
    assert_eq!(world.store.change_password(change(&user, 0)).await.unwrap(), Changed::Stale);
    let outcome = world.store.complete_sign_in(user.sign_in(NOON)).await.unwrap();
    assert!(matches!(outcome, SignInCompleted::Stale), "{outcome:?}");
    assert_eq!((world.count("sessions"), world.count("audit_events")), (1, 2));
}

#[on_each_database]
async fn a_sign_in_gives_the_password_quota_back_and_stores_a_better_hash(database: DatabaseKind) {
    let world = &World::start(database).await;
    let user = User::signed_up(world).await;
    let sign_in = CompleteSignIn { rehashed: Some(hash()), ..user.sign_in(NOON) };
    let wanted = password_try(&sign_in.password_uses[0].name, 10, NOON);
    let sign_in =
        CompleteSignIn { password_uses: world.store.take_password_try(wanted).await.unwrap().uses, ..sign_in };
    assert_eq!(world.count("budgets"), 2);
    world.behind.execute("UPDATE accounts SET password_hash = replace(password_hash, 'm=19456', 'm=8')");
    let outcome = decided(world.store.complete_sign_in(sign_in).await.unwrap());
    assert_eq!(outcome.decision, SignIn::Granted { by_trust: false });
    assert_eq!(world.count(&format!("budgets WHERE expires_at > {}", NOON.as_millis())), 0);
    assert_eq!(world.count("accounts WHERE password_hash LIKE '%m=19456%'"), 1);
}

#[on_each_database]
async fn a_trusted_device_signs_in_and_its_trust_is_replaced_once(database: DatabaseKind) {
    let world = &World::start(database).await;
    let (user, authenticator, _) = User::enrolled(world).await;
    let first = trust(NOON + 24 * HOUR);
    let claimant = user.challenged(world, NOON).await;
    let proof = Proof::Totp { method_id: authenticator, step: 2, confirms: false };
    let request = Request { trusts_device: true, without_grant: false };
    let pass = CompleteSecondFactor { request, trust: first.clone(), ..user.pass(claimant, proof) };
    assert!(is_done(&world.store.complete_second_factor(pass).await.unwrap()));

    let sign_ins = (0..8).map(|_| {
        let rotated = Some(PresentedTrust { digests: vec![first.digest], next: Some(trust(NOON + 24 * HOUR)) });
        world.store.complete_sign_in(CompleteSignIn { trust: rotated, ..user.sign_in(NOON) })
    });
    let outcomes: Vec<_> = join_all(sign_ins).await.into_iter().map(|outcome| decided(outcome.unwrap())).collect();
    let by_trust = SignIn::Granted { by_trust: true };
    let trusts: Vec<_> = outcomes.iter().map(|outcome| outcome.trust).collect();
    assert_eq!(trusts.iter().filter(|trust| **trust == Trust::Superseded).count(), 7, "{trusts:?}");
    let outcomes: Vec<_> = outcomes.into_iter().map(|outcome| outcome.decision).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == by_trust).count(), 1, "{outcomes:?}");
    assert_eq!(world.count("trusted_devices"), 1);
    assert_eq!(world.count("challenges"), 7);
}

#[on_each_database]
async fn enrolling_is_pending_until_confirmed(database: DatabaseKind) {
    let world = &World::start(database).await;
    let user = User::signed_up(world).await;
    let begin = user.begin_enrolment();
    let id = begin.authenticator.id;
    assert_eq!(world.store.begin_enrolment(begin).await.unwrap(), EnrolmentBegun::Decided(Enrolment::First));
    let (active, pending) = world.store.authenticators_of(user.id()).await.unwrap();
    assert_eq!((active.is_empty(), pending.map(|app| app.id)), (true, Some(id)));
    // Once more takes the place of the first.
    assert_eq!(
        world.store.begin_enrolment(user.begin_enrolment()).await.unwrap(),
        EnrolmentBegun::Decided(Enrolment::First)
    );
    assert_eq!((world.count("methods WHERE kind = 'authenticator'"), world.count("backup_codes")), (1, 10));
    let mut stale = user.begin_enrolment();
    stale.versions.credentials = 7;
    assert_eq!(world.store.begin_enrolment(stale).await.unwrap(), EnrolmentBegun::Stale);

    let (enrolled, authenticator, _) = User::enrolled(world).await;
    let (active, pending) = world.store.authenticators_of(enrolled.id()).await.unwrap();
    assert_eq!((active.first().map(|app| app.id), pending.is_none()), (Some(authenticator), true));
    let account = world.store.account(by_email(enrolled.email())).await.unwrap().unwrap();
    assert!(account.two_factor_enabled);
}

#[on_each_database]
async fn mail_is_a_factor_once_and_in_one_session(database: DatabaseKind) {
    let world = &World::start(database).await;
    let mut user = User::signed_up(world).await;
    world.store.begin_enrolment(user.begin_enrolment()).await.unwrap();
    let next = new_session(user.id(), NOON);
    for stale in [
        EnrolMail { versions: Versions { credentials: 7, factors: 0 }, ..user.enrol_mail(&next) },
        EnrolMail { session_id: next.session.id, ..user.enrol_mail(&next) },
        EnrolMail {
            method: address_method(Address::Email(EmailAddress::new("old@example.org"))),
            ..user.enrol_mail(&next)
        },
    ] {
        assert_eq!(world.store.enrol_mail(stale).await.unwrap(), MailEnrolled::Stale);
        assert_eq!((world.count("methods"), world.count("sessions")), (1, 1), "the app that was begun");
    }

    // Of requests at once in one session, one switches it on.
    let calls = (0..4).map(|_| world.store.enrol_mail(user.enrol_mail(&new_session(user.id(), NOON))));
    let outcomes: Vec<_> = join_all(calls).await.into_iter().map(Result::unwrap).collect();
    let first = MailEnrolled::Decided(MailDecision::First);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == first).count(), 1, "{outcomes:?}");
    assert!(outcomes.iter().all(|outcome| [first, MailEnrolled::Stale].contains(outcome)), "{outcomes:?}");
    assert_eq!((world.count("methods WHERE kind = 'email'"), world.count("methods")), (1, 1));
    assert_eq!((world.count("sessions"), world.count("backup_codes")), (1, 10));
    let account = world.store.account(by_email(user.email())).await.unwrap().unwrap();
    assert!(account.two_factor_enabled && account.factors_version == 1);

    // It is there: nothing is written.
    user.account = account;
    let events = world.count("audit_events");
    let again = world.store.enrol_mail(user.enrol_mail(&next)).await.unwrap();
    assert_eq!((again, world.count("audit_events")), (MailEnrolled::Decided(MailDecision::Already), events));
}

#[on_each_database]
async fn re_enrolling_keeps_the_old_app_and_codes_until_the_new_one_is_confirmed(database: DatabaseKind) {
    let world = &World::start(database).await;
    let (user, old, _) = User::enrolled(world).await;
    let begin = user.begin_enrolment();
    let new = begin.authenticator.id;
    assert_eq!(world.store.begin_enrolment(begin).await.unwrap(), EnrolmentBegun::Decided(Enrolment::Replacement));
    let (active, pending) = world.store.authenticators_of(user.id()).await.unwrap();
    assert_eq!((active.first().map(|app| app.id), pending.map(|app| app.id)), (Some(old), Some(new)));
    assert_eq!(world.count("backup_codes"), 20);
    let confirm = Proof::Totp { method_id: new, step: 9, confirms: true };
    let pass = user.pass(user.in_session(), confirm);
    assert!(is_done(&world.store.complete_second_factor(pass).await.unwrap()));
    let (active, pending) = world.store.authenticators_of(user.id()).await.unwrap();
    assert_eq!((active.first().map(|app| app.id), pending.is_none()), (Some(new), true));
    assert_eq!(world.count("backup_codes WHERE NOT is_pending"), 10);
}

#[on_each_database]
async fn a_challenge_has_five_tries_and_an_account_ten_failures(database: DatabaseKind) {
    let world = &World::start(database).await;
    let (user, _, _) = User::enrolled(world).await;
    let claimant = user.challenged(world, NOON).await;
    let claims = join_all((0..16).map(|_| user.claimed(world, &claimant, Factor::Totp))).await;
    let granted = claims.iter().filter(|claim| matches!(claim, Claim::Granted(_))).count();
    assert_eq!(granted, 5, "14: exactly as many as the cap");
    for _ in 0..5 {
        world.store.fail_attempt(fail(&user, &claimant, Factor::Totp, false)).await.unwrap();
    }
    assert!(matches!(user.claimed(world, &claimant, Factor::Totp).await, Claim::ChallengeExhausted));
    assert!(matches!(user.claimed(world, &claimant, Factor::Totp).await, Claim::NoClaimant), "destroyed");

    let claimant = user.challenged(world, NOON).await;
    let claims = join_all((0..5).map(|_| user.claimed(world, &claimant, Factor::Totp))).await;
    let locks = claims.iter().filter(|claim| matches!(claim, Claim::Granted(granted) if granted.locks)).count();
    assert!(claims.iter().all(|claim| matches!(claim, Claim::Granted(_))));
    assert_eq!(locks, 1, "the tenth locks");
    let claimant = user.challenged(world, NOON).await;
    let until = NOON + Policy::default().account_lock;
    let claim = user.claimed(world, &claimant, Factor::Totp).await;
    assert!(matches!(claim, Claim::Locked { until: locked } if locked == until), "{claim:?}");
    assert_eq!(world.count("audit_events WHERE kind = 'account-locked'"), 0, "nothing was judged yet");
    let lock_event = Some(event(EventKind::AccountLocked, user.id(), NOON));
    let last = FailAttempt { lock_event, ..fail(&user, &claimant, Factor::Totp, false) };
    world.store.fail_attempt(last).await.unwrap();
    assert_eq!(world.count("audit_events WHERE kind = 'account-locked'"), 1);
}

#[on_each_database]
async fn a_replay_gives_the_failure_back(database: DatabaseKind) {
    let world = &World::start(database).await;
    let (user, _, _) = User::enrolled(world).await;
    let claimant = user.challenged(world, NOON).await;
    assert!(matches!(user.claimed(world, &claimant, Factor::Totp).await, Claim::Granted(_)));
    assert_eq!(world.count("accounts WHERE failed_attempts = 1"), 1);
    world.store.fail_attempt(fail(&user, &claimant, Factor::Totp, true)).await.unwrap();
    assert_eq!(world.count("accounts WHERE failed_attempts = 0"), 1);
}

#[on_each_database]
async fn the_last_wrong_code_presented_again_counts_nothing(database: DatabaseKind) {
    let world = &World::start(database).await;
    let (user, _, _) = User::enrolled(world).await;
    let claimant = user.challenged(world, NOON).await;
    user.issued(world, &claimant, 7).await;
    let claim = user.claim(claimant.clone(), Factor::OneTimeCode, NOON);
    let Claim::Granted(granted) = world.store.claim_attempt(claim.clone()).await.unwrap() else { panic!("granted") };
    let again = || async { world.store.claim_attempt(claim.clone()).await.unwrap() };
    assert!(matches!(again().await, Claim::Granted(_)), "it has not been judged yet");
    let failed = || FailAttempt { guess: granted.guess, ..fail(&user, &claimant, Factor::OneTimeCode, false) };
    world.store.fail_attempt(failed()).await.unwrap();
    world.store.fail_attempt(failed()).await.unwrap();
    for _ in 0..8 {
        assert!(matches!(again().await, Claim::Repeated));
    }
    assert_eq!(world.count("accounts WHERE failed_attempts = 2"), 1);
    assert_eq!(world.count("challenges WHERE tries = 2"), 1);
    assert_eq!(world.count("mailed_codes WHERE tries = 2"), 1);
    let level = NOON + 2 * guess();
    assert_eq!(world.count(&format!("accounts WHERE guesses_decay_at = {}", level.as_millis())), 1);
    // Another code is another guess, and so is this one for a code that was sent since.
    assert!(matches!(user.claimed(world, &claimant, Factor::OneTimeCode).await, Claim::Granted(_)));
    user.issued(world, &claimant, 8).await;
    assert!(matches!(again().await, Claim::Granted(_)));
}

#[on_each_database]
async fn a_step_and_a_challenge_are_used_once(database: DatabaseKind) {
    let world = &World::start(database).await;
    let (user, authenticator, _) = User::enrolled(world).await;
    let proof = |step| Proof::Totp { method_id: authenticator, step, confirms: false };
    let mut claimants = Vec::new();
    for _ in 0..8 {
        claimants.push(user.challenged(world, NOON).await);
    }
    // Eight challenges, one step.
    let passes =
        claimants.iter().map(|claimant| world.store.complete_second_factor(user.pass(claimant.clone(), proof(5))));
    let outcomes: Vec<_> = join_all(passes).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(outcomes.iter().filter(|outcome| is_done(outcome)).count(), 1, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, SecondFactorCompleted::ProofSpent)).count(), 7);
    assert_eq!(world.count("challenges"), 7, "who did not pass kept their challenge");
    // One challenge, eight steps.
    let claimant = user.challenged(world, NOON).await;
    let passes = (10..18).map(|step| world.store.complete_second_factor(user.pass(claimant.clone(), proof(step))));
    let outcomes: Vec<_> = join_all(passes).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(outcomes.iter().filter(|outcome| is_done(outcome)).count(), 1, "{outcomes:?}");
    // A step before the last accepted one is spent too.
    let claimant = user.challenged(world, NOON).await;
    let late = world.store.complete_second_factor(user.pass(claimant, proof(3))).await.unwrap();
    assert!(matches!(late, SecondFactorCompleted::ProofSpent), "{late:?}");
}

#[on_each_database]
async fn a_backup_code_is_used_once(database: DatabaseKind) {
    let world = &World::start(database).await;
    let (user, _, codes) = User::enrolled(world).await;
    let claimant = user.challenged(world, NOON).await;
    let Claim::Granted(granted) = user.claimed(world, &claimant, Factor::BackupCode).await else { panic!() };
    let stored = granted.material.backup_codes;
    assert_eq!(stored.len(), 10);
    let mut claimants = Vec::new();
    for _ in 0..6 {
        claimants.push(user.challenged(world, NOON).await);
    }
    let proof = || Proof::BackupCode(codes[0].id);
    let passes = claimants.into_iter().map(|claimant| world.store.complete_second_factor(user.pass(claimant, proof())));
    let outcomes: Vec<_> = join_all(passes).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(outcomes.iter().filter(|outcome| is_done(outcome)).count(), 1, "{outcomes:?}");
    assert_eq!(world.count("backup_codes WHERE used_at IS NOT NULL"), 1);

    let now = user.account.versions();
    assert_eq!(world.store.replace_backup_codes(replace(&user, now)).await.unwrap(), Changed::Done);
    assert_eq!(world.count("backup_codes"), 3);
    for before in [Versions { factors: now.factors - 1, ..now }, Versions { credentials: now.credentials - 1, ..now }] {
        assert_eq!(world.store.replace_backup_codes(replace(&user, before)).await.unwrap(), Changed::Stale);
    }
}

#[on_each_database]
async fn a_mailed_code_is_sent_within_a_quota_and_used_once(database: DatabaseKind) {
    let world = &World::start(database).await;
    let (user, _, _) = User::enrolled(world).await;
    let claimant = user.challenged(world, NOON).await;
    assert!(matches!(user.claimed(world, &claimant, Factor::OneTimeCode).await, Claim::NoCode));
    user.issued(world, &claimant, 1).await;
    world.delivered(NOON).await;
    user.issued(world, &claimant, 2).await;
    world.delivered(NOON).await;
    assert_eq!(world.count("mailed_codes"), 1, "a new code takes the place of the old one");
    let Claim::Granted(granted) = user.claimed(world, &claimant, Factor::OneTimeCode).await else { panic!() };
    assert_eq!(granted.material.one_time_code.map(|code| code.mac), Some(user.mac(&claimant, 2).to_vec()));
    world.store.fail_attempt(fail(&user, &claimant, Factor::OneTimeCode, false)).await.unwrap();
    assert_eq!(world.count("mailed_codes WHERE failures = 1"), 1);

    let old = user.pass(claimant.clone(), user.mailed(&claimant, 1));
    assert!(matches!(world.store.complete_second_factor(old).await.unwrap(), SecondFactorCompleted::ProofSpent));
    let right = || user.pass(claimant.clone(), user.mailed(&claimant, 2));
    assert!(is_done(&world.store.complete_second_factor(right()).await.unwrap()));
    assert!(matches!(world.store.complete_second_factor(right()).await.unwrap(), SecondFactorCompleted::ClaimantGone));

    let claimant = user.challenged(world, NOON).await;
    for mac in 3..11 {
        user.issued(world, &claimant, mac).await;
        world.delivered(NOON).await;
    }
    let issued = world.store.issue_code(user.issue(claimant, 11)).await.unwrap();
    let until = NOON + Policy::default().one_time_code_window;
    assert!(matches!(issued, Issued::Exhausted { until: when } if when == until), "{issued:?}");
    let gone = Claimant::Challenge(challenge_digest());
    assert!(matches!(world.store.issue_code(user.issue(gone, 1)).await.unwrap(), Issued::NoClaimant));
}

#[on_each_database]
async fn what_is_over_or_unknown_is_no_claimant(database: DatabaseKind) {
    let world = &World::start(database).await;
    let (user, authenticator, _) = User::enrolled(world).await;
    let unknown = Claimant::Challenge(challenge_digest());
    assert!(matches!(user.claimed(world, &unknown, Factor::Totp).await, Claim::NoClaimant));
    let claimant = user.challenged(world, NOON).await;
    let late = user.claim(claimant.clone(), Factor::Totp, NOON + HOUR);
    assert!(matches!(world.store.claim_attempt(late).await.unwrap(), Claim::NoClaimant));
    let proof = Proof::Totp { method_id: authenticator, step: 8, confirms: false };
    let late = CompleteSecondFactor { now: NOON + HOUR, ..user.pass(claimant, proof) };
    assert!(matches!(world.store.complete_second_factor(late).await.unwrap(), SecondFactorCompleted::ClaimantGone));
    assert_eq!(world.count("methods WHERE last_step = 1"), 1, "the step was not spent");

    let plain = User::signed_up(world).await;
    assert!(matches!(plain.claimed(world, &plain.in_session(), Factor::Totp).await, Claim::NotEnrolled));
}

#[on_each_database]
async fn disabling_takes_everything_with_it(database: DatabaseKind) {
    let world = &World::start(database).await;
    let (user, authenticator, _) = User::enrolled(world).await;
    let claimant = user.challenged(world, NOON).await;
    let proof = Proof::Totp { method_id: authenticator, step: 2, confirms: false };
    let request = Request { trusts_device: true, without_grant: false };
    let pass = CompleteSecondFactor { request, trust: trust(NOON + HOUR), ..user.pass(claimant, proof) };
    assert!(is_done(&world.store.complete_second_factor(pass).await.unwrap()));
    let claimant = user.challenged(world, NOON).await;
    user.issued(world, &claimant, 1).await;

    let mut gone = disable(&user);
    gone.session_id = new_session(user.id(), NOON).session.id;
    assert_eq!(world.store.disable_two_factor(gone).await.unwrap(), Changed::Stale);
    assert_eq!(world.count("methods WHERE kind = 'authenticator'"), 1, "nothing of it happened");
    assert_eq!(world.store.disable_two_factor(disable(&user)).await.unwrap(), Changed::Done);
    for table in ["methods", "backup_codes", "mailed_codes", "trusted_devices", "challenges"] {
        assert_eq!(world.count(table), 0, "{table}");
    }
    assert_eq!(world.store.disable_two_factor(disable(&user)).await.unwrap(), Changed::Stale);
}

#[on_each_database]
async fn a_row_that_we_never_write_is_corrupt(database: DatabaseKind) {
    let world = &World::start(database).await;
    let user = User::signed_up(world).await;
    world.behind.execute("UPDATE accounts SET password_hash = 'nonsense'");
    let error = world.store.account(by_email(user.email())).await.unwrap_err();
    assert_eq!(error.to_string(), "a row of table accounts cannot be read: its password hash");
    assert!(!error.is_unavailable());
}

#[on_each_database]
async fn a_statement_that_the_database_refuses_is_no_outage(database: DatabaseKind) {
    let world = &World::start(database).await;
    world.behind.execute("DROP TABLE audit_events");
    let error = world.store.create_account(User::new().sign_up()).await.unwrap_err();
    assert!(!error.is_unavailable(), "{error:?}");
    assert_eq!((world.count("accounts"), world.count("sessions")), (0, 0));
    let moment = (session_digest(), Timestamp::from_millis(0) + Duration::from_secs(1));
    assert!(world.store.session_by_token(moment).await.unwrap().is_none(), "the rest still works");
}
