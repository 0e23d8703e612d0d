//! The credentials of each account, kept fresh.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use jiff::{SignedDuration, Timestamp};
use trailproof_core::account::AccountId;

use super::roles::{Role, Roles};
use crate::calls::Failure;
use crate::outcome::Caller;
use crate::pacing::Pacer;

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
    /// A role of the account, assumed with another account's credentials: the first that lets in.
    Roles {
        roles: Vec<Role>,
        via: Arc<Session>,
        /// The place of the one that let in; it is the only one tried when renewing.
        entered_by: OnceLock<usize>,
    },
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

    /// The credentials, where they are at hand.
    pub(crate) fn at_hand(&self) -> Option<Credentials> {
        match &*self.held.try_lock().ok()? {
            Held::Credentials { credentials, .. } => Some(credentials.clone()),
            Held::Nothing | Held::Refused(_) => None,
        }
    }

    /// The role whose session it is, as the user wrote it; `None` for the scan's own connection.
    pub(crate) fn role(&self) -> Option<&Arc<str>> {
        match &self.source {
            Source::Connection(_) => None,
            Source::Roles {
                roles, entered_by, ..
            } => Some(&roles.get(*entered_by.get()?)?.template),
        }
    }

    /// Marks the account as one that others ask with.
    pub(crate) fn share(&self) {
        self.shared.store(true, Ordering::Relaxed);
    }
}

/// What an earlier run knows of roles, by ARN.
#[derive(Debug, Default)]
pub(crate) struct KnownRoles {
    /// Those that were refused.
    pub(crate) refused: HashMap<String, Failure>,
    /// Those that let in.
    pub(crate) entered: HashSet<String>,
}

/// The sessions of the run.
#[derive(Debug)]
pub(crate) struct Sessions {
    caller: Arc<Session>,
    /// The caller's own account, entered by a role.
    own: Option<Arc<Session>>,
    members: Mutex<HashMap<AccountId, Arc<Session>>>,
    pub(crate) roles: Roles,
    known: KnownRoles,
}

impl Sessions {
    pub(crate) fn new(
        caller: &Caller,
        provider: SharedCredentialsProvider,
        roles: Roles,
        known: KnownRoles,
    ) -> Self {
        let own_roles = roles.of_caller(caller);
        let caller = Arc::new(Session::new(
            caller.account,
            Source::Connection(provider),
            Held::Nothing,
        ));
        let own =
            (!own_roles.is_empty()).then(|| known.session(caller.account, own_roles, &caller));
        Self {
            caller,
            own,
            members: Mutex::default(),
            roles,
            known,
        }
    }

    /// The session of the scan's own credentials.
    pub(crate) fn caller(&self) -> &Arc<Session> {
        &self.caller
    }

    /// The session by which the caller's own account is read, where a role was named for it.
    pub(crate) fn own(&self) -> Option<&Arc<Session>> {
        self.own.as_ref()
    }

    /// The session of an account; of the caller's own account, that of the scan's own credentials.
    pub(crate) fn of(&self, account: AccountId) -> Arc<Session> {
        if account == self.caller.account {
            return Arc::clone(&self.caller);
        }
        let mut members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        let session = members.entry(account).or_insert_with(|| {
            let roles = self.roles.of(account);
            self.known.session(account, roles, &self.caller)
        });
        Arc::clone(session)
    }

    fn role_arns(&self, account: AccountId) -> impl Iterator<Item = String> {
        self.roles.of(account).into_iter().map(|role| role.arn)
    }

    /// Whether an earlier run was refused every role of an account.
    pub(crate) fn is_refused(&self, account: AccountId) -> bool {
        self.role_arns(account)
            .all(|arn| self.known.refused.contains_key(&arn))
    }

    /// Whether an earlier run entered an account.
    pub(crate) fn was_entered(&self, account: AccountId) -> bool {
        self.role_arns(account)
            .any(|arn| self.known.entered.contains(&arn))
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

impl KnownRoles {
    /// A session by roles of which an earlier run may know something: those that were refused are
    /// not tried again, and the one that let in comes first.
    fn session(
        &self,
        account: AccountId,
        mut roles: Vec<Role>,
        via: &Arc<Session>,
    ) -> Arc<Session> {
        let last = roles.last().and_then(|role| self.refused.get(&role.arn));
        let all_refused = roles
            .iter()
            .all(|role| self.refused.contains_key(&role.arn));
        let held = match last {
            Some(failure) if all_refused => Held::Refused(failure.clone()),
            _ => Held::Nothing,
        };
        roles.retain(|role| all_refused || !self.refused.contains_key(&role.arn));
        roles.sort_by_key(|role| !self.entered.contains(&role.arn));
        let source = Source::Roles {
            roles,
            via: Arc::clone(via),
            entered_by: OnceLock::new(),
        };
        Arc::new(Session::new(account, source, held))
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
