//! A search for an assignment that satisfies clauses and a theory: propagation, learning from
//! conflicts, backjumping.
//!
//! Variables stand for claims, and only a true claim says something to the theory: claims occur
//! unnegated in the formula, and leaving one false is always harmless. So the search ends as soon
//! as every clause is satisfied, with nothing claimed that was not needed. The solver knows nothing
//! of patterns.
#![allow(
    clippy::indexing_slicing,
    reason = "indices are variables and clauses that this solver numbered itself"
)]

use std::rc::Rc;

/// A claim.
pub(super) type Variable = usize;

/// A variable or its negation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Literal {
    pub(super) variable: Variable,
    pub(super) positive: bool,
}

impl Literal {
    pub(super) fn yes(variable: Variable) -> Self {
        Self {
            variable,
            positive: true,
        }
    }

    pub(super) fn no(variable: Variable) -> Self {
        Self {
            variable,
            positive: false,
        }
    }

    fn index(self) -> usize {
        self.variable * 2 + usize::from(self.positive)
    }

    fn negated(self) -> Self {
        Self {
            positive: !self.positive,
            ..self
        }
    }
}

/// What the claims mean.
pub(super) trait Theory {
    /// A claim became true; gives claims that contradict each other, this one among them.
    fn claim(&mut self, variable: Variable) -> Option<Vec<Variable>>;
    /// The claim is withdrawn. Claims are withdrawn in reverse order.
    fn withdraw(&mut self, variable: Variable);
    /// How well a claim fits the values the theory would choose anyway: greater is better.
    fn preference(&mut self, variable: Variable) -> u8;
    /// Whether the bound on work is exceeded.
    fn is_exhausted(&self) -> bool;
}

/// How a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Satisfiable,
    Unsatisfiable,
    Exhausted,
}

/// How many conflicts a search may run into.
const MAX_CONFLICTS: usize = 4_000;

#[derive(Default)]
pub(super) struct Solver {
    clauses: Vec<Rc<[Literal]>>,
    /// How many clauses were given; the others were learned.
    given: usize,
    watches: Vec<Vec<usize>>,
    watched: Vec<[usize; 2]>,
    value: Vec<Option<bool>>,
    level: Vec<usize>,
    reason: Vec<Option<usize>>,
    trail: Vec<Literal>,
    decisions: Vec<usize>,
    propagated: usize,
    contradictory: bool,
    conflicts: usize,
}

impl Solver {
    pub(super) fn new_variable(&mut self) -> Variable {
        self.value.push(None);
        self.level.push(0);
        self.reason.push(None);
        self.watches.push(Vec::new());
        self.watches.push(Vec::new());
        self.value.len() - 1
    }

    pub(super) fn add_clause(&mut self, literals: &[Literal]) {
        let mut unique: Vec<Literal> = Vec::with_capacity(literals.len());
        for literal in literals {
            if unique.contains(&literal.negated()) {
                return;
            }
            if !unique.contains(literal) {
                unique.push(*literal);
            }
        }
        if unique.is_empty() {
            self.contradictory = true;
        }
        self.attach(unique.into());
        self.given = self.clauses.len();
    }

    fn attach(&mut self, clause: Rc<[Literal]>) -> usize {
        let index = self.clauses.len();
        let second = usize::from(clause.len() > 1);
        if !clause.is_empty() {
            self.watches[clause[0].index()].push(index);
            if second == 1 {
                self.watches[clause[1].index()].push(index);
            }
        }
        self.watched.push([0, second]);
        self.clauses.push(clause);
        index
    }

    pub(super) fn is_true(&self, variable: Variable) -> bool {
        self.value[variable] == Some(true)
    }

    fn truth(&self, literal: Literal) -> Option<bool> {
        self.value[literal.variable].map(|value| value == literal.positive)
    }

    fn assign(&mut self, literal: Literal, reason: Option<usize>) {
        self.value[literal.variable] = Some(literal.positive);
        self.level[literal.variable] = self.decisions.len();
        self.reason[literal.variable] = reason;
        self.trail.push(literal);
    }

    /// Searches. Afterwards the true variables are the claims of the solution.
    pub(super) fn solve(&mut self, theory: &mut impl Theory) -> Outcome {
        if self.contradictory {
            return Outcome::Unsatisfiable;
        }
        for index in 0..self.clauses.len() {
            if let [only] = *self.clauses[index] {
                match self.truth(only) {
                    None => self.assign(only, Some(index)),
                    Some(true) => {}
                    Some(false) => return Outcome::Unsatisfiable,
                }
            }
        }
        loop {
            if theory.is_exhausted() || self.conflicts > MAX_CONFLICTS {
                return Outcome::Exhausted;
            }
            if let Some(conflict) = self.propagate(theory) {
                self.conflicts += 1;
                if !self.resolve(&conflict, theory) {
                    return Outcome::Unsatisfiable;
                }
                continue;
            }
            match self.next_decision(theory) {
                Some(literal) => {
                    self.decisions.push(self.trail.len());
                    self.assign(literal, None);
                }
                None => return Outcome::Satisfiable,
            }
        }
    }

