//! Makes the requests of each class of operations.
//!
//! What can be used once (challenges with their codes) is written into the database beforehand, in rounds: a sign-in
//! to get each challenge would cost an argon2id hash, and a TOTP step is accepted once per user. Between rounds the
//! users' last TOTP steps are forgotten and their backup codes renewed. What can be sent again and again is made once
//! for each user, and users are divided among the connections, so that no user does two things at once.

use crate::database::Database;
use crate::operation::Operation;
use crate::request::{Sender, get, post};
use crate::rows::Rows;
use crate::seed::Seeder;
use crate::source::{Source, TotpAttempt};
use crate::users::{PASSWORD, User, Users};
use anyhow::{Context as _, Result, ensure};
use countersign_domain::totp::STEP_SECONDS;
use serde_json::json;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// Every user completes so many challenges in a round, far apart.
const PASSES: usize = 2;
/// So many users take part in a round at most: making rows for more takes longer than a round.
const USERS_IN_A_ROUND: usize = 4096;
/// Accounts that are named in one statement.
const NAMES_PER_STATEMENT: usize = 500;

/// Everything that requests are made from.
pub(crate) struct Subject {
    /// Who takes part.
    pub(crate) users: Users,
    /// The database behind the server's back.
    pub(crate) database: Database,
    /// Makes rows for it.
    pub(crate) seeder: Seeder,
    /// Rounds so far, which tell new users apart.
    pub(crate) rounds: u64,
}

impl Subject {
    /// Makes a round's requests for each connection.
    pub(crate) async fn prepare(&mut self, operation: Operation, connections: u32) -> Result<Vec<Source>> {
        self.rounds += 1;
        let lanes = 0..usize::try_from(connections)?;
        let (plain, enrolled) = (self.users.plain.len(), self.users.enrolled.len());
        ensure!(plain >= lanes.len() && enrolled >= lanes.len(), "there are fewer users than connections");
        Ok(match operation {
            Operation::SignUp => {
                lanes.map(|lane| Source::SignUps { tag: format!("{}-{lane}", self.rounds), next: 0 }).collect()
            }
            Operation::SignIn => cycles(&self.users.plain, lanes.len(), sign_in),
            Operation::SignInToChallenge => cycles(&self.users.enrolled, lanes.len(), sign_in),
            Operation::GetSession => cycles(&self.users.enrolled, lanes.len(), get_session),
            Operation::ChangePassword => {
                let body = json!({"currentPassword": PASSWORD, "newPassword": PASSWORD});
                self.sessions(lanes.len(), "change-password", &body).await?
            }
            Operation::GenerateBackupCodes => {
                let body = json!({"password": PASSWORD});
                self.sessions(lanes.len(), "two-factor/generate-backup-codes", &body).await?
            }
            Operation::TrustedSignIn => self.trusted_devices(lanes.len()).await?,
            Operation::VerifyTotp => {
                let waiting = Rc::new(RefCell::new(self.totp_attempts().await?));
                lanes.map(|_| Source::TotpCodes(Rc::clone(&waiting))).collect()
            }
            Operation::VerifyBackupCode => once(self.backup_codes().await?, lanes.len()),
            Operation::SignOut => once(self.sign_outs().await?, lanes.len()),
        })
    }

    /// Makes a round's requests for one connection.
    pub(crate) async fn prepare_one(&mut self, operation: Operation) -> Result<Source> {
        self.prepare(operation, 1).await?.pop().context("no requests were made for the only connection")
    }

    async fn trusted_devices(&mut self, lanes: usize) -> Result<Vec<Source>> {
        let mut rows = Seeder::trusted_devices();
        let mut devices = vec![Vec::new(); lanes];
        for (index, user) in self.users.enrolled.iter().take(USERS_IN_A_ROUND).enumerate() {
            let cookie = self.seeder.add_trusted_device(user.account, &mut rows);
            devices[index % lanes].push((user.email.clone(), cookie));
        }
        self.insert_grants(&[rows]).await?;
        Ok(devices.into_iter().map(|devices| Source::TrustedDevices { devices, next: 0 }).collect())
    }

    async fn sessions(
        &mut self,
        lanes: usize,
        operation: &'static str,
        body: &serde_json::Value,
    ) -> Result<Vec<Source>> {
        let mut rows = Seeder::sessions();
        let mut sessions = vec![Vec::new(); lanes];
        for (index, user) in self.users.enrolled.iter().take(USERS_IN_A_ROUND).enumerate() {
            sessions[index % lanes].push(self.seeder.add_session(user.account, true, &mut rows));
        }
        self.insert_grants(&[rows]).await?;
        let source = |tokens| Source::Sessions { tokens, next: 0, operation, body: body.clone() };
        Ok(sessions.into_iter().map(source).collect())
    }

