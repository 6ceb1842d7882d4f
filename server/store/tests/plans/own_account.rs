//! What owners do with their accounts.

use super::world::World;
use super::{HOUR, NOON, User, audit, event, sealer, session_digest, ticket};
use countersign_domain::account::EmailAddress;
use countersign_domain::assurance::{Assurance, Manager};
use countersign_domain::audit::EventKind;
use countersign_domain::decisions::deletion::{Deletion, Proof};
use countersign_domain::decisions::mailed_link::Purpose;
use countersign_domain::decisions::sending::Requester;
use countersign_domain::ids::TenantId;
use countersign_domain::terms::Rules;
use countersign_store::work::{
    ChangeAddress, DeleteOwnAccount, IssueLink, LinkIssued, LinkTicket, LinkUsed, NewTicket, OwnAccountDeleted,
    PresentedTicket, RestoreAddress, TicketKind, UpdateProfile, VerifyAddress,
};
use std::sync::Arc;

fn manager(user: &User) -> Manager {
    Manager::Owner(Assurance { account_id: user.id(), signed_in_at: NOON, second_factor_at: None, factors_version: 0 })
}

/// Mails a link, and says what it is good for.
async fn mailed(world: &World, user: &User, purpose: Purpose, to: &str) -> PresentedTicket {
    let kind = TicketKind::from(purpose);
    let state = (purpose == Purpose::ChangeAddress).then(|| to.to_owned());
    let address = Some(user.email());
    let new = NewTicket { address, state, ..ticket(kind, NOON + HOUR) };
    let presented = PresentedTicket { kind, digest: new.digest, trust_challenges: Vec::new() };
    let issue = IssueLink {
        purpose,
        account_id: user.id(),
        requester: Requester::Owner,
        manager: Some(manager(user)),
        to: EmailAddress::new(to),
        tenant_id: TenantId::DEFAULT,
        asked_for: sealer().hide(to),
        ticket: LinkTicket::New(new),
        message: None,
        rules: Arc::default(),
        audit: audit(user.id(), NOON),
    };
    assert_eq!(world.store.issue_link(issue).await.unwrap(), LinkIssued::Sent);
    assert!(world.store.ticket((presented.clone(), NOON)).await.unwrap().is_some());
    presented
}

pub(super) async fn everything(world: &World) {
    let (store, rules) = (&world.store, Arc::<Rules>::default());
    let user = User::signed_up(world).await;
    let (account_id, versions, address) = (user.id(), user.account.versions(), user.email());
    let update = UpdateProfile {
        account_id,
        name: Some("Ada".to_owned()),
        image: Some(None),
        event: event(EventKind::AccountChanged, account_id, NOON),
    };
    assert!(store.update_profile(update).await.unwrap());
    let verify = VerifyAddress {
        ticket: Some(mailed(world, &user, Purpose::VerifyAddress, address.as_str()).await),
        account_id,
        versions,
        address: address.clone(),
        rules: rules.clone(),
        event: event(EventKind::AddressVerified, account_id, NOON),
    };
    assert!(matches!(store.verify_address(verify).await.unwrap(), LinkUsed::Done(_)));
    let restoration = session_digest();
    let change = ChangeAddress {
        ticket: mailed(world, &user, Purpose::ChangeAddress, "moved@example.org").await,
        account_id,
        versions,
        to: EmailAddress::new("moved@example.org"),
        restoration,
        restorable_until: NOON + HOUR,
        notice: None,
        rules: rules.clone(),
        event: event(EventKind::AddressChanged, account_id, NOON),
    };
    assert!(matches!(store.change_address(change).await.unwrap(), LinkUsed::Done(_)));
    let restore = RestoreAddress { digest: restoration, rules: rules.clone(), audit: audit(account_id, NOON) };
    assert!(matches!(store.restore_address(restore).await.unwrap(), LinkUsed::Done(_)));

    let user = User::signed_up(world).await;
    let (account_id, versions) = (user.id(), user.account.versions());
    let delete = DeleteOwnAccount {
        account_id,
        versions,
        manager: manager(&user),
        proof: Proof::Link,
        ticket: Some(mailed(world, &user, Purpose::DeleteAccount, user.email().as_str()).await),
        rules,
        event: event(EventKind::AccountDeleted, account_id, NOON),
    };
    let deleted = store.delete_own_account(delete).await.unwrap();
    assert_eq!(deleted, OwnAccountDeleted::Decided(Deletion::Allowed));
}
