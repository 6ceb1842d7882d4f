//! `countersign user`: administers users beside a running server, by the same flows.

mod export;
pub(super) mod find;
mod show;

use super::database::{DatabaseCommandError as Error, flows};
use super::operator::Operator;
use super::prompt::{self, Confirmation};
use crate::administration::new_user::{self, Description, Refused};
use crate::administration::users;
use crate::config::Settings;
use clap::{Args, Subcommand};
use countersign_api::admin::responses::Done;
use countersign_domain::decisions::factor_reset::FactorReset;
use countersign_domain::ids::AccountId;
use countersign_domain::limits::AccountLimits;
use countersign_domain::password::{self, PasswordPolicyViolation};
use countersign_domain::policy::USERS_AT_ONCE;
use countersign_domain::user::User;
use countersign_flows::administration::{ActivityChange, Ended, FactorsReset};
use countersign_flows::reports::UserFilter;
use countersign_flows::users::{NewUser, NotWritten};
use countersign_flows::{Caller, Flows};
use countersign_store::Store;
use find::{InTenant, Which};
use serde::Serialize;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

const EXAMPLES: &str = "\
Examples:
  countersign user show ada@example.com
      Who it is, and what is counted against the account.
  countersign user unlock ada@example.com
      End every lock, and set the counts to zero.
  countersign user reset-factors --yes ada
      Take a lost second factor and all passkeys away; the password alone signs in, until another factor is enrolled.
  pass show ada | countersign user set-password ada
      Set a password; it is the first line of standard input, and never an argument.
  countersign user list --starts-with ad --json
      Find users by the beginning of the e-mail address or user name.

The commands work beside a running server, on its database and with its keyring. A change follows the rules of the server, \
and the audit trail names the operator. A user is named by id, e-mail address, user name or telephone number.

Settings, such as --database-url, are given as to the server: `countersign --help` explains them.

Exit status: 0 on success; 2 for a mistake in the command line or the configuration, an unknown or ambiguous user, a password \
or a name that the rules refuse, or a change that nobody confirmed because there is no terminal; 1 for other failures, and if \
the operator did not confirm.";

#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct UserCommands {
    #[command(subcommand)]
    command: UserCommand,
}

#[derive(Clone, Debug, Subcommand)]
enum UserCommand {
    /// List users in the order of their ids, page by page.
    List(List),
    /// Show a user: names, methods, locks, and what is counted against the account.
    Show(Target),
    /// Create a user. The password is the first line of standard input; a terminal asks for it.
    Create(Create),
    /// End the locks of a user, also one that a service has set, and set everything that is counted to zero.
    Unlock(Change),
    /// Take all methods, passkeys and recovery codes away, because they are lost. Ends trust in devices, open sign-ins and sent
    /// codes; if a passkey was removed, sessions end, too. The user is notified by mail.
    ResetFactors(Confirmed),
    /// Set the password: the first line of standard input; a terminal asks for it. Ends everything that the old one has opened.
    SetPassword(Change),
    /// Deactivate a user: sign-ins are refused, and all sessions and tokens end.
    Deactivate(Confirmed),
    /// Make a deactivated user usable again.
    Reactivate(Change),
    /// Delete a user and everything that is stored about the user, but for the audit trail.
    Delete(Confirmed),
    /// List sessions, refresh tokens and trusted devices of a user.
    Sessions(Target),
    /// End all sessions, refresh tokens and trust in devices of a user, or one of them.
    Revoke(Revoke),
    /// Write everything that is stored about a user, the audit trail included, as JSON. There are no secrets and hashes in it.
    Export(Export),
}

#[derive(Clone, Debug, Args)]
struct Target {
    #[command(flatten)]
    which: Which,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Debug, Args)]
struct Change {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    operator: Operator,
}

#[derive(Clone, Debug, Args)]
struct Confirmed {
    #[command(flatten)]
    change: Change,
    #[command(flatten)]
    confirmation: Confirmation,
}

#[derive(Clone, Debug, Args)]
struct Revoke {
    #[command(flatten)]
    confirmed: Confirmed,
    /// Only the session, refresh token or trusted device with this id, from `sessions`.
    #[arg(long, value_name = "ID")]
    only: Option<String>,
}

