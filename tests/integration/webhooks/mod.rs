//! Signed webhooks: what happens to users arrives at the receivers that an operator configures, in FusionAuth's form.

mod delivery;
mod journeys;
mod receiver;
