//! Passkeys and their ceremonies.

use super::passkey_users::{asserted, begun, owner, registered, sign_in};
use super::*;
use countersign_domain::decisions::factor_reset::FactorReset;
use countersign_domain::decisions::passkey_management::RemovePasskey as Decision;
use countersign_domain::passkey::ceremony::Purpose;
use countersign_store::work::{
    FactorsReset, FindCeremony, PasskeyRemoved, RemovePasskey, RenamePasskey, ResetFactors, SignInCompleted,
    SpendCeremony,
};

/// Carries out each unit of work about passkeys.
pub(super) async fn everything(world: &World) {
    let store = &world.store;
    let user = User::signed_up(world).await;
    let (account_id, versions) = (user.id(), user.account.versions());
    let passkey = registered(store, &user).await;
    assert_eq!(store.passkeys_of(account_id).await.unwrap().len(), 1);
    // Those that are too many give way.
    for _ in 0..17 {
        begun(store, Purpose::Registration(account_id), versions).await;
    }
    let ceremony = begun(store, Purpose::SignIn, Versions::default()).await;
    let credential_id = Some(passkey.credential_id.clone());
    let find = FindCeremony { digest: ceremony.digest, credential_id, now: NOON };
    assert!(store.find_ceremony(find).await.unwrap().unwrap().passkey.is_some());
    let event = |kind| event(kind, account_id, NOON);
    let spend = SpendCeremony { digest: ceremony.digest, event: event(EventKind::PasskeyRejected) };
    assert!(store.spend_ceremony(spend).await.unwrap());
    for (counter, is_refused) in [(8, false), (8, true)] {
        let ceremony = begun(store, Purpose::SignIn, Versions::default()).await;
        let ended = store.complete_sign_in(sign_in(&user, &passkey, &ceremony, asserted(counter, true))).await.unwrap();
        assert_eq!(matches!(ended, SignInCompleted::PasskeyRefused(_)), is_refused, "{ended:?}");
    }
    let (id, name) = (passkey.id, "Plan".to_owned());
    let rename = RenamePasskey { account_id, id, name, event: event(EventKind::PasskeyRenamed) };
    assert!(store.rename_passkey(rename).await.unwrap().is_some());
    let (manager, rules) = (owner(&user), Arc::default());
    let remove = RemovePasskey { account_id, id, manager, rules, audit: audit(account_id, NOON) };
    assert_eq!(store.remove_passkey(remove).await.unwrap(), PasskeyRemoved::Decided(Decision::Remove));
    let user = User::signed_up(world).await;
    registered(store, &user).await;
    let reset = ResetFactors { account_id: user.id(), audit: audit(user.id(), NOON) };
    assert_eq!(store.reset_factors(reset).await.unwrap(), FactorsReset::Decided(FactorReset::RemovePasskeys));
}
