//! Trusted devices of an account, as its user sees them. Ending trust takes nothing but a session: it opens nothing.

use super::{Caller, FlowError, Flows, FullSession};
use countersign_domain::audit::EventKind;
use countersign_domain::device::DeviceName;
use countersign_domain::ids::TrustedDeviceId;
use countersign_domain::terms::TrustForm;
use countersign_domain::trusted_device;
use countersign_store::work::{ChangeTrustedDevice, DeviceChange, EndTrust, FindTrustedDevices, Seen};

pub use countersign_store::work::FoundTrustedDevice;

/// The device of a caller. That of a service is not its user's, and neither is its address, unless it names the user's.
pub(super) fn seen(caller: &Caller) -> Seen {
    Seen {
        user_agent: if caller.actor.is_service() { String::new() } else { caller.stored_user_agent() },
        ip_address: if caller.is_relayed { String::new() } else { caller.ip.to_string() },
    }
}

impl Flows {
    fn find_devices(&self, session: &FullSession, trust: Option<&str>) -> FindTrustedDevices {
        let account_id = session.account.id;
        let read = |text| trusted_device::read(TrustForm::Rotating, text, account_id, self.keyring());
        let presented = trust.map(read).unwrap_or_default();
        FindTrustedDevices { account_id, rules: self.rules(), now: self.now(), presented }
    }

    /// The trusted devices of the account, those that were used last first. `trust` is the rotating token that the caller presents.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn trusted_devices(
        &self,
        session: &FullSession,
        trust: Option<&str>,
    ) -> Result<Vec<FoundTrustedDevice>, FlowError> {
        Ok(self.store().trusted_devices(self.find_devices(session, trust)).await?)
    }

    /// Renames a trusted device of the account; `None` if it has no such device.
    ///
    /// # Errors
    /// When the database fails; then it has its name of before.
    pub async fn rename_device(
        &self,
        caller: &Caller,
        session: &FullSession,
        trust: Option<&str>,
        id: TrustedDeviceId,
        name: DeviceName,
    ) -> Result<Option<FoundTrustedDevice>, FlowError> {
        self.change_device(caller, session, trust, id, DeviceChange::Rename(name)).await
    }

    /// Ends the trust in one device of the account; returns the device, `None` if the account has no such device.
    ///
    /// # Errors
    /// When the database fails; then it is still trusted.
    pub async fn revoke_device(
        &self,
        caller: &Caller,
        session: &FullSession,
        trust: Option<&str>,
        id: TrustedDeviceId,
    ) -> Result<Option<FoundTrustedDevice>, FlowError> {
        self.change_device(caller, session, trust, id, DeviceChange::EndTrust).await
    }

    /// Ends the trust in all devices of the account.
    ///
    /// # Errors
    /// When the database fails; then all are still trusted.
    pub async fn revoke_all_devices(&self, caller: &Caller, session: &FullSession) -> Result<(), FlowError> {
        let account_id = session.account.id;
        let audit = self.audit(caller, self.now()).about(account_id).in_session(session.session.id);
        let event = audit.event(EventKind::TrustRevoked);
        // `Stale` says that the account is gone, and all trust with it.
        self.store().end_trust(EndTrust { account_id, versions: None, event }).await?;
        Ok(())
    }

    async fn change_device(
        &self,
        caller: &Caller,
        session: &FullSession,
        trust: Option<&str>,
        id: TrustedDeviceId,
        change: DeviceChange,
    ) -> Result<Option<FoundTrustedDevice>, FlowError> {
        let kind = match &change {
            DeviceChange::Rename(_) => EventKind::DeviceRenamed,
            DeviceChange::EndTrust => EventKind::DeviceRevoked,
        };
        let audit = self.audit(caller, self.now()).about(session.account.id).in_session(session.session.id);
        let find = self.find_devices(session, trust);
        Ok(self
            .store()
            .change_trusted_device(ChangeTrustedDevice { find, id, change, event: audit.event(kind) })
            .await?)
    }
}
