//! Rules about what the code of each crate may name.

use std::collections::BTreeSet;

use proc_macro2::Span;
use syn::visit::{self, Visit};

use super::{TrackedFile, Violation};

/// Checks every Rust file outside tests.
pub(crate) fn check(files: &[TrackedFile]) -> Vec<Violation> {
    let mut violations = Vec::new();
    let tests: BTreeSet<String> = files.iter().flat_map(test_modules).collect();
    for file in files {
        if !is_rust(&file.path) || tests.contains(&file.path) {
            continue;
        }
        let Some(rules) = Rules::of(&file.path) else {
            continue;
        };
        match syn::parse_file(&file.text) {
            Ok(parsed) => {
                let mut walk = Walk {
                    file,
                    rules,
                    violations: &mut violations,
                };
                walk.visit_file(&parsed);
            }
            Err(error) => violations.push(Violation {
                place: file.path.clone(),
                rule: format!("does not parse: {error}"),
            }),
        }
    }
    violations
}

fn is_rust(path: &str) -> bool {
    std::path::Path::new(path)
        .extension()
        .is_some_and(|extension| extension == "rs")
}

/// The files that a file declares as `#[cfg(test)] mod name;`.
fn test_modules(file: &TrackedFile) -> Vec<String> {
    if !is_rust(&file.path) || !file.text.contains("#[cfg(test)]") {
        return Vec::new();
    }
    let Ok(parsed) = syn::parse_file(&file.text) else {
        return Vec::new();
    };
    let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
    let folder = match name {
        "mod.rs" | "lib.rs" | "main.rs" => folder.to_owned(),
        _ => format!("{folder}/{}", name.trim_end_matches(".rs")),
    };
    parsed
        .items
        .iter()
        .filter_map(|item| match item {
            syn::Item::Mod(item) if item.content.is_none() && only_in_tests(&item.attrs) => {
                Some(item.ident.to_string())
            }
            _ => None,
        })
        .flat_map(|module| {
            [
                format!("{folder}/{module}.rs"),
                format!("{folder}/{module}/mod.rs"),
            ]
        })
        .collect()
}

/// What a file may not name.
#[expect(clippy::struct_excessive_bools, reason = "each is a rule of its own")]
#[derive(Debug, Clone, Copy)]
struct Rules {
    /// No files, clock, threads, network, environment: a pure function of its input.
    pure: bool,
    /// Only the binary prints, exits and reads the environment.
    silent: bool,
    /// No call that changes anything in AWS.
    reads_only: bool,
    /// Creates files and folders only as `trailproof-files` does, and sets no modes.
    private: bool,
    /// The half of the report crate that the file is in.
    half: Option<Half>,
}

/// Reports and repairs are one crate, because both read runs, and do not know each other beyond
/// that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Half {
    Reports,
    Remediation,
}

/// What remediation may name of the rest of the report crate: how runs and findings are read,
/// how commands and journals are written and texts of others shown.
const SURFACE: [&str; 7] = [
    "remediation",
    "document",
    "journal_file",
    "rests_on",
    "run",
    "shell",
    "untrusted",
];

impl Rules {
    fn of(path: &str) -> Option<Self> {
        let rest = path.strip_prefix("crates/")?;
        let (member, inside) = rest.split_once('/')?;
        if !inside.starts_with("src/") {
            return None;
        }
        Some(Self {
            pure: matches!(member, "core" | "pattern"),
            silent: match member {
                "cli" => false,
                // The simulator is a library and a binary of its own.
                "simulator" => !inside.starts_with("src/main") && !inside.starts_with("src/bin/"),
                _ => true,
            },
            // The simulator serves the calls, it does not make them.
            reads_only: member != "simulator" && !inside.starts_with("src/remediation"),
            private: member != "files",
            half: (member == "report" && inside != "src/lib.rs").then(|| {
                if inside.starts_with("src/remediation") {
                    Half::Remediation
                } else {
                    Half::Reports
                }
            }),
        })
    }
}

/// What creates a file that others may read, or sets modes.
const MODES: [&str; 10] = [
    "OpenOptionsExt",
    "DirBuilderExt",
    "PermissionsExt",
    "OpenOptions::new",
    "DirBuilder::new",
    "File::create",
    "File::create_new",
    "fs::write",
    "fs::create_dir",
    "fs::create_dir_all",
];

const IMPURE: [&str; 9] = [
    "std::fs",
    "std::env",
    "std::net",
    "std::process",
    "std::thread",
    "std::io::stdin",
    "SystemTime::now",
    "Instant::now",
    "Timestamp::now",
];

