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
        reasons: account::REASONS,
        observations: account::OBSERVATIONS,
    },
    Link {
        name: LinkName::Trail,
        proved_when: "A multi-region trail that records the events of global services covers the account: its own, or an organization trail seen in its DescribeTrails.",
        reasons: trail::REASONS,
        observations: trail::OBSERVATIONS,
    },
    Link {
        name: LinkName::Logging,
        proved_when: "GetTrailStatus says that the trail is logging.",
        reasons: logging::REASONS,
        observations: &[],
    },
    Link {
        name: LinkName::Selectors,
        proved_when: "By the benchmark: management events, read and write. Effectively: the selectors admit every event of the control.",
        reasons: selectors::REASONS,
        observations: selectors::OBSERVATIONS,
    },
    Link {
        name: LinkName::LogGroup,
        proved_when: "The trail names a log group that exists, of a class that supports metric filters.",
        reasons: log_group::REASONS,
        observations: &[],
    },
    Link {
        name: LinkName::Delivery,
        proved_when: "The last delivery to CloudWatch Logs had no error and is recent.",
        reasons: delivery::REASONS,
        observations: delivery::OBSERVATIONS,
    },
    Link {
        name: LinkName::MetricFilter,
        proved_when: "The metric filters of the log group together match every event of the control, and not simply every event.",
        reasons: metric_filter::REASONS,
        observations: metric_filter::OBSERVATIONS,
    },
    Link {
        name: LinkName::Metric,
        proved_when: "The filter's transformation writes a value that counts.",
        reasons: metric::REASONS,
        observations: metric::OBSERVATIONS,
    },
    Link {
        name: LinkName::Alarm,
        proved_when: "An alarm in the log group's account and region watches the metric; effectively, some number of matching events moves it from quiet into ALARM.",
        reasons: alarm::REASONS,
        observations: alarm::OBSERVATIONS,
    },
    Link {
        name: LinkName::Action,
        proved_when: "The alarm, or a composite alarm that it alone can drive into ALARM, notifies an SNS topic; effectively, its actions are enabled and neither muted nor suppressed.",
        reasons: action::REASONS,
        observations: action::OBSERVATIONS,
    },
    Link {
        name: LinkName::Topic,
        proved_when: "The topic exists in the alarm's region, lets CloudWatch publish, and is not encrypted or with an enabled key whose policy lets CloudWatch use it.",
        reasons: topic::REASONS,
        observations: topic::OBSERVATIONS,
    },
    Link {
        name: LinkName::Subscription,
        proved_when: "At least one subscription of the topic is confirmed.",
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
