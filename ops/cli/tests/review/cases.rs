//! Cases: listed, claimed, shown and given back.

use serde_json::{Value, json};
use sluice_core::post::{Post, PostId};
use unicode_width::UnicodeWidthStr as _;

use crate::desk::{Desk, shows};
use crate::support::{post, text};

#[tokio::test(flavor = "multi_thread")]
async fn the_list_has_the_agreed_keys_and_its_filters_the_worst_comes_first() {
    let desk = Desk::new().await;
    let mild = desk.held("mild", 50).await;
    let bad = desk.held_of(Post { author: Some("eve".to_owned()), ..post("bad") }, "threat", 90).await;
    let lines = desk.review(&["list", "--json"]).await.ok().lines();
    let cases: Vec<String> = lines.iter().map(|line| text(line, "case")).collect();
    assert_eq!(cases, [bad.case.as_str(), &mild.case]);
    let line = lines[0].as_object().expect("an object");
    for key in [
        "case",
        "post",
        "kind",
        "state",
        "queue",
        "category",
        "priority",
        "opened_at",
        "claimed_by",
        "claimed_until",
        "title",
    ] {
        assert!(line.contains_key(key), "{key} in {line:?}");
    }
    assert_eq!((&line["kind"], &line["state"], &line["priority"]), (&json!("held"), &json!("waiting"), &json!(90)));
    for (filter, expected) in [
        (["--queue", "threat"], vec![&bad.case]),
        (["--author", "bob"], vec![&mild.case]),
        (["--state", "waiting"], vec![&bad.case, &mild.case]),
        (["--state", "decided"], vec![]),
        (["--limit", "1"], vec![&bad.case]),
    ] {
        let ran = desk.review(&[&["list", "--json"][..], &filter].concat()).await.ok();
        let found: Vec<String> = ran.lines().iter().map(|line| text(line, "case")).collect();
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{filter:?}");
    }
    let table = desk.review(&["list", "--limit", "1"]).await.ok();
    assert!(table.stdout.contains("bad") && table.stderr.contains("there are more"), "{table:?}");
    for wrong in [["--state", "open"], ["--limit", "0"], ["--limit", "10001"]] {
        desk.review(&[&["list"][..], &wrong].concat()).await.exits(2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_case_comes_with_its_token_its_post_and_all_around_it_and_again_with_the_same_token() {
    let desk = Desk::new().await;
    let ran = desk.review(&["next", "--as", "ann", "--json"]).await.exits(3);
    assert_eq!(ran.object()["waiting"], 0);
    let (first, twin) = (desk.held("the same", 90).await, desk.held("the same", 60).await);
    desk.review(&["note", &first.case, "look at this", "--as", "lea"]).await.ok();
    let case = desk.review(&["next", "--as", " ann ", "--json"]).await.ok().object();
    assert_eq!((text(&case, "case"), text(&case, "claimed_by")), (first.case.clone(), "ann".to_owned()));
    assert_eq!((text(&case, "content"), text(&case, "author")), ("what the same says".to_owned(), "bob".to_owned()));
    assert_eq!((&case["verdict"], &case["same_text"]), (&json!("held"), &json!(1)));
    assert_eq!((&case["reasons"][0]["span"], &case["scores"][0]["reject"]), (&json!([0, 4]), &json!(100)));
    assert_eq!((&case["notes"][0]["by"], &case["earlier"][0]["case"]), (&json!("lea"), &json!(twin.case)));
    let token = text(&case, "claim");
    let again = desk.review(&["next", "--as", "ann", "--claim", &token, "--json"]).await.ok().object();
    assert_eq!((text(&again, "case"), text(&again, "claim")), (first.case.clone(), token.clone()));
    let shown = desk.review(&["show", &first.case, "--json"]).await.ok().stdout;
    assert!(!shown.contains(&token), "a token is its holder's alone: {shown}");
    let second = desk.review(&["next", "--as", "bea", "--queue", "spam"]).await.ok().stdout;
    assert!(second.contains(&twin.case) && second.contains("--as=bea --claim="), "{second}");
    let none = desk.review(&["next", "--as", "cid"]).await.exits(3).stderr;
    assert!(none.contains("0 waiting, 2 claimed by others") && none.contains("the first claim ends at 20"), "{none}");
    let none = desk.review(&["next", "--as", "cid", "--queue", "nobody's"]).await.exits(3).stderr;
    assert!(none.contains("in the queue nobody's: 0 waiting, 0 claimed"), "{none}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_named_by_its_id_its_beginning_its_posts_id_or_latest() {
    let desk = Desk::new().await;
    let id = |text: &str| text.parse::<PostId>().expect("a UUID");
    let one = Post { id: id("11111111-7c55-7000-8000-000000000001"), ..post("one") };
    let other = Post { id: id("11111111-7c55-7000-8000-000000000002"), ..post("other") };
    let (one, other) = (desk.held_of(one, "spam", 60).await, desk.held_of(other, "spam", 60).await);
    for name in [one.case.as_str(), &one.case.to_uppercase(), &one.post, "11111111-7c55-7000-8000-000000000001"] {
        let shown = desk.review(&["show", name, "--json"]).await.ok().object();
        assert_eq!(text(&shown, "case"), one.case, "{name}");
    }
    let latest = desk.review(&["show", "latest", "--json"]).await.ok().object();
    assert_eq!(text(&latest, "case"), other.case);
    let ran = desk.review(&["show", "11111111"]).await.exits(2);
    assert!(ran.stderr.contains(&one.case) && ran.stderr.contains(&other.case), "{ran:?}");
    for (unknown, told) in [("111", "at least 4 characters"), ("ffff0000", "`sluice review list`"), ("%%%%", "no case")]
    {
        let ran = desk.review(&["show", unknown]).await.exits(3);
        assert!(ran.stderr.contains(told) && ran.stdout.is_empty(), "{ran:?}");
    }
    let approved = post("approved");
    desk.ground.record(std::slice::from_ref(&approved)).await;
    let ran = desk.review(&["decide", &approved.id.to_string(), "approve", "--as", "ann"]).await.exits(3);
    assert!(ran.stderr.contains("stored as approved and has no case: only held posts"), "{ran:?}");
    desk.review(&["decide", "latest", "approve", "--as", "ann"]).await.exits(3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_is_given_back_skipped_or_left_to_a_lead() {
    let desk = Desk::new().await;
    let case = desk.held("a post", 60).await.case;
    let claimed = async |name: &str| text(&desk.review(&["next", "--as", name, "--json"]).await.ok().object(), "claim");
    let token = claimed("ann").await;
    for (command, name) in [("release", "bob"), ("skip", "bob"), ("escalate", "bob")] {
        let ran = desk.review(&[command, &case, "--as", name]).await.exits(3);
        assert!(ran.stderr.contains("ann has claimed it, until 20"), "{ran:?}");
    }
    let given = desk.review(&["release", &case, "--as", "ann", "--claim", &token, "--json"]).await.ok().object();
    assert_eq!(given["state"], "waiting");
    for command in ["release", "skip"] {
        let ran = desk.review(&[command, &case, "--as", "ann", "--json"]).await.exits(3);
        assert!(ran.object()["refused"] == "claim_ended" && ran.stderr.contains("never claimed"), "{ran:?}");
    }
    for name in ["zoe", "kim", "eve"] {
        claimed(name).await;
        desk.review(&["skip", &case, "--as", name]).await.ok();
        let none = desk.review(&["next", "--as", name]).await.exits(3);
        assert!(none.stderr.contains("skipped by you within a day"), "{none:?}");
    }
    claimed("ann").await;
    let ran = desk.review(&["skip", &case, "--as", "ann", "--json"]).await.ok().object();
    assert_eq!(ran["state"], "escalated", "skipped too often: it was handed out five times");
    let ran = desk.review(&["decide", &case, "approve", "--as", "ann"]).await.exits(3);
    assert!(ran.stderr.contains("waits for a lead (--lead)"), "{ran:?}");
    let none = desk.review(&["next", "--as", "ann"]).await.exits(3).stderr;
    assert!(none.contains("1 escalated; a lead may"), "{none}");
    desk.review(&["next", "--as", "lea", "--lead"]).await.ok();

    let other = desk.held("another", 60).await.case;
    desk.review(&["escalate", &other, "--as", "ann", "--note", "I know the author"]).await.ok();
    let shown = desk.review(&["show", &other, "--json"]).await.ok().object();
    assert_eq!((&shown["state"], &shown["notes"][0]["text"]), (&json!("escalated"), &json!("I know the author")));
    let note = desk.review(&["note", &other, "and more", "--as", "bob", "--json"]).await.ok().object();
    let id = text(&note, "note");
    desk.review(&["note", &other, "and more", "--as", "bob", "--id", &id]).await.ok();
    let notes: Value = desk.review(&["show", &other, "--json"]).await.ok().object()["notes"].clone();
    assert_eq!(notes.as_array().map(Vec::len), Some(2), "repeated with its id, a note is the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_fits_the_terminal_and_has_the_whole_text() {
    let desk = Desk::new().await;
    let content = format!("what 终{} end\nsecond line", " word".repeat(60));
    let post = Post { author: Some("x".repeat(90)), content, ..post(&"a long title ".repeat(15)) };
    let case = desk.held_of(post, "spam", 60).await.case;
    desk.decided(&case, "approve", "ann").await;
    for command in [format!("review show {case}"), "review list".to_owned(), "review measures".to_owned()] {
        let mut child = desk.on_a_terminal(&command);
        let mut shown = shows(&mut child, "\n").await;
        shown.push_str(&desk.ground.finish(child).await.ok().stdout);
        let wide: Vec<&str> =
            shown.lines().map(|line| line.trim_end_matches('\r')).filter(|line| line.width() > 80).collect();
        assert!(wide.is_empty(), "{command}: {wide:?}");
        if command.contains("show") {
            let words = shown.split_whitespace().filter(|word| *word == "word").count();
            assert!(words >= 60 && shown.contains("second line"), "{shown}");
        }
    }
}
