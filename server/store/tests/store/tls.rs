//! TLS to PostgreSQL: each `sslmode` on a server that can, one that cannot, and one that insists.

use crate::world::Behind;
use countersign_store::{Database, OpenError, Options, Store};
use countersign_test_postgres::{Cluster, needs_postgres};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use std::path::PathBuf;
use std::time::Duration;

/// Certificates, and a server that has one for the name `localhost` only.
struct Encrypted {
    cluster: Cluster,
    folder: tempfile::TempDir,
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

const ACCESS: &str = "
hostssl   all tls_only   127.0.0.1/32 scram-sha-256
hostnossl all tls_only   127.0.0.1/32 reject
hostssl   all plain_only 127.0.0.1/32 reject
host      all all        127.0.0.1/32 scram-sha-256
";

impl Encrypted {
    fn start() -> Option<Self> {
        let (ours, others) = (authority("ours"), authority("others"));
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &ours).unwrap();
        let files = [
            ("server.crt", certificate.pem()),
            ("server.key", key.serialize_pem()),
            ("pg_hba.conf", ACCESS.to_owned()),
        ];
        let files = files.each_ref().map(|(name, content)| (*name, content.as_str()));
        let cluster = Cluster::own(&[("ssl", "on")], &files)?;
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, content: String| std::fs::write(folder.path().join(name), content).unwrap();
        write("ours.pem", ours.pem());
        write("others.pem", others.pem());
        write("pinned.pem", certificate.pem());
        write("nothing.pem", "no certificate".to_owned());
        Some(Self { cluster, folder })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn options(url: String) -> Options {
    Options { timeout: Duration::from_secs(5), ..Options::new(Database::Postgres(url)) }
}

/// Opens and uses a store; says whether its connections are encrypted: one of the pool, and one that looks whether the server is there.
async fn opened(behind: &Behind, url: String) -> Result<bool, OpenError> {
    let store = Store::open(&options(url)).await?;
    store.ping(()).await.unwrap();
    let mine = "pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                WHERE application_name = 'countersign' AND datname = current_database()";
    while behind.count(mine) < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (encrypted, plain) = (behind.count(&format!("{mine} AND ssl")), behind.count(&format!("{mine} AND NOT ssl")));
    assert!([(2, 0), (0, 2)].contains(&(encrypted, plain)), "{encrypted} are encrypted, and {plain} are not");
    drop(store);
    while behind.count(mine) > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(encrypted > 0)
}

#[needs_postgres]
#[tokio::test]
async fn each_mode_encrypts_and_verifies_what_it_says() {
    let Some(server) = Encrypted::start() else { return };
    let database = server.cluster.database();
    let url = database.direct_url();
    let behind = Behind::Server(database);
    behind.execute(
        "CREATE ROLE tls_only SUPERUSER LOGIN PASSWORD 'x'; CREATE ROLE plain_only SUPERUSER LOGIN PASSWORD 'x'",
    );
    let named = url.replace("127.0.0.1", "localhost");
    let place = url.split_once('@').unwrap().1;
    let role = |role: &str| format!("postgres://{role}:x@{place}");
    let (ours, others) = (server.file("ours.pem"), server.file("others.pem"));
    let (ours, others, pinned) = (ours.display(), others.display(), server.file("pinned.pem"));
    let pinned = pinned.display();

    let (tls_only, plain_only) = (role("tls_only"), role("plain_only"));
    for (url, is_encrypted) in [
        (url.clone(), true),
        (format!("{url}?sslmode=prefer"), true),
        (format!("{url}?sslmode=disable"), false),
        (format!("{url}?sslmode=allow"), false),
        (format!("{url}?sslmode=require"), true),
        (format!("{url}?sslmode=require&channel_binding=require"), true),
        (format!("{url}?sslmode=require&sslrootcert={ours}"), true),
        (format!("{url}?sslmode=verify-ca&sslrootcert={ours}"), true),
        (format!("{url}?sslmode=verify-ca&sslrootcert={pinned}"), true),
        (format!("{named}?sslmode=verify-full&sslrootcert={ours}"), true),
        (format!("{named}?sslmode=verify-full&sslrootcert={pinned}"), true),
        (format!("{tls_only}?sslmode=allow"), true),
        (format!("{tls_only}?sslmode=prefer"), true),
        (format!("{plain_only}?sslmode=prefer"), false),
        (format!("{plain_only}?sslmode=allow"), false),
    ] {
        assert_eq!(opened(&behind, url.clone()).await.unwrap(), is_encrypted, "{url}");
    }
    for (url, why) in [
        (format!("{url}?sslmode=require&sslrootcert={others}"), "UnknownIssuer"),
        (format!("{url}?sslmode=verify-ca&sslrootcert={others}"), "UnknownIssuer"),
        (format!("{named}?sslmode=verify-full&sslrootcert={others}"), "UnknownIssuer"),
        (format!("{url}?sslmode=verify-full&sslrootcert={ours}"), "not valid for name"),
        (format!("{url}?sslmode=verify-full&sslrootcert={pinned}"), "not valid for name"),
        (format!("{tls_only}?sslmode=disable"), "pg_hba.conf rejects connection"),
        (format!("{plain_only}?sslmode=require"), "pg_hba.conf rejects connection"),
        (format!("{}?sslmode=prefer", tls_only.replace(":x@", ":wrong@")), "password authentication failed"),
        (format!("{}?sslmode=allow", tls_only.replace(":x@", ":wrong@")), "password authentication failed"),
    ] {
        let Err(OpenError::Unreachable(error)) = opened(&behind, url.clone()).await else { panic!("{url} opened") };
        assert!(error.to_string().contains(why), "{url}: {error}");
    }
    let nothing = format!("{url}?sslmode=verify-ca&sslrootcert={}", server.file("nothing.pem").display());
    assert!(matches!(opened(&behind, nothing).await, Err(OpenError::Tls(_))));
    let missing = format!("{url}?sslmode=verify-ca&sslrootcert={}", server.file("missing.pem").display());
    assert!(matches!(opened(&behind, missing).await, Err(OpenError::Tls(_))));
    let wrong = format!("{url}?sslmode=verify-all");
    assert!(matches!(opened(&behind, wrong).await, Err(OpenError::Url(_))));
}

#[needs_postgres]
#[tokio::test]
async fn a_server_that_cannot_encrypt_is_used_only_where_that_is_allowed() {
    let Some(cluster) = Cluster::own(&[], &[]) else { return };
    let database = cluster.database();
    let url = database.direct_url();
    let behind = Behind::Server(database);
    for mode in ["disable", "allow", "prefer"] {
        assert!(!opened(&behind, format!("{url}?sslmode={mode}")).await.unwrap(), "{mode}");
    }
    for mode in ["require", "verify-full"] {
        let Err(OpenError::Unreachable(error)) = opened(&behind, format!("{url}?sslmode={mode}")).await else {
            panic!("{mode} opened")
        };
        assert!(error.to_string().contains("server does not support TLS"), "{mode}: {error}");
    }
}

/// An authority that is followed by another one needs no restart.
#[needs_postgres]
#[tokio::test]
async fn root_certificates_are_read_again_for_new_connections() {
    let Some(server) = Encrypted::start() else { return };
    let database = server.cluster.database();
    let file = server.file("trusted.pem");
    let trust = |name: &str| assert!(std::fs::copy(server.file(name), &file).unwrap() > 0);
    trust("ours.pem");
    let url = format!("{}?sslmode=verify-ca&sslrootcert={}", database.direct_url(), file.display());
    let behind = Behind::Server(database);
    let disconnect = || {
        behind.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'countersign'");
    };
    let options = Options { timeout: Duration::from_secs(1), deadline: Duration::from_secs(3), ..options(url) };
    let store = Store::open(&options).await.unwrap();
    store.ping(()).await.unwrap();

    // A file that cannot be used changes nothing, neither does one that was not read again.
    trust("nothing.pem");
    assert!(matches!(store.reload_certificates(), Err(OpenError::Tls(_))));
    trust("others.pem");
    disconnect();
    store.ping(()).await.unwrap();

    store.reload_certificates().unwrap();
    store.ping(()).await.unwrap();
    disconnect();
    assert!(store.ping(()).await.is_err(), "the server's certificate is not from this authority");
    trust("ours.pem");
    store.reload_certificates().unwrap();
    store.ping(()).await.unwrap();
}
