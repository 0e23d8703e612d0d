//! Blocks of HCL, formatted as `terraform fmt` formats them.

use std::fmt::Write as _;

use super::quote::hcl;

/// A block with its attributes and the blocks in it.
#[derive(Debug, Default)]
pub(crate) struct Block {
    head: String,
    attributes: Vec<(String, String)>,
    maps: Vec<(String, Vec<(String, String)>)>,
    blocks: Vec<Block>,
}

impl Block {
    /// A block such as `resource "type" "name"`.
    pub(crate) fn new(kind: &str, labels: &[&str]) -> Self {
        Self {
            head: head(kind, labels),
            ..Self::default()
        }
    }

    /// The same arguments in a block of this kind, after one that is an expression.
    pub(crate) fn of(mut self, kind: &str, labels: &[&str], name: &str, value: String) -> Self {
        self.head = head(kind, labels);
        self.attributes.insert(0, (name.to_owned(), value));
        self
    }

    /// The same arguments in a block of this kind.
    pub(crate) fn alone(mut self, kind: &str, labels: &[&str]) -> Self {
        self.head = head(kind, labels);
        self
    }

    /// An attribute that is a string.
    pub(crate) fn text(self, name: &str, value: &str) -> Self {
        self.raw(name, hcl(value))
    }

    /// An attribute that is an expression.
    pub(crate) fn raw(mut self, name: &str, expression: impl Into<String>) -> Self {
        self.attributes.push((name.to_owned(), expression.into()));
        self
    }

    /// An attribute that is a map of strings; left out when it is empty.
    pub(crate) fn map<'a>(
        mut self,
        name: &str,
        entries: impl IntoIterator<Item = (&'a String, &'a String)>,
    ) -> Self {
        let entries: Vec<_> = entries
            .into_iter()
            .map(|(key, value)| (hcl(key), hcl(value)))
            .collect();
        if !entries.is_empty() {
            self.maps.push((name.to_owned(), entries));
        }
        self
    }

    /// A block within the block.
    pub(crate) fn block(mut self, block: Self) -> Self {
        self.blocks.push(block);
        self
    }

    pub(crate) fn write(&self, depth: usize, text: &mut String) {
        let indent = "  ".repeat(depth);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{indent}{} {{", self.head);
        aligned(&self.attributes, depth + 1, text);
        let mut first = self.attributes.is_empty();
        for (name, entries) in &self.maps {
            separate(&mut first, text);
            let _ = writeln!(text, "{indent}  {name} = {{");
            aligned(entries, depth + 2, text);
            let _ = writeln!(text, "{indent}  }}");
        }
        for block in &self.blocks {
            separate(&mut first, text);
            block.write(depth + 1, text);
        }
        let _ = writeln!(text, "{indent}}}");
    }
}

fn head(kind: &str, labels: &[&str]) -> String {
    labels.iter().fold(kind.to_owned(), |mut head, label| {
        head.push(' ');
        head.push_str(&hcl(label));
        head
    })
}

fn separate(first: &mut bool, text: &mut String) {
    if !std::mem::take(first) {
        text.push('\n');
    }
}

fn aligned(attributes: &[(String, String)], depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    let width = attributes
        .iter()
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or(0);
    for (name, value) in attributes {
        let _ = writeln!(text, "{indent}{name:<width$} = {value}");
    }
}
