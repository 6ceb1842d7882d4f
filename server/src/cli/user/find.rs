//! The user that an operator names.

use crate::cli::database::DatabaseCommandError as Error;
use crate::config::Settings;
use countersign_domain::account::{EmailAddress, LoginName, PhoneNumber, Username};
use countersign_domain::ids::{AccountId, TenantId};
use countersign_domain::user::{AccountLookup, User};
use countersign_store::Store;

#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct Which {
    /// Id, e-mail address, user name or telephone number of the user.
    #[arg(value_name = "USER")]
    user: String,
    #[command(flatten)]
    tenant: InTenant,
}

#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct InTenant {
    /// Id of the tenant of the user [default: any].
    #[arg(long, value_name = "UUID")]
    tenant: Option<String>,
}

impl InTenant {
    pub(in crate::cli) fn named(tenant: Option<String>) -> Self {
        Self { tenant }
    }

    /// The tenant that is named, if one is.
    ///
    /// # Errors
    /// When it is not configured.
    pub(in crate::cli) fn read(&self, settings: &Settings) -> Result<Option<TenantId>, Error> {
        let Some(text) = &self.tenant else { return Ok(None) };
        let known = TenantId::parse(text).filter(|id| settings.directory.tenant(*id).is_some());
        known.map(Some).ok_or_else(|| Error::Usage(format!("`{text}` is not the id of a configured tenant")))
    }
}

impl Which {
    /// The one user who has this id or name.
    ///
    /// # Errors
    /// When there is none, or there are several.
    pub(in crate::cli) async fn find(&self, settings: &Settings, store: &Store) -> Result<User, Error> {
        find(settings, store, &self.user, self.tenant.read(settings)?).await
    }
}

/// The one user who has this id or name, in this tenant if one is named.
///
/// # Errors
/// When there is none, or there are several.
pub(in crate::cli) async fn find(
    settings: &Settings,
    store: &Store,
    text: &str,
    tenant: Option<TenantId>,
) -> Result<User, Error> {
    let text = text.trim();
    let is_there = |user: &User| tenant.is_none_or(|tenant| user.account.tenant_id == tenant);
    // A UUID is always an id, never a user name, so that nobody can take another user's id as a name.
    if let Some(id) = AccountId::parse(text) {
        let user = store.user(AccountLookup::Id(id)).await?.filter(is_there);
        return user.ok_or_else(|| Error::Usage(format!("there is no user with the id `{text}`")));
    }
    let names = [
        text.contains('@').then(|| LoginName::Email(EmailAddress::new(text))),
        Username::new(text).map(LoginName::Username),
        PhoneNumber::new(text).map(LoginName::PhoneNumber),
    ];
    let mut found: Vec<User> = Vec::new();
    for tenant in
        settings.directory.tenants().iter().map(|known| known.id).filter(|id| tenant.is_none_or(|named| named == *id))
    {
        for name in names.iter().flatten() {
            let user = store.user(AccountLookup::Login(tenant, vec![name.clone()])).await?;
            let new = user.filter(|user| found.iter().all(|other| other.account.id != user.account.id));
            found.extend(new);
        }
    }
    let ids = match found.as_slice() {
        [_] => return Ok(found.remove(0)),
        [] => contested(store, text).await?,
        several => several.iter().map(|user| user.account.id).collect(),
    };
    Err(Error::Usage(match ids.is_empty() {
        true => format!("there is no user `{text}`"),
        false => {
            let ids: Vec<String> = ids.into_iter().map(AccountId::to_hyphenated).collect();
            format!("`{text}` names several users: {}; name one by its id", ids.join(", "))
        }
    }))
}

/// The users who have the same user name since an earlier version, none of whom spells it so.
async fn contested(store: &Store, text: &str) -> Result<Vec<AccountId>, Error> {
    let Some(form) = Username::new(text).map(|name| name.key()) else { return Ok(Vec::new()) };
    let mut ids: Vec<AccountId> = Vec::new();
    for conflict in store.username_conflicts(()).await?.into_iter().filter(|conflict| conflict.form == form) {
        ids.push(conflict.account_id);
        ids.extend(conflict.others.into_iter().map(|(id, _)| id));
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}
