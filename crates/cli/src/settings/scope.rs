//! What is looked at: accounts, regions, and how.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use trailproof_core::account::{AccountId, Region};
use trailproof_scanner::{AccountFilter, RegionFilter, Scope, Shard};

use super::values::{RegionName, SweepName, Tag};
use super::{list_or_file, or_file};
use crate::environment;
use crate::error::CliError;

/// Which accounts and regions.
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
#[command(next_help_heading = "Scope")]
pub(crate) struct ScopeSettings {
    /// Only these accounts, without asking AWS Organizations.
    #[arg(long, value_name = "ID", value_delimiter = ',', num_args = 1..)]
    pub(crate) accounts: Vec<AccountId>,

    /// Only the accounts in this file, one id per line, text after # ignored; `-` is stdin.
    #[arg(long, value_name = "FILE")]
    pub(crate) accounts_file: Option<PathBuf>,

    /// Only the account of the credentials.
    #[arg(long, conflicts_with_all = ["accounts", "accounts_file", "ou", "exclude_ou", "exclude_accounts", "tag", "shard"])]
    pub(crate) current_account: bool,

    /// Not these accounts.
    #[arg(long, value_name = "ID", value_delimiter = ',', num_args = 1..)]
    pub(crate) exclude_accounts: Vec<AccountId>,

    /// Only accounts under these organizational units or roots: each by its id, a path of ids, its
    /// name, or the names from the root down (Workloads/Prod). A name has to be that of one unit.
    #[arg(long, value_name = "UNIT", value_delimiter = ',', num_args = 1..)]
    pub(crate) ou: Vec<String>,

    /// No accounts under these organizational units, named in the same ways.
    #[arg(long, value_name = "UNIT", value_delimiter = ',', num_args = 1..)]
    pub(crate) exclude_ou: Vec<String>,

    /// Only accounts that carry this tag; several have to hold together.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) tag: Vec<Tag>,

    /// Only these regions.
    #[arg(long, value_name = "REGION", value_delimiter = ',', num_args = 1..)]
    pub(crate) regions: Vec<RegionName>,

    /// Not these regions.
    #[arg(long, value_name = "REGION", value_delimiter = ',', num_args = 1..)]
    pub(crate) exclude_regions: Vec<RegionName>,

    /// Only a stable part of the accounts, such as 3/16. With the size alone, such as 16, the
    /// index is that of the AWS Batch array job (`AWS_BATCH_JOB_ARRAY_INDEX`) or of the Kubernetes
    /// indexed job (`JOB_COMPLETION_INDEX`).
    #[arg(long, value_name = "INDEX/SIZE")]
    pub(crate) shard: Option<String>,
}

/// How a scan is carried out.
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
#[command(next_help_heading = "Execution")]
pub(crate) struct ExecutionSettings {
    /// How many regions are asked in each account [default: full].
    #[arg(long, value_enum)]
    pub(crate) sweep: Option<SweepName>,

    /// The most API calls in flight at once [default: what the network needs, as far as open files
    /// and memory allow].
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) concurrency: Option<NonZeroUsize>,

    /// Do not ask CloudWatch Logs (logs:TestMetricFilter, in the caller's own account) about rules
    /// of the pattern language that AWS does not document.
    #[arg(long)]
    pub(crate) no_test_patterns: bool,
}

impl ExecutionSettings {
    /// These settings, with what they leave open taken from the file.
    pub(crate) fn or(mut self, file: &Self) -> Self {
        let Self {
            sweep,
            concurrency,
            no_test_patterns,
        } = *file;
        or_file(&mut self.sweep, sweep);
        or_file(&mut self.concurrency, concurrency);
        self.no_test_patterns |= no_test_patterns;
        self
    }
}

