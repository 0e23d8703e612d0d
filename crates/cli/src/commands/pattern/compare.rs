//! `trailproof pattern compare`: what a stored pattern really covers.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, BufRead};

use serde::Deserialize;
use serde_json::{Value, json};
use trailproof_core::control::{Control, documented};
use trailproof_core::pattern::{
    Comparison, Coverage, Documented, Pattern, PatternError, Relation, Universe, compare_within,
    nearest, obstacles, sentence,
};

use super::service::{Service, Tried};
use super::{ControlArguments, Format, parse};
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;
use crate::settings::ConnectionSettings;
use crate::untrusted::visible_lines;

/// Decide how the events of a filter pattern relate to those of a required one.
///
/// The answer is proved, and comes with an event that is missed or matched in excess. With
/// --control, what is true of every event of the control is taken for granted.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The pattern that has to be covered [default: that of --control].
    #[arg(long, value_name = "PATTERN", allow_hyphen_values = true)]
    required: Option<String>,

    /// The pattern in place. Several are compared as their union.
    #[arg(long, value_name = "PATTERN", allow_hyphen_values = true)]
    actual: Vec<String>,

    #[command(flatten)]
    control: ControlArguments,

    /// Read one `{"required", "actual"}` per line from stdin, and answer line by line.
    #[arg(long, conflicts_with = "actual")]
    batch: bool,

    /// Ask CloudWatch Logs about rules of the pattern language that AWS does not document, where
    /// the answer rests on one: logs:TestMetricFilter in the caller's own account, at most ten
    /// times. The connection is used for nothing else.
    #[arg(long)]
    test_patterns: bool,

    /// How to write the answer.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    #[command(flatten)]
    connection: ConnectionSettings,
}

/// What is known besides the two patterns.
struct Given {
    required: Option<Pattern>,
    facts: Option<Pattern>,
    example: Option<Value>,
    documented: &'static [Documented],
}

impl Given {
    fn load(arguments: &Arguments) -> Result<Self, CliError> {
        let control = arguments.control.load()?;
        let control = control.as_ref();
        let required = match (&arguments.required, control) {
            (Some(text), _) => Some(parse("--required", text)?),
            (None, Some(control)) => {
                let text = control.pattern_for(&arguments.control.benchmark);
                Some(parse("the control's pattern", text)?)
            }
            (None, None) => None,
        };
        let facts = control.and_then(|control| control.facts.as_deref());
        let facts = facts.map(|facts| parse("the control's facts", facts));
        Ok(Self {
            required,
            facts: facts.transpose()?,
            example: control.and_then(example),
            documented: control.map_or(&[], |_| documented()),
        })
    }

    /// Compares, and asks the service about what the answer rests on, where it may be asked.
    fn compare(
        &self,
        required: &Pattern,
        actual: &[Pattern],
        service: &mut Option<Service>,
    ) -> Result<Compared, CliError> {
        let actual: Vec<&Pattern> = actual.iter().collect();
        let mut tried = BTreeSet::new();
        loop {
            let universe = Universe {
                facts: self.facts.as_ref(),
                example: self.example.as_ref(),
                documented: self.documented,
                answers: service.as_ref().map(Service::known),
            };
            let comparison = compare_within(required, &actual, universe);
            let before = tried.len();
            tried.extend(&comparison.open);
            if let Some(service) = service
                && tried.len() > before
            {
                service.try_out(&comparison.open)?;
                continue;
            }
            return Ok(Compared {
                comparison,
                tried: service
                    .as_ref()
                    .map(|service| service.told(&tried).collect()),
            });
        }
    }
}

/// A comparison, and what the service said about rules that it rests on; `None` where it was not to
/// be asked.
struct Compared {
    comparison: Comparison,
    tried: Option<Vec<Tried>>,
}