    /// Challenges of everybody with a code each that was not used. A code of the present step goes first and one of
    /// the next step later, so that nobody's steps go backwards.
    async fn totp_attempts(&mut self) -> Result<Vec<TotpAttempt>> {
        let mut rows = Seeder::challenges();
        let mut attempts = Vec::new();
        // The last is sent first.
        for pass in (0..PASSES).rev() {
            let ahead = Duration::from_secs(STEP_SECONDS) * u32::try_from(pass)?;
            for user in self.users.enrolled.iter().take(USERS_IN_A_ROUND) {
                let Some(secret) = user.secret.clone() else { continue };
                let challenge = self.seeder.add_challenge(user.account, &mut rows);
                attempts.push(TotpAttempt { challenge, secret, ahead });
            }
        }
        self.for_those_in_a_round("UPDATE methods SET last_step = NULL WHERE account_id IN").await?;
        self.for_those_in_a_round("DELETE FROM spent_steps WHERE account_id IN").await?;
        self.insert_grants(&[rows]).await?;
        Ok(attempts)
    }

    async fn backup_codes(&mut self) -> Result<Vec<Vec<u8>>> {
        let (mut challenges, mut codes) = (Seeder::challenges(), Seeder::backup_code_rows());
        let mut requests = Vec::new();
        for pass in 0..PASSES {
            for user in self.users.enrolled.iter().take(USERS_IN_A_ROUND) {
                if pass == 0 {
                    self.seeder.add_backup_codes(user.account, &mut codes);
                }
                let challenge = self.seeder.add_challenge(user.account, &mut challenges);
                let body = json!({"code": self.seeder.backup_code(pass)});
                requests.push(post("two-factor/verify-backup-code", Sender::Bearer(&challenge), &body));
            }
        }
        self.for_those_in_a_round("DELETE FROM backup_codes WHERE account_id IN").await?;
        self.database.insert(&[codes]).await?;
        self.insert_grants(&[challenges]).await?;
        Ok(requests)
    }

    async fn sign_outs(&mut self) -> Result<Vec<Vec<u8>>> {
        let mut rows = Seeder::sessions();
        let mut requests = Vec::new();
        for user in self.users.enrolled.iter().take(USERS_IN_A_ROUND) {
            let session = self.seeder.add_session(user.account, true, &mut rows);
            requests.push(post("sign-out", Sender::Bearer(&session), &json!({})));
        }
        self.insert_grants(&[rows]).await?;
        Ok(requests)
    }

    /// Inserts what depends on the versions of credentials and factors of its account, as of now.
    async fn insert_grants(&mut self, rows: &[Rows]) -> Result<()> {
        self.database.insert(rows).await?;
        for Rows { table, .. } in rows {
            self.for_those_in_a_round(&format!(
                "UPDATE {0} SET (credentials_version, factors_version) = (SELECT a.credentials_version, a.factors_version \
                 FROM accounts a WHERE a.id = {0}.account_id) WHERE account_id IN",
                table.name
            ))
            .await?;
        }
        self.database.settle().await
    }

    /// Runs a statement that is followed by a list of accounts.
    async fn for_those_in_a_round(&mut self, statement: &str) -> Result<()> {
        let accounts: Vec<String> = self.users.enrolled.iter().map(|user| format!("'{}'", user.account)).collect();
        for names in accounts[..accounts.len().min(USERS_IN_A_ROUND)].chunks(NAMES_PER_STATEMENT) {
            self.database.execute(&format!("{statement} ({})", names.join(", "))).await?;
        }
        Ok(())
    }

    /// A request to read somebody's session.
    pub(crate) fn a_session(&self) -> Option<Vec<u8>> {
        self.users.enrolled.first().map(get_session)
    }
}

fn cycles(users: &[User], lanes: usize, request: impl Fn(&User) -> Vec<u8>) -> Vec<Source> {
    let lane = |lane| users.iter().skip(lane).step_by(lanes).map(&request).collect();
    (0..lanes).map(|index| Source::Cycle { requests: lane(index), next: 0 }).collect()
}

/// Requests that all connections share.
fn once(requests: Vec<Vec<u8>>, lanes: usize) -> Vec<Source> {
    let waiting = Rc::new(RefCell::new(requests));
    (0..lanes).map(|_| Source::Once(Rc::clone(&waiting))).collect()
}

fn sign_in(user: &User) -> Vec<u8> {
    post("sign-in/email", Sender::Nobody, &json!({"email": user.email, "password": PASSWORD}))
}

fn get_session(user: &User) -> Vec<u8> {
    get("/api/auth/get-session", Sender::Bearer(&user.session))
}
