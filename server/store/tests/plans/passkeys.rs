//! Passkeys and their ceremonies.

use super::passkey_users::{asserted, begun, begun_by, claim, foreign, owner, proof, registered, rules, sign_in, used};
use super::*;
use countersign_domain::decisions::factor_reset::FactorReset;
use countersign_domain::decisions::passkey_management::RemovePasskey as Decision;
use countersign_domain::passkey::ceremony::Purpose;
use countersign_store::work::{
    ConfirmPasskey, FactorsReset, FindCeremony, ImportPasskeys, PasskeyConfirmed, PasskeysImported, PasskeysRemoved,
    RemovePasskeys, RenamePasskey, ResetFactors, SignInCompleted, SpendCeremony, WhichPasskeys,
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
    let ceremony = begun(store, Purpose::SignIn(None), Versions::default()).await;
    let credential_id = Some(passkey.credential_id.clone());
    let find = FindCeremony { digest: ceremony.digest, credential_id, now: NOON };
    assert!(store.find_ceremony(find).await.unwrap().unwrap().passkey.is_some());
    let event = |kind| event(kind, account_id, NOON);
    let spend = SpendCeremony { digest: ceremony.digest, event: event(EventKind::PasskeyRejected) };
    assert!(store.spend_ceremony(spend).await.unwrap());
    for (counter, is_refused) in [(8, false), (8, true)] {
        let ceremony = begun(store, Purpose::SignIn(None), Versions::default()).await;
        let ended = store.complete_sign_in(sign_in(&user, &passkey, &ceremony, asserted(counter, true))).await.unwrap();
        assert_eq!(matches!(ended, SignInCompleted::PasskeyRefused(_)), is_refused, "{ended:?}");
    }
    let ceremony = begun(store, Purpose::SignIn(Some(account_id)), versions).await;
    let used = used(&user, &passkey, &ceremony, asserted(9, true));
    let confirm = ConfirmPasskey { account_id, passkey: used, audit: audit(account_id, NOON) };
    assert!(matches!(store.confirm_passkey(confirm).await.unwrap(), PasskeyConfirmed::Confirmed(_)));
    assert_eq!(store.passkey(passkey.id).await.unwrap().unwrap().0.counter, 9);
    let import = ImportPasskeys { passkeys: vec![foreign(&user)], tenant_id: None, rules: Arc::default() };
    assert_eq!(store.import_passkeys(import).await.unwrap(), PasskeysImported::Imported);
    let (id, name) = (passkey.id, "Plan".to_owned());
    let rename = RenamePasskey { account_id, id, name, event: event(EventKind::PasskeyRenamed) };
    assert!(store.rename_passkey(rename).await.unwrap().is_some());
    let (manager, rules) = (owner(&user), Arc::default());
    let remove = RemovePasskeys { account_id, which: WhichPasskeys::One(id), manager, rules, audit: audit(account_id, NOON) };
    assert_eq!(store.remove_passkeys(remove).await.unwrap(), PasskeysRemoved::Decided(Decision::Remove));
    as_second_factor(world).await;
    let user = User::signed_up(world).await;
    registered(store, &user).await;
    let reset = ResetFactors { account_id: user.id(), audit: audit(user.id(), NOON) };
    assert_eq!(store.reset_factors(reset).await.unwrap(), FactorsReset::Decided(FactorReset::RemovePasskeys));
}

/// Wrong and right responses in a challenge and in a session, and the removal of the last second factor.
async fn as_second_factor(world: &World) {
    let store = &world.store;
    let (user, _, _) = User::enrolled(world).await;
    let key = registered(store, &user).await;
    let sign_in = CompleteSignIn { rules: rules(), ..user.sign_in(NOON) };
    let claimant = Claimant::Challenge(sign_in.challenge.digest);
    assert!(store.waiting_sign_in((sign_in.challenge.digest, NOON)).await.unwrap().is_none());
    assert_eq!(decided(store.complete_sign_in(sign_in).await.unwrap()).decision, SignIn::SecondFactorDue);
    let ceremony = begun_by(store, &user, &claimant).await;
    assert!(matches!(store.claim_attempt(claim(&user, &claimant, &ceremony, &key)).await.unwrap(), Claim::Granted(_)));
    let fail = FailAttempt {
        claimant: claimant.clone(),
        factor: Some(Factor::Passkey),
        account_id: user.id(),
        is_replay: false,
        guess: other_guess(),
        charge: guess(),
        ceremony: Some(ceremony.digest),
        rules: Arc::default(),
        event: event(EventKind::SecondFactorRejected, user.id(), NOON),
        lock_event: None,
    };
    assert!(!store.fail_attempt(fail).await.unwrap());
    for (claimant, counter) in [(claimant, 8), (user.in_session(), 9)] {
        let ceremony = begun_by(store, &user, &claimant).await;
        let pass = user.pass(claimant, proof(&key, &ceremony, counter));
        assert!(is_done(&store.complete_second_factor(pass).await.unwrap()));
    }
    let remove = RemovePasskeys {
        account_id: user.id(),
        which: WhichPasskeys::One(key.id),
        manager: owner(&user),
        rules: rules(),
        audit: audit(user.id(), NOON),
    };
    // The passkey is the last method.
    world
        .behind
        .execute(&format!("/* not the store's */ DELETE FROM methods WHERE account_id = '{}'", user.id().to_text()));
    assert_eq!(store.remove_passkeys(remove).await.unwrap(), PasskeysRemoved::Decided(Decision::RemoveAndSwitchOff));
}
