//! Two moderators who want the same thing at the same moment.

use std::collections::HashSet;

use crate::desk::Desk;
use crate::support::text;

#[tokio::test(flavor = "multi_thread")]
async fn six_who_ask_at_once_get_six_cases_and_the_seventh_is_told_how_many_are_claimed() {
    let desk = Desk::new().await;
    for number in 0..6 {
        desk.held(&number.to_string(), 60).await;
    }
    let names = ["a", "b", "c", "d", "e", "f", "g"];
    let ask = async |name: &str| desk.review(&["next", "--as", name, "--json"]).await;
    let ran = futures_util::future::join_all(names.map(ask)).await;
    let (got, none): (Vec<_>, Vec<_>) = ran.into_iter().partition(|ran| ran.code == Some(0));
    let cases: HashSet<String> = got.iter().map(|ran| text(&ran.object(), "case")).collect();
    assert_eq!((cases.len(), none.len()), (6, 1), "{none:?}");
    assert!(none[0].code == Some(3) && none[0].stderr.contains("no case is free"), "{none:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_decisions_at_once_one_is_written_and_the_other_is_told_of_it() {
    let desk = Desk::new().await;
    for number in 0..5 {
        let held = desk.held(&number.to_string(), 60).await;
        let decide = async |word, name| desk.review(&["decide", &held.case, word, "--as", name]).await;
        let (one, other) = tokio::join!(decide("approve", "ann"), decide("reject", "bob"));
        let (first, late) = if one.code == Some(0) { (one, other) } else { (other, one) };
        let (first, late) = (first.exits(0), late.exits(3));
        let verdict = if first.stdout.contains("approved") { "ann decided it at 20" } else { "bob decided it at 20" };
        assert!(late.stderr.contains(verdict), "{first:?} {late:?}");
    }
}
