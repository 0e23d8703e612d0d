//! Whether one alarm alone can drive composite alarms into ALARM.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::State;
use super::graph::{Graph, Node, Target};
use crate::evidence::{CompositeAlarm, MetricAlarm};

/// How many parts of rules are evaluated for one alarm: twice what AWS allows a hundred composite
/// alarms to have.
const BUDGET: u64 = 600_000;

/// At most so many names in one sentence.
const MAX_NAMES: usize = 5;

/// What an alarm that goes into ALARM does to a composite alarm, above all while all others are
/// quiet, that is in OK or `INSUFFICIENT_DATA`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Drive {
    /// The composite alarm goes into ALARM with it.
    Yes,
    /// It goes into ALARM with it as long as others stay in the states in which they were seen.
    Now,
    /// It would, were it not in ALARM already, because of others that were seen there. A composite
    /// alarm notifies somebody when it changes into ALARM.
    Held(String),
    /// It would, were it not kept from ALARM by others that were seen in ALARM.
    Blocked(String),
    /// The composite alarm does not change into ALARM.
    No,
    /// That depends on states that nobody knows, or on a rule that could not be read.
    Undecided(String),
}

/// What a metric alarm does to the composite alarms that depend on it, by their place in the list.
pub type Drives = Arc<[(usize, Drive)]>;

/// Whether another metric alarm goes into ALARM on the events on which one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Also {
    /// It does not.
    No,
    /// Nobody knows, or not at the same time.
    Maybe,
    /// It does, at the same time.
    Yes,
}

/// A metric alarm that fires, and those that fire on the same events: their places, in order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Fired {
    own: usize,
    certain: Vec<usize>,
    possible: Vec<usize>,
}

impl Fired {
    fn is_certain(&self, index: usize) -> bool {
        index == self.own || self.certain.binary_search(&index).is_ok()
    }

    fn is_possible(&self, index: usize) -> bool {
        self.possible.binary_search(&index).is_ok()
    }
}

/// The composite alarms over a metric alarm, and the other metric alarms that their rules name.
#[derive(Debug)]
struct Over {
    depends: Vec<bool>,
    beside: Vec<usize>,
}

/// The composite alarms of an account and region: each rule is read once, and evaluated once for
/// each alarm that is asked about.
#[derive(Debug)]
pub struct Composites {
    graph: Graph,
    by_name: HashMap<Arc<str>, usize>,
    /// The value of every rule, by what the metric alarms are taken to be; `None` is unknown.
    alone: [Vec<Option<bool>>; States::ALL.len()],
    over: Vec<OnceLock<Over>>,
    answers: Mutex<HashMap<Fired, Drives>>,
}

impl Composites {
    /// Reads the rules of the composite alarms among some alarms of one account and region.
    pub fn new(metric: &[Arc<MetricAlarm>], composite: &[Arc<CompositeAlarm>]) -> Self {
        let graph = Graph::new(metric, composite);
        let alone = States::ALL.map(|states| {
            let mut scene = Scene {
                graph: &graph,
                states,
                fired: None,
                values: vec![None; composite.len()],
            };
            for index in &graph.order {
                scene.evaluate(*index);
            }
            scene.values
        });
        let mut by_name = HashMap::new();
        for (index, alarm) in metric.iter().enumerate() {
            by_name
                .entry(Arc::clone(&alarm.alarm_name))
                .or_insert(index);
        }
        Self {
            alone,
            by_name,
            over: metric.iter().map(|_| OnceLock::new()).collect(),
            answers: Mutex::default(),
            graph,
        }
    }

    /// The composite alarms, in the order in which they were given.
    pub fn alarms(&self) -> &[Arc<CompositeAlarm>] {
        &self.graph.composite
    }

