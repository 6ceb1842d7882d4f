//! Rows as the server itself would write them, made with its own rules and its own keys.
//!
//! Signing up a million users over HTTP takes hours, because that is what argon2id is for. Here all share one
//! password hash and one set of backup codes, so that a user costs microseconds; the server cannot tell.

use crate::clock::{self, with_random};
use crate::database::Database;
use crate::progress::Progress;
use crate::rows::{Rows, Value};
use crate::tables::{ACCOUNTS, BACKUP_CODES, CHALLENGES, METHODS, SESSIONS, TRUSTED_DEVICES};
use crate::users::{PASSWORD, User, Users};
use anyhow::{Context as _, Result};
use countersign_domain::backup_code::{self, Alphabet, BackupCode};
use countersign_domain::ids::{AccountId, BackupCodeId, MethodId, SessionId, TenantId};
use countersign_domain::keyring::{Keyring, Purpose};
use countersign_domain::password::{Cost, Password, PasswordHash};
use countersign_domain::policy::Policy;
use countersign_domain::secret::{ChallengeToken, SessionToken};
use countersign_domain::stored_secret::{self, Binding, SecretFingerprint};
use countersign_domain::terms::TrustForm;
use countersign_domain::time::Timestamp;
use countersign_domain::totp::TotpSecret;
use countersign_domain::trusted_device;
use data_encoding::BASE64;
use std::path::Path;

/// Users whose rows are written in one transaction.
const BATCH: u64 = 5_000;
/// One user of so many has no second factor.
const PLAIN_ONE_OF: u64 = 10;

/// Makes rows for one server's database.
pub(crate) struct Seeder {
    keyring: Keyring,
    policy: Policy,
    password_hash: String,
    backup_codes: Vec<(BackupCode, String)>,
    /// How many users it has made.
    made: u64,
}

impl Seeder {
    /// For the server that keeps its keyring in `data_dir`.
    pub(crate) fn new(data_dir: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(data_dir.join("keyring")).context("failed to read the server's keyring")?;
        let keyring = Keyring::parse(&text).context("failed to understand the server's keyring")?;
        let password = Password::chosen(PASSWORD, 8, None).ok().context("the benchmark's password is not taken")?;
        let mut memory = Vec::new();
        let (password_hash, backup_codes) = with_random(|random| {
            let hash = PasswordHash::make(&password, Cost::PASSWORD, random, &mut memory).to_text();
            let codes = backup_code::generate_set(Alphabet::Mixed, 2, random).into_iter();
            let codes = codes.map(|code| (code.hash(random, &mut memory).to_text(), code));
            (hash, codes.map(|(hash, code)| (code, hash)).collect())
        });
        Ok(Self { keyring, policy: Policy::default(), password_hash, backup_codes, made: 0 })
    }

    /// Writes `count` users into the database, and returns about `sample` of them, spread over all.
    pub(crate) async fn populate(&mut self, database: &mut Database, count: u64, sample: u64) -> Result<Users> {
        let progress = Progress::new("writing users into the database", count);
        let mut users = Users::default();
        let mut written = 0;
        while written < count {
            let batch = BATCH.min(count - written);
            let mut rows = [ACCOUNTS, METHODS, BACKUP_CODES, SESSIONS].map(Rows::of);
            for index in written..written + batch {
                let is_plain = (index * sample / count).is_multiple_of(PLAIN_ONE_OF);
                let user = self.user(is_plain, &mut rows);
                // The first user of every `count / sample`.
                if index == 0 || index * sample / count != (index - 1) * sample / count {
                    users.add(user);
                }
            }
            database.insert(&rows).await?;
            written += batch;
            progress.add(batch);
        }
        database.tidy().await?;
        Ok(users)
    }

    fn user(&mut self, is_plain: bool, [accounts, methods, backup_codes, sessions]: &mut [Rows; 4]) -> User {
        let now = clock::now();
        let at = Value::Integer(now.as_millis());
        let account = with_random(|random| AccountId::generate(now, random));
        let email = format!("seeded-{:09}@example.com", self.made);
        self.made += 1;
        accounts.values.push(vec![
            Value::Text(account.to_text()),
            Value::Text(TenantId::DEFAULT.to_text()),
            Value::Text(email.clone()),
            Value::from("Written in bulk"),
            Value::Boolean(false),
            Value::Null,
            Value::from("{}"),
            Value::Text(self.password_hash.clone()),
            at.clone(),
            Value::Boolean(false),
            Value::Boolean(true),
            Value::Boolean(!is_plain),
            Value::Integer(0),
            Value::Integer(0),
            Value::Integer(0),
            Value::Null,
            at.clone(),
            at.clone(),
            at.clone(),
        ]);
        let session = self.add_session(account, !is_plain, sessions);
        let secret = (!is_plain).then(|| {
            self.add_backup_codes(account, backup_codes);
            self.add_methods(account, &email, now, methods)
        });
        User { email, account, session, secret }
    }

