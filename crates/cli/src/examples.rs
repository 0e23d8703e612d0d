//! The examples at the end of every `--help`. A test runs each of them, in a folder with a run, a
//! plan, a bundle and whatever else they name.

use std::fmt::Write as _;

use clap::Command;

/// What is said of an example, and what is typed.
type Example = (&'static str, &'static str);

/// The examples of the commands that do something, by the words of the command.
const EXAMPLES: &[(&str, &[Example])] = &[
    (
        "scan",
        &[
            (
                "Every account of the organization, with the report as a page",
                "trailproof scan --out run --format html",
            ),
            (
                "All fifteen controls, for one organizational unit",
                "trailproof scan --control all --ou Workloads/Prod --out run",
            ),
            (
                "Accounts of AWS Control Tower, and others",
                "trailproof scan --role AWSControlTowerExecution --role OrganizationAccountAccessRole --out run",
            ),
            ("Go on where a scan ended", "trailproof scan --resume run"),
        ],
    ),
    (
        "evaluate",
        &[
            (
                "By another version of the benchmark",
                "trailproof evaluate --evidence run --benchmark 5.0.0 --out again",
            ),
            (
                "As the benchmark's letter has it, for the end of the year",
                "trailproof evaluate --evidence evidence.ndjson --assurance cis --now 2026-12-31T00:00:00Z --out again",
            ),
        ],
    ),
    (
        "fix plan",
        &[
            (
                "Repair what fails, and send messages to an address",
                "trailproof fix plan run --subscribe email:security@example.com --out plan.json",
            ),
            (
                "One unit, with the topics that are there already in each region",
                "trailproof fix plan run --ou Workloads --topic 'arn:aws:sns:{region}:111111111111:security-alarms' --out plan.json",
            ),
            (
                "One topic for each region in the security account, which every alarm notifies",
                "trailproof fix plan run --subscribe email:security@example.com --central 222222222222 --out plan.json",
            ),
            (
                "For a change ticket, without asking AWS",
                "trailproof fix plan run --offline --format markdown --out plan.json",
            ),
        ],
    ),
    (
        "fix show",
        &[
            ("Read a plan again", "trailproof fix show plan.json"),
            (
                "Every site by itself",
                "trailproof fix show plan.json --list-sites",
            ),
        ],
    ),
    (
        "fix apply",
        &[
            (
                "What would be done now",
                "trailproof fix apply plan.json --dry-run",
            ),
            (
                "Without a question, at most 50 changes, and keep the scan afterwards",
                "trailproof fix apply plan.json --yes --max-changes 50 --out after",
            ),
        ],
    ),
    (
        "fix undo",
        &[(
            "Take back what a plan created",
            "trailproof fix undo journal.ndjson --yes",
        )],
    ),
    (
        "fix export",
        &[
            (
                "A shell script",
                "trailproof fix export plan.json --format script --out commands",
            ),
            (
                "One template for a StackSet, with the commands that roll it out",
                "trailproof fix export plan.json --format stackset --out stack",
            ),
        ],
    ),
    (
        "fix drill",
        &[(
            "See the message of an alarm arrive that a plan created",
            "trailproof fix drill journal.ndjson --site 588083195489/us-east-1/cloudtrail --yes",
        )],
    ),
    (
        "show",
        &[
            ("What is open, by cause", "trailproof show run"),
            (
                "One control in one organizational unit",
                "trailproof show run --control 5.6 --ou Workloads --status fail,unknown",
            ),
            (
                "For a program",
                "trailproof show run --reason subscription.none --format json",
            ),
        ],
    ),
    (
        "explain",
        &[
            (
                "One finding, link by link",
                "trailproof explain run 588083195489/console-auth-failures",
            ),
            (
                "What a reason means",
                "trailproof explain subscription.pending",
            ),
        ],
    ),
    (
        "diff",
        &[
            (
                "What changed since last week",
                "trailproof diff last-week run",
            ),
            (
                "A table for a ticket",
                "trailproof diff last-week run --format markdown",
            ),
        ],
    ),
    (
        "history",
        &[(
            "The pass rate over all runs of a folder",
            "trailproof history runs",
        )],
    ),
    (
        "export",
        &[
            (
                "A workbook and a page of a run that is there already",
                "trailproof export run --format xlsx,html",
            ),
            (
                "One format to stdout",
                "trailproof export run --format summary --out -",
            ),
        ],
    ),
    (
        "publish",
        &[
            (
                "What would be sent to Security Hub, account by account",
                "trailproof publish run --security-hub --dry-run",
            ),
            (
                "Send it, to another region than the home region, without a question",
                "trailproof publish run --security-hub --region eu-west-1 --yes",
            ),
        ],
    ),
    (
        "bundle",
        &[
            (
                "Pack a run for an auditor",
                "trailproof bundle run --out audit.tar.gz",
            ),
            (
                "Signed, and without people's addresses",
                "trailproof bundle run --out audit.tar.gz --signing-key signing-key --mask-endpoints",
            ),
        ],
    ),
    (
        "verify",
        &[
            (
                "Whether everything in a bundle follows from its evidence",
                "trailproof verify run.tar.gz",
            ),
            (
                "Whether it is of our organization, signed by whom we trust",
                "trailproof verify signed.tar.gz --expect-organization o-trailproof1 --allowed-signers allowed_signers --expect-signer audit@example.com",
            ),
        ],
    ),
    (
        "controls list",
        &[(
            "The numbers of one version of the benchmark",
            "trailproof controls list --benchmark 5.0.0",
        )],
    ),
    (
        "controls show",
        &[(
            "The pattern of one control, and what others call it",
            "trailproof controls show console-auth-failures",
        )],
    ),
    (
        "pattern match",
        &[
            (
                "The failed sign-ins in log files of CloudTrail",
                "trailproof pattern match --control console-auth-failures events.json",
            ),
            (
                "A pattern of your own, from stdin",
                "trailproof pattern match --pattern '{ $.eventName = ConsoleLogin }' < events.json",
            ),
        ],
    ),
    (
        "pattern compare",
        &[(
            "Whether a filter misses events of a control",
            "trailproof pattern compare --control console-auth-failures --actual '{ $.eventName = ConsoleLogin }'",
        )],
    ),
    (
        "accounts list",
        &[(
            "List the accounts once, for scans in parts",
            "trailproof accounts list --out listing.json",
        )],
    ),
    (
        "accounts contacts",
        &[(
            "Whom to write to about messages that nobody confirmed",
            "trailproof accounts contacts run --reason subscription.pending",
        )],
    ),
    (
        "merge",
        &[(
            "Join the parts of a scan",
            "trailproof merge part/1 part/2 --out whole",
        )],
    ),
    (
        "iam-policy",
        &[
            (
                "What the credentials of a scan need",
                "trailproof iam-policy",
            ),
            (
                "The role of the members, for a StackSet",
                "trailproof iam-policy --who member --role security/Audit --format cloudformation > member.yaml",
            ),
        ],
    ),
    (
        "doctor",
        &[
            ("Before the first scan", "trailproof doctor"),
            (
                "With the role of the scan, in every account",
                "trailproof doctor --role security/Audit --all",
            ),
        ],
    ),
    (
        "config init",
        &[(
            "Begin a configuration file",
            "trailproof config init --out trailproof.toml",
        )],
    ),
    (
        "config show",
        &[(
            "Which settings hold with these flags",
            "trailproof config show --assurance cis --regions us-east-1",
        )],
    ),
    (
        "demo",
        &[
            (
                "Look at a report without AWS",
                "trailproof demo --out demo --accounts 12 --regions 2",
            ),
            (
                "All controls, the same organization again",
                "trailproof demo --out demo --accounts 12 --regions 2 --control all --seed 7",
            ),
        ],
    ),
    (
        "completions",
        &[(
            "Complete commands in bash",
            "trailproof completions bash > trailproof.bash",
        )],
    ),
];

