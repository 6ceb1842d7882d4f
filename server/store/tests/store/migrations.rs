//! Both databases end with the same tables, from wherever they start and however many processes bring them there.

use crate::world::{Behind, World};
use countersign_store::{Database, OpenError, Options, Store};
use countersign_test_postgres::{DatabaseKind, needs_postgres, on_each_database};
use diesel::migration::{Migration, MigrationSource};
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::AsyncConnection as _;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use futures::future::join_all;
use std::collections::BTreeSet;
use std::path::Path;

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// What a database is made of, one line for each column, index and reference.
pub(crate) fn describe(behind: &Behind) -> BTreeSet<String> {
    match behind {
        Behind::File { .. } => {
            let query = "
                WITH tables AS (
                    SELECT name AS tbl FROM sqlite_master
                    WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> '__diesel_schema_migrations'
                )
                SELECT 'column ' || tbl || '.' || c.name || ' ' || replace(lower(c.type), 'blob', 'bytea')
                    || CASE c.\"notnull\" WHEN 1 THEN ' not null' ELSE '' END
                    || coalesce(' default ' || c.dflt_value, '') AS line
                FROM tables, pragma_table_info(tbl) AS c
                UNION ALL
                SELECT 'index ' || tbl || ' '
                    || CASE i.origin WHEN 'pk' THEN 'primary ' WHEN 'u' THEN 'unique ' ELSE i.name || ' '
                        || CASE i.\"unique\" WHEN 1 THEN 'unique ' ELSE '' END END
                    || (SELECT group_concat(name, ',') FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno))
                    || CASE i.partial WHEN 1 THEN ' partial' ELSE '' END
                FROM tables, pragma_index_list(tbl) AS i
                UNION ALL
                SELECT 'reference ' || tbl || '.' || f.\"from\" || ' ' || f.\"table\" || '.' || f.\"to\" || ' '
                    || lower(f.on_delete)
                FROM tables, pragma_foreign_key_list(tbl) AS f";
            let lines: Vec<Line> = diesel::sql_query(query).load(&mut behind.connect()).unwrap();
            lines.into_iter().map(|line| line.line).collect()
        }
        Behind::Server(database) => {
            let query = "
                SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type
                    || CASE is_nullable WHEN 'NO' THEN ' not null' ELSE '' END
                    || coalesce(' default ' || replace(column_default, '::text', ''), '')
                FROM information_schema.columns
                WHERE table_schema = 'public' AND table_name <> '__diesel_schema_migrations'
                UNION ALL
                SELECT 'index ' || t.relname || ' '
                    || CASE WHEN x.indisprimary THEN 'primary '
                            WHEN EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = i.oid AND contype = 'u')
                            THEN 'unique '
                            ELSE i.relname || ' ' || CASE WHEN x.indisunique THEN 'unique ' ELSE '' END END
                    || (SELECT string_agg(a.attname, ',' ORDER BY k.n)
                        FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS k (attnum, n)
                        JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = k.attnum)
                    || CASE WHEN x.indpred IS NOT NULL THEN ' partial' ELSE '' END
                FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid JOIN pg_class AS t ON t.oid = x.indrelid
                WHERE t.relnamespace = 'public'::regnamespace AND t.relname <> '__diesel_schema_migrations'
                UNION ALL
                SELECT 'reference ' || c.conrelid::regclass || '.' || a.attname || ' ' || c.confrelid::regclass || '.'
                    || b.attname || ' ' || CASE c.confdeltype WHEN 'c' THEN 'cascade' ELSE c.confdeltype::text END
                FROM pg_constraint AS c
                JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
                JOIN pg_attribute AS b ON b.attrelid = c.confrelid AND b.attnum = c.confkey[1]
                WHERE c.contype = 'f'";
            let rows = database.query(query).unwrap();
            rows.into_iter().map(|row| row.into_iter().next().flatten().expect("one line")).collect()
        }
    }
}

