//! Whatever happens on the way, a repair ends in the same state, once.

use serde_json::json;
use trailproof_simulator::server::Faults;
use trailproof_tests::cutting::{Cutting, Moment};
use trailproof_tests::ground::Case;
use trailproof_tests::repair::PHONE;

use super::{BARE, MINISTACK, MOTO, Scenario, repair, whole_repair};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "applied twice",
        accounts: &[BARE; 2],
        impossible: &[],
        run: applied_twice,
    },
    Scenario {
        name: "killed at every change, both ways",
        accounts: &[BARE; 8],
        impossible: &[],
        run: killed_at_every_change,
    },
    Scenario {
        name: "two applies at once, with one journal",
        accounts: &[BARE; 2],
        impossible: &[],
        run: two_applies_with_one_journal,
    },
    Scenario {
        name: "two applies at once, each with a journal",
        accounts: &[BARE; 2],
        impossible: &[(
            MOTO,
            "a metric filter that is put twice is there twice, where AWS overwrites it",
        )],
        run: two_applies_with_two_journals,
    },
    Scenario {
        name: "throttling and lost answers",
        accounts: &[BARE; 2],
        impossible: &[
            (MINISTACK, "it has time for everybody"),
            (MOTO, "it has time for everybody"),
        ],
        run: throttling_and_lost_answers,
    },
    Scenario {
        name: "a topic that came while the apply was dead",
        accounts: &[BARE],
        impossible: &[],
        run: a_topic_that_came_while_the_apply_was_dead,
    },
];

fn applied_twice(case: &Case<'_>) {
    let before = case.resources();
    let _ = case.plan(&["--subscribe", PHONE]);
    let applied = case.apply().exits(0);
    assert!(applied.stdout.contains("8 changes made"), "{applied:?}");
    assert_eq!(case.added(&before), [whole_repair(), whole_repair()]);
    let after = case.resources();
    let again = case.apply().exits(0);
    assert!(
        again.stdout.contains("0 changes made, 8 there already"),
        "{again:?}"
    );
    case.is_again(&after, &again);
    case.undo_restores(&before);
}

fn killed_at_every_change(case: &Case<'_>) {
    let moments = (0..4).flat_map(|number| [Moment::Before(number), Moment::After(number)]);
    std::thread::scope(|scope| {
        for (index, moment) in moments.enumerate() {
            scope.spawn(move || killed_at(&case.alone(index), moment));
        }
    });
}

/// Kills the apply and, when its successor is done, the undo.
fn killed_at(case: &Case<'_>, moment: Moment) {
    let before = case.resources();
    let _ = case.plan(&["--subscribe", PHONE]);
    let kill = |mut command: std::process::Command| {
        let way = Cutting::to(case.ground.address(), moment);
        command.env("AWS_ENDPOINT_URL", way.url());
        let status = way.end(command.spawn().expect("the binary starts"));
        assert_eq!(status.code(), None, "{moment:?}: it was killed");
    };
    kill(case.applying());
    let applied = case.apply().exits(0);
    assert!(applied.stdout.contains("1 of 1 site done"), "{applied:?}");
    assert_eq!(case.added(&before), [whole_repair()], "{moment:?}");
    kill(case.undoing());
    case.undo_restores(&before);
}

fn two_applies_with_one_journal(case: &Case<'_>) {
    let before = case.resources();
    let _ = case.plan(&["--subscribe", PHONE]);
    let children = [(); 3].map(|()| case.applying().spawn().expect("the binary starts"));
    let mut codes = children.map(|child| {
        let output = child.wait_with_output().expect("it ends");
        output.status.code()
    });
    codes.sort_unstable();
    // The others found the journal taken, or everything done.
    assert!(codes.contains(&Some(0)), "{codes:?}");
    assert!(
        codes.iter().all(|code| matches!(code, Some(0 | 4))),
        "{codes:?}"
    );
    assert_eq!(case.added(&before), [whole_repair(), whole_repair()]);
    case.undo_restores(&before);
}

/// The same plan on two machines.
fn two_applies_with_two_journals(case: &Case<'_>) {
    let before = case.resources();
    let _ = case.plan(&["--subscribe", PHONE]);
    let other = case.ground.trailproof();
    std::fs::copy(case.file("plan.json"), other.home().join("plan.json")).expect("a copy");
    let here = case.applying().spawn().expect("the binary starts");
    let there = other.run(["fix", "apply", "plan.json", "--yes"]);
    let here = here.wait_with_output().expect("it ends");
    assert_eq!(there.code, Some(0), "{there:?}");
    assert!(here.status.success(), "{here:?}");
    assert_eq!(case.added(&before), [whole_repair(), whole_repair()]);
    // Each leaves what the other built on its things, until the other has taken that back.
    let undo = ["fix", "undo", "journal.ndjson", "--yes", "--shared-topics"];
    let _ = case.undo();
    let _ = other.run(undo).exits(0);
    case.undo_restores(&before);
}

fn throttling_and_lost_answers(case: &Case<'_>) {
    let before = case.resources();
    let _ = case.plan(&["--subscribe", PHONE]);
    let simulator = case.ground.simulator().expect("only it has faults");
    let faults = Faults {
        errors: 0.1,
        throttles: 0.1,
        resets: 0.1,
        limit: 2,
        ..Faults::default()
    };
    simulator.set_faults(faults.clone());
    let _ = case.apply().exits(0);
    simulator.set_faults(Faults::default());
    assert_eq!(case.added(&before), [whole_repair(), whole_repair()]);
    simulator.set_faults(faults);
    let undone = case.undo().exits(0);
    simulator.set_faults(Faults::default());
    case.is_again(&before, &undone);
}

/// Its name was free when the journal said it would be taken next.
fn a_topic_that_came_while_the_apply_was_dead(case: &Case<'_>) {
    let empty = case.resources();
    let _ = case.plan(&["--subscribe", PHONE]);
    let way = Cutting::to(case.ground.address(), Moment::Before(1));
    let mut command = case.applying();
    command.env("AWS_ENDPOINT_URL", way.url());
    let status = way.end(command.spawn().expect("the binary starts"));
    assert_eq!(status.code(), None, "it was killed");
    case.somebody(
        "sns",
        "create_topic",
        json!({ "Name": "trailproof-alarms", "Tags": [{ "Key": "team", "Value": "theirs" }] }),
    );
    let mut names = case.added(&empty).remove(0);
    names.retain(|name| !name.starts_with("metric-filter"));
    assert_eq!(names, ["topic trailproof-alarms"]);

    let _ = case.apply().exits(0);
    let mut expected = repair(super::NAME, super::NAME, "trailproof-alarms-2");
    expected.push("topic trailproof-alarms".to_owned());
    expected.sort_unstable();
    assert_eq!(case.added(&empty), [expected]);
    let _ = case.undo().exits(0);
    assert_eq!(case.added(&empty), [["topic trailproof-alarms"]]);
}
