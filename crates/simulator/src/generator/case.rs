//! The kinds of accounts: how each is made, and what follows from it.

use std::collections::BTreeSet;

use trailproof_core::account::Region;
use trailproof_core::finding::{LinkName, Status};

use crate::model::{
    Account, AccountState, Alarm, BasicSelector, Denial, Selectors, Site, SubscriptionState, Trail,
};

/// Catches the failed sign-ins of one user of many.
const NARROWED: &str = "{ ($.eventName = ConsoleLogin) && \
                        ($.errorMessage = \"Failed authentication\") && \
                        ($.userIdentity.type = Root) }";

/// A kind of account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Healthy,
    /// Healthy, in an account whose other regions a service control policy closes.
    RegionsDenied,
    Suspended,
    NoRole,
    /// A complete chain whose filters may not be read.
    FiltersDenied,
    NoTrail,
    SingleRegion,
    NotLogging,
    ReadEventsOnly,
    LogGroupMissing,
    DeliveryFails,
    FilterMissing,
    FilterNarrowed,
    ValueZero,
    OtherNamespace,
    ThresholdInverted,
    OtherDimensions,
    ActionsDisabled,
    NoAction,
    TopicMissing,
    TopicEncrypted,
    SubscriptionPending,
    NoSubscription,
}

impl Case {
    /// The broken kinds, each as frequent as the others.
    const BROKEN: [Self; 18] = [
        Self::NoTrail,
        Self::SingleRegion,
        Self::NotLogging,
        Self::ReadEventsOnly,
        Self::LogGroupMissing,
        Self::DeliveryFails,
        Self::FilterMissing,
        Self::FilterNarrowed,
        Self::ValueZero,
        Self::OtherNamespace,
        Self::ThresholdInverted,
        Self::OtherDimensions,
        Self::ActionsDisabled,
        Self::NoAction,
        Self::TopicMissing,
        Self::TopicEncrypted,
        Self::SubscriptionPending,
        Self::NoSubscription,
    ];

    /// The kind at a place from 0 to 999: 62 % pass, 2 % are suspended, 5 % cannot be seen, the
    /// others are broken.
    pub(super) fn realistic(place: u32) -> Self {
        match place {
            0..600 => Self::Healthy,
            600..620 => Self::RegionsDenied,
            620..640 => Self::Suspended,
            640..670 => Self::NoRole,
            670..690 => Self::FiltersDenied,
            _ => {
                let index = usize::try_from(place).unwrap_or_default() % Self::BROKEN.len();
                Self::BROKEN.get(index).copied().unwrap_or(Self::NoTrail)
            }
        }
    }

    /// The kind at a place from 0 to 999 where an organization trail covers everybody.
    pub(super) fn covered(place: u32) -> Self {
        match place {
            0..10 => Self::Suspended,
            10..20 => Self::NoRole,
            20..120 => Self::FilterNarrowed,
            _ => Self::NoTrail,
        }
    }

    /// The verdict, and the link that breaks, when nothing else covers the account.
    pub(super) fn verdict(self) -> (Status, Option<LinkName>) {
        let link = match self {
            Self::Healthy | Self::RegionsDenied => return (Status::Pass, None),
            Self::Suspended => return (Status::NotApplicable, None),
            Self::NoRole => return (Status::Unknown, Some(LinkName::Account)),
            Self::FiltersDenied => return (Status::Unknown, Some(LinkName::MetricFilter)),
            Self::NoTrail | Self::SingleRegion => LinkName::Trail,
            Self::NotLogging => LinkName::Logging,
            Self::ReadEventsOnly => LinkName::Selectors,
            Self::LogGroupMissing => LinkName::LogGroup,
            Self::DeliveryFails => LinkName::Delivery,
            Self::FilterMissing | Self::FilterNarrowed => LinkName::MetricFilter,
            Self::ValueZero => LinkName::Metric,
            Self::OtherNamespace | Self::ThresholdInverted | Self::OtherDimensions => {
                LinkName::Alarm
            }
            Self::ActionsDisabled | Self::NoAction => LinkName::Action,
            Self::TopicMissing | Self::TopicEncrypted => LinkName::Topic,
            Self::SubscriptionPending | Self::NoSubscription => LinkName::Subscription,
        };
        (Status::Fail, Some(link))
    }

