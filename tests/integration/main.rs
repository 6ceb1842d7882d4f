//! The server as a whole, over HTTP: one binary, a file per subject. [`harness`] holds what the tests stand on.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say so and stop")]
#![expect(clippy::print_stderr, reason = "a failing test says how to read its golden file")]

mod answers;
mod backup_codes;
mod bearer;
mod challenge;
mod change_password;
mod contract;
mod cookies;
mod cors;
mod crash;
mod disable;
mod enrolment;
mod first_run;
mod fuzz;
mod harness;
mod leaks;
mod mailed_code;
mod one_time;
mod origin;
mod overload;
mod rate_limit;
mod readme;
mod replay;
mod routing;
mod sessions;
mod sign_in;
mod sign_up;
mod trusted_device;
mod typed_client;
mod validation;
