//! On which records of evidence a finding rests.
//!
//! Follows the data, not the judgement: from the account to the trails it shows, to their log
//! groups, to the alarms there and the topics they notify. A record that is not reached this way
//! cannot have changed the finding. What the records say is judged elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use trailproof_core::account::{AccountId, Region};
use trailproof_core::evidence::{CallError, Operation, Outcome, ReadError, Record, read_records};

/// A record, without its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Source {
    /// Its line in `evidence.ndjson`, counting from one.
    pub line: usize,
    /// What was asked.
    pub operation: Operation,
    /// With whose credentials.
    pub account: AccountId,
    /// Where.
    pub region: Region,
    /// About what: an ARN, a name, or nothing in particular.
    pub subject: Option<String>,
    /// When the answer arrived.
    pub observed_at: Timestamp,
    /// Why there is no answer; absent when there is one.
    pub error: Option<CallError>,
}

/// Where something is: account and region.
type Site = (AccountId, Region);

/// Every record of a run, by what it is about.
#[derive(Debug, Default)]
pub struct Provenance {
    sources: Vec<Source>,
    /// The records that stand, by what was asked: when a call repeats, the later one stands.
    latest: BTreeMap<(Operation, AccountId, Region, String), usize>,
    by_account: BTreeMap<AccountId, Vec<usize>>,
    by_subject: BTreeMap<String, Vec<usize>>,
    /// Attempts to enter an account, by that account.
    entering: BTreeMap<AccountId, Vec<usize>>,
    everywhere: Vec<usize>,
    /// The trails that an account shows, by its ARN.
    trails: BTreeMap<AccountId, BTreeSet<String>>,
    /// The log groups of a trail, by its ARN.
    log_groups: BTreeMap<String, BTreeSet<String>>,
    /// The topics that alarms notify, by the alarms' place.
    topics: BTreeMap<Site, BTreeSet<String>>,
}

impl Provenance {
    /// Reads `evidence.ndjson`.
    pub fn read(input: impl BufRead) -> Result<Self, ReadError> {
        let mut provenance = Self::default();
        read_records(input, |line, record| {
            provenance.add(line, &record);
            Ok(())
        })?;
        provenance.index();
        Ok(provenance)
    }

    fn add(&mut self, line: usize, record: &Record) {
        let subject = subject(record);
        let error = match &record.outcome {
            Outcome::Response(response) => {
                self.follow(record, response);
                None
            }
            Outcome::Error(error) => Some(error.clone()),
        };
        let parameters = Value::Object(record.parameters.clone()).to_string();
        let key = (
            record.operation,
            record.account,
            record.region.clone(),
            parameters,
        );
        self.latest.insert(key, self.sources.len());
        self.sources.push(Source {
            line,
            operation: record.operation,
            account: record.account,
            region: record.region.clone(),
            subject,
            observed_at: record.observed_at,
            error,
        });
    }

    /// Remembers what an answer leads to.
    fn follow(&mut self, record: &Record, response: &Value) {
        let list = |name: &str| {
            response
                .get(name)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
        };
        match record.operation {
            Operation::DescribeTrails => {
                for trail in list("trailList") {
                    let Some(arn) = text(trail, "TrailARN") else {
                        continue;
                    };
                    self.trails
                        .entry(record.account)
                        .or_default()
                        .insert(arn.clone());
                    if let Some(group) = text(trail, "CloudWatchLogsLogGroupArn") {
                        self.log_groups.entry(arn).or_default().insert(group);
                    }
                }
            }
            Operation::DescribeAlarms => {
                let site = (record.account, record.region.clone());
                let topics = self.topics.entry(site).or_default();
                for alarm in list("MetricAlarms").chain(list("CompositeAlarms")) {
                    let actions = alarm.get("AlarmActions").and_then(Value::as_array);
                    let actions = actions.into_iter().flatten().filter_map(Value::as_str);
                    topics.extend(actions.map(str::to_owned));
                }
            }
            _ => {}
        }
    }

