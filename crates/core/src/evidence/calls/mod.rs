//! The AWS calls whose answers are evidence, one file each.
//!
//! A call's file says everything that trailproof knows of it: its name, whose permission it takes,
//! its parameters, how its answer comes in pages, at what rate AWS allows it, how an answer is
//! filed and looked up, and what changes when another answer arrives. Whoever makes calls, writes
//! policies or reads files takes it from here. This one only lists the calls: a call that misses
//! something does not compile.

mod definition;
mod parameters;
mod probe;

use serde_json::{Map, Value};

use super::mark::{Changes, Subject};
use super::reader::Reader;
use super::store::{CallSite, Filing, Pool, Unreadable};

pub use definition::{CallDefinition, Pages, Permission, Quota};
pub(super) use parameters::Parameters;

macro_rules! calls {
    ($(
        $(#[$doc:meta])*
        $module:ident: $name:ident $({ $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })?
    ;)*) => {
        $(
            #[allow(
                clippy::ref_option,
                clippy::trivially_copy_pass_by_ref,
                reason = "parameters are handed over as they stand in a call"
            )]
            pub(super) mod $module;
        )*

        /// An AWS API operation, written `service:Operation` as in IAM policies.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Operation { $($(#[$doc])* $name,)* }

        /// An operation with the parameters that select something. All pages are always asked for.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Call {
            $($(#[$doc])* $name $({ $($(#[$field_doc])* $field: $type,)* })?,)*
        }

        /// The answers to every operation.
        #[derive(Debug, Clone, Default)]
        pub(super) struct Tables { $(pub(super) $module: $module::Answers,)* }

        impl Operation {
            /// Every operation trailproof records.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// What is known of it.
            pub fn definition(self) -> &'static CallDefinition {
                match self { $(Self::$name => &$module::DEFINITION,)* }
            }
        }

        impl Call {
            /// The operation.
            pub fn operation(&self) -> Operation {
                match self { $(Self::$name { .. } => Operation::$name,)* }
            }

            /// The parameters as they stand in evidence, with the member names of the AWS API.
            pub fn parameters(&self) -> Map<String, Value> {
                let value = match self {
                    $(Self::$name $({ $($field,)* })? => $module::parameters($($($field,)*)?),)*
                };
                match value {
                    Value::Object(parameters) => parameters,
                    _ => Map::new(),
                }
            }

            /// A question of an operation about nothing that exists: it shows whether the operation
            /// is allowed, and changes nothing.
            pub fn probe(
                operation: Operation,
                account: crate::account::AccountId,
                region: &crate::account::Region,
            ) -> Self {
                match operation {
                    $(Operation::$name => Self::$name $({ $(
                        $field: probe::Probe::made_up(probe::MadeUp {
                            operation,
                            account,
                            region,
                            name: stringify!($field),
                        }),
                    )* })?,)*
                }
            }

            /// Whether the question was answered, with a response or with an error.
            pub(super) fn is_answered(&self, reader: &Reader<'_>, site: &CallSite) -> bool {
                match self {
                    $(Self::$name $({ $($field,)* })? => {
                        $module::is_answered(reader, site, $($($field,)*)?)
                    })*
                }
            }
        }

        impl Tables {
            /// Files an answer, and says what it changes.
            pub(super) fn file(
                &mut self,
                operation: Operation,
                filing: Filing<'_>,
                pool: &mut Pool,
            ) -> Result<Changes, Unreadable> {
                match operation {
                    $(Operation::$name => {
                        $module::file(&mut self.$module, filing, pool).map(Changes::from)
                    })*
                }
            }
        }
    };
}

