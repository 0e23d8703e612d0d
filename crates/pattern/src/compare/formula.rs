//! Patterns as formulas over claims.
//!
//! Formulas have no negation: a pattern that has to match and one that must not are different
//! formulas, because a behaviour that AWS does not document is neither.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::super::{
    Condition, Expression, Form, Pattern, Selector, Step, TermKind, Test, Undocumented, terms,
};
use super::claim::Claim;
use super::cloudtrail::{self, FieldType};
use super::mode::Mode;
use super::solver::{Literal, Solver, Variable};
use super::tree::{NodeId, Tree};

/// A combination of claims.
#[derive(Debug, Clone)]
pub(super) enum Formula {
    True,
    False,
    Claim(Variable),
    All(Vec<Formula>),
    Any(Vec<Formula>),
}

/// The most elements a wildcard is unfolded into.
const MAX_ELEMENTS: usize = 40;

/// The claims, clauses and places of one search.
pub(super) struct Problem<'m> {
    pub(super) solver: Solver,
    pub(super) claims: Vec<Claim>,
    pub(super) tree: Tree,
    /// Open questions that the formula itself rests on.
    pub(super) questions: BTreeSet<Undocumented>,
    /// Why the problem could not be put into claims.
    pub(super) failure: Option<&'static str>,
    numbers: FxHashMap<Claim, Variable>,
    elements: FxHashMap<Vec<Step>, Elements>,
    mode: &'m Mode,
    typed: bool,
}

/// What a wildcard at a place may stand for.
#[derive(Debug, Default)]
struct Elements {
    steps: BTreeSet<Step>,
    wanted: usize,
}

impl<'m> Problem<'m> {
    /// `patterns` are all that will be asserted: wildcards unfold by what the others mention.
    pub(super) fn new(patterns: &[&Pattern], mode: &'m Mode, typed: bool) -> Self {
        let mut problem = Self {
            solver: Solver::default(),
            claims: Vec::new(),
            tree: Tree::new(),
            questions: BTreeSet::new(),
            failure: None,
            numbers: FxHashMap::default(),
            elements: FxHashMap::default(),
            mode,
            typed,
        };
        problem.collect_elements(patterns);
        problem
    }

    /// Enough elements stand for arrays and objects of any size: one for every wildcard test that
    /// needs an example of its own, and those that are named.
    fn collect_elements(&mut self, patterns: &[&Pattern]) {
        let mut selectors: BTreeSet<&Selector> = BTreeSet::new();
        let mut tests: Vec<&Condition> = Vec::new();
        for pattern in patterns {
            if let Form::Json(expression) = pattern.form() {
                expression.for_each_condition(&mut |condition| {
                    selectors.insert(&condition.selector);
                    if condition.selector.has_wildcard() && !tests.contains(&condition) {
                        tests.push(condition);
                    }
                });
            }
        }
        for condition in tests {
            let steps = &condition.selector.steps;
            let Some(at) = steps.iter().position(Step::is_wildcard) else {
                continue;
            };
            let base = steps.get(..at).unwrap_or_default().to_vec();
            let examples = match condition.test {
                Test::NotEqual(_) | Test::NotExists => 2,
                _ => 1,
            };
            self.elements.entry(base).or_default().wanted += examples;
        }
        for (base, elements) in &mut self.elements {
            for selector in &selectors {
                let Some(next) = selector
                    .steps
                    .strip_prefix(base.as_slice())
                    .and_then(<[Step]>::first)
                else {
                    continue;
                };
                if !next.is_wildcard() {
                    elements.steps.insert(next.clone());
                }
            }
        }
    }

    /// The steps that a wildcard after a path stands for.
    fn unfold(&mut self, base: &[Step], wildcard: &Step) -> Vec<Step> {
        let Some(elements) = self.elements.get(base) else {
            return Vec::new();
        };
        let steps: Vec<Step> = if *wildcard == Step::AnyIndex {
            let named = elements.steps.iter().filter_map(|step| match step {
                Step::Index(index) => Some(index + 1),
                _ => None,
            });
            let count = named.max().unwrap_or(0).saturating_add(elements.wanted);
            (0..count.min(MAX_ELEMENTS + 1)).map(Step::Index).collect()
        } else {
            let named = elements.steps.iter().filter_map(|step| match step {
                Step::Member(name) => Some(name.clone()),
                _ => None,
            });
            let named: Vec<String> = named.collect();
            let fresh = (1..)
                .map(|number| format!("member{number}"))
                .filter(|name| !named.contains(name))
                .take(elements.wanted);
            let fresh: Vec<String> = fresh.collect();
            named.into_iter().chain(fresh).map(Step::Member).collect()
        };
        if steps.len() > MAX_ELEMENTS {
            self.failure = Some("the wildcard selectors stand for too many elements");
            return Vec::new();
        }
        steps
    }

