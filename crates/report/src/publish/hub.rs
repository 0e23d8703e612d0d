//! The two calls to Security Hub, as an account that has findings.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use trailproof_core::account::AccountId;
use trailproof_core::evidence::{CallError, ErrorClass};
use trailproof_scanner::{Access, ServiceCall};

use super::decide::id;
use super::journal::Refusal;
use crate::formats::asff::{PREFIX, Writer};

/// Asks what is there.
pub(super) const GET: &str = "securityhub:GetFindings";

/// Sends.
pub(super) const IMPORT: &str = "securityhub:BatchImportFindings";

/// The actions of sending findings, beside reading.
pub const ACTIONS: [&str; 2] = [IMPORT, GET];

/// The documented quotas, in requests per second for each account and region (Security Hub API
/// Reference, "Welcome", and its Partner Integration Guide).
const GET_RATE: f64 = 3.0;
const IMPORT_RATE: f64 = 10.0;

/// The most findings of a page (`GetFindings`, `MaxResults`).
const PAGE: usize = 100;

/// More pages than there can be findings of ours.
const MOST_PAGES: usize = 1000;

/// The Security Hub of a region.
pub(super) struct Hub<'a> {
    access: &'a Access,
    writer: &'a Writer<'a>,
}

impl<'a> Hub<'a> {
    pub(super) fn new(access: &'a Access, writer: &'a Writer<'a>) -> Self {
        Self { access, writer }
    }

    /// Everything of ours that it has of an account, put away or not. An administrator's Security
    /// Hub has findings of members, too: only the account's own product counts.
    pub(super) async fn stored(&self, account: AccountId) -> Result<Vec<Value>, CallError> {
        let product = self.writer.product_arn(account);
        let begins = format!("{PREFIX}{account}/");
        let mut question = json!({
            "Filters": {
                "ProductArn": [{ "Value": product, "Comparison": "EQUALS" }],
                "Id": [{ "Value": begins, "Comparison": "PREFIX" }],
            },
            "MaxResults": PAGE,
        });
        let mut found = Vec::new();
        let mut tokens = BTreeSet::new();
        for _ in 0..MOST_PAGES {
            let answer = self
                .ask(account, GET, GET_RATE, "/findings", &question)
                .await?;
            let mut answer = answer.as_object().cloned().unwrap_or_default();
            let Some(Value::Array(findings)) = answer.remove("Findings") else {
                return Err(incomplete("it has no list of findings"));
            };
            found.extend(findings.into_iter().filter(|finding| {
                let own = finding.get("ProductArn").and_then(Value::as_str);
                own == Some(&product) && id(finding).starts_with(&begins)
            }));
            match answer.remove("NextToken") {
                Some(Value::String(token)) if !token.is_empty() => {
                    if !tokens.insert(token.clone()) {
                        return Err(incomplete("it gave a page token twice"));
                    }
                    if let Some(question) = question.as_object_mut() {
                        question.insert("NextToken".to_owned(), token.into());
                    }
                }
                _ => return Ok(found),
            }
        }
        Err(incomplete("its list of findings has no end"))
    }

    /// Sends findings, and gives those that were not taken. Sent twice, they are there once.
    pub(super) async fn import(
        &self,
        account: AccountId,
        findings: Vec<Value>,
    ) -> Result<Vec<Refusal>, CallError> {
        let request = json!({ "Findings": findings });
        let path = "/findings/import";
        let answer = self
            .ask(account, IMPORT, IMPORT_RATE, path, &request)
            .await?;
        let count = |name: &str| answer.get(name).and_then(Value::as_u64);
        let (Some(failed), Some(taken)) = (count("FailedCount"), count("SuccessCount")) else {
            return Err(incomplete("it does not say how many findings it took"));
        };
        let none = Vec::new();
        let refused = answer.get("FailedFindings").and_then(Value::as_array);
        let refused: Vec<Refusal> = refused
            .unwrap_or(&none)
            .iter()
            .filter_map(Value::as_object)
            .map(refusal)
            .collect();
        let adds_up = refused.len() as u64 == failed && taken + failed == findings.len() as u64;
        if adds_up {
            Ok(refused)
        } else {
            Err(incomplete("its counts do not add up to what was sent"))
        }
    }

    async fn ask(
        &self,
        account: AccountId,
        action: &'static str,
        per_second: f64,
        path: &'static str,
        body: &Value,
    ) -> Result<Value, CallError> {
        let call = ServiceCall { action, per_second };
        let region = self.writer.region();
        let answer = self.access.send_json(account, region, call, path, body);
        answer.await.map_err(|failure| failure.error)
    }
}

fn refusal(error: &Map<String, Value>) -> Refusal {
    let text = |name: &str| {
        let text = error.get(name).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    Refusal {
        id: text("Id"),
        code: text("ErrorCode"),
        message: text("ErrorMessage"),
    }
}

fn incomplete(what: &str) -> CallError {
    CallError {
        code: "IncompleteAnswer".to_owned(),
        message: format!("the answer cannot be used: {what}"),
        class: ErrorClass::Other,
    }
}