    /// What one of the metric alarms does to the composite alarms whose rules depend on it,
    /// directly or through other composite alarms. Other metric alarms are asked by their names.
    pub fn drives(&self, alarm: &MetricAlarm, also: impl Fn(&str) -> Also) -> Drives {
        let index = self.by_name.get(&alarm.alarm_name).copied();
        let Some((own, over)) = index.and_then(|index| Some((index, self.over.get(index)?))) else {
            return Arc::from([]);
        };
        let over = over.get_or_init(|| {
            let depends = self.graph.dependents(own);
            let mut beside = self.graph.named_by(&depends);
            beside.retain(|index| *index != own);
            Over { depends, beside }
        });
        if !over.depends.contains(&true) {
            return Arc::from([]);
        }
        let mut fired = Fired {
            own,
            certain: Vec::new(),
            possible: Vec::new(),
        };
        for index in &over.beside {
            let name = self.graph.metric.get(*index).map(|other| &other.alarm_name);
            match name.map_or(Also::No, |name| also(name)) {
                Also::No => {}
                Also::Maybe => fired.possible.push(*index),
                Also::Yes => fired.certain.push(*index),
            }
        }
        let drives = self.answer(fired.clone(), &over.depends);
        if fired.certain.is_empty() {
            return drives;
        }
        // They go into ALARM together, and come back one by one: that a rule does not hold while
        // all are there says nothing of later.
        fired.possible.append(&mut fired.certain);
        fired.possible.sort_unstable();
        let apart = self.answer(fired, &over.depends);
        let both = drives.iter().zip(apart.iter());
        both.map(|(together, apart)| match together {
            (_, Drive::No | Drive::Blocked(_)) => apart.clone(),
            _ => together.clone(),
        })
        .collect()
    }

    fn answer(&self, fired: Fired, depends: &[bool]) -> Drives {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = answers.entry(fired);
        let answer = answer.or_insert_with_key(|fired| self.work_out(fired, depends));
        Arc::clone(answer)
    }

    /// How many parts of rules one alarm costs.
    pub(super) fn cost(&self, depends: &[bool]) -> u64 {
        let evaluations = 2 * u64::try_from(States::ALL.len()).unwrap_or(u64::MAX);
        let parts = self.graph.sizes.iter().zip(depends);
        let parts: u64 = parts
            .filter(|(_, depends)| **depends)
            .map(|(size, _)| size)
            .sum();
        parts.saturating_mul(evaluations)
    }

    fn work_out(&self, fired: &Fired, depends: &[bool]) -> Drives {
        let affected = || {
            let all = depends.iter().enumerate();
            all.filter(|(_, depends)| **depends).map(|(index, _)| index)
        };
        if self.cost(depends) > BUDGET {
            let why = "too many rules of composite alarms depend on it";
            return affected()
                .map(|index| (index, Drive::Undecided(why.to_owned())))
                .collect();
        }
        let scenes: Vec<[Vec<Option<bool>>; 2]> = States::ALL
            .iter()
            .zip(&self.alone)
            .map(|(states, alone)| {
                [false, true].map(|after| {
                    let mut scene = Scene {
                        graph: &self.graph,
                        states: *states,
                        fired: Some((fired, after)),
                        values: alone.clone(),
                    };
                    for index in affected() {
                        scene.set(index, None);
                    }
                    for index in &self.graph.order {
                        if depends.get(*index) == Some(&true) {
                            scene.evaluate(*index);
                        }
                    }
                    scene.values
                })
            })
            .collect();
        let value = |states: States, index: usize| -> [Option<bool>; 2] {
            let scene = scenes.get(states as usize);
            [0, 1].map(|fired| {
                let values = scene.and_then(|scene| scene.get(fired))?;
                values.get(index).copied().flatten()
            })
        };
        affected()
            .map(|index| {
                let by = |states| value(states, index);
                (index, self.drive(fired.own, index, by))
            })
            .collect()
    }

