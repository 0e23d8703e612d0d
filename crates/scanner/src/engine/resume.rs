//! What an earlier run already knows: read from its records while they are loaded.

use std::collections::HashSet;

use jiff::Timestamp;
use trailproof_core::account::AccountId;
use trailproof_core::evidence::{ErrorClass, Evidence, Operation, Outcome, Record};

use super::key::Key;
use super::session::KnownRoles;
use crate::calls::{Failure, RetryAdvice};

/// Everything a resumed run starts with.
#[derive(Debug, Default)]
pub(crate) struct Resumed {
    pub(crate) evidence: Evidence,
    /// The questions that have their final answer.
    pub(crate) known: HashSet<Key>,
    /// Whose credentials made the first run.
    pub(crate) caller: Option<AccountId>,
    /// The roles that were refused, and those that let in.
    pub(crate) roles: KnownRoles,
}

impl Resumed {
    /// Begins with nothing. Answers about resources that came before `oldest` count as never
    /// given: they are asked for again.
    pub(crate) fn not_before(oldest: Option<Timestamp>) -> Self {
        Self {
            evidence: Evidence::not_before(oldest),
            ..Self::default()
        }
    }

    /// Adds a record of the earlier run.
    pub(crate) fn add(&mut self, record: Record) -> Result<(), String> {
        let key = Key::of_record(&record);
        match &record.outcome {
            _ if self.evidence.is_too_old(&record) => {
                self.known.remove(&key);
            }
            // What failed for the moment deserves another try.
            Outcome::Error(error)
                if matches!(error.class, ErrorClass::Throttled | ErrorClass::Unavailable) =>
            {
                self.known.remove(&key);
            }
            Outcome::Error(error) => {
                self.known.insert(key);
                if record.operation == Operation::AssumeRole
                    && let Some(role) = role_arn(&record)
                {
                    let failure = Failure {
                        error: error.clone(),
                        advice: RetryAdvice::None,
                        request_id: record.request_id.clone(),
                    };
                    self.roles.refused.insert(role, failure);
                }
            }
            Outcome::Response(_) => {
                self.known.insert(key);
                if record.operation == Operation::GetCallerIdentity {
                    self.caller.get_or_insert(record.account);
                }
                if record.operation == Operation::AssumeRole
                    && let Some(role) = role_arn(&record)
                {
                    self.roles.refused.remove(&role);
                    self.roles.entered.insert(role);
                }
            }
        }
        self.evidence
            .insert(record)
            .map(drop)
            .map_err(|unreadable| unreadable.to_string())
    }
}

fn role_arn(record: &Record) -> Option<String> {
    Some(record.parameters.get("RoleArn")?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use trailproof_core::account::Region;

    use super::*;

    fn record(operation: &str, parameters: &Value, outcome: &Value) -> Record {
        let mut record = json!({
            "operation": operation, "account": "111111111111", "region": "us-east-1",
            "parameters": parameters, "observed_at": "2026-11-22T22:00:00Z",
        });
        let members = record.as_object_mut().unwrap();
        members.extend(outcome.as_object().unwrap().clone());
        serde_json::from_value(record).unwrap()
    }

    #[test]
    fn passing_failures_are_tried_again_and_final_ones_are_not() {
        let mut resumed = Resumed::default();
        let error = |class: &str| json!({"error": {"code": "X", "class": class}});
        let parameters = json!({"includeShadowTrails": true});
        for (class, known) in [
            ("denied", true),
            ("unavailable", false),
            ("region-disabled", true),
            ("throttled", false),
        ] {
            let record = record("cloudtrail:DescribeTrails", &parameters, &error(class));
            let key = Key::of_record(&record);
            resumed.add(record).unwrap();
            assert_eq!(resumed.known.contains(&key), known, "{class}");
        }
    }

    #[test]
    fn learns_what_the_run_needs_again() {
        let mut resumed = Resumed::default();
        let role = |account: &str| json!({"RoleArn": format!("arn:aws:iam::{account}:role/Audit")});
        resumed
            .add(record(
                "sts:AssumeRole",
                &role("222222222222"),
                &json!({"error": {"code": "AccessDenied", "class": "denied"}}),
            ))
            .unwrap();
        resumed
            .add(record(
                "account:ListRegions",
                &json!({"AccountId": "333333333333"}),
                &json!({"response": {"Regions": [
                    {"RegionName": "us-east-1", "RegionOptStatus": "ENABLED"},
                ]}}),
            ))
            .unwrap();
        resumed
            .add(record(
                "organizations:DescribeOrganization",
                &json!({}),
                &json!({"response": {"Organization": {"MasterAccountId": "111111111111"}}}),
            ))
            .unwrap();
        let account = |text: &str| text.parse::<AccountId>().unwrap();
        let refused = &resumed.roles.refused;
        assert!(refused.contains_key("arn:aws:iam::222222222222:role/Audit"));
        let reader = resumed.evidence.reader();
        assert_eq!(
            reader.enabled_regions(account("333333333333")),
            Some(vec![Region::new("us-east-1")])
        );
        assert_eq!(reader.management_account(), Some(account("111111111111")));
    }
}