const LOUD_PATHS: [&str; 7] = [
    "std::process::exit",
    "process::exit",
    "std::env::var",
    "env::var",
    "env::vars",
    "env::var_os",
    "std::io::stdout",
];

const LOUD_MACROS: [&str; 5] = ["print", "println", "eprint", "eprintln", "dbg"];

/// Methods of the AWS SDK that change something.
const MUTATING: [&str; 16] = [
    "put_metric_filter",
    "delete_metric_filter",
    "create_log_group",
    "put_metric_alarm",
    "put_composite_alarm",
    "delete_alarms",
    "enable_alarm_actions",
    "create_topic",
    "delete_topic",
    "set_topic_attributes",
    "subscribe",
    "unsubscribe",
    "tag_resource",
    "update_trail",
    "put_event_selectors",
    "start_logging",
];

struct Walk<'a> {
    file: &'a TrackedFile,
    rules: Rules,
    violations: &'a mut Vec<Violation>,
}

impl Walk<'_> {
    fn report(&mut self, span: Span, rule: String) {
        self.violations.push(Violation {
            place: format!("{}:{}", self.file.path, span.start().line),
            rule,
        });
    }

    fn name(&mut self, path: &str, span: Span) {
        let names = |forbidden: &str| {
            path == forbidden
                || path
                    .strip_prefix(forbidden)
                    .is_some_and(|rest| rest.starts_with("::"))
                || path
                    .strip_suffix(forbidden)
                    .is_some_and(|rest| rest.ends_with("::"))
        };
        if self.rules.pure
            && let Some(forbidden) = IMPURE.into_iter().find(|forbidden| names(forbidden))
        {
            self.report(
                span,
                format!("names `{forbidden}`: core and pattern are pure functions of their input"),
            );
        }
        if self.rules.private
            && let Some(forbidden) = MODES.into_iter().find(|forbidden| names(forbidden))
        {
            self.report(
                span,
                format!("names `{forbidden}`: files that their owner alone may read are created by trailproof-files"),
            );
        }
        if let Some(half) = self.rules.half
            && let Some(module) = path.strip_prefix("crate::")
        {
            let module = module.split("::").next().unwrap_or_default();
            match half {
                Half::Reports if module == "remediation" => self.report(
                    span,
                    "names `remediation`: reports are written without knowing of repairs".to_owned(),
                ),
                Half::Remediation if !SURFACE.contains(&module) => self.report(
                    span,
                    format!("remediation names `{module}`: of reports it knows how runs and findings are read, how commands and journals are written, and how texts of others are shown"),
                ),
                Half::Reports | Half::Remediation => {}
            }
        }
        if self.rules.silent
            && let Some(forbidden) = LOUD_PATHS.into_iter().find(|forbidden| names(forbidden))
        {
            self.report(
                span,
                format!("a library names `{forbidden}`: only the binary prints, exits and reads the environment"),
            );
        }
    }
}

fn only_in_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || (attribute.path().is_ident("cfg")
                && attribute
                    .parse_args::<syn::Path>()
                    .is_ok_and(|path| path.is_ident("test")))
    })
}

fn joined(path: &syn::Path) -> String {
    path.segments
        .iter()
        .map(|segment| segment.ident.to_string())
        .collect::<Vec<_>>()
        .join("::")
}

/// Every path that a `use` brings in.
fn imported(tree: &syn::UseTree, prefix: &str, found: &mut Vec<String>) {
    match tree {
        syn::UseTree::Path(part) => {
            imported(&part.tree, &format!("{prefix}{}::", part.ident), found);
        }
        syn::UseTree::Name(part) => found.push(format!("{prefix}{}", part.ident)),
        syn::UseTree::Rename(part) => found.push(format!("{prefix}{}", part.ident)),
        syn::UseTree::Glob(_) => found.push(prefix.trim_end_matches("::").to_owned()),
        syn::UseTree::Group(group) => {
            for part in &group.items {
                imported(part, prefix, found);
            }
        }
    }
}

