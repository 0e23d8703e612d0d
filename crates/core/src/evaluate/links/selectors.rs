//! The trail's selectors admit the control's events.

mod data_events;

use std::sync::Arc;

use serde_json::Value;

use crate::evaluate::coverage::{Covering, Decisions, Required};
use crate::evaluate::reading::{Reading, ask, ask_informants};
use crate::evaluate::verdict::{Cause, Reason, Step, Verdict};
use crate::evidence::{AdvancedSelector, Call, EventSelectors, FieldSelector, Reader, Trail};
use crate::finding::{LinkName, Status};
use crate::observation::ObservationKind;
use crate::pattern::{Event, Match, Pattern, matches};

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
static TOGETHER_NOT_DECIDED: Reason = Reason {
    code: "selectors.together-not-decided",
    status: Status::Unknown,
    meaning: "Several trails record all events of the control together, and whether every part arrives could not be decided.",
    remedy: "Let one trail record all management events, read and write.",
};
static NOT_OBSERVED: Reason = Reason {
    code: "selectors.not-observed",
    status: Status::Unknown,
    meaning: "The trail's selectors could not be read.",
    remedy: "Let the audit role in the trail's account call cloudtrail:GetEventSelectors, then scan again.",
};

pub(in crate::evaluate) const REASONS: &[&Reason] = &[
    &NOT_ALL,
    &EXCLUDES,
    &NOT_DECIDED,
    &TOGETHER_NOT_DECIDED,
    &NOT_OBSERVED,
];

static EXCLUDE_SOURCES: ObservationKind = ObservationKind {
    code: "selectors.exclude-sources",
    meaning: "The trail leaves out the management events of some sources. None of the control's events is among them.",
};

/// Of a trail that proves a control together with others.
pub(in crate::evaluate) static TOGETHER: ObservationKind = ObservationKind {
    code: "selectors.together",
    meaning: "Several trails prove the control only together; the chain shown is that of one of them.",
};

pub(in crate::evaluate) const OBSERVATIONS: &[&ObservationKind] = &[&EXCLUDE_SOURCES, &TOGETHER];

