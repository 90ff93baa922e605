//! TLS to both servers: only to the one that the address names, by a certificate that is trusted and in time; and each
//! refusal says what to do.

use std::process::Stdio;

use mysql_async::prelude::Queryable as _;
use sluice_lab::devstack::{Stack, StackOptions};
use sluice_lab::testing::{Authority, Identity};
use tempfile::NamedTempFile;

/// Servers with this certificate.
async fn servers(identity: Identity) -> Stack {
    let options = StackOptions { identity: Some(identity), ..StackOptions::default() };
    Stack::start(options).await.expect("private servers")
}

/// An authority's certificate in a file.
fn trusted(authority: &Authority) -> NamedTempFile {
    let file = NamedTempFile::new().expect("a place for files");
    std::fs::write(file.path(), authority.pem()).expect("it can be written");
    file
}

/// Declares the queues, or makes the schema, with these addresses. What it said, and whether it could.
async fn run(command: &[&str], amqp_url: &str, database_url: &str, trusts: &NamedTempFile) -> (bool, String) {
    let mut sluice = tokio::process::Command::new(env!("CARGO_BIN_EXE_sluice"));
    sluice.args(command).env("AMQP_URL", amqp_url).env("DATABASE_URL", database_url);
    sluice.env("SSL_CERT_FILE", trusts.path()).stdin(Stdio::null()).kill_on_drop(true);
    let ran = sluice.output().await.expect("the program was built");
    (ran.status.success(), String::from_utf8_lossy(&ran.stderr).into_owned())
}

#[track_caller]
fn refused((done, said): (bool, String), words: &[&str]) {
    assert!(!done && words.iter().all(|word| said.contains(word)), "{words:?} in {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rabbitmq_is_spoken_to_only_by_a_certificate_that_is_trusted_in_time_and_for_its_name() {
    let (ours, others) = (Authority::default(), Authority::default());
    let (good, late) = tokio::join!(servers(ours.server("localhost")), servers(ours.expired("localhost")));
    let (trusted_ours, trusted_others) = (trusted(&ours), trusted(&others));
    let declare = async |url: &str, trusts: &NamedTempFile| {
        run(&["topology", "apply", "--prefix", "tls"], url, "mysql://nobody@localhost/none", trusts).await
    };
    let (done, said) = declare(&good.amqps_url("localhost"), &trusted_ours).await;
    assert!(done, "{said}");
    for (url, trusts, why) in [
        (good.amqps_url("127.0.0.1"), &trusted_ours, "not valid for name"),
        (good.amqps_url("localhost"), &trusted_others, "UnknownIssuer"),
        (late.amqps_url("localhost"), &trusted_ours, "expired"),
        (good.amqp_url().replace("amqp://", "amqps://"), &trusted_ours, "does not use TLS"),
    ] {
        refused(declare(&url, trusts).await, &[why, "AMQP_URL"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mysql_is_spoken_to_only_by_a_certificate_that_is_trusted_in_time_and_for_its_name() {
    let (ours, others) = (Authority::default(), Authority::default());
    let (good, late) = tokio::join!(servers(ours.server("localhost")), servers(ours.expired("localhost")));
    let (trusted_ours, trusted_others) = (trusted(&ours), trusted(&others));
    let at = |stack: &Stack, host: &str, parameters: &str| {
        format!("{}{parameters}", stack.database_url("posts").replace("@127.0.0.1:", &format!("@{host}:")))
    };
    let migrate =
        async |url: &str, trusts: &NamedTempFile| run(&["migrate"], "amqp://nobody@localhost", url, trusts).await;
    let (done, said) = migrate(&at(&good, "localhost", "?require_ssl=true"), &trusted_ours).await;
    assert!(done, "{said}");
    for (url, trusts, why) in [
        (at(&good, "127.0.0.1", "?require_ssl=true"), &trusted_ours, "not valid for name"),
        (at(&good, "localhost", "?require_ssl=true"), &trusted_others, "UnknownIssuer"),
        (at(&late, "localhost", "?require_ssl=true"), &trusted_ours, "expired"),
    ] {
        refused(migrate(&url, trusts).await, &[why, "its certificate must be for this host, in time, and signed by"]);
    }
    // MySQL always offers a certificate, by itself one that it has signed; this machine's MariaDB none.
    let plain = Stack::start(StackOptions::default()).await.expect("private servers");
    let offers = plain.versions().await.contains("MySQL");
    let why = if offers { "its certificate must be" } else { "the server offers no TLS" };
    refused(migrate(&at(&plain, "localhost", "?require_ssl=true"), &trusted_ours).await, &[why]);
    // Required, and not asked for.
    let options = mysql_async::Opts::from_url(&good.database_url("posts")).expect("a good address");
    let mut root = mysql_async::Conn::new(options).await.expect("MySQL answers");
    root.query_drop("SET GLOBAL require_secure_transport = ON").await.expect("root may");
    refused(migrate(&at(&good, "localhost", ""), &trusted_ours).await, &["?require_ssl=true"]);
    let (done, said) = migrate(&at(&good, "localhost", "?require_ssl=true"), &trusted_ours).await;
    assert!(done, "{said}");
}
