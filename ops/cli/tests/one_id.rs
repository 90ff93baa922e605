//! Dead letters that a unique key refused, or whose id is another post's: what is forecast, what comes of a replay, and
//! the fix.

mod support;

use serde_json::json;
use support::{Dead, Ground, post, text};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_unique_key_refuses_is_forecast_and_ends_the_waiting_as_failed_again() {
    let ground = Ground::new().await;
    ground.sql("ALTER TABLE posts ADD UNIQUE KEY u (title)").await;
    let dead = [Dead::new("the same"), Dead::new("another"), Dead::new("the same")];
    ground.dead(&dead).await;
    let plan = ground.sluice(&["dlq", "replay", "--all", "--plan", "--json"]).await.ok().object();
    assert_eq!(plan["forecast"], json!({ "would_be_recorded": 2, "would_be_refused_again": 1 }), "{plan}");
    let refusal = &plan["refusals"][0];
    assert!(text(refusal, "code") == "mysql_1062" && text(refusal, "message").ends_with("u'"), "{plan}");
    let _worker = ground.worker(&[]);
    let ran = ground.sluice(&["dlq", "replay", "--all", "--yes", "--wait"]).await.exits(3);
    assert!(ran.stdout.contains("2 recorded, 1 failed again") && ran.stderr.contains("mysql_1062"), "{ran:?}");
    let listed = ground.sluice(&["dlq", "list", "--json"]).await.ok().lines();
    assert_eq!(
        (listed.len(), text(&listed[0], "class"), text(&listed[0], "code")),
        (1, "permanent".to_owned(), "mysql_1062".to_owned())
    );
    assert!(text(&listed[0], "message").ends_with("u'"), "{listed:?}");
    let id = text(&listed[0], "id");
    let story = ground.sluice(&["why", &id, "--json"]).await.ok().object();
    assert_eq!((&story["place"], &story["post"]), (&json!("dead"), &json!(null)));
    assert_eq!(ground.value::<u64>("SELECT COUNT(*) FROM posts").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_whose_id_is_another_posts_is_told_as_that_everywhere_and_given_an_id_of_its_own() {
    let ground = Ground::new().await;
    let first = post("first come");
    ground.record(std::slice::from_ref(&first)).await;
    let dead = [Dead { id: first.id, ..Dead::new("late") }];
    ground.dead(&dead).await;
    let id = first.id.to_string();

    let plan = ground.sluice(&["dlq", "replay", "--all", "--plan", "--json"]).await.ok().object();
    assert_eq!(plan["forecast"], json!({ "would_be_refused_again": 1 }), "{plan}");
    assert_eq!(text(&plan["refusals"][0], "code"), "id_conflict");
    let story = ground.sluice(&["why", &id, "--json"]).await.ok().object();
    assert!(story["place"] == "recorded" && text(&story, "now").contains("is another post with its id"), "{story}");
    let receipts = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(receipts.path(), &id).expect("written");
    let verify = ["verify", "--receipts", receipts.path().to_str().expect("a plain path")];
    let counts = ground.sluice(&[&verify[..], &["--json"]].concat()).await.ok().object();
    assert_eq!((&counts["recorded"], &counts["duplicate"], &counts["id_conflict"]), (&json!(1), &json!(0), &json!(1)));
    assert_eq!(counts["id_conflict_ids"], json!([id]));
    let told = ground.sluice(&verify).await.ok().stdout;
    assert!(told.contains("also given to another post") && told.contains("accounted for"), "{told}");

    let mut worker = ground.worker(&[]);
    let ran = ground.sluice(&["dlq", "replay", &id, "--yes", "--wait"]).await.exits(3);
    assert!(ran.stdout.contains("1 failed again") && ran.stderr.contains("id_conflict"), "{ran:?}");
    let listed = ground.sluice(&["dlq", "list", "--json"]).await.ok().lines();
    assert_eq!((text(&listed[0], "id"), text(&listed[0], "code")), (id.clone(), "id_conflict".to_owned()));
    assert!(text(&listed[0], "message").contains("by worker 'test'"), "{listed:?}");
    worker.stop().await;

    let taken = json!({ "id": first.id, "title": "still late" }).to_string();
    ground.sluice(&["dlq", "edit", &id, "--patch", &taken]).await.ok();
    let ran = ground.sluice(&["dlq", "edit", &id, "--new-id"]).await.ok();
    assert!(ran.stdout.contains("edited"), "{ran:?}");
    let ran = ground.sluice(&["dlq", "edit", &id, "--new-id"]).await.exits(1);
    assert!(ran.stderr.contains("must not change unless another post is stored under it"), "{ran:?}");
    let plan = ground.sluice(&["dlq", "replay", "--all", "--plan", "--json"]).await.ok().object();
    assert_eq!(plan["forecast"], json!({ "would_be_recorded": 1 }), "{plan}");
    let _worker = ground.worker(&[]);
    let ran = ground.sluice(&["dlq", "replay", &id, "--yes", "--wait"]).await.ok();
    assert!(ran.stdout.contains("1 recorded"), "{ran:?}");
    let titles: String = ground.value("SELECT GROUP_CONCAT(title ORDER BY title SEPARATOR '; ') FROM posts").await;
    assert_eq!(titles, "first come; still late");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_whose_very_post_is_stored_gets_no_other_id() {
    let ground = Ground::new().await;
    let dead = Dead::some(2);
    ground.dead(&dead).await;
    ground.record(&[dead[0].post()]).await;
    let ran = ground.sluice(&["dlq", "edit", &dead[0].id.to_string(), "--new-id"]).await.exits(1);
    assert!(ran.stderr.contains("this same post is stored"), "{ran:?}");
    let another = Dead { id: dead[0].id, ..Dead::new("other") };
    ground.sluice(&["dlq", "drop", "--all", "--yes"]).await.ok();
    ground.record(&[dead[1].post()]).await;
    ground.dead(&[another]).await;
    let taken = json!({ "id": dead[1].id }).to_string();
    let ran = ground.sluice(&["dlq", "edit", &dead[0].id.to_string(), "--patch", &taken]).await.exits(1);
    assert!(ran.stderr.contains(&format!("a post is stored under {} already", dead[1].id)), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_on_a_table_without_transactions_stores_nothing_and_says_so() {
    let ground = Ground::new().await;
    ground.dead(&Dead::some(1)).await;
    ground.sql("ALTER TABLE posts ENGINE=MyISAM").await;
    let ran = ground.sluice(&["dlq", "replay", "--all", "--plan", "--json"]).await.exits(3);
    assert_eq!(ran.object()["forecast"], json!({ "not_known": 1 }), "{ran:?}");
    assert!(ran.stderr.contains("`posts` has MyISAM"), "{ran:?}");
    assert_eq!(ground.value::<u64>("SELECT COUNT(*) FROM posts").await, 0);
    let ran = ground.sluice(&["dlq", "replay", "--all", "--yes"]).await.exits(1);
    assert!(ran.stderr.contains("`posts` has MyISAM") && ran.stderr.contains("nothing was done"), "{ran:?}");
    let ran = ground.sluice(&["migrate"]).await.exits(1);
    assert!(ran.stderr.contains("ALTER TABLE `posts` ENGINE=InnoDB"), "{ran:?}");
}
