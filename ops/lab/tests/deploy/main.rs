//! What is deployed beside the programs speaks of what the programs have: alerts and the dashboard name only metrics,
//! labels and values that `/metrics` shows.

mod expression;
mod files;
mod fleet;
mod shown;

use std::process::Command;

use sluice_lab::testing::eventually;

use files::Question;
use fleet::{Fleet, program};
use shown::Shown;

/// Everything that is wrong with the questions, one line for each.
fn wrong(questions: &[Question], shown: &Shown) -> Vec<String> {
    let mut wrong = Vec::new();
    for question in questions {
        wrong.extend(shown.complaints(question).into_iter().map(|said| format!("{}: {said}", question.of)));
    }
    wrong
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_and_dashboard_name_only_metrics_labels_and_values_that_the_programs_show() {
    let questions = files::questions();
    let alerts = questions.iter().filter(|question| question.of.starts_with("alert ")).count();
    let panels = questions.iter().filter(|question| question.of.starts_with("panel ")).count();
    assert!(alerts > 10 && panels > 20, "{alerts} alerts and {panels} panels: files were not read as they are written");

    let fleet = Fleet::start().await;
    fleet.counts_from_zero().await;
    fleet.have_everything_happen().await;
    eventually("the programs to show all that alerts and dashboard name", async || {
        match wrong(&questions, &fleet.shown().await) {
            wrong if wrong.is_empty() => Ok(()),
            wrong => Err(wrong),
        }
    })
    .await;
    let shown = fleet.shown().await;
    mutants_are_refused(&questions, &shown);
}

/// The check itself: each of these is refused, and what it was made of is not.
fn mutants_are_refused(questions: &[Question], shown: &Shown) {
    let mutants = [
        ("sluice_worker_paused", "sluice_worker_halted"),
        ("sluice_accept_seconds_bucket", "sluice_accept_seconds_buckets"),
        ("dependency", "dependence"),
        ("settlement=\"dead_letter\"", "settlement=\"dead_leter\""),
        ("settlement=\"dead_letter\"", "settled=\"dead_letter\""),
        ("reason=\"queue-full\"", "reason=\"queue_full\""),
        ("ack|dead_letter", "acked|dead_letter"),
        ("by (verdict)", "by (verdicts)"),
        ("on (endpoint)", "on (endpoints)"),
        ("job=~\"sluice-.+\"", "job=~\"sluices-.+\""),
        ("rabbitmq_detailed_queue_messages", "rabbitmq_queue_messages_total"),
    ];
    for (from, to) in mutants {
        let mut planted = 0;
        for question in questions.iter().filter(|question| question.text().contains(from)) {
            planted += 1;
            let mutant = question.with(from, to);
            assert!(!shown.complaints(&mutant).is_empty(), "{} with {to:?} instead of {from:?}", question.of);
            assert_eq!(shown.complaints(question), Vec::<String>::new(), "{}", question.of);
        }
        assert!(planted > 0, "nothing says {from:?} any more: choose another mutant");
    }
}

/// The shared libraries that `readelf --dynamic` names, except for those of every system and image.
fn foreign(dynamic: &str) -> Vec<&str> {
    let needed = dynamic.lines().filter(|line| line.contains("(NEEDED)"));
    let named = needed.filter_map(|line| line.split(['[', ']']).nth(1));
    named
        .filter(|name| !["libc.so.", "libm.so.", "libgcc_s.so.", "ld-linux"].iter().any(|own| name.starts_with(own)))
        .collect()
}

#[test]
fn the_programs_need_no_library_that_an_image_may_lack() {
    let planted =
        "0x1 (NEEDED) Shared library: [libc.so.6]\n0x1 (NEEDED) Shared library: [libz.so.1]\n0x2 (RUNPATH) [/x]";
    assert_eq!(foreign(planted), ["libz.so.1"], "the check itself finds what is there");
    for name in ["sluice", "sluice-producer", "sluice-worker"] {
        let read = Command::new("readelf").args(["--dynamic", "--wide", &program(name)]).output();
        let read = read.expect("readelf comes with every linker");
        let dynamic = String::from_utf8_lossy(&read.stdout);
        assert!(dynamic.contains("libc.so."), "{name}: {dynamic}");
        assert_eq!(foreign(&dynamic), Vec::<&str>::new(), "{name}");
    }
}
