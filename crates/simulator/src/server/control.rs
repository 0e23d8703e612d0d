//! The paths that control the simulator itself, and tell what it knows:
//!
//! | request | what it does |
//! |---|---|
//! | `GET health` | says that it is there |
//! | `GET state` | the whole organization as canonical JSON: equal text means equal state |
//! | `GET expected` | the verdicts that are known by construction |
//! | `GET statistics` | every request by operation, account and region |
//! | `POST statistics/reset` | starts counting again |
//! | `GET faults`, `POST faults` | what goes wrong; a JSON object sets it |
//! | `GET subscriptions` | every subscription, with the token that confirms it |
//! | `POST subscriptions/confirm` | confirms pending ones: all, or those of `topic`, `endpoint` |
//! | `POST subscriptions/delete` | marks subscriptions as deleted, chosen in the same way |
//! | `GET minimum?sweep=full&control=ID` | the fewest calls that give the same verdicts, and the least time they take |
//! | `POST reset` | everything as it was at the start |

use hyper::Method;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;
use serde::Deserialize;
use serde_json::{Value, json};

use trailproof_core::control;
use trailproof_core::evidence::UnreadableRecord;
use trailproof_core::policy::Policy;

use super::proxy::GREETINGS;
use super::simulation::Simulation;
use crate::in_process::Sweep;
use crate::minimum::Minimum;
use crate::model::{Expected, Organization, SubscriptionState};
use crate::protocol::Outgoing;

/// Where these paths begin.
pub(super) const PREFIX: &str = "/_trailproof/";

/// Which subscriptions are meant; all of them where nothing is said.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Choice {
    /// The ARN of the topic.
    topic: Option<String>,
    /// The endpoint.
    endpoint: Option<String>,
}

pub(super) fn answer(simulation: &Simulation, head: &Parts, action: &str, body: &[u8]) -> Outgoing {
    let text = if body.is_empty() { b"{}" } else { body };
    if (&head.method, action) == (&Method::GET, "state") {
        return outgoing(200, simulation.read(Organization::canonical));
    }
    let (status, answer) = match (&head.method, action) {
        (&Method::GET, "health") => (200, json!({ "ready": true })),
        (&Method::GET, "expected") => (200, simulation.read(expected)),
        (&Method::GET, "statistics") => {
            let statistics = simulation.statistics();
            (200, serde_json::to_value(statistics).unwrap_or_default())
        }
        (&Method::POST, "statistics/reset") => {
            simulation.reset_statistics();
            (200, json!({}))
        }
        (&Method::GET, "faults") => {
            let faults = simulation.faults();
            (200, serde_json::to_value(faults).unwrap_or_default())
        }
        (&Method::POST, "faults") => match serde_json::from_slice(text) {
            Ok(faults) => {
                simulation.set_faults(faults);
                (200, json!({}))
            }
            Err(error) => (400, json!({ "message": error.to_string() })),
        },
        (&Method::GET, "subscriptions") => (200, simulation.read(subscriptions)),
        (&Method::POST, "subscriptions/confirm") => {
            choose(simulation, text, SubscriptionState::Confirmed)
        }
        (&Method::POST, "subscriptions/delete") => {
            choose(simulation, text, SubscriptionState::Deleted)
        }
        (&Method::GET, "minimum") => minimum(simulation, head.uri.query().unwrap_or_default()),
        (&Method::POST, "reset") => {
            simulation.reset();
            (200, json!({}))
        }
        _ => (404, json!({ "message": "there is no such control" })),
    };
    outgoing(status, answer.to_string())
}

fn outgoing(status: u16, json: String) -> Outgoing {
    Outgoing {
        status,
        headers: vec![(CONTENT_TYPE, HeaderValue::from_static("application/json"))],
        body: json.into(),
    }
}

fn expected(organization: &Organization) -> Value {
    organization
        .expected()
        .into_iter()
        .map(|(account, expected)| {
            let mut verdict = serde_json::to_value(expected).unwrap_or_default();
            if let Value::Object(members) = &mut verdict {
                members.insert("account".to_owned(), account.to_string().into());
            }
            verdict
        })
        .collect()
}

fn subscriptions(organization: &Organization) -> Value {
    organization
        .subscriptions()
        .map(|(topic, id, subscription)| {
            json!({
                "topic": topic,
                "protocol": subscription.protocol,
                "endpoint": subscription.endpoint,
                "state": subscription.state,
                "token": id,
            })
        })
        .collect()
}

/// `sweep` is `full` or `adaptive`; `control` may repeat and is the default control when absent.
fn minimum(simulation: &Simulation, query: &str) -> (u16, Value) {
    let mut sweep = Sweep::Full;
    let mut ids = Vec::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match (name.as_ref(), value.as_ref()) {
            ("sweep", "full") => sweep = Sweep::Full,
            ("sweep", "adaptive") => sweep = Sweep::Adaptive,
            ("control", id) => ids.push(id.to_owned()),
            _ => {
                return (
                    400,
                    json!({ "message": format!("`{name}={value}` is not known") }),
                );
            }
        }
    }
    if ids.is_empty() {
        ids.push(Expected::DEFAULT_CONTROL.to_owned());
    }
    match control::select(control::builtin(), &ids) {
        Ok(controls) => {
            let policy = Policy::new(controls);
            let latency = simulation.latency();
            let greetings = match simulation.options.certificate {
                Some(_) => GREETINGS,
                None => 0,
            };
            let minimum = simulation.read(|organization| {
                let scan = organization.scan(&policy, sweep)?;
                let path =
                    organization.critical_path(&scan, |region| latency.least(region), greetings);
                Ok::<_, UnreadableRecord>((Minimum::of(&scan), path))
            });
            match minimum {
                Ok((minimum, path)) => {
                    let mut answer = serde_json::to_value(minimum).unwrap_or_default();
                    if let Value::Object(answer) = &mut answer {
                        let milliseconds = json!(path.as_secs_f64() * 1000.0);
                        answer.insert("critical_path_ms".to_owned(), milliseconds);
                    }
                    (200, answer)
                }
                Err(error) => (500, json!({ "message": error.to_string() })),
            }
        }
        Err(error) => (400, json!({ "message": error.to_string() })),
    }
}

fn choose(simulation: &Simulation, body: &[u8], state: SubscriptionState) -> (u16, Value) {
    let choice: Choice = match serde_json::from_slice(body) {
        Ok(choice) => choice,
        Err(error) => return (400, json!({ "message": error.to_string() })),
    };
    let changed = simulation.write(|organization| {
        organization.set_subscriptions(state, |topic, subscription| {
            choice.topic.as_deref().is_none_or(|wanted| wanted == topic)
                && choice
                    .endpoint
                    .as_ref()
                    .is_none_or(|wanted| *wanted == subscription.endpoint)
        })
    });
    (200, json!({ "changed": changed }))
}
