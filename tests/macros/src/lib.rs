//! The attributes of `countersign_test_postgres`, which exports them.
//!
//! Attributes and not `macro_rules!` macros around the functions, because rustfmt does not format what stands inside
//! the braces of a macro call.

use proc_macro::{Delimiter, Group, TokenStream, TokenTree};

/// Makes a test for each database of an `async fn name(database: DatabaseKind)`: `name::sqlite` and `name::postgres`.
/// The latter is ignored where tests on PostgreSQL neither can run nor are required.
#[proc_macro_attribute]
pub fn on_each_database(arguments: TokenStream, function: TokenStream) -> TokenStream {
    assert!(arguments.is_empty(), "this attribute takes no arguments");
    let mut tests = tests_of(&name_of(&function)).parse::<TokenStream>().expect("the tests are valid Rust");
    tests.extend(function);
    tests
}

/// Has a test ignored where tests on PostgreSQL neither can run nor are required.
#[proc_macro_attribute]
pub fn needs_postgres(arguments: TokenStream, function: TokenStream) -> TokenStream {
    within("::countersign_test_postgres::where_wanted!", &arguments, function)
}

/// The same where there is no PgBouncer.
#[proc_macro_attribute]
pub fn needs_pgbouncer(arguments: TokenStream, function: TokenStream) -> TokenStream {
    within("::countersign_test_postgres::where_pgbouncer_wanted!", &arguments, function)
}

/// A call of this macro with the function in its braces.
fn within(name: &str, arguments: &TokenStream, function: TokenStream) -> TokenStream {
    assert!(arguments.is_empty(), "this attribute takes no arguments");
    let mut item = name.parse::<TokenStream>().expect("a path is valid Rust");
    item.extend([TokenTree::Group(Group::new(Delimiter::Brace, function))]);
    item
}

/// The first name behind `fn`. Attributes and documentation before it are groups, into which this does not look.
fn name_of(function: &TokenStream) -> String {
    let mut tokens = function.clone().into_iter();
    tokens.find(|token| matches!(token, TokenTree::Ident(word) if word.to_string() == "fn"));
    match tokens.next() {
        Some(TokenTree::Ident(name)) => name.to_string(),
        _ => panic!("this attribute belongs on a function"),
    }
}

/// A module may have the name of a function: they live in different namespaces.
fn tests_of(name: &str) -> String {
    format!(
        "mod {name} {{
            use ::countersign_test_postgres::DatabaseKind;

            #[::tokio::test(flavor = \"multi_thread\")]
            async fn sqlite() {{
                super::{name}(DatabaseKind::Sqlite).await;
            }}

            #[::countersign_test_postgres::needs_postgres]
            #[::tokio::test(flavor = \"multi_thread\")]
            async fn postgres() {{
                super::{name}(DatabaseKind::Postgres).await;
            }}
        }}"
    )
}
