//! Endpoints with `https`: an event goes only to the server that the address names, by a certificate that is trusted.

use sluice_lab::testing::{Authority, Identity, Program, eventually};

use super::ground::{Desk, SECRET, path};

/// A receiver with TLS that says what it received.
const RECEIVER: &str = r#"
import http.server, ssl, sys

class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(204)
        self.end_headers()
        print("received", self.headers["webhook-id"], flush=True)

server = http.server.HTTPServer(("127.0.0.1", 0), Hook)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
server.socket = context.wrap_socket(server.socket, server_side=True)
print("listens at", server.server_port, flush=True)
server.serve_forever()
"#;

/// A receiver that has this certificate, and its port.
async fn receiver(desk: &Desk, name: &str, identity: &Identity) -> (Program, u16) {
    let script = desk.file("receiver.py", RECEIVER);
    let certificate = desk.file(&format!("{name}.pem"), &identity.certificate);
    let key = desk.file(&format!("{name}.key"), &identity.key);
    let program = Program::start("python3", &[&path(&script), &path(&certificate), &path(&key)], &[]);
    let port = eventually("the receiver to listen", async || {
        let said = program.said();
        let port = said.lines().find_map(|line| line.strip_prefix("listens at ")?.parse().ok());
        port.ok_or(said)
    })
    .await;
    (program, port)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_goes_only_to_a_server_whose_certificate_is_trusted_in_time_and_for_its_name() {
    let (desk, ours, others) = (Desk::new().await, Authority::default(), Authority::default());
    let cases = [
        ("good", ours.server("localhost"), None),
        ("elsewhere", ours.server("forum.example"), Some("not valid for name")),
        ("expired", ours.expired("localhost"), Some("expired")),
        ("untrusted", others.server("localhost"), Some("UnknownIssuer")),
    ];
    let mut receivers = Vec::new();
    let mut endpoints = String::new();
    for (name, identity, refused) in cases {
        let (program, port) = receiver(&desk, name, &identity).await;
        let url = format!("https://localhost:{port}/hook");
        endpoints += &format!("[[endpoint]]\nname = \"{name}\"\nurl = \"{url}\"\nsecrets = [\"{SECRET}\"]\n");
        receivers.push((name, program, refused));
    }
    let trusted = path(&desk.file("trusted.pem", ours.pem()));
    let endpoints = path(&desk.file("endpoints.toml", &endpoints));
    let mut environment = desk.environment(&desk.ground.database_url);
    environment.push(("SSL_CERT_FILE", trusted));
    let console = desk.console_in(&environment, &["--endpoints", &endpoints]).await;
    console.program.says("the endpoint is new", receivers.len()).await;
    desk.held().await;
    for (name, program, refused) in &receivers {
        eventually("what becomes of the event", async || {
            let statuses = desk.store.endpoint_statuses().await.expect("the database answers");
            let status = statuses.into_iter().find(|status| status.endpoint == *name).ok_or("no such endpoint")?;
            let error = status.error.clone().unwrap_or_default();
            match refused {
                None if status.delivered == 1 && program.said().contains("received") => Ok(()),
                Some(why) if error.contains(why) && !program.said().contains("received") => Ok(()),
                _ => Err(format!("{name}: {status:?}")),
            }
        })
        .await;
    }
}
