//! Units of work of the FusionAuth dialect.

use super::*;
use crate::users::presentation;
use countersign_domain::decisions::suspension::{self, Suspend};
use countersign_domain::device::Device;
use countersign_domain::ids::AccountId;
use countersign_domain::limits::Suspension;
use countersign_domain::user_search::{NamePattern, Page, UserSearch};
use countersign_store::work::{ChangeRegistration, DeleteRegistration, FindUsers, SuspendAccount};

/// Carries out each unit of work that only this dialect has.
pub(crate) async fn everything(world: &World) {
    let store = &world.store;
    let mut user = User::new();
    user.account.username = Username::new("Ada");
    user.account.phone_number = PhoneNumber::new("+15550100");
    let id = user.id();
    let registration = |application_id| Registration {
        id: RegistrationId::generate(NOON, &mut random()),
        application_id,
        roles: vec!["admin".to_owned()],
        username: None,
        data: None,
        last_sign_in_at: None,
        created_at: NOON,
        updated_at: NOON,
    };
    let create = || CreateAccount {
        account: user.account.clone(),
        profile: "{}".to_owned(),
        registration: Some(registration(ApplicationId::DEFAULT)),
        session: None,
        verification: None,
        event: event(EventKind::AccountCreated, id, NOON),
    };
    assert_eq!(store.create_account(create()).await.unwrap(), AccountWritten::Done);
    assert_eq!(store.create_account(create()).await.unwrap(), AccountWritten::EmailTaken);
    let names = vec![
        LoginName::Email(EmailAddress::new("nobody@example.org")),
        LoginName::Username(Username::new("nobody").unwrap()),
        LoginName::PhoneNumber(PhoneNumber::new("+15550100").unwrap()),
    ];
    let found =
        store.user(AccountLookup::Login(TenantId::DEFAULT, names)).await.unwrap().expect("the number is theirs");
    assert_eq!((found.account.id, found.registrations.len()), (id, 1));
    let change = ChangeAccount {
        account: user.account.clone(),
        before: user.account.clone(),
        rules: Arc::default(),
        profile: "{}".to_owned(),
        sets_password: true,
        ending: Some(Event::PasswordSetByService),
        moved: Vec::new(),
        events: vec![event(EventKind::AccountChanged, id, NOON)],
    };
    assert_eq!(store.change_account(change).await.unwrap(), AccountWritten::Done);
    user.account.credentials_version += 1;
    let register = Register {
        account_id: id,
        registration: registration(ApplicationId::generate(NOON, &mut random())),
        event: event(EventKind::Registered, id, NOON),
    };
    assert_eq!(store.register(register).await.unwrap(), Registered::Done);

    searches(world, id).await;
    registrations_and_locks(world, &found.registrations[0], id).await;

    let address = Address::Sms(PhoneNumber::new("+15550100").unwrap());
    let to_enable =
        Claimant::Holder { account_id: id, subject: Subject::Enable { account_id: id, address: address.clone() } };
    let issue = IssueCode { to: SendTo::Address(address.clone()), ..user.issue(to_enable.clone(), 7) };
    assert!(matches!(store.issue_code(issue).await.unwrap(), Issued::To { .. }));
    let challenge = user.sign_in(NOON).challenge;
    let (waiting, opened) = (challenge.digest, event(EventKind::StepUpBegun, id, NOON));
    assert!(store.open_challenge(OpenChallenge { challenge, mac: [5; 32], event: opened }).await.unwrap());
    let add = |user: &User, address| AddMethod {
        account_id: id,
        versions: user.account.versions(),
        manager: Manager::Service,
        has_password: false,
        step_up: None,
        method: address_method(address),
        known_apps: Vec::new(),
        macs: vec![user.mac(&to_enable, 7)],
        presentation: Some(presentation("7", &to_enable.subject())),
        backup_codes: backup_codes(3),
        challenge: Some((waiting, [5; 32])),
        rules: Arc::default(),
        terms: terms(),
        now: NOON,
        audit: audit(id, NOON),
    };
    let wrong = AddMethod {
        macs: vec![[8; 32]],
        presentation: Some(presentation("8", &to_enable.subject())),
        ..add(&user, address.clone())
    };
    assert_eq!(store.add_method(add(&user, user.email_address())).await.unwrap(), MethodAdded::WrongCode);
    assert_eq!(store.add_method(wrong).await.unwrap(), MethodAdded::WrongCode);
    let first = store.add_method(add(&user, address.clone())).await.unwrap();
    assert!(matches!(first, MethodAdded::Decided(Added::First(_))), "{first:?}");
    user.account.factors_version += 1;
    let found = store.user(AccountLookup::Id(id)).await.unwrap().expect("it is there");
    assert!(found.account.two_factor_enabled);
    let method = found.methods[0].clone();
    let rename = RenameMethod {
        account_id: id,
        handle: method.handle.clone(),
        name: Some("telephone".to_owned()),
        event: event(EventKind::MethodRenamed, id, NOON),
    };
    assert!(store.rename_method(rename).await.unwrap());

    let challenge = user.sign_in(NOON).challenge;
    let (digest, opened) = (challenge.digest, event(EventKind::StepUpBegun, id, NOON));
    assert!(store.open_challenge(OpenChallenge { challenge, mac: [9; 32], event: opened }).await.unwrap());
    let claimant = Claimant::Challenge(digest);
    let issue = IssueCode { to: SendTo::Method(method.handle.clone()), ..user.issue(claimant.clone(), 9) };
    assert!(matches!(store.issue_code(issue).await.unwrap(), Issued::To { .. }));
    let any = |claimant: &Claimant| ClaimAttempt {
        expected: Expected::Any { backup_code: true },
        ..user.claim(claimant.clone(), Factor::Totp, NOON)
    };
    assert!(matches!(store.claim_attempt(any(&claimant)).await.unwrap(), Claim::Granted(_)));
    let (given, first, step_up) = (trust(NOON + HOUR), session_digest(), ticket(TicketKind::StepUp, NOON + HOUR));
    let refresh_token = |digest| NewRefreshToken {
        device: Device::default(),
        ip_address: String::new(),
        digest,
        family_id: RefreshTokenId::generate(NOON, &mut random()),
        application_id: ApplicationId::DEFAULT,
        second_factor_at: Some(NOON),
        expires_at: NOON + HOUR,
    };
    let mac = user.mac(&claimant, 9).to_vec();
    let proof = Proof::OneTimeCode(StoredCode { mac, method_id: Some(method.id) });
    let with_tokens = Terms { grant: Grant::Tokens, ..terms() };
    let pass = CompleteSecondFactor {
        request: Request { trusts_device: true, without_grant: false },
        terms: with_tokens,
        refresh_token: Some(refresh_token(first)),
        step_up: Some(step_up.clone()),
        trust: given.clone(),
        ..user.pass(claimant, proof)
    };
    assert!(is_done(&store.complete_second_factor(pass).await.unwrap()));
    assert!(
        store
            .trust(FindTrust {
                digests: vec![given.digest],
                account_id: id,
                versions: user.account.versions(),
                now: NOON
            })
            .await
            .unwrap()
            .is_some()
    );
    // A lasting trust, and then a rotating one, with every kind of grant.
    for (next, terms) in [(None, with_tokens), (Some(trust(NOON + HOUR)), terms())] {
        let shown = PresentedTrust { digests: vec![given.digest], next };
        let sign_in = CompleteSignIn {
            trust: Some(shown),
            application_id: Some(ApplicationId::DEFAULT),
            rehashed: Some(hash()),
            refresh_token: Some(refresh_token(session_digest())),
            terms,
            ..user.sign_in(NOON)
        };
        let outcome = decided(store.complete_sign_in(sign_in).await.unwrap());
        assert_eq!(outcome.decision, SignIn::Granted { by_trust: true });
    }
    // The rotating one once more, which another has replaced.
    let shown = PresentedTrust { digests: vec![given.digest], next: Some(trust(NOON + HOUR)) };
    let late = CompleteSignIn { trust: Some(shown), ..user.sign_in(NOON) };
    assert_eq!(decided(store.complete_sign_in(late).await.unwrap()).trust, Trust::Superseded);
    let present = || PresentedTicket { kind: TicketKind::StepUp, digest: step_up.digest, trust_challenges: Vec::new() };
    assert!(store.ticket((present(), NOON)).await.unwrap().is_some());
    let family = RefreshTokenId::generate(NOON, &mut random());
    let [second, third] = [0; 2].map(|_| session_digest());
    let usage = |refresh_token_usage| {
        let application = Application { refresh_token_usage, ..Application::default() };
        let directory = Directory::new(vec![Tenant::default()], vec![application]).expect("there is a tenant");
        Arc::new(Rules { directory, ..Rules::default() })
    };
    let one_time = usage(RefreshTokenUsage::OneTimeUse);
    let presented = |rules: &Arc<Rules>, digest, next, now| UseRefreshToken {
        digest,
        successors: vec![next],
        rules: Arc::clone(rules),
        now,
        expires_at: NOON + HOUR,
        audit: audit(id, NOON),
    };
    let renew = presented(&usage(RefreshTokenUsage::Reusable), first, second, NOON);
    assert!(matches!(store.use_refresh_token(renew).await.unwrap(), RefreshTokenUsed::Renewed(_)));
    let rotate = || presented(&one_time, first, second, NOON);
    for _ in 0..2 {
        assert!(matches!(store.use_refresh_token(rotate()).await.unwrap(), RefreshTokenUsed::Replaced(..)));
    }
    let further = presented(&one_time, second, third, NOON);
    assert!(matches!(store.use_refresh_token(further).await.unwrap(), RefreshTokenUsed::Replaced(..)));
    assert!(matches!(store.use_refresh_token(rotate()).await.unwrap(), RefreshTokenUsed::Superseded(_)));
    let late = presented(&one_time, first, second, NOON + HOUR);
    assert!(matches!(store.use_refresh_token(late).await.unwrap(), RefreshTokenUsed::Reused));

    for which in [RefreshTokenSelector::OfAccount(id), RefreshTokenSelector::WithId(family)] {
        store.refresh_tokens(FindRefreshTokens { which, now: NOON }).await.unwrap();
    }
    store.refresh_token_owner(first).await.unwrap();
    let application_id = ApplicationId::DEFAULT;
    store.token_holders(FindTokenHolders { application_id, after: Some(id), batch: 10 }).await.unwrap();
    for which in [RevokedTokens::OfApplication(application_id), RevokedTokens::WithId(family), RevokedTokens::All] {
        let event = event(EventKind::RefreshTokensRevoked, id, NOON);
        let revoke = RevokeRefreshTokens { account_id: id, which, event };
        store.revoke_refresh_tokens(revoke).await.unwrap();
    }

    // The account's number is another one: its method follows. Then the number is one that has a method.
    let mut account = store.user(AccountLookup::Id(id)).await.unwrap().expect("it is there").account;
    for number in ["+15550101", "+15550100"] {
        let before = account.clone();
        let old = account.phone_number.replace(PhoneNumber::new(number).unwrap()).expect("a number");
        let (from, to) = (Address::Sms(old), Address::Sms(PhoneNumber::new(number).unwrap()));
        let mailed = AddressChange { from: user.email_address(), to: user.email_address() };
        let change = ChangeAccount {
            account: account.clone(),
            before,
            rules: Arc::default(),
            profile: "{}".to_owned(),
            sets_password: false,
            ending: None,
            moved: vec![AddressChange { from, to }, mailed],
            events: vec![event(EventKind::AddressChanged, id, NOON)],
        };
        assert_eq!(store.change_account(change).await.unwrap(), AccountWritten::Done);
    }
    let followed = store.user(AccountLookup::Id(id)).await.unwrap().expect("it is there").methods;
    assert_eq!((followed[0].id, followed[0].address.clone()), (method.id, Some(address.clone())));

    let to_disable =
        Claimant::Holder { account_id: id, subject: Subject::Disable { account_id: id, method_id: method.id } };
    let issue = IssueCode { to: SendTo::Method(method.handle.clone()), ..user.issue(to_disable.clone(), 6) };
    assert!(matches!(store.issue_code(issue).await.unwrap(), Issued::To { .. }));
    assert!(matches!(store.claim_attempt(any(&to_disable)).await.unwrap(), Claim::Granted(_)));
    let remove = |claimant: Claimant, named| RemoveMethods {
        proof: user.mailed(&claimant, 6),
        claimant,
        account_id: id,
        renewal: None,
        charge: guess(),
        named: Some(named),
        manager: Manager::Service,
        rules: Arc::default(),
        now: NOON,
        audit: audit(id, NOON),
        more_audit: audit(id, NOON),
    };
    // One of two methods, and then the last one.
    let email = user.email_address();
    let to_enable =
        Claimant::Holder { account_id: id, subject: Subject::Enable { account_id: id, address: email.clone() } };
    let issue = IssueCode { to: SendTo::Address(email.clone()), ..user.issue(to_enable.clone(), 4) };
    assert!(matches!(store.issue_code(issue).await.unwrap(), Issued::To { .. }));
    let second = AddMethod {
        method: address_method(email),
        macs: vec![user.mac(&to_enable, 4)],
        presentation: Some(presentation("4", &to_enable.subject())),
        challenge: None,
        ..add(&user, address)
    };
    let second_id = second.method.id;
    assert_eq!(store.add_method(second).await.unwrap(), MethodAdded::Decided(Added::Further));
    let removal = store.remove_methods(remove(to_disable.clone(), second_id)).await.unwrap();
    assert_eq!(removal, MethodsRemoved::Decided(Removal::One(second_id)));
    let issue = IssueCode { to: SendTo::Method(method.handle.clone()), ..user.issue(to_disable.clone(), 6) };
    assert!(matches!(store.issue_code(issue).await.unwrap(), Issued::To { .. }));
    let removal = store.remove_methods(remove(to_disable, method.id)).await.unwrap();
    assert_eq!(removal, MethodsRemoved::Decided(Removal::SwitchOff));
    let found = store.user(AccountLookup::Id(id)).await.unwrap().expect("it is there");
    assert!(!found.account.two_factor_enabled && found.methods.is_empty());
    let change = ChangePassword {
        proved_address: None,
        account_id: id,
        versions: found.account.versions(),
        password: hash(),
        ticket: Some(present()),
        step_up: None,
        ending: Event::PasswordChangedEndingSessions,
        lifts_lock: true,
        session: None,
        one_time_password: None,
        now: NOON,
        event: event(EventKind::PasswordChanged, id, NOON),
    };
    assert_eq!(store.change_password(change).await.unwrap(), Changed::NoTicket, "it ended with the second factor");
    user.account = store.account(AccountLookup::Id(id)).await.unwrap().expect("it is there");
    apps::added_again_and_removed(world, &mut user).await;
    let key = ApiKeyRecord {
        id: ApiKeyId::generate(NOON, &mut random()),
        name: "one".to_owned(),
        tenant_id: None,
        permissions: None,
        created_at: NOON,
        revoked_at: None,
    };
    let (key_id, key_digest) = (key.id, session_digest());
    store.add_api_key((key, key_digest)).await.unwrap();
    assert!(store.api_key(key_digest).await.unwrap().is_some());
    assert!(store.revoke_api_key((key_id, NOON)).await.unwrap());
    assert!(store.delete_account((id, event(EventKind::AccountDeleted, id, NOON))).await.unwrap());
}

