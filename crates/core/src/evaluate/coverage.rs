//! What filter patterns cover of a control. Decisions are kept: they depend on texts alone, so ten
//! thousand accounts behind one log group cost one decision.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::firing::Share;
use crate::account::AccountId;
use crate::control::{self, Control, documented};
use crate::evidence::Reader;
use crate::pattern::{
    Answers, Comparison, Coverage, Event, Match, Pattern, Relation, Undocumented, Universe,
    compare_within, matches,
};
use crate::policy::Policy;

/// A pattern as far as it can be read.
pub(super) type Parsed = Result<Arc<Pattern>, String>;

/// Every decision made so far.
#[derive(Debug, Default)]
pub(super) struct Decisions {
    patterns: HashMap<String, Parsed>,
    /// By what is asked and what is known of questions that AWS leaves open: only of such as
    /// decide something.
    comparisons: HashMap<(Question, Answers), Arc<Comparison>>,
    rules: Rules,
    /// Whether one pattern matches only what another one matches.
    within: HashMap<(String, String), bool>,
}

/// What the service said about rules that AWS does not document, while a log group is judged.
#[derive(Debug, Default)]
struct Rules {
    known: Answers,
    /// The questions on which comparisons hang.
    asked: BTreeSet<Undocumented>,
}

/// The texts that a comparison rests on, one after the other, each after its length.
#[derive(Debug, Default, Clone, PartialEq, Eq, Hash)]
struct Question(Vec<u8>);

impl Question {
    fn of(required: &str, facts: &str, actual: &[&str]) -> Self {
        const LENGTH: usize = size_of::<usize>();
        let texts = || [required, facts].into_iter().chain(actual.iter().copied());
        let room = texts().map(|text| LENGTH + text.len()).sum();
        let mut question = Self(Vec::with_capacity(room));
        for text in texts() {
            question.0.extend_from_slice(&text.len().to_le_bytes());
            question.0.extend_from_slice(text.as_bytes());
        }
        question
    }
}

/// A control's texts for one account.
#[derive(Debug, Clone, Copy)]
pub(super) struct Required<'a> {
    pub(super) control: &'a Control,
    pub(super) pattern: &'a str,
    /// The account, where patterns tell accounts apart.
    pub(super) account: Option<AccountId>,
}

impl<'a> Required<'a> {
    pub(super) fn of(control: &'a Control, policy: &Policy) -> Self {
        Self {
            control,
            pattern: control.pattern_for(&policy.benchmark),
            account: None,
        }
    }

    /// The control's facts, and the account where it matters: the account whose trail recorded an
    /// event is the event's recipient.
    fn facts(&self) -> Cow<'a, str> {
        const RECIPIENT: &str = "$.recipientAccountId";
        let facts = self.control.facts.as_deref().unwrap_or_default();
        let account = self.account.map(|account| {
            let fields = self.control.account_fields.iter().map(String::as_str);
            std::iter::once(RECIPIENT)
                .chain(fields)
                .map(|field| format!("({field} = \"{account}\")"))
                .collect::<Vec<String>>()
        });
        account
            .and_then(|conditions| conjunction(facts, &conditions))
            .map_or(Cow::Borrowed(facts), Cow::Owned)
    }
}

/// Whether a text of a filter may tell accounts apart: it speaks of an account's number, or holds
/// one.
pub(super) fn tells_accounts_apart(text: &str) -> bool {
    text.contains("ccountId")
        || text
            .split(|character: char| !character.is_ascii_digit())
            .any(|digits| digits.len() == 12)
}

/// A JSON pattern with further conditions; `None` where the pattern has another form.
pub(super) fn conjunction(pattern: &str, conditions: &[String]) -> Option<String> {
    let trimmed = pattern.trim();
    let joined = conditions.join(" && ");
    if trimmed.is_empty() {
        return Some(format!("{{ {joined} }}"));
    }
    let inner = trimmed.strip_prefix('{')?.strip_suffix('}')?.trim();
    Some(format!("{{ ({inner}) && {joined} }}"))
}

