//! The trail's selectors admit the control's events.

use std::sync::Arc;

use crate::evaluate::coverage::{Covering, Decisions, Required};
use crate::evaluate::reading::{Reading, ask, ask_keepers};
use crate::evaluate::verdict::{Cause, Reason, Step, Verdict};
use crate::evidence::{AdvancedSelector, Call, EventSelectors, FieldSelector, Reader, Trail};
use crate::finding::{LinkName, Status};
use crate::observation::ObservationKind;

static NOT_ALL: Reason = Reason {
    code: "selectors.not-all-management-events",
    status: Status::Fail,
    meaning: "The trail does not record both read and write management events, as the benchmark demands.",
    remedy: "Let the trail record all management events, read and write.",
};
static EXCLUDES: Reason = Reason {
    code: "selectors.exclude-events",
    status: Status::Fail,
    meaning: "The trail's selectors leave out events of the control.",
    remedy: "Let the trail record all management events, read and write.",
};
static NOT_DECIDED: Reason = Reason {
    code: "selectors.not-decided",
    status: Status::Unknown,
    meaning: "Whether the selectors admit every event of the control could not be decided.",
    remedy: "Simplify the trail's selectors: all management events, read and write.",
};
static NOT_OBSERVED: Reason = Reason {
    code: "selectors.not-observed",
    status: Status::Unknown,
    meaning: "The trail's selectors could not be read.",
    remedy: "Let the audit role in the trail's account call cloudtrail:GetEventSelectors, then scan again.",
};

pub(in crate::evaluate) const REASONS: &[&Reason] =
    &[&NOT_ALL, &EXCLUDES, &NOT_DECIDED, &NOT_OBSERVED];

static EXCLUDE_SOURCES: ObservationKind = ObservationKind {
    code: "selectors.exclude-sources",
    meaning: "The trail leaves out the management events of some sources. None of the control's events is among them.",
};

pub(in crate::evaluate) const OBSERVATIONS: &[&ObservationKind] = &[&EXCLUDE_SOURCES];

/// The trail's selectors, in its home region: CloudTrail tells them nowhere else, and tells them
/// only to the owner and to delegated administrators.
fn read(evidence: &Reader<'_>, trail: &Trail) -> Option<Reading<EventSelectors>> {
    let (owner, home) = (trail.owner()?, trail.home()?);
    let arn = &trail.trail_arn;
    Some(ask_keepers(evidence, owner, &home, |site| {
        ask(
            evidence,
            site,
            || Call::GetEventSelectors {
                trail_arn: arn.to_string(),
            },
            |site| evidence.event_selectors(arn, site),
        )
    }))
}

/// Judges a trail by its selectors.
pub(in crate::evaluate) fn judge(
    evidence: &Reader<'_>,
    trail: &Trail,
    required: Required<'_>,
    decisions: &mut Decisions,
) -> Step {
    let name = trail.name.as_deref().unwrap_or(&trail.trail_arn);
    let step = Step::new(LinkName::Selectors).on(
        Arc::clone(&trail.trail_arn),
        trail.owner(),
        trail.home(),
    );
    let (selectors, observed_at) = match read(evidence, trail) {
        None => {
            return step.because(Cause::new(
                &NOT_OBSERVED,
                format!(
                    "`{}` does not tell where the trail's selectors can be asked for",
                    trail.trail_arn
                ),
            ));
        }
        Some(Reading::Unread(unread)) => {
            return step
                .seen(unread.observed_at)
                .wanting(unread.wants.iter().cloned())
                .because(Cause::new(
                    &NOT_OBSERVED,
                    format!(
                        "which events trail `{name}` records is not known: {}",
                        unread.why
                    ),
                ));
        }
        Some(Reading::Read {
            value, observed_at, ..
        }) => (value, observed_at),
    };
    let mut step = step.seen(Some(observed_at));
    let (read, write) = management_events(&selectors);
    step = match (read, write) {
        (true, true) => step.detail(format!(
            "trail `{name}` records management events, read and write"
        )),
        _ => step
            .detail(format!(
                "trail `{name}` records {}",
                match (read, write) {
                    (true, false) => "only management events that read",
                    (false, true) => "only management events that write",
                    _ => "a selection of events",
                }
            ))
            .cis(Verdict::Broken(Cause::new(
                &NOT_ALL,
                format!(
                    "trail `{name}` does not record {} management events",
                    match (read, write) {
                        (true, false) => "write",
                        (false, true) => "read",
                        _ => "all",
                    }
                ),
            ))),
    };
    let excluded: Vec<&str> = selectors
        .event_selectors
        .iter()
        .filter(|selector| selector.include_management_events != Some(false))
        .flat_map(|selector| &selector.exclude_management_event_sources)
        .map(String::as_str)
        .collect();
    if !excluded.is_empty() {
        step = step.observe(
            &EXCLUDE_SOURCES,
            format!(
                "trail `{name}` leaves out the management events of {}",
                excluded.join(", ")
            ),
        );
    }
    let verdict = effective(&selectors, name, required, decisions);
    step.effective(verdict)
}

