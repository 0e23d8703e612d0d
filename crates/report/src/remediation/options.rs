//! What the user wants a plan to look like, checked before any evidence is read.

use std::collections::{BTreeMap, BTreeSet};

use trailproof_core::account::{AccountId, Partition, Region};
use trailproof_core::arn::Arn;
use trailproof_core::remedy;
use trailproof_core::units::Meant;

use super::endpoint::Subscriber;
use super::naming::{self, InvalidName, InvalidTemplate, NameContext, NameKind, Template};

/// The highest threshold: an alarm that waits for more never fires on sign-ins or changes.
const MOST_EVENTS: f64 = 100_000.0;

/// Everything a user can choose about a plan.
#[derive(Debug, Clone)]
pub struct PlanOptions {
    /// Who is told.
    pub subscribers: Vec<Subscriber>,
    /// Existing topics to use, at most one per region.
    pub topics: Vec<Arn>,
    /// The ARN of existing topics with placeholders, such as `{region}`, where none is named for a
    /// region.
    pub topic_arn: Option<Template>,
    /// The name of new topics, one per account and region. A topic of a name the user chose is
    /// used when it exists already.
    pub topic_name: Option<Template>,
    /// The account whose topics all alarms notify, one for each region.
    pub central: Option<AccountId>,
    /// The names of metric filters.
    pub filter_name: Template,
    /// The names of metrics.
    pub metric_name: Template,
    /// The namespace of metrics.
    pub namespace: Template,
    /// The names of alarms.
    pub alarm_name: Template,
    /// The alarms' period, in seconds.
    pub period: u32,
    /// How many events within a period make an alarm.
    pub threshold: f64,
    /// Whose wording of the filter pattern is used.
    pub pattern: PatternText,
    /// Tags of new topics and alarms.
    pub tags: BTreeMap<String, String>,
    /// The key that encrypts new topics.
    pub kms_key: Option<Template>,
    /// Which findings to repair.
    pub selection: Selection,
}

/// Whose wording of a filter pattern is used. Security Hub compares the text itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum PatternText {
    /// The benchmark's.
    #[default]
    Cis,
    /// The one that AWS Security Hub accepts.
    SecurityHub,
    /// The user's own, for one control.
    Custom(String),
}

/// Which findings a plan repairs. Empty means all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Only these accounts.
    pub accounts: BTreeSet<AccountId>,
    /// Not these accounts.
    pub exclude_accounts: BTreeSet<AccountId>,
    /// Only accounts in these organizational units, nested ones included, by id, path of ids, name or
    /// names from the root down.
    pub organizational_units: BTreeSet<String>,
    /// Not the accounts in these.
    pub exclude_organizational_units: BTreeSet<String>,
    /// Only these controls.
    pub controls: BTreeSet<String>,
}

