//! The theory of events: claims about one place either have a value in common or contradict each
//! other. Places depend on each other only through claims that clauses join.

use std::rc::Rc;

use rustc_hash::FxHashMap;
use serde_json::Value;

use super::super::Step;
use super::claim::Claim;
use super::cloudtrail::{self, FieldType};
use super::mode::Mode;
use super::solver::{Theory, Variable};
use super::text::{Budget, Found};
use super::tree::{NodeId, Tree};
use super::values;

/// What stands at a place.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Content {
    Absent,
    Value(Value),
    Object,
    Array,
}

/// What is known about a place before any claim.
#[derive(Debug, Clone)]
struct Place {
    field_type: FieldType,
    is_root: bool,
    /// What to try first; the first of these stays if nothing speaks against it.
    preferred: Vec<Value>,
    /// Whether the first preferred value may stand there although nothing asks for it.
    usual: bool,
}

/// The claims that are made at present, by place.
pub(super) struct Places<'a> {
    claims: &'a [Claim],
    mode: &'a Mode,
    at: Vec<Place>,
    made: Vec<Vec<Variable>>,
    known: FxHashMap<Vec<Variable>, Rc<Found<Content>>>,
    budget: &'a mut Budget,
}

impl<'a> Places<'a> {
    pub(super) fn new(
        tree: &Tree,
        claims: &'a [Claim],
        mode: &'a Mode,
        typed: bool,
        example: Option<&Value>,
        budget: &'a mut Budget,
    ) -> Self {
        let places = tree
            .iter()
            .map(|(_, node)| Place::new(&node.path, typed, example))
            .collect::<Vec<_>>();
        Self {
            claims,
            mode,
            made: vec![Vec::new(); places.len()],
            at: places,
            known: FxHashMap::default(),
            budget,
        }
    }

    /// What stands at a place, the claims made at present being true.
    pub(super) fn content(&mut self, node: NodeId) -> Found<Content> {
        let made = self.made.get(node).cloned().unwrap_or_default();
        if self.demands_presence(&made) {
            return (*self.solve(node, &made)).clone();
        }
        let claims = self.resolve(&made);
        let stays = self.at.get(node).and_then(|place| {
            let value = place.preferred.first()?;
            (place.usual
                && claims
                    .iter()
                    .all(|claim| claim.accepts_value(value, self.mode)))
            .then(|| value.clone())
        });
        Found::Some(stays.map_or(Content::Absent, Content::Value))
    }

    /// Whether the place may hold an object or array, the claims made at present being true.
    pub(super) fn admits_container(&self, node: NodeId, object: bool) -> bool {
        let made = self.made.get(node).cloned().unwrap_or_default();
        self.resolve(&made)
            .iter()
            .all(|claim| claim.accepts_container(object, self.mode))
    }

    /// The claims that are made at present.
    pub(super) fn made(&self) -> impl Iterator<Item = (NodeId, &'a Claim)> {
        self.made.iter().enumerate().flat_map(|(node, made)| {
            self.resolve(made)
                .into_iter()
                .map(move |claim| (node, claim))
        })
    }

    fn resolve(&self, variables: &[Variable]) -> Vec<&'a Claim> {
        let claims = self.claims;
        variables
            .iter()
            .filter_map(|variable| claims.get(*variable))
            .collect()
    }

    fn demands_presence(&self, made: &[Variable]) -> bool {
        self.resolve(made)
            .iter()
            .any(|claim| !claim.accepts_absence(self.mode))
    }

    fn solve(&mut self, node: NodeId, made: &[Variable]) -> Rc<Found<Content>> {
        let mut key = made.to_vec();
        key.sort_unstable();
        key.push(usize::MAX - node);
        if let Some(known) = self.known.get(&key) {
            return Rc::clone(known);
        }
        let claims = self.resolve(made);
        self.budget.spend(claims.len() as u64 + 4);
        let content = Rc::new(match self.at.get(node) {
            Some(place) => place.content(&claims, self.mode, self.budget),
            None => Found::None,
        });
        self.known.insert(key, Rc::clone(&content));
        content
    }

    /// Whether claims have no value in common. A place that may be absent is no contradiction:
    /// what accepts absence alone accepts it together.
    fn contradict(&mut self, node: NodeId, made: &[Variable]) -> bool {
        self.demands_presence(made) && *self.solve(node, made) == Found::None
    }

    /// Claims of a contradictory set that contradict each other already.
    fn core(&mut self, node: NodeId, made: &[Variable], newest: Variable) -> Vec<Variable> {
        for pin in made {
            let pins = self.claims.get(*pin).is_some_and(values::pins);
            if !pins {
                continue;
            }
            for other in made {
                if other != pin
                    && (*pin == newest || *other == newest)
                    && self.contradict(node, &[*pin, *other])
                {
                    return vec![*pin, *other];
                }
            }
        }
        let mut core = made.to_vec();
        if core.len() > 200 {
            return core;
        }
        for variable in made {
            if core.len() <= 1 || self.budget.is_exhausted() {
                break;
            }
            let fewer: Vec<Variable> = core
                .iter()
                .copied()
                .filter(|other| other != variable)
                .collect();
            if self.contradict(node, &fewer) {
                core = fewer;
            }
        }
        core
    }
}