    /// Follows implications; gives a clause that became false.
    fn propagate(&mut self, theory: &mut impl Theory) -> Option<Rc<[Literal]>> {
        while self.propagated < self.trail.len() {
            let literal = self.trail[self.propagated];
            self.propagated += 1;
            if literal.positive
                && let Some(claims) = theory.claim(literal.variable)
            {
                return Some(claims.into_iter().map(Literal::no).collect());
            }
            let false_literal = literal.negated();
            let watching = std::mem::take(&mut self.watches[false_literal.index()]);
            let mut kept = Vec::with_capacity(watching.len());
            let mut conflict = None;
            for index in watching {
                if conflict.is_some() {
                    kept.push(index);
                    continue;
                }
                let clause = Rc::clone(&self.clauses[index]);
                let [first, second] = self.watched[index];
                let (mine, other) = if clause[first] == false_literal {
                    (0, second)
                } else {
                    (1, first)
                };
                if first != second && self.truth(clause[other]) == Some(true) {
                    kept.push(index);
                    continue;
                }
                let replacement = (0..clause.len()).find(|position| {
                    *position != first
                        && *position != second
                        && self.truth(clause[*position]) != Some(false)
                });
                if let Some(position) = replacement {
                    self.watched[index][mine] = position;
                    self.watches[clause[position].index()].push(index);
                    continue;
                }
                kept.push(index);
                if first == second || self.truth(clause[other]) == Some(false) {
                    conflict = Some(clause);
                } else {
                    self.assign(clause[other], Some(index));
                }
            }
            self.watches[false_literal.index()].extend(kept);
            if conflict.is_some() {
                return conflict;
            }
        }
        None
    }

    /// Learns from a false clause and goes back to where the lesson applies. False when there is
    /// nowhere to go.
    fn resolve(&mut self, conflict: &[Literal], theory: &mut impl Theory) -> bool {
        let deepest = conflict
            .iter()
            .map(|literal| self.level[literal.variable])
            .max()
            .unwrap_or(0);
        if deepest == 0 {
            return false;
        }
        self.backtrack(deepest, theory);
        let mut seen = vec![false; self.value.len()];
        let mut learned: Vec<Literal> = Vec::new();
        let mut open = 0_usize;
        let mut clause: Vec<Literal> = conflict.to_vec();
        let mut position = self.trail.len();
        loop {
            for literal in &clause {
                let variable = literal.variable;
                if seen[variable] || self.level[variable] == 0 {
                    continue;
                }
                seen[variable] = true;
                if self.level[variable] == deepest {
                    open += 1;
                } else {
                    learned.push(*literal);
                }
            }
            let literal = loop {
                position -= 1;
                let literal = self.trail[position];
                if seen[literal.variable] && self.level[literal.variable] == deepest {
                    break literal;
                }
            };
            open -= 1;
            if open == 0 {
                learned.insert(0, literal.negated());
                break;
            }
            let Some(reason) = self.reason[literal.variable] else {
                // A decision is the last open literal of its level.
                learned.insert(0, literal.negated());
                break;
            };
            clause = self.clauses[reason]
                .iter()
                .copied()
                .filter(|other| other.variable != literal.variable)
                .collect();
        }
        // The second watch must be the literal that is unassigned last.
        let back_to = learned
            .iter()
            .skip(1)
            .map(|literal| self.level[literal.variable])
            .max()
            .unwrap_or(0);
        if let Some(at) = (1..learned.len()).find(|at| self.level[learned[*at].variable] == back_to)
        {
            learned.swap(1, at);
        }
        self.backtrack_to(back_to, theory);
        let asserting = learned[0];
        let index = self.attach(learned.into());
        self.assign(asserting, Some(index));
        true
    }

    /// Undoes the levels above a level, that level staying.
    fn backtrack(&mut self, level: usize, theory: &mut impl Theory) {
        self.backtrack_to(level, theory);
    }

    fn backtrack_to(&mut self, level: usize, theory: &mut impl Theory) {
        let Some(&length) = self.decisions.get(level) else {
            return;
        };
        while self.trail.len() > length {
            let Some(literal) = self.trail.pop() else {
                break;
            };
            if literal.positive && self.trail.len() < self.propagated {
                theory.withdraw(literal.variable);
            }
            self.value[literal.variable] = None;
            self.reason[literal.variable] = None;
        }
        self.decisions.truncate(level);
        self.propagated = self.propagated.min(length);
    }

    /// A claim for the first given clause that nothing satisfies yet.
    fn next_decision(&self, theory: &mut impl Theory) -> Option<Literal> {
        for clause in &self.clauses[..self.given] {
            let satisfiable_by_omission = clause.iter().any(|literal| {
                self.truth(*literal) == Some(true)
                    || (!literal.positive && self.truth(*literal).is_none())
            });
            if satisfiable_by_omission {
                continue;
            }
            let mut best: Option<(u8, Literal)> = None;
            for literal in clause
                .iter()
                .filter(|literal| self.truth(**literal).is_none())
            {
                let preference = theory.preference(literal.variable);
                if best.is_none_or(|(preferred, _)| preference > preferred) {
                    best = Some((preference, *literal));
                }
            }
            if let Some((_, literal)) = best {
                return Some(literal);
            }
        }
        None
    }
}
