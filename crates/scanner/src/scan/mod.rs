//! The run: one loop that owns it, from the first question to the outcome.

mod admission;
mod examine;
mod preflight;
mod progress;
#[cfg(test)]
mod tests;
mod threads;

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior};
use trailproof_core::evaluate::Evaluator;
use trailproof_core::finding::Status;

use crate::clock;
use crate::discovery::{Discovery, DiscoveryEnd, name_units};
use crate::engine::Engine;
use crate::error::ScanError;
use crate::event::{ScanEvent, Warning, WarningCode};
use crate::outcome::{FoundAccount, ScanOutcome};
use crate::plan::ScanPlan;
use crate::regions::Regions;
use admission::Admission;
use examine::Examination;
use preflight::Ready;
use progress::Progress;
use threads::Threads;

/// How often progress is told.
const TICK: Duration = Duration::from_millis(100);
/// Calls in flight that keep up with how fast an organization is listed where regions are near: 160
/// accounts a second, with 26 calls of 50 ms each.
const ENOUGH: usize = 256;
/// Calls in flight per account, when there are few accounts: all regions at once.
const CONCURRENCY_PER_ACCOUNT: usize = 32;

/// Scans as planned, telling what happens, and returns what was seen.
///
/// Runs inside a tokio runtime. In one that has a single thread, further threads are begun where that
/// one does not keep up, and end with the scan. When `on_event` answers `Break`, calls in flight are
/// awaited and recorded and the outcome is not complete. Dropping the future ends the scan at once; the evidence file is intact even then.
pub async fn scan(
    plan: ScanPlan,
    on_event: impl FnMut(ScanEvent) -> ControlFlow<()>,
) -> Result<ScanOutcome, ScanError> {
    // What a scan holds between its answers is too much for the stack of whoever waits for it.
    Box::pin(run(plan, on_event)).await
}

async fn run(
    mut plan: ScanPlan,
    mut on_event: impl FnMut(ScanEvent) -> ControlFlow<()>,
) -> Result<ScanOutcome, ScanError> {
    let started_at = clock::now();
    let Ready {
        engine,
        caller,
        network,
        resumed,
        mut warnings,
        warn,
    } = preflight::prepare(&plan, concurrency(&plan)).await?;
    warn_of_few_connections(&plan, &warn);
    for record in std::mem::take(&mut plan.organization) {
        engine.transport.recorder.copied(record);
    }
    let stop = engine.transport.stop.clone();
    let mut progress = Progress::new();
    let mut tell = |event: ScanEvent| {
        if on_event(event).is_break() {
            stop.set();
        }
    };
    tell(ScanEvent::Connected(caller.clone()));
    if let Some(records) = resumed.records {
        tell(ScanEvent::Resumed { records });
    }

    let (found, mut arriving) = tokio::sync::mpsc::unbounded_channel();
    let (parents, unnamed) = tokio::sync::mpsc::unbounded_channel();
    let discovery = Discovery {
        engine: Arc::clone(&engine),
        caller: caller.clone(),
        scope: plan.scope.clone(),
        filter: plan.accounts.clone(),
        shard: plan.shard,
        listing: plan.listing.take(),
        found,
        parents,
        warnings: warn.clone(),
    };
    let regions = Arc::new(Regions::new(
        Arc::clone(&engine),
        caller.clone(),
        plan.regions.clone(),
        warn,
    ));

    let (events, mut telling) = tokio::sync::mpsc::unbounded_channel();
    let examination = Arc::new(Examination {
        engine: Arc::clone(&engine),
        regions: Arc::clone(&regions),
        sweep: plan.sweep,
        evaluator: Evaluator::new(plan.policy.clone()),
        caller: caller.clone(),
        mutes: plan.mutes.clone(),
        attestations: plan.attestations.clone(),
        events,
    });
    // Until every account is listed, nobody knows the role of the first.
    let roles_first = plan.role.needs_organization();
    let teller = Arc::clone(&examination);
    let known = Arc::clone(&examination);
    for account in &plan.trusted {
        engine.territory.add(*account);
    }
    let mut discovering = Box::pin(async move {
        let management = discovery.organization().await?;
        teller.tell_of_organization();
        regions.set_management(management);
        regions.check_filter().await?;
        if let Some(management) = management {
            known.engine.territory.add(management);
        }
        let ended = discovery.accounts(management).await;
        known.engine.territory.is_whole();
        ended
    });
    // Beside the accounts: no verdict waits for a name.
    let mut naming = Box::pin(name_units(Arc::clone(&engine), caller.clone(), unnamed));
    let mut named = false;
    let mut discovery_end = None;
    let mut waiting: VecDeque<FoundAccount> = VecDeque::new();
    let mut accounts = Vec::new();
    let mut threads = Threads::new();
    // Tasks, so that they can be on several threads; they end when this is dropped.
    let mut under_way = JoinSet::new();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut admission = Admission::new(concurrency(&plan), plan.sweep);

    loop {
        while admission.has_room()
            && (discovery_end.is_some() || !roles_first)
            && stop.check().is_ok()
            && let Some(account) = waiting.pop_front()
        {
            let examination = Arc::clone(&examination);
            let pulse = admission.begin(account.id);
            let examined = async move {
                let began = Instant::now();
                let result = examination.examine(account.id, &pulse).await;
                (account, result, began.elapsed())
            };
            under_way.spawn_on(examined, threads.next());
        }
        tokio::select! {
            biased;
            due = tick.tick() => {
                let now = Instant::now();
                let prompt = admission.look(due, now);
                engine.transport.places.look(prompt, now);
                threads.look(waiting.len(), now);
                // Not awaited by itself: waking for each of thousands in a second would cost more
                // than what they say.
                while let Ok(event) = telling.try_recv() {
                    progress.see(&event);
                    tell(event);
                }
                if engine.transport.recorder.broken() {
                    stop.set();
                }
                tell(ScanEvent::Progress(progress.statistics(&engine.transport.tally)));
            }
            Some(warning) = warnings.recv() => tell(ScanEvent::Warning(warning)),
            Some(account) = arriving.recv() => {
                let mut arrived = vec![account];
                while let Ok(account) = arriving.try_recv() {
                    arrived.push(account);
                }
                for account in arrived {
                    accounts.push(account.clone());
                    if account.active {
                        waiting.push_back(account);
                    } else {
                        let statuses = vec![Status::NotApplicable; plan.policy.controls.len()];
                        tell(progress.done(&account, statuses, Duration::ZERO));
                    }
                }
                progress.found(accounts.len());
                tell(ScanEvent::AccountsFound { accounts: accounts.len(), complete: false });
            }
            end = &mut discovering, if discovery_end.is_none() => {
                if let Err(DiscoveryEnd::Error(_)) = &end {
                    stop.set();
                }
                discovery_end = Some(end);
            }
            () = &mut naming, if !named => named = true,
            Some(ended) = under_way.join_next() => {
                let (account, result, elapsed) = ended.unwrap_or_else(propagate);
                admission.end(account.id);
                while let Ok(event) = telling.try_recv() {
                    progress.see(&event);
                    tell(event);
                }
                if let Ok(examined) = result {
                    progress.refused(account.id, examined.refused);
                    tell(progress.done(&account, examined.statuses, elapsed));
                }
            }
        }
        let nothing_left = stop.check().is_err() || (waiting.is_empty() && arriving.is_empty());
        if discovery_end.is_some() && named && under_way.is_empty() && nothing_left {
            break;
        }
    }

    // What the discovery said last came with its end.
    while let Ok(warning) = warnings.try_recv() {
        tell(ScanEvent::Warning(warning));
    }
    let complete = stop.check().is_ok();
    if complete {
        tell(ScanEvent::AccountsFound {
            accounts: accounts.len(),
            complete: true,
        });
    }
    for warning in progress.warnings(&accounts, caller.account, complete) {
        tell(ScanEvent::Warning(warning));
    }
    let statistics = progress.finish(&engine.transport.tally);
    let sessions = engine.transport.tally.sessions();
    let own_account = engine.own_account();
    let never_asked = engine.refusals.never_asked();
    tell(ScanEvent::Progress(statistics.clone()));
    // Everything that holds the engine goes, so that it can be taken apart.
    drop((discovering, naming, under_way));
    drop(examination);
    let evidence = close(engine)?;
    if let Some(Err(DiscoveryEnd::Error(error))) = discovery_end {
        return Err(error);
    }
    accounts.sort_by_key(|account| account.id);
    Ok(ScanOutcome {
        evidence,
        caller,
        accounts,
        complete,
        started_at,
        finished_at: clock::now(),
        statistics,
        network,
        sessions,
        own_account,
        never_asked,
    })
}

