//! MySQL stops and comes back: clients are told to come back, decisions wait, and nothing is lost.

use std::time::{Duration, Instant};

use serde_json::json;
use sluice_lab::testing::{Proxy, eventually, in_time};

use super::forum::{Does, Forum};
use super::ground::Desk;
use super::sender::until_agreed;

#[tokio::test(flavor = "multi_thread")]
async fn while_mysql_is_down_clients_are_told_to_come_back_and_afterwards_all_goes_on() {
    let desk = Desk::new().await;
    let forum = Forum::new(|_| Does::Take).await;
    let proxy = Proxy::start(desk.ground.database_address()).expect("a free port");
    let by_proxy = desk.ground.database_url_via(proxy.addr());
    let mut console = desk.console_on(&by_proxy, &["--endpoints", &desk.endpoints(&forum.url())]).await;
    console.program.says("the endpoint is new", 1).await;
    let case = desk.held().await;
    proxy.cut();
    for path in [format!("posts/{}", case.post), "decisions".to_owned(), format!("review/cases/{}", case.case)] {
        let answer = console.get(&path).await;
        assert_eq!(answer.retry_after.as_deref(), Some("1"));
        answer.problem(503, "database-unusable");
    }
    let decide = json!({ "case": case.case, "verdict": "approved", "by": "ann" });
    console.keyed("review/decisions", "one", &decide).await.problem(503, "database-unusable");
    let ready = console.bare(reqwest::Method::GET, "/readyz").send().await.expect("it answers");
    assert_eq!(ready.status(), 503);
    let alive = console.bare(reqwest::Method::GET, "/healthz").send().await.expect("it answers");
    assert_eq!(alive.status(), 200);
    proxy.heal();
    let decided = eventually("the decision to be taken", async || {
        let answer = console.keyed("review/decisions", "one", &decide).await;
        if answer.status == 201 { Ok(answer.body) } else { Err(answer) }
    })
    .await;
    assert_eq!(console.keyed("review/decisions", "one", &decide).await.is(201), decided);
    until_agreed(&desk, &forum, &[case]).await;
    let stopping = Instant::now();
    assert!(console.program.stop().await.success());
    in_time("the end of the console", stopping.elapsed(), Duration::from_secs(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_starts_without_mysql_and_opens_the_cases_that_are_missing_once_it_is_there() {
    let desk = Desk::new().await;
    let post = desk.stored(sluice_core::verdict::Verdict::Held).await;
    let proxy = Proxy::start(desk.ground.database_address()).expect("a free port");
    proxy.cut();
    let console = desk.console_on(&desk.ground.database_url_via(proxy.addr()), &[]).await;
    console.get(&format!("posts/{post}")).await.problem(503, "database-unusable");
    proxy.heal();
    eventually("the post to have its case", async || {
        let cases = desk.store.cases_of(post).await.expect("the database answers");
        if cases.len() == 1 { Ok(()) } else { Err(cases) }
    })
    .await;
}
