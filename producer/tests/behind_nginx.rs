//! The producer behind nginx, with the settings of docs/proxy/nginx.conf: only what they need to run in a test is replaced.

#[allow(dead_code, unused_imports, reason = "not all of it is needed here")]
mod support;

use std::net::TcpListener;
use std::path::Path;

use sluice_lab::testing::{Authority, Program, eventually};
use sluice_runtime::token::TokenHash;
use support::{Ground, Server};

/// What nginx needs around them, to run in a folder and as one process.
const AROUND: &str = "worker_rlimit_nofile 1024; pid FOLDER/pid; error_log stderr;\nevents { worker_connections 512; }\n\
                      http {\naccess_log off; client_body_temp_path FOLDER/body; proxy_temp_path FOLDER/proxy;\n\
                      fastcgi_temp_path FOLDER/f; uwsgi_temp_path FOLDER/u; scgi_temp_path FOLDER/s;\n\
                      include FOLDER/sluice.conf;\n}\n";

/// nginx before a producer.
struct Proxy {
    folder: tempfile::TempDir,
    nginx: Program,
    url: String,
}

impl Proxy {
    async fn before(server: &Server, replaced: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let at = folder.path().display().to_string();
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let authority = Authority::default();
        let identity = authority.server("localhost");
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("it is ours");
        write("ca.pem", authority.pem());
        write("cert.pem", &identity.certificate);
        write("key.pem", &identity.key);
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/proxy/nginx.conf");
        let mut settings = std::fs::read_to_string(page).expect("the page is there");
        let (listen, producer) = (format!("listen 127.0.0.1:{port} ssl;"), server.url.replace("http://", "server "));
        for (from, to) in [
            ("listen 443 ssl;", listen.as_str()),
            ("listen [::]:443 ssl;", ""),
            ("server_name posts.example;", "server_name localhost;"),
            ("/etc/ssl/posts.example/fullchain.pem", &format!("{at}/cert.pem")),
            ("/etc/ssl/posts.example/privkey.pem", &format!("{at}/key.pem")),
            ("server 127.0.0.1:8081", &producer),
        ]
        .iter()
        .chain(replaced)
        {
            assert!(settings.contains(from), "{from} is not on the page");
            settings = settings.replace(from, to);
        }
        write("sluice.conf", &settings);
        write("nginx.conf", &AROUND.replace("FOLDER", &at));
        // One process, so that nothing is left when it is killed.
        let args = ["-p", &at, "-c", &format!("{at}/nginx.conf"), "-g", "daemon off; master_process off;"];
        let nginx = Program::start("/usr/sbin/nginx", &args, &[]);
        let proxy = Self { folder, nginx, url: format!("https://localhost:{port}") };
        eventually("nginx to answer", async || {
            let (status, _) = proxy.curl("/", &[]).await;
            if status == 404 { Ok(()) } else { Err(proxy.nginx.said()) }
        })
        .await;
        proxy
    }

    /// A request through nginx: the status, and the answer with its head.
    async fn curl(&self, path: &str, args: &[&str]) -> (u16, String) {
        let (said, statuses) = self.curls(path, args).await;
        (statuses[0], said)
    }

    /// Requests through nginx: what was answered, and the statuses.
    async fn curls(&self, path: &str, args: &[&str]) -> (String, Vec<u16>) {
        let authority = self.folder.path().join("ca.pem");
        let mut curl = tokio::process::Command::new("curl");
        curl.args([
            "--silent",
            "--include",
            "--no-progress-meter",
            "--max-time",
            "60",
            "--write-out",
            "\nSTATUS %{http_code}\n",
        ]);
        curl.arg("--cacert").arg(authority).args(args).arg(format!("{}{path}", self.url)).kill_on_drop(true);
        let ran = curl.output().await.expect("curl is there");
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        let statuses = said.lines().filter_map(|line| line.strip_prefix("STATUS ")?.parse().ok()).collect();
        (said, statuses)
    }
}

