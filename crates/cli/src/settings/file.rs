//! `trailproof.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};
use trailproof_core::account::AccountId;
use trailproof_core::attestation::{Attestation, InvalidAttestation};
use trailproof_core::control::{self, CatalogueError, Control};
use trailproof_core::evaluate::reasons;
use trailproof_core::forwarder::{self, Forwarder};
use trailproof_core::mute::{InvalidMute, Mute};

use super::origin::{self, Given, Setting};
use super::roles::MemberRoleTable;
use super::{
    ConnectionSettings, ExecutionSettings, ListingSettings, PolicySettings, ReportSettings,
    ScopeSettings,
};
use crate::error::CliError;
use crate::output::Output;
use crate::suggestion::nearest;

/// The file that is read when it is there and no other is named.
const DEFAULT: &str = "trailproof.toml";

/// Which configuration file.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct ConfigurationArguments {
    /// The configuration file; flags win over what it says [default: trailproof.toml, where there
    /// is one].
    #[arg(long, value_name = "FILE", help_heading = "Global options")]
    pub(crate) config: Option<PathBuf>,
}

/// What the configuration file says.
#[derive(Debug, Default)]
pub(crate) struct ConfigurationFile {
    pub(crate) connection: ConnectionSettings,
    pub(crate) scope: ScopeSettings,
    pub(crate) listing: ListingSettings,
    pub(crate) policy: PolicySettings,
    pub(crate) execution: ExecutionSettings,
    pub(crate) report: ReportSettings,
    /// Where it is; nowhere when there is none.
    path: PathBuf,
    /// The user's own controls.
    pub(crate) controls: Vec<Control>,
    /// What the user accepts.
    mutes: Vec<Mute>,
    /// Where each of these tables begins, as `FILE:LINE`.
    places_of_mutes: Vec<String>,
    /// The machines that the user describes.
    forwarders: Vec<Forwarder>,
    /// What the user attests.
    attestations: Vec<Attestation>,
    /// The accounts outside the organization that the user trusts.
    pub(crate) trusted: BTreeSet<AccountId>,
    /// The accounts that watch the metrics of others.
    pub(crate) monitoring: BTreeSet<AccountId>,
}

/// An account that the user names: one outside the organization whose answers are believed, or one
/// that watches the metrics of others.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NamedAccount {
    account: AccountId,
    /// Why, for whoever reads the file.
    #[serde(default, rename = "justification")]
    _justification: Option<String>,
}

/// The tables of the file.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Tables {
    control: Vec<Control>,
    mute: Vec<Mute>,
    #[serde(rename = "member-role")]
    member_role: Vec<MemberRoleTable>,
    attestation: Vec<Attestation>,
    forwarder: Vec<Forwarder>,
    #[serde(rename = "trusted-account")]
    trusted_account: Vec<NamedAccount>,
    #[serde(rename = "monitoring-account")]
    monitoring_account: Vec<NamedAccount>,
}

/// Keys that are no flag: `control` is a flag, too, but names a table here, and the flag's key is
/// `controls`. `roles` is another name of `role`. Attestations, forwarders, mutes and the roles of
/// some accounts are tables only.
pub(super) const OTHER_KEYS: [&str; 8] = [
    "attestation",
    "controls",
    "forwarder",
    "member-role",
    "monitoring-account",
    "mute",
    "roles",
    "trusted-account",
];

impl ConfigurationArguments {
    /// Reads the file that was named, or the default one where there is one.
    pub(crate) fn load(&self, output: &Output) -> Result<ConfigurationFile, CliError> {
        let file = match &self.config {
            Some(path) => ConfigurationFile::read(path)?,
            None if Path::new(DEFAULT).is_file() => {
                output.note(format_args!("using {DEFAULT}"));
                ConfigurationFile::read(Path::new(DEFAULT))?
            }
            None => ConfigurationFile::default(),
        };
        for warning in file.controls.iter().flat_map(Control::warnings) {
            output.warn(warning);
        }
        Ok(file)
    }
}

impl ConfigurationArguments {
    /// The settings that hold, flags over the file, each with its origin. The file has to be one
    /// that [`Self::load`] reads.
    pub(crate) fn settings(&self, given: &Given) -> Result<Vec<Setting>, CliError> {
        let (path, text) = self.text()?;
        let source = Source {
            path: &path,
            text: &text,
        };
        let table = DeTable::parse(&text).map_err(|error| source.error(&error))?;
        let mut values = BTreeMap::new();
        for (key, value) in table.get_ref() {
            let name = match key.get_ref().as_ref() {
                "roles" => "role",
                name => name,
            };
            let place = source.place(key.span().start);
            let text = text.get(value.span()).unwrap_or_default().to_owned();
            values.insert(name.to_owned(), (text, place));
        }
        Ok(origin::merged(given, &values))
    }

