//! A multi-region trail covers the account.

mod telemetry;

use std::sync::Arc;

pub(in crate::evaluate) use telemetry::look as telemetry_rules;

use crate::account::{AccountId, Region};
use crate::evaluate::reading::{Reading, Unread, ask_informants, describe, locked, request};
use crate::evaluate::verdict::{Cause, Reason, Step, Verdict};
use crate::evidence::{Call, CallSite, Operation, Reader, Trail, TrailsView};
use crate::finding::{LinkName, Status};
use crate::observation::ObservationKind;

static NONE: Reason = Reason {
    code: "trail.none",
    status: Status::Fail,
    meaning: "The account has no trail of its own and no organization trail covers it.",
    remedy: "Create an organization trail in the management account, or a multi-region trail in this account, that delivers to a CloudWatch Logs log group.",
};
static SINGLE_REGION: Reason = Reason {
    code: "trail.single-region",
    status: Status::Fail,
    meaning: "The trail records one region; sign-ins are recorded in others.",
    remedy: "Make the trail a multi-region trail.",
};
static NO_GLOBAL_EVENTS: Reason = Reason {
    code: "trail.no-global-service-events",
    status: Status::Fail,
    meaning: "The trail does not record the events of global services, console sign-ins among them.",
    remedy: "Let the trail include global service events.",
};
static NOT_COVERING: Reason = Reason {
    code: "trail.not-covering",
    status: Status::Unknown,
    meaning: "The account sees a trail that its owner does not have, or not as an organization trail.",
    remedy: "Scan again; if it stays, look at the trail in its owner's account.",
};
static NOT_OBSERVED: Reason = Reason {
    code: "trail.not-observed",
    status: Status::Unknown,
    meaning: "The account's trails could not be listed, or the answer does not tell what they record.",
    remedy: "Let the audit role call cloudtrail:DescribeTrails, then scan again.",
};

static HOME_DISABLED: Reason = Reason {
    code: "trail.home-region-disabled",
    status: Status::Fail,
    meaning: "The organization trail's home region has to be enabled by each account, and this one has not: the trail receives nothing from it.",
    remedy: "Enable the region in the account, or create an organization trail whose home region every account has.",
};
static HOME_NOT_OBSERVED: Reason = Reason {
    code: "trail.home-region-not-observed",
    status: Status::Unknown,
    meaning: "The organization trail's home region has to be enabled by each account, and whether this one has could not be seen.",
    remedy: "Let the audit role call account:ListRegions, then scan again.",
};

pub(in crate::evaluate) const REASONS: &[&Reason] = &[
    &NONE,
    &HOME_DISABLED,
    &HOME_NOT_OBSERVED,
    &SINGLE_REGION,
    &NO_GLOBAL_EVENTS,
    &NOT_COVERING,
    &telemetry::RULE,
    &telemetry::NOT_OBSERVED,
    &NOT_OBSERVED,
];

pub(in crate::evaluate) const OBSERVATIONS: &[&ObservationKind] = &[&telemetry::UNSEEN];

/// The step of an account without any trail.
pub(in crate::evaluate) fn none(view: &TrailsView) -> Step {
    Step::new(LinkName::Trail)
        .because(Cause::new(&NONE, "no trail covers this account"))
        .seen(view.observed_at)
}

/// The step of trails that an account may have and that nobody has seen.
pub(in crate::evaluate) fn unseen(
    evidence: &Reader<'_>,
    account: AccountId,
    view: &TrailsView,
) -> Step {
    let step = Step::new(LinkName::Trail);
    if let Some((region, error)) = view.failures.first() {
        let others = match view.failures.len() {
            1 => String::new(),
            count => format!(", and in {} other regions", count - 1),
        };
        let message = format!(
            "cloudtrail:DescribeTrails as account {account} in {region} failed{others}: {}",
            describe(error)
        );
        return step
            .because(Cause::new(&NOT_OBSERVED, message))
            .wanting(next_region(evidence, account, view));
    }
    let message = format!(
        "cloudtrail:DescribeTrails was never called as account {account} with replications included"
    );
    step.because(Cause::new(&NOT_OBSERVED, message))
        .wanting(next_region(evidence, account, view))
}

/// The next region to ask: the partition's home, where every account is enabled, then the others
/// one by one, because a policy may keep an account out of all regions but a few.
fn next_region(
    evidence: &Reader<'_>,
    account: AccountId,
    view: &TrailsView,
) -> Option<crate::evidence::Request> {
    if locked(evidence, account).is_some() {
        return None;
    }
    let partition = evidence.partition(account);
    let enabled = evidence.enabled_regions(account).unwrap_or_else(|| {
        partition
            .default_regions()
            .iter()
            .map(|name| crate::account::Region::new(name))
            .collect()
    });
    std::iter::once(partition.home_region())
        .chain(enabled)
        .map(|region| {
            request(
                &CallSite { account, region },
                Call::DescribeTrails {
                    include_shadow_trails: true,
                },
            )
        })
        .find(|request| {
            !view
                .failures
                .iter()
                .any(|(region, _)| *region == request.region)
                && !evidence.has(request)
        })
}