impl Decisions {
    pub(super) fn pattern(&mut self, text: &str) -> Parsed {
        if let Some(known) = self.patterns.get(text) {
            return known.clone();
        }
        let parsed = Pattern::parse(text)
            .map(Arc::new)
            .map_err(|error| error.to_string());
        self.patterns.insert(text.to_owned(), parsed.clone());
        parsed
    }

    /// Compares the union of some patterns with what a control requires. Patterns that cannot be
    /// read must not be among them.
    pub(super) fn compare(&mut self, required: Required<'_>, actual: &[&str]) -> Arc<Comparison> {
        let facts = required.facts();
        let mut actual = actual.to_vec();
        actual.sort_unstable();
        actual.dedup();
        let question = Question::of(required.pattern, &facts, &actual);
        let mut key = (question, Answers::new());
        loop {
            let comparison = if let Some(known) = self.comparisons.get(&key) {
                Arc::clone(known)
            } else {
                let made = Arc::new(self.decide(required, &facts, &actual, &key.1));
                self.comparisons.insert(key.clone(), Arc::clone(&made));
                made
            };
            let known = key.1.len();
            for open in &comparison.open {
                self.rules.asked.insert(*open);
                key.1.extend(self.rules.known.get_key_value(open));
            }
            if key.1.len() == known {
                return comparison;
            }
        }
    }

    /// Judges with what the service said about rules. What was asked for is noted, so that whoever
    /// keeps the judgement knows what it rests on.
    pub(super) fn knowing<T>(
        &mut self,
        evidence: &Reader<'_>,
        judge: impl FnOnce(&mut Self) -> T,
    ) -> T {
        self.rules = Rules {
            known: evidence.known_rules(),
            asked: BTreeSet::new(),
        };
        let judged = judge(self);
        for question in std::mem::take(&mut self.rules).asked {
            evidence.rule(question);
        }
        judged
    }

    fn decide(
        &mut self,
        required: Required<'_>,
        facts: &str,
        texts: &[&str],
        answers: &Answers,
    ) -> Comparison {
        let wanted = match self.pattern(required.pattern) {
            Ok(pattern) => pattern,
            Err(error) => {
                return undecided(format!("the control's pattern cannot be read: {error}"));
            }
        };
        let facts = if facts.is_empty() {
            None
        } else {
            match self.pattern(facts) {
                Ok(pattern) => Some(pattern),
                Err(error) => {
                    return undecided(format!("the control's facts cannot be read: {error}"));
                }
            }
        };
        let mut actual = Vec::with_capacity(texts.len());
        for text in texts {
            match self.pattern(text) {
                Ok(pattern) => actual.push(pattern),
                Err(error) => return undecided(format!("`{text}` cannot be read: {error}")),
            }
        }
        let actual: Vec<&Pattern> = actual.iter().map(AsRef::as_ref).collect();
        let example = Some(&required.control.example).filter(|example| example.is_object());
        compare_within(
            &wanted,
            &actual,
            Universe {
                facts: facts.as_deref(),
                example,
                documented: documented(),
                answers: Some(answers),
            },
        )
    }

    /// Whether every required event is matched and the patterns still tell events apart.
    pub(super) fn covers(&mut self, required: Required<'_>, actual: &[&str]) -> Covering {
        if actual.is_empty() {
            return Covering::Misses;
        }
        let comparison = self.compare(required, actual);
        match comparison.coverage {
            Coverage::Misses => Covering::Misses,
            Coverage::Undecided => Covering::Undecided,
            Coverage::Covers => {
                let everything =
                    comparison.matches_everything && !comparison.required_matches_everything;
                if everything {
                    self.without_everything(required, actual)
                } else {
                    Covering::Covers
                }
            }
        }
    }

    /// The patterns together match everything; maybe fewer of them are enough and do not.
    fn without_everything(&mut self, required: Required<'_>, actual: &[&str]) -> Covering {
        let mut kept: Vec<&str> = actual.to_vec();
        for text in actual {
            let fewer: Vec<&str> = kept.iter().copied().filter(|other| other != text).collect();
            if fewer.is_empty() {
                break;
            }
            let comparison = self.compare(required, &fewer);
            if comparison.coverage == Coverage::Covers {
                if !comparison.matches_everything {
                    return Covering::Covers;
                }
                kept = fewer;
            }
        }
        Covering::Everything
    }

