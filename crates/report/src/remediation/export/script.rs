//! The plan as a shell script. It looks before it creates, so it can be run again.

use std::fmt::Write as _;

use super::{Export, ExportFile, role_arn};
use crate::remediation::plan::{Plan, Step};
use crate::remediation::resources::Change;
use crate::shell::{self, comment};

const FUNCTIONS: &str = include_str!("functions.sh");

pub(super) fn write(plan: &Plan) -> Export {
    let mut script = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(script, "#!/bin/sh");
    let _ = writeln!(
        script,
        "# Plan {} of trailproof {}.",
        comment(&plan.id),
        comment(&plan.tool_version)
    );
    script.push_str(FUNCTIONS);
    for topic in &plan.topics {
        let _ = writeln!(script, "\n# {}", comment(&topic.arn));
        block(plan, &topic.steps, &mut script);
    }
    for site in &plan.sites {
        let _ = writeln!(script, "\n# {}", comment(&site.id));
        for repair in &site.repairs {
            let _ = writeln!(
                script,
                "# {}: accounts that turn green: {}, that wait for a confirmation: {}",
                comment(&repair.control),
                repair.turns_green.len(),
                repair.waits_for_confirmation.len()
            );
        }
        for steps in site.steps.chunk_by(|a, b| a.account == b.account) {
            block(plan, steps, &mut script);
        }
    }
    Export {
        files: vec![ExportFile {
            name: "fix.sh".to_owned(),
            content: script,
            executable: true,
        }],
        notes: Vec::new(),
    }
}

/// The steps of one account, in a subshell: its credentials end with it.
fn block(plan: &Plan, steps: &[Step], script: &mut String) {
    let Some(first) = steps.first() else {
        return;
    };
    let role = role_arn(plan, first.region.partition(), first.account);
    let _ = writeln!(script, "(");
    let _ = writeln!(
        script,
        "    enter {} {} {}",
        first.account,
        shell::quote(first.region.as_str()),
        shell::quote(&role)
    );
    for step in steps {
        let _ = writeln!(script, "    {}", call(&step.change));
    }
    let _ = writeln!(script, ")");
}

/// The call of a function that looks and then runs the command that creates.
fn call(change: &Change) -> String {
    let (words, create) = change.resource().script();
    let mut words = words.iter();
    let mut call = words.next().cloned().unwrap_or_default();
    for word in words.map(|word| shell::quote(word)) {
        let _ = write!(call, " \\\n        {word}");
    }
    let _ = write!(call, " \\\n        {}", shell::program(&create));
    call
}
