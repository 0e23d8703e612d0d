//! Performing one page of one call: the only place that talks to AWS.
//!
//! Answers are JSON with exactly AWS's member names. Services with JSON or CBOR protocols are
//! recorded as they answered, members this SDK does not know included; for the query protocol the
//! SDK's typed output is written out by hand. Retrying, pacing and joining pages is not done here.

mod account;
mod body;
mod cbor;
mod classify;
mod clients;
pub(crate) mod clock_skew;
mod cloudtrail;
mod cloudwatch;
mod json;
mod logs;
mod organizations;
mod pages;
mod send;
mod sns;
mod sts;
#[cfg(test)]
mod tests;

use aws_credential_types::Credentials;
use serde_json::Value;
use trailproof_core::account::{AccountId, Region};
use trailproof_core::evidence::Call;

#[cfg(test)]
pub(crate) use cbor::to_json as cbor_to_json;
pub(crate) use classify::{Failure, Refusal, RetryAdvice};
pub(crate) use clients::Clients;
pub use clients::RegionalClients;
pub(crate) use pages::{Next, Pages};
pub(crate) use send::{Received, typed};
pub(crate) use sts::Entered;

/// Whose credentials make a call, and where.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) region: Region,
    pub(crate) credentials: Credentials,
}

/// What can be asked: the calls that are evidence, and the few that only find accounts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ask {
    Evidence(Call),
    AccountsForParent(String),
    DescribeAccount(AccountId),
    /// A request that somebody else makes.
    Foreign(ServiceCall),
}

/// A call that is no question of a scan: how it is named and how often it may be made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ServiceCall {
    /// The action, as IAM policies name it, such as `cloudwatch:PutMetricAlarm`.
    pub action: &'static str,
    /// The documented quota, in requests per second for each account and region.
    pub per_second: f64,
}

impl Ask {
    /// The operation's name, as in IAM policies.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Evidence(call) => call.operation().as_str(),
            Self::AccountsForParent(_) => "organizations:ListAccountsForParent",
            Self::DescribeAccount(_) => "organizations:DescribeAccount",
            Self::Foreign(call) => call.action,
        }
    }
}

/// One page of an answer, or, with another body, all of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer<B = Value> {
    pub(crate) body: B,
    pub(crate) request_id: Option<String>,
}

impl Clients {
    /// Asks for one page. Sends exactly one request.
    pub(crate) async fn page(
        &self,
        target: &Target,
        ask: &Ask,
        token: Option<String>,
    ) -> Result<Answer, Failure> {
        let call = match ask {
            Ask::Evidence(call) => call,
            Ask::AccountsForParent(parent) => {
                return self.accounts_for_parent(target, parent, token).await;
            }
            Ask::DescribeAccount(account) => {
                return self.describe_account(target, *account).await;
            }
            Ask::Foreign(call) => return Err(Failure::unsupported(call.action)),
        };
        match call {
            Call::DescribeOrganization => self.describe_organization(target).await,
            Call::ListAccounts => self.list_accounts(target, token).await,
            Call::ListOrganizationalUnitsForParent { parent } => {
                self.units_for_parent(target, parent, token).await
            }
            Call::ListDelegatedAdministrators { service_principal } => {
                self.list_delegated_administrators(target, service_principal, token)
                    .await
            }
            Call::ListTagsForResource { account } => {
                self.list_tags_for_resource(target, *account, token).await
            }
            Call::GetCallerIdentity => self.get_caller_identity(target).await,
            // Entering accounts yields credentials, which are no answer: `Clients::assume_role`.
            Call::AssumeRole { .. } => Err(Failure::unsupported(ask.name())),
            Call::ListRegions { account } => self.list_regions(target, *account, token).await,
            Call::DescribeTrails {
                include_shadow_trails,
            } => self.describe_trails(target, *include_shadow_trails).await,
            Call::GetTrailStatus { trail_arn } => self.get_trail_status(target, trail_arn).await,
            Call::GetEventSelectors { trail_arn } => {
                self.get_event_selectors(target, trail_arn).await
            }
            Call::DescribeLogGroups { log_group_name } => {
                self.describe_log_groups(target, log_group_name, token)
                    .await
            }
            Call::DescribeMetricFilters { log_group_name } => {
                self.describe_metric_filters(target, log_group_name.clone(), token)
                    .await
            }
            Call::TestMetricFilter { pattern, message } => {
                self.test_metric_filter(target, pattern, message).await
            }
            Call::DescribeAlarms => self.describe_alarms(target, token).await,
            Call::ListAlarmMuteRules { alarm_name } => {
                self.list_alarm_mute_rules(target, alarm_name.as_deref(), token)
                    .await
            }
            Call::GetAlarmMuteRule { rule_name } => {
                self.get_alarm_mute_rule(target, rule_name).await
            }
            Call::GetTopicAttributes { topic_arn } => {
                self.get_topic_attributes(target, topic_arn).await
            }
            Call::ListSubscriptionsByTopic { topic_arn } => {
                self.list_subscriptions_by_topic(target, topic_arn, token)
                    .await
            }
            Call::GetSubscriptionAttributes { subscription_arn } => {
                self.get_subscription_attributes(target, subscription_arn)
                    .await
            }
            Call::DescribeKey { .. }
            | Call::GetKeyPolicy { .. }
            | Call::ListLinks
            | Call::GetLink { .. }
            | Call::ListAttachedLinks { .. }
            | Call::ListCentralizationRulesForOrganization
            | Call::GetCentralizationRuleForOrganization { .. }
            | Call::ListTelemetryRulesForOrganization
            | Call::GetTelemetryRuleForOrganization { .. }
            | Call::ListTelemetryRules
            | Call::ListRules => self.json_page(target, call, token).await,
        }
    }
}
