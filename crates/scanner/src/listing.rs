//! Listing the accounts of an organization by itself, for scans that begin later.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use trailproof_core::evidence::{Evidence, Record};

use crate::caller::Connected;
use crate::connection::ConnectOptions;
use crate::discovery::{Discovery, DiscoveryEnd};
use crate::engine::{KnownRoles, Recorder};
use crate::error::ScanError;
use crate::plan::{AccountFilter, Scope};
use crate::roles::RoleSettings;

/// Each page needs the token of the one before.
const CALLS_AT_ONCE: usize = 1;

/// Asks which organization the caller belongs to, which accounts it has and what their units are
/// called: the answers, as records of evidence. Of the roles, only those of the hubs are assumed.
///
/// An error is what keeps the list from being whole. That units may not be listed is no error: it
/// is said in place of their names.
pub async fn list_accounts(
    connection: &ConnectOptions,
    role: &RoleSettings,
) -> Result<Vec<Record>, ScanError> {
    role.check()?;
    let connected = Connected::open(connection, role).await?;
    let caller = connected.caller.clone();
    // Nobody waits for warnings: what fails says so itself.
    let (warnings, _unheard) = tokio::sync::mpsc::unbounded_channel();
    let (found, _unsent) = tokio::sync::mpsc::unbounded_channel();
    let (parents, _unnamed) = tokio::sync::mpsc::unbounded_channel();
    let engine = connected.engine(
        role,
        KnownRoles::default(),
        Recorder::new(Evidence::default(), HashSet::new(), None),
        CALLS_AT_ONCE,
        warnings.clone(),
        BTreeSet::new(),
    );
    let discovery = Discovery {
        engine: Arc::new(engine),
        caller,
        scope: Scope::Organization,
        filter: AccountFilter::default(),
        shard: None,
        listing: None,
        found,
        parents,
        warnings,
    };
    match discovery.listing().await {
        Ok(records) => Ok(records),
        Err(DiscoveryEnd::Error(error)) => Err(error),
        // Nobody ends it but by dropping it.
        Err(DiscoveryEnd::Stopped) => Ok(Vec::new()),
    }
}