impl ScopeSettings {
    /// These settings, with what they leave open taken from the file.
    pub(crate) fn or(mut self, file: Self) -> Self {
        let Self {
            accounts,
            accounts_file,
            current_account,
            exclude_accounts,
            ou,
            exclude_ou,
            tag,
            regions,
            exclude_regions,
            shard,
        } = file;
        // Where accounts come from is one decision: a flag for it replaces all that the file says.
        if !self.names_accounts() {
            self.accounts = accounts;
            self.accounts_file = accounts_file;
            self.current_account = current_account;
        }
        if !self.current_account {
            list_or_file(&mut self.exclude_accounts, exclude_accounts);
            list_or_file(&mut self.ou, ou);
            list_or_file(&mut self.exclude_ou, exclude_ou);
            list_or_file(&mut self.tag, tag);
            or_file(&mut self.shard, shard);
        }
        list_or_file(&mut self.regions, regions);
        list_or_file(&mut self.exclude_regions, exclude_regions);
        self
    }

    /// Whether anything is set.
    pub(crate) fn is_empty(&self) -> bool {
        !self.names_accounts()
            && self.account_filter().is_empty()
            && self.regions.is_empty()
            && self.exclude_regions.is_empty()
            && self.shard.is_none()
    }

    fn names_accounts(&self) -> bool {
        !self.accounts.is_empty() || self.accounts_file.is_some() || self.current_account
    }

    /// How the accounts are found.
    pub(crate) fn scope(&self) -> Result<Scope, CliError> {
        if self.current_account {
            return Ok(Scope::CurrentAccount);
        }
        if !self.names_accounts() {
            return Ok(Scope::Organization);
        }
        let mut listed = Listed::default();
        for account in &self.accounts {
            listed.add(*account, "--accounts".to_owned())?;
        }
        if let Some(path) = &self.accounts_file {
            read_accounts(path, &mut listed)?;
        }
        if listed.order.is_empty() {
            return Err(CliError::usage("the list of accounts is empty")
                .hint("write one account id per line, or leave out --accounts-file"));
        }
        Ok(Scope::Accounts(listed.order))
    }

    /// Which of the found accounts are left out.
    pub(crate) fn account_filter(&self) -> AccountFilter {
        AccountFilter {
            exclude: self.exclude_accounts.iter().copied().collect(),
            organizational_units: self.ou.iter().cloned().collect(),
            exclude_organizational_units: self.exclude_ou.iter().cloned().collect(),
            tags: self
                .tag
                .iter()
                .map(|tag| (tag.key.clone(), tag.value.clone()))
                .collect(),
        }
    }

    /// Which regions are swept.
    pub(crate) fn region_filter(&self) -> RegionFilter {
        let set = |names: &[RegionName]| -> BTreeSet<Region> {
            names.iter().map(|name| name.0.clone()).collect()
        };
        RegionFilter {
            include: set(&self.regions),
            exclude: set(&self.exclude_regions),
        }
    }

    /// The part of the accounts to take.
    pub(crate) fn shard(&self) -> Result<Option<Shard>, CliError> {
        self.shard
            .as_deref()
            .map(|text| shard(text, environment::variable))
            .transpose()
    }

    /// The filters of accounts as they were given, by flag name, for the record of the run. A list
    /// from a file is recorded in full: the file may change before the run is continued.
    pub(crate) fn filters(&self, found: &Scope) -> BTreeMap<String, Vec<String>> {
        fn texts<T: ToString>(values: &[T]) -> Vec<String> {
            values.iter().map(ToString::to_string).collect()
        }
        let (accounts, current) = match found {
            Scope::Organization => (Vec::new(), Vec::new()),
            Scope::Accounts(accounts) => (texts(accounts), Vec::new()),
            Scope::CurrentAccount => (Vec::new(), vec!["true".to_owned()]),
        };
        [
            ("accounts", accounts),
            ("current-account", current),
            ("exclude-accounts", texts(&self.exclude_accounts)),
            ("ou", self.ou.clone()),
            ("exclude-ou", self.exclude_ou.clone()),
            ("tag", texts(&self.tag)),
        ]
        .into_iter()
        .filter(|(_, values)| !values.is_empty())
        .map(|(name, values)| (name.to_owned(), values))
        .collect()
    }
}

fn at_least_one(text: &str) -> Result<NonZeroUsize, String> {
    let read = text.parse();
    read.map_err(|_| "expected a whole number of at least 1".to_owned())
}

