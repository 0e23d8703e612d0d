//! The words of the domain's enumerations, as the JSON Schemas list them.

use std::borrow::Cow;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::DeserializeOwned;
use trailproof_core::control::Severity;
use trailproof_core::finding::{LinkName, LinkStatus, Status};
use trailproof_core::policy::Assurance;
use trailproof_core::words;

/// One of the words of `T`.
pub(crate) struct Words<T>(PhantomData<T>);

/// An enumeration of the domain that documents hold.
pub(crate) trait Enumeration: DeserializeOwned {
    /// What the schemas call it, which is part of the format: readers' types are generated from it.
    const NAME: &'static str;
    /// What it tells.
    const DESCRIPTION: &'static str;
}

impl Enumeration for Status {
    const NAME: &'static str = "StatusName";
    const DESCRIPTION: &'static str = "A verdict.";
}

impl Enumeration for LinkStatus {
    const NAME: &'static str = "LinkStatusName";
    const DESCRIPTION: &'static str = "What became of a link.";
}

impl Enumeration for LinkName {
    const NAME: &'static str = "LinkWord";
    const DESCRIPTION: &'static str =
        "A link of the chain, in order; `account` is the door before them.";
}

impl Enumeration for Severity {
    const NAME: &'static str = "SeverityWord";
    const DESCRIPTION: &'static str = "How much a failure matters.";
}

impl Enumeration for Assurance {
    const NAME: &'static str = "AssuranceName";
    const DESCRIPTION: &'static str = "Which yardstick a status follows.";
}

impl<T: Enumeration> JsonSchema for Words<T> {
    fn schema_name() -> Cow<'static, str> {
        T::NAME.into()
    }

    fn schema_id() -> Cow<'static, str> {
        T::NAME.into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": T::DESCRIPTION,
            "type": "string",
            "enum": words::of::<T>(),
        })
    }
}