    /// Puts into an account what makes it of this kind. `healthy` is a complete chain.
    pub(super) fn furnish(
        self,
        account: &mut Account,
        region: &Region,
        healthy: &Site,
        regions: &[Region],
    ) {
        match self {
            Self::Suspended => {
                account.state = AccountState::Suspended;
                return;
            }
            Self::NoRole => account.roles.clear(),
            Self::FiltersDenied => account.denials.push(Denial {
                operations: vec!["logs:DescribeMetricFilters".to_owned()],
                ..Denial::default()
            }),
            Self::RegionsDenied => {
                let home = regions.first();
                let closed: BTreeSet<Region> = regions
                    .iter()
                    .filter(|region| Some(*region) != home)
                    .cloned()
                    .collect();
                // An empty set would mean everywhere.
                if !closed.is_empty() {
                    account.denials.push(Denial {
                        operations: vec!["*".to_owned()],
                        regions: closed,
                        service_control_policy: true,
                    });
                }
            }
            _ => {}
        }
        let mut site = healthy.clone();
        self.break_chain(&mut site);
        clutter(&mut site, account);
        *account.site_mut(region) = site;
    }

    fn break_chain(self, site: &mut Site) {
        let trail = |site: &mut Site, change: fn(&mut Trail)| {
            site.trails.iter_mut().for_each(change);
        };
        let alarm = |site: &mut Site, change: fn(&mut Alarm)| {
            site.alarms.iter_mut().for_each(change);
        };
        match self {
            Self::Healthy
            | Self::RegionsDenied
            | Self::Suspended
            | Self::NoRole
            | Self::FiltersDenied => {}
            Self::NoTrail => *site = Site::default(),
            Self::SingleRegion => trail(site, |trail| trail.multi_region = false),
            Self::NotLogging => trail(site, |trail| trail.logging = false),
            Self::ReadEventsOnly => trail(site, |trail| {
                trail.selectors = Selectors::Basic(vec![BasicSelector {
                    read_write_type: "ReadOnly".to_owned(),
                    ..BasicSelector::default()
                }]);
            }),
            Self::LogGroupMissing => site.log_groups.clear(),
            Self::DeliveryFails => trail(site, |trail| {
                "Access denied. Verify that the role policy is correct."
                    .clone_into(&mut trail.delivery_error);
            }),
            Self::FilterMissing => {
                for group in &mut site.log_groups {
                    group.filters.clear();
                }
            }
            Self::FilterNarrowed => {
                let filters = site
                    .log_groups
                    .iter_mut()
                    .flat_map(|group| &mut group.filters);
                for filter in filters {
                    NARROWED.clone_into(&mut filter.pattern);
                }
            }
            Self::ValueZero => {
                let filters = site
                    .log_groups
                    .iter_mut()
                    .flat_map(|group| &mut group.filters);
                for filter in filters {
                    "0".clone_into(&mut filter.value);
                }
            }
            Self::OtherNamespace => alarm(site, |alarm| {
                "CisBenchmark".clone_into(&mut alarm.namespace);
            }),
            Self::ThresholdInverted => alarm(site, |alarm| {
                "LessThanThreshold".clone_into(&mut alarm.comparison_operator);
            }),
            Self::OtherDimensions => alarm(site, |alarm| {
                alarm
                    .dimensions
                    .insert("TrailName".to_owned(), "management-events".to_owned());
            }),
            Self::ActionsDisabled => alarm(site, |alarm| alarm.actions_enabled = false),
            Self::NoAction => alarm(site, |alarm| alarm.alarm_actions.clear()),
            Self::TopicMissing => site.topics.clear(),
            Self::TopicEncrypted => {
                for topic in &mut site.topics {
                    "alias/aws/sns".clone_into(&mut topic.kms_key);
                }
            }
            Self::SubscriptionPending => {
                let subscriptions = site
                    .topics
                    .iter_mut()
                    .flat_map(|topic| &mut topic.subscriptions);
                for subscription in subscriptions {
                    subscription.state = SubscriptionState::Pending;
                }
            }
            Self::NoSubscription => {
                for topic in &mut site.topics {
                    topic.subscriptions.clear();
                }
            }
        }
    }
}

/// What accounts have besides: alarms on other metrics, in one account of two hundred so many
/// that they come in pages.
fn clutter(site: &mut Site, account: &Account) {
    let number: usize = account.id.to_string().parse().unwrap_or_default();
    let count = if number.is_multiple_of(200) {
        150
    } else {
        number % 3
    };
    for number in 0..count {
        site.alarms.push(Alarm {
            name: format!("cpu-high-{number:03}"),
            metric_name: "CPUUtilization".to_owned(),
            namespace: "AWS/EC2".to_owned(),
            statistic: "Average".to_owned(),
            period: Some(300),
            evaluation_periods: Some(3),
            threshold: Some(80.0),
            comparison_operator: "GreaterThanThreshold".to_owned(),
            ..Alarm::default()
        });
    }
}
