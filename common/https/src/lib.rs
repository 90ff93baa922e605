//! HTTPS to services outside: the outside reviewer, and the endpoints that are told of decisions.
//!
//! The one client has TLS by ring, trusts the certificates that the system trusts, and follows no redirect: it could
//! lead posts, events and keys elsewhere. It has no timeout and reads no body, so callers bound both.

use std::error::Error;
use std::io;
use std::sync::Arc;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore};

/// Sends requests whose bodies are texts. Cheap to clone; its clones share connections.
#[derive(Debug, Clone)]
pub struct Client(legacy::Client<HttpsConnector<HttpConnector>, String>);

impl Client {
    /// Prepares to send; nothing is opened yet. `tls`: whether any address is an `https` one. If none is, the system
    /// need not have certificates.
    ///
    /// # Errors
    /// When TLS is needed and the system has no certificates to trust.
    pub fn new(tls: bool) -> io::Result<Self> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(io::Error::other)?;
        let config = match tls {
            true => config.with_native_roots()?.with_no_client_auth(),
            false => config.with_root_certificates(RootCertStore::empty()).with_no_client_auth(),
        };
        let connector = HttpsConnectorBuilder::new().with_tls_config(config).https_or_http().enable_http1().build();
        Ok(Self(legacy::Client::builder(TokioExecutor::new()).build(connector)))
    }

    /// Sends a request once and waits for the head of the answer.
    ///
    /// # Errors
    /// Why there was no answer. The text holds neither the address nor anything else of the request.
    pub async fn send(&self, request: Request<String>) -> Result<Response<Incoming>, String> {
        self.0.request(request).await.map_err(|error| causes(&error))
    }
}

/// An error with its causes. An error of this client's repeats nothing of the request.
#[must_use]
pub fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    fn request(address: std::net::SocketAddr) -> Request<String> {
        Request::post(format!("http://{address}/secret-path")).body("secret body".to_owned()).expect("a request")
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_like_any_other() {
        let server = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = server.local_addr().expect("an address");
        let answering = tokio::spawn(async move {
            let (mut stream, _) = server.accept().await.expect("a connection");
            let mut asked = vec![0; 1024];
            let read = stream.read(&mut asked).await.expect("a request");
            let head = b"HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(head).await.expect("an answer");
            String::from_utf8_lossy(&asked[..read]).into_owned()
        });
        let answer = Client::new(false).expect("a client").send(request(address)).await.expect("an answer");
        assert_eq!(answer.status(), 307);
        let asked = answering.await.expect("no panic");
        assert!(asked.starts_with("POST /secret-path HTTP/1.1\r\n"), "{asked}");
    }

    #[tokio::test]
    async fn an_address_where_nobody_listens_is_an_error_with_its_cause_and_nothing_of_the_request() {
        let nobody = "127.0.0.1:1".parse().expect("an address");
        let error = Client::new(false).expect("a client").send(request(nobody)).await.expect_err("nobody listens");
        assert!(error.contains("Connection refused") && !error.contains("secret"), "{error}");
    }
}
