//! Metric math, as far as an alarm on one filter's metric needs it: arithmetic, `FILL` with a
//! number, and `SUM`, `MAX`, `MIN` and `AVG` over several series (CloudWatch User Guide, "Using
//! math expressions with CloudWatch metrics"), all on data points of which only bounds are known.
//!
//! Everything else is told apart as undecided. This is not a calculator of metric math.

use super::statistic::{Datapoint, times};
use crate::evidence::MetricDataQuery;

/// Expressions over expressions, deeper than any that AWS accepts.
const MAX_DEPTH: usize = 64;

/// What an alarm watches, in terms of the metrics that it is computed from.
#[derive(Debug)]
pub(super) struct Formula {
    /// The expressions that it is made of, each after those that it refers to; the last is the
    /// result.
    parts: Vec<Expression>,
}

#[derive(Debug)]
enum Expression {
    Number(f64),
    /// A metric, by its place among the inputs.
    Input(usize),
    /// The value of an earlier part.
    Part(usize),
    Sum(Box<Expression>, Box<Expression>),
    Product(Box<Expression>, Box<Expression>),
    Quotient(Box<Expression>, Box<Expression>),
    Fill(Box<Expression>, Box<Expression>),
    List(Function, Vec<Expression>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Function {
    Sum,
    Max,
    Min,
    Average,
}

#[derive(Debug, Clone, Copy)]
enum Value {
    Number(f64),
    Series(Datapoint),
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

impl Formula {
    /// A single metric.
    pub(super) fn identity() -> Self {
        Self {
            parts: vec![Expression::Input(0)],
        }
    }

    pub(super) fn is_identity(&self) -> bool {
        matches!(self.parts.as_slice(), [Expression::Input(_)])
    }

    /// What `query` makes of its inputs.
    pub(super) fn of(
        query: &MetricDataQuery,
        inputs: &[&MetricDataQuery],
        queries: &[MetricDataQuery],
    ) -> Result<Self, String> {
        let mut reader = Reader {
            inputs,
            queries,
            parts: Vec::new(),
            known: Vec::new(),
        };
        match reader.query(query, 0) {
            Some(_) => Ok(Self {
                parts: reader.parts,
            }),
            None => Err(format!(
                "watches the expression `{}`, which trailproof does not analyse",
                query.expression.as_deref().unwrap_or_default()
            )),
        }
    }

    /// The result for one data point of each input; `None` where a quotient is by zero.
    pub(super) fn value(&self, inputs: &[Datapoint]) -> Option<Datapoint> {
        let mut values: Vec<Value> = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            values.push(part.value(inputs, &values)?);
        }
        match values.pop()? {
            Value::Series(point) => Some(point),
            Value::Number(number) => Some(Datapoint::between(number, number)),
        }
    }
}

impl Expression {
    fn value(&self, inputs: &[Datapoint], parts: &[Value]) -> Option<Value> {
        let of = |expression: &Self| expression.value(inputs, parts);
        match self {
            Self::Number(number) => Some(Value::Number(*number)),
            Self::Input(index) => inputs.get(*index).copied().map(Value::Series),
            Self::Part(index) => parts.get(*index).copied(),
            Self::Sum(left, right) => arithmetic(of(left)?, of(right)?, |left, right| {
                Some((left.0 + right.0, left.1 + right.1))
            }),
            Self::Product(left, right) => arithmetic(of(left)?, of(right)?, |left, right| {
                Some(corners(left, right, times))
            }),
            Self::Quotient(left, right) => arithmetic(of(left)?, of(right)?, |left, right| {
                let divides = right.0 > 0.0 || right.1 < 0.0;
                let bounds = corners(left, right, |left, right| left / right);
                (divides && !bounds.0.is_nan() && !bounds.1.is_nan()).then_some(bounds)
            }),
            Self::Fill(filled, by) => {
                let (Value::Series(series), Value::Number(number)) = (of(filled)?, of(by)?) else {
                    return None;
                };
                Some(Value::Series(fill(series, number)))
            }
            Self::List(function, list) => {
                let list: Option<Vec<Datapoint>> = list
                    .iter()
                    .map(|one| match of(one)? {
                        Value::Series(series) => Some(series),
                        Value::Number(_) => None,
                    })
                    .collect();
                Some(Value::Series(aggregate(*function, &list?)))
            }
        }
    }
}

type Bounds = (f64, f64);

/// Arithmetic of two series has data where both have.
fn arithmetic(
    left: Value,
    right: Value,
    combine: impl Fn(Bounds, Bounds) -> Option<Bounds>,
) -> Option<Value> {
    let point = |value| match value {
        Value::Number(number) => Datapoint::between(number, number),
        Value::Series(point) => point,
    };
    if let (Value::Number(left), Value::Number(right)) = (left, right) {
        return Some(Value::Number(combine((left, left), (right, right))?.0));
    }
    let (left, right) = (point(left), point(right));
    let value = match (left.value, right.value) {
        (Some(left), Some(right)) => Some(combine(left, right)?),
        _ => None,
    };
    Some(Value::Series(Datapoint {
        missing: left.missing || right.missing,
        value,
    }))
}

fn corners(left: Bounds, right: Bounds, combine: impl Fn(f64, f64) -> f64) -> Bounds {
    let all = [
        combine(left.0, right.0),
        combine(left.0, right.1),
        combine(left.1, right.0),
        combine(left.1, right.1),
    ];
    if all.iter().any(|value| value.is_nan()) {
        return (f64::NAN, f64::NAN);
    }
    (
        all.into_iter().fold(f64::INFINITY, f64::min),
        all.into_iter().fold(f64::NEG_INFINITY, f64::max),
    )
}

fn fill(series: Datapoint, number: f64) -> Datapoint {
    match series.value {
        None => Datapoint::between(number, number),
        Some((low, high)) if series.missing => {
            Datapoint::between(low.min(number), high.max(number))
        }
        Some(_) => series,
    }
}

/// An aggregate over a list of series leaves out those without data, as sums and greatest values do
/// in any case. Of least and mean values AWS does not say so: nothing is known of them then.
fn aggregate(function: Function, list: &[Datapoint]) -> Datapoint {
    let present = || {
        list.iter()
            .filter_map(|one| Some((one.missing, one.value?)))
    };
    let missing = list.iter().all(|one| one.missing);
    if present().next().is_none() {
        return Datapoint::MISSING;
    }
    let low = || present().map(|(_, (low, _))| low);
    let high = || present().map(|(_, (_, high))| high);
    let least = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::INFINITY, f64::min);
    let most = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::NEG_INFINITY, f64::max);
    let certain = || present().filter(|(missing, _)| !missing);
    let any_certain = certain().next().is_some();
    let gaps = list.iter().any(|one| one.missing);
    let value = match function {
        Function::Min | Function::Average if gaps => (f64::NEG_INFINITY, f64::INFINITY),
        Function::Sum => present().fold((0.0, 0.0), |total, (missing, (low, high))| {
            let (low, high) = if missing {
                (low.min(0.0), high.max(0.0))
            } else {
                (low, high)
            };
            (total.0 + low, total.1 + high)
        }),
        Function::Max if any_certain => (
            most(&mut certain().map(|(_, (low, _))| low)),
            most(&mut high()),
        ),
        Function::Min if any_certain => (
            least(&mut low()),
            least(&mut certain().map(|(_, (_, high))| high)),
        ),
        Function::Max | Function::Min | Function::Average => (least(&mut low()), most(&mut high())),
    };
    Datapoint {
        missing,
        value: Some(value),
    }
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

/// Reads expressions, each once.
struct Reader<'a> {
    inputs: &'a [&'a MetricDataQuery],
    queries: &'a [MetricDataQuery],
    parts: Vec<Expression>,
    /// The place of each query that was read, by its id.
    known: Vec<(&'a str, usize)>,
}