    /// What an alarm does to a composite alarm, by the composite alarm's rule without and with it.
    fn drive(
        &self,
        metric: usize,
        index: usize,
        value: impl Fn(States) -> [Option<bool>; 2],
    ) -> Drive {
        let (Some(alarm), Some(composite), Some(rule)) = (
            self.graph.metric.get(metric),
            self.graph.composite.get(index),
            self.graph.rules.get(index),
        ) else {
            return Drive::No;
        };
        if let Err(error) = rule {
            return Drive::Undecided(error.to_string());
        }
        let quiet = value(States::Quiet);
        // In ALARM without it: no change of state, no notification.
        if quiet[0] == Some(true) || quiet[1] == Some(false) {
            return Drive::No;
        }
        let loud = || {
            let (loud, _) = self.graph.rests_on(index);
            let others = loud.iter().filter(|other| !Arc::ptr_eq(other, alarm));
            names(others.map(|other| &*other.alarm_name))
        };
        match (value(States::InAlarm), quiet) {
            ([_, Some(false)], _) => return Drive::Blocked(loud()),
            ([Some(true), _], [Some(false), Some(true)]) => return Drive::Held(loud()),
            _ => {}
        }
        let held = is_in_alarm_without(composite, alarm);
        match (value(States::InAlarm), value(States::Seen)) {
            // Something that was not seen holds it there: the alarm itself does not.
            ([Some(false), Some(true)], _) | (_, [Some(false), Some(true)]) if held => {
                Drive::Held("another alarm".to_owned())
            }
            ([Some(false), Some(true)], _) => Drive::Yes,
            (_, [Some(false), Some(true)]) => Drive::Now,
            (_, seen) => {
                let (_, unseen) = self.graph.rests_on(index);
                if unseen.is_empty() {
                    let why = "its rule depends on the states of other alarms";
                    return Drive::Undecided(why.to_owned());
                }
                // The alarm is enough for it; whether those hold it in ALARM, its state shows.
                match seen {
                    [None, Some(true)] if held => Drive::Held("another alarm".to_owned()),
                    [None, Some(true)] => Drive::Now,
                    _ => Drive::Undecided(format!(
                        "its rule depends on alarms that nobody has seen: {}",
                        names(unseen.into_iter())
                    )),
                }
            }
        }
    }
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let all: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    match all.get(..MAX_NAMES) {
        Some(first) if all.len() > MAX_NAMES => {
            format!("{} and {} more", first.join(", "), all.len() - MAX_NAMES)
        }
        _ => all.join(", "),
    }
}

fn is_in_alarm_without(composite: &CompositeAlarm, alarm: &MetricAlarm) -> bool {
    composite.state_value.as_deref() == Some("ALARM")
        && matches!(
            alarm.state_value.as_deref(),
            Some("OK" | "INSUFFICIENT_DATA")
        )
}

/// What the other metric alarms are taken to be.
#[derive(Debug, Clone, Copy)]
enum States {
    /// Quiet: in OK or `INSUFFICIENT_DATA`, nobody knows which.
    Quiet,
    /// Those that were seen in ALARM are; others that were seen are quiet.
    InAlarm,
    /// All as they were seen.
    Seen,
}

impl States {
    const ALL: [Self; 3] = [Self::Quiet, Self::InAlarm, Self::Seen];
}

/// The states of all alarms, before one fires or after.
struct Scene<'a> {
    graph: &'a Graph,
    states: States,
    fired: Option<(&'a Fired, bool)>,
    /// The values of the rules that were evaluated.
    values: Vec<Option<bool>>,
}

