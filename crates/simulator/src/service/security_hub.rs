//! Security Hub: findings that accounts import about themselves, as the API reference and the user
//! guide of Security Hub have it.

use serde_json::{Map, Value};
use trailproof_core::account::AccountId;
use trailproof_core::evidence::ErrorClass;

use super::{Answer, Context, unsupported};
use crate::document::{Document, Structure};
use crate::failure::Failure;
use crate::model::{Organization, SecurityHub};
use crate::operation::Operation;
use crate::pagination;
use crate::parameters::Parameters;
use crate::permission;

/// The most findings of a page, and of a request to import some.
const PAGE: usize = 100;

/// The most bytes of a finding: 240 KB.
const LARGEST: usize = 240 * 1024;

/// The most bytes of a request: 6 MB.
const LARGEST_BATCH: usize = 6 * 1024 * 1024;

/// What customers say about a finding, and imports do not change.
const CUSTOMERS: [&str; 4] = ["Note", "UserDefinedFields", "VerificationState", "Workflow"];

/// What every finding has.
const REQUIRED: [&str; 10] = [
    "SchemaVersion",
    "Id",
    "ProductArn",
    "GeneratorId",
    "AwsAccountId",
    "CreatedAt",
    "UpdatedAt",
    "Title",
    "Description",
    "Resources",
];

/// The most characters of texts.
const LENGTHS: [(&str, usize); 4] = [
    ("Id", 512),
    ("GeneratorId", 512),
    ("Title", 256),
    ("Description", 1024),
];

pub(super) fn read(
    organization: &Organization,
    operation: Operation,
    context: Context<'_>,
) -> Answer {
    if operation != Operation::GetFindings {
        return Err(unsupported());
    }
    let hub = organization
        .account(context.caller.account)
        .and_then(|account| account.site(context.region))
        .and_then(|site| site.security_hub.as_ref())
        .ok_or_else(|| not_subscribed(context.caller.account))?;
    let parameters = context.parameters;
    let filters = filters(parameters)?;
    let found: Vec<&Value> = hub
        .findings
        .values()
        .filter(|finding| {
            filters
                .iter()
                .all(|(name, conditions)| matches(finding, name, conditions))
        })
        .collect();
    let size = pagination::size(parameters.integer("MaxResults"), PAGE, PAGE, || {
        invalid("MaxResults must be between 1 and 100")
    })?;
    let token = parameters.text("NextToken");
    let page = context
        .paging
        .page("GetFindings", token, found.len(), size)
        .ok_or_else(|| invalid("Invalid NextToken"))?;
    let findings = found.into_iter().skip(page.start).take(page.length);
    Ok(Structure::new()
        .with("Findings", findings.collect::<Document>())
        .maybe("NextToken", page.next))
}

/// The attributes that are compared, each with the conditions of which one has to hold.
fn filters(parameters: Parameters<'_>) -> Result<Vec<(&str, &[Value])>, Failure> {
    let Some(filters) = parameters.get("Filters").and_then(Value::as_object) else {
        return Ok(Vec::new());
    };
    let mut read = Vec::new();
    for (name, conditions) in filters {
        let known = [
            "ProductArn",
            "Id",
            "AwsAccountId",
            "GeneratorId",
            "RecordState",
        ];
        let conditions = conditions.as_array().map_or(&[][..], Vec::as_slice);
        if !known.contains(&name.as_str()) || conditions.len() > 20 {
            return Err(invalid(format!("the filter {name} is not simulated")));
        }
        read.push((name.as_str(), conditions));
    }
    Ok(read)
}

fn matches(finding: &Value, name: &str, conditions: &[Value]) -> bool {
    let Some(text) = finding.get(name).and_then(Value::as_str) else {
        return false;
    };
    conditions.iter().map(Parameters).any(|condition| {
        let value = condition.text("Value").unwrap_or_default();
        match condition.text("Comparison") {
            Some("EQUALS") => text == value,
            Some("PREFIX") => text.starts_with(value),
            _ => false,
        }
    })
}

