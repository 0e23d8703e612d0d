//! Where each setting comes from: a flag, the configuration file, the environment, or nowhere.

use std::collections::BTreeMap;
use std::fmt;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use super::{
    ConnectionSettings, ExecutionSettings, ListingSettings, PolicySettings, ReportSettings,
    ScopeSettings,
};
use crate::environment;

/// The flags of every group of settings.
pub(super) fn with_flags(command: Command) -> Command {
    let command = ConnectionSettings::augment_args(command);
    let command = ScopeSettings::augment_args(command);
    let command = ListingSettings::augment_args(command);
    let command = PolicySettings::augment_args(command);
    let command = ExecutionSettings::augment_args(command);
    ReportSettings::augment_args(command)
}

/// The flags in the order of the help text, each with its key in the file.
pub(super) fn flags() -> Vec<(String, Arg)> {
    let command = with_flags(Command::new("keys"));
    command
        .get_arguments()
        .filter_map(|flag| {
            // `control` names a table in the file.
            let key = match flag.get_long()? {
                "control" => "controls",
                long => long,
            };
            Some((key.to_owned(), flag.clone()))
        })
        .collect()
}

/// Whether a flag takes several values.
pub(super) fn is_list(flag: &Arg) -> bool {
    matches!(flag.get_action(), ArgAction::Append)
}

/// Whether a setting is true or false.
pub(super) fn is_switch(flag: &Arg) -> bool {
    let words: Vec<String> = flag
        .get_possible_values()
        .iter()
        .map(|value| value.get_name().to_owned())
        .collect();
    matches!(flag.get_action(), ArgAction::SetTrue) || words == ["true", "false"]
}

/// Whether a setting is a number.
pub(super) fn is_number(key: &str) -> bool {
    key == "concurrency"
}

/// The settings that were given as flags, by key, as they were written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Given(BTreeMap<String, Vec<String>>);

impl FromArgMatches for Given {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut given = Self::default();
        given.update_from_arg_matches(matches)?;
        Ok(given)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for (key, flag) in flags() {
            let id = flag.get_id().as_str();
            if matches.value_source(id) != Some(ValueSource::CommandLine) {
                continue;
            }
            let words = matches.get_raw(id).into_iter().flatten();
            let mut words: Vec<String> = words
                .map(|word| word.to_string_lossy().into_owned())
                .collect();
            if words.is_empty() {
                words.push("true".to_owned());
            }
            self.0.insert(key, words);
        }
        Ok(())
    }
}

impl Args for Given {
    fn augment_args(command: Command) -> Command {
        with_flags(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        with_flags(command)
    }
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A flag.
    Flag(String),
    /// The file, as `FILE:LINE`.
    File(String),
    /// A variable of the environment.
    Environment(&'static str),
    /// Nobody said anything.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(formatter, "--{flag}"),
            Self::File(place) => formatter.write_str(place),
            Self::Environment(name) => formatter.write_str(name),
            Self::Default => formatter.write_str("default"),
        }
    }
}

/// A setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting {
    /// Its key in the file.
    pub(crate) key: String,
    /// The value that holds, as TOML; `None` where nobody said anything.
    pub(crate) value: Option<String>,
    /// What holds then, in the words of the help text.
    pub(crate) default: Option<String>,
    /// Where the value comes from.
    pub(crate) origin: Origin,
}

/// Where accounts come from is one decision: a flag for it replaces all that the file says of it.
const SOURCES_OF_ACCOUNTS: [&str; 3] = ["accounts", "accounts-file", "current-account"];
/// What says nothing where only the account of the credentials is looked at.
const FILTERS_OF_ACCOUNTS: [&str; 5] = ["exclude-accounts", "ou", "exclude-ou", "tag", "shard"];

/// The settings that hold: flags over the values of a file, which are TOML with their places.
pub(super) fn merged(given: &Given, file: &BTreeMap<String, (String, String)>) -> Vec<Setting> {
    let given = &given.0;
    let source_given = SOURCES_OF_ACCOUNTS
        .iter()
        .any(|key| given.contains_key(*key));
    let current = given.contains_key("current-account")
        || (!source_given
            && file
                .get("current-account")
                .is_some_and(|(value, _)| value == "true"));
    let ignored = |key: &str| {
        (source_given && SOURCES_OF_ACCOUNTS.contains(&key))
            || (current && FILTERS_OF_ACCOUNTS.contains(&key))
    };
    flags()
        .into_iter()
        .map(|(key, flag)| {
            let long = flag.get_long().unwrap_or_default().to_owned();
            let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
            let default = help
                .split_once("[default: ")
                .and_then(|(_, rest)| rest.split_once(']'))
                .map(|(default, _)| default.replace('`', ""))
                .or_else(|| is_switch(&flag).then(|| "false".to_owned()));
            let (value, origin) = match (given.get(&key), file.get(&key)) {
                (Some(words), _) => (Some(toml_value(&key, &flag, words)), Origin::Flag(long)),
                (None, Some((value, place))) if !ignored(&key) => {
                    (Some(value.clone()), Origin::File(place.clone()))
                }
                _ => from_environment(&key).map_or((None, Origin::Default), |(value, name)| {
                    (Some(value), Origin::Environment(name))
                }),
            };
            Setting {
                key,
                value,
                default,
                origin,
            }
        })
        .collect()
}