impl Scene<'_> {
    fn set(&mut self, index: usize, value: Option<bool>) {
        if let Some(place) = self.values.get_mut(index) {
            *place = value;
        }
    }

    /// Evaluates a composite alarm's rule, those that it names being evaluated.
    fn evaluate(&mut self, index: usize) {
        let rule = self
            .graph
            .rules
            .get(index)
            .and_then(|rule| rule.as_ref().ok());
        let value = rule.and_then(|rule| self.rule(rule));
        self.set(index, value.or_else(|| self.observed(index)));
    }

    /// Where the rule says nothing, what was seen of a composite alarm that does not depend on the
    /// alarm in question.
    fn observed(&self, index: usize) -> Option<bool> {
        if self.fired.is_some() || matches!(self.states, States::Quiet) {
            return None;
        }
        let composite = self.graph.composite.get(index)?;
        match composite.state_value.as_deref()? {
            "ALARM" => Some(true),
            "OK" => Some(false),
            _ => None,
        }
    }

    /// Three-valued: `None` is unknown.
    fn rule(&self, rule: &Node) -> Option<bool> {
        match rule {
            Node::Constant(value) => Some(*value),
            Node::Is(state, target) => self.is(*state, *target),
            Node::Not(rule) => self.rule(rule).map(|value| !value),
            Node::And(rules) => self.all(rules, false),
            Node::Or(rules) => self.all(rules, true),
            Node::AtLeast {
                needed,
                state,
                negated,
                alarms,
            } => {
                let (mut certain, mut possible) = (0, 0);
                for target in alarms {
                    let counts = self.is(*state, *target).map(|value| value != *negated);
                    certain += usize::from(counts == Some(true));
                    possible += usize::from(counts != Some(false));
                }
                match (certain >= *needed, possible >= *needed) {
                    (true, _) => Some(true),
                    (_, false) => Some(false),
                    _ => None,
                }
            }
        }
    }

    /// `decisive` decides as soon as it occurs: false for AND, true for OR.
    fn all(&self, rules: &[Node], decisive: bool) -> Option<bool> {
        let mut result = Some(!decisive);
        for rule in rules {
            match self.rule(rule) {
                Some(value) if value == decisive => return Some(decisive),
                Some(_) => {}
                None => result = None,
            }
        }
        result
    }

    fn is(&self, state: State, target: Target) -> Option<bool> {
        match target {
            Target::Metric(index) => match self.fired {
                Some((fired, after)) if fired.is_certain(index) => in_state(state, after),
                Some((fired, true)) if fired.is_possible(index) => None,
                _ => self.other(state, index),
            },
            Target::Composite(index) => {
                let in_alarm = self.values.get(index).copied().flatten()?;
                // Composite alarms lack data only until they are evaluated for the first time
                // (CloudWatch API Reference, `PutCompositeAlarm`).
                Some(match state {
                    State::Alarm => in_alarm,
                    State::Ok => !in_alarm,
                    State::InsufficientData => false,
                })
            }
            Target::Unseen => match self.states {
                States::Quiet => in_state(state, false),
                States::InAlarm | States::Seen => None,
            },
        }
    }

    /// Whether a metric alarm that has not fired for the event is in a state.
    fn other(&self, state: State, index: usize) -> Option<bool> {
        let seen = self.graph.metric.get(index)?.state_value.as_deref();
        match (self.states, seen) {
            (States::Quiet, _) | (States::InAlarm, Some("OK" | "INSUFFICIENT_DATA")) => {
                in_state(state, false)
            }
            (States::InAlarm | States::Seen, Some("ALARM")) => in_state(state, true),
            (States::Seen, Some("OK")) => Some(state == State::Ok),
            (States::Seen, Some("INSUFFICIENT_DATA")) => Some(state == State::InsufficientData),
            (States::InAlarm | States::Seen, _) => None,
        }
    }
}

/// Whether an alarm that is in ALARM, or quiet, is in a state. Quiet alarms are in OK or
/// `INSUFFICIENT_DATA`, nobody knows which.
fn in_state(state: State, in_alarm: bool) -> Option<bool> {
    match (state, in_alarm) {
        (State::Alarm, in_alarm) => Some(in_alarm),
        (State::Ok | State::InsufficientData, true) => Some(false),
        (State::Ok | State::InsufficientData, false) => None,
    }
}