/// The first words that somebody types, for the help of the whole program.
const FIRST: [&str; 5] = ["demo", "doctor", "scan", "show", "fix plan"];

/// Gives a command and all below it their examples.
pub(crate) fn with_examples(root: Command) -> Command {
    let codes = root.get_after_help().map(ToString::to_string);
    let first: Vec<&str> = FIRST
        .into_iter()
        .filter(|words| exists(&root, words))
        .collect();
    let mut text = codes.unwrap_or_default();
    text.push_str("\n\n");
    text.push_str(&section(first.iter().filter_map(|words| of(words).first())));
    below(root, "").after_long_help(text)
}

/// A command whose subcommands have their examples.
fn below(mut command: Command, words: &str) -> Command {
    let names: Vec<String> = command
        .get_subcommands()
        .map(|nested| nested.get_name().to_owned())
        .collect();
    for name in names {
        let words = format!("{words} {name}").trim_start().to_owned();
        command = command.mut_subcommand(&name, |nested| {
            let nested = below(nested, &words);
            let own = of(&words);
            let nested_ones = || {
                let names = nested.get_subcommands().map(Command::get_name);
                names.filter_map(|name| of(&format!("{words} {name}")).first())
            };
            let text = if own.is_empty() {
                section(nested_ones())
            } else {
                section(own.iter())
            };
            if text.is_empty() {
                nested
            } else {
                nested.after_long_help(text)
            }
        });
    }
    command
}

