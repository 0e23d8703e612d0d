//! Pseudonyms in place of people's addresses: in evidence that others are to see, before anything
//! is made of it.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Outcome, Record, Response};

/// What a pseudonym begins with.
const PREFIX: &str = "masked-";
/// How many bytes of the digest it has.
const BYTES: usize = 10;

/// The pseudonym of an address: the same in every run, so that files can be compared. Whoever
/// guesses an address can check the guess. ARNs are nobody's address and stay, and so do
/// pseudonyms.
pub fn pseudonym(endpoint: &str) -> String {
    if endpoint.is_empty() || endpoint.starts_with("arn:") || is_pseudonym(endpoint) {
        return endpoint.to_owned();
    }
    let digest = Sha256::digest(endpoint.as_bytes());
    let digits = digest.iter().take(BYTES).map(|byte| format!("{byte:02x}"));
    PREFIX.to_owned() + &digits.collect::<String>()
}

fn is_pseudonym(text: &str) -> bool {
    text.strip_prefix(PREFIX).is_some_and(|digits| {
        digits.len() == 2 * BYTES && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
    })
}

/// The members that hold people's addresses, by the service that answers with them: endpoints of
/// subscriptions (SNS API Reference, `Subscription`), and the e-mail address of an account's root
/// user (Organizations API Reference, `Account`, `Organization`).
const ADDRESSES: [(&str, &[&str]); 2] = [
    ("sns:", &["Endpoint"]),
    ("organizations:", &["Email", "MasterAccountEmail"]),
];

/// Replaces people's addresses in what a service answered.
pub fn mask_endpoints(record: &mut Record<Response>) {
    if let Outcome::Response(response) = &mut record.outcome {
        response.mask(record.operation.as_str());
    }
}

/// Replaces people's addresses in the answer to an operation, also one that this version does not
/// know; whether there were any to replace.
pub fn mask_answer(operation: &str, response: &mut Value) -> bool {
    mask(response, addresses(operation))
}

/// The same in one member of an answer.
pub(super) fn mask_member(operation: &str, name: &str, member: &mut Value) -> bool {
    mask_named(name, member, addresses(operation))
}

fn addresses(operation: &str) -> &'static [&'static str] {
    ADDRESSES
        .iter()
        .find(|(service, _)| operation.starts_with(service))
        .map_or(&[], |(_, members)| members)
}

fn mask(value: &mut Value, members: &[&str]) -> bool {
    match value {
        Value::Object(object) => object.iter_mut().fold(false, |masked, (name, member)| {
            masked | mask_named(name, member, members)
        }),
        Value::Array(items) => items
            .iter_mut()
            .fold(false, |masked, item| masked | mask(item, members)),
        _ => false,
    }
}

fn mask_named(name: &str, member: &mut Value, members: &[&str]) -> bool {
    match member {
        Value::String(text) if members.contains(&name) => {
            let pseudonym = pseudonym(text);
            let replaced = pseudonym != *text;
            *text = pseudonym;
            replaced
        }
        member => mask(member, members),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn addresses_are_masked_and_arns_stay() {
        let record: Record = serde_json::from_value(json!({
            "operation": "sns:ListSubscriptionsByTopic", "account": "111111111111",
            "region": "eu-west-1", "parameters": {"TopicArn": "arn:aws:sns:eu-west-1:111111111111:t"},
            "observed_at": "2026-11-22T22:00:00Z",
            "response": {"Subscriptions": [
                {"Protocol": "email", "Endpoint": "security@example.com"},
                {"Protocol": "email", "Endpoint": "security@example.com"},
                {"Protocol": "sms", "Endpoint": "+15555550100"},
                {"Protocol": "lambda", "Endpoint": "arn:aws:lambda:eu-west-1:111111111111:function:f"},
            ]},
        }))
        .unwrap();
        let mut record = record.held_as();
        mask_endpoints(&mut record);
        let text = serde_json::to_string(&record).unwrap();
        mask_endpoints(&mut record);
        assert_eq!(serde_json::to_string(&record).unwrap(), text);
        assert!(
            !text.contains("example.com") && !text.contains("5555"),
            "{text}"
        );
        assert!(text.contains("function:f"));
        let Outcome::Response(response) = record.outcome else {
            panic!("it was answered");
        };
        let response = response.into_value();
        let endpoint = |index: usize| response["Subscriptions"][index]["Endpoint"].clone();
        assert_eq!(endpoint(0), endpoint(1));
        assert_ne!(endpoint(0), endpoint(2));
        // The same in every version.
        assert_eq!(endpoint(0), "masked-786906db96ef646937f2");
    }

    #[test]
    fn answers_of_other_services_stay() {
        let mut response = json!({"Endpoint": "security@example.com"});
        assert!(!mask_answer("logs:DescribeSomething", &mut response));
        assert_eq!(response["Endpoint"], "security@example.com");
        assert!(mask_answer("sns:SomethingNew", &mut response));
        assert_ne!(response["Endpoint"], "security@example.com");

        let mut accounts = json!({"Accounts": [{"Email": "root@example.com", "Name": "a@b"}]});
        assert!(!mask_answer("sns:SomethingNew", &mut accounts));
        assert!(mask_answer("organizations:ListAccounts", &mut accounts));
        let account = &accounts["Accounts"][0];
        assert_eq!(account["Email"], pseudonym("root@example.com"));
        assert_eq!(account["Name"], "a@b");
        let mut own = json!({"Organization": {"MasterAccountEmail": "root@example.com"}});
        assert!(mask_answer("organizations:DescribeOrganization", &mut own));
        assert_eq!(own["Organization"]["MasterAccountEmail"], account["Email"]);
    }
}
