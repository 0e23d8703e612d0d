//! The built-in controls, in the order of the benchmark, and the choice among them.

use std::sync::LazyLock;

use super::{Control, InvalidControl};

/// The control files, in the order of the benchmark's numbers.
const FILES: &[&str] = &[
    include_str!("../../controls/unauthorized-api-calls.toml"),
    include_str!("../../controls/console-signin-without-mfa.toml"),
    include_str!("../../controls/root-usage.toml"),
    include_str!("../../controls/iam-policy-changes.toml"),
    include_str!("../../controls/cloudtrail-changes.toml"),
    include_str!("../../controls/console-auth-failures.toml"),
    include_str!("../../controls/cmk-disable-or-delete.toml"),
    include_str!("../../controls/s3-bucket-policy-changes.toml"),
    include_str!("../../controls/aws-config-changes.toml"),
    include_str!("../../controls/security-group-changes.toml"),
    include_str!("../../controls/nacl-changes.toml"),
    include_str!("../../controls/network-gateway-changes.toml"),
    include_str!("../../controls/route-table-changes.toml"),
    include_str!("../../controls/vpc-changes.toml"),
    include_str!("../../controls/organizations-changes.toml"),
];

#[allow(
    clippy::expect_used,
    reason = "the files are part of this crate, and a test reads every one of them"
)]
static BUILTIN: LazyLock<Vec<Control>> = LazyLock::new(|| {
    FILES
        .iter()
        .map(|text| Control::from_toml(text).expect("a built-in control"))
        .collect()
});

/// The built-in controls, in the order of the benchmark's numbers.
pub fn builtin() -> &'static [Control] {
    &BUILTIN
}

/// Why controls cannot be chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    /// One of the user's controls is not usable.
    #[error(transparent)]
    Invalid(#[from] InvalidControl),
    /// Two controls with one id would give two findings with one id.
    #[error("there are two controls `{0}`; rename the one in the configuration file")]
    Duplicate(String),
    /// No control has this id.
    #[error("there is no control `{id}`{}", suggestion(.nearest.as_deref()))]
    Unknown {
        /// What was asked for.
        id: String,
        /// The control whose id looks most like it.
        nearest: Option<String>,
    },
}

fn suggestion(nearest: Option<&str>) -> String {
    match nearest {
        Some(id) => format!("; did you mean `{id}`?"),
        None => "; `trailproof controls list` shows all of them".to_owned(),
    }
}

/// The built-in controls and a user's own, after checking the user's.
pub fn with_custom(custom: Vec<Control>) -> Result<Vec<Control>, CatalogueError> {
    let mut controls = builtin().to_vec();
    for control in custom {
        control.validate()?;
        control.validate_possible()?;
        if controls.iter().any(|known| known.id == control.id) {
            return Err(CatalogueError::Duplicate(control.id));
        }
        controls.push(control);
    }
    Ok(controls)
}

/// The controls with these ids, in the order of the catalogue and each once; `all` means every one.
///
/// ```
/// use trailproof_core::control::{builtin, select};
///
/// let chosen = select(builtin(), &["root-usage".to_owned()]).unwrap();
/// assert_eq!(chosen[0].entry("7.0.0").unwrap().number, "5.3");
/// let error = select(builtin(), &["root_usage".to_owned()]).unwrap_err();
/// assert_eq!(error.to_string(), "there is no control `root_usage`; did you mean `root-usage`?");
/// ```
pub fn select(catalogue: &[Control], ids: &[String]) -> Result<Vec<Control>, CatalogueError> {
    if let Some(unknown) = ids
        .iter()
        .find(|id| *id != "all" && !catalogue.iter().any(|control| control.id == **id))
    {
        return Err(CatalogueError::Unknown {
            id: unknown.clone(),
            nearest: nearest(catalogue, unknown),
        });
    }
    let all = ids.iter().any(|id| id == "all");
    Ok(catalogue
        .iter()
        .filter(|control| all || ids.contains(&control.id))
        .cloned()
        .collect())
}

/// The id that shares the most words with what was asked for, or writes it with other separators.
///
/// A number is that of the newest benchmark version that has it.
fn nearest(catalogue: &[Control], wanted: &str) -> Option<String> {
    let number = wanted.trim_start_matches("CIS").trim();
    let newest = |control: &&Control| {
        let entries = control.benchmarks.iter();
        let of_number = entries.filter(|entry| entry.number == number);
        of_number.flat_map(|entry| &entry.versions).max().cloned()
    };
    let numbered = catalogue.iter().filter(|control| newest(control).is_some());
    if let Some(control) = numbered.max_by_key(newest) {
        return Some(control.id.clone());
    }
    let wanted = wanted.to_ascii_lowercase().replace(['_', ' ', '.'], "-");
    let shared = |control: &&Control| {
        control
            .id
            .split('-')
            .filter(|word| wanted.split('-').any(|other| other == *word))
            .count()
    };
    catalogue
        .iter()
        .filter(|control| shared(control) > 0 || control.security_hub_id() == wanted)
        .max_by_key(|control| (control.security_hub_id() == wanted, shared(control)))
        .map(|control| control.id.clone())
}

impl Control {
    fn security_hub_id(&self) -> String {
        self.security_hub.as_ref().map_or_else(String::new, |hub| {
            hub.control.to_ascii_lowercase().replace('.', "-")
        })
    }
}