calls! {
    /// The organization and its management account.
    describe_organization: DescribeOrganization;
    /// Every account of the organization.
    list_accounts: ListAccounts;
    /// The organizational units right below a root or a unit, with their names.
    list_organizational_units_for_parent: ListOrganizationalUnitsForParent {
        /// The id of the root or unit.
        parent: String,
    };
    /// The accounts that may act for the organization in one service.
    list_delegated_administrators: ListDelegatedAdministrators {
        /// Such as `cloudtrail.amazonaws.com`.
        service_principal: String,
    };
    /// The tags of an account, where a filter or a mute goes by them.
    list_tags_for_resource: ListTagsForResource {
        /// The account whose tags they are.
        account: crate::account::AccountId,
    };
    /// Whose credentials these are.
    get_caller_identity: GetCallerIdentity;
    /// Entering an account. Credentials are never part of the record.
    assume_role: AssumeRole {
        /// The role to assume; its account is the one entered.
        role_arn: String,
    };
    /// The regions of an account and whether they are enabled.
    list_regions: ListRegions {
        /// The member, when its management account asks; `None` when an account asks for itself.
        account: Option<crate::account::AccountId>,
    };
    /// The trails that record in a region.
    describe_trails: DescribeTrails {
        /// Whether replications of trails of other regions, and of organization trails in
        /// members, are wanted.
        include_shadow_trails: bool,
    };
    /// Whether a trail is logging and delivering.
    get_trail_status: GetTrailStatus {
        /// The trail's ARN.
        trail_arn: String,
    };
    /// Which events a trail records.
    get_event_selectors: GetEventSelectors {
        /// The trail's ARN.
        trail_arn: String,
    };
    /// A log group and its class.
    describe_log_groups: DescribeLogGroups {
        /// The exact name of the wanted log group, asked for as a prefix.
        log_group_name: String,
    };
    /// The metric filters of a log group.
    describe_metric_filters: DescribeMetricFilters {
        /// The log group's name; `None` for the filters of every log group there.
        log_group_name: Option<String>,
    };
    /// Whether a filter pattern matches a message, where AWS does not document it.
    test_metric_filter: TestMetricFilter {
        /// The pattern.
        pattern: String,
        /// The message.
        message: String,
    };
    /// Every alarm of an account in a region: metric alarms and composite alarms.
    describe_alarms: DescribeAlarms;
    /// The rules that mute alarm actions in an account and region.
    list_alarm_mute_rules: ListAlarmMuteRules {
        /// Only the rules that target this alarm; `None` lists every rule. The answer does not
        /// say which alarms a rule targets, so the name is asked for where a rule is active.
        alarm_name: Option<String>,
    };
    /// The alarms that a mute rule targets, and when it is active.
    get_alarm_mute_rule: GetAlarmMuteRule {
        /// The rule's name.
        rule_name: String,
    };
    /// A topic's policy, key and subscription counts.
    get_topic_attributes: GetTopicAttributes {
        /// The topic's ARN.
        topic_arn: String,
    };
    /// The subscriptions of a topic.
    list_subscriptions_by_topic: ListSubscriptionsByTopic {
        /// The topic's ARN.
        topic_arn: String,
    };
    /// What a subscription lets through, and how it was confirmed.
    get_subscription_attributes: GetSubscriptionAttributes {
        /// The subscription's ARN.
        subscription_arn: String,
    };
    /// The state of a key, and the key behind an alias.
    describe_key: DescribeKey {
        /// The ARN of the key or alias.
        key: String,
    };
    /// The policy of a key.
    get_key_policy: GetKeyPolicy {
        /// The key's ARN.
        key: String,
    };
    /// The links over which an account shares what it measures in a region.
    list_links: ListLinks;
    /// What a link shares.
    get_link: GetLink {
        /// The link's ARN.
        link_arn: String,
    };
    /// The links of every account that shares with a monitoring account.
    list_attached_links: ListAttachedLinks {
        /// The ARN of the monitoring account's sink.
        sink_arn: String,
    };
    /// The rules that copy log groups of the organization to one account.
    list_centralization_rules_for_organization: ListCentralizationRulesForOrganization;
    /// What one of them copies.
    get_centralization_rule_for_organization: GetCentralizationRuleForOrganization {
        /// The rule's ARN or name.
        rule_identifier: String,
    };
    /// The rules that have telemetry of the organization delivered.
    list_telemetry_rules_for_organization: ListTelemetryRulesForOrganization;
    /// What one of them has delivered.
    get_telemetry_rule_for_organization: GetTelemetryRuleForOrganization {
        /// The rule's ARN or name.
        rule_identifier: String,
    };
    /// The rules that have telemetry of an account delivered.
    list_telemetry_rules: ListTelemetryRules;
    /// The rules of the default event bus.
    list_rules: ListRules;
}
