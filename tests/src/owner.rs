//! The owner of a trail, who does what a plan has the commands for.

use serde_json::Value;
use trailproof_core::account::AccountId;
use trailproof_core::arn::Arn;
use trailproof_simulator::model::{LogGroup, Organization, Selectors, Trail};

/// Runs the commands of a task.
///
/// # Panics
///
/// When the task is about a trail that is not there.
#[allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed, and says why"
)]
pub fn does(organization: &mut Organization, task: &Value) {
    let commands: Vec<&str> = task["commands"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let owner: AccountId = task["account"]
        .as_str()
        .and_then(|id| id.parse().ok())
        .expect("a task has an account");
    let arn: Option<Arn> = task["resource"].as_str().and_then(|arn| arn.parse().ok());
    let home = organization.partition().home_region();
    let region = arn.as_ref().and_then(Arn::region).unwrap_or(home);
    // The log group of a trail may be another account's.
    let of_trail = arn.as_ref().and_then(Arn::account).unwrap_or(owner);
    let site = organization.account_mut(of_trail).expect("it is there");
    let site = site.site_mut(&region);
    let mut trail = Trail::default();
    let place = match &arn {
        Some(arn) => {
            let name = arn.to_string();
            let name = name.rsplit('/').next().unwrap_or_default().to_owned();
            let place = site.trails.iter().position(|trail| trail.name == name);
            let place = place.expect("the trail is there");
            trail = site.trails[place].clone();
            Some(place)
        }
        None => None,
    };
    let mut groups = Vec::new();
    for command in commands {
        let value = |option: &str| {
            let (_, rest) = command.split_once(&format!("{option} "))?;
            let word = rest.split(' ').next()?;
            Some(word.trim_matches('\'').to_owned())
        };
        let has = |words: &str| command.contains(words);
        if has("cloudtrail create-trail") {
            trail.name = value("--name").expect("a name");
            trail.multi_region = has("--is-multi-region-trail");
            trail.logging = false;
        } else if has("cloudtrail update-trail") {
            trail.multi_region |= has("--is-multi-region-trail");
            trail.global_events |= has("--include-global-service-events");
            if let Some(group) = value("--cloud-watch-logs-log-group-arn") {
                trail.log_group = group;
            }
        } else if has("cloudtrail start-logging") {
            trail.logging = true;
            delivers(&mut trail);
        } else if has("cloudtrail put-event-selectors") {
            trail.selectors = Selectors::Default;
        } else if has("iam put-role-policy") {
            trail.delivery_error.clear();
            delivers(&mut trail);
        } else if has("logs create-log-group") {
            groups.push(LogGroup {
                name: value("--log-group-name").expect("a name"),
                ..LogGroup::default()
            });
        }
    }
    match place {
        Some(place) => site.trails[place] = trail,
        None => site.trails.push(trail),
    }
    let account = organization.account_mut(owner).expect("the owner is there");
    account.site_mut(&region).log_groups.extend(groups);
}

/// Something is delivered soon.
fn delivers(trail: &mut Trail) {
    trail.delivery_age = Trail::default().delivery_age;
    trail.never_delivered = false;
}
