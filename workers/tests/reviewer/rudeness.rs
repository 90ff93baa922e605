//! Every way to fail holds the post and says how.

use crate::server::{MODEL, Manner, Server, closed, resetting};
use crate::stage::Stage;

/// So patient that none of these tests opens the circuit.
const NEVER: [&str; 2] = ["--reviewer-trip", "1000"];

#[tokio::test]
async fn a_wrong_answer_holds_the_post_with_what_was_wrong() {
    let elsewhere = Server::start(Manner::Right).await;
    let server = Server::start(Manner::Right).await;
    let stage = Stage::new(&server.url(), &[&NEVER[..], &["--reviewer-timeout", "30s"]].concat()).await;
    let valid = r#""results":[{"flagged":false,"categories":{},"category_scores":{}}]"#;
    for (manner, code) in [
        (Manner::Says(500, "oh".to_owned()), "reviewer_status_500"),
        (Manner::Says(503, format!(r#"{{"model":"{MODEL}",{valid}}}"#)), "reviewer_status_503"),
        (Manner::Says(429, "slower".to_owned()), "reviewer_status_429"),
        (Manner::Says(400, "what?".to_owned()), "reviewer_status_400"),
        (Manner::SendsTo(elsewhere.url()), "reviewer_status_302"),
        (Manner::Says(200, "<html>welcome</html>".to_owned()), "reviewer_malformed"),
        (Manner::Says(200, String::new()), "reviewer_malformed"),
        (Manner::Says(200, format!(r#"{{"model":"{MODEL}","results":[]}}"#)), "reviewer_malformed"),
        (Manner::Says(200, format!(r#"{{"model":"{MODEL}","results":[{{"flagged":null}}]}}"#)), "reviewer_malformed"),
        (Manner::Says(200, format!(r#"{{"model":"other",{valid}}}"#)), "reviewer_wrong_model"),
        (Manner::Endless, "reviewer_malformed"),
        (Manner::Half, "reviewer_unreachable"),
    ] {
        let told = format!("{manner:?}");
        server.behaves(manner);
        assert_eq!(stage.report("doubtful").await.outcome(), ("held", code), "{told}");
    }
    assert_eq!(elsewhere.asked().len(), 0, "a redirect is not followed");
    server.behaves(Manner::Right);
    assert_eq!(stage.report("doubtful").await.row.verdict, "approved", "it was the server, not the worker");
    assert_eq!(stage.ground.dead().await.ready, 0);
}

#[tokio::test]
async fn one_that_never_answers_is_not_waited_for_longer_than_is_set() {
    let server = Server::start(Manner::Silent).await;
    let stage = Stage::new(&server.url(), &[&NEVER[..], &["--reviewer-timeout", "300ms"]].concat()).await;
    let told = stage.report("doubtful").await;
    assert_eq!(told.outcome(), ("held", "reviewer_timeout"));
    assert!(told.reasons[0].text.contains("300ms"), "{told:?}");
}

#[tokio::test]
async fn one_that_cannot_be_reached_or_hangs_up_holds_the_post() {
    let (reset, task) = resetting().await;
    for url in [closed().await, reset] {
        let stage = Stage::new(&url, &NEVER).await;
        assert_eq!(stage.report("doubtful").await.outcome(), ("held", "reviewer_unreachable"), "{url}");
        assert_eq!(stage.report("clean").await.outcome(), ("approved", ""), "{url}");
    }
    task.abort();
}

#[tokio::test]
async fn one_that_speaks_no_tls_where_it_should_holds_the_post() {
    let server = Server::start(Manner::Right).await;
    let stage = Stage::new(&server.url().replace("http://", "https://"), &NEVER).await;
    assert_eq!(stage.report("doubtful").await.outcome(), ("held", "reviewer_unreachable"));
    assert_eq!(server.asked().len(), 0, "nothing was sent in clear");
}
