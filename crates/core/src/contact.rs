//! Whom an account names for questions of security.

use serde::Serialize;

/// The alternate contact of an account for security (Account Management API Reference,
/// `AlternateContact`). All of it is untrusted text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SecurityContact {
    /// The person's name.
    pub name: Option<String>,
    /// The person's title.
    pub title: Option<String>,
    /// An e-mail address.
    pub email: Option<String>,
    /// A phone number.
    pub phone: Option<String>,
}