/// An option that cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InvalidOption {
    /// A placeholder is wrong.
    #[error(transparent)]
    Template(#[from] InvalidTemplate),
    /// A name is one that AWS refuses.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// The period is not one that a metric filter's metric can have.
    #[error("`{0}` is not a period: a multiple of 60 seconds, from 60 to 604800")]
    Period(u32),
    /// A threshold that never or always alarms.
    #[error("`{0}` is not a threshold: a number of events, from 1 to {MOST_EVENTS}")]
    Threshold(f64),
    /// Not the ARN of a topic that can send e-mail.
    #[error("`{0}` is not the ARN of a standard SNS topic")]
    Topic(String),
    /// A topic of another account than the one whose topics are to be notified.
    #[error("`{topic}` is not a topic of account {central}, which --central names")]
    NotCentral {
        /// The topic.
        topic: Arn,
        /// The account.
        central: AccountId,
    },
    /// An alarm whose ARN the policy of a central topic is not held against.
    #[error(
        "`{0}` cannot be the name of alarms that notify a topic of another account: CloudWatch holds the policy of a topic against names of ASCII characters alone"
    )]
    CentralAlarmName(String),
    /// A region and a partition that do not belong together.
    #[error("`{topic}` cannot be the ARN of a topic: region {region} is in partition {partition}")]
    Partition {
        /// The ARN.
        topic: Arn,
        /// Its region.
        region: Region,
        /// The partition of that region.
        partition: Partition,
    },
    /// Two topics in a region.
    #[error("there are two topics for region {0}: name one per region")]
    TwoTopics(Region),
    /// A tag that AWS refuses.
    #[error("the tag `{key}` cannot be set: {problem}")]
    Tag {
        /// Its key.
        key: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// A key with which alarms cannot publish.
    #[error(
        "`{0}` cannot encrypt the topic: CloudWatch may not use the key that AWS manages, so no alarm could publish; name a customer managed key"
    )]
    AwsManagedKey(String),
    /// Not a key.
    #[error("`{0}` is not a key: give the id, the ARN or the alias (`alias/NAME`) of a KMS key")]
    Key(String),
    /// The pattern text is not usable.
    #[error("the filter pattern cannot be used: {0}")]
    Pattern(&'static str),
}

impl Default for PlanOptions {
    fn default() -> Self {
        let template = |text: &str| {
            text.parse()
                .unwrap_or_else(|_: InvalidTemplate| Template::literal(text))
        };
        Self {
            subscribers: Vec::new(),
            topics: Vec::new(),
            topic_arn: None,
            topic_name: None,
            central: None,
            filter_name: template(Self::DEFAULT_NAME),
            metric_name: template(Self::DEFAULT_METRIC),
            namespace: template(Self::DEFAULT_NAMESPACE),
            alarm_name: template(Self::DEFAULT_NAME),
            period: Self::DEFAULT_PERIOD,
            threshold: remedy::THRESHOLD,
            pattern: PatternText::default(),
            tags: BTreeMap::new(),
            kms_key: None,
            selection: Selection::default(),
        }
    }
}

impl PlanOptions {
    /// The default name of metric filters and alarms.
    pub const DEFAULT_NAME: &'static str = remedy::NAME;
    /// The default name of metrics.
    pub const DEFAULT_METRIC: &'static str = remedy::METRIC;
    /// The default namespace: the one in the benchmark's own commands.
    pub const DEFAULT_NAMESPACE: &'static str = remedy::NAMESPACE;
    /// The default name of topics.
    pub const DEFAULT_TOPIC: &'static str = remedy::TOPIC;
    /// The default period, in seconds: the benchmark's.
    pub const DEFAULT_PERIOD: u32 = remedy::PERIOD;

    /// Checks everything that can be checked before evidence is read. Names are checked with
    /// sample values here and with the real ones when the plan is made.
    pub fn validate(&self) -> Result<(), InvalidOption> {
        validate_period(self.period)?;
        validate_threshold(self.threshold)?;
        self.validate_topics()?;
        self.validate_names()?;
        validate_tags(&self.tags)?;
        if let Some(key) = &self.kms_key {
            validate_key(key.as_str())?;
        }
        match &self.pattern {
            PatternText::Custom(text) => validate_pattern(text).map_err(InvalidOption::Pattern),
            PatternText::Cis | PatternText::SecurityHub => Ok(()),
        }
    }

    fn validate_topics(&self) -> Result<(), InvalidOption> {
        let mut regions = BTreeSet::new();
        for topic in &self.topics {
            let region = validate_topic(topic)?;
            if !regions.insert(region.clone()) {
                return Err(InvalidOption::TwoTopics(region));
            }
        }
        if let Some(template) = &self.topic_arn {
            let sample = sample(|context| template.render(context));
            let topic = sample.parse().map_err(|_| InvalidOption::Topic(sample))?;
            validate_topic(&topic)?;
        }
        self.central
            .map_or(Ok(()), |central| self.validate_central(central))
    }

