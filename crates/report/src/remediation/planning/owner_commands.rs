//! The accounts as they would be once the owner of a trail has run commands: what AWS would answer
//! then. The commands stand in core, once; this says what each does.

use serde_json::{Map, Value, json};
use trailproof_core::account::{AccountId, Region};
use trailproof_core::arn::Arn;
use trailproof_core::evidence::{Call, Request};
use trailproof_core::remedy::Command;

use super::planned_state::{Changing, filters_of, list, push, request};

/// Commands that somebody runs for a trail.
#[derive(Debug, Clone)]
pub(super) struct OwnerCommands {
    /// The trail, which may be one that they create.
    pub(super) trail: Arn,
    /// Whose trail it is.
    owner: AccountId,
    /// The trail's home region.
    home: Region,
    /// The account in which they are run: that of the trail, or of its log group.
    pub(super) run_in: AccountId,
    /// The account whose findings are looked at: a trail of others is one of its own answers, too.
    pub(super) seen_by: AccountId,
    /// What is run.
    pub(super) commands: Vec<Command>,
}

impl OwnerCommands {
    /// `None` where the trail's ARN does not tell whose it is.
    pub(super) fn new(
        trail: Arn,
        run_in: AccountId,
        seen_by: AccountId,
        commands: Vec<Command>,
    ) -> Option<Self> {
        Some(Self {
            owner: trail.account()?,
            home: trail.region()?,
            trail,
            run_in,
            seen_by,
            commands,
        })
    }

    /// The question whether the trail logs and delivers.
    fn status(&self) -> Request {
        let call = Call::GetTrailStatus {
            trail_arn: self.trail.to_string(),
        };
        request(self.owner, &self.home, call)
    }
}