    /// Adds the row of a session, with a second factor just passed or none, and returns its token.
    pub(crate) fn add_session(&self, account: AccountId, has_second_factor: bool, rows: &mut Rows) -> String {
        let now = clock::now();
        let (session, token) = with_random(|random| (SessionId::generate(now, random), SessionToken::generate(random)));
        rows.values.push(vec![
            Value::Text(session.to_text()),
            Value::Text(account.to_text()),
            Value::Bytes(token.digest().as_bytes().to_vec()),
            Value::Boolean(true),
            if has_second_factor { millis(now) } else { Value::Null },
            Value::from("127.0.0.1"),
            Value::from(""),
            millis(now),
            millis(now),
            millis(now + self.policy.session_lifetime),
        ]);
        token.expose().to_owned()
    }

    /// What everybody has who enrolled in the Better Auth dialect: an authenticator app, and codes by mail.
    fn add_methods(&self, account: AccountId, email: &str, now: Timestamp, rows: &mut Rows) -> TotpSecret {
        let (id, secret, sealed, mail) = with_random(|random| {
            let (id, secret) = (MethodId::generate(now, random), TotpSecret::generate(random));
            let sealed = stored_secret::seal(&secret, account, id, Binding::Account, &self.keyring, random);
            (id, secret, sealed, MethodId::generate(now, random))
        });
        rows.values.push(vec![
            Value::Text(id.to_text()),
            Value::Text(account.to_text()),
            Value::from("TOTP"),
            Value::from("authenticator"),
            Value::Null,
            Value::Text(sealed.key_id),
            Value::Bytes(sealed.bytes),
            Value::Null,
            millis(now),
            millis(now),
            Value::Bytes(SecretFingerprint::of(&secret, account, &self.keyring).as_bytes().to_vec()),
        ]);
        rows.values.push(vec![
            Value::Text(mail.to_text()),
            Value::Text(account.to_text()),
            Value::from("MAIL"),
            Value::from("email"),
            Value::from(email),
            Value::Null,
            Value::Null,
            Value::Null,
            millis(now),
            millis(now),
            Value::Null,
        ]);
        secret
    }

    /// Adds the rows of an unused set of backup codes; see [`Seeder::backup_code`].
    pub(crate) fn add_backup_codes(&self, account: AccountId, rows: &mut Rows) {
        let now = clock::now();
        for (code, hash) in &self.backup_codes {
            rows.values.push(vec![
                Value::Text(with_random(|random| BackupCodeId::generate(now, random)).to_text()),
                Value::Text(account.to_text()),
                Value::Bytes(code.selectors(account, &self.keyring).swap_remove(0)),
                Value::Text(hash.clone()),
                Value::Boolean(false),
                Value::Null,
                millis(now),
            ]);
        }
    }

    /// A code of everybody's set, counted from zero.
    pub(crate) fn backup_code(&self, index: usize) -> &str {
        self.backup_codes[index].0.expose()
    }

    /// Adds the row of an open challenge, and returns its token.
    pub(crate) fn add_challenge(&self, account: AccountId, rows: &mut Rows) -> String {
        let now = clock::now();
        let token = with_random(ChallengeToken::generate);
        rows.values.push(vec![
            Value::Bytes(token.digest().as_bytes().to_vec()),
            Value::Text(account.to_text()),
            Value::Integer(0),
            Value::Integer(0),
            Value::Boolean(true),
            millis(now),
            millis(now + self.policy.challenge_lifetime),
        ]);
        token.expose().to_owned()
    }

    /// Adds the row of a trusted device, and returns its cookie's value.
    pub(crate) fn add_trusted_device(&self, account: AccountId, rows: &mut Rows) -> String {
        let now = clock::now();
        let generate = |random: &mut dyn rand_core::CryptoRng| {
            trusted_device::generate(TrustForm::Rotating, account, &self.keyring, random)
        };
        let token = with_random(generate);
        rows.values.push(vec![
            Value::Bytes(token.digest().as_bytes().to_vec()),
            Value::Text(account.to_text()),
            millis(now),
            millis(now + self.policy.trust_lifetime),
        ]);
        let value = token.expose();
        format!("{value}.{}", BASE64.encode(&self.keyring.mac(Purpose::TrustCookie, value.as_bytes())))
    }

    /// Rows for sessions.
    pub(crate) fn sessions() -> Rows {
        Rows::of(SESSIONS)
    }

    /// Rows for challenges.
    pub(crate) fn challenges() -> Rows {
        Rows::of(CHALLENGES)
    }

    /// Rows for backup codes.
    pub(crate) fn backup_code_rows() -> Rows {
        Rows::of(BACKUP_CODES)
    }

    /// Rows for trusted devices.
    pub(crate) fn trusted_devices() -> Rows {
        Rows::of(TRUSTED_DEVICES)
    }
}

fn millis(instant: Timestamp) -> Value {
    Value::Integer(instant.as_millis())
}