/// The calls in flight at most.
fn concurrency(plan: &ScanPlan) -> usize {
    plan.connection
        .connections
        .calls_at_once(wanted_concurrency(plan))
}

fn warn_of_few_connections(plan: &ScanPlan, warn: &UnboundedSender<Warning>) {
    // What is possible at most is rarely needed.
    let needed = wanted_concurrency(plan).min(ENOUGH);
    let (wanted, possible) = (plan.concurrency.unwrap_or(needed), concurrency(plan));
    if possible < wanted {
        // The run has only begun, so somebody listens.
        let _ = warn.send(Warning {
            code: WarningCode::FewConnections,
            message: format!(
                "{possible} calls are made at once instead of {wanted}, because too few \
                 connections may be open"
            ),
        });
    }
}

fn wanted_concurrency(plan: &ScanPlan) -> usize {
    let few = match &plan.scope {
        crate::plan::Scope::Organization => ScanPlan::CONCURRENCY,
        crate::plan::Scope::Accounts(accounts) => accounts.len() * CONCURRENCY_PER_ACCOUNT,
        crate::plan::Scope::CurrentAccount => CONCURRENCY_PER_ACCOUNT,
    };
    plan.concurrency
        .unwrap_or(few.min(ScanPlan::CONCURRENCY))
        .max(1)
}

/// A task fails only by a defect, which is not to be hidden.
fn propagate<T>(error: JoinError) -> T {
    std::panic::resume_unwind(error.into_panic())
}

/// Closes the evidence file and takes the evidence out.
fn close(engine: Arc<Engine>) -> Result<trailproof_core::evidence::Evidence, ScanError> {
    match Arc::try_unwrap(engine) {
        Ok(engine) => engine.transport.recorder.close(),
        // A task that still holds the engine would be a defect; what is in memory is complete.
        Err(engine) => {
            tracing::error!("a task outlived the run");
            Ok(engine.transport.recorder.evidence().clone())
        }
    }
}
