//! The form in which user names are compared, and rows that nodes of earlier versions write.

use crate::users::{NOON, User, event};
use crate::world::World;
use countersign_domain::account::{LoginName, Username};
use countersign_domain::audit::EventKind;
use countersign_domain::ids::{AccountId, TenantId};
use countersign_domain::user::AccountLookup;
use countersign_store::work::{AccountWritten, ChangeAccount, UsernamesNormalized};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use std::sync::Arc;

async fn named(world: &World, name: &str) -> Result<User, AccountWritten> {
    let mut user = User::new();
    user.account.username = Username::new(name);
    match world.store.create_account(user.sign_up()).await.unwrap() {
        AccountWritten::Done => Ok(user),
        refused => Err(refused),
    }
}

/// The row that the version before the form wrote: its INSERT names no `username_form`.
fn insert_as_before(world: &World, name: &str) -> AccountId {
    let user = User::new();
    let (id, tenant, key) = (user.id(), TenantId::DEFAULT.to_text(), name.trim().to_lowercase());
    world.behind.execute(&format!(
        "INSERT INTO accounts (id, tenant_id, email, username, username_key, name, email_verified, profile, \
         password_changed_at, password_change_required, is_active, two_factor_enabled, credentials_version, \
         failed_attempts, consecutive_locks, created_at, updated_at) VALUES ('{}', '{tenant}', '{}', '{name}', '{key}', '', \
         FALSE, '{{}}', 0, FALSE, TRUE, FALSE, 0, 0, 0, 0, 0)",
        id.to_text(),
        user.email().as_str()
    ));
    id
}

async fn found(world: &World, typed: &str) -> Option<AccountId> {
    let names = vec![LoginName::Username(Username::new(typed).unwrap())];
    let lookup = AccountLookup::Login(TenantId::DEFAULT, names);
    world.store.account(lookup).await.unwrap().map(|account| account.id)
}

fn normalized(changed: usize, contested: usize) -> UsernamesNormalized {
    UsernamesNormalized { changed, contested }
}

#[on_each_database]
async fn a_row_of_the_version_before_is_found_and_brought_to_its_form_whenever_it_comes(database: DatabaseKind) {
    let world = &World::start(database).await;
    assert_eq!(world.store.normalize_usernames().await.unwrap(), normalized(0, 0));
    // Each is written after a walk that found nothing.
    for (name, other) in [("Zoe", "ZOE"), ("Zoe\u{308}", "ZO\u{cb}"), ("ad\u{200b}a", "ADA")] {
        let id = insert_as_before(world, name);
        assert_eq!(found(world, name).await, Some(id), "{name:?}, before");
        assert_eq!(world.store.normalize_usernames().await.unwrap(), normalized(1, 0), "{name:?}");
        assert_eq!((found(world, name).await, found(world, other).await), (Some(id), Some(id)), "{name:?}");
        assert_eq!(world.store.normalize_usernames().await.unwrap(), normalized(0, 0), "once is enough");
    }
    // That version gives an account another name, or writes the same one again.
    let id = insert_as_before(world, "grace");
    world.store.normalize_usernames().await.unwrap();
    let rename = |name: &str| {
        let (id, key) = (id.to_text(), name.to_lowercase());
        world
            .behind
            .execute(&format!("UPDATE accounts SET username = '{name}', username_key = '{key}' WHERE id = '{id}'"));
    };
    rename("Amelie\u{301}");
    assert_eq!((found(world, "grace").await, found(world, "Amelie\u{301}").await), (None, Some(id)));
    named(world, "grace").await.expect("nobody has the name any more, whatever form the row still has");
    assert_eq!(world.store.normalize_usernames().await.unwrap(), normalized(1, 0));
    rename("Amelie\u{301}");
    assert_eq!(world.store.normalize_usernames().await.unwrap(), normalized(1, 0));
    assert_eq!(found(world, "AMELI\u{c9}").await, Some(id));
}

#[on_each_database]
async fn a_form_of_several_accounts_is_nobodys_and_stops_no_other_name_33(database: DatabaseKind) {
    let world = &World::start(database).await;
    let ada = named(world, "ada").await.expect("a new name");
    let other = insert_as_before(world, "ad\u{ad}a");
    let zoe = insert_as_before(world, "zoe\u{308}");
    assert_eq!(world.store.normalize_usernames().await.unwrap(), normalized(1, 1));
    assert_eq!(found(world, "ZO\u{cb}").await, Some(zoe), "the conflict before it in the order of ids stopped nothing");
    for (typed, id) in [("ada", Some(ada.id())), ("ad\u{ad}a", Some(other)), ("Ada", None), ("ad\u{200b}a", None)] {
        assert_eq!(found(world, typed).await, id, "{typed:?}");
    }
    let conflicts = world.store.username_conflicts(()).await.unwrap();
    let [conflict] = conflicts.as_slice() else { panic!("{conflicts:?}") };
    assert_eq!((conflict.account_id, conflict.form.as_str()), (other, "ada"));
    assert_eq!(conflict.others, [(ada.id(), "ada".to_owned())]);
    // Deleted, one leaves the name to the other, at once and to nobody who comes between.
    let gone = event(EventKind::AccountDeleted, ada.id(), NOON);
    assert!(world.store.delete_account((ada.id(), gone)).await.unwrap());
    assert_eq!(found(world, "ADA").await, Some(other));
    assert_eq!(named(world, "ada").await.err(), Some(AccountWritten::UsernameTaken));
    assert_eq!(world.store.username_conflicts(()).await.unwrap(), []);
    assert_eq!(world.store.normalize_usernames().await.unwrap(), normalized(1, 0));
    assert_eq!((found(world, "ADA").await, found(world, "ad\u{ad}a").await), (Some(other), Some(other)));
}

#[on_each_database]
async fn an_account_whose_name_is_contested_can_be_changed(database: DatabaseKind) {
    let world = &World::start(database).await;
    let ada = named(world, "ada").await.expect("a new name");
    let other = insert_as_before(world, "ad\u{ad}a");
    world.store.normalize_usernames().await.unwrap();
    for id in [ada.id(), other] {
        let account = world.store.account(AccountLookup::Id(id)).await.unwrap().unwrap();
        let change = |name: &str| {
            let mut changed = account.clone();
            changed.username = Username::new(name);
            changed.name = "Somebody".to_owned();
            ChangeAccount {
                before: account.clone(),
                rules: Arc::default(),
                account: changed,
                profile: "{}".to_owned(),
                sets_password: false,
                ending: None,
                moved: Vec::new(),
                events: vec![event(EventKind::AccountChanged, id, NOON)],
            }
        };
        let own = account.username.clone().unwrap();
        assert_eq!(world.store.change_account(change("ADA")).await.unwrap(), AccountWritten::UsernameTaken);
        assert_eq!(world.store.change_account(change(own.as_str())).await.unwrap(), AccountWritten::Done);
    }
    assert_eq!((found(world, "ada").await, found(world, "Ada").await), (Some(ada.id()), None));
}