    /// The tables of the file, by name, each with the places where they begin.
    pub(crate) fn tables(&self) -> Result<BTreeMap<String, Vec<String>>, CliError> {
        let (path, text) = self.text()?;
        let source = Source {
            path: &path,
            text: &text,
        };
        let keys = OTHER_KEYS.into_iter().chain(["control"]);
        Ok(keys
            .filter(|key| !["controls", "roles"].contains(key))
            .map(|key| (key.to_owned(), source.places(key)))
            .filter(|(_, places)| !places.is_empty())
            .collect())
    }

    /// The file that was named or the default one, and what it says: nothing where there is none.
    fn text(&self) -> Result<(PathBuf, String), CliError> {
        let path = match &self.config {
            Some(path) => path.clone(),
            None if Path::new(DEFAULT).is_file() => PathBuf::from(DEFAULT),
            None => return Ok((PathBuf::new(), String::new())),
        };
        let text = read_text(&path)?;
        Ok((path, text))
    }
}

fn read_text(path: &Path) -> Result<String, CliError> {
    fs::read_to_string(path).map_err(|error| {
        CliError::usage(format_args!("cannot read `{}`: {error}", path.display())).hint(match error
            .kind()
        {
            std::io::ErrorKind::InvalidData => "save it as TOML in UTF-8",
            _ => "check the path given with --config",
        })
    })
}

/// Reads a file, and checks its tables.
pub(crate) fn check(path: &Path) -> Result<(), CliError> {
    let file = ConfigurationFile::read(path)?;
    let catalogue = file.catalogue()?;
    file.mutes(&catalogue)?;
    file.forwarders()?;
    file.attestations(&catalogue)?;
    let arguments = ConfigurationArguments {
        config: Some(path.to_owned()),
    };
    arguments.tables().map(drop)
}

/// Why a text is no configuration file.
#[cfg(test)]
pub(super) fn refusal(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.toml");
    fs::write(&path, text).unwrap();
    let read = ConfigurationFile::read(&path);
    read.map_or_else(|error| error.to_string(), |_| String::new())
}

impl ConfigurationFile {
    /// The built-in controls and the file's own.
    pub(crate) fn catalogue(&self) -> Result<Vec<Control>, CliError> {
        control::with_custom(self.controls.clone())
            .map_err(|error| CliError::usage(error).hint(self.correct("control")))
    }

    /// What the user accepts, checked against the controls there are.
    pub(crate) fn mutes(&self, catalogue: &[Control]) -> Result<Vec<Mute>, CliError> {
        for (mute, place) in self.mutes.iter().zip(&self.places_of_mutes) {
            mute.validate(catalogue).map_err(|error| {
                let meant = match &error {
                    InvalidMute::Reason(reason) => {
                        let known = reasons().map(|reason| reason.code);
                        nearest(reason, known).map(str::to_owned)
                    }
                    InvalidMute::Control(id) => control_meant(catalogue, id),
                    _ => None,
                };
                let error = CliError::usage(format_args!("{place}: {error}"));
                match meant {
                    Some(code) => error.hint(format_args!("did you mean `{code}`?")),
                    None => error.hint(self.correct("mute")),
                }
            })?;
        }
        Ok(self.mutes.clone())
    }

    /// The machines that pass messages on, checked each and together.
    pub(crate) fn forwarders(&self) -> Result<Vec<Forwarder>, CliError> {
        forwarder::validate(&self.forwarders)
            .map_err(|error| CliError::usage(error).hint(self.correct("forwarder")))?;
        Ok(self.forwarders.clone())
    }

    /// What the user attests, checked against the controls there are.
    pub(crate) fn attestations(&self, catalogue: &[Control]) -> Result<Vec<Attestation>, CliError> {
        for attestation in &self.attestations {
            attestation.validate(catalogue).map_err(|error| {
                let meant = match &error {
                    InvalidAttestation::Control(id) => control_meant(catalogue, id),
                    _ => None,
                };
                let error = CliError::usage(error);
                match meant {
                    Some(id) => error.hint(format_args!("did you mean `{id}`?")),
                    None => error.hint(self.correct("attestation")),
                }
            })?;
        }
        Ok(self.attestations.clone())
    }

    fn correct(&self, table: &str) -> String {
        format!("correct the [[{table}]] table of `{}`", self.path.display())
    }

