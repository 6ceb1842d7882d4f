//! Showing that somebody holds a passkey, without opening anything.

use super::{PasskeyAuthentication, PresentedPasskey};
use crate::{Caller, FlowError, Flows};
use countersign_domain::account::{Account, Unusable};
use countersign_domain::audit::AuditContext;
use countersign_domain::challenge::Factor;
use countersign_domain::passkey::Passkey;
use countersign_domain::passkey::ceremony::Purpose;
use countersign_domain::terms::Terms;
use countersign_store::work::{ConfirmPasskey, PasskeyConfirmed};

/// How it ended.
#[derive(Debug)]
pub enum PasskeyConfirmation {
    Confirmed(Box<Passkey>, Box<Account>),
    Unusable(Unusable),
    /// The ceremony is unknown, spent, expired or no sign-in.
    NoCeremony,
    /// The response is not right, or does not count.
    NotVerified,
}

impl Flows {
    /// Verifies the response of a browser to the options of a sign-in.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn confirm_passkey(
        &self,
        caller: &Caller,
        presented: PresentedPasskey<'_>,
        terms: &Terms,
    ) -> Result<PasskeyConfirmation, FlowError> {
        let ceremony = self.presented(&presented, terms).await?;
        let Some(ceremony) = ceremony.filter(|ceremony| matches!(ceremony.row.purpose, Purpose::SignIn(_))) else {
            return Ok(PasskeyConfirmation::NoCeremony);
        };
        let (account, used) = match self.verified_passkey(caller, ceremony).await? {
            Ok(verified) => verified,
            Err(PasskeyAuthentication::NoCeremony) => return Ok(PasskeyConfirmation::NoCeremony),
            Err(_) => return Ok(PasskeyConfirmation::NotVerified),
        };
        let audit: AuditContext =
            self.factor_audit(caller, Some(Factor::Passkey), Some(account.id), None, self.now());
        let confirm = ConfirmPasskey { account_id: account.id, passkey: used, audit };
        Ok(match self.store().confirm_passkey(confirm).await? {
            PasskeyConfirmed::Confirmed(passkey) => PasskeyConfirmation::Confirmed(passkey, Box::new(account)),
            PasskeyConfirmed::Unusable(why) => PasskeyConfirmation::Unusable(why),
            PasskeyConfirmed::Refused(_) => PasskeyConfirmation::NotVerified,
            PasskeyConfirmed::Stale => PasskeyConfirmation::NoCeremony,
        })
    }
}
