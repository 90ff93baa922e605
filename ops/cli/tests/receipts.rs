//! The receipts of posts that came over HTTP, compared with what became of them.

mod support;

use std::path::Path;

use sluice_lab::testing::{Port, Program};
use support::{Ground, until};

#[tokio::test(flavor = "multi_thread")]
async fn what_came_over_http_is_verified_by_the_producers_receipts() {
    let ground = Ground::new().await;
    let folder = tempfile::tempdir().expect("a folder");
    let receipts = folder.path().join("ids").display().to_string();
    let kept = Port::hold();
    let listen = kept.addr().to_string();
    let program = Path::new(env!("CARGO_BIN_EXE_sluice")).with_file_name("sluice-producer");
    let environment = [("AMQP_URL", ground.amqp_url.clone()), ("SLUICE_PREFIX", ground.prefix.clone())];
    let args = ["serve", "--listen", &listen, "--receipts", &receipts];
    let mut producer = Program::start(program.to_str().expect("a path in UTF-8"), &args, &environment);
    producer.says("serving", 1).await;
    for number in 0..5 {
        let body = format!(r#"{{"title":"{number}","content":"c"}}"#);
        let request = reqwest::Client::new().post(format!("http://{listen}/posts")).body(body);
        let answer = request.header("content-type", "application/json").send().await.expect("an answer");
        assert_eq!(answer.status(), 202);
    }
    assert!(producer.stop().await.success());
    let verified = async || ground.sluice(&["verify", "--receipts", &receipts, "--json"]).await.object();
    let report = verified().await;
    assert_eq!((&report["accepted"], &report["queued"], &report["missing"]), (&5.into(), &5.into(), &0.into()));
    let worker = ground.worker(&[]);
    until("all of them are stored", async || verified().await["recorded"] == 5).await;
    drop(worker);
    std::fs::write(&receipts, format!("{}\n", sluice_core::post::PostId::new())).expect("it is ours");
    assert_eq!(verified().await["missing"], 1, "a receipt without a post is noticed");
}
