//! Names of what a repair creates: templates, in the user's words. What AWS allows, and what
//! becomes of a name that is taken, is the same for a finding's commands and stands with them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use trailproof_core::account::{AccountId, Region};
pub use trailproof_core::remedy::{InvalidName, NameKind};

use crate::untrusted::visible;

/// A text with placeholders, such as `trailproof-{control}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Placeholder(Placeholder),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Placeholder {
    Account,
    Region,
    Partition,
    Control,
    LogGroup,
}

impl Placeholder {
    const ALL: [Self; 5] = [
        Self::Account,
        Self::Region,
        Self::Partition,
        Self::Control,
        Self::LogGroup,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Region => "region",
            Self::Partition => "partition",
            Self::Control => "control",
            Self::LogGroup => "log_group",
        }
    }
}

/// A template that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTemplate {
    /// A placeholder that does not exist.
    #[error(
        "`{{{placeholder}}}` in `{template}` is not a placeholder: use {{account}}, {{region}}, {{partition}}, {{control}} or {{log_group}}"
    )]
    UnknownPlaceholder {
        /// The whole template.
        template: String,
        /// The word in braces.
        placeholder: String,
    },
    /// An opening brace without a closing one.
    #[error("`{0}` has a `{{` without a `}}`")]
    Unclosed(String),
}

/// What the placeholders of a template stand for.
#[derive(Debug, Clone, Copy)]
pub struct NameContext<'a> {
    /// `{account}`.
    pub account: AccountId,
    /// `{region}`, and with it `{partition}`.
    pub region: &'a Region,
    /// `{control}`, such as `console-auth-failures`.
    pub control: &'a str,
    /// `{log_group}`.
    pub log_group: &'a str,
}

impl Template {
    /// A text without placeholders.
    pub(crate) fn literal(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            parts: vec![Part::Text(text.to_owned())],
        }
    }

    /// The text with every placeholder replaced.
    pub fn render(&self, context: NameContext<'_>) -> String {
        let mut text = String::with_capacity(self.text.len() + 16);
        for part in &self.parts {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Placeholder(Placeholder::Account) => {
                    text.push_str(&context.account.to_string());
                }
                Part::Placeholder(Placeholder::Region) => text.push_str(context.region.as_str()),
                Part::Placeholder(Placeholder::Partition) => {
                    text.push_str(context.region.partition().as_str());
                }
                Part::Placeholder(Placeholder::Control) => text.push_str(context.control),
                Part::Placeholder(Placeholder::LogGroup) => text.push_str(context.log_group),
            }
        }
        text
    }

    /// The text as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Checks a name as AWS does, and refuses characters that a reader of the plan does not see as they
/// are: control characters, overrides of the reading order, invisible ones.
pub(super) fn check(kind: NameKind, name: &str) -> Result<(), InvalidName> {
    kind.check(name)?;
    if visible(name) == name {
        return Ok(());
    }
    Err(InvalidName {
        name: visible(name),
        kind,
        problem: "it has characters that cannot be seen",
    })
}

impl FromStr for Template {
    type Err = InvalidTemplate;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, after)) = rest.split_once('{') {
            if !literal.is_empty() {
                parts.push(Part::Text(literal.to_owned()));
            }
            let Some((word, behind)) = after.split_once('}') else {
                return Err(InvalidTemplate::Unclosed(text.to_owned()));
            };
            let placeholder = Placeholder::ALL
                .into_iter()
                .find(|placeholder| placeholder.as_str() == word)
                .ok_or_else(|| InvalidTemplate::UnknownPlaceholder {
                    template: text.to_owned(),
                    placeholder: word.to_owned(),
                })?;
            parts.push(Part::Placeholder(placeholder));
            rest = behind;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self {
            text: text.to_owned(),
            parts,
        })
    }
}

impl TryFrom<String> for Template {
    type Error = InvalidTemplate;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Template> for String {
    fn from(template: Template) -> Self {
        template.text
    }
}

impl fmt::Display for Template {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(template: &str) -> String {
        let region = Region::new("cn-north-1");
        template.parse::<Template>().unwrap().render(NameContext {
            account: "111111111111".parse().unwrap(),
            region: &region,
            control: "console-auth-failures",
            log_group: "trail/logs",
        })
    }

    #[test]
    fn placeholders_are_replaced() {
        assert_eq!(
            render("a-{control}-{account}.{region}.{partition}.{log_group}"),
            "a-console-auth-failures-111111111111.cn-north-1.aws-cn.trail/logs"
        );
        assert_eq!(render("plain"), "plain");
        assert_eq!(render(""), "");
    }

    #[test]
    fn a_template_names_what_is_wrong_with_it() {
        let unknown = "x-{accountid}".parse::<Template>().unwrap_err();
        assert!(
            unknown
                .to_string()
                .starts_with("`{accountid}` in `x-{accountid}` is not")
        );
        assert_eq!(
            "x-{account".parse::<Template>(),
            Err(InvalidTemplate::Unclosed("x-{account".to_owned()))
        );
    }
}
