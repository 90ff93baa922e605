//! Plan, canary, replay, stop and drop from the pages: the same words and the same record as the commands'.

use serde_json::Value;
use sluice_lab::testing::eventually;

use super::dead_letters::seen;
use super::house::House;
use super::visitor::{Shown, Visitor};
use crate::support::Dead;

/// The id of the plan that a page shows.
#[track_caller]
pub(crate) fn plan_of(page: &Shown) -> String {
    let (_, rest) =
        page.text.split_once("name=\"plan\" value=\"").unwrap_or_else(|| panic!("no plan in {}", page.text));
    rest.split('"').next().expect("its end").to_owned()
}

/// The operation's page, once it has these words and changes no more: what it did is said a moment before it is over,
/// and only then is what is recorded of it shown.
pub(crate) async fn ended(visitor: &mut Visitor, path: &str, words: &str) -> Shown {
    eventually(&format!("{path} to be over and to say {words:?}"), async || {
        let page = visitor.get(path).await.is(200);
        if page.text.contains(words) && !page.text.contains("data-live") { Ok(page) } else { Err(page.text) }
    })
    .await
}

#[tokio::test]
async fn a_replay_is_planned_begun_with_a_canary_and_followed_by_all_viewers() {
    let house = House::new().await;
    let stays = Dead { code: "malformed", message: "not JSON".to_owned(), ..Dead::new("stays") };
    house.ground.dead(&[Dead::some(30), vec![stays]].concat()).await;
    let console = house.console().await;
    let mut ann = Visitor::of(&console, "operator").await;
    let mut bob = Visitor::of(&console, "viewer").await;
    let plan = ann.get("/operations/plan?action=replay&code=mysql_1406").await.is(200);
    let plan = plan.says("Replay 30 dead letters").says("30 would be recorded").says("value=\"20\"");
    bob.get("/operations/plan?action=replay").await.is(403).says("takes the role operator");
    let id = plan_of(&plan);
    let form = [("plan", id.as_str()), ("canary", "5"), ("abort_over", "50"), ("reason", "the column is wide enough")];
    bob.post("/operations", &form).await.is(403);
    let refused = r#""message":"refused","name":"viewer","role":"viewer","needed":"operator","method":"POST""#;
    console.program.says(refused, 1).await;
    ann.post("/operations", &[("plan", &id), ("canary", "none")]).await.is(422).says("canary");
    let path = ann.post("/operations", &form).await.is(303).to.expect("its page");
    ann.post("/operations", &form).await.is(409).says("The plan is gone");
    eventually("the canary to be out", async || {
        let page = bob.get(&path).await.is(200);
        if page.text.contains("5 replayed as a canary") { Ok(()) } else { Err(page.text) }
    })
    .await;
    let under_way = bob.get(&path).await.is(200).lacks("Stop after this batch");
    assert!(under_way.text.contains("data-live"), "{}", under_way.text);
    ann.get(&path).await.is(200).says("Stop after this batch");
    let _worker = house.ground.worker(&[]);
    let done = ended(&mut bob, &path, "all are known").await.says("30 replayed").says("What became of them");
    done.says("30 recorded").says("0 of the 5 failed again: continuing");
    ann.get(&path).await.is(200).says("Plan the same again");
    ann.get("/operations").await.is(200).says("code mysql_1406").says("30 replayed");
    let log = house.ground.sluice(&["dlq", "audit", "--json", "--limit", "5"]).await.ok().lines();
    let entry: &Value = &log[0];
    assert_eq!(
        (&entry["actor"], &entry["kind"], &entry["outcome"]),
        (&"operator".into(), &"replay".into(), &"replayed".into())
    );
    assert_eq!((&entry["asked"]["role"], &entry["reason"]), (&"operator".into(), &"the column is wide enough".into()));
    let audit = ann.get("/audit").await.is(200);
    audit.says("the column is wide enough").says("by operator, operation");
    // What the plan has not shown stays.
    house.holds(1).await;
}

#[tokio::test]
async fn what_fails_again_leads_to_the_dead_letters_of_its_kind() {
    let house = House::new().await;
    let long = |number| Dead::new(&format!("{number} {}", "long".repeat(10)));
    house.ground.dead(&[long(1), long(2)]).await;
    house.ground.sql("ALTER TABLE posts MODIFY title VARCHAR(20) NOT NULL").await;
    let console = house.console().await;
    let mut ann = Visitor::of(&console, "operator").await;
    let id = plan_of(&ann.get("/operations/plan?action=replay").await.is(200));
    let path = ann.post("/operations", &[("plan", &id)]).await.is(303).to.expect("its page");
    let _worker = house.ground.worker(&[]);
    let past = ended(&mut ann, &path, "2 failed again").await.says("all of this kind");
    let (_, rest) = past.text.split_once("href=\"/dead-letters/list?fingerprint=").expect("the way there");
    let kind = rest.split('"').next().expect("its end");
    let list = format!("/dead-letters/list?fingerprint={kind}");
    seen(&mut ann, &list, "2 dead letters").await.says("longlong");
}