    /// Topics that are named are the central account's, and the policy that lets alarms through
    /// names them by their ARNs (`aws:SourceArn`; CloudWatch User Guide, "Notifying users on alarm
    /// changes").
    fn validate_central(&self, central: AccountId) -> Result<(), InvalidOption> {
        let by_template = self.topic_arn.as_ref().and_then(|template| {
            let context = |context: NameContext<'_>| {
                template.render(NameContext {
                    account: central,
                    ..context
                })
            };
            sample(context).parse().ok()
        });
        let mut topics = self.topics.iter().chain(&by_template);
        if let Some(topic) = topics.find(|topic| topic.account() != Some(central)) {
            return Err(InvalidOption::NotCentral {
                topic: topic.clone(),
                central,
            });
        }
        let alarm = self.alarm_name.as_str();
        if alarm.is_ascii() {
            Ok(())
        } else {
            Err(InvalidOption::CentralAlarmName(alarm.to_owned()))
        }
    }

    /// Whether the user names topics by their ARNs, so that messages go there and nowhere else.
    pub(crate) fn names_topics(&self) -> bool {
        !self.topics.is_empty() || self.topic_arn.is_some()
    }

    /// The topic that the user names for a site; `None` where there is none for its region.
    pub(crate) fn named_topic(&self, context: NameContext<'_>) -> Option<Arn> {
        let in_region = |topic: &&Arn| topic.region().as_ref() == Some(context.region);
        let named = self.topics.iter().find(in_region).cloned();
        named.or_else(|| {
            let rendered = self.topic_arn.as_ref()?.render(context).parse().ok();
            rendered.filter(|topic| in_region(&topic) && validate_topic(topic).is_ok())
        })
    }

    fn validate_names(&self) -> Result<(), InvalidOption> {
        let topic = self.topic_name.as_ref();
        for (kind, template) in [
            (NameKind::MetricFilter, Some(&self.filter_name)),
            (NameKind::Metric, Some(&self.metric_name)),
            (NameKind::Namespace, Some(&self.namespace)),
            (NameKind::Alarm, Some(&self.alarm_name)),
            (NameKind::Topic, topic),
        ] {
            if let Some(template) = template {
                naming::check(kind, &sample(|context| template.render(context)))?;
            }
        }
        Ok(())
    }

    /// The name of the topic of a site.
    pub(crate) fn topic_name(&self, context: NameContext<'_>) -> String {
        self.topic_name.as_ref().map_or_else(
            || Self::DEFAULT_TOPIC.to_owned(),
            |name| name.render(context),
        )
    }
}

/// A text for an account, region, control and log group that stand for all.
fn sample(render: impl FnOnce(NameContext<'_>) -> String) -> String {
    // Twelve digits are an account.
    let Ok(account) = "111111111111".parse() else {
        return String::new();
    };
    render(NameContext {
        account,
        region: &Partition::Aws.home_region(),
        control: "control",
        log_group: "group",
    })
}

/// The region of a topic that can send e-mail.
fn validate_topic(topic: &Arn) -> Result<Region, InvalidOption> {
    let name_is_right = NameKind::Topic.check(topic.resource()).is_ok();
    match topic.region() {
        Some(region) if topic.service() == "sns" && topic.account().is_some() && name_is_right => {
            if topic.partition() == region.partition().as_str() {
                return Ok(region);
            }
            Err(InvalidOption::Partition {
                topic: topic.clone(),
                partition: region.partition(),
                region,
            })
        }
        _ => Err(InvalidOption::Topic(topic.to_string())),
    }
}

/// The period of an alarm, in seconds.
pub(super) fn validate_period(period: u32) -> Result<(), InvalidOption> {
    if (60..=604_800).contains(&period) && period.is_multiple_of(60) {
        Ok(())
    } else {
        Err(InvalidOption::Period(period))
    }
}

/// How many events an alarm waits for.
pub(super) fn validate_threshold(threshold: f64) -> Result<(), InvalidOption> {
    if (1.0..=MOST_EVENTS).contains(&threshold) {
        Ok(())
    } else {
        Err(InvalidOption::Threshold(threshold))
    }
}

/// A filter pattern; what it matches is found out elsewhere.
pub(super) fn validate_pattern(text: &str) -> Result<(), &'static str> {
    if text.chars().count() > 1024 {
        Err("it is longer than 1,024 characters")
    } else if text.trim().is_empty() {
        Err("it is empty, so it would match every event")
    } else {
        Ok(())
    }
}

