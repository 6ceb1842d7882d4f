//! Tickets.

use crate::schema::tickets;
use crate::work::NewTicket;
use countersign_domain::account::Versions;
use countersign_domain::ids::AccountId;
use countersign_domain::time::Timestamp;
use diesel::prelude::*;

#[derive(Insertable)]
#[diesel(table_name = tickets, treat_none_as_default_value = false)]
pub(crate) struct TicketRow {
    digest: Vec<u8>,
    kind: String,
    account_id: String,
    trust_challenge: Option<Vec<u8>>,
    state: Option<String>,
    credentials_version: i64,
    factors_version: i64,
    created_at: i64,
    expires_at: i64,
    address: Option<String>,
}

impl TicketRow {
    pub(crate) fn new(ticket: &NewTicket, account_id: AccountId, versions: Versions, now: Timestamp) -> Self {
        Self {
            digest: ticket.digest.as_bytes().to_vec(),
            kind: ticket.kind.name().to_owned(),
            account_id: account_id.to_text(),
            trust_challenge: ticket.trust_challenge.map(|digest| digest.as_bytes().to_vec()),
            state: ticket.state.clone(),
            credentials_version: versions.credentials,
            factors_version: versions.factors,
            created_at: now.as_millis(),
            expires_at: ticket.expires_at.as_millis(),
            address: ticket.address.as_ref().map(|address| address.as_str().to_owned()),
        }
    }
}
