//! Passkeys as services use them: named sign-ins, uses that open nothing, imports.

use crate::passkey_users::{MINUTE, asserted, begun, foreign, passkey, registered, sign_in, used};
use crate::users::{NOON, User, audit};
use crate::world::World;
use countersign_domain::account::Unusable;
use countersign_domain::decisions::passkey_management::AddPasskey;
use countersign_domain::decisions::passkey_use::PasskeyUse;
use countersign_domain::ids::TenantId;
use countersign_domain::passkey::ceremony::{Ceremony, Details, Purpose};
use countersign_domain::passkey::verifier::Asserted;
use countersign_domain::passkey::{Description, Passkey};
use countersign_store::work::{
    BeginCeremony, ConfirmPasskey, FindCeremony, ImportPasskeys, ImportedPasskey, NotImported, PasskeyConfirmed,
    PasskeysImported, SignInCompleted,
};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use std::sync::Arc;

fn confirm(user: &User, passkey: &Passkey, ceremony: &Ceremony, asserted: Asserted) -> ConfirmPasskey {
    let used = used(user, passkey, ceremony, asserted);
    ConfirmPasskey { account_id: user.id(), passkey: used, audit: audit(user.id(), NOON) }
}

#[on_each_database]
async fn a_ceremony_keeps_what_was_asked_for(database: DatabaseKind) {
    let world = &World::start(database).await;
    let user = User::signed_up(world).await;
    let named = Purpose::SignIn(Some(user.id()));
    for (purpose, details) in [
        (named, Details::default()),
        (
            Purpose::Registration(user.id()),
            Details {
                name: Some("My key".to_owned()),
                user_name: Some("ada".to_owned()),
                user_agent: Some("Test/1".to_owned()),
                ..Details::default()
            },
        ),
        (
            named,
            Details {
                application_id: countersign_domain::ids::ApplicationId::parse("c0de0000000040008000000000000002"),
                passkey_id: Some(passkey(&user).id),
                state: Some("{\"to\":1}".to_owned()),
                ..Details::default()
            },
        ),
    ] {
        let ceremony =
            Ceremony { details, ..crate::passkey_users::ceremony(purpose, user.account.versions()) };
        assert!(world.store.begin_ceremony(BeginCeremony { ceremony: ceremony.clone(), most: 16 }).await.unwrap());
        let find = FindCeremony { digest: ceremony.digest, credential_id: None, now: NOON + MINUTE };
        assert_eq!(world.store.find_ceremony(find).await.unwrap().unwrap().ceremony, ceremony);
    }
    // Others that are begun end no sign-in.
    for _ in 0..20 {
        begun(&world.store, named, user.account.versions()).await;
    }
    assert_eq!(world.count("passkey_ceremonies WHERE purpose = 'sign-in'"), 22);
}

#[on_each_database]
async fn a_named_sign_in_takes_passkeys_of_that_account_alone_51(database: DatabaseKind) {
    let world = &World::start(database).await;
    let (user, eve) = (User::signed_up(world).await, User::signed_up(world).await);
    let (own, theirs) = (registered(&world.store, &user).await, registered(&world.store, &eve).await);
    let named = Purpose::SignIn(Some(user.id()));
    let ceremony = begun(&world.store, named, user.account.versions()).await;
    let signed_in = world.store.complete_sign_in(sign_in(&eve, &theirs, &ceremony, asserted(8, true))).await.unwrap();
    assert!(matches!(signed_in, SignInCompleted::PasskeyRefused(PasskeyUse::OtherUser)), "{signed_in:?}");
    let ceremony = begun(&world.store, named, user.account.versions()).await;
    let signed_in = world.store.complete_sign_in(sign_in(&user, &own, &ceremony, asserted(8, true))).await.unwrap();
    assert!(matches!(signed_in, SignInCompleted::Decided(_)), "{signed_in:?}");
}