/// Whether all read and all write management events are recorded, by the benchmark's measure:
/// exclusions of single sources do not count there.
fn management_events(selectors: &EventSelectors) -> (bool, bool) {
    let EventSelectors {
        event_selectors,
        advanced_event_selectors,
    } = selectors;
    if event_selectors.is_empty() && advanced_event_selectors.is_empty() {
        return (true, true);
    }
    let basic = event_selectors
        .iter()
        .filter(|selector| selector.include_management_events != Some(false))
        .map(|selector| match selector.read_write_type.as_deref() {
            None | Some("All") => (true, true),
            Some("ReadOnly") => (true, false),
            Some("WriteOnly") => (false, true),
            Some(_) => (false, false),
        });
    let advanced = advanced_event_selectors.iter().map(|selector| {
        let management = selector
            .field_selectors
            .iter()
            .any(|field| field.field == "eventCategory" && admits(field, "Management"));
        let narrowed = selector
            .field_selectors
            .iter()
            .any(|field| match field.field.as_str() {
                "eventCategory" | "readOnly" => false,
                "eventSource" => {
                    !field.equals.is_empty()
                        || !field.starts_with.is_empty()
                        || !field.ends_with.is_empty()
                }
                _ => true,
            });
        let kind = |value: &str| {
            selector
                .field_selectors
                .iter()
                .filter(|field| field.field == "readOnly")
                .all(|field| admits(field, value))
        };
        if management && !narrowed {
            (kind("true"), kind("false"))
        } else {
            (false, false)
        }
    });
    basic
        .chain(advanced)
        .fold((false, false), |sum, one| (sum.0 || one.0, sum.1 || one.1))
}

/// Whether a field selector admits a value.
fn admits(selector: &FieldSelector, value: &str) -> bool {
    let any = |values: &[String], test: &dyn Fn(&str) -> bool| {
        values.is_empty() || values.iter().any(|known| test(known))
    };
    let none =
        |values: &[String], test: &dyn Fn(&str) -> bool| !values.iter().any(|known| test(known));
    any(&selector.equals, &|known| value == known)
        && any(&selector.starts_with, &|known| value.starts_with(known))
        && any(&selector.ends_with, &|known| value.ends_with(known))
        && none(&selector.not_equals, &|known| value == known)
        && none(&selector.not_starts_with, &|known| value.starts_with(known))
        && none(&selector.not_ends_with, &|known| value.ends_with(known))
}

/// Whether every event of the control is recorded. Selectors become filter patterns, so that the
/// decision procedure for patterns decides this too.
fn effective(
    selectors: &EventSelectors,
    name: &str,
    required: Required<'_>,
    decisions: &mut Decisions,
) -> Verdict {
    if selectors.event_selectors.is_empty() && selectors.advanced_event_selectors.is_empty() {
        return Verdict::Proved;
    }
    let mut patterns: Vec<String> = Vec::new();
    let mut undecided = None;
    let conjunctions = selectors
        .event_selectors
        .iter()
        .map(|selector| {
            let recorded = selector.include_management_events != Some(false);
            recorded.then(|| Ok(basic_clauses(selector))).transpose()
        })
        .chain(
            selectors
                .advanced_event_selectors
                .iter()
                .map(advanced_clauses),
        );
    for clauses in conjunctions {
        let clauses = match clauses {
            Ok(None) => continue,
            Ok(Some(clauses)) => clauses,
            Err(why) => {
                undecided = Some(why);
                continue;
            }
        };
        // What every event of the control satisfies anyway is left out; what remains is short.
        let mut kept: Vec<String> = clauses;
        kept.retain(|clause| {
            decisions.covers(required, &[&format!("{{ {clause} }}")]) != Covering::Covers
        });
        if kept.is_empty() {
            return Verdict::Proved;
        }
        patterns.push(format!("{{ {} }}", kept.join(" && ")));
    }
    let texts: Vec<&str> = patterns.iter().map(String::as_str).collect();
    match decisions.covers(required, &texts) {
        Covering::Covers | Covering::Everything => Verdict::Proved,
        Covering::Misses if undecided.is_none() => {
            let mut cause = Cause::new(
                &EXCLUDES,
                format!("trail `{name}` does not record every event of the control"),
            );
            if !texts.is_empty() {
                let missed = decisions.compare(required, &texts).missed.clone();
                cause.witness = missed.map(Arc::new);
            }
            Verdict::Broken(cause)
        }
        Covering::Misses | Covering::Undecided => Verdict::Unseen(Cause::new(
            &NOT_DECIDED,
            format!(
                "whether trail `{name}` records every event of the control could not be decided{}",
                undecided.map_or_else(String::new, |why| format!(": {why}"))
            ),
        )),
    }
}

