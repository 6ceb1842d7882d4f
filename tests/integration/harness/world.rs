//! A server in this process with everything of its own: directory, database, clock, outbox, port.

use super::BASE_URL;
use super::authenticator::{ORIGIN, RP_ID};
use super::contract::{self, Pairs};
use super::database::Database;
use super::service::{Administrator, Service};
use super::wire::Wire;
use countersign::clock::{Clock, ManualClock, SystemClock};
use countersign::config::Settings;
use countersign::config::passkeys::PasskeyOrigin;
use countersign::config::values::{BaseUrl, DatabaseUrl, KeyringSource};
use countersign::edge::validation::Deviations;
use countersign::server::{self, RunningServer};
use countersign_domain::api_key::ApiKeyRecord;
use countersign_domain::ids::{ApiKeyId, TenantId};
use countersign_domain::keyring::Keyring;
use countersign_domain::passkey::relying_party::RelyingPartyId;
use countersign_domain::password::Cost;
use countersign_domain::secret::ApiKey;
use countersign_domain::tenant::{Application, Directory, RefreshTokenUsage, Tenant};
use countersign_domain::time::Timestamp;
use countersign_test_postgres::DatabaseKind;
use std::net::SocketAddr;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// Where the clock of a test stands when it begins: 2026-03-01T12:00:00Z, the first instant of a TOTP step.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_772_366_400_000);

/// What a key that allows administration is stored with.
pub(crate) const ADMINISTRATION: &str = r#"[{"path": "/admin/*"}]"#;

/// The time that a world goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Time {
    /// It stands still at [`START`] until it is advanced.
    Manual,
    /// The machine's.
    System,
}

/// The clock of a world.
pub(crate) enum WorldClock {
    Manual(ManualClock),
    System(SystemClock),
}

impl WorldClock {
    pub(super) fn new(time: Time) -> Self {
        match time {
            Time::Manual => Self::Manual(ManualClock::at(START)),
            Time::System => Self::System(SystemClock),
        }
    }

    /// Waits until a TOTP step has a few seconds left, where time passes by itself: a code of the step before is right
    /// until its end only.
    pub(crate) async fn settle(&self) {
        const STEP: i64 = 30_000;
        const NEEDED: i64 = 5_000;
        let left = STEP - self.now().as_millis().rem_euclid(STEP);
        if matches!(self, Self::System(_)) && left < NEEDED {
            tokio::time::sleep(Duration::from_millis(left.unsigned_abs() + 50)).await;
        }
    }

    /// Lets `duration` pass. Only where time is manual.
    #[track_caller]
    pub(crate) fn advance(&self, duration: Duration) {
        match self {
            Self::Manual(clock) => clock.advance(duration),
            Self::System(_) => panic!("the machine's clock cannot be advanced"),
        }
    }
}

impl Clock for WorldClock {
    fn now(&self) -> Timestamp {
        match self {
            Self::Manual(clock) => clock.now(),
            Self::System(clock) => clock.now(),
        }
    }
}

/// A running server and all it stands on. It is stopped when this is dropped; [`World::close`] waits for the end. The
/// test fails if a response broke the contract, to whichever client it went.
///
/// Everything that a [`Wire`] does, a world does too.
pub(crate) struct World {
    // Fields are dropped in this order: the directory goes last.
    server: Option<RunningServer>,
    deviations: Arc<Deviations>,
    settings: Arc<Settings>,
    wire: Wire,
    /// The clock that the server goes by.
    pub(crate) clock: Arc<WorldClock>,
    database: Database,
    _directory: TempDir,
}

impl Drop for World {
    fn drop(&mut self) {
        self.assert_contract_kept();
    }
}

impl Deref for World {
    type Target = Wire;

    fn deref(&self) -> &Wire {
        &self.wire
    }
}

impl World {
    /// A server with the settings of most tests: manual time, no limits per client and path.
    pub(crate) async fn start(database: DatabaseKind) -> Self {
        Self::with(database, |_| {}).await
    }

    /// The same, after a change to the settings.
    pub(crate) async fn with(database: DatabaseKind, change: impl FnOnce(&mut Settings)) -> Self {
        Self::on(database, Time::Manual, change).await
    }

    /// A server in a time of choice.
    pub(crate) async fn on(database: DatabaseKind, time: Time, change: impl FnOnce(&mut Settings)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let database = Database::make(database, &data_in(&directory));
        Self::launch(directory, database, time, change).await
    }

    /// A server as a node on a database that it shares with others.
    pub(crate) async fn sharing(database: &Database, time: Time, change: impl FnOnce(&mut Settings)) -> Self {
        Self::launch(tempfile::tempdir().unwrap(), database.clone(), time, change).await
    }

    async fn launch(directory: TempDir, database: Database, time: Time, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::default_in(&data_in(&directory));
        settings.listen = "127.0.0.1:0".parse().unwrap();
        settings.base_url = BaseUrl::parse(BASE_URL).unwrap();
        settings.passkeys.rp_id = Some(RelyingPartyId::parse(RP_ID).unwrap());
        settings.passkeys.origins = vec![PasskeyOrigin::parse(ORIGIN).unwrap()];
        settings.rate_limits_are_on = false;
        settings.responses_are_validated = true;
        settings.log.level = slog::FilterLevel::Critical;
        settings.shutdown_grace = Duration::from_secs(2);
        settings.database.url = DatabaseUrl::parse(&database.url()).unwrap();
        change(&mut settings);
        let clock = Arc::new(WorldClock::new(time));
        let settings = Arc::new(settings);
        let server = start(&settings, &clock).await;
        let base_url = settings.base_url.to_string();
        let wire = Wire::new(server.local_addr(), base_url, settings.outbox.clone(), Arc::clone(&clock));
        let deviations = Arc::clone(server.deviations());
        Self { server: Some(server), deviations, settings, wire, clock, database, _directory: directory }
    }