    fn index(&mut self) {
        let standing: BTreeSet<usize> = self.latest.values().copied().collect();
        self.latest.clear();
        for (place, source) in self.sources.iter().enumerate() {
            if !standing.contains(&place) {
                continue;
            }
            match source.operation {
                Operation::DescribeOrganization
                | Operation::ListAccounts
                | Operation::ListDelegatedAdministrators => self.everywhere.push(place),
                Operation::AssumeRole => {
                    let target = source.subject.as_deref().and_then(account_of);
                    if let Some(target) = target {
                        self.entering.entry(target).or_default().push(place);
                    }
                }
                Operation::ListRegions | Operation::ListTagsForResource => {
                    let about = source.subject.as_deref().and_then(|id| id.parse().ok());
                    let about = about.unwrap_or(source.account);
                    self.entering.entry(about).or_default().push(place);
                }
                _ => {
                    self.by_account
                        .entry(source.account)
                        .or_default()
                        .push(place);
                    if let Some(subject) = &source.subject {
                        self.by_subject
                            .entry(subject.clone())
                            .or_default()
                            .push(place);
                    }
                }
            }
        }
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.sources.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// The records that findings of an account rest on, in the order of the file.
    pub fn of(&self, account: AccountId) -> Vec<&Source> {
        let mut found: BTreeSet<usize> = self.everywhere.iter().copied().collect();
        let mut accounts = BTreeSet::from([account]);
        self.collect(account, &mut found, |source| {
            matches!(
                source.operation,
                Operation::DescribeTrails | Operation::GetCallerIdentity
            )
        });
        for trail in self.trails.get(&account).into_iter().flatten() {
            found.extend(self.by_subject.get(trail).into_iter().flatten());
            if let Some(owner) = account_of(trail) {
                accounts.insert(owner);
                self.collect(owner, &mut found, |source| {
                    source.operation == Operation::DescribeTrails
                });
            }
            for group in self.log_groups.get(trail).into_iter().flatten() {
                self.follow_log_group(group, &mut accounts, &mut found);
            }
        }
        for account in accounts {
            found.extend(self.entering.get(&account).into_iter().flatten());
        }
        found
            .into_iter()
            .filter_map(|place| self.sources.get(place))
            .collect()
    }

    fn follow_log_group(
        &self,
        group: &str,
        accounts: &mut BTreeSet<AccountId>,
        found: &mut BTreeSet<usize>,
    ) {
        let Some((account, region, name)) = log_group(group) else {
            return;
        };
        accounts.insert(account);
        self.collect(account, found, |source| {
            let about_it = match (source.operation, source.subject.as_deref()) {
                (Operation::DescribeLogGroups, Some(prefix)) => name.starts_with(prefix),
                (Operation::DescribeMetricFilters, Some(subject)) => name == subject,
                (
                    Operation::DescribeLogGroups
                    | Operation::DescribeMetricFilters
                    | Operation::DescribeAlarms
                    | Operation::ListAlarmMuteRules,
                    None,
                ) => true,
                _ => false,
            };
            about_it && source.region == region
        });
        for topic in self.topics.get(&(account, region)).into_iter().flatten() {
            found.extend(self.by_subject.get(topic).into_iter().flatten());
            accounts.extend(account_of(topic));
        }
    }

    fn collect(
        &self,
        account: AccountId,
        found: &mut BTreeSet<usize>,
        wanted: impl Fn(&Source) -> bool,
    ) {
        let places = self.by_account.get(&account).into_iter().flatten().copied();
        found.extend(places.filter(|place| self.sources.get(*place).is_some_and(&wanted)));
    }
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn account_of(arn: &str) -> Option<AccountId> {
    arn.split(':').nth(4)?.parse().ok()
}

/// Account, region and name of a log group, by its ARN.
fn log_group(arn: &str) -> Option<(AccountId, Region, String)> {
    let mut parts = arn.splitn(7, ':').skip(3);
    let region = Region::new(parts.next()?);
    let account = parts.next()?.parse().ok()?;
    let name = parts.nth(1)?;
    Some((
        account,
        region,
        name.strip_suffix(":*").unwrap_or(name).to_owned(),
    ))
}

/// What a call asked about, of the parameters that select something.
fn subject(record: &Record) -> Option<String> {
    let names: &[&str] = match record.operation {
        Operation::AssumeRole => &["RoleArn"],
        Operation::ListRegions => &["AccountId"],
        Operation::ListTagsForResource => &["ResourceId"],
        Operation::ListDelegatedAdministrators => &["ServicePrincipal"],
        Operation::GetTrailStatus => &["Name"],
        Operation::GetEventSelectors => &["TrailName"],
        Operation::DescribeLogGroups => &["logGroupNamePrefix"],
        Operation::DescribeMetricFilters => &["logGroupName"],
        Operation::GetTopicAttributes | Operation::ListSubscriptionsByTopic => &["TopicArn"],
        _ => &[],
    };
    names
        .iter()
        .find_map(|name| record.parameters.get(*name).and_then(Value::as_str))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TRAIL: &str = "arn:aws:cloudtrail:us-east-1:999999999999:trail/org";
    const GROUP: &str = "arn:aws:logs:us-east-1:999999999999:log-group:trails:org:*";
    const TOPIC: &str = "arn:aws:sns:us-east-1:888888888888:alerts";

    fn lines(records: &[Value]) -> String {
        let mut text = String::new();
        for record in records {
            let mut record = record.clone();
            record["observed_at"] = json!("2026-11-22T22:00:00Z");
            text.push_str(&record.to_string());
            text.push('\n');
        }
        text
    }

    fn record(operation: &str, account: &str, parameters: &Value, response: &Value) -> Value {
        json!({
            "operation": operation, "account": account, "region": "us-east-1",
            "parameters": parameters, "response": response,
        })
    }

    #[test]
    fn a_member_rests_on_the_owners_chain_and_not_on_its_neighbours() {
        let trails =
            json!({"trailList": [{"TrailARN": TRAIL, "CloudWatchLogsLogGroupArn": GROUP}]});
        let shadow = json!({"trailList": [{"TrailARN": TRAIL}]});
        let text = lines(&[
            record(
                "organizations:ListAccounts",
                "999999999999",
                &json!({}),
                &json!({"Accounts": []}),
            ),
            record(
                "cloudtrail:DescribeTrails",
                "111111111111",
                &json!({}),
                &shadow,
            ),
            record(
                "cloudtrail:DescribeTrails",
                "222222222222",
                &json!({}),
                &shadow,
            ),
            record(
                "cloudtrail:DescribeTrails",
                "999999999999",
                &json!({}),
                &trails,
            ),
            record(
                "cloudtrail:GetTrailStatus",
                "999999999999",
                &json!({"Name": TRAIL}),
                &json!({}),
            ),
            record(
                "cloudtrail:GetTrailStatus",
                "999999999999",
                &json!({"Name": "arn:aws:cloudtrail:us-east-1:999999999999:trail/other"}),
                &json!({}),
            ),
            record(
                "logs:DescribeMetricFilters",
                "999999999999",
                &json!({"logGroupName": "trails:org"}),
                &json!({}),
            ),
            record(
                "logs:DescribeMetricFilters",
                "999999999999",
                &json!({"logGroupName": "other"}),
                &json!({}),
            ),
            record(
                "cloudwatch:DescribeAlarms",
                "999999999999",
                &json!({}),
                &json!({"MetricAlarms": [{"AlarmActions": [TOPIC]}]}),
            ),
            record(
                "sns:GetTopicAttributes",
                "888888888888",
                &json!({"TopicArn": TOPIC}),
                &json!({}),
            ),
            record(
                "sts:AssumeRole",
                "999999999999",
                &json!({"RoleArn": "arn:aws:iam::888888888888:role/Audit"}),
                &json!({}),
            ),
            record(
                "sts:AssumeRole",
                "999999999999",
                &json!({"RoleArn": "arn:aws:iam::222222222222:role/Audit"}),
                &json!({}),
            ),
            record(
                "sns:GetTopicAttributes",
                "888888888888",
                &json!({"TopicArn": "arn:aws:sns:us-east-1:888888888888:unrelated"}),
                &json!({}),
            ),
            // Asked again: the later answer stands.
            record(
                "cloudtrail:GetTrailStatus",
                "999999999999",
                &json!({"Name": TRAIL}),
                &json!({}),
            ),
        ]);
        let provenance = Provenance::read(text.as_bytes()).unwrap();
        let found: Vec<usize> = provenance
            .of("111111111111".parse().unwrap())
            .into_iter()
            .map(|source| source.line)
            .collect();
        assert_eq!(found, [1, 2, 4, 7, 9, 10, 11, 14]);
    }

    #[test]
    fn an_account_without_evidence_rests_on_the_organization() {
        let text = lines(&[
            record(
                "organizations:ListAccounts",
                "999999999999",
                &json!({}),
                &json!({}),
            ),
            record(
                "cloudtrail:DescribeTrails",
                "222222222222",
                &json!({}),
                &json!({}),
            ),
        ]);
        let provenance = Provenance::read(text.as_bytes()).unwrap();
        assert_eq!(provenance.of("111111111111".parse().unwrap()).len(), 1);
    }
}
