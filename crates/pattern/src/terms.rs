//! Terms over the raw message: `ERROR "a phrase" -debug`, `?ERROR ?WARN`.

use super::Match;

/// One term.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Term {
    /// What the term asks for.
    pub kind: TermKind,
    /// The text, unescaped.
    pub text: String,
    /// Whether it was written in quotes.
    pub quoted: bool,
}

/// What a term asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TermKind {
    /// The message contains the text.
    Required,
    /// `?`: the message contains one of these.
    Optional,
    /// `-`: the message does not contain the text.
    Excluded,
}

impl Term {
    fn occurs_in(&self, message: &str) -> Match {
        if message.contains(&self.text) {
            return Match::Yes;
        }
        let stars = self.text.trim_matches('*');
        if stars.len() != self.text.len() && message.contains(stars) {
            return Match::Undocumented;
        }
        if stars.contains('*') {
            return Match::Undocumented;
        }
        Match::No
    }
}

/// The terms that count: `?` terms beside others are ignored (CloudWatch Logs User Guide).
pub(super) fn effective(terms: &[Term]) -> impl Iterator<Item = &Term> {
    let mixed = terms.iter().any(|term| term.kind != TermKind::Optional);
    terms
        .iter()
        .filter(move |term| !mixed || term.kind != TermKind::Optional)
}

pub(super) fn matches(terms: &[Term], message: &str) -> Match {
    let mut all = Match::Yes;
    let mut any = None;
    for term in effective(terms) {
        let occurs = term.occurs_in(message);
        match term.kind {
            TermKind::Required => all = all.and(occurs),
            TermKind::Excluded => all = all.and(occurs.negated()),
            TermKind::Optional => any = Some(any.unwrap_or(Match::No).or(occurs)),
        }
    }
    all.and(any.unwrap_or(Match::Yes))
}