pub(super) fn write(
    organization: &mut Organization,
    operation: Operation,
    context: Context<'_>,
) -> Answer {
    if operation != Operation::BatchImportFindings {
        return Err(unsupported());
    }
    let account = context.caller.account;
    let findings = context.parameters.list("Findings");
    if !(1..=PAGE).contains(&findings.len()) {
        return Err(invalid("Findings must have 1 to 100 members"));
    }
    let product = format!(
        "arn:{}:securityhub:{}:{account}:product/{account}/default",
        organization.partition(),
        context.region
    );
    let text = |finding: &Value, name: &str| {
        let text = finding.get(name).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    // Of another account or product nobody may say anything, in these words (public reports of
    // callers who did).
    for finding in findings {
        let named = text(finding, "ProductArn");
        if named != product || text(finding, "AwsAccountId") != account.to_string() {
            let resource = format!("on resource: {named}");
            return Err(permission::denied(
                organization,
                context.caller,
                operation,
                &resource,
            ));
        }
    }
    if findings.iter().map(size).sum::<usize>() > LARGEST_BATCH {
        return Err(invalid("the request is larger than 6 MB"));
    }
    let hub = organization
        .account_mut(account)
        .and_then(|account| account.site_mut(context.region).security_hub.as_mut());
    let mut failed = Vec::new();
    match hub {
        // A disabled hub is no error of the request.
        None => failed.extend(findings.iter().map(|finding| {
            let message = not_subscribed(account).message;
            refusal(&text(finding, "Id"), "InvalidAccess", &message)
        })),
        Some(hub) => {
            for finding in findings {
                if let Err(problem) = import(hub, &product, finding) {
                    failed.push(refusal(&text(finding, "Id"), "InvalidInput", &problem));
                }
            }
        }
    }
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    Ok(Structure::new()
        .with("FailedCount", count(failed.len()))
        .with("SuccessCount", count(findings.len() - failed.len()))
        .with("FailedFindings", failed.into_iter().collect::<Document>()))
}

/// Takes a finding in, or what is there of it anew if the update is later.
fn import(hub: &mut SecurityHub, product: &str, finding: &Value) -> Result<(), String> {
    let fields = check(finding)?;
    let id = fields.get("Id").and_then(Value::as_str).unwrap_or_default();
    let key = SecurityHub::key(product, id);
    let stored = hub.findings.get(&key).and_then(Value::as_object);
    let mut new = fields.clone();
    if let Some(stored) = stored {
        if updated_at(fields) <= updated_at(stored) {
            return Ok(());
        }
        for name in CUSTOMERS {
            match stored.get(name) {
                Some(value) => drop(new.insert(name.to_owned(), value.clone())),
                None => drop(new.remove(name)),
            }
        }
    } else if !new.contains_key("Workflow") {
        let workflow = serde_json::json!({ "Status": "NEW" });
        new.insert("Workflow".to_owned(), workflow);
    }
    new.entry("RecordState").or_insert("ACTIVE".into());
    hub.findings.insert(key, Value::Object(new));
    Ok(())
}

fn updated_at(fields: &Map<String, Value>) -> Option<jiff::Timestamp> {
    fields.get("UpdatedAt")?.as_str()?.parse().ok()
}

/// The members of a finding that is one, or what is wrong with it.
fn check(finding: &Value) -> Result<&Map<String, Value>, String> {
    let wrong = |what: String| format!("Finding does not adhere to Amazon Finding Format. {what}");
    let fields = finding
        .as_object()
        .ok_or_else(|| wrong("data should be object.".to_owned()))?;
    let provided = fields.get("FindingProviderFields");
    let has = |name: &str| {
        fields.contains_key(name) || provided.is_some_and(|provided| provided.get(name).is_some())
    };
    if let Some(name) = REQUIRED
        .iter()
        .chain(&["Types", "Severity"])
        .find(|name| !has(name))
    {
        return Err(wrong(format!(
            "data should have required property \'{name}\'."
        )));
    }
    for (name, most) in LENGTHS {
        let text = fields.get(name).and_then(Value::as_str).unwrap_or_default();
        if text.trim().is_empty() || text.chars().count() > most {
            return Err(wrong(format!(
                "data.{name} should NOT be longer than {most} characters."
            )));
        }
    }
    let resources = fields.get("Resources").and_then(Value::as_array);
    if !resources.is_some_and(|resources| (1..=32).contains(&resources.len())) {
        return Err(wrong(
            "data.Resources should have 1 to 32 items.".to_owned(),
        ));
    }
    let pairs = fields.get("ProductFields").and_then(Value::as_object);
    if pairs.is_some_and(|pairs| pairs.len() > 50) {
        return Err(wrong(
            "data.ProductFields should NOT have more than 50 properties.".to_owned(),
        ));
    }
    if updated_at(fields).is_none() {
        return Err(wrong(
            "data.UpdatedAt should match format date-time.".to_owned(),
        ));
    }
    if size(finding) > LARGEST {
        return Err("the finding is larger than 240 KB".to_owned());
    }
    Ok(fields)
}

fn size(finding: &Value) -> usize {
    finding.to_string().len()
}

fn refusal(id: &str, code: &'static str, message: &str) -> Structure {
    Structure::new()
        .with("Id", id)
        .with("ErrorCode", code)
        .with("ErrorMessage", message)
}

fn not_subscribed(account: AccountId) -> Failure {
    let message = format!("Account {account} is not subscribed to AWS Security Hub");
    Failure::new(ErrorClass::Denied, "InvalidAccessException", message).status(401)
}

fn invalid(message: impl Into<std::borrow::Cow<'static, str>>) -> Failure {
    Failure::invalid("InvalidInputException", message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn finding(updated_at: &str) -> Value {
        json!({
            "SchemaVersion": "2018-10-08", "Id": "a", "ProductArn": "p", "GeneratorId": "g",
            "AwsAccountId": "111111111111", "CreatedAt": updated_at, "UpdatedAt": updated_at,
            "Title": "t", "Description": "d", "Resources": [{ "Type": "Other", "Id": "r" }],
            "FindingProviderFields": { "Types": ["x"], "Severity": { "Label": "LOW" } },
        })
    }

    fn stored(hub: &SecurityHub) -> &Value {
        &hub.findings["p a"]
    }

    #[test]
    fn only_what_is_later_updates_and_nothing_that_customers_said() {
        let mut hub = SecurityHub::default();
        import(&mut hub, "p", &finding("2026-01-02T00:00:00Z")).unwrap();
        assert_eq!(stored(&hub)["Workflow"]["Status"], "NEW");
        assert_eq!(stored(&hub)["RecordState"], "ACTIVE");
        for (at, title, taken) in [
            ("2026-01-01T00:00:00Z", "earlier", false),
            ("2026-01-02T00:00:00Z", "same", false),
            ("2026-01-02T00:00:00.001Z", "later", true),
        ] {
            let mut update = finding(at);
            update["Title"] = title.into();
            update["Workflow"] = json!({ "Status": "SUPPRESSED" });
            import(&mut hub, "p", &update).unwrap();
            assert_eq!(stored(&hub)["Title"] == title, taken, "{title}");
        }
        assert_eq!(stored(&hub)["Workflow"]["Status"], "NEW");
        assert_eq!(hub.findings.len(), 1);
    }

    #[test]
    fn what_is_no_finding_is_refused() {
        for name in REQUIRED {
            let mut broken = finding("2026-01-02T00:00:00Z");
            broken.as_object_mut().unwrap().remove(name);
            assert!(check(&broken).unwrap_err().contains(name), "{name}");
        }
        let mut long = finding("2026-01-02T00:00:00Z");
        long["Title"] = "t".repeat(257).into();
        assert!(check(&long).is_err());
        long["Title"] = "t".into();
        long["Note"] = "n".repeat(LARGEST).into();
        assert!(check(&long).unwrap_err().contains("240 KB"));
    }
}
