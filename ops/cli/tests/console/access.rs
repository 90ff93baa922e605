//! Who may do what: every route with every scope, and the file in which that stands.

use std::process::Stdio;

use reqwest::Method;
use serde_json::json;
use sluice_lab::testing::{Program, eventually};
use tokio::process::Command;
use uuid::Uuid;

use super::ground::{Desk, TOKEN, client, path};

const SCOPES: [&str; 4] = ["read", "appeal", "write", "moderate"];

#[tokio::test]
async fn every_route_lets_through_its_own_scope_and_nobody_else() {
    let desk = Desk::new().await;
    let mut clients: String = SCOPES.iter().map(|scope| client(scope, scope, &[scope])).collect();
    clients.push_str(&client("nothing", "nothing", &[]));
    desk.file("accounts.toml", &clients);
    let console = desk.console(&[]).await;
    let operations = console.document.operations();
    assert!(operations.len() >= 19, "{}", operations.len());
    for operation in operations {
        let path = operation.path.replace("{id}", &Uuid::now_v7().to_string());
        let method: Method = operation.method.parse().expect("a method");
        let mut methods = vec![method.clone()];
        methods.extend((method == Method::GET).then_some(Method::HEAD));
        for method in methods {
            let ask = async |token: Option<&str>| {
                let request = console.bare(method.clone(), &path);
                let request = token.iter().fold(request, |request, token| request.bearer_auth(token));
                request.json(&json!({})).send().await.expect("it answers").status().as_u16()
            };
            let Some(scope) = &operation.scope else {
                assert_eq!(ask(None).await, 200, "{path} is for everybody");
                continue;
            };
            for (token, refused) in [(None, 401), (Some("unknown"), 401), (Some(""), 401), (Some("nothing"), 403)] {
                assert_eq!(ask(token).await, refused, "{method} {path} as {token:?}");
            }
            for token in SCOPES {
                let status = ask(Some(token)).await;
                assert_eq!(matches!(status, 401 | 403), token != scope, "{method} {path} as {token}: {status}");
            }
        }
    }
}

#[tokio::test]
async fn the_file_of_clients_is_read_again_and_a_wrong_one_keeps_the_old() {
    let desk = Desk::new().await;
    let console = desk.console(&[]).await;
    let status = async |token: &str| {
        let request = console.bare(Method::GET, "/api/v1/decisions").bearer_auth(token);
        request.send().await.expect("it answers").status().as_u16()
    };
    assert_eq!((status(TOKEN).await, status("new").await), (200, 401));
    desk.file("accounts.toml", "[[client]]\nname = 7\n");
    console.program.says("stays in force", 1).await;
    assert_eq!(status(TOKEN).await, 200);
    desk.file("accounts.toml", &client("new", "new", &["read"]));
    eventually("the new client to be let in", async || if status("new").await == 200 { Ok(()) } else { Err(()) }).await;
    assert_eq!(status(TOKEN).await, 401, "who is not in it any more is out");
}

#[tokio::test]
async fn without_a_file_there_is_one_token_and_no_way_in_from_elsewhere() {
    let desk = Desk::new().await;
    let environment = desk.ground.environment();
    let mut refused = Program::start(env!("CARGO_BIN_EXE_sluice"), &["console", "--listen", "0.0.0.0:0"], &environment);
    assert_eq!(refused.ended().await.code(), Some(2));
    assert!(refused.said().contains("SLUICE_CONSOLE_LISTEN") && refused.said().contains("SLUICE_ACCOUNTS"));
    let console = super::console::Console::start(&[], &environment).await;
    console.program.says("this token may do everything: sluice_", 1).await;
    let said = console.program.said();
    let token = said.lines().find_map(|line| line.split_once("everything: ")).expect("it says one").1;
    for path in ["/api/v1/decisions", "/api/v1/review/cases"] {
        let answer = console.bare(Method::GET, path).bearer_auth(token).send().await.expect("it answers");
        assert_eq!(answer.status(), 200, "{path}");
    }
}

#[tokio::test]
async fn a_token_is_made_with_the_lines_for_the_file_and_lets_its_client_in() {
    let desk = Desk::new().await;
    let made = async |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sluice"));
        command.args(["console", "token"]).args(args).stdin(Stdio::null());
        command.output().await.expect("the program was built")
    };
    let made_so = made(&["forum", "--scope", "read", "--scope", "appeal"]).await;
    let (lines, said) = (String::from_utf8_lossy(&made_so.stdout), String::from_utf8_lossy(&made_so.stderr));
    let token = said.lines().find_map(|line| line.strip_prefix("token: ")).expect("it says it");
    assert!(!lines.contains(token) && lines.contains("scopes = [\"read\", \"appeal\"]"), "{lines}");
    desk.file("accounts.toml", &lines);
    let console = desk.console(&[]).await;
    for (path, status) in [("/api/v1/decisions", 200), ("/api/v1/review/cases", 403)] {
        let answer = console.bare(Method::GET, path).bearer_auth(token).send().await.expect("it answers");
        assert_eq!(answer.status(), status, "{path}");
    }
    let json = made(&["forum", "--scope", "read", "--json"]).await;
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).expect("one object");
    assert!(json["token"].as_str().is_some_and(|token| token.starts_with("sluice_")), "{json}");
    for wrong in [&["a b", "--scope", "read"][..], &["forum"], &["forum", "--scope", "all"]] {
        assert_eq!(made(wrong).await.status.code(), Some(2), "{wrong:?}");
    }
}

#[tokio::test]
async fn an_endpoint_that_is_none_is_refused_at_start_and_no_secret_is_told() {
    let desk = Desk::new().await;
    let endpoints =
        desk.file("wrong.toml", "[[endpoint]]\nname = \"forum\"\nurl = \"nowhere\"\nsecret = \"whsec_hunter2\"\n");
    let mut environment = desk.ground.environment();
    environment.push(("SLUICE_ENDPOINTS", path(&endpoints)));
    let mut refused =
        Program::start(env!("CARGO_BIN_EXE_sluice"), &["console", "--listen", "127.0.0.1:0"], &environment);
    assert_eq!(refused.ended().await.code(), Some(2));
    let said = refused.said();
    assert!(said.contains("SLUICE_ENDPOINTS") && said.contains("endpoint `forum` (line 1)"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}
