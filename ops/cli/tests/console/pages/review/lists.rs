//! Lists of cases, appeals, one's own decisions, and the measures.

use sluice_core::verdict::Verdict;
use sluice_mysql::review::{Appeal, Ruling};
use uuid::Uuid;

use super::queue::sent;
use crate::ground::Desk;
use crate::pages::visitor::Visitor;

#[tokio::test]
async fn cases_are_listed_by_state_and_queue_and_appeals_by_themselves() {
    let desk = Desk::new().await;
    let cases = desk.held_posts(4).await;
    let console = desk.reviewing().await;
    let mut ann = Visitor::of(&console, "moderator").await;
    desk.claimed_by(&cases[0], "zoe").await;
    let decision = desk.decide(cases[1].case, Ruling::Reject).await;
    ann.get("/review/cases").await.is(200).says("post 02").says("post 03").lacks("post 00").lacks("post 01");
    ann.get("/review/cases?state=claimed").await.is(200).says("post 00").says("zoe").lacks("post 02");
    ann.get("/review/cases?state=decided").await.is(200).says("post 01").lacks("post 02");
    ann.get("/review/cases?state=waiting&queue=nothing").await.is(200).says("No case matches");
    ann.get("/review/cases?state=open").await.is(422).says("state: one of");
    ann.part("/review/cases", "cases", None).await.is(200).says("post 02");
    ann.get("/review/appeals").await.is(200).says("No appeal matches");
    let reason = "It was a joke <b>";
    let appeal = Appeal { id: Uuid::now_v7(), post: cases[1].post, reason };
    let appeal = desk.store.appeal(&appeal).await.expect("the database answers").expect("a case").expect("in time");
    ann.get("/review/appeals").await.is(200).says("post 01").lacks("post 02");
    let path = format!("/review/cases/{appeal}");
    let page = ann.get(&path).await.is(200).says("The author appeals").says("It was a joke &#60;b&#62;");
    let page = page.says("Against the decision of lea").says("a text for the author").says("a text for the team");
    ann.post(&format!("{path}/claim"), &[("claim", &page.field("/claim\"", "claim"))]).await.goes_to(&path);
    let page = ann.get(&path).await.is(200).says("Overturn: show it");
    ann.post(&format!("{path}/decide"), &sent(&page.ruling("ruling", "approve"))).await.is(303);
    let stands = desk.store.decisions_of(decision.post).await.expect("the database answers");
    assert_eq!((stands.len(), stands[1].verdict, stands[1].cause.as_str()), (2, Verdict::Approved, "appeal"));
}

