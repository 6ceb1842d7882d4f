//! Units of work about authenticator apps.

use crate::fingerprint;
use crate::users::{NOON, User, address_method, audit, backup_codes, guess, terms};
use crate::world::World;
use countersign_domain::assurance::Manager;
use countersign_domain::attempt::{Claimant, Proof};
use countersign_domain::decisions::add_method::AddMethod as Added;
use countersign_domain::decisions::removal::Removal;
use countersign_domain::keyring::Sealed;
use countersign_domain::one_time_code::Subject;
use countersign_domain::user::AccountLookup;
use countersign_store::work::{
    AddMethod, MethodAdded, MethodsRemoved, NewAuthenticator, NewFactor, NewMethod, RemoveMethods,
};
use std::sync::Arc;

/// An authenticator app that is added, added again, removed, and added once more.
pub(crate) async fn added_again_and_removed(world: &World, user: &mut User) {
    let (store, id) = (&world.store, user.id());
    let step = i64::try_from(NOON.as_unix_seconds() / 30).unwrap();
    let add = |user: &User, step, fingerprints| AddMethod {
        account_id: id,
        versions: user.account.versions(),
        manager: Manager::Service,
        has_password: false,
        step_up: None,
        method: NewMethod {
            factor: NewFactor::Authenticator(NewAuthenticator {
                secret: Sealed { key_id: "k1".to_owned(), bytes: vec![1] },
                fingerprints,
                step,
            }),
            ..address_method(user.email_address())
        },
        known_apps: Vec::new(),
        macs: Vec::new(),
        presentation: None,
        backup_codes: backup_codes(1),
        challenge: None,
        rules: Arc::default(),
        terms: terms(),
        now: NOON,
        audit: audit(id, NOON),
    };
    let first = add(user, step, vec![fingerprint(2)]);
    let method_id = first.method.id;
    let added = store.add_method(first).await.unwrap();
    assert!(matches!(added, MethodAdded::Decided(Added::First(_))), "{added:?}");
    user.account = store.account(AccountLookup::Id(id)).await.unwrap().expect("it is there");
    // The ring has a new key, and the old one still.
    let rotated = || vec![fingerprint(3), fingerprint(2)];
    for (step, is_replay) in [(step, true), (step + 1, false), (step + 1, true)] {
        let added = store.add_method(add(user, step, rotated())).await.unwrap();
        assert_eq!(added, MethodAdded::Decided(Added::AlreadyAdded { is_replay }));
    }
    let remove = RemoveMethods {
        claimant: Claimant::Holder { account_id: id, subject: Subject::Disable { account_id: id, method_id } },
        account_id: id,
        proof: Proof::Totp { method_id, step: step + 2, confirms: false },
        renewal: None,
        charge: guess(),
        named: Some(method_id),
        manager: Manager::Service,
        rules: Arc::default(),
        now: NOON,
        audit: audit(id, NOON),
        more_audit: audit(id, NOON),
    };
    assert_eq!(store.remove_methods(remove).await.unwrap(), MethodsRemoved::Decided(Removal::SwitchOff));
    user.account = store.account(AccountLookup::Id(id)).await.unwrap().expect("it is there");
    let added = store.add_method(add(user, step + 2, rotated())).await.unwrap();
    assert_eq!(added, MethodAdded::Decided(Added::Replayed), "the step was used before the app was removed");
    let added = store.add_method(add(user, step + 3, rotated())).await.unwrap();
    assert!(matches!(added, MethodAdded::Decided(Added::First(_))), "{added:?}");
}
