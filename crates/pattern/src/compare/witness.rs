//! Turns a solution into an event a person recognizes, and confirms it by evaluating the patterns.

use serde_json::{Map, Value};

use super::super::Step;
use super::cloudtrail;
use super::places::{Content, Places, follow};
use super::search::Goal;
use super::tree::{NodeId, Tree};

/// A solution.
pub(super) struct Draft<'a, 'p> {
    pub(super) tree: &'a Tree,
    pub(super) contents: &'a [Content],
    /// Texts the raw message has to contain.
    pub(super) texts: &'a [&'a str],
    pub(super) places: &'a Places<'p>,
}

/// An event of the solution that certainly meets the goal: the example with as little changed as
/// possible, or else an event with as little in it as possible.
pub(super) fn confirm(
    goal: &Goal<'_>,
    draft: &Draft<'_, '_>,
    typed: bool,
    example: Option<&Value>,
) -> Option<Value> {
    if let Some(example @ Value::Object(_)) = example {
        let event = draft.event(example.clone(), true);
        if goal.is_met_by(&event) {
            return Some(near(goal, draft, event, example));
        }
    }
    let empty = Value::Object(Map::new());
    for usual in [true, false] {
        let event = draft.event(empty.clone(), usual);
        if goal.is_met_by(&event) {
            return Some(small(goal, draft, event, typed));
        }
    }
    None
}

/// Takes changes of the example back while the goal is still met.
fn near(goal: &Goal<'_>, draft: &Draft<'_, '_>, event: Value, example: &Value) -> Value {
    let mut event = event;
    for path in draft.paths_from_the_leaves() {
        let before = follow(example, path);
        if follow(&event, path) == before {
            continue;
        }
        let mut other = event.clone();
        match before {
            Some(value) if !value.is_object() && !value.is_array() => {
                place(&mut other, path, value.clone());
            }
            Some(_) => continue,
            None => remove(&mut other, path),
        }
        if goal.is_met_by(&other) {
            event = other;
        }
    }
    event
}

/// Leaves out what the goal does not need.
fn small(goal: &Goal<'_>, draft: &Draft<'_, '_>, event: Value, typed: bool) -> Value {
    let mut event = event;
    for path in draft.paths_from_the_leaves() {
        let dotted = cloudtrail::dotted(path).unwrap_or_default();
        let usual = !cloudtrail::usual_values(&dotted).is_empty();
        let container = follow(&event, path).is_none_or(|value| {
            value.as_object().is_some_and(|members| !members.is_empty())
                || value
                    .as_array()
                    .is_some_and(|elements| !elements.is_empty())
        });
        if container
            || usual
            || typed && cloudtrail::field_type(&dotted) == cloudtrail::FieldType::AlwaysText
        {
            continue;
        }
        let mut other = event.clone();
        remove(&mut other, path);
        if goal.is_met_by(&other) {
            event = other;
        }
    }
    event
}

impl Draft<'_, '_> {
    fn paths_from_the_leaves(&self) -> Vec<&[Step]> {
        let mut paths: Vec<&[Step]> = self
            .tree
            .iter()
            .map(|(_, node)| node.path.as_slice())
            .filter(|path| !path.is_empty())
            .collect();
        paths.sort_by_key(|path| std::cmp::Reverse(path.len()));
        paths
    }

    /// The event of the solution, laid over another one. With `usual`, fields that events usually
    /// have are there as well.
    fn event(&self, base: Value, usual: bool) -> Value {
        let mut event = base;
        let example = event.clone();
        // Parents come before children, and earlier elements before later ones.
        let mut nodes: Vec<_> = self.tree.iter().collect();
        nodes.sort_by(|left, right| left.1.path.cmp(&right.1.path));
        for (number, node) in nodes {
            match self.contents.get(number) {
                Some(Content::Object)
                    if !follow(&event, &node.path).is_some_and(Value::is_object) =>
                {
                    place(&mut event, &node.path, Value::Object(Map::new()));
                }
                Some(Content::Array)
                    if !follow(&event, &node.path).is_some_and(Value::is_array) =>
                {
                    place(&mut event, &node.path, Value::Array(Vec::new()));
                }
                Some(Content::Value(value))
                    if self.has_place(number, &event) || usual && self.make_room(number) =>
                {
                    place(&mut event, &node.path, value.clone());
                }
                Some(Content::Absent) if number != 0 => {
                    let stays = follow(&example, &node.path).is_some_and(|value| {
                        (value.is_object() || value.is_array())
                            && self.places.admits_container(number, value.is_object())
                    });
                    if !stays {
                        remove(&mut event, &node.path);
                    }
                }
                _ => {}
            }
        }
        self.add_texts(&mut event);
        event
    }

