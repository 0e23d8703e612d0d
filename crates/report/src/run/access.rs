//! How a run reached AWS: as whom, over which network, by which roles, and what it stopped asking.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use trailproof_core::account::{AccountId, Region};

/// How AWS was reached and accounts were entered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Access {
    /// The ARN of the user or role session whose credentials started the run.
    pub identity: Option<String>,
    /// What was set about the network, and where each setting came from. No value holds a secret.
    pub network: Vec<NetworkSetting>,
    /// Roles that were assumed before those of the members, in this order.
    pub hub_roles: Vec<String>,
    /// The roles that let in.
    pub sessions: Vec<SessionUse>,
    /// How the account of the credentials was read; absent when it was not.
    pub own_account: Option<OwnAccount>,
    /// What was refused wherever it was asked, and then not asked any more.
    pub never_asked: Vec<NeverAsked>,
}

/// A setting of the network as it took effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NetworkSetting {
    /// What is set, such as `proxy for https`.
    pub name: String,
    /// Its value; the password of a proxy is hidden.
    pub value: String,
    /// Where it came from, such as `HTTPS_PROXY`.
    pub origin: String,
}

/// A role that let in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionUse {
    /// The role, as an ARN with `{partition}` and `{account}` in it.
    pub role: String,
    /// What limited its sessions: a policy of the wanted `operations`, AWS's `ReadOnlyAccess`
    /// where that was too large, or `none` by --no-session-policy.
    pub session_policy: String,
    /// How many accounts were entered so.
    pub accounts: usize,
}

/// How the account of the credentials was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OwnAccount {
    /// By a role, whose session was limited like any other's.
    #[serde(rename = "role")]
    Role,
    /// With the credentials that started the run, which no session policy limits.
    #[serde(rename = "own credentials, not restricted")]
    OwnCredentials,
}

/// Something that was refused to one role in several accounts and allowed in none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NeverAsked {
    /// The role, as an ARN with `{partition}` and `{account}` in it.
    pub role: String,
    /// The call, such as `logs:DescribeMetricFilters`; absent where it is a region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The region, which an explicit deny refused; absent where it is a call.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub region: Option<Region>,
    /// The accounts that refused it.
    #[schemars(with = "Vec<String>")]
    pub refused_in: Vec<AccountId>,
    /// What the last of them said.
    pub error: String,
    /// How many questions were not asked for that reason.
    pub questions: u64,
}

impl Access {
    /// Adds what another part of the same run did: an earlier one, or another shard.
    pub fn add(&mut self, other: Self) {
        let Self {
            identity,
            network,
            hub_roles,
            sessions,
            own_account,
            never_asked,
        } = other;
        self.identity = self.identity.take().or(identity);
        if self.network.is_empty() {
            self.network = network;
        }
        if self.hub_roles.is_empty() {
            self.hub_roles = hub_roles;
        }
        for used in sessions {
            let same = self.sessions.iter_mut().find(|known| {
                known.role == used.role && known.session_policy == used.session_policy
            });
            match same {
                Some(known) => known.accounts += used.accounts,
                None => self.sessions.push(used),
            }
        }
        self.own_account = self.own_account.or(own_account);
        for never in never_asked {
            let same = self.never_asked.iter_mut().find(|known| {
                (&known.role, &known.operation, &known.region)
                    == (&never.role, &never.operation, &never.region)
            });
            match same {
                Some(known) => {
                    known.questions += never.questions;
                    known.refused_in.extend(never.refused_in);
                    known.refused_in.sort_unstable();
                    known.refused_in.dedup();
                }
                None => self.never_asked.push(never),
            }
        }
    }
}
