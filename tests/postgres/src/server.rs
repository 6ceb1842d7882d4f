//! A temporary cluster: made, started, stopped and removed with PostgreSQL's own programs.

use crate::binaries::Binaries;
use crate::database::Address;
use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::{CommandExt as _, parent_id};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// How a server stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Transactions are aborted, clients are told, everything is written.
    Fast,
    /// At once, like a crash: the next start recovers.
    Immediate,
}

/// The process that a cluster ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The one that starts it, which can also end it earlier.
    ThisProcess,
    /// The one that started this one.
    ParentProcess,
}

/// A cluster in a directory of its own.
pub(crate) struct Server {
    binaries: Binaries,
    folder: PathBuf,
    user: Option<&'static str>,
    port: u16,
    password: String,
    /// Stops the server and removes the directory when its standard input ends. `None` where that is not for this
    /// process to decide.
    guard: Option<Child>,
}

impl Server {
    /// Makes a cluster and starts it.
    pub(crate) fn make(binaries: Binaries, settings: &[(&str, &str)], files: &[(&str, &str)], owner: Owner) -> Self {
        let mut server = Self::place(binaries, random_text(), owner);
        server.initialise(files);
        server.launch(settings);
        server
    }

    /// A directory for a cluster, with the process that ends it.
    fn place(binaries: Binaries, password: String, owner: Owner) -> Self {
        // Short, because a socket's path has to be; not under $TMPDIR, which may be closed to the other user.
        let name = format!("countersign-pg-{}", &random_text()[..12]);
        let folder = Path::new(roomy_memory().unwrap_or("/tmp")).join(name);
        fs::create_dir(&folder).expect("a directory for the cluster");
        // PostgreSQL refuses to run as root.
        let user =
            is_root(&folder).then(|| if succeeds(Command::new("id").arg("postgres")) { "postgres" } else { "nobody" });
        if let Some(user) = user {
            assert!(succeeds(Command::new("chown").arg(user).arg(&folder)), "cannot give {folder:?} to {user}");
        }
        let mut server = Self { binaries, folder, user, port: 0, password, guard: None };
        let guard = server.guard(owner);
        server.guard = Some(guard).filter(|_| owner == Owner::ThisProcess);
        server
    }

    fn launch(&mut self, settings: &[(&str, &str)]) {
        // A port that was free a moment ago may be taken by now.
        let started = (0..5).any(|_| {
            self.port = free_port();
            self.configure(settings);
            self.try_start()
        });
        assert!(started, "PostgreSQL does not start:\n{}", self.log());
    }

    /// Copies the cluster while it serves.
    pub(crate) fn base_backup(&self, pg_basebackup: &Path) -> PathBuf {
        let copy = self.folder.join(format!("base-{}", &random_text()[..8]));
        let mut program = self.run(pg_basebackup);
        program.env("PGPASSWORD", &self.password).args(["-h", "127.0.0.1", "-U", "countersign", "-c", "fast"]);
        let made = program.arg(format!("--port={}", self.port)).arg("-D").arg(&copy).stderr(Stdio::piped()).output();
        let made = made.expect("pg_basebackup runs");
        assert!(made.status.success(), "pg_basebackup failed: {}", String::from_utf8_lossy(&made.stderr));
        copy
    }

    /// A directory for another cluster, with a copy of this one.
    fn place_copy(&self, copy: &Path) -> Self {
        let server = Self::place(self.binaries.clone(), self.password.clone(), Owner::ThisProcess);
        let mut program = server.run(Path::new("cp"));
        assert!(succeeds(program.arg("-a").arg(copy).arg("data")), "{copy:?} cannot be copied");
        server
    }

    /// Starts a replica of this cluster, from a copy of it.
    pub(crate) fn replicate(&self, copy: &Path) -> Self {
        let mut server = self.place_copy(copy);
        server.write("data/standby.signal", "");
        let primary = format!("host=127.0.0.1 port={} user=countersign password={}", self.port, self.password);
        server.launch(&[("primary_conninfo", &primary)]);
        server
    }

    /// Has a replica take writes.
    pub(crate) fn promote(&self) {
        let mut promote = self.run(&self.binaries.program("pg_ctl"));
        let promoted = succeeds(promote.args(["-D", "data", "-w", "-t", "60", "promote"]));
        assert!(promoted, "the replica cannot be promoted:\n{}", self.log());
    }

    /// Starts another cluster with a copy of this one, as of this time, by what this one has archived in `../archive`.
    pub(crate) fn recover(&self, copy: &Path, until: &str) -> Self {
        let mut server = self.place_copy(copy);
        server.write("data/recovery.signal", "");
        let restore = format!("cp {}/archive/%f %p", self.folder.display());
        server.launch(&[
            ("restore_command", &restore),
            ("recovery_target_time", until),
            ("recovery_target_action", "promote"),
        ]);
        server
    }

    pub(crate) fn address(&self) -> Address {
        Address::parse(&format!("postgres://countersign:{}@127.0.0.1:{}/postgres", self.password, self.port))
    }

