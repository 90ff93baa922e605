//! Every program with the rights that `sluice grants` prints, and no more: it does its work, and nothing else.

use std::path::Path;
use std::process::{Output, Stdio};

use mysql_async::prelude::Queryable as _;
use serde_json::{Value, json};
use sluice_lab::devstack::{Stack, StackOptions};
use sluice_lab::testing::{Port, Program, eventually};

/// Rules that hold whoever says it.
const RULES: &str = "[categories.spam]\nhold = 50\n\n[[list]]\nid = \"lottery\"\ncategory = \"spam\"\nweight = 60\n\
                     terms = [\"lottery\"]\n";
const DATABASE: &str = "least_rights";
const PASSWORD: &str = "a-password-of-tests";
const ROLES: [&str; 5] = ["producer", "worker", "operator", "moderator", "viewer"];

/// Servers, with a user for each role.
struct Site {
    stack: Stack,
    folder: tempfile::TempDir,
    root: mysql_async::Conn,
    http: reqwest::Client,
}

impl Site {
    async fn new() -> Self {
        let stack = Stack::start(StackOptions::default()).await.expect("private servers");
        let options = mysql_async::Opts::from_url(&stack.database_url("mysql")).expect("a good address");
        let mut root = mysql_async::Conn::new(options).await.expect("the database answers");
        root.query_drop(format!("CREATE DATABASE {DATABASE}")).await.expect("root may");
        let http = reqwest::Client::new();
        for role in ROLES {
            let user = format!("CREATE USER 'sluice_{role}'@'%' IDENTIFIED BY '{PASSWORD}'");
            root.query_drop(user).await.expect("root may");
            let user = http.put(format!("{}/api/users/sluice_{role}", stack.management_url()));
            let made = user.json(&json!({"password": PASSWORD, "tags": ""})).send().await.expect("an answer");
            assert!(made.status().is_success(), "{}", made.status());
        }
        Self { stack, folder: tempfile::tempdir().expect("a folder"), root, http }
    }

    /// The addresses of the servers, for a role.
    fn environment(&self, role: &str) -> Vec<(&'static str, String)> {
        let of = |url: &str| {
            let (scheme, rest) = url.split_once("://").expect("an address");
            let (_, place) = rest.split_once('@').expect("a user");
            format!("{scheme}://sluice_{role}:{PASSWORD}@{place}")
        };
        vec![("AMQP_URL", of(&self.stack.amqp_url())), ("DATABASE_URL", of(&self.stack.database_url(DATABASE)))]
    }

    fn start(&self, role: &str, program: &str, args: &[&str]) -> Program {
        let path = Path::new(env!("CARGO_BIN_EXE_sluice")).with_file_name(program);
        Program::start(path.to_str().expect("a path in UTF-8"), args, &self.environment(role))
    }

    /// Runs `sluice` as a role.
    async fn run(&self, role: &str, args: &[&str]) -> Output {
        let mut sluice = tokio::process::Command::new(env!("CARGO_BIN_EXE_sluice"));
        sluice.args(args).envs(self.environment(role)).stdin(Stdio::null()).kill_on_drop(true);
        sluice.output().await.expect("the program was built")
    }