#[tokio::test]
async fn a_long_list_has_pages_that_join_and_the_api_has_them_too() {
    let desk = Desk::new().await;
    let cases = desk.held_posts(205).await;
    // Some of the same age, others more urgent.
    desk.ground.sql("UPDATE review_cases SET opened_at = '2026-11-29 12:00:00', priority = CRC32(id) % 3").await;
    let console = desk.reviewing().await;
    let mut ann = Visitor::of(&console, "moderator").await;
    let (mut path, mut seen, mut pages) = ("/review/cases".to_owned(), Vec::new(), 0);
    loop {
        let page = ann.get(&path).await.is(200);
        assert!(page.text.len() < 100_000, "{}", page.text.len());
        seen.extend(page.text.split("data-row href=\"/review/cases/").skip(1).map(|rest| rest[..36].to_owned()));
        pages += 1;
        let Some((before, _)) = page.text.split_once("\">Next page") else { break };
        assert_eq!(page.text.contains("First page"), pages > 1);
        let query = before.rsplit("href=\"").next().expect("an address");
        path = format!("/review/cases{}", query.replace("&amp;", "&"));
    }
    let listed = console.get("review/cases?state=waiting&limit=1000").await.is(200);
    let ids = |listed: &serde_json::Value| {
        let cases = listed["cases"].as_array().expect("cases").iter();
        cases.map(|case| case["case"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!((pages, seen.len(), &seen), (3, cases.len(), &ids(&listed)));
    let rest = console.get(&format!("review/cases?state=waiting&limit=1000&after={}", seen[99])).await.is(200);
    assert_eq!(ids(&rest), seen[100..]);
    ann.get("/review/cases?after=nonsense").await.is(422).says("after: a UUID");
}

#[tokio::test]
async fn an_appeal_is_not_for_the_one_whose_decision_it_is_against() {
    let desk = Desk::new().await;
    let case = desk.held_posts(1).await.remove(0);
    let console = desk.reviewing().await;
    let mut ann = Visitor::of(&console, "lead").await;
    let path = ann.post("/review/next", &[("next", &Uuid::now_v7().to_string())]).await.leads();
    let page = ann.get(&path).await.is(200);
    ann.post(&format!("{path}/decide"), &sent(&page.ruling("reject", "rude"))).await.is(303);
    let appeal = Appeal { id: Uuid::now_v7(), post: case.post, reason: "please" };
    let appeal = desk.store.appeal(&appeal).await.expect("the database answers").expect("a case").expect("in time");
    let path = format!("/review/cases/{appeal}");
    ann.get(&path).await.is(200).says("about your own decision").lacks("Claim this case").lacks("/decide");
    let token = Uuid::now_v7().to_string();
    ann.post(&format!("{path}/claim"), &[("claim", &token)]).await.is(409).says("about your own decision");
    ann.post("/review/next", &[("next", &token)]).await.goes_to("/review?none=1");
    let own = ann.get("/review/decided").await.is(200).says("post 00").says("rude");
    let undo = own.field("/undo\"", "undo");
    let decision = desk.store.decisions_of(case.post).await.expect("the database answers").remove(0).decision;
    let back = ann.post(&format!("/review/decisions/{decision}/undo"), &[("undo", &undo)]).await.leads();
    assert_eq!(back, format!("/review/cases/{}", case.case));
    ann.get("/review/decided").await.is(200).says("(undo)").says("not the last one");
}

#[tokio::test]
async fn the_measures_are_those_of_the_command() {
    let desk = Desk::new().await;
    let cases = desk.held_posts(3).await;
    desk.held_post("bob", "Buy viagra", "Buy viagra now, add me on whatsapp +15551234567").await;
    let console = desk.reviewing().await;
    let mut ann = Visitor::of(&console, "moderator").await;
    desk.claimed_by(&cases[0], "zoe").await;
    desk.lapse().await;
    let mut path = ann.post("/review/next", &[("next", &Uuid::now_v7().to_string())]).await.leads();
    for ruling in ["approve", "approve", "reject"] {
        let page = ann.get(&path).await.is(200);
        let button = if ruling == "reject" { ("reject", "ads") } else { ("ruling", ruling) };
        let decide = format!("{}/decide", path.split('?').next().expect("a path"));
        path = ann.post(&decide, &sent(&page.ruling(button.0, button.1))).await.leads();
    }
    let week = time::OffsetDateTime::now_utc() - time::Duration::DAY;
    for by in ["moderator", "queue", "category", "rule"] {
        let measures = desk.store.measures(week, Some(by)).await.expect("the database answers");
        let mut page = ann.get(&format!("/review/measures?by={by}&since=1d")).await.is(200);
        for one in &measures {
            let counts = [one.decisions, one.approved, one.rejected, one.undone, one.overturned];
            let cells = counts.map(|count| format!("<td class=\"number\">{count}</td>")).concat();
            page = page.says(&format!("<th scope=\"row\">{}</th>{cells}", one.of));
        }
        assert!(!measures.is_empty(), "{by}");
    }
    let people = desk.store.measures(week, Some("moderator")).await.expect("the database answers");
    let of = |name: &str| people.iter().find(|one| one.of == name).expect("they are in it");
    assert_eq!((of("moderator").decisions, of("moderator").approved, of("moderator").rejected), (3, 2, 1));
    assert_eq!((of("zoe").decisions, of("zoe").lapsed), (0, 1));
    let rules = desk.store.measures(week, Some("rule")).await.expect("the database answers");
    assert!(rules.iter().any(|one| one.of == "drugs-offers" && one.decisions == 1), "{rules:?}");
    let all = desk.store.measures(week, None).await.expect("the database answers").remove(0);
    let quantiles = [("0.5", all.to_decision_p50), ("0.9", all.to_decision_p90), ("0.99", all.to_decision_p99)];
    let lines = quantiles.map(|(of, took)| format!("time_to_decision_seconds{{quantile=\"{of}\"}} {took}\n"));
    crate::support::until("`/metrics` says what the page says", async || {
        let metrics = console.bare(reqwest::Method::GET, "/metrics").send().await.expect("it answers");
        let metrics = metrics.text().await.expect("a text");
        metrics.contains("sluice_review_decided_last_day 3\n") && lines.iter().all(|line| metrics.contains(line))
    })
    .await;
    ann.get("/review/measures?by=nobody").await.is(422).says("by: one of");
    ann.get("/review/measures?since=never").await.is(422).says("since");
}

#[tokio::test]
async fn the_precision_of_each_rule_is_on_the_page_and_in_the_api() {
    let desk = Desk::new().await;
    for ruling in [Ruling::Approve, Ruling::Reject, Ruling::Reject] {
        let case = desk.held().await.case;
        desk.decide(case, ruling).await;
    }
    let console = desk.reviewing().await;
    let mut ann = Visitor::of(&console, "moderator").await;
    let cells = ["2 of 3 (67 %, 21–94)", "2 of 3 (67 %, 21–94)", "-"];
    let cells = cells.map(|cell| format!("<td class=\"number nowrap\">{cell}</td>")).concat();
    let page = ann.get("/review/measures?by=rule").await.is(200).says("<th scope=\"row\">test</th>").says(&cells);
    page.says("with others").says("cannot be told from decisions").lacks("Lapsed");
    ann.get("/review/measures?by=queue").await.is(200).says("Lapsed").lacks("with others");
    let measures = console.get("review/measures?by=rule").await.is(200);
    let precision = &measures["measures"][0]["precision"];
    assert_eq!((&precision["alone"]["rejected"], &precision["alone"]["posts"]), (&2.into(), &3.into()));
    assert!(precision["with_others"]["share"].is_null(), "{precision}");
    assert!(console.get("review/measures").await.is(200)["measures"][0]["precision"].is_null());
}
