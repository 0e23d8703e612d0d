//! The eleven links of the chain and the door before them. Each file holds one link: how it is
//! judged, its reasons and observations, their wording and its tests. This one only lists them.

pub(super) mod account;
pub(super) mod action;
pub(super) mod alarm;
pub(super) mod delivery;
pub(super) mod log_group;
pub(super) mod logging;
pub(super) mod metric;
pub(super) mod metric_filter;
pub(super) mod selectors;
pub(super) mod subscription;
pub(super) mod topic;
mod topic_key;
pub(super) mod trail;

use super::verdict::Reason;
use crate::finding::LinkName;
use crate::observation::ObservationKind;

/// A link as documentation shows it.
#[derive(Debug)]
pub struct Link {
    /// Its name.
    pub name: LinkName,
    /// When it is proved.
    pub proved_when: &'static str,
    /// What goes wrong where nobody looks at it.
    pub why: &'static str,
    /// The documents of AWS that say how it works.
    pub source: &'static str,
    /// Every reason code it gives.
    pub reasons: &'static [&'static Reason],
    /// Every observation it makes.
    pub observations: &'static [&'static ObservationKind],
}

/// Every link, in order.
pub const LINKS: &[Link] = &[
    Link {
        name: LinkName::Account,
        proved_when: "The account can be entered.",
        why: "What is in the account can be seen with a session there alone, and what nobody saw is never PASS.",
        source: "AWS STS API Reference, `AssumeRole`; AWS Organizations API Reference, `ListAccounts`",
        reasons: account::REASONS,
        observations: account::OBSERVATIONS,
    },
    Link {
        name: LinkName::Trail,
        proved_when: "A multi-region trail that records the events of global services covers the account: its own, or an organization trail seen in its DescribeTrails.",
        why: "A sign-in is recorded in the region that served it, and only a trail of every region has them all. A trail of one region passes every check that looks for a trail, and misses the others.",
        source: "CloudTrail User Guide, \"AWS Management Console sign-in events\"; CloudTrail API Reference, `DescribeTrails`",
        reasons: trail::REASONS,
        observations: trail::OBSERVATIONS,
    },
    Link {
        name: LinkName::Logging,
        proved_when: "GetTrailStatus says that the trail is logging.",
        why: "A trail that was stopped is still there, with its filters and alarms, and records nothing.",
        source: "CloudTrail API Reference, `GetTrailStatus`",
        reasons: logging::REASONS,
        observations: &[],
    },
    Link {
        name: LinkName::Selectors,
        proved_when: "By the benchmark: management events, read and write. Effectively: the selectors admit every event of the control.",
        why: "A trail records what its selectors admit. A failed sign-in is a write event: a trail of read events never has it, and excluded sources are missing where a control asks for them.",
        source: "CloudTrail API Reference, `EventSelector` and `AdvancedFieldSelector`",
        reasons: selectors::REASONS,
        observations: selectors::OBSERVATIONS,
    },
    Link {
        name: LinkName::LogGroup,
        proved_when: "The trail names a log group that exists, of a class that supports metric filters.",
        why: "Metric filters look at a log group, not at the bucket of the trail. A trail without one, or with one that was deleted, tells nobody.",
        source: "CloudTrail User Guide, \"Sending events to CloudWatch Logs\"; CloudWatch Logs API Reference, `LogGroup`",
        reasons: log_group::REASONS,
        observations: &[],
    },
    Link {
        name: LinkName::Delivery,
        proved_when: "The last delivery to CloudWatch Logs had no error and is recent.",
        why: "The role by which CloudTrail writes to the log group can lose its permission later. The trail goes on logging to its bucket, and the log group gets nothing.",
        source: "CloudTrail API Reference, `GetTrailStatus`, `LatestCloudWatchLogsDeliveryError`",
        reasons: delivery::REASONS,
        observations: delivery::OBSERVATIONS,
    },
    Link {
        name: LinkName::MetricFilter,
        proved_when: "The metric filters of the log group together match every event of the control, and not simply every event.",
        why: "Patterns that look alike match different events, and patterns that look different match the same ones. Texts are not compared here: the patterns are, by a decision procedure, and what is missed is shown as an event.",
        source: "CloudWatch Logs User Guide, \"Filter pattern syntax\"; the audit steps of the CIS AWS Foundations Benchmark",
        reasons: metric_filter::REASONS,
        observations: metric_filter::OBSERVATIONS,
    },
    Link {
        name: LinkName::Metric,
        proved_when: "The filter's transformation writes a value that counts.",
        why: "A filter that writes 0, or a value that the event does not have, moves no alarm.",
        source: "CloudWatch Logs API Reference, `MetricTransformation`",
        reasons: metric::REASONS,
        observations: metric::OBSERVATIONS,
    },
    Link {
        name: LinkName::Alarm,
        proved_when: "An alarm in the log group's account and region watches the metric; effectively, some number of matching events moves it from quiet into ALARM.",
        why: "An alarm on the same name in another namespace, on dimensions that nobody writes, or above a number that is never reached, stays quiet for ever.",
        source: "CloudWatch API Reference, `MetricAlarm`; CloudWatch User Guide, \"Configuring how CloudWatch alarms treat missing data\"",
        reasons: alarm::REASONS,
        observations: alarm::OBSERVATIONS,
    },
    Link {
        name: LinkName::Action,
        proved_when: "The alarm, or a composite alarm that it alone can drive into ALARM, notifies an SNS topic; effectively, its actions are enabled and neither muted nor suppressed.",
        why: "An alarm changes its state without telling anybody where its actions are switched off, muted, suppressed, or no topic.",
        source: "CloudWatch API Reference, `PutMetricAlarm`; CloudWatch User Guide, \"Composite alarms\"",
        reasons: action::REASONS,
        observations: action::OBSERVATIONS,
    },
    Link {
        name: LinkName::Topic,
        proved_when: "The topic exists in the alarm's region, lets CloudWatch publish, and is not encrypted or with an enabled key whose policy lets CloudWatch use it.",
        why: "CloudWatch publishes where the topic's policy lets it and, to an encrypted topic, where the key's policy lets it, too. Otherwise the message is lost.",
        source: "SNS Developer Guide, \"Allow CloudWatch alarms in a different account to publish\" and \"Enable compatibility between event sources from AWS services and encrypted topics\"",
        reasons: topic::REASONS,
        observations: topic::OBSERVATIONS,
    },
    Link {
        name: LinkName::Subscription,
        proved_when: "At least one subscription of the topic is confirmed.",
        why: "An address that nobody confirmed gets no message, one with a filter policy gets some, and a machine is no person.",
        source: "SNS API Reference, `Subscribe`; SNS Developer Guide, \"Amazon SNS message filtering\"",
        reasons: subscription::REASONS,
        observations: subscription::OBSERVATIONS,
    },
];