/// CloudTrail takes every management event for one that reads or one that writes, so the two admit
/// all events together, also those that do not show the member.
const READS: &str = "($.readOnly IS TRUE)";
const WRITES: &str = "($.readOnly IS FALSE || $.readOnly NOT EXISTS)";

/// What has to hold of a management event.
fn basic_clauses(selector: &crate::evidence::EventSelector) -> Vec<String> {
    let mut clauses: Vec<String> = Vec::new();
    match selector.read_write_type.as_deref() {
        None | Some("All") => {}
        Some("ReadOnly") => clauses.push(READS.to_owned()),
        Some("WriteOnly") => clauses.push(WRITES.to_owned()),
        // A type that is not known admits nothing for certain.
        Some(_) => clauses.push("($.readOnly IS TRUE && $.readOnly IS FALSE)".to_owned()),
    }
    clauses.extend(
        selector
            .exclude_management_event_sources
            .iter()
            .filter_map(|source| quoted(source).ok())
            .map(|source| format!("($.eventSource != {source})")),
    );
    clauses
}

/// What has to hold of a management event; `None` when the selector is about other events.
fn advanced_clauses(selector: &AdvancedSelector) -> Result<Option<Vec<String>>, String> {
    let fields = &selector.field_selectors;
    // The fields come in any order; what other categories select by is of no interest.
    let category = |field: &&FieldSelector| field.field == "eventCategory";
    if !fields
        .iter()
        .filter(category)
        .all(|field| admits(field, "Management"))
    {
        return Ok(None);
    }
    let mut clauses = Vec::new();
    for field in fields.iter().filter(|field| !category(field)) {
        if field.field == "readOnly" {
            match (admits(field, "true"), admits(field, "false")) {
                (true, true) => {}
                (true, false) => clauses.push(READS.to_owned()),
                (false, true) => clauses.push(WRITES.to_owned()),
                (false, false) => return Ok(None),
            }
            continue;
        }
        let known = [
            "eventSource",
            "eventName",
            "eventType",
            "errorCode",
            "userIdentity.arn",
            "sessionCredentialFromConsole",
            "vpcEndpointId",
        ];
        if !known.contains(&field.field.as_str()) {
            return Err(format!("it selects by `{}`", field.field));
        }
        let selector = format!("$.{}", field.field);
        let positive = |values: &[String], before: &str, after: &str| {
            let tests: Result<Vec<String>, String> = values
                .iter()
                .map(|value| Ok(format!("{selector} = {}", affixed(value, before, after)?)))
                .collect();
            tests.map(|tests| format!("({})", tests.join(" || ")))
        };
        for (values, before, after) in [
            (&field.equals, "", ""),
            (&field.starts_with, "", "*"),
            (&field.ends_with, "*", ""),
        ] {
            if !values.is_empty() {
                clauses.push(positive(values, before, after)?);
            }
        }
        for (values, before, after) in [
            (&field.not_equals, "", ""),
            (&field.not_starts_with, "", "*"),
            (&field.not_ends_with, "*", ""),
        ] {
            for value in values {
                // An event without the field is not excluded by what the field must not be.
                clauses.push(format!(
                    "({selector} NOT EXISTS || {selector} != {})",
                    affixed(value, before, after)?
                ));
            }
        }
    }
    Ok(Some(clauses))
}

