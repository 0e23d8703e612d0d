//! The composite alarms of an account and region, read once: what each rule names, and in which
//! order rules have to be evaluated so that each is evaluated once.

use std::collections::HashMap;
use std::sync::Arc;

use super::{InvalidRule, Rule, State, Threshold, parse};
use crate::evidence::{CompositeAlarm, MetricAlarm};

/// What a name in a rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Metric(usize),
    Composite(usize),
    /// No listed alarm has the name.
    Unseen,
}

/// A rule whose names are looked up.
#[derive(Debug)]
pub(super) enum Node {
    Constant(bool),
    Is(State, Target),
    Not(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
    AtLeast {
        needed: usize,
        state: State,
        negated: bool,
        alarms: Vec<Target>,
    },
}

/// All alarms of an account and region, and who names whom.
#[derive(Debug)]
pub(super) struct Graph {
    pub(super) metric: Vec<Arc<MetricAlarm>>,
    pub(super) composite: Vec<Arc<CompositeAlarm>>,
    /// Each rule; an error where it could not be read.
    pub(super) rules: Vec<Result<Node, InvalidRule>>,
    /// Parts of each rule: what it costs to evaluate it.
    pub(super) sizes: Vec<u64>,
    /// Names in each rule that no listed alarm has.
    pub(super) unseen: Vec<Vec<String>>,
    /// The composite alarms, those that a rule names before it. Those on a circle are missing.
    pub(super) order: Vec<usize>,
    /// The composite alarms whose rules name a metric alarm.
    over_metric: Vec<Vec<usize>>,
    /// The composite alarms whose rules name a composite alarm.
    over_composite: Vec<Vec<usize>>,
}

impl Graph {
    pub(super) fn new(metric: &[Arc<MetricAlarm>], composite: &[Arc<CompositeAlarm>]) -> Self {
        let mut names: HashMap<&str, Target> = HashMap::new();
        let of_metric = metric
            .iter()
            .enumerate()
            .map(|(index, alarm)| (&alarm.alarm_name, &alarm.alarm_arn, Target::Metric(index)));
        let of_composite = composite.iter().enumerate().map(|(index, alarm)| {
            (
                &alarm.alarm_name,
                &alarm.alarm_arn,
                Target::Composite(index),
            )
        });
        for (name, arn, target) in of_metric.chain(of_composite) {
            names.entry(name).or_insert(target);
            if let Some(arn) = arn {
                names.entry(arn).or_insert(target);
            }
        }
        let mut graph = Self {
            metric: metric.to_vec(),
            composite: composite.to_vec(),
            rules: Vec::new(),
            sizes: Vec::new(),
            unseen: Vec::new(),
            order: Vec::new(),
            over_metric: vec![Vec::new(); metric.len()],
            over_composite: vec![Vec::new(); composite.len()],
        };
        for (index, alarm) in composite.iter().enumerate() {
            let mut reader = Reader {
                names: &names,
                named: Vec::new(),
                unseen: Vec::new(),
                size: 0,
            };
            let rule = parse(&alarm.alarm_rule).map(|rule| reader.node(&rule));
            if rule.is_err() {
                // Whatever it means, it is about the alarms that it names.
                for word in alarm.alarm_rule.split(['(', ')', ',', '"']) {
                    reader.target(word.trim());
                }
                reader.unseen.clear();
            }
            graph.rules.push(rule);
            graph.sizes.push(reader.size);
            graph.unseen.push(reader.unseen);
            for target in reader.named {
                let over = match target {
                    Target::Metric(place) => graph.over_metric.get_mut(place),
                    Target::Composite(place) => graph.over_composite.get_mut(place),
                    Target::Unseen => None,
                };
                if let Some(over) = over
                    && over.last() != Some(&index)
                {
                    over.push(index);
                }
            }
        }
        graph.order = graph.in_order();
        graph
    }

    /// Each composite alarm after those that its rule names, as far as there is such an order.
    fn in_order(&self) -> Vec<usize> {
        let mut open = vec![0_usize; self.composite.len()];
        for over in self.over_composite.iter().flatten() {
            if let Some(count) = open.get_mut(*over) {
                *count += 1;
            }
        }
        let mut order: Vec<usize> = open
            .iter()
            .enumerate()
            .filter(|(_, count)| **count == 0)
            .map(|(index, _)| index)
            .collect();
        let mut next = 0;
        while let Some(index) = order.get(next).copied() {
            next += 1;
            for over in self.over_composite.get(index).into_iter().flatten() {
                if let Some(count) = open.get_mut(*over) {
                    *count -= 1;
                    if *count == 0 {
                        order.push(*over);
                    }
                }
            }
        }
        order
    }