    /// Whether a pattern has nothing to do with a control.
    pub(super) fn is_unrelated(&mut self, required: Required<'_>, actual: &str) -> bool {
        let comparison = self.compare(required, &[actual]);
        comparison.relation == Relation::Disjoint && !comparison.required_is_unsatisfiable
    }

    /// Whether a pattern is another control's own and not meant for this one: it matches exactly that
    /// one's events; or it has nothing to do with this one and matches all or some of that one's.
    pub(super) fn is_anothers(&mut self, required: Required<'_>, actual: &str) -> bool {
        let Ok(pattern) = self.pattern(actual) else {
            return false;
        };
        let unrelated = self.is_unrelated(required, actual);
        let (mut covered, mut within) = (0, false);
        for other in control::builtin() {
            if other.id == required.control.id {
                continue;
            }
            let own = Required {
                control: other,
                pattern: &other.pattern,
                account: None,
            };
            let example = Event::from_value(&other.example);
            if matches(&pattern, &example) == Match::Yes {
                match self.compare(own, &[actual]).relation {
                    Relation::Equivalent => return true,
                    Relation::Narrower => within = true,
                    _ if self.covers(own, &[actual]) == Covering::Covers => covered += 1,
                    _ => {}
                }
            } else if unrelated && !within {
                within = self.compare(own, &[actual]).relation == Relation::Narrower;
            }
        }
        // One that covers several is no control's own.
        unrelated && (covered == 1 || (covered == 0 && within))
    }
}

/// Which of some events a pattern matches, in terms of other patterns.
impl Decisions {
    /// Which of the control's events that one pattern matches another one matches, too.
    pub(super) fn share(&mut self, required: Required<'_>, one: &str, other: &str) -> Share {
        let Some(both) = inner(required.pattern)
            .zip(inner(one))
            .map(|(required, one)| format!("{{ ({required}) && ({one}) }}"))
        else {
            return Share::Some;
        };
        let both = Required {
            pattern: &both,
            ..required
        };
        if self.is_unrelated(both, other) {
            return Share::None;
        }
        let comparison = self.compare(both, &[other]);
        match comparison.coverage {
            Coverage::Covers if !comparison.required_is_unsatisfiable => Share::All,
            _ => Share::Some,
        }
    }

    /// Whether one pattern matches nothing that another one does not match, of any events.
    pub(super) fn is_within(&mut self, required: Required<'_>, one: &str, other: &str) -> bool {
        if one == other {
            return true;
        }
        let key = (one.to_owned(), other.to_owned());
        if let Some(known) = self.within.get(&key) {
            return *known;
        }
        let (Ok(one), Ok(other)) = (self.pattern(one), self.pattern(other)) else {
            return false;
        };
        let example = Some(&required.control.example).filter(|example| example.is_object());
        let universe = Universe {
            facts: None,
            example,
            documented: &[],
            answers: None,
        };
        let within = compare_within(&one, &[&other], universe).coverage == Coverage::Covers;
        self.within.insert(key, within);
        within
    }
}

/// The condition of a JSON pattern.
fn inner(pattern: &str) -> Option<&str> {
    pattern.trim().strip_prefix('{')?.strip_suffix('}')
}

/// How a union of patterns relates to a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Covering {
    /// Every required event is matched.
    Covers,
    /// Every required event is matched because every event is.
    Everything,
    /// Some required event is not matched.
    Misses,
    /// Not decided.
    Undecided,
}

fn undecided(reason: String) -> Comparison {
    Comparison {
        relation: Relation::Inconclusive,
        coverage: Coverage::Undecided,
        missed: None,
        missed_undocumented: None,
        extra: None,
        reason: Some(reason),
        open: BTreeSet::new(),
        matches_everything: false,
        required_matches_everything: false,
        required_is_unsatisfiable: false,
    }
}