    fn variable(&mut self, claim: Claim) -> Variable {
        if let Some(variable) = self.numbers.get(&claim) {
            return *variable;
        }
        let variable = self.solver.new_variable();
        self.claims.push(claim.clone());
        self.numbers.insert(claim, variable);
        variable
    }

    fn test(&mut self, node: NodeId, test: &Rc<Test>, truth: bool) -> Formula {
        Formula::Claim(self.variable(Claim::Test {
            node,
            test: Rc::clone(test),
            truth,
        }))
    }

    fn exists(&mut self, node: NodeId, truth: bool) -> Formula {
        if truth {
            Formula::Claim(self.variable(Claim::Exists(node)))
        } else {
            self.test(node, &Rc::new(Test::NotExists), true)
        }
    }

    /// That a pattern matches, or does not.
    pub(super) fn pattern(&mut self, pattern: &Pattern, truth: bool) -> Formula {
        match pattern.form() {
            Form::Everything => constant(truth),
            Form::Json(expression) => self.expression(expression, truth),
            Form::Space(space) => {
                self.opaque(&space.to_string(), Undocumented::SpaceDelimited, truth)
            }
            Form::Regex(regex) => {
                if let Some(text) = regex.as_literal() {
                    self.contains(text, truth)
                } else {
                    let what = format!("%{}%", regex.source());
                    self.opaque(&what, Undocumented::RawMessage, truth)
                }
            }
            Form::Terms(parts) => {
                let mut all = Vec::new();
                let mut any = Vec::new();
                for term in terms::effective(parts) {
                    let formula =
                        self.contains(&term.text, truth == (term.kind != TermKind::Excluded));
                    if term.kind == TermKind::Optional {
                        any.push(formula);
                    } else {
                        all.push(formula);
                    }
                }
                if !any.is_empty() {
                    all.push(group(!truth, any));
                }
                group(truth, all)
            }
        }
    }

    fn expression(&mut self, expression: &Expression, truth: bool) -> Formula {
        match expression {
            Expression::Condition(condition) => self.condition(condition, truth),
            Expression::All(parts) => {
                let parts = parts.iter().map(|part| self.expression(part, truth));
                group(truth, parts.collect())
            }
            Expression::Any(parts) => {
                let parts = parts.iter().map(|part| self.expression(part, truth));
                group(!truth, parts.collect())
            }
        }
    }

    fn condition(&mut self, condition: &Condition, truth: bool) -> Formula {
        let test = Rc::new(condition.test.clone());
        let steps = &condition.selector.steps;
        let Some(at) = steps.iter().position(Step::is_wildcard) else {
            let node = self.tree.node(steps);
            return self.test(node, &test, truth);
        };
        let (before, rest) = steps.split_at(at);
        let (Some(wildcard), after) = (rest.first(), rest.get(1..).unwrap_or_default()) else {
            return Formula::False;
        };
        let mut elements = Vec::new();
        for step in self.unfold(before, wildcard) {
            let mut path = before.to_vec();
            path.push(step);
            let element = self.tree.node(&path);
            path.extend_from_slice(after);
            elements.push((element, self.tree.node(&path)));
        }
        match condition.test {
            Test::NotEqual(_) => self.not_equal_elements(&elements, &test, truth),
            Test::NotExists => self.not_exists_elements(&elements, truth),
            _ => {
                let parts = elements
                    .iter()
                    .map(|(_, target)| self.test(*target, &test, truth));
                group(!truth, parts.collect())
            }
        }
    }

    /// `!=` over elements: some differ; or all do, those without the member left out or not.
    fn not_equal_elements(
        &mut self,
        elements: &[(NodeId, NodeId)],
        test: &Rc<Test>,
        truth: bool,
    ) -> Formula {
        let each: Vec<Formula> = elements
            .iter()
            .map(|(_, target)| self.test(*target, test, truth))
            .collect();
        let some = group(!truth, each.clone());
        let mode = self.mode;
        let mut all = |skip_missing: bool| {
            let mut parts = Vec::new();
            for ((element, target), differs) in elements.iter().zip(&each) {
                let present = if skip_missing { *target } else { *element };
                let absent = self.exists(present, !truth);
                parts.push(group(!truth, vec![absent, differs.clone()]));
            }
            group(
                truth,
                vec![group(!truth, each.clone()), group(truth, parts)],
            )
        };
        let any_element = mode.answer(Undocumented::NotEqualAnyElement);
        let skip = mode.answer(Undocumented::NotEqualSkipsMissing);
        let (formula, open) = match (any_element, skip) {
            (Some(true), _) => (some, None),
            (Some(false), Some(skip_missing)) => (all(skip_missing), None),
            // What holds in the narrowest reading holds in all, and so does what fails in the
            // widest.
            (Some(false), None) if mode.is_definite() => (all(!truth), None),
            (None, _) if mode.is_definite() => (if truth { all(false) } else { some }, None),
            (Some(false), None) => (
                Formula::Any(vec![all(true), all(false)]),
                Some(Undocumented::NotEqualSkipsMissing),
            ),
            (None, _) => (
                Formula::Any(vec![some, all(true), all(false)]),
                Some(Undocumented::NotEqualAnyElement),
            ),
        };
        self.questions.extend(open);
        formula
    }