    /// What the server has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// A program, run as the cluster's owner and in its directory.
    fn run(&self, program: &Path) -> Command {
        let mut command = match self.user {
            None => Command::new(program),
            Some(user) if succeeds(Command::new("setpriv").arg("--version")) => {
                let mut command = Command::new("setpriv");
                command.args([format!("--reuid={user}"), format!("--regid={}", group_of(user))]);
                command.arg("--clear-groups").arg(program);
                command
            }
            Some(user) => {
                let mut command = Command::new("su");
                command.args(["-s", "/bin/sh", user, "-c", "exec \"$0\" \"$@\"", "--"]).arg(program);
                command
            }
        };
        command.current_dir(&self.folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn guard(&self, owner: Owner) -> Child {
        // Another user's process cannot be signalled, not even with 0, but it is seen in /proc.
        let wait = match owner {
            Owner::ThisProcess => "cat >/dev/null",
            Owner::ParentProcess => "while [ -d \"/proc/$2\" ] || kill -0 \"$2\" 2>/dev/null; do sleep 1; done",
        };
        let script = format!(
            "trap '' INT TERM HUP; {wait}; \"$0\" -D \"$1/data\" -m immediate stop >/dev/null 2>&1; cd /; rm -rf \"$1\""
        );
        let mut guard = self.run(Path::new("/bin/sh"));
        guard.args(["-c", &script]).arg(self.binaries.program("pg_ctl")).arg(&self.folder);
        guard.arg(parent_id().to_string());
        if owner == Owner::ThisProcess {
            guard.stdin(Stdio::piped());
        }
        guard.process_group(0).spawn().expect("a shell")
    }

    fn write(&self, name: &str, content: &str) {
        let path = self.folder.join(name);
        fs::write(&path, content).expect("the cluster's directory can be written to");
        assert!(succeeds(Command::new("chmod").arg("600").arg(&path)));
        if let Some(user) = self.user {
            assert!(succeeds(Command::new("chown").arg(user).arg(&path)));
        }
    }

    fn initialise(&self, files: &[(&str, &str)]) {
        self.write("password", &self.password);
        let mut initdb = self.run(&self.binaries.program("initdb"));
        // Not scram-sha-256: its 4,096 rounds cost an unoptimised client a tenth of a second for each connection.
        initdb.args(["--no-sync", "--username=countersign", "--auth=password", "--pwfile=password"]);
        initdb.args(["--encoding=UTF8", "--locale=C", "--pgdata=data"]);
        let made = initdb.output().expect("initdb runs");
        assert!(made.status.success(), "initdb failed: {}", String::from_utf8_lossy(&made.stderr));
        for (name, content) in files {
            self.write(&format!("data/{name}"), content);
        }
    }

    fn configure(&self, settings: &[(&str, &str)]) {
        let mut text = format!(
            "listen_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = '{}'\nmax_connections = 300\n\
             max_wal_size = 256MB\nfsync = off\nfull_page_writes = off\ndeadlock_timeout = 200ms\n",
            self.port,
            self.folder.display()
        );
        for (name, value) in settings {
            writeln!(text, "{name} = '{value}'").expect("a string grows");
        }
        self.write("data/postgresql.auto.conf", &text);
    }

    fn try_start(&self) -> bool {
        let mut start = self.run(&self.binaries.program("pg_ctl"));
        succeeds(start.args(["-D", "data", "-l", "log", "-w", "-t", "60", "start"]))
    }

    pub(crate) fn start(&self) {
        assert!(self.try_start(), "PostgreSQL does not start:\n{}", self.log());
    }

    pub(crate) fn stop(&self, mode: Mode) {
        let mode = match mode {
            Mode::Fast => "fast",
            Mode::Immediate => "immediate",
        };
        let mut stop = self.run(&self.binaries.program("pg_ctl"));
        let stopped = succeeds(stop.args(["-D", "data", "-w", "-t", "60", "-m", mode, "stop"]));
        assert!(stopped, "PostgreSQL does not stop:\n{}", self.log());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut guard) = self.guard.take() {
            drop(guard.stdin.take());
            let _ = guard.wait();
        }
    }
}

/// Whether this process is root's, who has just made this folder.
pub(crate) fn is_root(folder: &Path) -> bool {
    fs::metadata(folder).expect("the directory was just made").uid() == 0
}

fn succeeds(command: &mut Command) -> bool {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn group_of(user: &str) -> String {
    let group = Command::new("id").args(["-g", user]).output().expect("id runs");
    String::from_utf8_lossy(&group.stdout).trim().to_owned()
}

/// Where files are kept in memory, if there is room for a few hundred databases: making one there takes a tenth of the
/// time. Containers often have 64 MiB.
fn roomy_memory() -> Option<&'static str> {
    const ENOUGH_KIBIBYTES: u64 = 4 << 20;
    let free = Command::new("df").args(["-Pk", "/dev/shm"]).output().ok().filter(|free| free.status.success())?;
    let free = String::from_utf8_lossy(&free.stdout).into_owned();
    let available: u64 = free.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()?;
    (available >= ENOUGH_KIBIBYTES).then_some("/dev/shm")
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it is bound").port()
}

fn random_text() -> String {
    let mut bytes = [0; 16];
    let mut random = fs::File::open("/dev/urandom").expect("the system's randomness");
    random.read_exact(&mut bytes).expect("the system's randomness");
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