/// The trail's selectors, in its home region: CloudTrail tells them nowhere else, and tells them
/// only to the owner and to delegated administrators.
fn read(evidence: &Reader<'_>, trail: &Trail) -> Option<Reading<EventSelectors>> {
    let (owner, home) = (trail.owner()?, trail.home()?);
    let arn = &trail.trail_arn;
    Some(ask_informants(evidence, owner, &home, |site| {
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
) -> (Step, Recorded) {
    let name = trail.name.as_deref().unwrap_or(&trail.trail_arn);
    let step = Step::new(LinkName::Selectors).on(
        Arc::clone(&trail.trail_arn),
        trail.owner(),
        trail.home(),
    );
    let (selectors, observed_at) = match read(evidence, trail) {
        None => {
            let step = step.because(Cause::new(
                &NOT_OBSERVED,
                format!(
                    "`{}` does not tell where the trail's selectors can be asked for",
                    trail.trail_arn
                ),
            ));
            return (step, Recorded::Unknown(None));
        }
        Some(Reading::Unread(unread)) => {
            let step = step
                .seen(unread.observed_at)
                .wanting(unread.wants.iter().cloned())
                .because(Cause::new(
                    &NOT_OBSERVED,
                    format!(
                        "which events trail `{name}` records is not known: {}",
                        unread.why
                    ),
                ));
            return (step, Recorded::Unknown(None));
        }
        Some(Reading::Read {
            value, observed_at, ..
        }) => (value, observed_at),
    };
    let mut step = step.seen(Some(observed_at));
    let empty =
        selectors.event_selectors.is_empty() && selectors.advanced_event_selectors.is_empty();
    if empty && trail.has_custom_event_selectors == Some(true) {
        let step = step.because(Cause::new(
            &NOT_OBSERVED,
            format!(
                "which events trail `{name}` records is not known: it has selectors of its own, \
                 and cloudtrail:GetEventSelectors shows none"
            ),
        ));
        return (step, Recorded::Unknown(None));
    }
    let (read, write) = management_events(&selectors, Repeated::Both);
    let otherwise = management_events(&selectors, Repeated::Either);
    step = match (read, write) {
        _ if repeats_fields(&selectors) && (read, write) != otherwise => step
            .detail(format!("trail `{name}` records a selection of events"))
            .cis(Verdict::Unseen(Cause::new(
                &NOT_DECIDED,
                format!(
                    "whether trail `{name}` records all management events could not be decided: \
                     a selector names the same field twice"
                ),
            ))),
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
    let recorded = recorded(&selectors, required, decisions);
    let verdict = effective(&recorded, name, required, decisions);
    (step.effective(verdict), recorded)
}

/// The step of a trail that records a part of the events, which others complete.
pub(in crate::evaluate) fn together(step: &Step) -> Step {
    let step = step.clone();
    let Verdict::Broken(cause) = &step.effective else {
        return step;
    };
    let mut shared = Cause::new(
        &TOGETHER_NOT_DECIDED,
        format!(
            "{}; with other trails it records all of them, and whether every part arrives could not be decided",
            cause.message
        ),
    );
    shared.witness.clone_from(&cause.witness);
    step.effective(Verdict::Unseen(shared))
}

/// Whether all read and all write management events are recorded, by the benchmark's measure:
/// exclusions of single sources do not count there.
fn management_events(selectors: &EventSelectors, repeated: Repeated) -> (bool, bool) {
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
        let fields = Fielded::of(selector);
        let management = fields
            .iter()
            .any(|field| field.field == "eventCategory" && field.admits("Management", repeated));
        let narrowed = fields.iter().any(|field| match field.field {
            "eventCategory" | "readOnly" => false,
            "eventSource" => field.selectors.iter().any(|one| {
                !one.equals.is_empty() || !one.starts_with.is_empty() || !one.ends_with.is_empty()
            }),
            _ => true,
        });
        let kind = |value: &str| {
            fields
                .iter()
                .filter(|field| field.field == "readOnly")
                .all(|field| field.admits(value, repeated))
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

/// Whether a trail certainly records the data events of its own log files.
pub(in crate::evaluate) use data_events::admits_log_files;

/// Whether a trail certainly records a management event.
pub(in crate::evaluate) fn admits_event(
    evidence: &Reader<'_>,
    trail: &Trail,
    event: &Value,
) -> bool {
    let Some(Reading::Read { value, .. }) = read(evidence, trail) else {
        return false;
    };
    let selectors: &EventSelectors = &value;
    if selectors.event_selectors.is_empty() && selectors.advanced_event_selectors.is_empty() {
        return true;
    }
    let event = Event::from_value(event);
    let admitted = |clauses: &[String]| {
        let mut patterns = clauses
            .iter()
            .map(|clause| Pattern::parse(&format!("{{ {clause} }}")));
        patterns.all(|pattern| pattern.is_ok_and(|pattern| matches(&pattern, &event) == Match::Yes))
    };
    let mut basic = selectors
        .event_selectors
        .iter()
        .filter(|selector| selector.include_management_events != Some(false));
    let mut advanced = selectors.advanced_event_selectors.iter();
    basic.any(|selector| admitted(&basic_clauses(selector)))
        || advanced.any(|selector| {
            let clauses = advanced_clauses(selector, Repeated::Both);
            clauses
                .ok()
                .flatten()
                .is_some_and(|clauses| admitted(&clauses))
        })
}

/// Whether a field selector admits a value: one of the values that it selects by equality, beginning
/// or end, and none of those that it excludes (CloudTrail User Guide, "Filtering data events by
/// using advanced event selectors", multiple conditions for a field).
fn admits(selector: &FieldSelector, value: &str) -> bool {
    let any =
        |values: &[String], test: &dyn Fn(&str) -> bool| values.iter().any(|known| test(known));
    let equal = |known: &str| value == known;
    let begins = |known: &str| value.starts_with(known);
    let ends = |known: &str| value.ends_with(known);
    let selects = !selector.equals.is_empty()
        || !selector.starts_with.is_empty()
        || !selector.ends_with.is_empty();
    let selected = any(&selector.equals, &equal)
        || any(&selector.starts_with, &begins)
        || any(&selector.ends_with, &ends);
    let excluded = any(&selector.not_equals, &equal)
        || any(&selector.not_starts_with, &begins)
        || any(&selector.not_ends_with, &ends);
    (selected || !selects) && !excluded
}

/// What two field selectors of one selector for the same field mean is not documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Repeated {
    /// Both have to hold.
    Both,
    /// Either is enough.
    Either,
}

/// The field selectors of one field.
struct Fielded<'s> {
    field: &'s str,
    selectors: Vec<&'s FieldSelector>,
}

impl Fielded<'_> {
    /// Those of a selector, by field, in the order of their first.
    fn of(selector: &AdvancedSelector) -> Vec<Fielded<'_>> {
        let mut fields: Vec<Fielded<'_>> = Vec::new();
        for one in &selector.field_selectors {
            match fields.iter_mut().find(|known| known.field == one.field) {
                Some(known) => known.selectors.push(one),
                None => fields.push(Fielded {
                    field: &one.field,
                    selectors: vec![one],
                }),
            }
        }
        fields
    }

    fn admits(&self, value: &str, repeated: Repeated) -> bool {
        let mut selectors = self.selectors.iter();
        let admits = |selector: &&FieldSelector| admits(selector, value);
        match repeated {
            Repeated::Both => selectors.all(admits),
            Repeated::Either => selectors.any(admits),
        }
    }
}

/// Whether a field stands in two field selectors of one selector.
fn repeats_fields(selectors: &EventSelectors) -> bool {
    let mut advanced = selectors.advanced_event_selectors.iter();
    advanced.any(|selector| {
        let fields = Fielded::of(selector);
        fields.iter().any(|field| field.selectors.len() > 1)
    })
}

/// What a trail records of a control's events.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::evaluate) enum Recorded {
    /// All of them.
    All,
    /// Those that one of these patterns matches, and no others.
    Some(Vec<String>),
    /// Not decided, and why.
    Unknown(Option<String>),
}

/// What is recorded of a control's events, where that is the same however a repeated field is read.
fn recorded(
    selectors: &EventSelectors,
    required: Required<'_>,
    decisions: &mut Decisions,
) -> Recorded {
    let both = recorded_by(selectors, Repeated::Both, required, decisions);
    if !repeats_fields(selectors) {
        return both;
    }
    let either = recorded_by(selectors, Repeated::Either, required, decisions);
    match (both, either) {
        (Recorded::All, _) => Recorded::All,
        (both @ Recorded::Some(_), Recorded::Some(_)) => both,
        _ => Recorded::Unknown(Some(
            "a selector names the same field twice, and AWS does not document whether both or \
             either of the conditions has to hold"
                .to_owned(),
        )),
    }
}

/// Selectors become filter patterns, so that the decision procedure for patterns decides this too.
fn recorded_by(
    selectors: &EventSelectors,
    repeated: Repeated,
    required: Required<'_>,
    decisions: &mut Decisions,
) -> Recorded {
    if selectors.event_selectors.is_empty() && selectors.advanced_event_selectors.is_empty() {
        return Recorded::All;
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
                .map(|selector| advanced_clauses(selector, repeated)),
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
            return Recorded::All;
        }
        patterns.push(format!("{{ {} }}", kept.join(" && ")));
    }
    let texts: Vec<&str> = patterns.iter().map(String::as_str).collect();
    match decisions.covers(required, &texts) {
        Covering::Covers | Covering::Everything => Recorded::All,
        Covering::Misses if undecided.is_none() => Recorded::Some(patterns),
        Covering::Misses | Covering::Undecided => Recorded::Unknown(undecided),
    }
}

