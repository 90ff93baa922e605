//! The file is read again when it changes; what is wrong is ignored, with a word.

use crate::register::{Register, entry, post};
use crate::support::{Ground, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_file_is_in_force_and_a_wrong_one_leaves_the_old_in_force() {
    let ground = Ground::new();
    let register = Register::new(&entry("forum", ""));
    let server = register.serve(&ground, &[]).await;
    assert_eq!((post(&server, "forum", "t").await.status, post(&server, "blog", "t").await.status), (202, 401));
    register.write(&(entry("blog", "") + &entry("forum", "")));
    until("the new sender is let in", async || post(&server, "blog", "t").await.status == 202).await;
    for (told, wrong) in [
        ("rate is 0", entry("forum", "rate = 0")),
        ("two of this name", entry("forum", "") + &entry("forum", "")),
        ("unknown field", entry("forum", "speed = 7")),
    ] {
        register.write(&wrong);
        server.program.says(told, 1).await;
        assert_eq!((post(&server, "blog", "t").await.status, post(&server, "forum", "t").await.status), (202, 202));
    }
    register.write(&entry("forum", ""));
    until("the old sender is refused", async || post(&server, "blog", "t").await.status == 401).await;
    register.readable_by(0o644);
    server.program.says("mode 644", 1).await;
    assert_eq!(post(&server, "forum", "t").await.status, 202);
    std::fs::remove_file(register.path()).expect("it is ours");
    server.program.says("SLUICE_SENDERS", 5).await;
    assert_eq!(post(&server, "forum", "t").await.status, 202);
    register.write("");
    until("nobody is let in", async || post(&server, "forum", "t").await.status == 401).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_used_up_stays_used_up_when_the_file_changes_until_the_rate_does() {
    let ground = Ground::new();
    let slow = |burst: u32| entry("slow", &format!("rate = 0.001\nburst = {burst}"));
    let register = Register::new(&slow(1));
    let server = register.serve(&ground, &[]).await;
    assert_eq!((post(&server, "slow", "t").await.status, post(&server, "slow", "t").await.status), (202, 429));
    register.write(&(slow(1) + &entry("new", "")));
    until("the new sender is let in", async || post(&server, "new", "t").await.status == 202).await;
    assert_eq!(post(&server, "slow", "t").await.status, 429);
    register.write(&slow(2));
    until("the new rate is in force", async || post(&server, "slow", "t").await.status == 202).await;
}