fn folder(database: &str) -> FileBasedMigrations {
    FileBasedMigrations::from_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(database)).unwrap()
}

fn names() -> Vec<String> {
    let migrations: Vec<Box<dyn Migration<diesel::sqlite::Sqlite>>> = folder("sqlite").migrations().unwrap();
    let mut names: Vec<_> = migrations.iter().map(|migration| migration.name().to_string()).collect();
    names.sort();
    names
}

/// Brings an empty database as far as the first `count` migrations, by other means than the store's.
pub(crate) async fn bring(behind: &Behind, count: usize) {
    match behind {
        Behind::File { .. } => {
            let mut connection = behind.connect();
            (0..count).for_each(|_| drop(connection.run_next_migration(folder("sqlite")).unwrap()));
        }
        Behind::Server(database) => {
            let connection = diesel_async::AsyncPgConnection::establish(&database.direct_url()).await.unwrap();
            let bring = move || {
                let mut connection = AsyncConnectionWrapper::<diesel_async::AsyncPgConnection>::from(connection);
                (0..count).for_each(|_| drop(connection.run_next_migration(folder("postgres")).unwrap()));
            };
            tokio::task::spawn_blocking(bring).await.unwrap();
        }
    }
}

#[tokio::test]
async fn the_folders_are_twins() {
    let postgres: Vec<Box<dyn Migration<diesel::pg::Pg>>> = folder("postgres").migrations().unwrap();
    let mut twins: Vec<_> = postgres.iter().map(|migration| migration.name().to_string()).collect();
    twins.sort();
    assert_eq!(names(), twins);

    let file = describe(&World::start(DatabaseKind::Sqlite).await.behind);
    for line in [
        "column accounts.image text",
        "column sessions.token_digest bytea not null",
        "index accounts accounts_by_email unique tenant_id,email",
        "index budgets primary name",
        "index audit_events audit_events_by_account account_id,at",
        "reference sessions.account_id accounts.id cascade",
    ] {
        assert!(file.contains(line), "the description says too little: {line} is not in {file:#?}");
    }
}

#[needs_postgres]
#[tokio::test]
async fn both_databases_have_the_same_tables() {
    let file = describe(&World::start(DatabaseKind::Sqlite).await.behind);
    let server = describe(&World::start(DatabaseKind::Postgres).await.behind);
    let only =
        |one: &BTreeSet<String>, other: &BTreeSet<String>| -> Vec<String> { one.difference(other).cloned().collect() };
    assert_eq!((only(&file, &server), only(&server, &file)), (vec![], vec![]), "only on SQLite, only on PostgreSQL");
}

/// Searches take names that begin alike for a range, which they are in no order but that of code points.
#[needs_postgres]
#[tokio::test]
async fn names_are_in_the_order_of_code_points_whatever_the_locale() {
    let world = World::start(DatabaseKind::Postgres).await;
    let Behind::Server(database) = &world.behind else { unreachable!() };
    let query = "SELECT column_name FROM information_schema.columns
        WHERE table_name = 'accounts' AND collation_name = 'C' ORDER BY column_name";
    let columns: Vec<_> = database.query(query).unwrap().into_iter().flatten().flatten().collect();
    assert_eq!(columns, ["email", "username_form"]);
}

#[on_each_database]
async fn a_database_from_every_earlier_migration_is_brought_up_to_date(database: DatabaseKind) {
    let names = names();
    let current = Behind::new(database);
    assert_eq!(Store::migrate(&current.options()).await.unwrap(), names);
    assert_eq!(Store::migrate(&current.options()).await.unwrap(), Vec::<String>::new(), "and once is enough");
    let wanted = describe(&current);
    for count in 0..=names.len() {
        let earlier = Behind::new(database);
        bring(&earlier, count).await;
        assert_eq!(Store::missing_migrations(&earlier.options()).await.unwrap(), names[count..]);
        assert_eq!(Store::migrate(&earlier.options()).await.unwrap(), names[count..]);
        assert_eq!(describe(&earlier), wanted, "from {count} migrations");
        Store::open(&earlier.options()).await.unwrap().ping(()).await.unwrap();
    }
}