    /// The same; it succeeds. Its output, line by line.
    async fn does(&self, role: &str, args: &[&str]) -> Vec<Value> {
        let ran = self.run(role, args).await;
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{role}: {args:?}: {said}");
        String::from_utf8_lossy(&ran.stdout).lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The same; it fails, and names the right that it lacks.
    async fn may_not(&self, role: &str, args: &[&str]) {
        let ran = self.run(role, args).await;
        let said = [&ran.stdout[..], &ran.stderr].concat();
        let said = String::from_utf8_lossy(&said).to_lowercase();
        let refused = said.contains("denied") || said.contains("refused");
        assert!(!ran.status.success() && refused, "{role}: {args:?}: {:?} {said}", ran.status);
    }

    /// Gives a role what is printed for it.
    async fn grant(&mut self, role: &str) {
        let needs = self.does(role, &["grants", "--role", role, "--json"]).await.remove(0);
        for statement in needs["mysql"].as_array().expect("a list") {
            let statement = statement.as_str().expect("a text");
            self.root.query_drop(statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
        }
        if let Some(permissions) = needs["rabbitmq"].as_object() {
            assert_eq!(permissions["vhost"], "/");
            let place = format!("{}/api/permissions/%2f/sluice_{role}", self.stack.management_url());
            let given = self.http.put(place).json(permissions).send().await.expect("an answer");
            assert!(given.status().is_success(), "{}", given.status());
        }
    }

    /// A statement as a role: whether it is allowed.
    async fn sql(&self, role: &str, statement: &str) -> Result<(), mysql_async::Error> {
        let options = mysql_async::Opts::from_url(&self.environment(role)[1].1).expect("a good address");
        mysql_async::Conn::new(options).await?.query_drop(statement).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_program_does_its_work_with_the_grants_that_are_printed_and_nothing_else() {
    let mut site = Site::new().await;
    site.grant("operator").await;
    site.does("operator", &["migrate"]).await;
    site.does("operator", &["topology", "apply"]).await;
    for role in ROLES {
        site.grant(role).await;
    }

    // A producer and a worker that may declare nothing use what is declared.
    let kept = Port::hold();
    let listen = kept.addr().to_string();
    let receipts = site.folder.path().join("ids").display().to_string();
    let serve = ["serve", "--listen", &listen, "--receipts", &receipts];
    let producer = site.start("producer", "sluice-producer", &serve);
    producer.says("serving", 1).await;
    let ready = site.http.get(format!("http://{listen}/readyz")).send().await.expect("an answer");
    assert!(ready.status().is_success(), "{}", ready.text().await.unwrap_or_default());
    let mut ids = Vec::new();
    for title in ["good", "you won the lottery", "so much for the lottery", &"x".repeat(254)] {
        let body = json!({"title": title, "content": "c"}).to_string();
        let post = site.http.post(format!("http://{listen}/posts")).header("content-type", "application/json");
        let accepted: Value = post.body(body).send().await.expect("an answer").json().await.expect("JSON");
        ids.push(accepted["id"].as_str().unwrap_or_else(|| panic!("{accepted}")).to_owned());
    }
    site.root
        .query_drop(format!("ALTER TABLE {DATABASE}.posts MODIFY title VARCHAR(250) NOT NULL"))
        .await
        .expect("root may");
    let rules = site.folder.path().join("rules.toml");
    std::fs::write(&rules, RULES).expect("the folder is ours");
    let run = ["run", "--migrate", "off", "--rules", rules.to_str().expect("UTF-8")];
    let mut worker = site.start("worker", "sluice-worker", &run);
    worker.says("consuming", 1).await;

    // Whoever looks sees all, and changes nothing.
    let verify = ["verify", "--receipts", &receipts, "--json"];
    eventually("three rows and a dead letter", async || {
        // It exits with 1 while a post is still on its way.
        let ran = site.run("viewer", &verify).await;
        let report: Value = serde_json::from_slice(&ran.stdout).unwrap_or_default();
        let said = (report, worker.said());
        if (&said.0["recorded"], &said.0["dead"]) == (&json!(3), &json!(1)) { Ok(()) } else { Err(said) }
    })
    .await;
    let dead = ids[3].as_str();
    for args in [
        &["status", "--json"][..],
        &["dlq", "list", "--json"],
        &["dlq", "groups", "--json"],
        &["dlq", "show", dead, "--json"],
        &["dlq", "audit", "--json"],
        &["dlq", "export"],
        &["why", dead, "--json"],
        &["why", &ids[1], "--json"],
        &["replays", "--json"],
        &["dlq", "replay", dead, "--plan", "--json"],
        &["review", "list", "--json"],
        &["review", "measures", "--by", "rule", "--json"],
        &["review", "export"],
        &["decisions", "endpoints", "--json"],
        &["prune", "--past"],
    ] {
        if args.contains(&"--plan") {
            // The outcome is tried in the table and rolled back: that is for those who may write there.
            site.does("operator", args).await;
            site.may_not("viewer", args).await;
        } else {
            site.does("viewer", args).await;
        }
    }
    // What a prune would do is counted without a lock.
    site.does("viewer", &["prune", "--older-than", "1d", "--plan"]).await;
    // It listens to workers for less than a second.
    eventually("a viewer to learn the worker's status", async || {
        let status = site.does_json("viewer", &["status", "--json"]).await;
        if status["workers"].as_array().map(Vec::len) == Some(1) { Ok(()) } else { Err(status) }
    })
    .await;
    for args in [
        &["dlq", "drop", dead, "--yes"][..],
        &["topology", "apply"],
        &["review", "next", "--as", "eve"],
        &["prune", "--older-than", "1d", "--yes"],
    ] {
        site.may_not("viewer", args).await;
    }

    // A moderator decides.
    let claimed = site.does_json("moderator", &["review", "next", "--as", "ann", "--json"]).await;
    let case = claimed["case"]["case"].as_str().or(claimed["case"].as_str()).unwrap_or_else(|| panic!("{claimed}"));
    site.does("moderator", &["review", "note", case, "--as", "ann", "hm"]).await;
    let decided = site.does_json("moderator", &["review", "decide", case, "reject", "--as", "ann", "--json"]).await;
    let decision = decided["decision"].as_str().unwrap_or_else(|| panic!("{decided}"));
    site.does("moderator", &["review", "undo", decision, "--as", "ann"]).await;
    site.does("moderator", &["review", "bulk", case, "approve", "--as", "ann", "--yes"]).await;
    for args in [&["review", "forget", &ids[0], "--as", "ann", "--reason", "asked", "--yes"][..], &["dlq", "list"]] {
        site.may_not("moderator", args).await;
    }

    // An operator operates.
    site.does("operator", &["dlq", "drop", dead, "--yes"]).await;
    site.does("operator", &["dlq", "restore", dead]).await;
    site.does("operator", &["dlq", "edit", dead, "--patch", r#"{"title":"short"}"#]).await;
    site.does("operator", &["dlq", "replay", dead, "--yes", "--wait"]).await;
    site.does("operator", &["review", "forget", &ids[0], "--as", "root", "--reason", "asked", "--yes"]).await;
    site.does("operator", &["topology", "check", "--json"]).await;
    site.root
        .query_drop(format!(
            "UPDATE {DATABASE}.posts SET recorded_at = recorded_at - INTERVAL 2 DAY WHERE id = '{}'",
            ids[0]
        ))
        .await
        .expect("root may");
    let pruned = site.does_json("operator", &["prune", "--older-than", "1d", "--yes", "--json"]).await;
    assert_eq!(pruned["pruned"], 1, "{pruned}");
    // Whoever follows gives events their places.
    site.does("operator", &["decisions", "follow", "--once"]).await;
    let report = site.does_json("viewer", &verify).await;
    let found = (&report["recorded"], &report["pruned"], &report["missing"]);
    assert_eq!(found, (&json!(3), &json!(1), &json!(0)), "{report}");
    let console = site.start("operator", "sluice", &["console", "--listen", "127.0.0.1:0"]);
    console.says("serving", 1).await;

    // Nobody does another's work.
    for statement in ["DELETE FROM posts", "DROP TABLE posts", "SELECT * FROM operations"] {
        for role in ["worker", "producer"] {
            assert!(site.sql(role, statement).await.is_err(), "{role}: {statement}");
        }
    }
    assert!(site.sql("moderator", "UPDATE posts SET title = 'x'").await.is_err());
    assert!(site.sql("operator", "DROP TABLE posts").await.is_err());
    site.may_not("producer", &["dlq", "list"]).await;
    site.may_not("worker", &["dlq", "list"]).await;
    assert!(worker.stop().await.success(), "{}", worker.said());
    assert!(!worker.said().to_lowercase().contains("denied"), "{}", worker.said());
    assert!(!worker.said().contains("near copies"), "it may share them: {}", worker.said());
}

impl Site {
    /// One object.
    async fn does_json(&self, role: &str, args: &[&str]) -> Value {
        let lines = self.does(role, args).await;
        lines.into_iter().next().unwrap_or_else(|| panic!("{role}: {args:?}: it printed no JSON"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_declare_learns_what_is_missing_and_who_can_help() {
    let mut site = Site::new().await;
    site.grant("producer").await;
    let mut producer = site.start("producer", "sluice-producer", &["serve", "--listen", "127.0.0.1:0"]);
    let ended = producer.ended().await;
    let said = producer.said();
    assert_eq!(ended.code(), Some(1), "{said}");
    // RabbitMQ 4.3 tells the producer of the exchange that it may publish to, and of nothing else.
    let missing = ["post_dlx is not there", "post_exchange is not there"].iter().any(|missing| said.contains(missing));
    assert!(missing && said.contains("sluice topology apply"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_statements_are_printed_for_each_server_to_be_carried_out() {
    let run = async |args: &[&str]| {
        let mut sluice = tokio::process::Command::new(env!("CARGO_BIN_EXE_sluice"));
        sluice.arg("grants").args(args).env("AMQP_URL", "amqp://h/my%20host").env("SLUICE_PREFIX", "post");
        let ran = sluice.env("DATABASE_URL", "mysql://h/forum").output().await.expect("the program was built");
        (ran.status.code(), String::from_utf8_lossy(&ran.stdout).into_owned())
    };
    let (code, mysql) = run(&["mysql", "--host", "10.0.0.%"]).await;
    assert_eq!(code, Some(0));
    assert!(
        mysql.contains("GRANT SELECT, INSERT, UPDATE ON `forum`.`posts` TO 'sluice_worker'@'10.0.0.%';\n"),
        "{mysql}"
    );
    assert!(mysql.lines().all(|line| line.starts_with("-- ") || line.ends_with(';')), "{mysql}");
    let (_, rabbitmq) = run(&["rabbitmq", "--role", "producer", "--user", "door"]).await;
    let line = "rabbitmqctl set_permissions -p 'my host' 'door' '^$' '^(post_exchange|post_queue)$' '^$'";
    assert_eq!(rabbitmq, format!("# producer in RabbitMQ\n{line}\n"));
    assert_eq!(run(&["--user", "one"]).await.0, Some(2), "one name for five roles");
}