/// A trail that an account sees, with the copy of whoever keeps it.
pub(in crate::evaluate) struct Candidate {
    /// As the account sees it.
    pub(in crate::evaluate) seen: std::sync::Arc<Trail>,
    /// As its owner, or a delegated administrator, sees it.
    pub(in crate::evaluate) owners_copy: Reading<Trail>,
}

/// The owner's copy of a trail.
pub(in crate::evaluate) fn owners_copy(
    evidence: &Reader<'_>,
    seen: &std::sync::Arc<Trail>,
) -> Reading<Trail> {
    let arn = &seen.trail_arn;
    let (Some(owner), Some(home)) = (seen.owner(), seen.home()) else {
        return Reading::Unread(Unread {
            why: format!("`{arn}` does not tell whose trail it is"),
            error: None,
            observed_at: None,
            wants: Vec::new(),
        });
    };
    ask_informants(evidence, owner, &home, |site| {
        if let Some((trail, observed_at)) = evidence.trail_as(site.account, arn) {
            return Reading::Read {
                value: trail,
                by: site.clone(),
                observed_at,
            };
        }
        let view = evidence.trails(site.account);
        if view.complete {
            return Reading::Unread(Unread {
                why: format!("account {} does not list the trail", site.account),
                error: None,
                observed_at: view.observed_at,
                wants: Vec::new(),
            });
        }
        let at_home = request(
            site,
            Call::DescribeTrails {
                include_shadow_trails: true,
            },
        );
        let asked = evidence.has(&at_home);
        let at_home_first = |region: &crate::account::Region| *region != site.region;
        if let Some((region, error)) = view
            .failures
            .iter()
            .min_by_key(|(region, _)| at_home_first(region))
        {
            let there = CallSite {
                account: site.account,
                region: region.clone(),
            };
            let mut unread =
                Unread::failed(Operation::DescribeTrails, &there, error, view.observed_at);
            unread.wants.extend((!asked).then_some(at_home));
            return Reading::Unread(unread);
        }
        Reading::Unread(
            locked(evidence, site.account).unwrap_or_else(|| Unread::never_asked(at_home)),
        )
    })
}

/// Whether an organization trail receives the events of a member: one whose home region has to be
/// enabled receives none from members that have not (CloudTrail User Guide, "Creating a trail for an
/// organization").
fn home_is_enabled(
    evidence: &Reader<'_>,
    account: AccountId,
    home: &Region,
    view: &TrailsView,
    mut step: Step,
) -> Step {
    let partition = home.partition();
    if partition.default_regions().contains(&home.as_str()) || view.answered.contains(home) {
        return step;
    }
    let site = CallSite {
        account,
        region: partition.home_region(),
    };
    let unread = match evidence.has_enabled(account, home) {
        Some(Ok(true)) => return step,
        Some(Ok(false)) => {
            return step.because(Cause::new(
                &HOME_DISABLED,
                format!(
                    "the organization trail's home region is {home}, which account {account} has \
                     not enabled: the trail receives nothing from it"
                ),
            ));
        }
        Some(Err(error)) => {
            let mut unread = Unread::failed(Operation::ListRegions, &site, &error, None);
            unread.why = format!("account:ListRegions failed: {}", describe(&error));
            unread
        }
        None => Unread::never_asked(request(&site, Call::ListRegions { account: None })),
    };
    let own = request(&site, Call::ListRegions { account: None });
    if locked(evidence, account).is_none() && !evidence.has(&own) {
        step = step.wanting([own]);
    }
    step.because(Cause::new(
        &HOME_NOT_OBSERVED,
        format!(
            "the organization trail's home region is {home}, and whether account {account} has \
             enabled it is not known: {}",
            unread.why
        ),
    ))
}

