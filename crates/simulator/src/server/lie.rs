//! Answers that are not true, or not answers: what an endpoint that is set wrongly, broken or
//! hostile might say in place of AWS, to one account at one operation.

use std::borrow::Cow;

use hyper::body::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use trailproof_core::account::AccountId;
use trailproof_core::evidence::ErrorClass;

use super::fault::Fault;
use crate::document::{Document, Structure};
use crate::failure::Failure;
use crate::protocol::Outgoing;

/// An answer that is not true.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lie {
    /// Who is lied to: the account whose credentials ask, or whose role is assumed.
    pub account: AccountId,
    /// The operation, such as `cloudtrail:GetTrailStatus`.
    pub operation: String,
    /// What is answered.
    pub kind: LieKind,
}

/// What is answered in place of the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LieKind {
    /// A document without members.
    Empty,
    /// No body at all.
    NoBody,
    /// Every member is there, with a value of another type.
    WrongType,
    /// An error in a body whose status is 200.
    ErrorInside,
    /// A body without an end.
    Endless,
    /// The body comes in pieces.
    Slow,
    /// The body has 20 MiB behind it.
    Huge,
    /// The connection breaks within the body.
    Cut,
    /// The number of the account is another one, wherever it stands.
    WrongAccount,
    /// The credentials are called expired, however new they are.
    Expired,
    /// A further page is promised, always the same one.
    Circling,
    /// A further page is promised, and when it is asked for there is nothing.
    Contradicting,
    /// A document that is nested without an end.
    Nested,
    /// The headers before the body are 1 MiB.
    Headers,
}

impl LieKind {
    /// Every kind.
    pub const ALL: [Self; 14] = [
        Self::Empty,
        Self::NoBody,
        Self::WrongType,
        Self::ErrorInside,
        Self::Endless,
        Self::Slow,
        Self::Huge,
        Self::Cut,
        Self::WrongAccount,
        Self::Expired,
        Self::Circling,
        Self::Contradicting,
        Self::Nested,
        Self::Headers,
    ];
}

/// What each service calls the token of the next page, in answers and in requests.
const TOKENS: [&str; 3] = ["NextToken", "nextToken", "Marker"];
const TOKEN: &str = "dHJhaWxwcm9vZg==";
const HUGE: usize = 20 << 20;
/// How deep a nested document is.
const DEPTH: usize = 1 << 20;
/// So many headers of this content are 1 MiB.
const HEADERS: usize = 1 << 10;
const FILLER: &str = match std::str::from_utf8(&[b'x'; 1 << 10]) {
    Ok(filler) => filler,
    Err(_) => "",
};
const ELSEWHERE: &[u8] = b"909090909090";

impl Lie {
    /// Whether it is told to an account that makes a call.
    pub(super) fn is_told(&self, caller: AccountId, action: &str, parameters: &Value) -> bool {
        if self.operation != action {
            return false;
        }
        let role = parameters.get("RoleArn").and_then(Value::as_str);
        match role {
            Some(role) => role.contains(&format!("::{}:", self.account)),
            None => self.account == caller,
        }
    }

    /// What is answered in place of an answer, before it is written.
    pub(super) fn instead(
        &self,
        answer: Result<Structure, Failure>,
        parameters: &Value,
    ) -> Result<Structure, Failure> {
        let asked_for_more = TOKENS.iter().any(|token| parameters.get(token).is_some());
        match self.kind {
            LieKind::Empty => Ok(Structure::new()),
            LieKind::WrongType => answer.map(|answer| {
                let members = answer.members().iter();
                members.fold(Structure::new(), |wrong, (name, value)| {
                    wrong.with(name, of_another_type(value))
                })
            }),
            LieKind::ErrorInside => Err(Failure::denied(
                "AccessDeniedException",
                "You are not authorized to perform this operation.",
            )
            .status(200)),
            LieKind::Expired => Err(Failure::new(
                ErrorClass::Denied,
                "ExpiredTokenException",
                "The security token included in the request is expired",
            )),
            LieKind::Contradicting if asked_for_more => Ok(Structure::new()),
            LieKind::Circling | LieKind::Contradicting => answer.map(|answer| {
                TOKENS
                    .iter()
                    .fold(answer, |answer, token| answer.with(token, TOKEN))
            }),
            LieKind::NoBody
            | LieKind::Endless
            | LieKind::Slow
            | LieKind::Huge
            | LieKind::Cut
            | LieKind::WrongAccount
            | LieKind::Nested
            | LieKind::Headers => answer,
        }
    }

