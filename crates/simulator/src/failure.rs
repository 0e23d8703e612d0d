//! How AWS says no.

use std::borrow::Cow;

use trailproof_core::evidence::{CallError, ErrorClass};

/// An error of the AWS API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The code, such as `AccessDenied`.
    pub(crate) code: &'static str,
    /// The sentence that comes with it.
    pub(crate) message: Cow<'static, str>,
    /// The HTTP status.
    pub(crate) status: u16,
    /// What kind of failure it is for a reader of evidence.
    pub(crate) class: ErrorClass,
}

impl Failure {
    /// An error of status 400.
    pub(crate) fn new(
        class: ErrorClass,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            code,
            message: message.into(),
            status: 400,
            class,
        }
    }

    pub(crate) fn invalid(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorClass::Invalid, code, message)
    }

    pub(crate) fn not_found(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorClass::NotFound, code, message)
    }

    pub(crate) fn denied(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorClass::Denied, code, message)
    }

    /// The same error with another HTTP status.
    #[must_use]
    pub(crate) fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }
}

impl From<Failure> for CallError {
    fn from(failure: Failure) -> Self {
        Self {
            code: failure.code.to_owned(),
            message: failure.message.into_owned(),
            class: failure.class,
        }
    }
}
