//! What AWS's own policies for reading lack of what is called.

use super::Statement;

/// A policy that AWS manages.
#[derive(Debug)]
pub struct ManagedPolicy {
    /// Its name, which ends its ARN.
    pub name: &'static str,
    /// Which version was read.
    pub version: &'static str,
    /// The reading actions that it does not allow, of those that are called; a `*` at the end
    /// stands for any.
    lacks: &'static [&'static str],
}

/// AWS's policies for auditors and for reading everything, as they were in March 2026 (AWS Managed
/// Policy Reference Guide). `ReadOnlyAccess` shows data as well: objects, logs, items of tables.
pub const MANAGED: [ManagedPolicy; 2] = [
    ManagedPolicy {
        name: "SecurityAudit",
        version: "v85",
        lacks: &[
            "account:ListRegions",
            "cloudwatch:GetAlarmMuteRule",
            "cloudwatch:ListAlarmMuteRules",
            "logs:TestMetricFilter",
            "oam:GetLink",
            "oam:ListAttachedLinks",
            "oam:ListLinks",
            "observabilityadmin:*",
            "sns:GetSubscriptionAttributes",
        ],
    },
    ManagedPolicy {
        name: "ReadOnlyAccess",
        version: "v178",
        lacks: &[],
    },
];

impl ManagedPolicy {
    /// The actions of these statements that it does not allow, sorted.
    pub fn lacking(&self, statements: &[Statement]) -> Vec<&'static str> {
        let actions = statements.iter().flat_map(|statement| &statement.actions);
        let mut lacking: Vec<&'static str> = actions
            .copied()
            .filter(|action| !reads(action) || self.lacks_reading(action))
            .collect();
        lacking.sort_unstable();
        lacking.dedup();
        lacking
    }

    fn lacks_reading(&self, action: &str) -> bool {
        self.lacks
            .iter()
            .any(|pattern| match pattern.strip_suffix('*') {
                Some(start) => action.starts_with(start),
                None => *pattern == action,
            })
    }
}

/// Whether an action only reads, by its verb.
fn reads(action: &str) -> bool {
    let verb = action.split_once(':').map_or(action, |(_, verb)| verb);
    ["Describe", "Get", "List", "Test"]
        .iter()
        .any(|prefix| verb.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::super::{Who, statements};
    use super::*;

    #[test]
    fn what_each_lacks() {
        let [audit, read_only] = &MANAGED;
        let member = statements(Who::Member, None);
        assert!(
            audit
                .lacking(&member)
                .contains(&"cloudwatch:ListAlarmMuteRules")
        );
        assert!(
            !audit
                .lacking(&member)
                .contains(&"logs:DescribeMetricFilters")
        );
        assert!(read_only.lacking(&member).is_empty());
        let caller = statements(Who::Caller, Some(("Beside", vec!["sns:Subscribe"])));
        assert_eq!(
            read_only.lacking(&caller),
            ["sns:Subscribe", "sts:AssumeRole"]
        );
    }
}