/// Judges one trail for one account.
pub(in crate::evaluate) fn judge(
    evidence: &Reader<'_>,
    account: AccountId,
    candidate: &Candidate,
    view: &TrailsView,
) -> Step {
    let Candidate { seen, owners_copy } = candidate;
    let arn = &seen.trail_arn;
    let mut step = Step::new(LinkName::Trail)
        .on(Arc::clone(arn), seen.owner(), seen.home())
        .seen(view.observed_at);
    let copy = match owners_copy {
        Reading::Read {
            value, observed_at, ..
        } => {
            step = step.seen(Some(*observed_at));
            Some(value)
        }
        Reading::Unread(_) => None,
    };
    let foreign = seen.owner() != Some(account);
    // The owner's word counts; what the owner's answer leaves out, the account's own tells.
    let told = |member: fn(&Trail) -> Option<bool>| {
        copy.and_then(|trail| member(trail))
            .or_else(|| member(seen))
    };
    let kind = if foreign {
        "organization trail"
    } else {
        "trail"
    };
    let name = seen.name.as_deref().unwrap_or(arn);
    let unknown = |member: &str| {
        Cause::new(
            &NOT_OBSERVED,
            format!("cloudtrail:DescribeTrails does not tell {member} of {kind} `{name}`"),
        )
    };
    let cause = match told(|trail| trail.is_multi_region_trail) {
        Some(false) => Some(Cause::new(
            &SINGLE_REGION,
            format!(
                "{kind} `{name}` records only {}; sign-ins in other regions are not recorded",
                seen.home()
                    .map_or_else(|| "one region".to_owned(), |home| home.to_string())
            ),
        )),
        None => Some(unknown("IsMultiRegionTrail")),
        Some(true) => match told(|trail| trail.include_global_service_events) {
            Some(false) => Some(Cause::new(
                &NO_GLOBAL_EVENTS,
                format!("{kind} `{name}` does not include global service events"),
            )),
            None => Some(unknown("IncludeGlobalServiceEvents")),
            Some(true) => None,
        },
    };
    if let Some(cause) = cause {
        return step.because(cause);
    }
    if foreign {
        let disowned = match owners_copy {
            Reading::Read { value, .. } if value.is_organization_trail == Some(false) => {
                Some("is not an organization trail there".to_owned())
            }
            Reading::Unread(unread) if unread.error.is_none() && unread.wants.is_empty() => {
                Some(unread.why.clone())
            }
            _ => None,
        };
        if let Some(why) = disowned {
            return step.because(Cause::new(
                &NOT_COVERING,
                format!("the account sees organization trail `{name}`, but its owner says otherwise: {why}"),
            ));
        }
    }
    let step = step
        .detail(format!("{kind} `{name}` records every region"))
        .effective(Verdict::Proved);
    match seen.home() {
        Some(home) if foreign => home_is_enabled(evidence, account, &home, view, step),
        _ => step,
    }
}

#[cfg(test)]
pub(in crate::evaluate) mod tests {
    use serde_json::{Value, json};

    use crate::evaluate::fixture::{Case, MANAGEMENT, MEMBER, World, check, denied, names, table};
    use crate::finding::Status::{Fail, Pass, Unknown};

    /// The healthy organization, whose trail was created in a region that accounts have to enable.
    fn opt_in_home() -> World {
        let mut world = World::healthy();
        for record in &mut world.records {
            let text = record.to_string().replace("eu-west-1", "eu-south-2");
            *record = serde_json::from_str(&text).unwrap();
        }
        world
    }

    #[test]
    fn an_opt_in_home_region_has_to_be_enabled() {
        let list = |world: World, answer: Value| {
            world.with(
                "account:ListRegions",
                MEMBER,
                "us-east-1",
                &json!({}),
                &answer,
            )
        };
        let regions = |status: &str| json!({"Regions": [{"RegionName": "eu-south-2", "RegionOptStatus": status}]});
        let unseen = Some("trail.home-region-not-observed");
        check(&opt_in_home(), Unknown, Unknown, unseen);
        assert_eq!(
            names(&opt_in_home().wanted(MEMBER)),
            ["account:ListRegions 222222222222 us-east-1"]
        );
        for (answer, status, reason) in [
            (regions("ENABLED"), Pass, None),
            (
                regions("DISABLED"),
                Fail,
                Some("trail.home-region-disabled"),
            ),
            (
                json!({"Regions": []}),
                Fail,
                Some("trail.home-region-disabled"),
            ),
            (json!({"Regions": [], "NextToken": "more"}), Unknown, unseen),
            (json!({}), Unknown, unseen),
        ] {
            check(&list(opt_in_home(), answer), status, status, reason);
        }
        // Who was refused is not asked again.
        let refused = list(opt_in_home(), json!({})).fail_last(&denied("account:ListRegions"));
        check(&refused, Unknown, Unknown, unseen);
        assert!(
            !names(&refused.wanted(MEMBER))
                .contains(&"account:ListRegions 222222222222 us-east-1".to_owned())
        );
        // The account that owns the trail needs no second look.
        assert_eq!(opt_in_home().finding(MANAGEMENT).status, Pass);
        // Whoever answers in a region has it.
        let world = opt_in_home().with(
            "cloudtrail:DescribeTrails",
            MEMBER,
            "eu-south-2",
            &json!({}),
            &World::healthy().record_mut("cloudtrail:DescribeTrails", MEMBER)["response"],
        );
        let finding = world.finding(MEMBER);
        assert_ne!(finding.reason.as_deref(), unseen, "{}", finding.message);
    }

