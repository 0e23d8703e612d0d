//! Metric math, as far as an alarm on one filter's metric needs it: the metric itself, sums with
//! metrics that are quiet, `FILL` with a number, and constant factors and summands (CloudWatch
//! User Guide, "Using math expressions with CloudWatch metrics").
//!
//! Everything else is told apart as undecided. This is not a calculator of metric math.

use crate::evidence::MetricDataQuery;

/// Expressions over expressions, deeper than any that AWS accepts.
const MAX_DEPTH: usize = 64;

/// What an expression makes of a data point of one metric: `factor * x + summand`, where a missing
/// `x` is first replaced by `fill`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Transform {
    pub(super) fill: Option<f64>,
    pub(super) factor: f64,
    pub(super) summand: f64,
}

impl Transform {
    pub(super) const IDENTITY: Self = Self {
        fill: None,
        factor: 1.0,
        summand: 0.0,
    };
}

/// Whether an expression selects metrics by text instead of by id.
pub(super) fn is_query(expression: &str) -> bool {
    let text = expression.trim_start().to_ascii_uppercase();
    text.starts_with("SELECT") || text.contains("SEARCH(")
}

/// The metrics that a query is or is computed from.
pub(super) fn inputs<'a>(
    query: &'a MetricDataQuery,
    queries: &'a [MetricDataQuery],
) -> Vec<&'a MetricDataQuery> {
    let mut found: Vec<&MetricDataQuery> = Vec::new();
    let mut pending = vec![query];
    while let Some(query) = pending.pop() {
        if found.iter().any(|known| std::ptr::eq(*known, query)) {
            continue;
        }
        found.push(query);
        let Some(expression) = &query.expression else {
            continue;
        };
        let tokens = tokens(expression);
        let all = tokens
            .iter()
            .any(|token| matches!(token, Token::Word("METRICS")));
        pending.extend(queries.iter().filter(|other| {
            (all && other.metric_stat.is_some())
                || tokens
                    .iter()
                    .any(|token| matches!(token, Token::Word(word) if *word == other.id))
        }));
    }
    found.retain(|query| query.metric_stat.is_some());
    found
}

/// What `query` makes of the metric with the id `target`, all other metrics being quiet.
pub(super) fn transform(
    query: &MetricDataQuery,
    target: &str,
    queries: &[MetricDataQuery],
) -> Result<Transform, String> {
    let scope = Scope { target, queries };
    match scope.query(query, 0)? {
        Term::Target(transform) => Ok(transform),
        Term::Number(_) | Term::Quiet => Err(undecided(query.expression.as_deref())),
    }
}

fn undecided(expression: Option<&str>) -> String {
    format!(
        "watches the expression `{}`, which trailproof does not analyse",
        expression.unwrap_or_default()
    )
}

/// What a part of an expression is while all metrics but the target are quiet.
#[derive(Debug, Clone, Copy)]
enum Term {
    Number(f64),
    /// A metric without data.
    Quiet,
    Target(Transform),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Token<'a> {
    Word(&'a str),
    Number(f64),
    Symbol(char),
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
        let is_number = |character: char| character.is_ascii_digit() || character == '.';
        let length = if first.is_ascii_digit() {
            rest.find(|character| !is_number(character))
                .unwrap_or(rest.len())
        } else if is_word(first) {
            rest.find(|character| !is_word(character))
                .unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (token, remainder) = rest.split_at(length);
        tokens.push(match token.parse::<f64>() {
            Ok(number) if first.is_ascii_digit() => Token::Number(number),
            _ if is_word(first) => Token::Word(token),
            _ => Token::Symbol(first),
        });
        rest = remainder.trim_start();
    }
    tokens
}

struct Scope<'a> {
    target: &'a str,
    queries: &'a [MetricDataQuery],
}

impl Scope<'_> {
    fn query(&self, query: &MetricDataQuery, depth: usize) -> Result<Term, String> {
        if query.id == self.target {
            return Ok(Term::Target(Transform::IDENTITY));
        }
        let Some(expression) = &query.expression else {
            return Ok(Term::Quiet);
        };
        if depth > MAX_DEPTH {
            return Err(undecided(Some(expression)));
        }
        let tokens = tokens(expression);
        let mut parser = Parser {
            scope: self,
            rest: &tokens,
            depth,
        };
        let term = parser.sum();
        match (term, parser.rest) {
            (Some(term), []) => Ok(term),
            _ => Err(undecided(Some(expression))),
        }
    }
}

/// A parser that computes as it reads; `None` is "not analysed".
struct Parser<'s, 't> {
    scope: &'s Scope<'s>,
    rest: &'t [Token<'t>],
    depth: usize,
}

