//! The JSON Schema of `trailproof.toml`, for editors: the keys are the flags, with the words of the
//! help text, and the tables.

use serde_json::{Map, Value, json};

use super::file::OTHER_KEYS;
use super::origin::{flags, is_list, is_number, is_switch};

/// What the value of a table's key is.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    /// A date, or a date and a time, as TOML or as text.
    Time,
    /// One text or a list of them.
    Texts,
    Switch,
    Number,
    /// What only programs write, such as numbers of benchmark versions.
    Anything,
}

/// A table: its key, and of each member its key, its kind, whether it has to be there, and what it
/// says.
type Table = (
    &'static str,
    &'static [(&'static str, Kind, bool, &'static str)],
);

const ACCOUNT: (&str, Kind, bool, &str) = ("account", Kind::Texts, false, "Only these accounts");
const OU: (&str, Kind, bool, &str) = (
    "ou",
    Kind::Texts,
    false,
    "Only accounts below these organizational units: ids, paths of ids, names, or names from the root down",
);
const TAG: (&str, Kind, bool, &str) = (
    "tag",
    Kind::Texts,
    false,
    "Only accounts with all of these tags, key=value",
);
const CONTROL: (&str, Kind, bool, &str) = ("control", Kind::Texts, false, "Only these controls");
const EXPIRES: (&str, Kind, bool, &str) = ("expires", Kind::Time, true, "When it ends");
const NAMED: [(&str, Kind, bool, &str); 2] = [
    ("account", Kind::Text, true, "The account"),
    (
        "justification",
        Kind::Text,
        false,
        "Why, for whoever reads the file",
    ),
];

/// The tables of the file. A test holds them against the types that are read.
const TABLES: [Table; 7] = [
    (
        "member-role",
        &[
            ACCOUNT,
            (
                "ou",
                Kind::Texts,
                false,
                "Only accounts below these organizational units: ids, paths of ids, names, or names from the root down",
            ),
            TAG,
            (
                "role",
                Kind::Texts,
                true,
                "The roles of these accounts, in place of the others",
            ),
            ("external-id", Kind::Text, false, "Their external id"),
            (
                "session-name",
                Kind::Text,
                false,
                "The name of their sessions",
            ),
        ],
    ),
    (
        "mute",
        &[
            ACCOUNT,
            OU,
            TAG,
            CONTROL,
            (
                "reason",
                Kind::Texts,
                false,
                "Only findings with these reasons, or with any of a link",
            ),
            (
                "unknown",
                Kind::Switch,
                false,
                "Whether UNKNOWN is accepted, too",
            ),
            ("justification", Kind::Text, true, "Why it is accepted"),
            ("owner", Kind::Text, true, "Who accepts it"),
            EXPIRES,
        ],
    ),
    (
        "attestation",
        &[
            ACCOUNT,
            OU,
            TAG,
            CONTROL,
            (
                "system",
                Kind::Text,
                true,
                "Which system watches the events",
            ),
            ("statement", Kind::Text, true, "What it does with them"),
            ("owner", Kind::Text, true, "Who stands for it"),
            EXPIRES,
            ("reference", Kind::Text, false, "Where it is written down"),
        ],
    ),
    (
        "forwarder",
        &[
            (
                "topic",
                Kind::Text,
                true,
                "A pattern of the ARNs of the topics it is subscribed to",
            ),
            (
                "endpoint",
                Kind::Text,
                true,
                "A pattern of the ARNs of its endpoint",
            ),
            (
                "target",
                Kind::Text,
                false,
                "The ARN of the topic it publishes to",
            ),
            (
                "delivers-to",
                Kind::Text,
                false,
                "Who is told, where it is not a topic that tells them",
            ),
            ("owner", Kind::Text, false, "Who says so"),
            ("expires", Kind::Time, false, "Until when it is believed"),
        ],
    ),
    ("trusted-account", &NAMED),
    ("monitoring-account", &NAMED),
    (
        "control",
        &[
            ("id", Kind::Text, true, "A name of its own"),
            ("title", Kind::Text, true, "What it asks for"),
            ("description", Kind::Text, false, "What it is for"),
            ("severity", Kind::Text, false, "How much a failure matters"),
            (
                "pattern",
                Kind::Text,
                true,
                "The filter pattern that has to be covered",
            ),
            (
                "scope",
                Kind::Text,
                false,
                "Which accounts have to watch the events",
            ),
            (
                "elsewhere",
                Kind::Text,
                false,
                "The events that only the trails of other accounts see",
            ),
            (
                "facts",
                Kind::Text,
                false,
                "What is true of every such event, as a filter pattern",
            ),
            (
                "max-events",
                Kind::Number,
                false,
                "How many events an alarm may need",
            ),
            (
                "account-fields",
                Kind::Texts,
                false,
                "Fields that hold the number of the account",
            ),
            (
                "security_hub",
                Kind::Anything,
                false,
                "The control of AWS Security Hub",
            ),
            (
                "benchmark",
                Kind::Anything,
                false,
                "How each benchmark version numbers it",
            ),
            (
                "mapping",
                Kind::Anything,
                false,
                "Requirements of other frameworks",
            ),
            (
                "related",
                Kind::Anything,
                false,
                "Events that are worth catching, too",
            ),
            (
                "example",
                Kind::Anything,
                false,
                "An event as CloudTrail writes it",
            ),
        ],
    ),
];