    /// What its owner does not show is not what its owner denies.
    #[test]
    fn an_owner_who_cannot_be_asked_disowns_no_trail() {
        const TRAILS: &str = "cloudtrail:DescribeTrails";
        let at_home = "cloudtrail:DescribeTrails 111111111111 eu-west-1".to_owned();
        let unasked = World::healthy().without(TRAILS, MANAGEMENT);
        let refused = World::healthy().fail(TRAILS, MANAGEMENT, &denied(TRAILS));
        // Refused at home as well, which says more than a refusal elsewhere.
        let at_home_too = refused
            .clone()
            .with(
                TRAILS,
                MANAGEMENT,
                "eu-west-1",
                &json!({"includeShadowTrails": true}),
                &json!({}),
            )
            .fail_last(&json!({"code": "AtHome", "message": "no", "class": "denied"}));
        for (world, asks, code) in [
            (unasked, true, ""),
            (refused, true, "AccessDenied"),
            (at_home_too, false, "AtHome"),
        ] {
            let finding = world.finding(MEMBER);
            println!("{}", finding.message);
            assert_eq!(finding.status, Unknown, "{}", finding.message);
            assert_ne!(finding.reason.as_deref(), Some("trail.not-covering"));
            assert!(finding.message.contains(code), "{}", finding.message);
            assert_eq!(names(&world.wanted(MEMBER)).contains(&at_home), asks);
        }
    }

    /// A region that refuses to tell its trails leaves the others to ask, one after the other.
    #[test]
    fn the_next_region_is_asked() {
        const TRAILS: &str = "cloudtrail:DescribeTrails";
        let refused = World::healthy().fail(TRAILS, MEMBER, &denied(TRAILS));
        let asked = |world: &World| {
            let wanted = names(&world.wanted(MEMBER)).into_iter();
            let of_member = "cloudtrail:DescribeTrails 222222222222 ";
            let regions = wanted.filter_map(|name| name.strip_prefix(of_member).map(str::to_owned));
            regions.collect::<Vec<_>>()
        };
        let next = asked(&refused);
        assert_eq!(next.len(), 1, "{next:?}");
        assert_ne!(next[0], "us-east-1");
        let again = refused
            .clone()
            .with(
                TRAILS,
                MEMBER,
                &next[0],
                &json!({"includeShadowTrails": true}),
                &json!({}),
            )
            .fail_last(&denied(TRAILS));
        let after = asked(&again);
        assert_eq!(after.len(), 1, "{after:?}");
        assert!(after[0] != "us-east-1" && after != next, "{after:?}");
        // An account that nobody can enter is asked nothing.
        let locked = World::healthy().without(TRAILS, MEMBER).fail(
            "sts:AssumeRole",
            MANAGEMENT,
            &denied("sts:AssumeRole"),
        );
        assert_eq!(asked(&locked), [""; 0]);
    }

    /// What is changed by itself.
    pub(in crate::evaluate) fn cases() -> Vec<Case> {
        vec![
            Case(
                "cloudtrail:DescribeTrails",
                MEMBER,
                "/trailList",
                json!([]),
                Fail,
                Fail,
                Some("trail.none"),
            ),
            Case(
                "cloudtrail:DescribeTrails",
                MANAGEMENT,
                "/trailList/0/IsMultiRegionTrail",
                json!(false),
                Fail,
                Fail,
                Some("trail.single-region"),
            ),
            Case(
                "cloudtrail:DescribeTrails",
                MANAGEMENT,
                "/trailList/0/IncludeGlobalServiceEvents",
                json!(false),
                Fail,
                Fail,
                Some("trail.no-global-service-events"),
            ),
            Case(
                "cloudtrail:DescribeTrails",
                MANAGEMENT,
                "/trailList/0/IsOrganizationTrail",
                json!(false),
                Unknown,
                Unknown,
                Some("trail.not-covering"),
            ),
            Case(
                "cloudtrail:DescribeTrails",
                MANAGEMENT,
                "/trailList",
                json!([]),
                Unknown,
                Unknown,
                Some("trail.not-covering"),
            ),
        ]
    }

    #[test]
    fn one_thing_is_not_as_it_should_be() {
        table(&cases());
    }

    pub(in crate::evaluate) fn observed() -> Vec<(&'static str, World)> {
        let trails = "cloudtrail:DescribeTrails";
        let world = World::healthy().set(trails, MEMBER, "/trailList", json!([]));
        vec![("trail.telemetry-rules-unseen", world)]
    }
}
