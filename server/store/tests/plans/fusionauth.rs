//! Units of work of the FusionAuth dialect.

use super::*;

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

    let address = Address::Sms(PhoneNumber::new("+15550100").unwrap());
    let to_enable =
        Claimant::Holder { account_id: id, subject: Subject::Enable { account_id: id, address: address.clone() } };
    let issue = IssueCode { to: SendTo::Address(address.clone()), ..user.issue(to_enable, 7) };
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
        macs: vec![[7; 32]],
        backup_codes: backup_codes(3),
        challenge: Some((waiting, [5; 32])),
        rules: Arc::default(),
        terms: terms(),
        now: NOON,
        audit: audit(id, NOON),
    };
    let wrong = AddMethod { macs: vec![[8; 32]], ..add(&user, address.clone()) };
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
        digest,
        family_id: RefreshTokenId::generate(NOON, &mut random()),
        application_id: ApplicationId::DEFAULT,
        second_factor_at: Some(NOON),
        expires_at: NOON + HOUR,
    };
    let proof = Proof::OneTimeCode(StoredCode { mac: vec![9; 32], method_id: Some(method.id) });
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
    let presented = || UseRefreshToken {
        digest: first,
        next: session_digest(),
        rules: Arc::default(),
        now: NOON,
        expires_at: NOON + HOUR,
        audit: audit(id, NOON),
    };
    assert!(matches!(store.use_refresh_token(presented()).await.unwrap(), RefreshTokenUsed::Rotated(_)));
    assert!(matches!(store.use_refresh_token(presented()).await.unwrap(), RefreshTokenUsed::Reused));

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
    let remove = |claimant: Claimant, mac, named| RemoveMethods {
        claimant,
        account_id: id,
        proof: mailed(mac),
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
    let issue = IssueCode { to: SendTo::Address(email.clone()), ..user.issue(to_enable, 4) };
    assert!(matches!(store.issue_code(issue).await.unwrap(), Issued::To { .. }));
    let second =
        AddMethod { method: address_method(email), macs: vec![[4; 32]], challenge: None, ..add(&user, address) };
    let second_id = second.method.id;
    assert_eq!(store.add_method(second).await.unwrap(), MethodAdded::Decided(Added::Further));
    let removal = store.remove_methods(remove(to_disable.clone(), 6, second_id)).await.unwrap();
    assert_eq!(removal, MethodsRemoved::Decided(Removal::One(second_id)));
    let issue = IssueCode { to: SendTo::Method(method.handle.clone()), ..user.issue(to_disable.clone(), 6) };
    assert!(matches!(store.issue_code(issue).await.unwrap(), Issued::To { .. }));
    let removal = store.remove_methods(remove(to_disable, 6, method.id)).await.unwrap();
    assert_eq!(removal, MethodsRemoved::Decided(Removal::SwitchOff));
    let found = store.user(AccountLookup::Id(id)).await.unwrap().expect("it is there");
    assert!(!found.account.two_factor_enabled && found.methods.is_empty());
    let change = ChangePassword {
        account_id: id,
        versions: found.account.versions(),
        password: hash(),
        ticket: Some(present()),
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
