//! The statuses of each operation, with their bodies and headers: the contract's `responses`, as types.

use super::problem::ProblemDocument;
use super::responses;
use crate::reply::Documented;

const LOCATION: &str = "Location";
const RETRY_AFTER: &str = "Retry-After";
const WWW_AUTHENTICATE: &str = "WWW-Authenticate";

const fn problem(status: u16, description: &'static str, headers: &'static [&'static str]) -> Documented {
    Documented::new::<ProblemDocument>(status, description, headers)
}

const BAD_REQUEST: Documented = problem(400, "The request is not valid.", &[]);
const UNAUTHORIZED: Documented = problem(401, "There is no valid API key.", &[WWW_AUTHENTICATE]);
const FORBIDDEN: Documented = problem(403, "The API key does not allow this operation.", &[WWW_AUTHENTICATE]);
const NOT_FOUND: Documented = problem(404, "There is no such thing.", &[]);
const CONFLICT: Documented = problem(409, "It does not fit the user, or another one.", &[]);
const PAYLOAD_TOO_LARGE: Documented = problem(413, "The body is larger than the server reads.", &[]);
const UNSUPPORTED_MEDIA_TYPE: Documented = problem(415, "The body is not labelled as JSON.", &[]);
const TOO_MANY_REQUESTS: Documented = problem(429, "Too many requests.", &[RETRY_AFTER]);
const INTERNAL_SERVER_ERROR: Documented = problem(500, "The server failed.", &[]);
const SERVICE_UNAVAILABLE: Documented = problem(503, "The server is too busy, or about to stop.", &[RETRY_AFTER]);

/// Errors of every operation.
const ALWAYS: &[Documented] =
    &[UNAUTHORIZED, FORBIDDEN, NOT_FOUND, TOO_MANY_REQUESTS, INTERNAL_SERVER_ERROR, SERVICE_UNAVAILABLE];
/// Further errors of operations with a query.
const ASKED: &[Documented] = &[BAD_REQUEST];
/// Further errors of operations that change something.
const CHANGED: &[Documented] = &[BAD_REQUEST, PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE];

crate::replies! {
    /// `listUsers`.
    pub enum ListUsers {
        200 "A page of users." => responses::UserPage, headers [];
        errors [ALWAYS, ASKED];
    }

    /// `createUser`.
    pub enum CreateUser {
        201 "The new user." => responses::User, headers [LOCATION];
        errors [ALWAYS, CHANGED, &[CONFLICT]];
    }

    /// `readUser`.
    pub enum ReadUser {
        200 "The user." => responses::UserDetails, headers [];
        errors [ALWAYS];
    }

    /// `deleteUser`, `unlockUser`, `setPassword`, `revokeGrants` and `revokeGrant`.
    pub enum ChangeUser {
        200 "It is done." => responses::UserChange, headers [];
        errors [ALWAYS, CHANGED];
    }

    /// `resetFactors`.
    pub enum ResetFactors {
        200 "The user has no second factor." => responses::UserChange, headers [];
        errors [ALWAYS, CHANGED, &[CONFLICT]];
    }

    /// `deactivateUser`.
    pub enum DeactivateUser {
        200 "The user is deactivated." => responses::UserChange, headers [];
        errors [ALWAYS, CHANGED, &[CONFLICT]];
    }

    /// `reactivateUser`.
    pub enum ReactivateUser {
        200 "The user is active." => responses::UserChange, headers [];
        errors [ALWAYS, CHANGED, &[CONFLICT]];
    }

    /// `listGrants`.
    pub enum ListGrants {
        200 "What is open." => responses::Grants, headers [];
        errors [ALWAYS];
    }

    /// `exportUser`.
    pub enum ExportUser {
        200 "What is stored." => responses::UserExport, headers [];
        errors [ALWAYS];
    }

    /// `readStatistics`.
    pub enum ReadStatistics {
        200 "The counts." => responses::Statistics, headers [];
        errors [ALWAYS];
    }

    /// `listAuditEvents`.
    pub enum ListAuditEvents {
        200 "A page of events." => responses::AuditEventPage, headers [];
        errors [ALWAYS, ASKED];
    }
}