#[derive(Clone, Debug, Args)]
struct Export {
    #[command(flatten)]
    which: Which,
    /// Write to this new file, which only its owner can read [default: standard output].
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
struct List {
    /// Id of the tenant [default: the first].
    #[arg(long, value_name = "UUID")]
    tenant: Option<String>,
    /// Only users whose e-mail address or user name starts with this text.
    #[arg(long, value_name = "TEXT")]
    starts_with: Option<String>,
    /// Users of a page.
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=i64::from(USERS_AT_ONCE)))]
    limit: u32,
    /// Continue after the user with this id: the last one of the page before.
    #[arg(long, value_name = "ID")]
    after: Option<String>,
    /// Print JSON: `users`, and in `nextCursor` the value of --after for the next page, if there is one.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Debug, Args)]
struct Create {
    /// E-mail address.
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// User name.
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    /// Name as it is shown.
    #[arg(long, value_name = "TEXT", default_value = "")]
    name: String,
    /// Mark the e-mail address as verified, without sending a link.
    #[arg(long, requires = "email")]
    verified: bool,
    /// Have the user change the password at the first sign-in through FusionAuth's API.
    #[arg(long)]
    change_password: bool,
    /// Id of the tenant [default: the first].
    #[arg(long, value_name = "UUID")]
    tenant: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    operator: Operator,
}

/// What a command works with.
struct Context<'a> {
    settings: &'a Settings,
    environment: &'a [(String, String)],
    store: Arc<Store>,
    flows: Flows,
}

/// Runs a command and writes its output.
pub(super) async fn run(
    settings: &Settings,
    environment: &[(String, String)],
    commands: UserCommands,
    output: &mut (dyn Write + Send),
) -> Result<(), Error> {
    commands.check_confirmation()?;
    let (store, flows) = flows(settings).await?;
    let context = Context { settings, environment, store, flows };
    let text = match commands.command {
        UserCommand::Export(export) => return export::run(&context, &export.which, export.output, output).await,
        UserCommand::List(list) => context.list(&list).await?,
        UserCommand::Show(target) => context.show(&target).await?,
        UserCommand::Create(create) => context.create(&create).await?,
        UserCommand::Unlock(change) => context.unlock(&change).await?,
        UserCommand::ResetFactors(confirmed) => context.reset_factors(&confirmed).await?,
        UserCommand::SetPassword(change) => context.set_password(&change).await?,
        UserCommand::Deactivate(confirmed) => context.deactivate(&confirmed).await?,
        UserCommand::Reactivate(change) => context.reactivate(&change).await?,
        UserCommand::Delete(confirmed) => context.delete(&confirmed).await?,
        UserCommand::Sessions(target) => context.sessions(&target).await?,
        UserCommand::Revoke(revoke) => context.revoke(&revoke).await?,
    };
    output.write_all(text.as_bytes()).map_err(Error::Output)
}

impl UserCommands {
    /// Refuses what nobody can confirm, before the database is opened.
    fn check_confirmation(&self) -> Result<(), Error> {
        match &self.command {
            UserCommand::ResetFactors(confirmed)
            | UserCommand::Deactivate(confirmed)
            | UserCommand::Delete(confirmed)
            | UserCommand::Revoke(Revoke { confirmed, .. }) => confirmed.confirmation.check(),
            UserCommand::List(_)
            | UserCommand::Show(_)
            | UserCommand::Create(_)
            | UserCommand::Unlock(_)
            | UserCommand::SetPassword(_)
            | UserCommand::Reactivate(_)
            | UserCommand::Sessions(_)
            | UserCommand::Export(_) => Ok(()),
        }
    }
}

/// How a change ended: a line of text, or JSON with the user and what was done.
fn done(json: bool, user: &User, done: Done, sentence: &str) -> String {
    match json {
        true => printed(&users::change(user.account.id, done)),
        false => format!("{sentence} {}.\n", show::label(user)),
    }
}

fn printed(shown: &impl Serialize) -> String {
    format!("{}\n", serde_json::to_value(shown).expect("what is shown can be written as JSON"))
}

fn gone(user: &User) -> Error {
    Error::Usage(format!("the user {} was deleted, or is being changed, at the same moment", show::label(user)))
}

