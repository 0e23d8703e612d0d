//! Names of what is created: AWS's limits, and numbers for names that are taken.
//!
//! A plan holds no name that AWS would refuse, and neither a plan nor a finding's commands use one
//! that something has already: the calls that create metric filters and alarms would replace it.

use std::fmt;

/// What is being named. Each kind has limits of its own, from the API references of CloudWatch
/// Logs, CloudWatch and SNS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameKind {
    /// `filterName` of logs:PutMetricFilter.
    MetricFilter,
    /// `metricName` of a metric transformation.
    Metric,
    /// `metricNamespace` of a metric transformation and `Namespace` of an alarm.
    Namespace,
    /// `AlarmName` of cloudwatch:PutMetricAlarm.
    Alarm,
    /// `Name` of sns:CreateTopic.
    Topic,
}

/// A name that AWS would refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` cannot be the name of {kind}: {problem}")]
pub struct InvalidName {
    /// The name.
    pub name: String,
    /// What it was to name.
    pub kind: NameKind,
    /// The rule it breaks.
    pub problem: &'static str,
}

impl fmt::Display for NameKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::MetricFilter => "a metric filter",
            Self::Metric => "a metric",
            Self::Namespace => "a metric namespace",
            Self::Alarm => "an alarm",
            Self::Topic => "a topic",
        })
    }
}

impl NameKind {
    /// The longest name, in characters.
    pub fn longest(self) -> usize {
        match self {
            Self::MetricFilter => 512,
            Self::Metric | Self::Namespace | Self::Alarm => 255,
            Self::Topic => 256,
        }
    }

    /// Checks a name against AWS's limits.
    pub fn check(self, name: &str) -> Result<(), InvalidName> {
        let problem = if name.trim().is_empty() {
            Some("it is empty")
        } else if name.chars().count() > self.longest() {
            Some(match self {
                Self::MetricFilter => "it is longer than 512 characters",
                Self::Metric | Self::Namespace | Self::Alarm => "it is longer than 255 characters",
                Self::Topic => "it is longer than 256 characters",
            })
        } else if name.chars().any(char::is_control) {
            Some("it has control characters")
        } else {
            self.forbidden(name)
        };
        problem.map_or(Ok(()), |problem| {
            Err(InvalidName {
                name: name.to_owned(),
                kind: self,
                problem,
            })
        })
    }

    fn forbidden(self, name: &str) -> Option<&'static str> {
        match self {
            Self::MetricFilter if name.contains([':', '*']) => Some("`:` and `*` are not allowed"),
            Self::Metric | Self::Namespace if name.contains([':', '*', '$']) => {
                Some("`:`, `*` and `$` are not allowed")
            }
            Self::Namespace if name.starts_with("AWS/") => {
                Some("namespaces that begin with `AWS/` belong to AWS")
            }
            Self::Topic
                if !name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) =>
            {
                Some("only letters, digits, `-` and `_` are allowed")
            }
            _ => None,
        }
    }

    /// The name with a number behind it, cut so that it still fits: `name`, `name-2`, `name-3`.
    /// The first is the name itself.
    pub fn numbered(self, name: &str, number: u32) -> String {
        if number <= 1 {
            return name.to_owned();
        }
        let suffix = format!("-{number}");
        let keep = self.longest().saturating_sub(suffix.len());
        let mut numbered: String = name.chars().take(keep).collect();
        numbered.push_str(&suffix);
        numbered
    }

    /// The first of `name`, `name-2`, `name-3`... that is free.
    pub fn free(self, name: &str, taken: impl Fn(&str) -> bool) -> String {
        let mut number = 1;
        loop {
            let candidate = self.numbered(name, number);
            if number == u32::MAX || !taken(&candidate) {
                return candidate;
            }
            number += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_of_aws() {
        use NameKind::{Alarm, Metric, MetricFilter, Namespace, Topic};
        let ok = |kind: NameKind, name: &str| assert_eq!(kind.check(name), Ok(()), "{name}");
        let refused =
            |kind: NameKind, name: &str| assert!(kind.check(name).is_err(), "{kind:?} {name}");
        ok(MetricFilter, &"x".repeat(512));
        refused(MetricFilter, &"x".repeat(513));
        refused(MetricFilter, "a:b");
        refused(MetricFilter, "a*");
        ok(Metric, "Failed sign-ins/öäü");
        refused(Metric, "cost$");
        refused(Metric, &"x".repeat(256));
        ok(Namespace, "CISBenchmark");
        refused(Namespace, "AWS/EC2");
        refused(Namespace, ":x");
        ok(Alarm, "an alarm: with *anything*");
        refused(Alarm, "tab\there");
        refused(Alarm, "");
        ok(Topic, "a-topic_1");
        refused(Topic, "a.fifo");
        refused(Topic, "trail/logs");
        refused(Topic, &"x".repeat(257));
    }

    #[test]
    fn taken_names_get_a_number_that_fits() {
        assert_eq!(NameKind::Alarm.free("a", |_| false), "a");
        assert_eq!(
            NameKind::Alarm.free("a", |name| name == "a" || name == "a-2"),
            "a-3"
        );
        let long = "x".repeat(255);
        let second = NameKind::Alarm.free(&long, |name| name == long);
        assert_eq!(second.len(), 255);
        assert!(second.ends_with("x-2"));
        assert_eq!(NameKind::Alarm.check(&second), Ok(()));
    }
}