    /// Whether the parent of a place is there.
    fn has_place(&self, number: NodeId, event: &Value) -> bool {
        let parent = self
            .tree
            .get(number)
            .and_then(|node| node.path.split_last())
            .and_then(|(last, parent)| Some((last, follow(event, parent)?)));
        matches!(
            parent,
            Some((Step::Member(_), Value::Object(_)) | (Step::Index(_), Value::Array(_)))
        )
    }

    /// Whether objects may stand on the whole way to a place.
    fn make_room(&self, number: NodeId) -> bool {
        let mut at = self.tree.get(number).and_then(|node| node.parent);
        while let Some(parent) = at {
            if !self.places.admits_container(parent, true) {
                return false;
            }
            at = self.tree.get(parent).and_then(|node| node.parent);
        }
        self.tree
            .get(number)
            .is_some_and(|node| node.path.iter().all(|step| matches!(step, Step::Member(_))))
    }

    /// Puts texts that nothing contains yet where no pattern looks.
    fn add_texts(&self, event: &mut Value) {
        let Value::Object(members) = event else {
            return;
        };
        let missing: Vec<Value> = self
            .texts
            .iter()
            .filter(|text| !Value::Object(members.clone()).to_string().contains(**text))
            .map(|text| Value::String((*text).to_owned()))
            .collect();
        let names = ["additionalEventData", "requestParameters", "note", "n", "~"];
        let free = names.into_iter().find(|name| {
            !members.contains_key(*name)
                && self
                    .tree
                    .iter()
                    .all(|(_, node)| node.path.first() != Some(&Step::Member((*name).to_owned())))
        });
        if let (Some(name), false) = (free, missing.is_empty()) {
            members.insert(name.to_owned(), Value::Array(missing));
        }
    }
}

/// Puts a value at a path, with the objects and arrays that lead there.
fn place(event: &mut Value, path: &[Step], value: Value) {
    let mut at = event;
    for step in path {
        at = match step {
            Step::Member(name) => {
                if !at.is_object() {
                    *at = Value::Object(Map::new());
                }
                let Value::Object(members) = at else {
                    return;
                };
                members.entry(name.as_str()).or_insert(Value::Null)
            }
            Step::Index(index) => {
                if !at.is_array() {
                    *at = Value::Array(Vec::new());
                }
                let Value::Array(elements) = at else {
                    return;
                };
                while elements.len() <= *index {
                    elements.push(Value::Null);
                }
                let Some(element) = elements.get_mut(*index) else {
                    return;
                };
                element
            }
            Step::AnyMember | Step::AnyIndex => return,
        };
    }
    *at = value;
}

/// Takes away what is at a path; an array loses what follows as well.
fn remove(event: &mut Value, path: &[Step]) {
    let Some((last, parents)) = path.split_last() else {
        return;
    };
    let mut at = event;
    for step in parents {
        let next = match step {
            Step::Member(name) => at.as_object_mut().and_then(|members| members.get_mut(name)),
            Step::Index(index) => at
                .as_array_mut()
                .and_then(|elements| elements.get_mut(*index)),
            Step::AnyMember | Step::AnyIndex => None,
        };
        match next {
            Some(next) => at = next,
            None => return,
        }
    }
    match (last, at) {
        (Step::Member(name), Value::Object(members)) => {
            members.remove(name);
        }
        (Step::Index(index), Value::Array(elements)) => elements.truncate(*index),
        _ => {}
    }
}
