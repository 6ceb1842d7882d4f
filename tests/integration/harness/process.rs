//! The compiled program as a process of its own, for what cannot be seen from inside: crashes, memory, logs.

use super::BASE_URL;
use super::contract;
use super::database::Database;
use super::service::Service;
use super::wire::Wire;
use super::world::{Time, WorldClock};
use countersign_test_postgres::DatabaseKind;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

/// A server in a process of its own, in the machine's time. It is killed, by its own id, when this is dropped. The test
/// fails if the log says that a response broke the contract.
///
/// Everything that a [`Wire`] does, a process does too.
pub(crate) struct Process {
    child: Child,
    directory: PathBuf,
    /// What starts the program, which is its last argument.
    starter: Vec<String>,
    environment: Vec<(String, String)>,
    first_screen: String,
    wire: Wire,
    database: Database,
}

/// Memory of a process, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// What it holds now, beside the pages of its own program: a build for tests has several times as many of those.
    pub(crate) held: u64,
    /// The most it ever held.
    pub(crate) peak: u64,
}

impl Deref for Process {
    type Target = Wire;

    fn deref(&self) -> &Wire {
        &self.wire
    }
}

impl Process {
    /// Starts the program on a free port, with `directory/data` for its data and its log in `directory/log`. The
    /// environment is added to the one of most tests: no limits per client and path, a fixed base URL.
    pub(crate) fn start(database: DatabaseKind, directory: &Path, environment: &[(&str, &str)]) -> Self {
        Self::start_by(&[], database, directory, environment)
    }

    /// The same by means of another program, with these arguments and the path of ours behind them.
    pub(crate) fn start_by(
        starter: &[&str],
        database: DatabaseKind,
        directory: &Path,
        environment: &[(&str, &str)],
    ) -> Self {
        Self::launch(starter, Database::make(database, &directory.join("data")), directory, environment)
    }

    /// The program as a node on a database that it shares with others.
    pub(crate) fn sharing(database: &Database, directory: &Path, environment: &[(&str, &str)]) -> Self {
        Self::launch(&[], database.clone(), directory, environment)
    }

    fn launch(starter: &[&str], database: Database, directory: &Path, environment: &[(&str, &str)]) -> Self {
        let starter: Vec<String> = starter.iter().map(|&argument| argument.to_owned()).collect();
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let data = directory.join("data");
        let mut all = vec![
            ("COUNTERSIGN_LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
            ("COUNTERSIGN_BASE_URL".to_owned(), BASE_URL.to_owned()),
            ("COUNTERSIGN_DATA_DIR".to_owned(), data.to_str().unwrap().to_owned()),
            ("COUNTERSIGN_RATE_LIMITS".to_owned(), "off".to_owned()),
            ("COUNTERSIGN_VALIDATE_RESPONSES".to_owned(), "on".to_owned()),
            ("COUNTERSIGN_DATABASE_URL".to_owned(), database.url()),
        ];
        all.extend(environment.iter().map(own));
        let (child, first_screen, address) = spawn(directory, &starter, &all);
        let clock = Arc::new(WorldClock::new(Time::System));
        let wire = Wire::new(address, BASE_URL.to_owned(), data.join("outbox.ndjson"), clock);
        Self { child, directory: directory.to_owned(), starter, environment: all, first_screen, wire, database }
    }

    /// What it wrote to its standard output when it had started.
    pub(crate) fn first_screen(&self) -> &str {
        &self.first_screen
    }

    /// What it logged so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.directory.join("log")).unwrap()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// Its database, behind its back.
    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    /// What runs another program with the settings that this one was started with.
    pub(crate) fn beside(&self, program: &str) -> Command {
        command(program, &self.environment)
    }

    /// A service with a new key, which the program itself makes beside the running server.
    pub(crate) fn service(&self) -> Service {
        let mut program = self.beside(env!("CARGO_BIN_EXE_countersign"));
        let output = program.args(["api-key", "create"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let output = String::from_utf8(output.stdout).unwrap();
        Service::new(self, output.lines().next_back().unwrap(), None)
    }

    /// Ends it at once, as a crash would.
    pub(crate) fn kill_9(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, waits for that, and says whether it went well.
    pub(crate) fn terminate(&mut self) -> bool {
        let asked = Command::new("kill").args(["-TERM", &self.id().to_string()]).status().unwrap();
        asked.success() && self.child.wait().unwrap().success()
    }

    /// Starts it again on what it left behind, on another port. Callers stay good.
    pub(crate) fn restart(&mut self) {
        let (child, first_screen, address) = spawn(&self.directory, &self.starter, &self.environment);
        (self.child, self.first_screen) = (child, first_screen);
        self.wire.moved_to(address);
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn memory(&self) -> Memory {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let bytes = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
        };
        Memory { held: bytes("RssAnon:"), peak: bytes("VmHWM:") }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let log = std::fs::read(self.directory.join("log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let broken = log.lines().filter(|line| line.contains(countersign::edge::validation::MESSAGE));
        contract::assert_kept(&broken.map(str::to_owned).collect::<Vec<_>>());
    }
}

/// A program with these settings, and none of those of the developer who runs the tests.
pub(crate) fn command(program: &str, settings: &[(String, String)]) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("COUNTERSIGN_")) {
        command.env_remove(name);
    }
    command.envs(settings.iter().map(|(name, value)| (name, value)));
    command
}

fn spawn(directory: &Path, starter: &[String], environment: &[(String, String)]) -> (Child, String, SocketAddr) {
    let log = File::options().append(true).create(true).open(directory.join("log")).unwrap();
    let program = env!("CARGO_BIN_EXE_countersign");
    let mut command = command(starter.first().map_or(program, String::as_str), environment);
    if let Some((_, arguments)) = starter.split_first() {
        command.args(arguments).arg(program);
    }
    command.current_dir(directory).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
    let mut child = command.spawn().unwrap();
    let mut screen = String::new();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    // The screen's last line says how to stop; a process that ends early closes its output.
    while !screen.contains("Ctrl-C") {
        if output.read_line(&mut screen).unwrap() == 0 {
            let log = std::fs::read_to_string(directory.join("log")).unwrap_or_default();
            panic!("the server did not start: {:?}\n{screen}\n{log}", child.wait());
        }
    }
    let address = screen.lines().next().and_then(|line| line.rsplit("http://").next()).unwrap().parse().unwrap();
    (child, screen, address)
}
