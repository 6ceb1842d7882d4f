//! One flag for each setting, derived from the table of settings.

use crate::config::Key;
use crate::config::keys::Scope;
use clap::{Arg, ArgMatches, Args, Command, Error, FromArgMatches};
use std::collections::BTreeMap;

/// Heading of the settings in help.
pub(super) const SETTINGS: &str = "Settings";

/// Values of the flags that were given.
#[derive(Clone, Debug, Default)]
pub(super) struct Flags(pub(super) BTreeMap<Key, String>);

fn keys() -> impl Iterator<Item = Key> {
    Key::ALL.iter().copied().filter(|key| key.scope() == Scope::Everywhere)
}

/// The settings that are no flags, for help.
pub(super) fn only_in_environment() -> String {
    let settings = Key::ALL.iter().filter(|key| key.scope() == Scope::EnvironmentOnly).map(|key| {
        let (variable, value) = (key.variable(), key.value_name());
        format!("  {variable}={value}\n      {} [default: {}]\n", key.help(), key.default_in_words())
    });
    format!("Settings that only the environment gives:\n{}\n", settings.collect::<String>())
}

impl Args for Flags {
    fn augment_args(command: Command) -> Command {
        keys().fold(command, |command, key| {
            let help = format!(
                "{} [default: {}] [file: {}] [environment: {}]",
                key.help(),
                key.default_in_words(),
                key.name(),
                key.variable()
            );
            let flag = Arg::new(key.name()).long(key.flag()).value_name(key.value_name()).help(help);
            // A value needs `=`, because the next word is the command.
            let flag = match key.is_off_by_default() {
                true => flag.num_args(0..=1).require_equals(true).default_missing_value("on"),
                false => flag,
            };
            command.arg(flag.global(true).help_heading(SETTINGS))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        for key in keys() {
            if let Some(text) = matches.get_one::<String>(key.name()) {
                self.0.insert(key, text.clone());
            }
        }
        Ok(())
    }
}
