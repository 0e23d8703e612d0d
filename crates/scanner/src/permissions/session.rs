//! What limits the session of an assumed role: a policy of nothing but the operations that are
//! wanted, whatever the role itself allows.
//!
//! A session policy and the tags that a session inherits share one packed size, so it is kept
//! short (docs.aws.amazon.com, IAM User Guide, "IAM and AWS STS quotas": 2,048 characters, and a
//! packed size that depends on the text).

use std::collections::BTreeMap;

use serde::Serialize;
use trailproof_core::account::Partition;
use trailproof_core::evidence::Permission;

use super::{FILTERS, of};
use crate::roles::SessionPolicy;

/// The longest policy that is sent, in characters, where wildcards can make it shorter.
const LONGEST: usize = 600;

/// Which of AWS's own policies is used where the packed size is not enough for a text.
const READ_ONLY_ACCESS: &str = "ReadOnlyAccess";

/// What is sent with sts:AssumeRole to limit a session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Limit {
    /// `Policy`.
    pub(crate) policy: Option<String>,
    /// `PolicyArns`: the names of AWS's own policies.
    pub(crate) managed: Vec<&'static str>,
}

/// Which way a session was limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum SessionForm {
    /// By a policy of the wanted operations.
    #[serde(rename = "operations")]
    Operations,
    /// By AWS's `ReadOnlyAccess`, because a policy of the operations was too large beside the tags
    /// that the session inherits.
    #[serde(rename = "ReadOnlyAccess")]
    ReadOnlyAccess,
    /// Not at all.
    #[serde(rename = "none")]
    None,
}

impl SessionForm {
    /// The word in run.json.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operations => "operations",
            Self::ReadOnlyAccess => READ_ONLY_ACCESS,
            Self::None => "none",
        }
    }
}

/// Whose session it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holder {
    /// A role that reads, and repairs, an account.
    Member,
    /// A role that finds the accounts and enters them, and reads its own.
    Hub,
}

/// The limits of sessions, the first one to be tried first. None when there is no limit.
pub(crate) fn limits(policy: &SessionPolicy, holder: Holder) -> Vec<(SessionForm, Limit)> {
    let SessionPolicy::Operations(more) = policy else {
        return vec![(SessionForm::None, Limit::default())];
    };
    let mut reading = of(Permission::Read);
    // What AWS's policy for reading does not allow.
    let mut beside = more.clone();
    if holder == Holder::Hub {
        reading.extend(of(Permission::Discover));
        reading.extend(of(Permission::Try));
        reading.extend(FILTERS);
        beside.extend(of(Permission::Enter));
    }
    let fallback = Limit {
        policy: (!beside.is_empty()).then(|| document(&patterns(&[], &beside))),
        managed: vec![READ_ONLY_ACCESS],
    };
    vec![
        (
            SessionForm::Operations,
            Limit {
                policy: Some(document(&patterns(&reading, &beside))),
                managed: Vec::new(),
            },
        ),
        (SessionForm::ReadOnlyAccess, fallback),
    ]
}

/// The ARN of one of AWS's own policies.
pub(crate) fn managed_arn(partition: Partition, name: &str) -> String {
    format!("arn:{partition}:iam::aws:policy/{name}")
}

fn document(actions: &[String]) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Allow<'a> {
        effect: &'static str,
        action: &'a [String],
        resource: &'static str,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Document<'a> {
        version: &'static str,
        statement: Allow<'a>,
    }
    let document = Document {
        version: "2012-10-17",
        statement: Allow {
            effect: "Allow",
            action: actions,
            resource: "*",
        },
    };
    // Texts always serialize.
    serde_json::to_string(&document).unwrap_or_default()
}

/// The actions, with wildcards for the verbs that save most until the document is short enough.
fn patterns(reading: &[&'static str], exact: &[&'static str]) -> Vec<String> {
    let mut actions: Vec<String> = reading
        .iter()
        .chain(exact)
        .copied()
        .map(str::to_owned)
        .collect();
    actions.sort_unstable();
    actions.dedup();
    while document(&actions).len() > LONGEST {
        let mut savings: BTreeMap<String, usize> = BTreeMap::new();
        for action in reading {
            if let Some(verb) = verb_without_data(action)
                && actions.iter().any(|kept| kept == action)
            {
                // With the quotation marks and the comma.
                *savings.entry(verb).or_default() += action.len() + 3;
            }
        }
        let best = savings
            .into_iter()
            .filter_map(|(verb, saved)| Some((saved.checked_sub(verb.len() + 4)?, verb)))
            .max();
        let Some((1.., verb)) = best else {
            break;
        };
        actions.retain(|action| !action.starts_with(&verb));
        actions.push(format!("{verb}*"));
        actions.sort_unstable();
    }
    actions
}

