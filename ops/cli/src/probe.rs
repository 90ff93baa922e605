//! `sluice probe`: a health page, asked from where there is no shell and no other client, such as a container.

use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Limited};
use sluice_core::config::duration;
use sluice_https::Client;
use sluice_runtime::exit::Exit;

/// How much of an answer is read: far more than the pages of Sluice's programs have.
const ANSWER_MAX_BYTES: usize = 16 * 1024;

/// Arguments of `sluice probe`.
#[derive(Debug, Args)]
pub struct ProbeArgs {
    /// Page to ask for, such as `http://127.0.0.1:8081/readyz`
    #[arg(value_name = "URL")]
    url: Uri,
    /// Longest wait for the whole answer
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = duration)]
    timeout: Duration,
}

/// Asks for the page once. Done: it answered 200.
///
/// # Errors
/// Another status, with the start of the answer, or why there was no answer.
pub async fn run(args: ProbeArgs) -> anyhow::Result<Exit> {
    let client = Client::new(args.url.scheme_str() == Some("https"))?;
    let request = Request::get(args.url.clone()).body(String::new()).context("cannot ask for this page")?;
    let asked = async {
        let answer = client.send(request).await.map_err(anyhow::Error::msg)?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), ANSWER_MAX_BYTES).collect().await;
        let body = body.map(|body| String::from_utf8_lossy(&body.to_bytes()).into_owned());
        anyhow::Ok((status, body.unwrap_or_default()))
    };
    let answered = tokio::time::timeout(args.timeout, asked).await;
    let (status, body) = answered.with_context(|| format!("{}: no answer within {:?}", args.url, args.timeout))??;
    if status != StatusCode::OK {
        bail!("{}: {status}: {body}", args.url);
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    /// Asks a server that gives this answer, or none and keeps the connection. One that answers has as long as a busy
    /// machine takes.
    async fn asked(answer: Option<&'static str>) -> anyhow::Result<Exit> {
        let server = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/readyz", server.local_addr().expect("an address"));
        let answering = tokio::spawn(async move {
            let (mut stream, _) = server.accept().await.expect("a connection");
            let mut asked = [0; 1024];
            let _ = stream.read(&mut asked).await.expect("a request");
            match answer {
                Some(answer) => stream.write_all(answer.as_bytes()).await.expect("a reader"),
                None => std::future::pending().await,
            }
        });
        let timeout = if answer.is_some() { Duration::from_secs(60) } else { Duration::from_millis(200) };
        let args = ProbeArgs { url: url.parse().expect("a URL"), timeout };
        let done = run(args).await;
        answering.abort();
        done
    }

    #[tokio::test]
    async fn only_200_in_time_is_healthy_and_anything_else_says_why() {
        let done = asked(Some("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")).await;
        assert_eq!(done.expect("a healthy program"), Exit::Done);
        let refused = asked(Some("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 6\r\n\r\npaused")).await;
        let why = refused.expect_err("it is not ready").to_string();
        assert!(why.contains("503") && why.contains("paused"), "{why}");
        let silent = asked(None).await.expect_err("it is silent");
        assert!(format!("{silent:#}").contains("no answer within 200ms"), "{silent:#}");
    }
}