impl Context<'_> {
    async fn find(&self, target: &Target) -> Result<User, Error> {
        target.which.find(self.settings, &self.store).await
    }

    /// The user and the operator of a change.
    async fn prepare(&self, change: &Change) -> Result<(User, Caller), Error> {
        let caller = change.operator.caller(self.environment)?;
        Ok((self.find(&change.target).await?, caller))
    }

    async fn limits(&self, user: &User) -> Result<AccountLimits, Error> {
        self.flows.account_limits(user.account.id).await?.ok_or_else(|| gone(user))
    }

    async fn list(&self, list: &List) -> Result<String, Error> {
        let tenant_id =
            InTenant::named(list.tenant.clone()).read(self.settings)?.unwrap_or(self.settings.directory.home().id);
        let read = |text: &String| {
            AccountId::parse(text).ok_or_else(|| Error::Usage(format!("--after: `{text}` is not the id of a user")))
        };
        let after = list.after.as_ref().map(read).transpose()?;
        let filter = UserFilter { tenant_id, starts_with: list.starts_with.as_deref(), after, limit: list.limit };
        let page = self.flows.list_users(filter).await?;
        if list.json {
            return Ok(printed(&users::page(&page)));
        }
        let mut text: String = page.users.iter().map(show::line).collect();
        if text.is_empty() {
            "There are no such users.\n".clone_into(&mut text);
        }
        if let Some(next) = page.next {
            text.push_str(&format!("There are more: --after {}\n", next.to_hyphenated()));
        }
        Ok(text)
    }

    async fn show(&self, target: &Target) -> Result<String, Error> {
        let user = self.find(target).await?;
        let limits = self.limits(&user).await?;
        Ok(match target.json {
            true => printed(&users::details(&user, &limits)),
            false => show::as_text(&user, &limits),
        })
    }

    async fn create(&self, create: &Create) -> Result<String, Error> {
        let caller = create.operator.caller(self.environment)?;
        let tenant = InTenant::named(create.tenant.clone()).read(self.settings)?;
        let described = new_user::profile(Description {
            email: create.email.as_deref(),
            username: create.username.as_deref(),
            name: &create.name,
            email_verified: create.verified,
            password_change_required: create.change_password,
        });
        let profile = described.map_err(|refused| {
            Error::Usage(match refused {
                Refused::Field(field, text) => format!("--{field}: {text}"),
                Refused::NoLoginName => "a user needs --email or --username to sign in with".to_owned(),
            })
        })?;
        let password = prompt::new_password()?;
        let tenant_id = tenant.unwrap_or(self.settings.directory.home().id);
        let new = NewUser { tenant_id, id: None, profile, password: password.expose(), registration: None };
        let user = self.flows.create_user(&caller, new).await?.map_err(not_written)?;
        Ok(match create.json {
            true => printed(&users::user(&user)),
            false => format!("Created {}.\n", show::label(&user)),
        })
    }

    async fn unlock(&self, change: &Change) -> Result<String, Error> {
        let (user, caller) = self.prepare(change).await?;
        match self.flows.lift_limits(&caller, user.account.id).await? {
            true => Ok(done(change.target.json, &user, Done::Unlocked, "Unlocked")),
            false => Err(gone(&user)),
        }
    }

    async fn reset_factors(&self, confirmed: &Confirmed) -> Result<String, Error> {
        let change = &confirmed.change;
        let (user, caller) = self.prepare(change).await?;
        let label = show::label(&user);
        confirmed.confirmation.ask(&format!("Remove the second factor and all passkeys of {label}?"))?;
        let removed = match self.flows.reset_factors(&caller, user.account.id).await? {
            FactorsReset::Decided(FactorReset::SwitchOff) => "Removed the second factor of",
            FactorsReset::Decided(FactorReset::RemovePasskeys) => "Removed the passkeys of",
            FactorsReset::Decided(FactorReset::NoFactor) => {
                return Err(Error::Usage(format!("{label} has no second factor and no passkey")));
            }
            FactorsReset::Gone => return Err(gone(&user)),
        };
        let mut text = done(change.target.json, &user, Done::FactorsReset, removed);
        // Where this cannot be read, the factor is removed all the same.
        let limits = if change.target.json { None } else { self.limits(&user).await.ok() };
        if limits.is_some_and(|limits| limits.kept_out_until().is_some()) {
            text.push_str("The user is locked: `countersign user unlock` ends that.\n");
        }
        Ok(text)
    }

    async fn set_password(&self, change: &Change) -> Result<String, Error> {
        let (user, caller) = self.prepare(change).await?;
        let password = prompt::new_password()?;
        let set = self.flows.set_password_of(&caller, user.account.id, password.expose()).await?;
        let user = set.map_err(not_written)?;
        Ok(done(change.target.json, &user, Done::PasswordSet, "Set the password of"))
    }

    async fn deactivate(&self, confirmed: &Confirmed) -> Result<String, Error> {
        let (user, caller) = self.prepare(&confirmed.change).await?;
        let already = || Error::Usage(format!("{} is deactivated already", show::label(&user)));
        if !user.account.is_active {
            return Err(already());
        }
        confirmed.confirmation.ask(&format!("Deactivate {} and end all sessions?", show::label(&user)))?;
        let changed = self.flows.set_active_by_id(&caller, user.account.id, false).await?.map_err(not_written)?;
        let ActivityChange::Done(user) = changed else { return Err(already()) };
        Ok(done(confirmed.change.target.json, &user, Done::Deactivated, "Deactivated"))
    }

    async fn reactivate(&self, change: &Change) -> Result<String, Error> {
        let (user, caller) = self.prepare(change).await?;
        let changed = self.flows.set_active_by_id(&caller, user.account.id, true).await?.map_err(not_written)?;
        let ActivityChange::Done(user) = changed else {
            return Err(Error::Usage(format!("{} is active", show::label(&user))));
        };
        Ok(done(change.target.json, &user, Done::Reactivated, "Reactivated"))
    }

    async fn delete(&self, confirmed: &Confirmed) -> Result<String, Error> {
        let (user, caller) = self.prepare(&confirmed.change).await?;
        confirmed.confirmation.ask(&format!("Delete {}? That cannot be undone.", show::label(&user)))?;
        match self.flows.delete_user(&caller, user.account.id).await? {
            true => Ok(done(confirmed.change.target.json, &user, Done::Deleted, "Deleted")),
            false => Err(gone(&user)),
        }
    }

    async fn sessions(&self, target: &Target) -> Result<String, Error> {
        let user = self.find(target).await?;
        let grants = self.flows.grants_of(&user.account).await?;
        Ok(match target.json {
            true => printed(&users::grants(&grants)),
            false => show::grants_as_text(&grants),
        })
    }

    async fn revoke(&self, revoke: &Revoke) -> Result<String, Error> {
        let Confirmed { change, confirmation } = &revoke.confirmed;
        let (user, caller) = self.prepare(change).await?;
        let (json, label) = (change.target.json, show::label(&user));
        let Some(id) = &revoke.only else {
            confirmation.ask(&format!("End all sessions, refresh tokens and trusted devices of {label}?"))?;
            return match self.flows.revoke_all(&caller, user.account.id).await? {
                true => {
                    Ok(done(json, &user, Done::AllRevoked, "Ended all sessions, refresh tokens and trusted devices of"))
                }
                false => Err(gone(&user)),
            };
        };
        confirmation.ask(&format!("End {id} of {label}?"))?;
        match self.flows.revoke_grant(&caller, user.account.id, id).await? {
            Some(Ended::Session) => Ok(done(json, &user, users::ended(Ended::Session), "Ended the session of")),
            Some(Ended::RefreshToken) => {
                Ok(done(json, &user, users::ended(Ended::RefreshToken), "Ended the refresh token of"))
            }
            Some(Ended::TrustedDevice) => {
                Ok(done(json, &user, users::ended(Ended::TrustedDevice), "Ended the trust in the device of"))
            }
            None => {
                Err(Error::Usage(format!("{label} has no session, refresh token or trusted device with the id `{id}`")))
            }
        }
    }
}

/// Why a user is not created or changed.
fn not_written(refused: NotWritten) -> Error {
    Error::Usage(match refused {
        NotWritten::Gone => "the user was deleted, or is being changed, at the same moment".to_owned(),
        NotWritten::Violation(PasswordPolicyViolation::TooShort { shortest }) => {
            format!("the password is too short: it needs {shortest} characters")
        }
        NotWritten::Violation(PasswordPolicyViolation::TooLong) => {
            format!("the password is too long: it may have {} characters", password::LONGEST)
        }
        NotWritten::Violation(PasswordPolicyViolation::Common) => {
            "the password is among those that attackers try first".to_owned()
        }
        NotWritten::EmailTaken => "another user has this e-mail address".to_owned(),
        NotWritten::UsernameTaken => "another user has this user name".to_owned(),
        NotWritten::PhoneNumberTaken => "another user has this telephone number".to_owned(),
        NotWritten::IdTaken => "another user has this id".to_owned(),
        NotWritten::LeavesNoMethod => "the user would have no second factor left that the tenant takes".to_owned(),
    })
}