impl Changing<'_> {
    /// Puts the effect of commands in.
    pub(super) fn put_owner_commands(&mut self, done: &OwnerCommands) {
        for command in &done.commands {
            match command.operation().as_str() {
                "cloudtrail create-trail" => {
                    self.create_trail(done, command);
                    self.let_record(done);
                    self.edit(done.status(), |response| {
                        response.insert("IsLogging".to_owned(), json!(false));
                    });
                }
                "cloudtrail update-trail" => self.update_trail(done, command),
                "cloudtrail put-event-selectors" => self.let_record(done),
                "cloudtrail start-logging" => self.let_log(done),
                "iam put-role-policy" => self.let_deliver(done),
                "logs create-log-group" => self.create_log_group(done.run_in, command),
                // A role is nothing without its policy, and what only looks something up changes
                // nothing.
                _ => {}
            }
        }
    }

    /// A trail without a log group, as its account is shown it.
    fn create_trail(&mut self, done: &OwnerCommands, command: &Command) {
        let mut trail = json!({
            "Name": command.value("--name"),
            "TrailARN": done.trail.to_string(),
            "HomeRegion": done.home,
            "IsMultiRegionTrail": false,
            // The default (CloudTrail API, `CreateTrail`).
            "IncludeGlobalServiceEvents": true,
            "IsOrganizationTrail": false,
        });
        if let Some(members) = trail.as_object_mut() {
            set(members, command);
        }
        for call in listings() {
            let listing = request(done.owner, &done.home, call);
            if self.answer(&listing).is_some() {
                self.edit(listing, |response| {
                    push(response, "trailList", trail.clone());
                });
            }
        }
    }

    /// A trail that is there, in every answer that shows it: that of its home region, and that of
    /// the region where trails of all regions are asked for.
    fn update_trail(&mut self, done: &OwnerCommands, command: &Command) {
        let arn = done.trail.to_string();
        let is_it = |trail: &Value| trail.get("TrailARN").and_then(Value::as_str) == Some(&arn);
        let global = done.home.partition().home_region();
        for account in [done.owner, done.seen_by] {
            for region in [&done.home, &global] {
                for call in listings() {
                    let listing = request(account, region, call);
                    let answer = self.answer(&listing);
                    if !list(answer.as_ref(), "trailList").iter().any(is_it) {
                        continue;
                    }
                    self.edit(listing, |response| {
                        let trails = response
                            .get_mut("trailList")
                            .and_then(Value::as_array_mut)
                            .into_iter()
                            .flatten();
                        for trail in trails.filter(|trail| is_it(trail)) {
                            if let Some(members) = trail.as_object_mut() {
                                set(members, command);
                            }
                        }
                    });
                }
            }
        }
    }

    /// What CloudTrail tells of a trail that logs, and delivered right now: what stopped deliveries
    /// before, stops them still (CloudTrail API, `GetTrailStatus`).
    fn let_log(&mut self, done: &OwnerCommands) {
        let now = json!(self.seen.now().to_string());
        self.edit(done.status(), |response| {
            response.insert("IsLogging".to_owned(), json!(true));
            for member in ["LatestDeliveryTime", DELIVERED] {
                response.insert(member.to_owned(), now.clone());
            }
        });
    }

    /// The same of one whose deliveries to its log group nothing stops. Where nobody saw whether it
    /// logs, that is taken for granted until somebody has.
    fn let_deliver(&mut self, done: &OwnerCommands) {
        let status = done.status();
        let _ = self.seen.has(&status);
        let now = json!(self.seen.now().to_string());
        self.edit(status, |response| {
            response.remove("LatestCloudWatchLogsDeliveryError");
            response.entry("IsLogging").or_insert_with(|| json!(true));
            response.insert(DELIVERED.to_owned(), now);
        });
    }

    /// What CloudTrail tells of the selectors that a trail has when nobody chose any.
    fn let_record(&mut self, done: &OwnerCommands) {
        let call = Call::GetEventSelectors {
            trail_arn: done.trail.to_string(),
        };
        self.edit(request(done.owner, &done.home, call), |response| {
            response.clear();
            let all = json!([{"ReadWriteType": "All", "IncludeManagementEvents": true,
                "DataResources": [], "ExcludeManagementEventSources": []}]);
            response.insert("EventSelectors".to_owned(), all);
        });
    }

    /// A log group of the standard class, without metric filters.
    fn create_log_group(&mut self, owner: AccountId, command: &Command) {
        let (Some(region), Some(name)) =
            (command.value("--region"), command.value("--log-group-name"))
        else {
            return;
        };
        let region = Region::new(region);
        let arn = format!(
            "arn:{}:logs:{region}:{owner}:log-group:{name}:*",
            region.partition()
        );
        let call = Call::DescribeLogGroups {
            log_group_name: name.to_owned(),
        };
        self.edit(request(owner, &region, call), |response| {
            let group = json!({"logGroupName": name, "arn": arn, "logGroupClass": "STANDARD"});
            push(response, "logGroups", group);
        });
        self.edit(filters_of(owner, &region, name), |response| {
            response.insert("metricFilters".to_owned(), json!([]));
        });
    }
}

/// When a trail last delivered to its log group.
const DELIVERED: &str = "LatestCloudWatchLogsDeliveryTime";

/// The questions for the trails of a region, with those of other regions and without.
fn listings() -> [Call; 2] {
    [true, false].map(|include_shadow_trails| Call::DescribeTrails {
        include_shadow_trails,
    })
}

/// Sets the members of a trail that a command's options name.
fn set(trail: &mut Map<String, Value>, command: &Command) {
    for (option, member) in [
        ("--is-multi-region-trail", "IsMultiRegionTrail"),
        (
            "--include-global-service-events",
            "IncludeGlobalServiceEvents",
        ),
    ] {
        if command.has(option) {
            trail.insert(member.to_owned(), json!(true));
        }
    }
    for (option, member) in [
        (
            "--cloud-watch-logs-log-group-arn",
            "CloudWatchLogsLogGroupArn",
        ),
        ("--cloud-watch-logs-role-arn", "CloudWatchLogsRoleArn"),
    ] {
        if let Some(value) = command.value(option) {
            trail.insert(member.to_owned(), json!(value));
        }
    }
}