#[on_each_database]
async fn many_may_migrate_at_once_and_one_does(database: DatabaseKind) {
    let behind = Behind::new(database);
    let options = behind.options();
    let nodes = (0..8).map(|_| {
        let options = options.clone();
        tokio::spawn(async move { Store::migrate(&options).await.unwrap() })
    });
    let mut applied: Vec<_> = join_all(nodes).await.into_iter().map(Result::unwrap).collect();
    applied.sort();
    assert_eq!(applied.pop(), Some(names()));
    assert!(applied.iter().all(Vec::is_empty), "{applied:?}");
    // And a start is as good as a command.
    let behind = Behind::new(database);
    let options = behind.options();
    let nodes = (0..8).map(|_| {
        let options = options.clone();
        tokio::spawn(async move { Store::open(&options).await.unwrap().ping(()).await.unwrap() })
    });
    join_all(nodes).await.into_iter().for_each(Result::unwrap);
}

/// Real processes, each with its own SQLite: file locks behave differently between them.
#[test]
fn many_processes_may_open_one_file_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let start = || {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "migrations::in_a_process_of_its_own"]);
        child.env(OWN_PROCESS, folder.path().join("test.db")).stdout(std::process::Stdio::piped()).spawn().unwrap()
    };
    for child in (0..8).map(|_| start()).collect::<Vec<_>>() {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

const OWN_PROCESS: &str = "COUNTERSIGN_TEST_OWN_PROCESS";

#[tokio::test]
async fn in_a_process_of_its_own() {
    let Some(path) = std::env::var_os(OWN_PROCESS) else { return };
    let store = Store::open(&Options::new(Database::Sqlite(path.into()))).await.unwrap();
    store.give_back(Vec::new()).await.unwrap();
    store.ping(()).await.unwrap();
}

#[on_each_database]
async fn without_leave_to_migrate_missing_migrations_are_an_error_that_says_what_to_do(database: DatabaseKind) {
    let behind = Behind::new(database);
    let options = Options { migrate: false, ..behind.options() };
    let Err(error) = Store::open(&options).await else { panic!("it opened") };
    assert!(matches!(&error, OpenError::Outdated { missing } if *missing == names()), "{error:?}");
    let told = "the database's tables are not up to date: run `countersign migrate` (missing: 00000000000001_";
    assert!(error.to_string().starts_with(told), "{error}");
    if let Behind::File { path, .. } = &behind {
        assert!(!path.exists(), "asking makes no file");
    }
    Store::migrate(&options).await.unwrap();
    Store::open(&options).await.unwrap().ping(()).await.unwrap();
}

/// A node's role need not be able to make tables.
#[needs_postgres]
#[tokio::test]
async fn a_role_without_rights_over_tables_opens_what_is_up_to_date() {
    let world = World::start(DatabaseKind::Postgres).await;
    let Behind::Server(database) = &world.behind else { unreachable!() };
    let (before, place) = database.direct_url().split_once('@').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let name = place.rsplit('/').next().unwrap().split('?').next().unwrap().to_owned();
    world.behind.execute(&format!("CREATE ROLE {name} LOGIN PASSWORD 'node'"));
    let rights = "SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public";
    world.behind.execute(&format!("REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO {name}"));
    world.behind.execute(&format!("GRANT {rights} TO {name}"));
    assert!(before.starts_with("postgres"));
    let options = Options::new(Database::Postgres(format!("postgres://{name}:node@{place}")));
    let store = Store::open(&options).await.unwrap();
    store.give_back(Vec::new()).await.unwrap();
    drop(store);
    world.behind.execute(&format!("DROP OWNED BY {name}"));
    world.behind.execute(&format!("DROP ROLE {name}"));
}
