//! A wall clock that is wrong, and that is put right while the program runs.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use sluice_lab::testing::{Clock, Program, in_time};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::publish::text;
use crate::support::{Ground, PROGRAM, Server, ended, receipts, until_lines};

/// What makes a program work on this ground by this clock.
fn environment(clock: &Clock, ground: &Ground) -> Vec<(&'static str, String)> {
    [ground.environment(), clock.environment().to_vec()].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn posts_bear_the_time_that_the_clock_says_and_ids_of_their_own_however_it_jumps() {
    let ground = Ground::new();
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Clock::new(folder.path());
    let args = ["serve", "--listen", "127.0.0.1:0", "--log-format", "json"];
    let server = Server::accepting(Program::start(PROGRAM, &args, &environment(&clock, &ground))).await;
    let mut expected = Vec::new();
    for ahead in [0, 3600, -3600, -7200, 86_400] {
        clock.set(ahead);
        for _ in 0..20 {
            let reply = server.submit("what time is it?").await;
            assert_eq!(reply.status, 202, "{ahead} s ahead: {}", reply.text);
            in_time(format!("{ahead} s ahead"), reply.took, Duration::from_secs(2));
            expected.push((reply.id(), OffsetDateTime::now_utc() + time::Duration::seconds(ahead)));
        }
        assert_eq!(server.get("/readyz").await.status, 200);
    }
    assert_eq!(expected.iter().map(|(id, _)| id).collect::<HashSet<_>>().len(), expected.len());
    let messages = ground.take_all().await;
    for (id, at) in expected {
        let message = messages.iter().find(|message| message.id() == id).expect("an accepted post is in the queue");
        let submitted = message.body["submitted_at"].as_str().expect("a time");
        let submitted = OffsetDateTime::parse(submitted, &Rfc3339).expect("RFC 3339");
        assert!((submitted - at).abs() < Duration::from_secs(5), "{submitted} instead of {at}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pace_is_kept_while_the_clock_jumps() {
    let ground = Ground::new();
    let folder = tempfile::tempdir().expect("a folder");
    let (clock, ids_file) = (Clock::new(folder.path()), folder.path().join("receipts"));
    let begun = Instant::now();
    let args = ["generate", "--count", "400", "--rate", "100", "--receipts", text(&ids_file)];
    let program = Program::start(PROGRAM, &args, &environment(&clock, &ground));
    for (lines, ahead) in [(100, 3600), (200, -3600), (300, 0)] {
        until_lines(&ids_file, lines).await;
        let late = begun.elapsed();
        assert!(late > Duration::from_secs_f64(lines as f64 / 100.0 - 0.2), "{lines} after {late:?}");
        clock.set(ahead);
    }
    let output = ended(program).await;
    let took = begun.elapsed();
    assert_eq!(output.code, Some(0), "{}", output.said);
    assert!(took > Duration::from_millis(3800), "{took:?}");
    in_time("400 posts at 100 a second", took, Duration::from_secs(5));
    assert_eq!(receipts(&ids_file).into_iter().collect::<HashSet<_>>().len(), 400);
}