impl Theory for Places<'_> {
    fn claim(&mut self, variable: Variable) -> Option<Vec<Variable>> {
        let node = self.claims.get(variable)?.node()?;
        let made = self.made.get_mut(node)?;
        made.push(variable);
        let made = made.clone();
        self.contradict(node, &made)
            .then(|| self.core(node, &made, variable))
    }

    fn withdraw(&mut self, variable: Variable) {
        let node = self.claims.get(variable).and_then(Claim::node);
        if let Some(made) = node.and_then(|node| self.made.get_mut(node)) {
            if made.last() == Some(&variable) {
                made.pop();
            } else {
                made.retain(|other| *other != variable);
            }
        }
    }

    fn preference(&mut self, variable: Variable) -> u8 {
        let Some(claim) = self.claims.get(variable) else {
            return 0;
        };
        let place = claim.node().and_then(|node| self.at.get(node));
        match (claim, place) {
            (Claim::Part(_), _) => 2,
            (Claim::Test { .. }, Some(place)) => {
                let fits = match place.preferred.first().filter(|_| place.usual) {
                    Some(value) => claim.accepts_value(value, self.mode),
                    None => claim.accepts_absence(self.mode),
                };
                if fits { 4 } else { 1 }
            }
            (Claim::Without(_), _) => 3,
            _ => 1,
        }
    }

    fn is_exhausted(&self) -> bool {
        self.budget.is_exhausted()
    }
}

impl Place {
    fn new(path: &[Step], typed: bool, example: Option<&Value>) -> Self {
        let dotted = cloudtrail::dotted(path).unwrap_or_default();
        let texts = |texts: &[&str]| {
            texts
                .iter()
                .map(|text| Value::String((*text).to_owned()))
                .collect::<Vec<_>>()
        };
        let in_example = example
            .and_then(|example| follow(example, path))
            .filter(|value| !value.is_object() && !value.is_array())
            .cloned();
        let usual = texts(cloudtrail::usual_values(&dotted));
        let is_usual = in_example.is_some() || (example.is_none() && !usual.is_empty());
        let mut preferred: Vec<Value> = in_example.into_iter().collect();
        preferred.extend(usual);
        preferred.extend(texts(cloudtrail::likely_values(&dotted)));
        Self {
            field_type: if typed {
                cloudtrail::field_type(&dotted)
            } else {
                FieldType::Any
            },
            is_root: path.is_empty(),
            preferred,
            usual: is_usual,
        }
    }

    /// A value that satisfies the claims; the place is there.
    fn content(&self, claims: &[&Claim], mode: &Mode, budget: &mut Budget) -> Found<Content> {
        let container = |object: bool| {
            claims
                .iter()
                .all(|claim| claim.accepts_container(object, mode))
        };
        let containers = || {
            if container(true) {
                Found::Some(Content::Object)
            } else if container(false) {
                Found::Some(Content::Array)
            } else {
                Found::None
            }
        };
        let structured = claims
            .iter()
            .any(|claim| matches!(claim, Claim::Object(_) | Claim::Array(_)));
        let untyped = self.field_type == FieldType::Any;
        if structured || self.is_root {
            return if untyped { containers() } else { Found::None };
        }
        let accepted = |value: &Value| {
            claims
                .iter()
                .all(|claim| claim.accepts_value(value, mode))
                .then(|| Content::Value(value.clone()))
        };
        let fits_type = |value: &Value| match self.field_type {
            FieldType::Any => true,
            FieldType::Boolean => value.is_boolean(),
            FieldType::AlwaysText | FieldType::Text => value.is_string(),
        };
        let preferred = self.preferred.iter().filter(|value| fits_type(value));
        if let Some(content) = preferred.into_iter().find_map(accepted) {
            return Found::Some(content);
        }
        let mut unknown = false;
        if self.field_type != FieldType::Boolean {
            match values::text(claims, mode, budget) {
                Found::Some(value) => return Found::Some(Content::Value(value)),
                Found::Unknown => unknown = true,
                Found::None => {}
            }
        }
        if untyped {
            match values::number(claims, mode, budget) {
                Found::Some(value) => return Found::Some(Content::Value(value)),
                Found::Unknown => unknown = true,
                Found::None => {}
            }
        }
        let others = [Value::Bool(true), Value::Bool(false), Value::Null];
        let others = others.iter().filter(|value| fits_type(value));
        if let Some(content) = others.into_iter().find_map(accepted) {
            return Found::Some(content);
        }
        match containers() {
            found @ Found::Some(_) if untyped => found,
            _ if unknown => Found::Unknown,
            _ => Found::None,
        }
    }
}

/// The value at a path of members and indices.
pub(super) fn follow<'v>(value: &'v Value, path: &[Step]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, step| match step {
        Step::Member(name) => value.as_object()?.get(name),
        Step::Index(index) => value.as_array()?.get(*index),
        Step::AnyMember | Step::AnyIndex => None,
    })
}
