//! A command of the AWS CLI as the words it consists of, before any shell has read them.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Command {
    /// The program and its arguments.
    pub words: Vec<Word>,
}

/// A word of a command.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// Exactly this text. Names in AWS are untrusted.
    Text(Cow<'static, str>),
    /// What the person knows and evidence does not, under this name.
    Variable(Cow<'static, str>),
}

impl Word {
    /// A text that is not known before.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(Cow::Owned(text.into()))
    }

    /// The text, or the name of what the person knows.
    fn as_str(&self) -> &str {
        let (Self::Text(text) | Self::Variable(text)) = self;
        text
    }
}

impl Command {
    /// An operation of the AWS CLI, such as `sns create-topic`.
    pub fn aws(operation: &'static str) -> Self {
        Self { words: Vec::new() }.switch("aws").switches(operation)
    }

    /// The operation, such as `sns create-topic`.
    pub fn operation(&self) -> String {
        let words = self.words.iter().skip(1).take(2);
        words.map(Word::as_str).collect::<Vec<_>>().join(" ")
    }

    /// The options after the operation, each with its value, if it has one.
    pub fn options(&self) -> Vec<(&str, Option<&Word>)> {
        let mut options: Vec<(&str, Option<&Word>)> = Vec::new();
        for word in self.words.iter().skip(3) {
            match (word, options.last_mut()) {
                (Word::Text(option), _) if option.starts_with("--") => options.push((option, None)),
                (word, Some((_, value))) => *value = value.or(Some(word)),
                (_, None) => {}
            }
        }
        options
    }

    /// The value of an option, where it is known.
    pub fn value(&self, option: &str) -> Option<&str> {
        let options = self.options();
        let (_, value) = options.iter().find(|(name, _)| *name == option)?;
        match value {
            Some(Word::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Whether an option is given.
    pub fn has(&self, option: &str) -> bool {
        self.options().iter().any(|(name, _)| *name == option)
    }

    fn switches(self, words: &'static str) -> Self {
        words.split_whitespace().fold(self, Self::switch)
    }

    /// Adds a word that is the same in every such command.
    #[must_use]
    pub fn switch(mut self, word: &'static str) -> Self {
        self.words.push(Word::Text(Cow::Borrowed(word)));
        self
    }

    /// Adds an option and its value.
    #[must_use]
    pub fn with(self, option: &'static str, value: impl Into<String>) -> Self {
        self.with_word(option, Word::text(value))
    }

    /// Adds an option and a value that is always the same.
    #[must_use]
    pub fn with_fixed(self, option: &'static str, value: &'static str) -> Self {
        self.switch(option).switch(value)
    }

    /// Adds an option whose value the person has to give.
    #[must_use]
    pub fn with_variable(self, option: &'static str, name: &'static str) -> Self {
        self.with_word(option, Word::Variable(Cow::Borrowed(name)))
    }

    /// Adds an option and a word.
    #[must_use]
    pub fn with_word(self, option: &'static str, word: Word) -> Self {
        let mut command = self.switch(option);
        command.words.push(word);
        command
    }

    /// Adds the region, where it is not the shell's own.
    #[must_use]
    pub fn in_region(self, region: Option<&str>) -> Self {
        match region {
            Some(region) => self.with("--region", region),
            None => self,
        }
    }
}
