//! What somebody knows from elsewhere, held against a bundle.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use trailproof_core::account::AccountId;
use trailproof_report::bundle::{AllowedSigners, Bundle};
use trailproof_report::run::{PolicyRecord, Run};

use crate::error::CliError;
use crate::output::Output;
use crate::settings::ConfigurationArguments;

/// What is known from outside the bundle.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What is known from elsewhere")]
pub(super) struct Expectations {
    /// The SHA-256 sum that `trailproof bundle` printed.
    #[arg(id = "expect_sha256", long = "expect-sha256", value_name = "SUM")]
    sha256: Option<String>,

    /// The organization that the evidence has to be of, such as o-a1b2c3d4e5.
    #[arg(
        id = "expect_organization",
        long = "expect-organization",
        value_name = "ID"
    )]
    organization: Option<String>,

    /// The policy that has to have been judged by: a configuration file, or a run.json. Mutes,
    /// attestations and own controls are part of it.
    #[arg(id = "expect_policy", long = "expect-policy", value_name = "FILE")]
    policy: Option<PathBuf>,

    /// Who may sign: a file of OpenSSH's form, as `ssh-keygen -Y verify -f` takes it (ssh-keygen(1),
    /// ALLOWED SIGNERS).
    #[arg(long, value_name = "FILE", requires = "expect_signer")]
    allowed_signers: Option<PathBuf>,

    /// Who has to have signed the bundle, by a name in that file.
    #[arg(
        id = "expect_signer",
        long = "expect-signer",
        value_name = "NAME",
        requires = "allowed_signers"
    )]
    signer: Option<String>,
}

/// The expectations, read.
pub(super) struct Known {
    /// Who has to have signed, and who may.
    signer: Option<(String, AllowedSigners)>,
    sha256: Option<String>,
    organization: Option<String>,
    policy: Option<(PathBuf, Policy)>,
}

/// A policy from elsewhere.
struct Policy {
    record: PolicyRecord,
    /// The accounts outside the organization that may be entered, where the file tells them.
    trusted: Option<Vec<AccountId>>,
}

/// One expectation, and what became of it.
pub(super) struct Expected {
    /// What was compared, such as `sha256`.
    pub(super) what: &'static str,
    /// How the bundle differs from it, in a sentence without its full stop.
    pub(super) problem: Option<String>,
}

impl Expectations {
    /// Reads what the files say, before anything is judged.
    pub(super) fn read(self, output: &Output) -> Result<Known, CliError> {
        let sha256 = self.sha256.map(|text| text.trim().to_lowercase());
        if let Some(sum) = &sha256
            && (sum.len() != 64 || !sum.bytes().all(|byte| byte.is_ascii_hexdigit()))
        {
            return Err(CliError::usage(format_args!("`{sum}` is no SHA-256 sum"))
                .hint("give the 64 digits that `trailproof bundle` or `sha256sum` printed"));
        }
        let policy = match self.policy {
            Some(path) => {
                let policy = Policy::read(&path, output)?;
                Some((path, policy))
            }
            None => None,
        };
        let signer = match (self.signer, self.allowed_signers) {
            (Some(name), Some(path)) => Some((name, read_signers(&path)?)),
            _ => None,
        };
        Ok(Known {
            signer,
            sha256,
            organization: self.organization,
            policy,
        })
    }
}

impl Known {
    /// Compares everything that is known. `organization` is the one that the evidence tells.
    pub(super) fn hold_against(
        &self,
        bundle: &Bundle,
        run: &Run,
        organization: Option<&str>,
    ) -> Vec<Expected> {
        let mut all = Vec::new();
        if let Some((name, allowed)) = &self.signer {
            let sums = bundle.sums.as_deref().unwrap_or_default();
            let signature = bundle.signature.as_deref();
            let checked = allowed.check(name, sums, signature, crate::clock::now());
            all.push(Expected {
                what: "signer",
                problem: checked.err().map(|error| error.to_string()),
            });
        }
        if let Some(sum) = &self.sha256 {
            all.push(Expected {
                what: "sha256",
                problem: (*sum != bundle.sha256).then(|| {
                    format!(
                        "the sum of the bundle is {}, and {sum} was expected",
                        bundle.sha256
                    )
                }),
            });
        }
        if let Some(id) = &self.organization {
            all.push(Expected {
                what: "organization",
                problem: (organization != Some(id)).then(|| {
                    format!(
                        "the evidence is of the organization {}, and {id} was expected",
                        organization.unwrap_or("of nobody")
                    )
                }),
            });
        }
        if let Some((path, policy)) = &self.policy {
            let differing = policy.differences(run);
            all.push(Expected {
                what: "policy",
                problem: (!differing.is_empty()).then(|| {
                    format!(
                        "the policy is not that of {}: {}",
                        path.display(),
                        differing.join("; ")
                    )
                }),
            });
        }
        all
    }
}

