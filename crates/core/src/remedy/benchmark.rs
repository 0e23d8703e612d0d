//! The four resources that the benchmark's remediation steps create.

use super::{Command, Word};

/// A metric filter.
#[derive(Debug, Clone, Copy)]
pub struct MetricFilter<'a> {
    /// The log group it reads.
    pub log_group: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The filter pattern.
    pub pattern: &'a str,
    /// The namespace of its metric.
    pub namespace: &'a str,
    /// The name of its metric.
    pub metric: &'a str,
    /// What a matching event counts.
    pub value: &'a str,
}

/// A topic.
#[derive(Debug, Clone, Copy)]
pub struct Topic<'a> {
    /// Its name.
    pub name: &'a str,
}

/// A subscription.
#[derive(Debug, Clone)]
pub struct Subscription<'a> {
    /// The topic.
    pub topic_arn: &'a str,
    /// Such as `email`.
    pub protocol: &'static str,
    /// Where messages go.
    pub endpoint: Word,
}

/// An alarm that is told by every period with enough events; no data is good news.
#[derive(Debug, Clone, Copy)]
pub struct Alarm<'a> {
    /// Its name.
    pub name: &'a str,
    /// What people read beside it.
    pub description: Option<&'a str>,
    /// The namespace of the watched metric.
    pub namespace: &'a str,
    /// The name of the watched metric.
    pub metric: &'a str,
    /// Seconds.
    pub period: u32,
    /// How many matching events make an alarm.
    pub threshold: f64,
    /// The topic that is told.
    pub topic_arn: &'a str,
}

/// The value of a member of an alarm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Setting<'a> {
    /// A text that each alarm has of its own.
    Text(&'a str),
    /// A word of the API that is the same for every alarm.
    Word(&'static str),
    /// A whole number.
    Whole(u32),
    /// A number.
    Number(f64),
    /// A list of one topic.
    Topic(&'a str),
}

impl MetricFilter<'_> {
    /// The command that creates it.
    pub fn command(&self, region: Option<&str>) -> Command {
        Command::aws("logs put-metric-filter")
            .in_region(region)
            .with("--log-group-name", self.log_group)
            .with("--filter-name", self.name)
            .with("--filter-pattern", self.pattern)
            .with("--metric-transformations", self.transformation())
    }

    /// The transformation in the AWS CLI's short form, or as JSON where a name has characters that
    /// mean something there.
    fn transformation(&self) -> String {
        let plain = |text: &str| {
            text.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_./:".contains(&byte))
        };
        let (metric, namespace, value) = (self.metric, self.namespace, self.value);
        if plain(metric) && plain(namespace) {
            format!("metricName={metric},metricNamespace={namespace},metricValue={value}")
        } else {
            serde_json::json!([{"metricName": metric, "metricNamespace": namespace,
                "metricValue": value}])
            .to_string()
        }
    }
}

impl Topic<'_> {
    /// The command that creates it.
    pub fn command(&self, region: Option<&str>) -> Command {
        Command::aws("sns create-topic")
            .in_region(region)
            .with("--name", self.name)
    }
}

impl Subscription<'_> {
    /// The command that creates it.
    pub fn command(&self, region: Option<&str>) -> Command {
        Command::aws("sns subscribe")
            .in_region(region)
            .with("--topic-arn", self.topic_arn)
            .with_fixed("--protocol", self.protocol)
            .with_word("--notification-endpoint", self.endpoint.clone())
    }
}

impl<'a> Alarm<'a> {
    /// How samples within a period are added up.
    pub const STATISTIC: &'static str = "Sum";
    /// How the sum is compared with the threshold.
    pub const COMPARISON_OPERATOR: &'static str = "GreaterThanOrEqualToThreshold";
    /// What a period without samples means.
    pub const TREAT_MISSING_DATA: &'static str = "notBreaching";
    /// How many periods count.
    pub const EVALUATION_PERIODS: u32 = 1;

    /// Its members, as cloudwatch:PutMetricAlarm names them.
    pub fn members(&self) -> impl Iterator<Item = (&'static str, Setting<'a>)> + use<'a> {
        let description = self.description.map(Setting::Text);
        [("AlarmName", Setting::Text(self.name))]
            .into_iter()
            .chain(description.map(|text| ("AlarmDescription", text)))
            .chain([
                ("Namespace", Setting::Text(self.namespace)),
                ("MetricName", Setting::Text(self.metric)),
                ("Statistic", Setting::Word(Self::STATISTIC)),
                ("Period", Setting::Whole(self.period)),
                (
                    "EvaluationPeriods",
                    Setting::Whole(Self::EVALUATION_PERIODS),
                ),
                ("Threshold", Setting::Number(self.threshold)),
                (
                    "ComparisonOperator",
                    Setting::Word(Self::COMPARISON_OPERATOR),
                ),
                ("TreatMissingData", Setting::Word(Self::TREAT_MISSING_DATA)),
                ("AlarmActions", Setting::Topic(self.topic_arn)),
            ])
    }

    /// The command that creates it.
    pub fn command(&self, region: Option<&str>) -> Command {
        let start = Command::aws("cloudwatch put-metric-alarm").in_region(region);
        self.members().fold(start, |mut command, (name, setting)| {
            command.words.push(Word::text(option(name)));
            command.words.push(match setting {
                Setting::Text(text) | Setting::Topic(text) => Word::text(text),
                Setting::Word(word) => Word::Text(word.into()),
                Setting::Whole(number) => Word::text(number.to_string()),
                Setting::Number(number) => Word::text(number.to_string()),
            });
            command
        })
    }
}

/// The AWS CLI's option for a member: `AlarmName` is `--alarm-name`.
fn option(member: &str) -> String {
    member.chars().fold("-".to_owned(), |mut option, letter| {
        if letter.is_ascii_uppercase() {
            option.push('-');
        }
        option.push(letter.to_ascii_lowercase());
        option
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_members_in_small_letters() {
        assert_eq!(option("Period"), "--period");
        assert_eq!(option("TreatMissingData"), "--treat-missing-data");
    }

    #[test]
    fn names_with_commas_do_not_end_a_transformation() {
        let filter = |metric| MetricFilter {
            log_group: "g",
            name: "f",
            pattern: "p",
            namespace: "n",
            metric,
            value: "1",
        };
        for (metric, expected) in [
            ("a-b", "metricName=a-b,metricNamespace=n,metricValue=1"),
            (
                "a,metricValue=0",
                r#"[{"metricName":"a,metricValue=0","metricNamespace":"n","metricValue":"1"}]"#,
            ),
        ] {
            assert_eq!(filter(metric).transformation(), expected);
        }
    }
}
