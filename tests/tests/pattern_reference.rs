//! `pattern match` against a second implementation that was written from the documentation alone.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed, and says why"
)]

use std::fs;

use serde::Deserialize;
use serde_json::Value;
use trailproof_tests::binary::Trailproof;
use trailproof_tests::server::script;

const SEED: &str = "20261123";
const BLOCKS: &str = "20";
const PATTERNS: &str = "40";
const EVENTS: &str = "60";
const FEWEST_PAIRS: usize = 20_000;

/// Patterns, events, and which pattern matches which event in the eyes of the reference.
#[derive(Deserialize)]
struct Block {
    patterns: Vec<String>,
    events: Vec<String>,
    matches: Vec<Vec<bool>>,
}

/// One line of the answer.
#[derive(Deserialize)]
struct Line {
    pattern: usize,
    index: usize,
    r#match: Option<bool>,
}

fn blocks(trailproof: &Trailproof) -> Vec<Block> {
    let output = script("pattern_reference.py", trailproof.home())
        .args(["generate", SEED, BLOCKS, PATTERNS, EVENTS])
        .output()
        .expect("the script can be started");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("a block per line"))
        .collect()
}

fn answers(trailproof: &Trailproof, block: &Block) -> Vec<Line> {
    let mut events = block.events.join("\n");
    events.push('\n');
    fs::write(trailproof.home().join("events.ndjson"), events).expect("a file can be written");
    let mut arguments = ["pattern", "match", "--format", "json", "events.ndjson"]
        .map(str::to_owned)
        .to_vec();
    arguments.extend(
        block
            .patterns
            .iter()
            .map(|text| format!("--pattern={text}")),
    );
    let outcome = trailproof.run(arguments).exits(0);
    outcome
        .stdout
        .lines()
        .map(|line| {
            let line: Value = serde_json::from_str(line).expect("JSON lines");
            assert!(line.get("match").is_some(), "{line}");
            serde_json::from_value(line).expect("pattern, index and match")
        })
        .collect()
}

mod with_python {
    use super::{FEWEST_PAIRS, Trailproof, answers, blocks};

    #[test]
    fn an_independent_evaluator_agrees() {
        let trailproof = Trailproof::offline();
        let (mut pairs, mut matched, mut undocumented) = (0_usize, 0_usize, 0_usize);
        let mut different = Vec::new();
        for block in blocks(&trailproof) {
            let answers = answers(&trailproof, &block);
            assert_eq!(answers.len(), block.patterns.len() * block.events.len());
            for answer in answers {
                let expected = block.matches[answer.pattern][answer.index];
                pairs += 1;
                matched += usize::from(expected);
                match answer.r#match {
                    None => undocumented += 1,
                    Some(actual) if actual == expected => {}
                    Some(actual) => different.push(format!(
                        "{}\n{}\ntrailproof: {actual}, reference: {expected}",
                        block.patterns[answer.pattern], block.events[answer.index]
                    )),
                }
            }
        }
        assert!(
            different.is_empty(),
            "{} of {pairs} differ, the first:\n{}",
            different.len(),
            different
                .iter()
                .take(5)
                .cloned()
                .collect::<Vec<_>>()
                .join("\n\n")
        );
        assert!(pairs >= FEWEST_PAIRS, "{pairs} pairs");
        // Questions whose answer is always the same, or always open, would prove nothing.
        assert!(
            undocumented * 10 < pairs,
            "{undocumented} of {pairs} are open"
        );
        assert!(matched * 10 > pairs, "only {matched} of {pairs} match");
        assert!(matched * 10 < pairs * 9, "{matched} of {pairs} match");
    }
}
