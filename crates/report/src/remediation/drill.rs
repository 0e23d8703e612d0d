//! A drill: an alarm that trailproof created is set to ALARM and back, so that people see the
//! message arrive.

use jiff::Timestamp;

use super::cloud::{Cloud, Mutation};
use super::journal::{Entry, Journal, JournalError, StepState};
use super::plan::{Alarm, Change, Step};
use super::present;

/// Why there was no drill.
#[derive(Debug, thiserror::Error)]
pub enum DrillError {
    /// The journal cannot be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The alarm is not there as it was created.
    #[error("the alarm `{alarm}` cannot be used for a drill: {reason}")]
    Alarm {
        /// Its name.
        alarm: String,
        /// Why.
        reason: String,
    },
}

/// The alarms that a journal says were created at a site.
pub fn drillable(journal: &Journal, site: &str) -> Vec<Step> {
    journal
        .steps()
        .into_iter()
        .filter(|record| {
            matches!(record.state, StepState::Created(_))
                && matches!(record.step.change, Change::PutMetricAlarm(_))
                && record.step.id.rsplit_once('#').map(|(id, _)| id) == Some(site)
        })
        .map(|record| record.step.clone())
        .collect()
}

/// Sets an alarm to ALARM and back to OK.
pub async fn drill(
    cloud: &impl Cloud,
    journal: &mut Journal,
    step: &Step,
    clock: fn() -> Timestamp,
) -> Result<(), DrillError> {
    let Change::PutMetricAlarm(alarm) = &step.change else {
        return Ok(());
    };
    let refused = |reason: String| DrillError::Alarm {
        alarm: alarm.name.clone(),
        reason,
    };
    let alarms = present::alarms(cloud, step.account, &step.region)
        .await
        .map_err(|error| refused(error.to_string()))?;
    match alarms.get(&alarm.name) {
        None => return Err(refused("it is gone".to_owned())),
        Some(there) if !present::is_same_alarm(alarm, there) => {
            return Err(refused(
                "it was changed after trailproof created it".to_owned(),
            ));
        }
        Some(_) => {}
    }
    for state in ["ALARM", "OK"] {
        set(cloud, journal, step, alarm, state, clock).await?;
    }
    Ok(())
}

async fn set(
    cloud: &impl Cloud,
    journal: &mut Journal,
    step: &Step,
    alarm: &Alarm,
    state: &'static str,
    clock: fn() -> Timestamp,
) -> Result<(), DrillError> {
    let entry = |done| Entry::Drill {
        alarm: alarm.name.clone(),
        state: state.to_owned(),
        done,
    };
    journal.append(clock(), entry(false))?;
    let mutation = Mutation::SetAlarmState {
        name: alarm.name.clone(),
        state,
        reason: "This is a drill by trailproof: nobody failed to sign in.".to_owned(),
    };
    cloud
        .change(step.account, &step.region, mutation)
        .await
        .map_err(|failure| DrillError::Alarm {
            alarm: alarm.name.clone(),
            reason: format!("{}: {}", failure.error.code, failure.error.message),
        })?;
    journal.append(clock(), entry(true))?;
    Ok(())
}
