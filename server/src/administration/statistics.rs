//! Counts, as JSON.

use super::{maybe_time, number, time};
use countersign_api::admin::responses;
use countersign_flows::reports::{Counts, ServerCounts, TenantStatistics};

#[must_use]
pub fn statistics(counts: &Counts) -> responses::Statistics {
    responses::Statistics {
        at: time(counts.at),
        tenants: counts.tenants.iter().map(of_tenant).collect(),
        server: counts.server.as_ref().map(of_server),
    }
}

fn of_tenant(tenant: &TenantStatistics) -> responses::TenantStatistics {
    responses::TenantStatistics {
        tenant_id: tenant.tenant_id.to_hyphenated(),
        users: number(tenant.users),
        with_second_factor: number(tenant.with_second_factor),
        deactivated: number(tenant.deactivated),
        locked: number(tenant.locked),
    }
}

fn of_server(counts: &ServerCounts) -> responses::ServerStatistics {
    responses::ServerStatistics {
        sessions: number(counts.sessions),
        refresh_tokens: number(counts.refresh_tokens),
        trusted_devices: number(counts.trusted_devices),
        messages_waiting: number(counts.messages.waiting),
        oldest_message_at: maybe_time(counts.messages.oldest),
        events_of_last_day: counts.events.iter().map(|event| (event.kind.clone(), number(event.count))).collect(),
    }
}
