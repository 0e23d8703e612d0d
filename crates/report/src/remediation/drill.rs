//! A drill: an alarm that trailproof created is set to ALARM and back, so that people see the
//! message arrive.

use jiff::Timestamp;

use super::cloud::{Cloud, Mutation};
use super::journal::{Entry, Journal, JournalError, StepState};
use super::plan::Step;
use super::resources::{Alarm, Change, alarm};

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
    /// The message went out, and the alarm stays in ALARM.
    #[error(
        "the alarm `{alarm}` was set to ALARM and could not be set back: {said}; CloudWatch sets it back by itself when it evaluates the alarm the next time"
    )]
    NotBack {
        /// Its name.
        alarm: String,
        /// What AWS said.
        said: String,
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
    let Change::PutMetricAlarm(wanted) = &step.change else {
        return Ok(());
    };
    let refused = |reason: String| DrillError::Alarm {
        alarm: wanted.name.clone(),
        reason,
    };
    let alarms = alarm::present(cloud, step.account, &step.region)
        .await
        .map_err(|error| refused(error.to_string()))?;
    match alarms.get(&wanted.name) {
        None => return Err(refused("it is gone".to_owned())),
        Some(there) if !wanted.is(there) => {
            return Err(refused(
                "it was changed after trailproof created it".to_owned(),
            ));
        }
        Some(_) => {}
    }
    for state in ["ALARM", "OK"] {
        set(cloud, journal, step, wanted, state, clock).await?;
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
        .map_err(|failure| {
            let said = format!("{}: {}", failure.error.code, failure.error.message);
            let alarm = alarm.name.clone();
            match state {
                "OK" => DrillError::NotBack { alarm, said },
                _ => DrillError::Alarm {
                    alarm,
                    reason: said,
                },
            }
        })?;
    journal.append(clock(), entry(true))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use trailproof_core::account::{AccountId, Region};
    use trailproof_core::evidence::{CallError, ErrorClass, Outcome, Record, Request};
    use trailproof_scanner::CallFailure;

    use super::*;
    use crate::remediation::journal::{Created, Header};
    use crate::remediation::resources::subscription::Attributes;

    /// One alarm, which can be set to ALARM and not back.
    struct OneWay(Alarm);

    impl Cloud for OneWay {
        async fn read(&self, request: Request) -> Record {
            let described = self.0.described(request.account, &request.region);
            Record {
                operation: request.call.operation(),
                account: request.account,
                region: request.region,
                parameters: request.call.parameters(),
                observed_at: clock(),
                request_id: None,
                outcome: Outcome::Response(json!({"MetricAlarms": [described]})),
            }
        }

        async fn change(
            &self,
            _: AccountId,
            _: &Region,
            mutation: Mutation,
        ) -> Result<Created, CallFailure> {
            match mutation {
                Mutation::SetAlarmState { state: "ALARM", .. } => Ok(Created::default()),
                _ => Err(CallFailure {
                    error: CallError {
                        code: "AccessDenied".to_owned(),
                        message: "no".to_owned(),
                        class: ErrorClass::Denied,
                    },
                    uncertain: false,
                }),
            }
        }

        async fn matches(
            &self,
            _: AccountId,
            _: &Region,
            _: &str,
            _: Vec<String>,
        ) -> Option<Vec<bool>> {
            None
        }

        async fn plan_of_topic(
            &self,
            _: AccountId,
            _: &Region,
            _: &str,
        ) -> Result<Option<String>, CallError> {
            Ok(None)
        }

        async fn subscription_attributes(
            &self,
            _: AccountId,
            _: &Region,
            _: &str,
        ) -> Result<Option<Attributes>, CallError> {
            Ok(None)
        }
    }

    fn clock() -> Timestamp {
        "2026-11-22T22:00:00Z".parse().unwrap()
    }

    #[test]
    fn an_alarm_that_cannot_be_set_back_is_said_to_be_in_alarm() {
        let alarm = Alarm {
            name: "sign-ins".to_owned(),
            description: "d".to_owned(),
            namespace: "N".to_owned(),
            metric: "m".to_owned(),
            period: 300,
            threshold: 1.0,
            topic_arn: "arn:aws:sns:us-east-1:111111111111:t".to_owned(),
            tags: std::collections::BTreeMap::new(),
        };
        let step = Step {
            id: "s#1".to_owned(),
            account: "111111111111".parse().unwrap(),
            region: Region::new("us-east-1"),
            change: Change::PutMetricAlarm(alarm.clone()),
            name_seen_free: true,
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.ndjson");
        let mut journal = Journal::open(&path, &Header::default(), clock()).unwrap();
        let cloud = OneWay(alarm);
        let drilled = futures::executor::block_on(drill(&cloud, &mut journal, &step, clock));
        let error = drilled.unwrap_err().to_string();
        assert!(
            error.starts_with(
                "the alarm `sign-ins` was set to ALARM and could not be set back: AccessDenied: no"
            ),
            "{error}"
        );
    }
}