const POST: &str = r#"{"title":"t","content":"c"}"#;
const TOKEN: &str = "authorization: Bearer forum";
const JSON: [&str; 4] = ["--header", "content-type: application/json", "--header", TOKEN];
const LINES: [&str; 4] = ["--header", "content-type: application/x-ndjson", "--header", TOKEN];

/// A producer that takes posts of one sender, whose token is `forum`.
async fn producer(ground: &Ground) -> (Server, tempfile::NamedTempFile) {
    let senders = tempfile::NamedTempFile::new().expect("a file");
    let entry = format!("[[sender]]\nname = \"forum\"\ntoken_sha256 = \"{}\"\n", TokenHash::of("forum").to_hex());
    std::fs::write(senders.path(), entry).expect("it is ours");
    let path = senders.path().display().to_string();
    (ground.serve_with(&[], &[("SLUICE_SENDERS", &path)]).await, senders)
}

#[tokio::test(flavor = "multi_thread")]
async fn posts_and_batches_go_through_nginx_and_nothing_else_does() {
    let ground = Ground::new();
    let (server, _senders) = producer(&ground).await;
    let proxy = Proxy::before(&server, &[]).await;
    let (status, said) = proxy.curl("/posts", &[&JSON[..], &["--data", POST]].concat()).await;
    assert!(status == 202 && said.contains("queued"), "{said}");
    let (status, said) = proxy.curl("/posts", &["--header", "content-type: application/json", "--data", POST]).await;
    assert!(status == 401 && said.to_lowercase().contains("www-authenticate: bearer"), "{said}");
    let lines = proxy.folder.path().join("lines");
    std::fs::write(&lines, format!("{POST}\n").repeat(20_000)).expect("it is ours");
    let file = format!("@{}", lines.display());
    let (status, said) = proxy.curl("/posts/batch", &[&LINES[..], &["--data-binary", &file]].concat()).await;
    assert_eq!((status, said.matches(r#""status":"queued""#).count()), (200, 20_000));
    for path in
        ["/metrics", "/readyz", "/healthz", "/posts/", "/posts/batch/x", "/x/%2e%2e/metrics", "/posts/../metrics"]
    {
        let (status, said) = proxy.curl(path, &["--path-as-is"]).await;
        assert!(status == 404 && said.contains("urn:sluice:problem:not-found"), "{path}: {said}");
    }
    let large = proxy.folder.path().join("large");
    std::fs::write(&large, "x".repeat(1024 * 1024 + 1)).expect("it is ours");
    let file = format!("@{}", large.display());
    let (status, said) = proxy.curl("/posts", &[&JSON[..], &["--data-binary", &file]].concat()).await;
    assert!(status == 413 && said.contains("urn:sluice:problem:too-large"), "{said}");
    assert_eq!(ground.take_all().await.len(), 20_001);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_too_fast_gets_429_from_nginx_and_a_producer_that_is_down_503() {
    let ground = Ground::new();
    let (mut server, _senders) = producer(&ground).await;
    let proxy = Proxy::before(&server, &[("rate=50r/s", "rate=1r/m"), ("burst=100", "burst=20")]).await;
    let many = [&JSON[..], &["--data", POST, "--parallel", "--parallel-max", "20", "--parallel-immediate"]].concat();
    let (said, statuses) = proxy.curls("/posts?[1-60]", &many).await;
    let count = |status: u16| statuses.iter().filter(|found| **found == status).count();
    assert_eq!(count(202) + count(429), 60, "{statuses:?}");
    // One of the 21 went to the look whether nginx answers, at most.
    assert!(count(202) >= 18 && count(429) >= 39, "{statuses:?}");
    assert!(said.to_lowercase().contains("retry-after: 1") && said.contains("urn:sluice:problem:rate-limited"));
    drop(proxy);
    let proxy = Proxy::before(&server, &[]).await;
    server.program.kill().await;
    let (status, said) = proxy.curl("/posts", &[&JSON[..], &["--data", POST]].concat()).await;
    assert!(status == 503 && said.to_lowercase().contains("retry-after: 1"), "{said}");
}