#[tokio::test]
async fn an_operation_is_stopped_between_two_batches_and_goes_on_from_there() {
    let house = House::new().await;
    house.ground.dead(&Dead::some(40)).await;
    let console = house.console().await;
    let mut ann = Visitor::of(&console, "lead").await;
    let id = plan_of(&ann.get("/operations/plan?action=drop").await.is(200).says("Drop 40 to the archive"));
    // Twenty seconds at this rate.
    let form = [("plan", id.as_str()), ("rate", "2"), ("reason", "a test")];
    let path = ann.post("/operations", &form).await.is(303).to.expect("its page");
    eventually("something to be done", async || {
        let page = ann.get(&path).await.is(200);
        let done = page.text.contains(" done</p>") && !page.text.contains(">0 done</p>");
        if done { Ok(()) } else { Err(page.text) }
    })
    .await;
    ann.post(&format!("{path}/stop"), &[]).await.goes_to(&path);
    let stopped = ended(&mut ann, &path, "interrupted: the others are unchanged").await;
    let (before, _) = stopped.text.split_once(" dropped").expect("what was done");
    let dropped: usize = before.rsplit('>').next().and_then(|number| number.parse().ok()).expect("a number");
    assert!((1..39).contains(&dropped), "{dropped}");
    let left = 40 - dropped;
    house.holds(left).await;
    ann.post("/operations/0193a5b2-7c55-7000-8000-00000000e1b4/stop", &[]).await.is(409);
    ann.get("/operations/0193a5b2-7c55-7000-8000-00000000e1b4").await.is(404);
    let id = plan_of(&ann.get("/operations/plan?action=drop").await.is(200));
    let path = ann.post("/operations", &[("plan", &id), ("reason", "the rest")]).await.is(303).to.expect("its page");
    ended(&mut ann, &path, &format!("{left} dropped")).await;
    assert_eq!(house.ground.dead_letters().await, 0);
}

#[tokio::test]
async fn what_was_dropped_is_restored_from_the_page_and_only_once() {
    let house = House::new().await;
    house.ground.dead(&Dead::some(3)).await;
    let console = house.console().await;
    let (mut ann, mut bob) = (Visitor::of(&console, "operator").await, Visitor::of(&console, "viewer").await);
    let id = plan_of(&ann.get("/operations/plan?action=drop").await.is(200));
    let path = ann.post("/operations", &[("plan", &id), ("reason", "by mistake")]).await.is(303).to.expect("its page");
    ended(&mut ann, &path, "3 dropped").await.says("Restore what it dropped");
    bob.get(&path).await.is(200).lacks("Restore what it dropped");
    let operation = path.rsplit('/').next().expect("an id");
    bob.post("/operations/restore", &[("operation", operation)]).await.is(403);
    ann.get("/audit").await.is(200).says("Restore all of its operation");
    let back = ann.post("/operations/restore", &[("operation", operation)]).await.is(303).to.expect("its page");
    ended(&mut ann, &back, "3 restored").await.says(&format!("all that operation {operation} dropped"));
    house.holds(3).await;
    ann.post("/operations/restore", &[("operation", operation)]).await.is(409).says("already restored");
    ann.post("/operations/restore", &[("operation", "nobody")]).await.is(409).says("nothing to restore");
    ann.post("/operations/restore", &[]).await.is(422);
    ann.get("/audit").await.is(200).lacks("Restore all of its operation");
    let log = house.ground.sluice(&["dlq", "audit", "--json", "--limit", "1"]).await.ok().lines();
    let entry: &Value = &log[0];
    assert_eq!((&entry["actor"], &entry["kind"]), (&"operator".into(), &"restore".into()));
}

#[tokio::test]
async fn the_audit_log_is_downloaded_whole_with_the_lines_of_the_command() {
    let house = House::new().await;
    house.ground.dead(&Dead::some(5)).await;
    house.ground.sluice(&["dlq", "drop", "--code", "mysql_1406", "--limit", "2", "--yes"]).await.ok();
    house.ground.sluice(&["dlq", "drop", "--all", "--yes", "--reason", "the rest"]).await.ok();
    let console = house.console().await;
    let mut ann = Visitor::of(&console, "viewer").await;
    ann.get("/audit").await.is(200).says("href=\"/audit/export\"");
    let file = ann.get("/audit/export").await.is(200);
    let log = house.ground.sluice(&["dlq", "audit", "--json", "--limit", "100"]).await.ok();
    assert_eq!((file.text.lines().count(), &file.text), (5, &log.stdout));
    let id = log.lines()[4]["dead_letter"].as_str().expect("an id").to_owned();
    let of_one = ann.get(&format!("/audit/export?dead_letter={id}")).await.is(200).says(&id);
    assert_eq!(of_one.text.lines().count(), 1);
    ann.get("/audit/export?dead_letter=nobody").await.is(200).lacks("{");
    // The pages in which it is read join without a gap.
    let (store, prefix) = (&house.ground.store, house.ground.prefix.as_str());
    let all = store.audit_log(prefix, None, 100).await.expect("the database answers");
    let mut read = store.audit_log(prefix, None, 2).await.expect("the database answers");
    while let Some(last) = read.last() {
        let before = (last.operation.clone(), last.number);
        let page = store.audit_log_before(prefix, None, Some((&before.0, before.1)), 2).await;
        let page = page.expect("the database answers");
        if page.is_empty() {
            break;
        }
        read.extend(page);
    }
    assert_eq!(read, all);
}

#[tokio::test]
async fn nothing_is_done_that_cannot_be_recorded() {
    let house = House::new().await;
    house.ground.dead(&Dead::some(2)).await;
    let (proxy, url) = house.ground.database_proxy();
    let console = house.console_on(&url).await;
    let mut ann = Visitor::of(&console, "operator").await;
    let id = plan_of(&ann.get("/operations/plan?action=replay").await.is(200));
    proxy.cut();
    ann.post("/operations", &[("plan", &id)]).await.is(503).says("could not be recorded");
    ann.get("/operations/plan?action=replay").await.is(200).says("outcomes are not known");
    ann.get("/audit").await.is(503).says("audit log cannot be read");
    ann.get("/operations").await.is(200).says("cannot be read");
    proxy.heal();
    eventually("the same plan to be taken", async || {
        let answer = ann.post("/operations", &[("plan", &id)]).await;
        if answer.status == 303 { Ok(()) } else { Err(answer) }
    })
    .await;
}
