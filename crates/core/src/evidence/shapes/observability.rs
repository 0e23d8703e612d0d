//! CloudWatch Observability Access Manager: links of source accounts, and the sinks of monitoring
//! accounts to which they lead.

use std::collections::HashMap;

use serde::Deserialize;

use super::lenient::{list, null_is_default, text};
use crate::account::AccountId;
use crate::arn::Arn;

#[derive(Deserialize)]
pub(in crate::evidence) struct LinksResponse {
    #[serde(rename = "Items", default, deserialize_with = "list")]
    pub(in crate::evidence) links: Vec<Link>,
}

/// A link, from the account that shares (`oam:ListLinks`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a link")]
pub struct Link {
    /// Its ARN.
    #[serde(default, deserialize_with = "text")]
    pub arn: Option<String>,
    /// The ARN of the sink it leads to. Untrusted text.
    #[serde(default, deserialize_with = "text")]
    pub sink_arn: Option<String>,
    /// What is shared, such as `AWS::CloudWatch::Metric`; `None` where the answer does not say.
    #[serde(default)]
    pub resource_types: Option<Vec<String>>,
}

/// All of a link (`oam:GetLink`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "what a link shares")]
pub struct LinkDetails {
    /// What is shared.
    #[serde(default)]
    pub resource_types: Option<Vec<String>>,
    /// Which of it.
    #[serde(default, deserialize_with = "null_is_default")]
    pub link_configuration: LinkConfiguration,
}

/// Which of the resources of a type a link shares.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "the configuration of a link")]
pub struct LinkConfiguration {
    /// Which metrics.
    #[serde(default, deserialize_with = "null_is_default")]
    pub metric_configuration: MetricConfiguration,
}

/// Which metrics a link shares.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "which metrics a link shares")]
pub struct MetricConfiguration {
    /// A condition on their namespaces; absent for all of them. Untrusted text.
    #[serde(default, deserialize_with = "text")]
    pub filter: Option<String>,
}

#[derive(Deserialize)]
pub(in crate::evidence) struct AttachedLinksResponse {
    #[serde(rename = "Items", default, deserialize_with = "list")]
    pub(in crate::evidence) links: Vec<AttachedLink>,
}

/// A link, as the monitoring account sees it (`oam:ListAttachedLinks`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a link to a sink")]
pub struct AttachedLink {
    /// Its ARN: it says whose it is.
    #[serde(default, deserialize_with = "text")]
    pub link_arn: Option<String>,
    /// What is shared.
    #[serde(default)]
    pub resource_types: Option<Vec<String>>,
}

/// The links that lead to a sink.
#[derive(Debug, Clone, Default)]
pub struct AttachedLinks {
    /// By the account that shares.
    pub by_account: HashMap<AccountId, Vec<AttachedLink>>,
    /// Whether nothing was left out, and every link says whose it is.
    pub complete: bool,
}

impl AttachedLinks {
    pub(in crate::evidence) fn of(links: Vec<AttachedLink>, mut complete: bool) -> Self {
        let mut by_account: HashMap<AccountId, Vec<AttachedLink>> = HashMap::new();
        for link in links {
            match link.link_arn.as_deref().and_then(Arn::account_in) {
                Some(account) => by_account.entry(account).or_default().push(link),
                None => complete = false,
            }
        }
        Self {
            by_account,
            complete,
        }
    }
}