fn example(control: &Control) -> Option<Value> {
    control.example.is_object().then(|| control.example.clone())
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<Exit, CliError> {
    let given = Given::load(arguments)?;
    let mut service = arguments
        .test_patterns
        .then(|| Service::new(&arguments.connection));
    if arguments.batch {
        return batch(&given, &mut service, output);
    }
    let Some(required) = &given.required else {
        return Err(CliError::usage("nothing to compare with")
            .hint("name a pattern with --required, or a control with --control"));
    };
    if arguments.actual.is_empty() {
        return Err(CliError::usage("no pattern to compare")
            .hint("name it with --actual, or give pairs to --batch on stdin"));
    }
    let actual = arguments
        .actual
        .iter()
        .map(|text| parse("--actual", text))
        .collect::<Result<Vec<_>, _>>()?;
    for refusal in actual.iter().filter_map(Pattern::refusal) {
        output.warn(refusal);
    }
    let compared = given.compare(required, &actual, &mut service)?;
    output.data(|out| match arguments.format {
        Format::Json => writeln!(out, "{}", as_json(&compared)),
        Format::Text => write!(
            out,
            "{}",
            visible_lines(&as_text(required, &actual, &compared))
        ),
    })?;
    Ok(Exit::Success)
}

fn as_json(Compared { comparison, tried }: &Compared) -> Value {
    let mut answer = json!({
        "relation": comparison.relation.as_str(),
        "missed": comparison.missed,
        "extra": comparison.extra,
        "reason": comparison.reason,
    });
    if let (Some(tried), Some(members)) = (tried, answer.as_object_mut()) {
        members.insert("tried".to_owned(), json!(tried));
    }
    answer
}

/// One line of a batch.
#[derive(Deserialize)]
struct Pair {
    #[serde(default)]
    required: Option<String>,
    actual: Actual,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Actual {
    One(String),
    Union(Vec<String>),
}

fn batch(given: &Given, service: &mut Option<Service>, output: &Output) -> Result<Exit, CliError> {
    let mut input = io::stdin().lock();
    let mut failure = None;
    output.data(|out| {
        let mut line = Vec::new();
        loop {
            line.clear();
            match input.read_until(b'\n', &mut line) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) => {
                    failure = Some(error);
                    return Ok(());
                }
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            let answer =
                answer(given, service, &line).unwrap_or_else(|error| json!({ "error": error }));
            writeln!(out, "{answer}")?;
            // Somebody may be waiting for this answer before asking again.
            out.flush()?;
        }
    })?;
    match failure {
        Some(error) => Err(CliError::failed(format_args!("cannot read stdin: {error}"))),
        None => Ok(Exit::Success),
    }
}

fn answer(given: &Given, service: &mut Option<Service>, line: &[u8]) -> Result<Value, Value> {
    let pair: Pair = serde_json::from_slice(line).map_err(|error| {
        json!({
            "message": format!("this line is no `{{\"required\", \"actual\"}}`: {error}"),
            "span": null,
        })
    })?;
    let parse =
        |field: &str, text: &str| Pattern::parse(text).map_err(|error| in_field(field, &error));
    let own = pair
        .required
        .map(|text| parse("required", &text))
        .transpose()?;
    let Some(required) = own.as_ref().or(given.required.as_ref()) else {
        return Err(json!({"message": "`required` is missing", "span": null}));
    };
    let actual = match pair.actual {
        Actual::One(text) => vec![text],
        Actual::Union(texts) => texts,
    };
    let actual = actual
        .iter()
        .map(|text| parse("actual", text))
        .collect::<Result<Vec<_>, _>>()?;
    let compared = given.compare(required, &actual, service);
    let compared = compared.map_err(|error| json!({"message": error.to_string(), "span": null}))?;
    Ok(as_json(&compared))
}

fn in_field(field: &str, error: &PatternError) -> Value {
    json!({
        "message": error.message,
        "span": error.span,
        "field": field,
        "suggestion": error.suggestion,
    })
}

fn as_text(required: &Pattern, actual: &[Pattern], compared: &Compared) -> String {
    let Compared { comparison, tried } = compared;
    let mut text = format!(
        "{}: {}\n\n  required  {required}\n",
        comparison.relation.as_str(),
        meaning(comparison)
    );
    for pattern in actual {
        let _ = writeln!(text, "  actual    {pattern}");
    }
    if let Some(missed) = &comparison.missed {
        text.push_str("\nNobody would hear of this event:\n\n");
        text.push_str(&indented(missed));
        let patterns: Vec<&Pattern> = actual.iter().collect();
        if let Some((at, obstacles)) = nearest(&patterns, missed)
            && let Some(sentence) = sentence(&obstacles)
        {
            let _ = match (actual.len(), actual.get(at)) {
                (2.., Some(pattern)) => write!(
                    text,
                    "\nNone of the {} patterns matches it. The nearest is {pattern}: {sentence}.\n",
                    actual.len()
                ),
                _ => write!(text, "\nIt is missed because {sentence}.\n"),
            };
        }
    }
    if let Some(missed) = &comparison.missed_undocumented {
        text.push_str("\nOnly events with values that AWS does not document are missed:\n\n");
        text.push_str(&indented(missed));
    }
    if let Some(extra) = &comparison.extra {
        text.push_str("\nThis event is matched, but not required:\n\n");
        text.push_str(&indented(extra));
        if let Some(sentence) = sentence(&obstacles(required, extra)) {
            let _ = write!(text, "\nIt is not required because {sentence}.\n");
        }
    }
    if comparison.matches_everything {
        text.push_str(
            "\nThe pattern matches every CloudTrail event, so it tells none from another.\n",
        );
    }
    if let Some(reason) = &comparison.reason {
        let _ = write!(text, "\nreason: {reason}\n");
    }
    for tried in tried.iter().flatten() {
        let _ = writeln!(text, "\n{tried}");
    }
    text
}

fn meaning(comparison: &Comparison) -> &'static str {
    match (comparison.relation, comparison.coverage) {
        (Relation::Equivalent, _) => "exactly the required events are matched",
        (Relation::Broader, _) => "every required event is matched, and others",
        (Relation::Narrower, _) => "only part of the required events is matched",
        (Relation::Overlapping, _) => "some required events are matched, and others",
        (Relation::Disjoint, _) if comparison.matches_nothing() => {
            "the pattern matches no event at all: its conditions contradict each other"
        }
        (Relation::Disjoint, _) => "no required event is matched",
        (Relation::Inconclusive, Coverage::Covers) => {
            "every required event is matched; whether others are is not decided"
        }
        (Relation::Inconclusive, Coverage::Misses) => {
            "not every required event is matched; the rest is not decided"
        }
        (Relation::Inconclusive, Coverage::Undecided) => {
            "whether every required event is matched is not decided"
        }
    }
}

fn indented(event: &Value) -> String {
    let pretty = serde_json::to_string_pretty(event).unwrap_or_default();
    pretty.lines().fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "  {line}");
        text
    })
}
