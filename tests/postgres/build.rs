//! Finds out whether tests on PostgreSQL can run here, so that where they cannot they are ignored, and nobody counts
//! them as passed.

#[path = "src/binaries.rs"]
mod binaries;

use binaries::Binaries;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(postgres_wanted)");
    println!("cargo::rustc-check-cfg=cfg(pgbouncer_wanted)");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/binaries.rs");
    println!("cargo::rerun-if-changed=/usr/lib/postgresql");
    println!("cargo::rerun-if-changed=/usr/sbin/pgbouncer");
    for variable in ["PATH", "CI", "COUNTERSIGN_REQUIRE_POSTGRES", "COUNTERSIGN_TEST_POSTGRES"] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    let is_given = std::env::var_os("COUNTERSIGN_TEST_POSTGRES").is_some();
    let is_ci = std::env::var("CI").is_ok_and(|value| value == "true");
    // Where it is required the tests are run in any case, and fail.
    let is_required = std::env::var_os("COUNTERSIGN_REQUIRE_POSTGRES").is_some() || is_ci;
    let found = Binaries::find().map(|binaries| binaries.program("initdb"));
    if is_given || is_required || found.is_some() {
        println!("cargo::rustc-cfg=postgres_wanted");
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut folders = std::env::split_paths(&path).chain(["/usr/sbin".into()]);
        if is_ci || folders.any(|folder| folder.join("pgbouncer").exists()) {
            println!("cargo::rustc-cfg=pgbouncer_wanted");
        }
    }
}
