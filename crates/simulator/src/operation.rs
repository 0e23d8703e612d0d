//! The operations that are served, and what is known of each: its service, the action that
//! policies name, and whether it changes anything.

/// An AWS service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Service {
    Organizations,
    Sts,
    Account,
    CloudTrail,
    Logs,
    CloudWatch,
    Sns,
    Kms,
    Oam,
    ObservabilityAdmin,
    Events,
    SecurityHub,
}

impl Service {
    /// The prefix of its actions in policies.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Organizations => "organizations",
            Self::Sts => "sts",
            Self::Account => "account",
            Self::CloudTrail => "cloudtrail",
            Self::Logs => "logs",
            Self::CloudWatch => "cloudwatch",
            Self::Sns => "sns",
            Self::Kms => "kms",
            Self::Oam => "oam",
            Self::ObservabilityAdmin => "observabilityadmin",
            Self::Events => "events",
            Self::SecurityHub => "securityhub",
        }
    }
}

macro_rules! operations {
    ($($service:ident { $($name:ident $kind:ident),* $(,)? })*) => {
        /// An operation that is served. Named as in the API.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum Operation { $($($name,)*)* }

        impl Operation {
            pub(crate) const ALL: &'static [Self] = &[$($(Self::$name,)*)*];

            /// The service.
            pub(crate) fn service(self) -> Service {
                match self { $($(Self::$name => Service::$service,)*)* }
            }

            /// The name in the API.
            pub(crate) fn name(self) -> &'static str {
                match self { $($(Self::$name => stringify!($name),)*)* }
            }

            /// Whether it changes the organization.
            pub(crate) fn writes(self) -> bool {
                match self { $($(Self::$name => operations!(@$kind),)*)* }
            }

            /// The operation of a service by its name.
            pub(crate) fn find(service: Service, name: &str) -> Option<Self> {
                match (service, name) {
                    $($((Service::$service, stringify!($name)) => Some(Self::$name),)*)*
                    _ => None,
                }
            }
        }
    };
    (@reads) => { false };
    (@writes) => { true };
}

operations! {
    Organizations {
        DescribeOrganization reads, DescribeAccount reads, ListAccounts reads,
        ListDelegatedAdministrators reads, ListRoots reads,
        ListOrganizationalUnitsForParent reads, ListAccountsForParent reads, ListParents reads,
        OrganizationsListTagsForResource reads,
    }
    Sts { GetCallerIdentity reads, AssumeRole reads }
    Account { ListRegions reads, GetAlternateContact reads }
    CloudTrail {
        DescribeTrails reads, GetTrail reads, ListTrails reads, GetTrailStatus reads,
        GetEventSelectors reads, StartLogging writes, StopLogging writes,
    }
    Logs {
        DescribeLogGroups reads, DescribeMetricFilters reads, TestMetricFilter reads,
        PutMetricFilter writes, DeleteMetricFilter writes, CreateLogGroup writes,
        DeleteLogGroup writes,
    }
    CloudWatch {
        DescribeAlarms reads, DescribeAlarmsForMetric reads, ListAlarmMuteRules reads,
        GetAlarmMuteRule reads, PutMetricAlarm writes, PutCompositeAlarm writes,
        DeleteAlarms writes, SetAlarmState writes, EnableAlarmActions writes,
        DisableAlarmActions writes, ListTagsForResource reads, TagResource writes,
        UntagResource writes,
    }
    Sns {
        ListTopics reads, GetTopicAttributes reads, ListSubscriptionsByTopic reads,
        GetSubscriptionAttributes reads, CreateTopic writes, DeleteTopic writes,
        SetTopicAttributes writes, Subscribe writes, Unsubscribe writes,
        ConfirmSubscription writes, SetSubscriptionAttributes writes,
        SnsListTagsForResource reads, SnsTagResource writes, SnsUntagResource writes,
    }
    Kms { DescribeKey reads, GetKeyPolicy reads }
    Oam { ListLinks reads, GetLink reads, ListAttachedLinks reads }
    ObservabilityAdmin {
        ListCentralizationRulesForOrganization reads, GetCentralizationRuleForOrganization reads,
        ListTelemetryRulesForOrganization reads, GetTelemetryRuleForOrganization reads,
        ListTelemetryRules reads,
    }
    Events { ListRules reads }
    SecurityHub { GetFindings reads, BatchImportFindings writes }
}

impl Operation {
    /// The operation a caller names: Organizations, SNS and CloudWatch all tag resources.
    pub(crate) fn named(service: Service, name: &str) -> Option<Self> {
        match (service, name) {
            (Service::Organizations, "ListTagsForResource") => {
                Some(Self::OrganizationsListTagsForResource)
            }
            (Service::Sns, "ListTagsForResource") => Some(Self::SnsListTagsForResource),
            (Service::Sns, "TagResource") => Some(Self::SnsTagResource),
            (Service::Sns, "UntagResource") => Some(Self::SnsUntagResource),
            _ => Self::find(service, name),
        }
    }

    /// The name on the wire and in policies.
    pub(crate) fn wire_name(self) -> &'static str {
        let name = self.name();
        name.strip_prefix("Sns")
            .or_else(|| name.strip_prefix("Organizations"))
            .unwrap_or(name)
    }

    /// The action that policies name, such as `logs:DescribeLogGroups`.
    pub(crate) fn action(self) -> String {
        format!("{}:{}", self.service().prefix(), self.wire_name())
    }
}