/// What the environment says of the settings that it may say something of, as the AWS CLI reads it.
fn from_environment(key: &str) -> Option<(String, &'static str)> {
    let names: &[&'static str] = match key {
        "profile" => &["AWS_PROFILE"],
        "region" => &["AWS_REGION", "AWS_DEFAULT_REGION"],
        _ => &[],
    };
    names.iter().find_map(|name| {
        let value = environment::variable(name).filter(|value| !value.is_empty())?;
        Some((text(&value), *name))
    })
}

fn toml_value(key: &str, flag: &Arg, words: &[String]) -> String {
    let last = words.last().map(String::as_str).unwrap_or_default();
    if is_list(flag) {
        let words: Vec<String> = words.iter().map(|word| text(word)).collect();
        format!("[{}]", words.join(", "))
    } else if is_switch(flag) || is_number(key) {
        last.to_owned()
    } else {
        text(last)
    }
}

fn text(word: &str) -> String {
    toml::Value::String(word.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(arguments: &[&str]) -> Given {
        let command = with_flags(Command::new("test"));
        let words = std::iter::once("test").chain(arguments.iter().copied());
        Given::from_arg_matches(&command.try_get_matches_from(words).unwrap()).unwrap()
    }

    fn held(arguments: &[&str], file: &[(&str, &str)]) -> BTreeMap<String, (String, String)> {
        let file = file.iter().enumerate().map(|(line, (key, value))| {
            let place = format!("t.toml:{}", line + 1);
            ((*key).to_owned(), ((*value).to_owned(), place))
        });
        merged(&given(arguments), &file.collect())
            .into_iter()
            .filter_map(|setting| Some((setting.key, (setting.value?, setting.origin.to_string()))))
            .collect()
    }

    #[test]
    fn flags_win_over_the_file_and_tell_themselves() {
        let held = held(
            &[
                "--role",
                "A",
                "--role",
                "B",
                "--control",
                "5.6,x",
                "--concurrency",
                "8",
            ],
            &[("role", "\"C\""), ("benchmark", "\"latest\"")],
        );
        let value = |key: &str| held.get(key).cloned().unwrap_or_default();
        let pair = |value: &str, from: &str| (value.to_owned(), from.to_owned());
        assert_eq!(value("role"), pair("[\"A\", \"B\"]", "--role"));
        assert_eq!(value("controls"), pair("[\"5.6\", \"x\"]", "--control"));
        assert_eq!(value("concurrency"), pair("8", "--concurrency"));
        assert_eq!(value("benchmark"), pair("\"latest\"", "t.toml:2"));
        assert!(!held.contains_key("sweep"));
    }

    #[test]
    fn a_flag_for_accounts_replaces_what_the_file_says_of_them() {
        let file = [("accounts", "[\"111111111111\"]"), ("ou", "[\"ou-1\"]")];
        let one = held(&["--current-account"], &file);
        assert_eq!(
            one.get("current-account").map(|(value, _)| value.as_str()),
            Some("true")
        );
        assert!(!one.contains_key("accounts") && !one.contains_key("ou"));
        assert_eq!(held(&[], &file).len(), 2 + held(&[], &[]).len());
    }

    #[test]
    fn defaults_are_those_of_the_help_text() {
        let all = merged(&Given::default(), &BTreeMap::new());
        let default = |key: &str| {
            let found = all.iter().find(|setting| setting.key == key);
            found.and_then(|setting| setting.default.as_deref())
        };
        assert_eq!(default("sweep"), Some("full"));
        assert_eq!(default("controls"), Some("console-auth-failures"));
        assert_eq!(default("benchmark"), Some("7.0.0"));
        assert_eq!(default("mask-endpoints"), Some("false"));
        assert_eq!(default("shard"), None);
    }
}