/// The tags that a user gives.
pub(super) fn validate_tags(tags: &BTreeMap<String, String>) -> Result<(), InvalidOption> {
    if tags.len() > 40 {
        return Err(InvalidOption::Tag {
            key: tags.keys().next_back().cloned().unwrap_or_default(),
            problem: "there are more than 40",
        });
    }
    tags.iter()
        .try_for_each(|(key, value)| validate_tag(key, value))
}

/// The key of a topic.
pub(super) fn validate_key(key: &str) -> Result<(), InvalidOption> {
    if key.ends_with("alias/aws/sns") {
        return Err(InvalidOption::AwsManagedKey(key.to_owned()));
    }
    let clean = !key.is_empty() && !key.chars().any(|c| c.is_control() || c.is_whitespace());
    let right = match key.strip_prefix("arn:") {
        Some(rest) => {
            rest.contains(":kms:") && (rest.contains(":key/") || rest.contains(":alias/"))
        }
        None => !key.contains(':'),
    };
    if clean && right {
        Ok(())
    } else {
        Err(InvalidOption::Key(key.to_owned()))
    }
}

fn validate_tag(key: &str, value: &str) -> Result<(), InvalidOption> {
    let allowed = |text: &str| {
        text.chars()
            .all(|c| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c))
    };
    let problem = if key.is_empty() || key.chars().count() > 128 {
        "a key has 1 to 128 characters"
    } else if value.chars().count() > 256 {
        "a value has at most 256 characters"
    } else if key.to_ascii_lowercase().starts_with("aws:") {
        "keys that begin with `aws:` belong to AWS"
    } else if key.starts_with("trailproof:") {
        "keys that begin with `trailproof:` are trailproof's own"
    } else if !allowed(key) || !allowed(value) {
        "only letters, digits, blanks and _.:/=+-@ are allowed"
    } else {
        return Ok(());
    };
    Err(InvalidOption::Tag {
        key: key.to_owned(),
        problem,
    })
}

impl Selection {
    /// Whether a finding is to be repaired. Organizational units are told by their ids.
    pub fn wants(&self, account: AccountId, ou_path: Option<&str>, control: &str) -> bool {
        (self.accounts.is_empty() || self.accounts.contains(&account))
            && !self.exclude_accounts.contains(&account)
            && (self.organizational_units.is_empty()
                || is_within(ou_path, &self.organizational_units))
            && !self.excludes_unit_of(ou_path)
            && (self.controls.is_empty() || self.controls.contains(control))
    }

    /// Whether an account with this path of organizational units is to be left alone.
    pub(crate) fn excludes_unit_of(&self, ou_path: Option<&str>) -> bool {
        is_within(ou_path, &self.exclude_organizational_units)
    }
}