/// The beginning that an action shares with others of its verb, such as `logs:Describe`, where none
/// of them shows data: `Get` reads log events, metrics and secrets in several services, and
/// sns:List* shows telephone numbers.
fn verb_without_data(action: &str) -> Option<String> {
    let (service, operation) = action.split_once(':')?;
    let verb = ["Describe", "List"]
        .into_iter()
        .find(|verb| operation.starts_with(verb))?;
    ((service, verb) != ("sns", "List")).then(|| format!("{service}:{verb}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(policy: &SessionPolicy, holder: Holder) -> String {
        limits(policy, holder)[0].1.policy.clone().unwrap()
    }

    fn allows(policy: &str, action: &str) -> bool {
        let document: serde_json::Value = serde_json::from_str(policy).unwrap();
        let actions = document["Statement"]["Action"].as_array().unwrap();
        actions.iter().any(|pattern| {
            let pattern = pattern.as_str().unwrap();
            match pattern.strip_suffix('*') {
                Some(start) => action.starts_with(start),
                None => pattern == action,
            }
        })
    }

    #[test]
    fn a_member_may_do_what_a_scan_asks_and_little_else() {
        let policy = text(&SessionPolicy::default(), Holder::Member);
        assert!(policy.len() <= LONGEST, "{policy}");
        for action in of(Permission::Read) {
            assert!(allows(&policy, action), "{action}");
        }
        for action in [
            "logs:GetLogEvents",
            "logs:FilterLogEvents",
            "cloudwatch:GetMetricData",
            "sns:ListPhoneNumbersOptedOut",
            "sns:Publish",
            "sts:AssumeRole",
            "s3:GetObject",
            "iam:ListUsers",
        ] {
            assert!(!allows(&policy, action), "{action}");
        }
    }

    #[test]
    fn repairs_add_their_own_actions_and_nothing_more() {
        let actions = vec!["sns:Subscribe", "logs:PutMetricFilter"];
        let limits = limits(&SessionPolicy::Operations(actions), Holder::Member);
        let [(_, operations), (_, read_only)] = limits.as_slice() else {
            panic!("{limits:?}");
        };
        let policy = operations.policy.as_deref().unwrap();
        assert!(policy.len() <= LONGEST + 50, "{policy}");
        for action in [
            "sns:Subscribe",
            "logs:PutMetricFilter",
            "logs:DescribeMetricFilters",
        ] {
            assert!(allows(policy, action), "{action}");
        }
        for action in [
            "sns:Unsubscribe",
            "logs:DeleteMetricFilter",
            "logs:PutLogEvents",
        ] {
            assert!(!allows(policy, action), "{action}");
        }
        // Beside AWS's policy for reading.
        let policy = read_only.policy.as_deref().unwrap();
        assert!(allows(policy, "sns:Subscribe") && !allows(policy, "logs:DescribeLogGroups"));
        assert_eq!(read_only.managed, [READ_ONLY_ACCESS]);
    }

    #[test]
    fn a_hub_finds_and_enters_accounts() {
        let policy = text(&SessionPolicy::default(), Holder::Hub);
        for permission in [
            Permission::Read,
            Permission::Discover,
            Permission::Enter,
            Permission::Try,
        ] {
            for action in of(permission) {
                assert!(allows(&policy, action), "{action}");
            }
        }
        assert!(policy.len() <= 2 * LONGEST, "{policy}");
    }

    #[test]
    fn long_lists_are_shortened_within_verbs() {
        let services = ["alpha", "beta", "gamma", "delta"];
        let long: Vec<&'static str> = services
            .iter()
            .flat_map(|service| {
                (0..8).map(move |number| -> &'static str {
                    format!("{service}:DescribeSomethingLong{number}").leak()
                })
            })
            .collect();
        let patterns = patterns(&long, &["beta:GetIt"]);
        assert!(document(&patterns).len() <= LONGEST);
        assert!(patterns.contains(&"beta:GetIt".to_owned()), "{patterns:?}");
        assert!(
            patterns
                .iter()
                .any(|pattern| pattern.ends_with(":Describe*"))
        );
    }
}