/// A part of the accounts: `3/16`, or `16` with the index in the environment, counted from 0.
fn shard(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Shard, CliError> {
    const INDEX_VARIABLES: [&str; 2] = ["AWS_BATCH_JOB_ARRAY_INDEX", "JOB_COMPLETION_INDEX"];
    let Ok(size) = text.parse::<u32>() else {
        return text.parse().map_err(CliError::usage);
    };
    let found = INDEX_VARIABLES
        .iter()
        .find_map(|name| variable(name).map(|value| (*name, value)));
    let Some((name, value)) = found else {
        return Err(CliError::usage(format_args!(
            "--shard {text} has no index, and neither {} is set",
            INDEX_VARIABLES.join(" nor ")
        ))
        .hint(format_args!("name the part, such as --shard 1/{text}")));
    };
    let index = value
        .parse::<u32>()
        .ok()
        .and_then(|index| index.checked_add(1));
    index
        .and_then(|index| Shard::new(index, size).ok())
        .ok_or_else(|| {
            CliError::usage(format_args!(
                "{name} is `{value}`, which is no index from 0 to {} of --shard {text}",
                size.saturating_sub(1)
            ))
            .hint("give the array job as many children as --shard says")
        })
}

/// Accounts in the order they were named, and where each was.
#[derive(Default)]
struct Listed {
    order: Vec<AccountId>,
    places: BTreeMap<AccountId, String>,
}

impl Listed {
    fn add(&mut self, account: AccountId, place: String) -> Result<(), CliError> {
        if let Some(earlier) = self.places.get(&account) {
            let places = if *earlier == place {
                place
            } else {
                format!("{earlier} and {place}")
            };
            return Err(CliError::usage(format_args!(
                "account `{account}` is listed twice: {places}"
            ))
            .hint("remove one of the two"));
        }
        self.places.insert(account, place);
        self.order.push(account);
        Ok(())
    }
}

fn read_accounts(path: &Path, listed: &mut Listed) -> Result<(), CliError> {
    let unreadable = |error: std::io::Error| {
        CliError::usage(format_args!("cannot read `{}`: {error}", path.display()))
            .hint("--accounts-file takes a text file with one account id per line, or - for stdin")
    };
    let text = if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(unreadable)?;
        text
    } else {
        fs::read_to_string(path).map_err(unreadable)?
    };
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let content = line.split('#').next().unwrap_or_default().trim();
        if content.is_empty() {
            continue;
        }
        let place = format!("{}:{}", path.display(), index + 1);
        let account = content.parse().map_err(|error| {
            CliError::usage(format_args!("{place}: {error}"))
                .hint("write one account id per line; text after # is ignored")
        })?;
        listed.add(account, place)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_of_a_shard_comes_from_the_job() {
        let batch = |name: &str| (name == "AWS_BATCH_JOB_ARRAY_INDEX").then(|| "2".to_owned());
        assert_eq!(shard("16", batch).unwrap().to_string(), "3/16");
        assert_eq!(shard("1/4", batch).unwrap().to_string(), "1/4");
        assert!(shard("2", batch).is_err());
        assert!(shard("16", |_| None).is_err());
        assert!(shard("0", |_| Some("0".to_owned())).is_err());
    }

    #[test]
    fn a_flag_for_accounts_replaces_the_files_choice() {
        let flags = ScopeSettings {
            accounts: vec!["111111111111".parse().unwrap()],
            ..ScopeSettings::default()
        };
        let file = ScopeSettings {
            current_account: true,
            regions: vec!["eu-west-1".parse().unwrap()],
            ..ScopeSettings::default()
        };
        let merged = flags.or(file);
        assert!(!merged.current_account);
        assert_eq!(merged.regions.len(), 1);
    }

    #[test]
    fn an_account_listed_twice_is_named_with_both_places() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accounts.txt");
        fs::write(&path, "# ours\n111111111111 # one\n\n222222222222\n").unwrap();
        let settings = ScopeSettings {
            accounts: vec!["222222222222".parse().unwrap()],
            accounts_file: Some(path),
            ..ScopeSettings::default()
        };
        let message = settings.scope().unwrap_err().to_string();
        assert!(message.starts_with("account `222222222222` is listed twice: --accounts and "));
        assert!(message.ends_with("accounts.txt:4"), "{message}");
    }
}
