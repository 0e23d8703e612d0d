//! Joining pages.

use std::collections::HashSet;

use serde_json::{Map, Value};

use trailproof_core::evidence::{CallDefinition, Response};

use super::{Answer, Ask};

/// The pages of one call, joined.
#[derive(Debug)]
pub(crate) struct Pages {
    token_member: &'static str,
    definition: Option<&'static CallDefinition>,
    joined: Option<Response>,
    request_id: Option<String>,
    tokens: HashSet<String>,
}

/// `ListAccounts`, with 20 accounts a page, needs half as many for the largest organization.
const MOST_PAGES: usize = 10_000;

/// What to do after a page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Ask again with this token.
    Page(String),
    /// That was all.
    Done,
    /// The service gave a token twice, or more of them than any list has: it would never end.
    Endless,
    /// The page is no answer, and why.
    NoAnswer(String),
}

impl Pages {
    pub(crate) fn new(ask: &Ask) -> Self {
        let definition = match ask {
            Ask::Evidence(call) => Some(call.operation().definition()),
            Ask::AccountsForParent(_) | Ask::DescribeAccount(_) | Ask::Foreign(_) => None,
        };
        let pages = definition.and_then(|definition| definition.pages);
        Self {
            token_member: pages.map_or("NextToken", |pages| pages.token),
            definition,
            joined: None,
            request_id: None,
            tokens: HashSet::new(),
        }
    }

    /// Adds a page. An empty page with a token is an ordinary page.
    pub(crate) fn add(&mut self, answer: Answer) -> Next {
        self.request_id = self.request_id.take().or(answer.request_id);
        // The page that ends a list has the list, also where nothing is in it.
        let absence = self
            .definition
            .and_then(|definition| definition.absence(&answer.body));
        let Value::Object(mut members) = answer.body else {
            return Next::NoAnswer("the answer is not an object".to_owned());
        };
        let token = match members.remove(self.token_member) {
            Some(Value::String(token)) if !token.is_empty() => Some(token),
            _ => None,
        };
        match &mut self.joined {
            None => self.joined = Some(members.into()),
            Some(joined) => joined.join(members),
        }
        match token {
            None => absence.map_or(Next::Done, |error| Next::NoAnswer(error.message)),
            Some(token) => {
                let new = self.tokens.insert(token.clone());
                if new && self.tokens.len() < MOST_PAGES {
                    Next::Page(token)
                } else {
                    Next::Endless
                }
            }
        }
    }

    /// The whole answer, with the request id of the first page.
    pub(crate) fn finish(self) -> Answer<Response> {
        Answer {
            body: self.joined.unwrap_or_else(|| Map::new().into()),
            request_id: self.request_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use trailproof_core::evidence::Call;

    use super::*;

    fn page(body: Value) -> Answer {
        Answer {
            body,
            request_id: Some(body_id()),
        }
    }

    fn body_id() -> String {
        "r".to_owned()
    }

    #[test]
    fn joins_lists_and_drops_tokens() {
        let mut pages = Pages::new(&Ask::Evidence(Call::DescribeAlarms));
        let first = json!({"MetricAlarms": [1, 2], "CompositeAlarms": [], "NextToken": "a"});
        assert_eq!(pages.add(page(first)), Next::Page("a".to_owned()));
        let empty = json!({"NextToken": "b"});
        assert_eq!(pages.add(page(empty)), Next::Page("b".to_owned()));
        let last = json!({"MetricAlarms": [3], "CompositeAlarms": [4], "NextToken": null});
        assert_eq!(pages.add(page(last)), Next::Done);
        assert_eq!(
            pages.finish().body.into_value(),
            json!({"MetricAlarms": [1, 2, 3], "CompositeAlarms": [4]})
        );
    }

    #[test]
    fn an_end_without_its_list_is_no_answer() {
        for body in [
            json!({}),
            json!(null),
            json!({"Accounts": null}),
            json!({"__type": "X"}),
        ] {
            let mut pages = Pages::new(&Ask::Evidence(Call::ListAccounts));
            let first = json!({"Accounts": [1], "NextToken": "a"});
            assert_eq!(pages.add(page(first)), Next::Page("a".to_owned()));
            let end = pages.add(page(body.clone()));
            assert!(matches!(end, Next::NoAnswer(_)), "{body}");
        }
    }

    #[test]
    fn logs_write_their_token_small() {
        let ask = Ask::Evidence(Call::DescribeMetricFilters {
            log_group_name: Some("g".to_owned()),
        });
        let mut pages = Pages::new(&ask);
        let first = json!({"metricFilters": [1], "nextToken": "a"});
        assert_eq!(pages.add(page(first)), Next::Page("a".to_owned()));
        assert_eq!(pages.add(page(json!({"metricFilters": [2]}))), Next::Done);
        assert_eq!(
            pages.finish().body.into_value(),
            json!({"metricFilters": [1, 2]})
        );
    }

    #[test]
    fn tokens_that_take_turns_are_a_loop() {
        let mut pages = Pages::new(&Ask::Evidence(Call::ListAccounts));
        let next = |token: &str| json!({"Accounts": [], "NextToken": token});
        for token in ["a", "b"] {
            assert_eq!(pages.add(page(next(token))), Next::Page(token.to_owned()));
        }
        assert_eq!(pages.add(page(next("a"))), Next::Endless);
    }

    #[test]
    fn a_list_without_an_end_is_ended() {
        let mut pages = Pages::new(&Ask::Evidence(Call::ListAccounts));
        let mut taken = 0;
        while pages.add(page(
            json!({"Accounts": [], "NextToken": taken.to_string()}),
        )) != Next::Endless
        {
            taken += 1;
        }
        assert_eq!(taken, MOST_PAGES - 1);
    }

    #[test]
    fn a_repeated_token_is_a_loop() {
        let mut pages = Pages::new(&Ask::Evidence(Call::ListAccounts));
        let same = json!({"Accounts": [], "NextToken": "a"});
        assert_eq!(pages.add(page(same.clone())), Next::Page("a".to_owned()));
        assert_eq!(pages.add(page(same)), Next::Endless);
    }
}