/// Every way in which users are found.
async fn searches(world: &World, id: AccountId) {
    let exact = NamePattern::Exactly("Ada");
    let start = NamePattern::StartsWith("a");
    let of = |pattern: NamePattern<'_>| UserSearch::EmailOrUsername {
        email: pattern.emails(),
        username: pattern.usernames(),
    };
    for which in [
        UserSearch::Ids(vec![id]),
        UserSearch::All,
        UserSearch::Email(start.emails()),
        UserSearch::Username(start.usernames()),
        of(exact),
        of(start),
    ] {
        for counts_all in [false, true] {
            let page = Page::new(0, 25).unwrap();
            let find = FindUsers { tenant_id: TenantId::DEFAULT, which: which.clone(), page, counts_all };
            world.store.find_users(find).await.unwrap();
        }
    }
    let find =
        FindUsers { tenant_id: TenantId::DEFAULT, which: of(exact), page: Page::new(0, 1).unwrap(), counts_all: false };
    let found = world.store.find_users(find).await.unwrap();
    assert_eq!((found.total, found.users[0].account.id), (1, id));
}

async fn registrations_and_locks(world: &World, registration: &Registration, id: AccountId) {
    let store = &world.store;
    let change = ChangeRegistration {
        account_id: id,
        registration: registration.clone(),
        read_at: registration.updated_at,
        event: event(EventKind::RegistrationChanged, id, NOON),
    };
    assert!(store.change_registration(change).await.unwrap());
    let delete = || DeleteRegistration {
        account_id: id,
        application_id: registration.application_id,
        event: event(EventKind::RegistrationDeleted, id, NOON),
    };
    assert!(store.delete_registration(delete()).await.unwrap());
    assert!(!store.delete_registration(delete()).await.unwrap());
    let suspension = Suspension { until: NOON + HOUR, since: NOON, by: Some(id), comment: Some("a scam".to_owned()) };
    let suspend = SuspendAccount {
        account_id: id,
        request: suspension::Request::Set,
        suspension: suspension.clone(),
        audit: audit(id, NOON),
    };
    let suspended = store.suspend_account(suspend).await.unwrap();
    assert_eq!(suspended, Some(Suspend::Allowed { until: suspension.until }));
    assert_eq!(store.account_limits(id).await.unwrap().unwrap().suspension, Some(suspension));
    let lift = LiftLimits { account_id: id, event: event(EventKind::AccountUnlocked, id, NOON) };
    assert!(store.lift_limits(lift).await.unwrap().is_some());
    assert_eq!(store.account_limits(id).await.unwrap().unwrap().suspension, None);
}