    /// `NOT EXISTS` over elements: none has the member; or some lack it, or there are none.
    fn not_exists_elements(&mut self, elements: &[(NodeId, NodeId)], truth: bool) -> Formula {
        let none = elements
            .iter()
            .map(|(_, target)| self.exists(*target, !truth))
            .collect();
        let none = group(truth, none);
        let mut empty = Vec::new();
        let mut lacking = Vec::new();
        for (element, target) in elements {
            empty.push(self.exists(*element, !truth));
            let parts = vec![self.exists(*element, truth), self.exists(*target, !truth)];
            lacking.push(group(truth, parts));
        }
        let mut some = lacking;
        some.push(group(truth, empty));
        let some = group(!truth, some);
        match self.mode.answer(Undocumented::NotExistsAnyElement) {
            Some(true) => some,
            Some(false) => none,
            None if self.mode.is_definite() => {
                if truth {
                    none
                } else {
                    some
                }
            }
            None => {
                self.questions.insert(Undocumented::NotExistsAnyElement);
                Formula::Any(vec![none, some])
            }
        }
    }

    /// That the raw message contains a text, or does not.
    fn contains(&mut self, text: &str, truth: bool) -> Formula {
        if text.is_empty() {
            return constant(truth);
        }
        if text.contains('*') {
            return self.opaque(text, Undocumented::WildcardInTerm, truth);
        }
        let structural = text.starts_with(':')
            || text.contains(['"', '\\', '{', '}', '[', ']', ','])
            || text
                .chars()
                .any(|character| character.is_control() || !character.is_ascii());
        if structural {
            return self.opaque(text, Undocumented::RawMessage, truth);
        }
        let text: Rc<str> = text.into();
        Formula::Claim(self.variable(if truth {
            Claim::Contains(text)
        } else {
            Claim::Without(text)
        }))
    }

    fn opaque(&mut self, what: &str, question: Undocumented, truth: bool) -> Formula {
        if self.mode.is_definite() {
            return Formula::False;
        }
        Formula::Claim(self.variable(Claim::Opaque {
            what: what.into(),
            question,
            truth,
        }))
    }

    /// Requires a formula.
    pub(super) fn require(&mut self, formula: Formula) {
        self.require_if(formula, None);
    }

    fn require_if(&mut self, formula: Formula, condition: Option<Literal>) {
        match formula {
            Formula::True => {}
            Formula::False => self.solver.add_clause(condition.as_slice()),
            Formula::Claim(variable) => {
                let mut clause: Vec<Literal> = condition.into_iter().collect();
                clause.push(Literal::yes(variable));
                self.solver.add_clause(&clause);
            }
            Formula::All(parts) => {
                for part in parts {
                    self.require_if(part, condition);
                }
            }
            Formula::Any(parts) => {
                let mut clause: Vec<Literal> = condition.into_iter().collect();
                for part in flat_alternatives(parts) {
                    match part {
                        Formula::True => return,
                        Formula::False => {}
                        Formula::Claim(variable) => clause.push(Literal::yes(variable)),
                        group => {
                            let number = self.claims.len();
                            let part = self.variable(Claim::Part(number));
                            clause.push(Literal::yes(part));
                            self.require_if(group, Some(Literal::no(part)));
                        }
                    }
                }
                self.solver.add_clause(&clause);
            }
        }
    }