fn quoted(value: &str) -> Result<String, String> {
    affixed(value, "", "")
}

fn affixed(value: &str, before: &str, after: &str) -> Result<String, String> {
    if value.starts_with('*') || value.ends_with('*') || value.contains(['"', '\\', '%']) {
        return Err(format!("it selects by `{value}`, which no pattern can say"));
    }
    Ok(format!("\"{before}{value}{after}\""))
}

#[cfg(test)]
pub(in crate::evaluate) mod tests {
    use serde_json::json;

    use crate::control;
    use crate::evaluate::fixture::{Case, MANAGEMENT, World, check, table};
    use crate::finding::Status::{Fail, Pass};

    /// The control's events may be read or write, and nothing says that they show which.
    #[test]
    fn reading_and_writing_selectors_record_everything_together() {
        let control = control::builtin()
            .iter()
            .find(|control| control.id == "root-usage");
        let control = control.unwrap();
        let reads = json!({"ReadWriteType": "ReadOnly", "IncludeManagementEvents": true});
        let writes = json!({"ReadWriteType": "WriteOnly", "IncludeManagementEvents": true});
        for (selectors, cis, effective, reason) in [
            (json!([reads, writes]), Pass, Pass, None),
            (json!([reads]), Fail, Fail, Some("selectors.exclude-events")),
            (
                json!([writes]),
                Fail,
                Fail,
                Some("selectors.exclude-events"),
            ),
        ] {
            let mut world = World::healthy()
                .set(
                    "cloudtrail:GetEventSelectors",
                    MANAGEMENT,
                    "/EventSelectors",
                    selectors,
                )
                .set(
                    "logs:DescribeMetricFilters",
                    MANAGEMENT,
                    "/metricFilters/0/filterPattern",
                    json!(control.pattern),
                );
            world.policy.controls = vec![control.clone()];
            check(&world, cis, effective, reason);
        }
    }

    #[test]
    fn fields_come_in_any_order() {
        let data = json!({"FieldSelectors": [
            {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
            {"Field": "eventCategory", "Equals": ["Data"]},
        ]});
        let world = World::healthy()
            .set(
                "cloudtrail:GetEventSelectors",
                MANAGEMENT,
                "/EventSelectors",
                json!([]),
            )
            .set(
                "cloudtrail:GetEventSelectors",
                MANAGEMENT,
                "/AdvancedEventSelectors",
                json!([data]),
            );
        check(&world, Fail, Fail, Some("selectors.exclude-events"));
    }

    /// Each observation, and where it is made.
    pub(in crate::evaluate) fn observed() -> Vec<(&'static str, World)> {
        vec![(
            "selectors.exclude-sources",
            World::healthy().set(
                "cloudtrail:GetEventSelectors",
                MANAGEMENT,
                "/EventSelectors/0/ExcludeManagementEventSources",
                json!(["kms.amazonaws.com"]),
            ),
        )]
    }

    #[test]
    fn one_thing_is_not_as_it_should_be() {
        table(&[
            Case(
                "cloudtrail:GetEventSelectors",
                MANAGEMENT,
                "/EventSelectors",
                json!([]),
                Pass,
                Pass,
                None,
            ),
            Case(
                "cloudtrail:GetEventSelectors",
                MANAGEMENT,
                "/EventSelectors/0/ReadWriteType",
                json!("WriteOnly"),
                Fail,
                Pass,
                Some("selectors.not-all-management-events"),
            ),
            Case(
                "cloudtrail:GetEventSelectors",
                MANAGEMENT,
                "/EventSelectors/0/ReadWriteType",
                json!("ReadOnly"),
                Fail,
                Fail,
                Some("selectors.exclude-events"),
            ),
            Case(
                "cloudtrail:GetEventSelectors",
                MANAGEMENT,
                "/EventSelectors/0/IncludeManagementEvents",
                json!(false),
                Fail,
                Fail,
                Some("selectors.exclude-events"),
            ),
            Case(
                "cloudtrail:GetEventSelectors",
                MANAGEMENT,
                "/EventSelectors/0/ExcludeManagementEventSources",
                json!(["kms.amazonaws.com"]),
                Pass,
                Pass,
                None,
            ),
        ]);
    }
}
