//! The credentials of each account, kept fresh.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use jiff::{SignedDuration, Timestamp};
use trailproof_core::account::{AccountId, Partition};

use crate::calls::Failure;
use crate::pacing::Pacer;
use crate::roles::RoleTemplate;

/// Credentials are renewed this long before they expire, or when a fifth of their life is left if
/// that is later, so that no call starts with credentials that end while it is under way.
const RENEWAL_MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// An account as the scan sees it: where its credentials come from, and its pace.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) account: AccountId,
    pub(crate) source: Source,
    pub(crate) held: tokio::sync::Mutex<Held>,
    pub(crate) pacer: Pacer,
    /// Whether accounts other than this one ask with its credentials.
    shared: AtomicBool,
}

/// Where credentials come from.
#[derive(Debug)]
pub(crate) enum Source {
    /// The scan's own connection.
    Connection(SharedCredentialsProvider),
    /// A role of the account, assumed with another account's credentials.
    Role { role: Role, via: Arc<Session> },
}

/// A role to assume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Role {
    pub(crate) arn: String,
    pub(crate) session_name: Arc<str>,
    pub(crate) external_id: Option<Arc<str>>,
}

/// The role of every account.
#[derive(Debug, Clone)]
pub(crate) struct Roles {
    pub(crate) template: RoleTemplate,
    pub(crate) partition: Partition,
    pub(crate) session_name: Arc<str>,
    pub(crate) external_id: Option<Arc<str>>,
}

impl Roles {
    fn of(&self, account: AccountId) -> Role {
        Role {
            arn: self.template.arn(self.partition, account),
            session_name: Arc::clone(&self.session_name),
            external_id: self.external_id.clone(),
        }
    }
}

/// What is known about the credentials.
#[derive(Debug, Default)]
pub(crate) enum Held {
    /// Not asked for yet.
    #[default]
    Nothing,
    /// These, until then.
    Credentials {
        credentials: Credentials,
        renew_at: Option<Timestamp>,
    },
    /// There are none, and asking again would not help.
    Refused(Failure),
}

impl Held {
    /// Holds credentials that expire at a time.
    pub(crate) fn credentials(
        credentials: Credentials,
        expires_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        let renew_at = expires_at.map(|expires_at| {
            let life = expires_at.duration_since(now);
            let margin = RENEWAL_MARGIN.min(life / 5).max(SignedDuration::ZERO);
            expires_at.checked_sub(margin).unwrap_or(expires_at)
        });
        Self::Credentials {
            credentials,
            renew_at,
        }
    }
}

impl Session {
    fn new(account: AccountId, source: Source, held: Held) -> Self {
        Self {
            account,
            source,
            held: held.into(),
            pacer: Pacer::default(),
            shared: AtomicBool::new(false),
        }
    }

    /// Forgets credentials that AWS refused, unless they were renewed in the meantime.
    pub(crate) async fn forget(&self, refused: &Credentials) {
        let mut held = self.held.lock().await;
        if let Held::Credentials { credentials, .. } = &*held
            && credentials.access_key_id() == refused.access_key_id()
        {
            *held = Held::Nothing;
        }
    }

    /// Whether these are still the credentials to use. While they are being renewed they are not.
    pub(crate) fn holds(&self, used: &Credentials, now: Timestamp) -> bool {
        self.held.try_lock().is_ok_and(|held| match &*held {
            Held::Credentials {
                credentials,
                renew_at,
            } => {
                credentials.access_key_id() == used.access_key_id()
                    && renew_at.is_none_or(|renew_at| now < renew_at)
            }
            Held::Nothing | Held::Refused(_) => false,
        })
    }

    /// Marks the account as one that others ask with.
    pub(crate) fn share(&self) {
        self.shared.store(true, Ordering::Relaxed);
    }
}

/// The sessions of the run.
#[derive(Debug)]
pub(crate) struct Sessions {
    caller: Arc<Session>,
    members: Mutex<HashMap<AccountId, Arc<Session>>>,
    roles: Roles,
    /// Roles that an earlier run was refused.
    refused: HashMap<AccountId, Failure>,
}

impl Sessions {
    pub(crate) fn new(
        caller: AccountId,
        provider: SharedCredentialsProvider,
        roles: Roles,
        refused: HashMap<AccountId, Failure>,
    ) -> Self {
        Self {
            caller: Arc::new(Session::new(
                caller,
                Source::Connection(provider),
                Held::Nothing,
            )),
            members: Mutex::default(),
            roles,
            refused,
        }
    }

    /// The session of the scan's own credentials.
    pub(crate) fn caller(&self) -> &Arc<Session> {
        &self.caller
    }

    /// The session of an account. No role is assumed in the account of the scan's own credentials.
    pub(crate) fn of(&self, account: AccountId) -> Arc<Session> {
        if account == self.caller.account {
            return Arc::clone(&self.caller);
        }
        let mut members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        let session = members.entry(account).or_insert_with(|| {
            let held = self
                .refused
                .get(&account)
                .map_or(Held::Nothing, |failure| Held::Refused(failure.clone()));
            let source = Source::Role {
                role: self.roles.of(account),
                via: Arc::clone(&self.caller),
            };
            Arc::new(Session::new(account, source, held))
        });
        Arc::clone(session)
    }

    /// The role of an account.
    pub(crate) fn role_arn(&self, account: AccountId) -> String {
        self.roles.of(account).arn
    }

    /// Whether an earlier run was refused the role of an account.
    pub(crate) fn is_refused(&self, account: AccountId) -> bool {
        self.refused.contains_key(&account)
    }

    /// The account is done: what is not needed by others is let go, so that memory does not grow
    /// with the number of accounts.
    pub(crate) fn leave(&self, account: AccountId) {
        if account == self.caller.account {
            return;
        }
        let mut members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(session) = members.get(&account) else {
            return;
        };
        session.pacer.clear();
        let refused = session
            .held
            .try_lock()
            .is_ok_and(|held| matches!(&*held, Held::Refused(_)));
        let shared = session.shared.load(Ordering::Relaxed) || Arc::strong_count(session) > 1;
        if !refused && !shared {
            members.remove(&account);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn renew_at(expires_at: &str) -> Timestamp {
        let credentials = Credentials::for_tests();
        let now = time("2026-11-22T22:00:00Z");
        match Held::credentials(credentials, Some(time(expires_at)), now) {
            Held::Credentials { renew_at, .. } => renew_at.unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn credentials_are_renewed_before_they_expire() {
        let hour = renew_at("2026-11-22T23:00:00Z");
        assert_eq!(hour, time("2026-11-22T22:55:00Z"));
        let seconds = renew_at("2026-11-22T22:00:10Z");
        assert_eq!(seconds, time("2026-11-22T22:00:08Z"));
        let over = renew_at("2026-11-22T21:00:00Z");
        assert_eq!(over, time("2026-11-22T21:00:00Z"));
    }
}