impl<'a> Reader<'a> {
    /// The place of a query among the parts; `None` where it is not analysed.
    fn query(&mut self, query: &'a MetricDataQuery, depth: usize) -> Option<usize> {
        if let Some((_, place)) = self.known.iter().find(|(id, _)| *id == query.id) {
            return Some(*place);
        }
        if depth > MAX_DEPTH {
            return None;
        }
        let expression = if let Some(text) = &query.expression {
            let tokens = tokens(text);
            let mut parser = Parser {
                reader: self,
                rest: &tokens,
                depth,
            };
            let expression = parser.sum()?;
            parser.rest.is_empty().then_some(expression)?
        } else {
            let mut inputs = self.inputs.iter();
            Expression::Input(inputs.position(|input| input.id == query.id)?)
        };
        self.parts.push(expression);
        let place = self.parts.len() - 1;
        self.known.push((&query.id, place));
        Some(place)
    }
}

/// A parser of one expression; `None` is "not analysed".
struct Parser<'r, 'a, 't> {
    reader: &'r mut Reader<'a>,
    rest: &'t [Token<'t>],
    depth: usize,
}

impl<'t> Parser<'_, '_, 't> {
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

    fn sum(&mut self) -> Option<Expression> {
        let mut total = self.product()?;
        loop {
            if self.take('+') {
                total = Expression::Sum(Box::new(total), Box::new(self.product()?));
            } else if self.take('-') {
                let negative = negative(self.product()?);
                total = Expression::Sum(Box::new(total), Box::new(negative));
            } else {
                return Some(total);
            }
            self.longer()?;
        }
    }