    fn read(path: &Path) -> Result<Self, CliError> {
        let text = read_text(path)?;
        let source = Source { path, text: &text };
        source.check_keys()?;
        let mut tables: Tables = source.group()?;
        let places = source.places("member-role");
        for (table, place) in tables.member_role.iter_mut().zip(places) {
            table.place = place;
        }
        let roles = ["role", "roles"];
        let place_of_roles = roles.iter().find_map(|key| source.place_of(key));
        Ok(Self {
            path: path.to_owned(),
            connection: ConnectionSettings {
                member_roles: tables.member_role,
                place_of_roles,
                ..source.group()?
            },
            scope: source.group()?,
            listing: source.group()?,
            policy: source.group()?,
            execution: source.group()?,
            report: source.group()?,
            controls: tables.control,
            mutes: tables.mute,
            places_of_mutes: source.places("mute"),
            forwarders: tables.forwarder,
            attestations: tables.attestation,
            trusted: accounts(&tables.trusted_account),
            monitoring: accounts(&tables.monitoring_account),
        })
    }
}

fn accounts(named: &[NamedAccount]) -> BTreeSet<AccountId> {
    named.iter().map(|named| named.account).collect()
}

struct Source<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Source<'_> {
    /// Every group of settings takes the keys it knows from the whole file, so that a group is the
    /// same type on the command line; whether every key is known to one of them is checked here.
    fn check_keys(&self) -> Result<(), CliError> {
        let table = DeTable::parse(self.text).map_err(|error| self.error(&error))?;
        let known = known_keys();
        let mut unknown: Vec<_> = table
            .get_ref()
            .keys()
            .filter(|key| !known.iter().any(|name| name == key.get_ref().as_ref()))
            .map(|key| (key.span().start, key.get_ref().as_ref()))
            .collect();
        unknown.sort_unstable();
        let Some((offset, key)) = unknown.first() else {
            return Ok(());
        };
        let error = CliError::usage(format_args!("{}: unknown key `{key}`", self.place(*offset)));
        Err(match nearest(key, known.iter().map(String::as_str)) {
            Some(name) => error.hint(format_args!("did you mean `{name}`?")),
            None => error.hint(format_args!("the keys are {}", known.join(", "))),
        })
    }

    fn group<T: DeserializeOwned>(&self) -> Result<T, CliError> {
        toml::from_str(self.text).map_err(|error| self.error(&error))
    }

    fn error(&self, error: &toml::de::Error) -> CliError {
        let start = error.span().map(|span| span.start);
        let place = match start {
            Some(start) => self.place(start),
            None => self.path.display().to_string(),
        };
        let key = start
            .and_then(|start| self.key_at(start))
            .map(|key| format!("`{key}`: "))
            .unwrap_or_default();
        let message = error
            .message()
            .trim_end()
            .replace("unknown field", "unknown key")
            .replace("missing field", "missing key")
            .replace("a sequence", "a list");
        let error_of = CliError::usage(format_args!("{place}: {key}{message}"));
        // In a table, the parser lists the keys that it knows behind the one that it does not.
        let mut quoted = message.split('`').skip(1).step_by(2);
        let unknown = quoted.next().filter(|_| message.starts_with("unknown key"));
        match unknown.and_then(|unknown| nearest(unknown, quoted)) {
            Some(name) => error_of.hint(format_args!("did you mean `{name}`?")),
            None => error_of.hint(
                "the file is TOML; its keys are the names of the flags, such as `role = \"Audit\"`",
            ),
        }
    }

    /// Where a key stands, where it does.
    fn place_of(&self, key: &str) -> Option<String> {
        let table = DeTable::parse(self.text).ok()?;
        let (name, _) = table.get_ref().get_key_value(key)?;
        Some(self.place(name.span().start))
    }

    /// Where each table of a list of tables begins.
    fn places(&self, key: &str) -> Vec<String> {
        let Ok(table) = DeTable::parse(self.text) else {
            return Vec::new();
        };
        match table.get_ref().get(key).map(toml::Spanned::get_ref) {
            Some(DeValue::Array(list)) => list
                .iter()
                .map(|value| self.place(value.span().start))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The key whose value is at a place of the file, where the file is TOML at all.
    fn key_at(&self, offset: usize) -> Option<String> {
        let table = DeTable::parse(self.text).ok()?;
        let found = table
            .get_ref()
            .iter()
            .find(|(_, value)| value.span().contains(&offset))?;
        Some(found.0.get_ref().to_string())
    }

    fn place(&self, offset: usize) -> String {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        format!("{}:{line}", self.path.display())
    }
}

/// The keys of the file: the flags of every group of settings, and the tables.
pub(super) fn known_keys() -> Vec<String> {
    let command = origin::with_flags(clap::Command::new("keys"));
    let flags = command
        .get_arguments()
        .filter_map(|argument| argument.get_long())
        .map(str::to_owned);
    let mut keys: Vec<String> = flags.chain(OTHER_KEYS.map(str::to_owned)).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// The control that a number or a misspelt id stands for.
fn control_meant(catalogue: &[Control], id: &str) -> Option<String> {
    match control::select(catalogue, &[id.to_owned()]) {
        Err(CatalogueError::Unknown { nearest, .. }) => nearest,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ConfigurationFile, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.toml");
        fs::write(&path, text).unwrap();
        let prefix = format!("{}/", folder.path().display());
        ConfigurationFile::read(&path).map_err(|error| {
            let hints = error.hints().join("; ");
            format!("{error} [{hints}]").replace(&prefix, "")
        })
    }

    #[test]
    fn every_flag_is_a_key() {
        let file = read(
            r#"
            profile = "audit"
            region = "eu-central-1"
            role = "security/Audit"
            external-id = "x1"
            session-name = "s"
            hub-role = "arn:aws:iam::333333333333:role/Hub"
            hub-external-id = "h1"
            no-session-policy = true
            accounts = ["111111111111"]
            accounts-file = "a.txt"
            current-account = false
            exclude-accounts = ["222222222222"]
            ou = ["ou-1"]
            exclude-ou = ["ou-2"]
            tag = ["team=a"]
            regions = ["eu-central-1"]
            exclude-regions = ["us-east-2"]
            shard = "1/2"
            controls = ["all"]
            benchmark = "1.4.0"
            assurance = "cis"
            max-delivery-age = "36h"
            trust-organization-trail = true
            sweep = "adaptive"
            concurrency = 8
            format = ["csv"]
            out = "run"
            "#,
        )
        .unwrap();
        assert_eq!(file.connection.role, ["security/Audit"]);
        assert_eq!(file.scope.tag.len(), 1);
        assert!(!file.scope.account_filter().is_empty());
        assert_eq!(file.policy.controls, ["all"]);
        assert_eq!(file.execution.concurrency.map(usize::from), Some(8));
        assert_eq!(file.report.format, ["csv"]);
    }

    #[test]
    fn roles_stand_alone_or_in_a_list() {
        let file = read("roles = [\"A\", \"B\"]\n").unwrap();
        assert_eq!(file.connection.role, ["A", "B"]);
        let twice = read("role = \"A\"\nroles = [\"B\"]\n").unwrap_err();
        assert!(twice.contains("duplicate field"), "{twice}");
    }

    #[test]
    fn a_wrong_role_of_the_file_is_named_with_its_line() {
        let message = |text: &str| {
            let settings = read(text).unwrap().connection;
            let error = settings.role_settings().unwrap_err().to_string();
            error.rsplit('/').next().unwrap_or_default().to_owned()
        };
        let wrong = "arn:aws:iam::{account}:user/A";
        let general = message(&format!(
            "region = \"eu-west-1\"\nroles = [\"A\", \"{wrong}\"]\n"
        ));
        assert!(
            general.ends_with("it is not the ARN of a role"),
            "{general}"
        );
        let text = "[[member-role]]\nou = \"ou-1\"\nrole = \"A\"\n\n[[member-role]]\nou = \"ou-2\"\nrole = \"B C\"\n";
        let member = message(text);
        assert!(
            member.starts_with("t.toml:5: `B C` does not name a role"),
            "{member}"
        );
    }

    #[test]
    fn every_known_key_is_a_field() {
        // A key that no group reads would be accepted and then ignored.
        for key in known_keys() {
            let wrong = format!("{key} = {{ this = \"has the wrong type\" }}\n");
            let message = read(&wrong).err();
            let message = message.unwrap_or_else(|| panic!("`{key}` is ignored"));
            assert!(message.starts_with("t.toml:1: "), "{message}");
        }
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        for (text, expected) in [
            (
                "role = \"a\"\nsweeep = \"full\"\n",
                "t.toml:2: unknown key `sweeep` [did you mean `sweep`?]",
            ),
            (
                "exclude_regions = []\n",
                "t.toml:1: unknown key `exclude_regions` [did you mean `exclude-regions`?]",
            ),
        ] {
            assert_eq!(read(text).unwrap_err(), expected);
        }
        for (text, start) in [
            (
                "\nrole = 1\n",
                "t.toml:2: `role`: invalid type: integer `1`",
            ),
            (
                "accounts = [\"42\"]",
                "t.toml:1: `accounts`: `42` is not an account id",
            ),
            (
                "sweep = \"half\"",
                "t.toml:1: `sweep`: unknown variant `half`",
            ),
            (
                "max-delivery-age = \"1w\"",
                "t.toml:1: `max-delivery-age`: `1w` is not an age",
            ),
            ("role = \n", "t.toml:1: "),
            (
                "[[control]]\nid = \"x\"\n",
                "t.toml:1: `control`: missing key",
            ),
        ] {
            let message = read(text).unwrap_err();
            assert!(message.starts_with(start), "{message}");
        }
    }
}