    /// What goes wrong while the answer is sent.
    pub(super) fn fault(&self) -> Option<Fault> {
        match self.kind {
            LieKind::Endless => Some(Fault::Endless),
            LieKind::Slow => Some(Fault::Drip),
            LieKind::Cut => Some(Fault::Truncate),
            _ => None,
        }
    }

    /// What becomes of the text of an answer.
    pub(super) fn spoil(&self, outgoing: Outgoing) -> Outgoing {
        let body = match self.kind {
            LieKind::NoBody => Bytes::new(),
            LieKind::Huge => {
                let mut body = outgoing.body.to_vec();
                body.resize(body.len() + HUGE, b' ');
                body.into()
            }
            LieKind::WrongAccount => {
                replaced(&outgoing.body, self.account.to_string().as_bytes()).into()
            }
            LieKind::Nested => nested(&outgoing.body).into(),
            LieKind::Headers => {
                let value = HeaderValue::from_static(FILLER);
                let names = (0..HEADERS).map(|number| format!("x-filler-{number}"));
                let names = names.filter_map(|name| name.parse::<HeaderName>().ok());
                let mut headers = outgoing.headers;
                headers.extend(names.map(|name| (name, value.clone())));
                return Outgoing {
                    headers,
                    ..outgoing
                };
            }
            _ => return outgoing,
        };
        Outgoing { body, ..outgoing }
    }
}

fn of_another_type(value: &Document) -> Document {
    match value {
        Document::List(_) | Document::Structure(_) | Document::Map(_) => {
            Document::Text(Cow::Borrowed("neither a list nor a structure"))
        }
        Document::Text(_) | Document::Time(_) => Document::List(vec![Document::Integer(7)]),
        Document::Bool(_) | Document::Integer(_) | Document::Float(_) => {
            Document::Structure(Structure::new().with("Value", "neither true nor a number"))
        }
    }
}

/// A document of the same format, nested deeper than any reader can follow.
fn nested(body: &[u8]) -> Vec<u8> {
    let (begin, deeper): (&[u8], &[u8]) = match body.first() {
        Some(b'{') => (b"{\"Nested\":", b"["),
        Some(b'<') => (b"", b"<Nested>"),
        // CBOR: a map with one member, and lists of one element each.
        _ => (b"\xa1\x66Nested", b"\x81"),
    };
    [begin, &deeper.repeat(DEPTH)].concat()
}

/// The same text about another account. Numbers of accounts are equally long, so that the lengths
/// in the text stay right.
fn replaced(text: &[u8], account: &[u8]) -> Vec<u8> {
    let mut replaced = text.to_vec();
    let mut at = 0;
    while let Some(window) = replaced.get_mut(at..at + account.len()) {
        if window == account {
            window.copy_from_slice(ELSEWHERE);
        }
        at += 1;
    }
    replaced
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_account_is_replaced_wherever_it_stands() {
        let text = b"arn:1:111111111111:x 111111111111";
        assert_eq!(
            replaced(text, b"111111111111"),
            b"arn:1:909090909090:x 909090909090"
        );
    }

    #[test]
    fn a_role_is_that_of_its_account() {
        let lie = Lie {
            account: "222222222222".parse().unwrap(),
            operation: "sts:AssumeRole".to_owned(),
            kind: LieKind::Empty,
        };
        let caller = "111111111111".parse().unwrap();
        let role = |account| json!({"RoleArn": format!("arn:aws:iam::{account}:role/x")});
        assert!(lie.is_told(caller, "sts:AssumeRole", &role("222222222222")));
        assert!(!lie.is_told(caller, "sts:AssumeRole", &role("333333333333")));
        assert!(!lie.is_told(caller, "sns:ListTopics", &json!({})));
        let asked = Ok(Structure::new().with("Value", true));
        assert_eq!(lie.instead(asked, &json!({})), Ok(Structure::new()));
    }
}