    /// Asserts that each response of the server so far kept the contract.
    #[track_caller]
    fn assert_contract_kept(&self) {
        contract::assert_kept(&self.deviations.seen());
    }

    /// Stops the server and starts it again on what it left behind. Callers stay good.
    pub(crate) async fn restart(&mut self) {
        self.assert_contract_kept();
        if let Some(server) = self.server.take() {
            server.close().await;
        }
        let server = start(&self.settings, &self.clock).await;
        self.deviations = Arc::clone(server.deviations());
        self.wire.moved_to(server.local_addr());
        self.server = Some(server);
    }

    /// Stops the server and starts it again on what it left behind, with other settings.
    pub(crate) async fn restarted_with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::clone(&self.settings);
        change(&mut settings);
        self.settings = Arc::new(settings);
        self.restart().await;
        self
    }

    /// Stops the server, waits for the end, and says which (operation, status) it had answered.
    pub(crate) async fn close(mut self) -> Pairs {
        if let Some(server) = self.server.take() {
            server.close().await;
        }
        self.wire.produced()
    }

    /// Stops the server, and says which operations had answered with this status.
    pub(crate) async fn answered(self, status: u16) -> Pairs {
        self.close().await.into_iter().filter(|(_, answered)| *answered == status).collect()
    }

    /// A service with a new key, which may do everything.
    pub(crate) async fn service(&self) -> Service {
        self.service_that(None, None).await
    }

    /// A service with a new key for a tenant, or for some operations (JSON).
    pub(crate) async fn service_that(&self, tenant_id: Option<TenantId>, permissions: Option<&str>) -> Service {
        let app = self.server.as_ref().expect("a running server").app();
        let now = self.clock.now();
        let (id, key) =
            countersign::random::system().draw(|random| (ApiKeyId::generate(now, random), ApiKey::generate(random)));
        let record = ApiKeyRecord {
            id,
            name: "test".to_owned(),
            tenant_id,
            permissions: permissions.map(str::to_owned),
            created_at: now,
            revoked_at: None,
        };
        app.store().add_api_key((record, key.digest())).await.unwrap();
        Service::new(self, key.expose(), Some(id))
    }

    /// A client of the administration API, with a new key that allows all of it.
    pub(crate) async fn administrator(&self) -> Administrator {
        self.administrator_of(None).await
    }

    /// The same with a key for a tenant.
    pub(crate) async fn administrator_of(&self, tenant_id: Option<TenantId>) -> Administrator {
        self.service_that(tenant_id, Some(ADMINISTRATION)).await.administrator()
    }

    /// The server's time, as the FusionAuth dialect writes it.
    pub(crate) fn clock_millis(&self) -> i64 {
        self.clock.now().as_millis()
    }

    /// Revokes the key of a service.
    pub(crate) async fn revoke(&self, service: &Service) {
        let app = self.server.as_ref().expect("a running server").app();
        assert!(app.store().revoke_api_key((service.key_id.expect("made here"), self.clock.now())).await.unwrap());
    }

    /// The settings that the server was started with.
    pub(crate) fn settings(&self) -> Settings {
        Settings::clone(&self.settings)
    }

    /// The server's keyring.
    pub(crate) fn keyring(&self) -> Keyring {
        let text = match &self.settings.keyring {
            KeyringSource::DefaultFile(path) | KeyringSource::NamedFile(path) | KeyringSource::Credential(path) => {
                std::fs::read_to_string(path).unwrap()
            }
            KeyringSource::Text(text) => text.expose().to_owned(),
        };
        Keyring::parse(&text).unwrap()
    }

    /// Where metrics are served.
    pub(crate) fn operations(&self) -> SocketAddr {
        let server = self.server.as_ref().expect("a running server");
        server.operations_addr().expect("the settings have a listener for metrics")
    }

    /// The database, behind the server's back.
    pub(crate) fn database(&self) -> &Database {
        &self.database
    }
}

/// Where a world keeps its files.
fn data_in(directory: &TempDir) -> PathBuf {
    directory.path().join("data")
}

/// A change to the settings: passwords cost next to nothing. For races and for tests that make users by the hundred; not
/// where hashes, the time that a response takes, queues, or what an attacker could see are the subject.
pub(crate) fn cheap_passwords(settings: &mut Settings) {
    settings.password_cost = Cost { memory: 8, passes: 1 };
}

/// A change to the settings: how often a refresh token is good.
pub(crate) fn refresh_tokens_are(settings: &mut Settings, usage: RefreshTokenUsage) {
    let application = Application { refresh_token_usage: usage, ..Application::default() };
    settings.directory = Directory::new(vec![Tenant::default()], vec![application]).unwrap();
}

async fn start(settings: &Arc<Settings>, clock: &Arc<WorldClock>) -> RunningServer {
    let clock: Arc<dyn Clock> = Arc::<WorldClock>::clone(clock);
    server::start(Arc::clone(settings), clock)
        .await
        .unwrap_or_else(|error| panic!("{}", countersign_domain::error_chain(&error)))
}