fn is_within(ou_path: Option<&str>, units: &BTreeSet<String>) -> bool {
    units.iter().cloned().collect::<Meant>().contain(ou_path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(change: impl FnOnce(&mut PlanOptions)) -> Result<(), InvalidOption> {
        let mut options = PlanOptions::default();
        change(&mut options);
        options.validate()
    }

    #[test]
    fn the_defaults_are_valid() {
        assert_eq!(options(|_| ()), Ok(()));
    }

    #[test]
    fn values_that_could_never_work_are_refused() {
        for period in [0, 10, 59, 61, 604_860] {
            assert_eq!(
                options(|o| o.period = period),
                Err(InvalidOption::Period(period))
            );
        }
        for threshold in [0.0, -1.0, 0.5, 1e9, f64::INFINITY] {
            assert!(options(|o| o.threshold = threshold).is_err());
        }
        assert!(options(|o| o.threshold = f64::NAN).is_err());
        assert!(options(|o| o.kms_key = "alias/aws/sns".parse().ok()).is_err());
        for key in ["", " ", "a:b", "arn:aws:sns:us-east-1:111111111111:t"] {
            assert!(options(|o| o.kms_key = key.parse().ok()).is_err(), "{key}");
        }
        for key in [
            "alias/alarms",
            "1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:{partition}:kms:{region}:{account}:alias/alarms",
        ] {
            assert_eq!(options(|o| o.kms_key = key.parse().ok()), Ok(()), "{key}");
        }
        assert!(options(|o| o.pattern = PatternText::Custom(" ".to_owned())).is_err());
        assert!(options(|o| o.pattern = PatternText::Custom("x".repeat(1025))).is_err());
        assert!(options(|o| o.alarm_name = "a\u{7}".parse().unwrap()).is_err());
        assert!(options(|o| o.alarm_name = "a\u{202e}b".parse().unwrap()).is_err());
        assert!(options(|o| o.topic_name = "{log_group}/x".parse().ok()).is_err());
        for (key, value) in [
            ("aws:x", ""),
            ("trailproof:plan", "x"),
            ("", "x"),
            ("k", "a;b"),
        ] {
            assert!(options(|o| drop(o.tags.insert(key.to_owned(), value.to_owned()))).is_err());
        }
    }

    #[test]
    fn one_standard_topic_per_region() {
        let arn = |text: &str| text.parse::<Arn>().unwrap();
        let first = arn("arn:aws:sns:us-east-1:111111111111:a");
        assert_eq!(options(|o| o.topics = vec![first.clone()]), Ok(()));
        let second = arn("arn:aws:sns:us-east-1:222222222222:b");
        assert!(options(|o| o.topics = vec![first.clone(), second]).is_err());
        for text in [
            "arn:aws:sns:us-east-1:111111111111:a.fifo",
            "arn:aws:sqs:us-east-1:111111111111:a",
            "arn:aws:sns::111111111111:a",
            "arn:aws-cn:sns:us-east-1:111111111111:a",
            "arn:aws:sns:us-gov-west-1:111111111111:a",
            "arn:aws:sns:us-east-1:111111111111:a:subscription",
        ] {
            assert!(options(|o| o.topics = vec![arn(text)]).is_err(), "{text}");
        }
    }

    #[test]
    fn a_selection_has_to_be_met_in_all_parts() {
        let account: AccountId = "111111111111".parse().unwrap();
        let set = |text: &str| BTreeSet::from([text.to_owned()]);
        let path = Some("o-1/r-1/ou-a/ou-b/");
        assert!(Selection::default().wants(account, None, "c"));
        let unit = Selection {
            organizational_units: set("ou-a"),
            ..Selection::default()
        };
        assert!(unit.wants(account, path, "c"));
        assert!(!unit.wants(account, Some("o-1/r-1/ou-ab/"), "c"));
        assert!(!unit.wants(account, None, "c"));
        let not_unit = Selection {
            exclude_organizational_units: set("ou-b"),
            ..Selection::default()
        };
        assert!(!not_unit.wants(account, path, "c"));
        let control = Selection {
            controls: set("c"),
            exclude_accounts: BTreeSet::from([account]),
            ..Selection::default()
        };
        assert!(!control.wants(account, path, "c"));
        assert!(control.wants("222222222222".parse().unwrap(), path, "c"));
        assert!(!control.wants("222222222222".parse().unwrap(), path, "d"));
    }
}