fn read_signers(path: &Path) -> Result<AllowedSigners, CliError> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        CliError::usage(format_args!("cannot read `{}`: {error}", path.display()))
            .hint("check the path given with --allowed-signers")
    })?;
    AllowedSigners::read(&text).map_err(|error| {
        CliError::usage(format_args!("`{}`: {error}", path.display())).hint(
            "write a name, a space, and the public key on each line: `auditor@example.com \
             ssh-ed25519 AAAA...`",
        )
    })
}

impl Policy {
    /// Reads a policy: that of a run where the file is JSON, else that of a configuration file.
    fn read(path: &Path, output: &Output) -> Result<Self, CliError> {
        let text = std::fs::read(path).map_err(|error| {
            CliError::usage(format_args!("cannot read `{}`: {error}", path.display()))
                .hint("check the path given with --expect-policy")
        })?;
        if let Ok(Value::Object(members)) = serde_json::from_slice(&text) {
            let run: Run = serde_json::from_value(Value::Object(members)).map_err(|error| {
                CliError::usage(format_args!("`{}` is no run.json: {error}", path.display()))
                    .hint("name a run.json or a configuration file")
            })?;
            return Ok(Self {
                trusted: Some(run.scope.trusted_accounts),
                record: run.policy,
            });
        }
        let file = ConfigurationArguments {
            config: Some(path.to_owned()),
        }
        .load(output)?;
        let catalogue = file.catalogue()?;
        let mutes = file.mutes(&catalogue)?;
        let attestations = file.attestations(&catalogue)?;
        let mut policy = file.policy.policy(&catalogue)?;
        policy.forwarders = file.forwarders()?;
        policy.monitoring_accounts.clone_from(&file.monitoring);
        let builtin = trailproof_core::control::builtin();
        let mut record = PolicyRecord::of(&policy, crate::clock::now(), |control| {
            builtin.contains(control)
        });
        record.mutes = mutes;
        record.attestations = attestations;
        record.fail_on = file.policy.fail_on.map(Into::into);
        Ok(Self {
            record,
            trusted: Some(file.trusted.into_iter().collect()),
        })
    }

    /// What of a run's policy is another, by the names of run.json.
    fn differences(&self, run: &Run) -> Vec<String> {
        let mut expected = json!(PolicyRecord {
            evaluated_at: run.policy.evaluated_at,
            ..self.record.clone()
        });
        let mut found = json!(run.policy);
        if let Some(trusted) = &self.trusted {
            for (policy, accounts) in [
                (&mut expected, trusted),
                (&mut found, &run.scope.trusted_accounts),
            ] {
                if let Some(members) = policy.as_object_mut() {
                    members.insert("trusted_accounts".to_owned(), json!(accounts));
                }
            }
        }
        let members = |value: &Value| -> Vec<String> {
            let members = value.as_object().into_iter().flatten();
            members.map(|(name, _)| name.clone()).collect()
        };
        let mut names = members(&expected);
        names.extend(members(&found));
        names.sort_unstable();
        names.dedup();
        let differing = names
            .iter()
            .filter(|name| expected.get(name.as_str()) != found.get(name.as_str()));
        differing
            .map(|name| {
                format!(
                    "{name} is {} and not {}",
                    short(found.get(name)),
                    short(expected.get(name))
                )
            })
            .collect()
    }
}

/// A value in a sentence: lists of tables by their length.
fn short(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "absent".to_owned(),
        Some(Value::Array(members)) if members.iter().any(Value::is_object) => {
            match members.len() {
                1 => "1 table".to_owned(),
                many => format!("{many} tables"),
            }
        }
        Some(value) => value.to_string(),
    }
}
