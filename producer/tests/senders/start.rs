//! What is refused at start.

use crate::register::{Register, entry};
use crate::support::{Ground, Server};

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_file_is_refused_by_name_before_anything_is_opened() {
    let ground = Ground::new();
    let register = Register::new("");
    let refused = async |told: &str| {
        let path = register.path().display().to_string();
        let ended = ground.run(&["serve", "--listen", "127.0.0.1:0"], &[("SLUICE_SENDERS", &path)]).await;
        assert_eq!(ended.code, Some(2), "{told}: {}", ended.said);
        assert!(ended.said.contains("SLUICE_SENDERS") && ended.said.contains(told), "{told}: {}", ended.said);
    };
    for (told, text) in [
        ("sender `forum` (line 1): rate is 0", entry("forum", "rate = 0")),
        ("sender `forum` (line 5): there are two", entry("forum", "") + &entry("forum", "")),
        ("unknown field `speed`", entry("forum", "speed = 7")),
        ("64 hexadecimal digits", entry("forum", "").replace("token_sha256 = \"", "token_sha256 = \"x")),
        ("has the same token", entry("forum", "") + &entry("forum", "").replace("name = \"forum\"", "name = \"blog\"")),
    ] {
        register.write(&text);
        refused(told).await;
    }
    register.write(&entry("forum", ""));
    register.readable_by(0o644);
    refused("mode 644").await;
    std::fs::remove_file(register.path()).expect("it is ours");
    refused("senders.toml").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_an_address_that_is_not_loopback_it_starts_only_with_senders_or_when_told_to() {
    let ground = Ground::new();
    let ended = ground.run(&["serve", "--listen", "0.0.0.0:0"], &[]).await;
    assert_eq!(ended.code, Some(2), "{}", ended.said);
    assert!(ended.said.contains("SLUICE_LISTEN") && ended.said.contains("--open"), "{}", ended.said);
    let serve = ["serve", "--listen", "0.0.0.0:0", "--log-format", "json"];
    let open = Server::ready(ground.start(&[&serve[..], &["--open"]].concat(), &[])).await;
    assert!(open.program.said().contains("anybody who reaches this address"), "{}", open.program.said());
    let register = Register::new(&entry("forum", ""));
    let path = register.path().display().to_string();
    Server::ready(ground.start(&serve, &[("SLUICE_SENDERS", &path)])).await;
    let both = ground.run(&["serve", "--open"], &[("SLUICE_SENDERS", &path)]).await;
    assert_eq!(both.code, Some(2), "{}", both.said);
}
