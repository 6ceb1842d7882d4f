//! The subjects, built once for each database: the name of the module that includes this file says which.

mod answers;
mod backup_codes;
mod bearer;
mod challenge;
mod change_password;
mod cookies;
mod cors;
mod crash;
mod disable;
mod enrolment;
mod first_run;
mod fuzz;
pub(crate) mod harness;
mod leaks;
mod mailed_code;
mod one_time;
mod origin;
mod overload;
mod rate_limit;
mod replay;
mod routing;
mod sessions;
mod sign_in;
mod sign_up;
mod trusted_device;
mod typed_client;
mod validation;