    fn product(&mut self) -> Option<Expression> {
        let mut total = self.primary()?;
        loop {
            if self.take('*') {
                total = Expression::Product(Box::new(total), Box::new(self.primary()?));
            } else if self.take('/') {
                let divisor = self.primary()?;
                if matches!(divisor, Expression::Number(0.0)) {
                    return None;
                }
                total = Expression::Quotient(Box::new(total), Box::new(divisor));
            } else {
                return Some(total);
            }
            self.longer()?;
        }
    }

    /// Operators in a row nest, too.
    fn longer(&mut self) -> Option<()> {
        const MAX_OPERATORS: usize = 1_000;
        (self.rest.len() < MAX_OPERATORS).then_some(())
    }

    fn primary(&mut self) -> Option<Expression> {
        match self.next()? {
            Token::Number(number) => Some(Expression::Number(number)),
            Token::Symbol('-') => {
                self.deeper()?;
                Some(negative(self.primary()?))
            }
            Token::Symbol('(') => {
                self.deeper()?;
                let term = self.sum()?;
                self.take(')').then_some(term)
            }
            Token::Word("FILL") => self.fill(),
            Token::Word("SUM") => self.aggregate(Function::Sum),
            Token::Word("MAX") => self.aggregate(Function::Max),
            Token::Word("MIN") => self.aggregate(Function::Min),
            Token::Word("AVG") => self.aggregate(Function::Average),
            Token::Word(id) => {
                let queries = self.reader.queries;
                let query = queries.iter().find(|query| query.id == id)?;
                let place = self.reader.query(query, self.depth + 1)?;
                Some(Expression::Part(place))
            }
            Token::Symbol(_) => None,
        }
    }

    /// `FILL(metric, number)`: other fillings depend on the past.
    fn fill(&mut self) -> Option<Expression> {
        self.deeper()?;
        self.take('(').then_some(())?;
        let filled = self.sum()?;
        self.take(',').then_some(())?;
        let by = self.sum()?;
        self.take(')').then_some(())?;
        Some(Expression::Fill(Box::new(filled), Box::new(by)))
    }

    /// An aggregate over a list. Of a single series, these condense it over time into one number.
    fn aggregate(&mut self, function: Function) -> Option<Expression> {
        self.deeper()?;
        self.take('(').then_some(())?;
        let list = if self.rest.first() == Some(&Token::Word("METRICS")) {
            self.next();
            (self.take('(') && self.take(')')).then_some(())?;
            let queries = self.reader.queries.iter();
            let metrics = queries.filter(|query| query.metric_stat.is_some());
            metrics
                .map(|query| Some(Expression::Part(self.reader.query(query, self.depth + 1)?)))
                .collect::<Option<Vec<_>>>()?
        } else if self.take('[') {
            let mut list = vec![self.sum()?];
            while self.take(',') {
                list.push(self.sum()?);
            }
            self.take(']').then_some(list)?
        } else {
            return None;
        };
        self.take(')').then_some(())?;
        Some(Expression::List(function, list))
    }
}

fn negative(expression: Expression) -> Expression {
    Expression::Product(Box::new(Expression::Number(-1.0)), Box::new(expression))
}
