//! Bodies of the operations at `/api/user/action`: locking a user for a time.

use super::requests::requests;
use crate::responses::{UUID, responses};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

requests! {
    /// `actionUser` and `modifyAction`.
    Action {
        /// The action.
        action: ActionData,
        /// Accepted, without effect.
        broadcast: bool,
    }

    /// An action.
    ActionData {
        /// Id of the user whom it is about.
        #[schemars(length(max = 256))]
        actionee_user_id: String,
        /// Id of the user who takes it.
        #[schemars(length(max = 256))]
        actioner_user_id: String,
        /// Applications that it is limited to: none can be.
        #[schemars(length(max = 64))]
        application_ids: Vec<String>,
        /// Why it is taken.
        #[schemars(length(max = 4096))]
        comment: String,
        /// Accepted, without effect.
        email_user: bool,
        /// When it ends.
        expiry: i64,
        /// Accepted, without effect.
        notify_user: bool,
        /// Option of the action: there is none.
        #[schemars(length(max = 256))]
        option: String,
        /// Reason from a list: there is none.
        #[schemars(length(max = 256))]
        reason_id: String,
        /// Id of the kind of action.
        #[schemars(length(max = 256))]
        user_action_id: String,
    }

    /// `retrieveActions`.
    ActionsQuery {
        /// Id of the user.
        user_id: String,
        /// `false` for actions that are over, of which none is kept.
        active: String,
        /// Accepted: every action keeps the user from logging in.
        preventing_login: String,
    }
}

/// A path that names an action.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActionPath {
    /// Id of the action.
    pub action_id: String,
}

impl fmt::Debug for ActionPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ActionPath").finish_non_exhaustive()
    }
}

responses! {
    /// A lock of a user.
    UserActionLog {
        /// Id of the action: that of the user, who has one at most.
        #[schemars(regex = "UUID")]
        id: String,
        /// Id of the kind of action, a constant.
        #[schemars(regex = "UUID")]
        user_action_id: String,
        /// Id of the user whom it is about.
        #[schemars(regex = "UUID")]
        actionee_user_id: String,
        /// Id of the user who has taken it, as the service said.
        #[schemars(regex = "UUID")]
        #[serde(skip_serializing_if = "Option::is_none")]
        actioner_user_id: Option<String>,
        /// Why it was taken.
        #[serde(skip_serializing_if = "Option::is_none")]
        comment: Option<String>,
        /// Name of the kind of action.
        name: String,
        /// The same, for display.
        localized_name: String,
        /// When it ends.
        expiry: i64,
        /// When a service took it; absent for a lock after wrong codes.
        #[serde(skip_serializing_if = "Option::is_none")]
        insert_instant: Option<i64>,
    }

    /// `actionUser`, `retrieveAction`, `modifyAction` and `cancelAction`.
    ActionResponse {
        /// The action.
        action: UserActionLog,
    }

    /// `retrieveActions`.
    UserActionsResponse {
        /// The actions.
        actions: Vec<UserActionLog>,
    }
}