impl<'t> Parser<'_, 't> {
    fn next(&mut self) -> Option<Token<'t>> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn take(&mut self, symbol: char) -> bool {
        let found = self.rest.first() == Some(&Token::Symbol(symbol));
        if found {
            self.next();
        }
        found
    }

    fn deeper(&mut self) -> Option<()> {
        self.depth += 1;
        (self.depth <= MAX_DEPTH).then_some(())
    }

    fn sum(&mut self) -> Option<Term> {
        let mut total = self.product()?;
        loop {
            let sign = match self.rest.first() {
                Some(Token::Symbol('+')) => 1.0,
                Some(Token::Symbol('-')) => -1.0,
                _ => return Some(total),
            };
            self.next();
            let right = scale(self.product()?, sign);
            total = plus(total, right)?;
        }
    }

    fn product(&mut self) -> Option<Term> {
        let mut total = self.primary()?;
        loop {
            if self.take('*') {
                total = match (total, self.primary()?) {
                    (term, Term::Number(factor)) | (Term::Number(factor), term) => {
                        scale(term, factor)
                    }
                    _ => return None,
                };
            } else if self.take('/') {
                let Term::Number(divisor) = self.primary()? else {
                    return None;
                };
                if divisor == 0.0 {
                    return None;
                }
                total = scale(total, divisor.recip());
            } else {
                return Some(total);
            }
        }
    }

    fn primary(&mut self) -> Option<Term> {
        match self.next()? {
            Token::Number(number) => Some(Term::Number(number)),
            Token::Symbol('-') => {
                self.deeper()?;
                Some(scale(self.primary()?, -1.0))
            }
            Token::Symbol('(') => {
                self.deeper()?;
                let term = self.sum()?;
                self.take(')').then_some(term)
            }
            Token::Word("FILL") => self.fill(),
            Token::Word(function @ ("SUM" | "MAX" | "AVG" | "MIN")) => self.aggregate(function),
            Token::Word(id) => self.reference(id),
            Token::Symbol(_) => None,
        }
    }

    fn reference(&self, id: &str) -> Option<Term> {
        let query = self.scope.queries.iter().find(|query| query.id == id)?;
        self.scope.query(query, self.depth + 1).ok()
    }

    /// `FILL(metric, number)`: other fillings depend on the past.
    fn fill(&mut self) -> Option<Term> {
        self.deeper()?;
        if !self.take('(') {
            return None;
        }
        let filled = self.sum()?;
        if !self.take(',') {
            return None;
        }
        let Term::Number(number) = self.sum()? else {
            return None;
        };
        if !self.take(')') {
            return None;
        }
        match filled {
            Term::Quiet => Some(Term::Number(number)),
            Term::Number(_) => None,
            Term::Target(Transform { fill: Some(_), .. }) => Some(filled),
            // The filling replaces the transformed value; put it before the transformation.
            Term::Target(Transform {
                fill: None,
                factor,
                summand,
            }) => (factor != 0.0).then(|| {
                let fill = Some((number - summand) / factor);
                Term::Target(Transform {
                    fill,
                    factor,
                    summand,
                })
            }),
        }
    }

    /// An aggregate over a list of series leaves out those without data. Of a single series it is
    /// that series.
    fn aggregate(&mut self, function: &str) -> Option<Term> {
        self.deeper()?;
        if !self.take('(') {
            return None;
        }
        let list = if self.rest.first() == Some(&Token::Word("METRICS")) {
            self.next();
            (self.take('(') && self.take(')')).then_some(())?;
            let metrics = self
                .scope
                .queries
                .iter()
                .filter(|query| query.metric_stat.is_some());
            metrics
                .map(|query| self.scope.query(query, self.depth + 1).ok())
                .collect::<Option<Vec<_>>>()?
        } else if self.take('[') {
            let mut list = vec![self.sum()?];
            while self.take(',') {
                list.push(self.sum()?);
            }
            self.take(']').then_some(list)?
        } else {
            // Of a single series, these condense it over time into one number.
            return None;
        };
        if !self.take(')') {
            return None;
        }
        // The filter behind a quiet metric may write zeros, which a least or a mean value counts.
        let is_quiet = |term: &Term| matches!(term, Term::Quiet);
        if matches!(function, "MIN" | "AVG") && list.iter().any(is_quiet) {
            return list.iter().all(is_quiet).then_some(Term::Quiet);
        }
        let mut present = list.into_iter().filter(|term| !is_quiet(term));
        let first = present.next().unwrap_or(Term::Quiet);
        present.try_fold(first, |total, term| match function {
            "SUM" => plus(zero_when_missing(total)?, zero_when_missing(term)?),
            _ => None,
        })
    }
}

fn scale(term: Term, by: f64) -> Term {
    match term {
        Term::Number(number) => Term::Number(number * by),
        Term::Quiet => Term::Quiet,
        Term::Target(Transform {
            fill,
            factor,
            summand,
        }) => Term::Target(Transform {
            fill,
            factor: factor * by,
            summand: summand * by,
        }),
    }
}

/// A series without data adds nothing to a sum over several.
fn zero_when_missing(term: Term) -> Option<Term> {
    match term {
        Term::Target(Transform {
            fill: None,
            factor,
            summand,
        }) => (factor != 0.0).then(|| {
            Term::Target(Transform {
                fill: Some(-summand / factor),
                factor,
                summand,
            })
        }),
        other => Some(other),
    }
}

/// Arithmetic on a series without data has no data; then the result says nothing of the target.
fn plus(left: Term, right: Term) -> Option<Term> {
    match (left, right) {
        (Term::Number(left), Term::Number(right)) => Some(Term::Number(left + right)),
        (Term::Target(transform), Term::Number(number))
        | (Term::Number(number), Term::Target(transform)) => Some(Term::Target(Transform {
            summand: transform.summand + number,
            ..transform
        })),
        (Term::Quiet, Term::Quiet) => Some(Term::Quiet),
        _ => None,
    }
}