impl<'ast> Visit<'ast> for Walk<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !only_in_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !only_in_tests(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let mut found = Vec::new();
        imported(&item.tree, "", &mut found);
        for path in found {
            let path = path.trim_end_matches("::self").to_owned();
            self.name(&path, item.use_token.span);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if let Some(first) = path.segments.first() {
            self.name(&joined(path), first.ident.span());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        if let Some(last) = item.path.segments.last()
            && self.rules.silent
            && LOUD_MACROS.iter().any(|name| last.ident == name)
        {
            self.report(
                last.ident.span(),
                format!("a library uses `{}!`: only the binary prints", last.ident),
            );
        }
        visit::visit_macro(self, item);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        // The SDK's fluent operations take no argument at this point.
        if self.rules.reads_only
            && call.args.is_empty()
            && MUTATING.iter().any(|name| call.method == name)
        {
            self.report(
                call.method.span(),
                format!(
                    "calls `{}`: only report's `remediation` changes anything in AWS",
                    call.method
                ),
            );
        }
        visit::visit_expr_method_call(self, call);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules_broken(path: &str, text: &str) -> Vec<String> {
        check(&[TrackedFile {
            path: path.to_owned(),
            text: text.to_owned(),
        }])
        .into_iter()
        .map(|violation| violation.place)
        .collect()
    }

    #[test]
    fn core_may_not_touch_the_world() {
        for text in [
            "use std::fs;",
            "use std::{fmt, fs::File};",
            "fn f() { std::fs::read(\"x\"); }",
            "fn f() { jiff::Timestamp::now(); }",
            "fn f() -> std::time::Instant { Instant::now() }",
        ] {
            assert_eq!(
                rules_broken("crates/core/src/a.rs", text),
                ["crates/core/src/a.rs:1"],
                "{text}"
            );
        }
        assert!(rules_broken("crates/scanner/src/a.rs", "use std::fs;").is_empty());
    }

    #[test]
    fn tests_in_core_may() {
        let text = "#[cfg(test)]\nmod tests { use std::fs; }\n#[test]\nfn t() { println!(); }";
        assert!(rules_broken("crates/core/src/a.rs", text).is_empty());
    }

    #[test]
    fn only_the_binary_prints() {
        let text = "fn f() {\n    println!();\n    std::process::exit(1);\n}";
        assert_eq!(
            rules_broken("crates/report/src/a.rs", text),
            ["crates/report/src/a.rs:2", "crates/report/src/a.rs:3"]
        );
        assert!(rules_broken("crates/cli/src/a.rs", text).is_empty());
        assert!(rules_broken("xtask/src/a.rs", text).is_empty());
    }

    #[test]
    fn modes_are_set_in_one_place() {
        for text in [
            "use std::os::unix::fs::OpenOptionsExt as _;",
            "fn f() { std::fs::write(\"x\", \"y\"); }",
            "fn f() { File::create(\"x\"); }",
            "fn f() { OpenOptions::new(); }",
        ] {
            assert_eq!(
                rules_broken("crates/cli/src/a.rs", text),
                ["crates/cli/src/a.rs:1"],
                "{text}"
            );
            assert!(rules_broken("crates/files/src/lib.rs", text).is_empty());
        }
        let fine = "fn f() { trailproof_files::create(\"x\"); std::fs::read(\"x\"); }";
        assert!(rules_broken("crates/cli/src/a.rs", fine).is_empty());
    }

    #[test]
    fn only_remediation_changes_aws() {
        let text = "fn f(c: C) { c.create_topic().name(\"x\"); }";
        for path in [
            "crates/scanner/src/a.rs",
            "crates/report/src/a.rs",
            "crates/cli/src/a.rs",
        ] {
            assert_eq!(rules_broken(path, text).len(), 1, "{path}");
        }
        assert!(rules_broken("crates/report/src/remediation/apply.rs", text).is_empty());
        // A listener that is subscribed to something else is no call to AWS.
        let other = "fn f(c: C) { c.subscribe(1); }";
        assert!(rules_broken("crates/scanner/src/a.rs", other).is_empty());
    }

    #[test]
    fn reports_and_remediation_know_little_of_each_other() {
        for (path, text, broken) in [
            ("formats/html.rs", "use crate::remediation::Plan;", true),
            (
                "formats/html.rs",
                "use crate::{run, remediation::plan};",
                true,
            ),
            ("formats/html.rs", "use crate::run::Run;", false),
            ("lib.rs", "pub use crate::remediation::Plan;", false),
            ("remediation/plan.rs", "use crate::formats::html;", true),
            (
                "remediation/plan.rs",
                "fn f() { crate::bundle::write(); }",
                true,
            ),
            (
                "remediation/plan.rs",
                "use crate::{run::Run, shell};",
                false,
            ),
            (
                "remediation/plan.rs",
                "use crate::remediation::apply;",
                false,
            ),
        ] {
            let path = format!("crates/report/src/{path}");
            let found = !rules_broken(&path, text).is_empty();
            assert_eq!(found, broken, "{path}: {text}");
        }
    }
}