/// Whether every event of the control is recorded.
fn effective(
    recorded: &Recorded,
    name: &str,
    required: Required<'_>,
    decisions: &mut Decisions,
) -> Verdict {
    match recorded {
        Recorded::All => Verdict::Proved,
        Recorded::Some(patterns) => {
            let mut cause = Cause::new(
                &EXCLUDES,
                format!("trail `{name}` does not record every event of the control"),
            );
            let texts: Vec<&str> = patterns.iter().map(String::as_str).collect();
            if !texts.is_empty() {
                let missed = decisions.compare(required, &texts).missed.clone();
                cause.witness = missed.map(Arc::new);
            }
            Verdict::Broken(cause)
        }
        Recorded::Unknown(why) => Verdict::Unseen(Cause::new(
            &NOT_DECIDED,
            format!(
                "whether trail `{name}` records every event of the control could not be decided{}",
                why.as_ref()
                    .map_or_else(String::new, |why| format!(": {why}"))
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
fn advanced_clauses(
    selector: &AdvancedSelector,
    repeated: Repeated,
) -> Result<Option<Vec<String>>, String> {
    const KNOWN: [&str; 7] = [
        "eventSource",
        "eventName",
        "eventType",
        "errorCode",
        "userIdentity.arn",
        "sessionCredentialFromConsole",
        "vpcEndpointId",
    ];
    let fields = Fielded::of(selector);
    // The fields come in any order; what other categories select by is of no interest.
    let other_category = |field: &Fielded<'_>| {
        field.field == "eventCategory" && !field.admits("Management", repeated)
    };
    if fields.iter().any(other_category) {
        return Ok(None);
    }
    let mut clauses = Vec::new();
    for field in &fields {
        match field.field {
            "eventCategory" => {}
            "readOnly" => match ["true", "false"].map(|value| field.admits(value, repeated)) {
                [true, true] => {}
                [true, false] => clauses.push(READS.to_owned()),
                [false, true] => clauses.push(WRITES.to_owned()),
                [false, false] => return Ok(None),
            },
            name if !KNOWN.contains(&name) => return Err(format!("it selects by `{name}`")),
            _ => {
                let conditions: Result<Vec<Vec<String>>, String> = field
                    .selectors
                    .iter()
                    .map(|selector| field_clauses(selector))
                    .collect();
                let conditions = conditions?;
                match repeated {
                    Repeated::Both => clauses.extend(conditions.into_iter().flatten()),
                    // One without any condition admits everything.
                    Repeated::Either if conditions.iter().any(Vec::is_empty) => {}
                    Repeated::Either => {
                        let each = conditions.iter().map(|all| all.join(" && "));
                        let each: Vec<String> = each.map(|all| format!("({all})")).collect();
                        clauses.push(format!("({})", each.join(" || ")));
                    }
                }
            }
        }
    }
    Ok(Some(clauses))
}

/// What has to hold by one field selector: one of the values that it selects by, if there are any,
/// and none of those that it excludes.
fn field_clauses(selector: &FieldSelector) -> Result<Vec<String>, String> {
    let field = format!("$.{}", selector.field);
    let mut selected = Vec::new();
    for (values, before, after) in [
        (&selector.equals, "", ""),
        (&selector.starts_with, "", "*"),
        (&selector.ends_with, "*", ""),
    ] {
        for value in values {
            selected.push(format!("{field} = {}", affixed(value, before, after)?));
        }
    }
    let mut clauses = Vec::new();
    if !selected.is_empty() {
        clauses.push(format!("({})", selected.join(" || ")));
    }
    for (values, before, after) in [
        (&selector.not_equals, "", ""),
        (&selector.not_starts_with, "", "*"),
        (&selector.not_ends_with, "*", ""),
    ] {
        for value in values {
            // An event without the field is not excluded by what the field must not be.
            clauses.push(format!(
                "({field} NOT EXISTS || {field} != {})",
                affixed(value, before, after)?
            ));
        }
    }
    Ok(clauses)
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
pub(in crate::evaluate) mod tests;