    /// Which composite alarms depend on a metric alarm, directly or through others.
    pub(super) fn dependents(&self, metric: usize) -> Vec<bool> {
        let mut depends = vec![false; self.composite.len()];
        let mut pending: Vec<usize> = self.over_metric.get(metric).cloned().unwrap_or_default();
        while let Some(index) = pending.pop() {
            if let Some(seen) = depends.get_mut(index)
                && !std::mem::replace(seen, true)
            {
                pending.extend(self.over_composite.get(index).into_iter().flatten());
            }
        }
        depends
    }

    /// The metric alarms that the rules of some composite alarms name, in order.
    pub(super) fn named_by(&self, composites: &[bool]) -> Vec<usize> {
        let named = |over: &Vec<usize>| {
            over.iter()
                .any(|index| composites.get(*index) == Some(&true))
        };
        let metric = self.over_metric.iter().enumerate();
        metric
            .filter(|(_, over)| named(over))
            .map(|(index, _)| index)
            .collect()
    }

    /// The metric alarms in ALARM that a composite alarm rests on, itself or through others, and
    /// the names it rests on that nobody saw.
    pub(super) fn rests_on(&self, composite: usize) -> (Vec<&Arc<MetricAlarm>>, Vec<&str>) {
        let (mut loud, mut unseen) = (Vec::new(), Vec::new());
        let mut visited = vec![false; self.composite.len()];
        let mut pending = vec![composite];
        while let Some(index) = pending.pop() {
            let Some(seen) = visited.get_mut(index) else {
                continue;
            };
            if std::mem::replace(seen, true) {
                continue;
            }
            unseen.extend(
                self.unseen
                    .get(index)
                    .into_iter()
                    .flatten()
                    .map(String::as_str),
            );
            let Some(Ok(rule)) = self.rules.get(index) else {
                continue;
            };
            rule.visit(&mut |target| match target {
                Target::Metric(index) => loud.extend(
                    self.metric
                        .get(index)
                        .filter(|alarm| alarm.state_value.as_deref() == Some("ALARM")),
                ),
                Target::Composite(index) => pending.push(index),
                Target::Unseen => {}
            });
        }
        loud.sort_by(|left, right| left.alarm_name.cmp(&right.alarm_name));
        loud.dedup_by(|left, right| Arc::ptr_eq(left, right));
        unseen.sort_unstable();
        unseen.dedup();
        (loud, unseen)
    }
}

impl Node {
    fn visit(&self, each: &mut impl FnMut(Target)) {
        match self {
            Self::Constant(_) => {}
            Self::Is(_, target) => each(*target),
            Self::Not(rule) => rule.visit(each),
            Self::And(rules) | Self::Or(rules) => {
                for rule in rules {
                    rule.visit(each);
                }
            }
            Self::AtLeast { alarms, .. } => alarms.iter().for_each(|target| each(*target)),
        }
    }
}

/// Looks names up, and notes them.
struct Reader<'a> {
    names: &'a HashMap<&'a str, Target>,
    named: Vec<Target>,
    unseen: Vec<String>,
    size: u64,
}

impl Reader<'_> {
    fn target(&mut self, name: &str) -> Target {
        let target = self.names.get(name).copied().unwrap_or(Target::Unseen);
        if target == Target::Unseen {
            self.unseen.push(name.to_owned());
        } else {
            self.named.push(target);
        }
        target
    }

    fn node(&mut self, rule: &Rule) -> Node {
        self.size += 1;
        let mut many = |rules: &[Rule]| rules.iter().map(|rule| self.node(rule)).collect();
        match rule {
            Rule::Constant(value) => Node::Constant(*value),
            Rule::And(rules) => Node::And(many(rules)),
            Rule::Or(rules) => Node::Or(many(rules)),
            Rule::Is(state, name) => Node::Is(*state, self.target(name)),
            Rule::Not(rule) => Node::Not(Box::new(self.node(rule))),
            Rule::AtLeast {
                threshold,
                state,
                negated,
                alarms,
            } => {
                let alarms: Vec<Target> = alarms.iter().map(|name| self.target(name)).collect();
                self.size += u64::try_from(alarms.len()).unwrap_or(u64::MAX);
                Node::AtLeast {
                    needed: match threshold {
                        Threshold::Count(count) => *count,
                        Threshold::Percent(percent) => {
                            alarms.len().saturating_mul(*percent).div_ceil(100)
                        }
                    },
                    state: *state,
                    negated: *negated,
                    alarms,
                }
            }
        }
    }
}