impl Kind {
    fn schema(self) -> Value {
        match self {
            Self::Text => json!({ "type": "string" }),
            Self::Time => json!({ "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}" }),
            Self::Texts => json!({
                "anyOf": [
                    { "type": "string" },
                    { "type": "array", "items": { "type": "string" } },
                ]
            }),
            Self::Switch => json!({ "type": "boolean" }),
            Self::Number => json!({ "type": "integer", "minimum": 1 }),
            Self::Anything => json!({}),
        }
    }
}

/// The schema.
pub(crate) fn schema() -> Value {
    let mut properties = Map::new();
    for (key, flag) in flags() {
        let words: Vec<String> = flag
            .get_possible_values()
            .iter()
            .map(|value| value.get_name().to_owned())
            .collect();
        let mut of_one = json!({ "type": "string" });
        if !words.is_empty() {
            of_one = json!({ "type": "string", "enum": words });
        }
        let mut schema = if is_switch(&flag) {
            Kind::Switch.schema()
        } else if is_number(&key) {
            Kind::Number.schema()
        } else if ["role", "hub-role"].contains(&key.as_str()) {
            Kind::Texts.schema()
        } else if is_list(&flag) {
            json!({ "type": "array", "items": of_one })
        } else {
            of_one
        };
        let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
        describe(&mut schema, &help);
        properties.insert(key, schema);
    }
    let mut roles = Kind::Texts.schema();
    describe(&mut roles, "Another name of `role`.");
    properties.insert("roles".to_owned(), roles);
    for (name, members) in TABLES {
        let mut of_table = Map::new();
        for (key, kind, _, help) in members {
            let mut schema = kind.schema();
            describe(&mut schema, help);
            of_table.insert((*key).to_owned(), schema);
        }
        for (key, other) in [
            ("account", "accounts"),
            ("control", "controls"),
            ("role", "roles"),
        ] {
            let several = members
                .iter()
                .find(|(known, kind, ..)| *known == key && matches!(kind, Kind::Texts));
            // A control's own key of that name is a table of other things.
            if let Some((_, kind, ..)) = several {
                of_table.insert(other.to_owned(), kind.schema());
            }
        }
        let required: Vec<&str> = members
            .iter()
            .filter(|(key, _, required, _)| *required && *key != "role")
            .map(|(key, ..)| *key)
            .collect();
        properties.insert(
            name.to_owned(),
            json!({
                "type": "array",
                "items": {
                    "type": "object",
                    "additionalProperties": false,
                    "required": required,
                    "properties": of_table,
                },
            }),
        );
    }
    debug_assert!(OTHER_KEYS.iter().all(|key| properties.contains_key(*key)));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "trailproof.toml",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    })
}

fn describe(schema: &mut Value, text: &str) {
    if let Some(members) = schema.as_object_mut() {
        members.insert("description".to_owned(), Value::from(text));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn example() -> toml::Table {
        toml::from_str(include_str!("../../../../docs/trailproof.toml")).unwrap()
    }

    fn members(schema: &Value) -> BTreeSet<String> {
        let members = schema["properties"].as_object().unwrap();
        members.keys().cloned().collect()
    }

    #[test]
    fn every_key_of_the_file_is_in_the_schema() {
        let schema = schema();
        let known: BTreeSet<String> = super::super::file::known_keys().into_iter().collect();
        assert_eq!(members(&schema), known);
        for (key, value) in example() {
            let of_key = &schema["properties"][&key];
            assert!(of_key.is_object(), "{key}");
            let tables = value.as_array().into_iter().flatten();
            for table in tables.filter_map(toml::Value::as_table) {
                for member in table.keys() {
                    assert!(members(&of_key["items"]).contains(member), "{key}.{member}");
                }
            }
        }
    }

    #[test]
    fn the_tables_have_the_members_that_are_read() {
        let schema = schema();
        for (name, _) in TABLES {
            let items = &schema["properties"][name]["items"];
            for member in members(items) {
                // A member of a wrong type is complained of, and not one that nobody knows.
                let text = format!("[[{name}]]\n{member} = {{ wrong = {{ wrong = true }} }}\n");
                let error = super::super::file::refusal(&text);
                let unknown = format!("unknown key `{member}`");
                assert!(!error.contains(&unknown), "{name}.{member}: {error}");
            }
            let error = super::super::file::refusal(&format!("[[{name}]]\nnobody-knows = 1\n"));
            assert!(
                error.contains("unknown key `nobody-knows`"),
                "{name}: {error}"
            );
            // The refusal lists what is known: the schema has all of it.
            let known: BTreeSet<String> = error
                .split('`')
                .skip(3)
                .step_by(2)
                .map(str::to_owned)
                .collect();
            let missing: Vec<_> = {
                let members = members(items);
                known.difference(&members).cloned().collect()
            };
            assert!(missing.is_empty(), "{name}: {missing:?} in {error}");
        }
    }
}
