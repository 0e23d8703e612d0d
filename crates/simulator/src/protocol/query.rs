//! awsQuery: forms with dotted names in, XML out.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::document::{Document, Structure};
use crate::failure::Failure;
use crate::operation::{Operation, Service};

/// A form as a tree of the parts of its dotted names.
#[derive(Debug, Default)]
struct Node {
    value: Option<String>,
    children: BTreeMap<String, Node>,
}

/// Nothing that a client sends here is nested deeper.
const DEPTH: usize = 16;

pub(super) fn read(body: &[u8]) -> Map<String, Value> {
    let mut root = Node::default();
    for (name, value) in form_urlencoded::parse(body) {
        let node = name.split('.').take(DEPTH).fold(&mut root, |node, part| {
            node.children.entry(part.to_owned()).or_default()
        });
        node.value = Some(value.into_owned());
    }
    members(root)
}

fn members(node: Node) -> Map<String, Value> {
    node.children
        .into_iter()
        .map(|(name, child)| (name, value(child)))
        .collect()
}

fn value(mut node: Node) -> Value {
    if let Some(list) = node.children.remove("member") {
        return numbered(list).map(value).collect();
    }
    if let Some(map) = node.children.remove("entry") {
        let entries = numbered(map).filter_map(|mut entry| {
            let key = entry.children.remove("key")?.value?;
            let content = entry.children.remove("value")?;
            Some((key, value(content)))
        });
        return Value::Object(entries.collect());
    }
    match node.value {
        Some(text) if node.children.is_empty() => Value::String(text),
        _ => Value::Object(members(node)),
    }
}

/// The children in the order of their numbers.
fn numbered(node: Node) -> impl Iterator<Item = Node> {
    let ordered: BTreeMap<u32, Node> = node
        .children
        .into_iter()
        .filter_map(|(number, child)| Some((number.parse().ok()?, child)))
        .collect();
    ordered.into_values()
}

pub(super) fn write(operation: Operation, answer: &Structure, request_id: &str) -> Vec<u8> {
    let name = operation.wire_name();
    let namespace = namespace(operation.service());
    let mut xml = String::with_capacity(512);
    xml.extend([
        "<",
        name,
        "Response xmlns=\"",
        namespace,
        "\"><",
        name,
        "Result>",
    ]);
    for (member, value) in answer.members() {
        element(&mut xml, member, value);
    }
    xml.extend([
        "</",
        name,
        "Result><ResponseMetadata><RequestId>",
        request_id,
        "</RequestId></ResponseMetadata></",
        name,
        "Response>",
    ]);
    xml.into_bytes()
}

pub(super) fn write_failure(
    service: Service,
    failure: &Failure,
    fault: &str,
    request_id: &str,
) -> Vec<u8> {
    let mut xml = format!(
        "<ErrorResponse xmlns=\"{}\"><Error><Type>{fault}</Type><Code>{}</Code><Message>",
        namespace(service),
        failure.code
    );
    escape(&mut xml, &failure.message);
    xml.extend([
        "</Message></Error><RequestId>",
        request_id,
        "</RequestId></ErrorResponse>",
    ]);
    xml.into_bytes()
}

fn namespace(service: Service) -> &'static str {
    match service {
        Service::Sns => "http://sns.amazonaws.com/doc/2010-03-31/",
        Service::CloudWatch => "http://monitoring.amazonaws.com/doc/2010-08-01/",
        _ => "https://sts.amazonaws.com/doc/2011-06-15/",
    }
}

fn element(xml: &mut String, name: &str, value: &Document) {
    xml.push('<');
    xml.push_str(name);
    xml.push('>');
    match value {
        Document::Bool(value) => xml.push_str(if *value { "true" } else { "false" }),
        Document::Integer(value) => xml.push_str(&value.to_string()),
        Document::Float(value) => xml.push_str(&value.to_string()),
        Document::Text(text) => escape(xml, text),
        Document::Time(time) => xml.push_str(&time.to_string()),
        Document::List(items) => {
            for item in items {
                element(xml, "member", item);
            }
        }
        Document::Structure(structure) => {
            for (member, value) in structure.members() {
                element(xml, member, value);
            }
        }
        Document::Map(entries) => {
            for (key, value) in entries {
                xml.push_str("<entry><key>");
                escape(xml, key);
                xml.push_str("</key>");
                element(xml, "value", value);
                xml.push_str("</entry>");
            }
        }
    }
    xml.push_str("</");
    xml.push_str(name);
    xml.push('>');
}

fn escape(xml: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '&' => xml.push_str("&amp;"),
            '"' => xml.push_str("&quot;"),
            '\r' => xml.push_str("&#xD;"),
            // XML 1.0 cannot say them in any way.
            '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' => xml.push('?'),
            _ => xml.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn forms_become_parameters() {
        let form = "Action=PutMetricAlarm&AlarmName=a%20%26%20b&AlarmActions.member.2=second\
                    &AlarmActions.member.1=first&Dimensions.member.1.Name=n\
                    &Dimensions.member.1.Value=v&Attributes.entry.1.key=Policy\
                    &Attributes.entry.1.value=%7B%7D";
        assert_eq!(
            Value::Object(read(form.as_bytes())),
            json!({
                "Action": "PutMetricAlarm", "AlarmName": "a & b",
                "AlarmActions": ["first", "second"],
                "Dimensions": [{"Name": "n", "Value": "v"}],
                "Attributes": {"Policy": "{}"},
            })
        );
    }

    #[test]
    fn lists_are_in_the_order_of_their_numbers() {
        let form: Vec<String> = (1..=12).map(|n| format!("L.member.{n}={n}")).collect();
        let form = form.join("&");
        let list = read(form.as_bytes());
        assert_eq!(list["L"][9], "10");
        assert_eq!(list["L"][1], "2");
    }

    #[test]
    fn answers_become_xml() {
        let answer = Structure::new()
            .with("TopicArn", "a<b>&\"c\"")
            .with(
                "Attributes",
                Document::Map(vec![("k".to_owned(), "v".into())]),
            )
            .with(
                "Topics",
                Document::from_iter([Structure::new().with("N", 1)]),
            );
        assert_eq!(
            String::from_utf8(write(Operation::GetTopicAttributes, &answer, "id")).unwrap(),
            "<GetTopicAttributesResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\
             <GetTopicAttributesResult><TopicArn>a&lt;b&gt;&amp;&quot;c&quot;</TopicArn>\
             <Attributes><entry><key>k</key><value>v</value></entry></Attributes>\
             <Topics><member><N>1</N></member></Topics></GetTopicAttributesResult>\
             <ResponseMetadata><RequestId>id</RequestId></ResponseMetadata>\
             </GetTopicAttributesResponse>"
        );
    }
}
