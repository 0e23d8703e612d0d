//! The evidence of a run, found again by account: whole for judging everything at once, and in
//! small parts for trying out a repair at one site.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use trailproof_core::account::{AccountId, Region};
use trailproof_core::arn::Arn;
use trailproof_core::evidence::{Evidence, Lines, Operation, Outcome, ReadError, Record};

/// Evidence that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordedError {
    /// The file system refused.
    #[error("cannot read the evidence `{}`: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line is not a record.
    #[error("{}, {source}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Which line, and what is wrong with it.
        source: ReadError,
    },
}

/// What makes a record replace another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RecordKey {
    pub(super) operation: Operation,
    pub(super) account: AccountId,
    pub(super) region: Region,
    /// The parameter that selects the resource; empty for what is asked once per region.
    pub(super) selector: String,
}

impl RecordKey {
    pub(super) fn of(record: &Record) -> Self {
        Self {
            operation: record.operation,
            account: record.account,
            region: record.region.clone(),
            selector: selector(record.operation, &record.parameters),
        }
    }
}

fn selector(operation: Operation, parameters: &Map<String, Value>) -> String {
    let member = match operation {
        Operation::DescribeMetricFilters => "logGroupName",
        Operation::GetTopicAttributes | Operation::ListSubscriptionsByTopic => "TopicArn",
        Operation::DescribeAlarms => return String::new(),
        Operation::ListAlarmMuteRules => "AlarmName",
        _ => return Value::Object(parameters.clone()).to_string(),
    };
    parameters
        .get(member)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// The evidence file with an index by account. Only the index is in memory: a large organization
/// has far more records than a plan looks at.
#[derive(Debug)]
pub(super) struct Recorded {
    path: PathBuf,
    file: File,
    /// Records about the organization as a whole.
    shared: Vec<Place>,
    by_account: BTreeMap<AccountId, Vec<Place>>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    offset: u64,
    length: usize,
}

impl Recorded {
    /// Reads the file once, for the whole evidence and for the index.
    pub(super) fn open(path: &Path) -> Result<(Self, Evidence), RecordedError> {
        let failed = |source| RecordedError::File {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(failed)?;
        let mut evidence = Evidence::default();
        let mut recorded = Self {
            path: path.to_owned(),
            file: file.try_clone().map_err(failed)?,
            shared: Vec::new(),
            by_account: BTreeMap::new(),
        };
        let unreadable = |source: ReadError| RecordedError::Line {
            path: path.to_owned(),
            source,
        };
        let mut lines = Lines::new(BufReader::with_capacity(1 << 17, file));
        while let Some(line) = lines.next_line().map_err(unreadable)? {
            let record = line.record().map_err(unreadable)?;
            let place = Place {
                offset: line.offset,
                length: line.text.len(),
            };
            recorded.index(&record, place);
            let number = line.number;
            evidence.insert(record).map_err(|source| {
                unreadable(ReadError::Unreadable {
                    line: number,
                    source,
                })
            })?;
        }
        Ok((recorded, evidence))
    }

    fn index(&mut self, record: &Record, place: Place) {
        let places = match record.operation {
            Operation::DescribeOrganization
            | Operation::ListAccounts
            | Operation::ListDelegatedAdministrators
            | Operation::ListTagsForResource
            | Operation::GetCallerIdentity => &mut self.shared,
            // Asked by the management account about somebody: indexed by whom it is about.
            _ => self
                .by_account
                .entry(subject(record).unwrap_or(record.account))
                .or_default(),
        };
        places.push(place);
    }

    /// The records about some accounts, and those about the organization, in the order they were
    /// made. The list of all accounts is cut down to these: trying out a repair at one site must
    /// not cost as much as judging an organization.
    pub(super) fn about(
        &mut self,
        accounts: &BTreeSet<AccountId>,
    ) -> Result<Vec<Record>, RecordedError> {
        let mut places: Vec<Place> = accounts
            .iter()
            .filter_map(|account| self.by_account.get(account))
            .flatten()
            .chain(&self.shared)
            .copied()
            .collect();
        places.sort_by_key(|place| place.offset);
        let mut records = Vec::with_capacity(places.len());
        for place in places {
            let failed = |source| RecordedError::File {
                path: self.path.clone(),
                source,
            };
            self.file
                .seek(SeekFrom::Start(place.offset))
                .map_err(failed)?;
            let mut bytes = vec![0; place.length];
            self.file.read_exact(&mut bytes).map_err(failed)?;
            let mut record: Record = serde_json::from_slice(&bytes)
                .map_err(|error| failed(std::io::Error::other(error)))?;
            if record.operation == Operation::ListAccounts {
                keep_accounts(&mut record, accounts);
            }
            records.push(record);
        }
        Ok(records)
    }
}

/// Whom a record is about, where that is not the account whose credentials asked.
fn subject(record: &Record) -> Option<AccountId> {
    let text = |member: &str| record.parameters.get(member).and_then(Value::as_str);
    match record.operation {
        Operation::AssumeRole => text("RoleArn")?.parse::<Arn>().ok()?.account(),
        Operation::ListRegions => text("AccountId")?.parse().ok(),
        _ => None,
    }
}

fn keep_accounts(record: &mut Record, accounts: &BTreeSet<AccountId>) {
    if let Outcome::Response(response) = &mut record.outcome
        && let Some(Value::Array(listed)) = response.get_mut("Accounts")
    {
        listed.retain(|entry| {
            entry
                .get("Id")
                .and_then(Value::as_str)
                .and_then(|id| id.parse().ok())
                .is_some_and(|id| accounts.contains(&id))
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn finds_the_records_about_an_account() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("evidence.ndjson");
        let line = |operation: &str, account: &str, parameters: Value, response: Value| {
            json!({"operation": operation, "account": account, "region": "us-east-1",
                "parameters": parameters, "observed_at": "2026-11-22T22:00:00Z", "response": response})
            .to_string()
        };
        let role = |account: &str| json!({"RoleArn": format!("arn:aws:iam::{account}:role/Audit")});
        let accounts = json!({"Accounts": [{"Id": "111111111111"}, {"Id": "222222222222"}]});
        let text = [
            line(
                "organizations:ListAccounts",
                "111111111111",
                json!({}),
                accounts,
            ),
            line(
                "sts:AssumeRole",
                "111111111111",
                role("222222222222"),
                json!({}),
            ),
            line(
                "sts:AssumeRole",
                "111111111111",
                role("333333333333"),
                json!({}),
            ),
            line(
                "cloudtrail:DescribeTrails",
                "222222222222",
                json!({}),
                json!({"trailList": []}),
            ),
            line(
                "cloudtrail:DescribeTrails",
                "333333333333",
                json!({}),
                json!({"trailList": []}),
            ),
            "{\"operation\":\"cloudtrail:Descr".to_owned(),
        ]
        .join("\n");
        std::fs::write(&path, text).unwrap();
        let (mut recorded, _) = Recorded::open(&path).unwrap();
        let wanted = BTreeSet::from(["222222222222".parse().unwrap()]);
        let records = recorded.about(&wanted).unwrap();
        let operations: Vec<_> = records.iter().map(|record| record.operation).collect();
        assert_eq!(
            operations,
            [
                Operation::ListAccounts,
                Operation::AssumeRole,
                Operation::DescribeTrails
            ]
        );
        assert_eq!(
            records[0].outcome,
            Outcome::Response(json!({"Accounts": [{"Id": "222222222222"}]}))
        );
    }

    #[test]
    fn a_broken_line_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("evidence.ndjson");
        std::fs::write(&path, "\nnonsense\n").unwrap();
        let error = Recorded::open(&path).unwrap_err().to_string();
        assert!(
            error.contains("evidence.ndjson, line 2: not a record"),
            "{error}"
        );
    }
}
