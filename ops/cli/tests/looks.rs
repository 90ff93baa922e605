//! Looking at dead letters changes nothing, whoever looks, however often, and however it ends.

mod support;

use std::process::Stdio;

use sluice_core::disposition::Class;
use sluice_lab::testing::eventually;
use support::{Dead, Ground, ids, interrupt, post, text, until};
use tokio::process::Child;

/// Dead letters of all sorts: a worker's, the broker's, a stranger's, and what is no post at all.
async fn all_sorts(ground: &Ground) -> usize {
    let exhausted = Dead { class: Class::Exhausted, code: "mysql_1213", ..Dead::new("deadlock") };
    ground.dead(&[Dead::new("too long"), exhausted]).await;
    ground.foreign(b"not JSON \x1b[2J\xff", None).await;
    ground.foreign(br#"{"title":"a stranger's","content":"c"}"#, Some("no-uuid")).await;
    ground.foreign(b"", None).await;
    ground.rejected(&post("rejected")).await;
    ground.expired(&post("expired")).await;
    ground.until_dead(7).await;
    7
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_looks_leave_number_order_and_content_as_they_were() {
    let ground = Ground::new().await;
    let dead_letters = all_sorts(&ground).await;
    let first = ground.sluice(&["dlq", "list", "--json"]).await.ok();
    assert_eq!(first.lines().len(), dead_letters);
    let stories = stories(&ground).await;
    for look in 0..30 {
        // Looks that end early are looks too.
        let args: &[&str] = if look % 3 == 0 { &["dlq", "list", "--limit", "2"] } else { &["dlq", "list", "--json"] };
        let again = ground.sluice(args).await.ok();
        if look % 3 != 0 {
            assert_eq!(again.stdout, first.stdout, "look {look}");
        }
    }
    assert_eq!(self::stories(&ground).await, stories);
    assert_eq!(ground.dead_letters().await, dead_letters);
}

async fn stories(ground: &Ground) -> Vec<String> {
    let mut stories = Vec::new();
    for id in ground.listed().await {
        stories.push(ground.sluice(&["dlq", "show", "--json", &id]).await.ok().stdout);
    }
    stories
}

#[tokio::test(flavor = "multi_thread")]
async fn more_dead_letters_than_one_handful_keep_their_order_too() {
    let ground = Ground::new().await;
    let dead = Dead::some(1500);
    ground.dead(&dead).await;
    for _ in 0..3 {
        assert_eq!(ground.listed().await, ids(&dead));
        ground.sluice(&["dlq", "list", "--limit", "1"]).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_that_die_between_looks_come_last() {
    let ground = Ground::new().await;
    let dead = Dead::some(6);
    for two in dead.chunks(2) {
        ground.dead(two).await;
        ground.sluice(&["dlq", "list", "--limit", "1"]).await.ok();
    }
    assert_eq!(ground.listed().await, ids(&dead));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_who_look_at_once_both_see_everything() {
    let ground = Ground::new().await;
    let dead = Dead::some(300);
    ground.dead(&dead).await;
    for _ in 0..3 {
        let (one, other) = tokio::join!(ground.listed(), ground.listed());
        assert_eq!(one, ids(&dead));
        assert_eq!(other, ids(&dead));
    }
}

/// A look that has dead letters in flight. One that was through before that was seen is followed by another.
async fn in_flight(ground: &Ground, all: usize) -> Child {
    let start = || {
        let mut look = ground.command(&["dlq", "list", "--json"]);
        look.stdout(Stdio::null()).spawn().expect("the program was built")
    };
    let mut look = start();
    eventually("dead letters to be in flight", async || {
        let ready = ground.dead_letters().await;
        if ready < all {
            return Ok(());
        }
        if look.try_wait().expect("its end can be asked for").is_some() {
            look = start();
        }
        Err(ready)
    })
    .await;
    look
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_that_is_killed_leaves_every_dead_letter() {
    let ground = Ground::new().await;
    let dead = Dead::some(2000);
    ground.dead(&dead).await;
    let mut look = in_flight(&ground, dead.len()).await;
    look.kill().await.expect("it can be killed");
    until("they are back", async || ground.dead_letters().await == dead.len()).await;
    let (mut now, mut then) = (ground.listed().await, ids(&dead));
    now.sort();
    then.sort();
    assert_eq!(now, then);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_that_is_interrupted_puts_all_back_in_their_order() {
    let ground = Ground::new().await;
    let dead = Dead::some(2000);
    ground.dead(&dead).await;
    let look = in_flight(&ground, dead.len()).await;
    interrupt(&look).await;
    let ran = ground.finish(look).await;
    // It may have been through with the dead letters already; then there was nothing left to interrupt.
    assert!(matches!(ran.code, Some(0 | 130)), "{ran:?}");
    if ran.code == Some(130) {
        assert!(ran.stderr.contains("the dead letters are unchanged"), "{ran:?}");
    }
    assert_eq!(ground.listed().await, ids(&dead));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_has_the_agreed_keys_and_the_broker_s_own_dead_letters_have_them_too() {
    let ground = Ground::new().await;
    all_sorts(&ground).await;
    let dead_letters = ground.sluice(&["dlq", "list", "--json"]).await.ok().lines();
    let agreed = [
        "attempts",
        "author",
        "class",
        "code",
        "fingerprint",
        "first_failed_at",
        "id",
        "last_failed_at",
        "message",
        "post",
        "replays",
        "sender",
        "submitted_at",
        "title",
        "worker",
    ];
    for dead_letter in &dead_letters {
        let keys: Vec<&String> = dead_letter.as_object().expect("an object").keys().collect();
        assert_eq!(keys, agreed);
    }
    let classes: Vec<String> = dead_letters.iter().map(|dead_letter| text(dead_letter, "class")).collect();
    assert_eq!(classes, ["permanent", "exhausted", "unknown", "unknown", "unknown", "rejected", "expired"]);
    assert_eq!(text(&dead_letters[5], "worker"), "RabbitMQ");
    assert_eq!(text(&dead_letters[5], "title"), "rejected");
    assert!(text(&dead_letters[2], "id").starts_with("anonymous-"));
    assert_ne!(dead_letters[2]["id"], dead_letters[4]["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_leave_out_what_does_not_pass() {
    let ground = Ground::new().await;
    let old = Dead { age: time::Duration::days(2), ..Dead::new("old") };
    let loud = Dead { class: Class::CrashLoop, code: "crash_loop", ..Dead::new("LOUD") };
    ground.dead(&[old, loud, Dead::new("young")]).await;
    let titles = async |filters: &[&str]| -> Vec<String> {
        let ran = ground.sluice(&[&["dlq", "list", "--json"], filters].concat()).await.ok();
        ran.lines().iter().map(|dead_letter| text(dead_letter, "title")).collect()
    };
    assert_eq!(titles(&["--since", "1d"]).await, ["LOUD", "young"]);
    assert_eq!(titles(&["--until", "1d"]).await, ["old"]);
    assert_eq!(titles(&["--class", "crash_loop"]).await, ["LOUD"]);
    assert_eq!(titles(&["--code", "mysql_1406", "--limit", "1"]).await, ["old"]);
    assert_eq!(titles(&["--contains", "loud"]).await, ["LOUD"]);
    let quoting = br#"{"title":"quoting","content":"he said \"buy \u006eow\""}"#;
    ground.foreign(quoting, Some("quoting")).await;
    ground.until_dead(4).await;
    assert_eq!(titles(&["--contains", "said \"BUY now\""]).await, ["quoting"]);
    assert_eq!(titles(&["--contains", "content"]).await, Vec::<String>::new(), "a field's name is no text");
    assert_eq!(titles(&["--contains", "nowhere"]).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_is_shown_whole_and_harmless() {
    let ground = Ground::new().await;
    let body = b"\x1b]0;owned\x07 plain \xff";
    ground.foreign(body, Some("odd id")).await;
    ground.until_dead(1).await;
    let story = ground.sluice(&["dlq", "show", "odd id"]).await.ok().stdout;
    assert!(story.contains(r"\u{1b}]0;owned\u{7} plain") && story.contains("'odd id'"), "{story}");
    assert!(story.chars().all(|c| c == '\n' || !c.is_control()), "{story:?}");
    let output = ground.command(&["dlq", "show", "odd id", "--body"]).output().await.expect("it runs");
    assert_eq!(output.stdout, body);
    let ran = ground.sluice(&["dlq", "show", "another"]).await.exits(3);
    assert!(ran.stderr.contains("another") && ran.stdout.is_empty(), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_has_seen_enough_is_no_failure() {
    let ground = Ground::new().await;
    ground.dead(&Dead::some(1000)).await;
    let mut look = ground.start(&["dlq", "list", "--json"]);
    drop(look.stdout.take());
    let ran = ground.finish(look).await.ok();
    assert!(!ran.stderr.contains("error"), "{ran:?}");
    assert_eq!(ground.dead_letters().await, 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_was_never_declared_is_named() {
    let ground = Ground::bare(None).await;
    let ran = ground.sluice(&["dlq", "list"]).await.exits(1);
    assert!(ran.stderr.contains(&ground.topology.dead_letter_queue()), "{ran:?}");
}