/// Every row of every link's table: a change to the healthy organization, and what it is judged.
#[cfg(test)]
pub(super) fn cases() -> Vec<super::fixture::Case> {
    let of = |link: &Link| match link.name {
        LinkName::Account => account::tests::cases(),
        LinkName::Trail => trail::tests::cases(),
        LinkName::Logging => logging::tests::cases(),
        LinkName::Selectors => selectors::tests::cases(),
        LinkName::LogGroup => log_group::tests::cases(),
        LinkName::Delivery => delivery::tests::cases(),
        LinkName::MetricFilter => metric_filter::tests::cases(),
        LinkName::Metric => metric::tests::cases(),
        LinkName::Alarm => alarm::tests::cases(),
        LinkName::Action => action::tests::cases(),
        LinkName::Topic => topic::tests::cases(),
        LinkName::Subscription => subscription::tests::cases(),
    };
    LINKS.iter().flat_map(of).collect()
}

/// Every observation that a link makes, each with evidence on which it is made of the member.
#[cfg(test)]
pub(super) fn observed() -> Vec<(&'static str, super::fixture::World)> {
    [
        account::tests::observed(),
        trail::tests::observed(),
        selectors::tests::observed(),
        delivery::tests::observed(),
        metric_filter::tests::observed(),
        metric::tests::observed(),
        alarm::tests::observed(),
        action::tests::observed(),
        topic::tests::observed(),
        subscription::tests::observed(),
    ]
    .concat()
}