#[on_each_database]
async fn a_use_that_opens_nothing_is_recorded_and_counts_once(database: DatabaseKind) {
    let world = &World::start(database).await;
    let user = User::signed_up(world).await;
    let key = registered(&world.store, &user).await;
    let named = Purpose::SignIn(Some(user.id()));
    let ceremony = begun(&world.store, named, user.account.versions()).await;
    let confirmed = world.store.confirm_passkey(confirm(&user, &key, &ceremony, asserted(8, false))).await.unwrap();
    let expected = Passkey { counter: 8, last_used_at: Some(NOON), ..key.clone() };
    assert_eq!(confirmed, PasskeyConfirmed::Confirmed(Box::new(expected)));
    let again = world.store.confirm_passkey(confirm(&user, &key, &ceremony, asserted(9, false))).await.unwrap();
    assert_eq!(again, PasskeyConfirmed::Stale);
    let ceremony = begun(&world.store, named, user.account.versions()).await;
    let fell = world.store.confirm_passkey(confirm(&user, &key, &ceremony, asserted(8, false))).await.unwrap();
    assert_eq!(fell, PasskeyConfirmed::Refused(PasskeyUse::CounterFell));
    let ceremony = begun(&world.store, named, user.account.versions()).await;
    world.behind.execute("UPDATE accounts SET is_active = false");
    for outcome in [PasskeyConfirmed::Unusable(Unusable::Inactive), PasskeyConfirmed::Stale] {
        let ended = world.store.confirm_passkey(confirm(&user, &key, &ceremony, asserted(9, false))).await.unwrap();
        assert_eq!(ended, outcome);
    }
    for (kind, count) in [("passkey-confirmed", 1), ("passkey-counter-fell", 1), ("passkey-signed-in", 0)] {
        assert_eq!(world.count(&format!("audit_events WHERE kind = '{kind}'")), count, "{kind}");
    }
}

#[on_each_database]
async fn passkeys_are_imported_all_or_none(database: DatabaseKind) {
    let world = &World::start(database).await;
    let (user, other) = (User::signed_up(world).await, User::signed_up(world).await);
    let import = |passkeys, tenant_id| ImportPasskeys { passkeys, tenant_id, rules: Arc::default() };
    let described = |user: &User| {
        let description = Description {
            user_name: Some("ada".to_owned()),
            user_agent: Some("Test/1".to_owned()),
            is_discoverable: Some(true),
        };
        let imported = foreign(user);
        ImportedPasskey { passkey: Passkey { description, ..imported.passkey.clone() }, ..imported }
    };
    let right = vec![described(&user), foreign(&other)];
    assert_eq!(world.store.import_passkeys(import(right.clone(), None)).await.unwrap(), PasskeysImported::Imported);
    let stored = world.store.passkeys_of(user.id()).await.unwrap();
    let expected = Passkey { handle: stored[0].handle.clone(), ..right[0].passkey.clone() };
    assert_eq!(stored, [expected]);

    let id_of = |passkey: &Passkey| ImportedPasskey {
        passkey: Passkey { id: passkey.id, ..foreign(&user).passkey },
        ..foreign(&user)
    };
    let credential_of = |passkey: &Passkey| ImportedPasskey {
        passkey: Passkey { credential_id: passkey.credential_id.clone(), ..foreign(&user).passkey },
        ..foreign(&user)
    };
    let too_many: Vec<ImportedPasskey> = (0..20).map(|_| foreign(&user)).collect();
    let elsewhere = TenantId::parse("c0de000000004000800000000000000a");
    for (passkeys, tenant_id, number, why) in [
        (vec![foreign(&user), id_of(&stored[0])], None, 1, NotImported::IdTaken),
        (vec![foreign(&user), credential_of(&right[1].passkey)], None, 1, NotImported::CredentialTaken),
        (vec![foreign(&user)], elsewhere, 0, NotImported::NoAccount),
        (too_many, None, 19, NotImported::Refused(AddPasskey::TooMany)),
    ] {
        let refused = world.store.import_passkeys(import(passkeys, tenant_id)).await.unwrap();
        assert_eq!(refused, PasskeysImported::Refused(number, why));
    }
    assert_eq!((world.count("passkeys"), world.count("audit_events WHERE kind = 'passkey-added'")), (2, 2));
}