    /// Adds what joins claims about different places. Nothing can be required afterwards.
    pub(super) fn finish(&mut self) {
        if self.typed {
            self.require_usual_fields();
        }
        self.join_raw_texts();
        for (variable, claim) in self.claims.clone().into_iter().enumerate() {
            if let Some(node) = claim.node()
                && !matches!(claim, Claim::Exists(_))
                && !claim.accepts_absence(self.mode)
            {
                self.imply(variable, Claim::Exists(node));
            }
            let opposite = match claim {
                Claim::Test {
                    node,
                    test,
                    truth: true,
                } => Claim::Test {
                    node,
                    test,
                    truth: false,
                },
                Claim::Opaque {
                    what,
                    question,
                    truth: true,
                } => Claim::Opaque {
                    what,
                    question,
                    truth: false,
                },
                Claim::Contains(text) => Claim::Without(text),
                _ => continue,
            };
            if let Some(opposite) = self.numbers.get(&opposite) {
                self.solver
                    .add_clause(&[Literal::no(variable), Literal::no(*opposite)]);
            }
        }
        self.join_places();
    }

    fn imply(&mut self, variable: Variable, claim: Claim) {
        let implied = self.variable(claim);
        self.solver
            .add_clause(&[Literal::no(variable), Literal::yes(implied)]);
    }

    fn require_usual_fields(&mut self) {
        let always: Vec<NodeId> = self
            .tree
            .iter()
            .filter(|(_, node)| {
                cloudtrail::dotted(&node.path)
                    .is_some_and(|path| cloudtrail::field_type(&path) == FieldType::AlwaysText)
            })
            .map(|(number, _)| number)
            .collect();
        for node in always {
            let exists = self.exists(node, true);
            self.require(exists);
        }
    }

    /// What is there has a parent of the right kind, and arrays have no holes.
    fn join_places(&mut self) {
        let mut indices: BTreeMap<NodeId, Vec<(usize, NodeId)>> = BTreeMap::new();
        let mut parents = Vec::new();
        for (number, node) in self.tree.iter() {
            let (Some(parent), Some(step)) = (node.parent, node.path.last()) else {
                continue;
            };
            if let Step::Index(index) = step {
                indices.entry(parent).or_default().push((*index, number));
            }
            parents.push((number, parent, matches!(step, Step::Index(_))));
        }
        for (number, parent, in_array) in parents {
            let exists = self.variable(Claim::Exists(number));
            let container = if in_array {
                Claim::Array(parent)
            } else {
                Claim::Object(parent)
            };
            let container_exists = self.variable(container.clone());
            self.imply(exists, container);
            self.imply(container_exists, Claim::Exists(parent));
        }
        for mut elements in indices.into_values() {
            elements.sort_unstable();
            for pair in elements.windows(2) {
                if let [(_, before), (_, after)] = pair {
                    let after = self.variable(Claim::Exists(*after));
                    self.imply(after, Claim::Exists(*before));
                }
            }
        }
    }

    /// A message without a text has it neither in a value nor in a name nor in another text.
    fn join_raw_texts(&mut self) {
        let without: Vec<(Rc<str>, Variable)> = self
            .claims
            .iter()
            .enumerate()
            .filter_map(|(variable, claim)| match claim {
                Claim::Without(text) => Some((Rc::clone(text), variable)),
                _ => None,
            })
            .collect();
        let contained: Vec<(Rc<str>, Variable)> = self
            .claims
            .iter()
            .enumerate()
            .filter_map(|(variable, claim)| match claim {
                Claim::Contains(text) => Some((Rc::clone(text), variable)),
                _ => None,
            })
            .collect();
        for (text, variable) in without {
            for (other, contains) in &contained {
                if other.contains(&*text) {
                    self.solver
                        .add_clause(&[Literal::no(variable), Literal::no(*contains)]);
                }
            }
            for node in 0..self.tree.len() {
                self.imply(
                    variable,
                    Claim::Lacks {
                        node,
                        text: Rc::clone(&text),
                    },
                );
                let named = match self.tree.get(node).and_then(|node| node.path.last()) {
                    Some(Step::Member(name)) => name.contains(&*text),
                    _ => false,
                };
                if named {
                    let exists = self.variable(Claim::Exists(node));
                    self.solver
                        .add_clause(&[Literal::no(variable), Literal::no(exists)]);
                }
            }
        }
    }
}

fn constant(truth: bool) -> Formula {
    if truth { Formula::True } else { Formula::False }
}

fn group(conjunction: bool, parts: Vec<Formula>) -> Formula {
    if conjunction {
        Formula::All(parts)
    } else {
        Formula::Any(parts)
    }
}

fn flat_alternatives(parts: Vec<Formula>) -> Vec<Formula> {
    let mut flat = Vec::with_capacity(parts.len());
    for part in parts {
        match part {
            Formula::Any(inner) => flat.extend(flat_alternatives(inner)),
            Formula::All(mut inner) if inner.len() == 1 => {
                flat.extend(flat_alternatives(inner.pop().into_iter().collect()));
            }
            Formula::All(inner) if inner.is_empty() => flat.push(Formula::True),
            other => flat.push(other),
        }
    }
    flat
}
