//! Users, what is counted against them, and what they have opened, as JSON.

use super::{maybe_time, number, time};
use countersign_api::admin::responses;
use countersign_api::admin::responses::Done;
use countersign_domain::account::{EmailAddress, PhoneNumber, Username};
use countersign_domain::address::Address;
use countersign_domain::device::{Device, DeviceName};
use countersign_domain::ids::AccountId;
use countersign_domain::limits::{AccountLimits, QuotaCount, Suspension};
use countersign_domain::method::Method;
use countersign_domain::session::Session;
use countersign_domain::trusted_device::TrustedDevice;
use countersign_domain::user::{Registration, User};
use countersign_flows::administration::{Ended, Grants, StoredRefreshToken};
use countersign_flows::reports::UserPage;

/// A page of users.
#[must_use]
pub fn page(page: &UserPage) -> responses::UserPage {
    let next_cursor = page.next.map(AccountId::to_hyphenated);
    responses::UserPage { users: page.users.iter().map(user).collect(), next_cursor }
}

#[must_use]
pub fn user(user: &User) -> responses::User {
    let account = &user.account;
    responses::User {
        id: account.id.to_hyphenated(),
        tenant_id: account.tenant_id.to_hyphenated(),
        email: account.email.as_ref().map(EmailAddress::as_str).map(str::to_owned),
        email_verified: account.email_verified,
        username: account.username.as_ref().map(Username::as_str).map(str::to_owned),
        phone_number: account.phone_number.as_ref().map(PhoneNumber::as_str).map(str::to_owned),
        name: account.name.clone(),
        active: account.is_active,
        expires_at: maybe_time(account.expires_at),
        has_password: account.password.is_some(),
        password_change_required: account.password_change_required,
        password_changed_at: time(account.password_changed_at),
        two_factor_enabled: account.two_factor_enabled,
        methods: user.methods.iter().map(method).collect(),
        registrations: user.registrations.iter().map(registration).collect(),
        last_sign_in_at: maybe_time(user.last_sign_in_at),
        created_at: time(account.created_at),
        updated_at: time(account.updated_at),
    }
}

fn method(method: &Method) -> responses::TwoFactorMethod {
    responses::TwoFactorMethod {
        id: method.handle.as_str().to_owned(),
        kind: method.kind.name().to_owned(),
        name: method.name.clone(),
        address: method.address.as_ref().map(Address::as_str).map(str::to_owned),
        proved_at: maybe_time(method.proved_at),
        last_used_at: maybe_time(method.last_used_at),
    }
}

fn registration(registration: &Registration) -> responses::Registration {
    responses::Registration {
        id: registration.id.to_hyphenated(),
        application_id: registration.application_id.to_hyphenated(),
        roles: registration.roles.clone(),
        username: registration.username.clone(),
        last_sign_in_at: maybe_time(registration.last_sign_in_at),
        created_at: time(registration.created_at),
    }
}

/// A user with what is counted against the account.
#[must_use]
pub fn details(shown: &User, limits: &AccountLimits) -> responses::UserDetails {
    let limits = responses::AccountLimits {
        locked_until: maybe_time(limits.kept_out_until()),
        failed_attempts: number(limits.failures),
        locks: number(limits.locks),
        guesses: number(limits.guesses),
        guess_limit: number(limits.guess_limit),
        failed_passwords: number(limits.passwords),
        failed_password_limit: number(limits.password_limit),
        passwords_refused_until: maybe_time(limits.passwords_refused_until),
        suspension: limits.suspension.as_ref().map(suspension),
        quotas: limits.quotas.iter().map(quota).collect(),
    };
    responses::UserDetails { user: user(shown), limits }
}

fn suspension(suspension: &Suspension) -> responses::Suspension {
    responses::Suspension {
        until: time(suspension.until),
        since: time(suspension.since),
        by: suspension.by.map(AccountId::to_hyphenated),
        comment: suspension.comment.clone(),
    }
}

fn quota(quota: &QuotaCount) -> responses::Quota {
    responses::Quota {
        counts: quota.counts.name().to_owned(),
        used: number(quota.used),
        limit: number(quota.limit),
        refused_until: maybe_time(quota.refused_until),
    }
}

/// What was done to a user.
#[must_use]
pub fn change(id: AccountId, done: Done) -> responses::UserChange {
    responses::UserChange { id: id.to_hyphenated(), done }
}

/// What has ended.
#[must_use]
pub fn ended(ended: Ended) -> Done {
    match ended {
        Ended::Session => Done::SessionRevoked,
        Ended::RefreshToken => Done::RefreshTokenRevoked,
        Ended::TrustedDevice => Done::DeviceRevoked,
    }
}

#[must_use]
pub fn grants(grants: &Grants) -> responses::Grants {
    responses::Grants {
        sessions: grants.sessions.iter().map(session).collect(),
        refresh_tokens: grants.refresh_tokens.iter().map(refresh_token).collect(),
        trusted_devices: grants.trusted_devices.iter().map(|found| trusted_device(&found.device)).collect(),
    }
}

fn session(session: &Session) -> responses::Session {
    responses::Session {
        id: session.id.to_hyphenated(),
        device: session.device_name().as_str().to_owned(),
        user_agent: session.user_agent.clone(),
        ip_address: session.ip_address.clone(),
        second_factor_at: maybe_time(session.second_factor_at),
        signed_in_at: time(session.signed_in_at),
        last_used_at: time(session.last_used_at),
        expires_at: time(session.expires_at),
    }
}

fn refresh_token(token: &StoredRefreshToken) -> responses::RefreshToken {
    let Device { name, description, kind } = &token.device;
    let device = responses::Device {
        name: name.as_ref().map(DeviceName::as_str).map(str::to_owned),
        description: description.clone(),
        kind: kind.clone(),
    };
    responses::RefreshToken {
        id: token.id.to_hyphenated(),
        application_id: token.application_id.to_hyphenated(),
        device,
        ip_address: token.ip_address.clone(),
        signed_in_at: time(token.signed_in_at),
        last_used_at: time(token.used_at),
    }
}

fn trusted_device(device: &TrustedDevice) -> responses::TrustedDevice {
    responses::TrustedDevice {
        id: device.id.to_hyphenated(),
        name: device.shown_name().as_str().to_owned(),
        user_agent: device.user_agent.clone(),
        ip_address: device.ip_address.clone(),
        trusted_at: time(device.given_at),
        last_used_at: time(device.last_used_at),
        expires_at: time(device.expires_at),
    }
}
