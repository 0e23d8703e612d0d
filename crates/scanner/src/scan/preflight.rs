//! Everything that has to hold before the first account is looked for: credentials that work, a
//! role that can be named, a file that can be written.

use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use crate::caller::Connected;
use crate::calls::clock_skew;
use crate::clock;
use crate::connection::NetworkSetting;
use crate::engine::{Engine, Recorder, Resumed};
use crate::error::ScanError;
use crate::event::Warning;
use crate::log::EvidenceLog;
use crate::outcome::Caller;
use crate::plan::{ScanPlan, Scope};

/// What the run starts with.
pub(super) struct Ready {
    pub(super) engine: Arc<Engine>,
    pub(super) caller: Caller,
    pub(super) network: Vec<NetworkSetting>,
    pub(super) resumed: Start,
    pub(super) warnings: UnboundedReceiver<Warning>,
    pub(super) warn: UnboundedSender<Warning>,
}

/// What an earlier run leaves to this one.
pub(super) struct Start {
    /// How many records were loaded, when a run is resumed.
    pub(super) records: Option<usize>,
}

pub(super) async fn prepare(plan: &ScanPlan, concurrency: usize) -> Result<Ready, ScanError> {
    plan.role.check()?;
    let without_organization = plan.scope != Scope::Organization;
    let filter = &plan.accounts;
    if without_organization
        && !(filter.organizational_units.is_empty()
            && filter.exclude_organizational_units.is_empty()
            && filter.tags.is_empty())
    {
        return Err(ScanError::FilterNeedsOrganization);
    }
    let age = plan.policy.max_evidence_age;
    let oldest = age.and_then(|age| clock::now().checked_sub(age).ok());
    let mut resumed = Resumed::not_before(oldest);
    let mut records = None;
    let log = match &plan.evidence {
        None => None,
        Some(file) => {
            let (log, loaded) = EvidenceLog::open(file, |record| resumed.add(record))?;
            records = file.resume.then_some(loaded);
            Some(log)
        }
    };

    let connection = Connected::open(&plan.connection, &plan.role).await?;
    let caller = connection.caller.clone();
    let network = connection.network.clone();
    if let Some(recorded) = resumed.caller
        && recorded != caller.account
    {
        return Err(ScanError::OtherCaller {
            recorded,
            caller: caller.account,
        });
    }
    let (warn, warnings) = tokio::sync::mpsc::unbounded_channel();
    let skew = connection.clock_skew().and_then(clock_skew::warning);
    // The run has only begun, so somebody listens.
    let _ = skew.map(|warning| warn.send(warning));
    let recorder =
        Recorder::new(resumed.evidence, resumed.known, log).masking_endpoints(plan.mask_endpoints);
    let engine = connection.engine(
        &plan.role,
        resumed.roles,
        recorder,
        concurrency,
        warn.clone(),
        plan.regions.include.clone(),
    );
    if let Some(part) = plan.shard {
        engine.sessions.caller().pacer.share_as(part);
    }
    Ok(Ready {
        engine: Arc::new(engine),
        caller,
        network,
        resumed: Start { records },
        warnings,
        warn,
    })
}
