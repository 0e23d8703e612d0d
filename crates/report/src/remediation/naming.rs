//! Names of what a repair creates: templates, AWS's limits, and suffixes for names that are taken.
//!
//! Every name is checked here, before anything runs: a plan never holds a name AWS would refuse.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use trailproof_core::account::{AccountId, Region};

/// A text with placeholders, such as `trailproof-{control}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Placeholder(Placeholder),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Placeholder {
    Account,
    Region,
    Partition,
    Control,
    LogGroup,
}

impl Placeholder {
    const ALL: [Self; 5] = [
        Self::Account,
        Self::Region,
        Self::Partition,
        Self::Control,
        Self::LogGroup,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Region => "region",
            Self::Partition => "partition",
            Self::Control => "control",
            Self::LogGroup => "log_group",
        }
    }
}

/// A template that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTemplate {
    /// A placeholder that does not exist.
    #[error(
        "`{{{placeholder}}}` in `{template}` is not a placeholder: use {{account}}, {{region}}, {{partition}}, {{control}} or {{log_group}}"
    )]
    UnknownPlaceholder {
        /// The whole template.
        template: String,
        /// The word in braces.
        placeholder: String,
    },
    /// An opening brace without a closing one.
    #[error("`{0}` has a `{{` without a `}}`")]
    Unclosed(String),
}

/// What the placeholders of a template stand for.
#[derive(Debug, Clone, Copy)]
pub struct NameContext<'a> {
    /// `{account}`.
    pub account: AccountId,
    /// `{region}`, and with it `{partition}`.
    pub region: &'a Region,
    /// `{control}`, such as `console-auth-failures`.
    pub control: &'a str,
    /// `{log_group}`.
    pub log_group: &'a str,
}

impl Template {
    /// A text without placeholders.
    pub(crate) fn literal(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            parts: vec![Part::Text(text.to_owned())],
        }
    }

    /// The text with every placeholder replaced.
    pub fn render(&self, context: NameContext<'_>) -> String {
        let mut text = String::with_capacity(self.text.len() + 16);
        for part in &self.parts {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Placeholder(Placeholder::Account) => {
                    text.push_str(&context.account.to_string());
                }
                Part::Placeholder(Placeholder::Region) => text.push_str(context.region.as_str()),
                Part::Placeholder(Placeholder::Partition) => {
                    text.push_str(context.region.partition().as_str());
                }
                Part::Placeholder(Placeholder::Control) => text.push_str(context.control),
                Part::Placeholder(Placeholder::LogGroup) => text.push_str(context.log_group),
            }
        }
        text
    }

    /// The text as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for Template {
    type Err = InvalidTemplate;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, after)) = rest.split_once('{') {
            if !literal.is_empty() {
                parts.push(Part::Text(literal.to_owned()));
            }
            let Some((word, behind)) = after.split_once('}') else {
                return Err(InvalidTemplate::Unclosed(text.to_owned()));
            };
            let placeholder = Placeholder::ALL
                .into_iter()
                .find(|placeholder| placeholder.as_str() == word)
                .ok_or_else(|| InvalidTemplate::UnknownPlaceholder {
                    template: text.to_owned(),
                    placeholder: word.to_owned(),
                })?;
            parts.push(Part::Placeholder(placeholder));
            rest = behind;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self {
            text: text.to_owned(),
            parts,
        })
    }
}

impl TryFrom<String> for Template {
    type Error = InvalidTemplate;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Template> for String {
    fn from(template: Template) -> Self {
        template.text
    }
}

impl fmt::Display for Template {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

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

    fn render(template: &str) -> String {
        let region = Region::new("cn-north-1");
        template.parse::<Template>().unwrap().render(NameContext {
            account: "111111111111".parse().unwrap(),
            region: &region,
            control: "console-auth-failures",
            log_group: "trail/logs",
        })
    }

    #[test]
    fn placeholders_are_replaced() {
        assert_eq!(
            render("a-{control}-{account}.{region}.{partition}.{log_group}"),
            "a-console-auth-failures-111111111111.cn-north-1.aws-cn.trail/logs"
        );
        assert_eq!(render("plain"), "plain");
        assert_eq!(render(""), "");
    }

    #[test]
    fn a_template_names_what_is_wrong_with_it() {
        let unknown = "x-{accountid}".parse::<Template>().unwrap_err();
        assert!(
            unknown
                .to_string()
                .starts_with("`{accountid}` in `x-{accountid}` is not")
        );
        assert_eq!(
            "x-{account".parse::<Template>(),
            Err(InvalidTemplate::Unclosed("x-{account".to_owned()))
        );
    }

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