/// The examples of a command, by its words after the name of the program.
pub(crate) fn of(words: &str) -> &'static [Example] {
    let known = EXAMPLES.iter().find(|(name, _)| *name == words);
    known.map_or(&[], |(_, examples)| examples)
}

fn exists(root: &Command, words: &str) -> bool {
    let mut at = root;
    words.split(' ').all(|word| match at.find_subcommand(word) {
        Some(nested) => {
            at = nested;
            true
        }
        None => false,
    })
}

fn section<'a>(examples: impl Iterator<Item = &'a Example>) -> String {
    let mut text = String::new();
    for (what, line) in examples {
        if text.is_empty() {
            text.push_str("Examples:\n");
        }
        // Writing to a String cannot fail.
        let _ = write!(text, "\n  {what}:\n      {}\n", folded(line, "      "));
    }
    text.trim_end().to_owned()
}

/// A command in lines that fit a terminal: it goes on before an option, as shells take it.
pub(crate) fn folded(line: &str, indent: &str) -> String {
    const WIDTH: usize = 80;
    let room = WIDTH - indent.len();
    let mut text = String::new();
    let mut length = 0;
    for (place, part) in line.split(" --").enumerate() {
        let part = if place == 0 {
            part.to_owned()
        } else {
            format!("--{part}")
        };
        if place > 0 && length + 1 + part.len() + " \\".len() > room {
            text.push_str(" \\\n");
            text.push_str(indent);
            text.push_str("    ");
            length = 4;
        } else if place > 0 {
            text.push(' ');
            length += 1;
        }
        length += part.len();
        text.push_str(&part);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::command;

    fn leaves(command: &Command, words: &str, found: &mut Vec<String>) {
        for nested in command.get_subcommands() {
            if nested.is_hide_set() || nested.get_name() == "help" {
                continue;
            }
            let words = format!("{words} {}", nested.get_name());
            if nested.has_subcommands() {
                leaves(nested, &words, found);
            } else {
                found.push(words.trim_start().to_owned());
            }
        }
    }

    #[test]
    fn every_command_has_examples_and_every_example_a_command() {
        let mut found = Vec::new();
        leaves(&command(), "", &mut found);
        let missing: Vec<_> = found.iter().filter(|words| of(words).is_empty()).collect();
        assert!(missing.is_empty(), "{missing:?}");
        if cfg!(all(feature = "publish", feature = "remediation")) {
            assert_eq!(found.len(), EXAMPLES.len());
        }
        for (words, examples) in EXAMPLES {
            for (what, line) in *examples {
                assert!(line.starts_with(&format!("trailproof {words}")), "{line}");
                assert!(!what.ends_with(['.', ':']), "{what}");
            }
        }
    }

    #[test]
    fn long_commands_go_on_where_a_shell_takes_it() {
        assert_eq!(folded("a --b c --d", "  "), "a --b c --d");
        let long = format!("a --b {} --d {}", "c".repeat(60), "e".repeat(20));
        let text = folded(&long, "  ");
        let (first, second) = text.split_once(" \\\n      ").unwrap();
        assert_eq!(format!("{first} {second}"), long);
        for (_, examples) in EXAMPLES {
            for (_, line) in *examples {
                for part in folded(line, "      ").lines() {
                    assert!(part.len() <= 80, "{part}");
                }
            }
        }
    }

    #[test]
    fn every_help_ends_with_examples() {
        let mut root = command();
        root.build();
        let mut open = vec![&root];
        while let Some(command) = open.pop() {
            if command.is_hide_set() || command.get_name() == "help" {
                continue;
            }
            let help = command.clone().render_long_help().to_string();
            let name = command.get_name();
            let (_, examples) = help.split_once("Examples:\n").expect(name);
            assert!(examples.contains("      trailproof "), "{name}: {examples}");
            assert!(!examples.contains("\nOptions:"), "{name}: {examples}");
            open.extend(command.get_subcommands());
        }
    }
}
