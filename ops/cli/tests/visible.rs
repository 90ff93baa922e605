//! Every command, on queues and tables full of what strangers may write: nothing of it reaches a pipe or a terminal
//! raw, and no suggested command does in a shell what a stranger wrote.

mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use clap::CommandFactory as _;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldArray, FieldTable};
use sluice_core::dead_letter::{DeadLetterRecord, FAILURE_HEADER, Origin, USER_HEADER};
use sluice_core::moderation::Role;
use sluice_core::moderation::act::Actor;
use sluice_core::post::{Post, PostId};
use sluice_core::verdict::{Reason, Review, Score, Verdict};
use sluice_core::visible::{is_hidden, shell_word};
use sluice_mysql::Row;
use sluice_mysql::review::{Ask, DecisionRequest, Failed, Recheck, Ruling};
use sluice_rabbit::worker_status::{self, State, WorkerStatus};
use support::{Dead, Ground, text, until};
use tempfile::TempDir;
use time::OffsetDateTime;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Escape sequences, characters that nobody sees, and such as turn the text around.
const HOSTILE: &str = "\u{1b}]0;owned\u{7}\u{1b}[5;31m\u{9b}2J\r\na\u{ad}\u{34f}\u{61c}\u{115f}\u{180e}\u{200b}\u{202e}b\
    \u{2066}\u{2800}\u{3164}\u{fe0f}\u{feff}\u{fff9}\u{e000}\u{e0041}\u{2028}\u{7f}c";
/// The same without control characters: such a name is taken.
const BIDI: &str =
    "a\u{ad}\u{34f}\u{61c}\u{115f}\u{180e}\u{200b}\u{202e}b\u{2066}\u{2800}\u{3164}\u{feff}\u{e0041}'$(touch pwned)";
/// What a shell would run.
const SHELL: &str = "-'$(touch pwned)`touch pwned`;touch pwned #";

/// The commands and how each is run, looking first. `{id}` and `{shell}` are ids of dead letters, `{post}` and `{gone}`
/// ids of posts, `{op}` that of a replay; `{held}` and `{decided}` are posts with cases, `{decision}` a decision;
/// `{hostile}` is text that nothing bears, `{bidi}` a name.
const LOOKS: &[(&str, &[&str])] = &[
    ("topology apply", &[]),
    ("topology apply", &["--amqp-url", "{hostile}"]),
    ("topology check", &[]),
    ("migrate", &[]),
    ("migrate", &["--database-url", "mysql://root@127.0.0.1:1/%1b%5b31m"]),
    ("status", &["--look"]),
    ("dlq groups", &[]),
    ("dlq groups", &["--class", "{hostile}"]),
    ("dlq list", &[]),
    ("dlq list", &["--id", "{hostile}", "--id", "{id}", "--contains", "{hostile}"]),
    ("dlq show", &["{id}"]),
    ("dlq show", &["--", "{shell}"]),
    ("dlq show", &["{hostile}"]),
    ("dlq export", &["--id", "{hostile}", "--id", "{id}"]),
    ("dlq dropped", &["--id", "{hostile}"]),
    ("dlq dropped", &[]),
    ("dlq audit", &[]),
    ("dlq audit", &["--dead-letter", "{hostile}"]),
    ("replays", &[]),
    ("replays show", &["{op}"]),
    ("replays show", &["{hostile}"]),
    ("verify", &["--receipts", "{receipts}", "--settle", "0s"]),
    ("verify", &["--receipts", "{hostile}"]),
    ("prune", &["--older-than", "400d", "--plan"]),
    ("prune", &["--past"]),
    ("why", &["{id}"]),
    ("why", &["--", "{shell}"]),
    ("why", &["{post}"]),
    ("why", &["{gone}"]),
    ("why", &["{hostile}"]),
    ("why", &["{held}"]),
    ("console", &["--endpoints", "/proc/{hostile}"]),
    ("console", &["--accounts", "{receipts}"]),
    ("console", &["--listen", "0.0.0.0:0"]),
    ("console token", &["{hostile}", "--scope", "read"]),
    ("console token", &["forum", "--scope", "read"]),
    ("console account", &["{hostile}", "--role", "viewer"]),
    ("console account", &["ann", "--role", "viewer"]),
    ("grants", &[]),
    ("grants", &["--user", "{hostile}", "--host", "{hostile}"]),
    ("grants", &["mysql", "--database-url", "mysql://root@127.0.0.1:1/%1b%5b31m"]),
    ("probe", &["{hostile}"]),
    ("probe", &["http://127.0.0.1:1/%1b%5b31m"]),
    ("review list", &[]),
    ("review list", &["--queue", "{hostile}", "--author", "{hostile}"]),
    ("review list", &["--state", "{hostile}"]),
    ("review show", &["{held}"]),
    ("review show", &["{decided}"]),
    ("review show", &["latest"]),
    ("review show", &["{hostile}"]),
    ("review export", &[]),
    ("review export", &["--since", "{hostile}"]),
    ("review measures", &[]),
    ("review measures", &["--by", "moderator"]),
    ("review measures", &["--by", "queue"]),
    ("review measures", &["--by", "rule"]),
    ("review policies", &["--policies", "{policies}"]),
    ("review policies", &["--policies", "{hostile}"]),
    ("decisions endpoints", &[]),
    ("decisions follow", &["--once", "--delay", "0s"]),
    ("decisions follow", &["--after", "{hostile}"]),
    ("rules check", &["{hostile}"]),
    ("rules check", &["{rules}"]),
    ("rules explain", &["{hostile}", "--rules", "{rules}"]),
    ("rules eval", &["{texts}"]),
    ("rules compare", &["{texts}", "--candidate", "{site}"]),
    ("rules compare", &["{decided_rows}", "--candidate", "{site}"]),
    ("rules compare", &["{texts}", "--candidate", "{rules}"]),
    ("rules fit", &["{texts}"]),
    ("rules fit", &["{samples}"]),
    ("rules learn", &["{texts}"]),
    ("rules learn", &["{samples}"]),
    ("rules learn", &["--from-decisions"]),
    ("rules learn", &["{hostile}"]),
    ("rules explain", &["{hostile}", "--scorer", "{texts}"]),
    ("stack up", &["--dir", "/proc/{hostile}"]),
    ("stack env", &["--dir", "/proc/{hostile}"]),
    ("stack down", &["--dir", "/proc/{hostile}"]),
    ("stack run", &["--dir", "/proc/{hostile}", "--", "{hostile}"]),
    ("demo", &["--dir", "/proc/{hostile}", "{hostile}"]),
    ("bench", &["--{hostile}"]),
    ("completions", &["bash"]),
    ("completions", &["{hostile}"]),
    ("man", &["/proc/{hostile}"]),
    ("{hostile}", &[]),
];

/// Those that change something, one after the other.
const OPERATIONS: &[(&str, &[&str])] = &[
    ("dlq replay", &["--all", "--plan"]),
    ("dlq replay", &["--all", "--dry-run"]),
    ("dlq replay", &["--all"]),
    ("dlq replay", &["{hostile}", "--all", "--yes"]),
    ("dlq replay", &["{hostile}", "--yes"]),
    ("dlq replay", &["--all", "--limit", "1", "--yes", "--max-replays", "1"]),
    ("dlq drop", &["--all", "--reason", "{hostile}"]),
    ("dlq drop", &["--all", "--limit", "1", "--yes", "--reason", "{hostile}"]),
    ("dlq drop", &["--all", "--limit", "1", "--yes", "--reason", "{hostile}", "--forever"]),
    ("dlq restore", &["--all", "--dry-run"]),
    ("dlq restore", &["{hostile}"]),
    ("dlq restore", &["--all", "--limit", "1"]),
    ("dlq edit", &["{id}", "--patch", "{hostile}"]),
    ("dlq edit", &["{id}", "--patch", r#"{"author": 5}"#]),
    ("dlq edit", &["{id}", "--patch", r#"{"author": "\u202e"}"#]),
    ("dlq edit", &["{hostile}", "--undo"]),
    ("dlq edit", &["{id}", "--undo"]),
    ("dlq import", &["{dead_letters}"]),
    ("dlq import", &["{receipts}"]),
    ("dlq import", &["/proc/{hostile}"]),
    ("review decide", &["{held}", "approve", "--as", "ann"]),
    ("review decide", &["{decided}", "approve", "--as", "ann"]),
    ("review decide", &["{decided}", "reject", "--as", "ann", "--policy", "{hostile}", "--policies", "{policies}"]),
    ("review decide", &["{hostile}", "approve", "--as", "{bidi}"]),
    ("review undo", &["{decision}", "--as", "ann"]),
    ("review undo", &["{hostile}", "--as", "ann"]),
    ("review release", &["{held}", "--as", "ann"]),
    ("review skip", &["{held}", "--as", "{bidi}"]),
    ("review escalate", &["{held}", "--as", "ann", "--note", "{hostile}"]),
    ("review note", &["{held}", "{hostile}", "--as", "{bidi}"]),
    ("review bulk", &["{held}", "reject", "--as", "{bidi}", "--dry-run"]),
    ("review bulk", &["{held}", "reject", "--as", "{bidi}"]),
    ("review bulk", &["--undo", "{decision}", "--as", "{bidi}", "--yes"]),
    ("review next", &["--as", "{bidi}"]),
    ("review next", &["--as", "{hostile}"]),
    ("review next", &["--as", "ann", "--queue", "{hostile}"]),
    ("review bulk", &["{held}", "reject", "--as", "{bidi}", "--yes"]),
    ("review appeal", &["{decided}", "--reason", "{hostile}"]),
    ("review appeal", &["{hostile}", "--reason", "{hostile}"]),
    ("review withdraw", &["{hostile}"]),
    ("review withdraw", &["{held}"]),
    ("review forget", &["{decided}", "--reason", "{hostile}"]),
    ("review forget", &["{decided}", "--reason", "{hostile}", "--yes"]),
    ("review show", &["{decided}"]),
    ("review sweep", &[]),
    ("decisions pause", &["forum"]),
    ("decisions pause", &["{hostile}"]),
    ("decisions endpoints", &[]),
    ("decisions resume", &["forum"]),
    ("decisions resend", &["forum", "--after", "0"]),
    ("decisions resend", &["{hostile}", "--after", "0"]),
];

#[test]
fn no_command_is_without_a_row() {
    let rows: BTreeSet<&str> = LOOKS.iter().chain(OPERATIONS).map(|(command, _)| *command).collect();
    let mut commands = Vec::new();
    collect(&sluice::cli::Cli::command(), "", &mut commands);
    assert!(commands.len() > 20, "{commands:?}");
    let missing: Vec<_> = commands.iter().filter(|command| !rows.contains(command.as_str())).collect();
    assert!(missing.is_empty(), "these commands have no row in the tables above: {missing:?}");
}

fn collect(command: &clap::Command, path: &str, commands: &mut Vec<String>) {
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        let path = format!("{path} {}", inner.get_name()).trim_start().to_owned();
        if !inner.is_subcommand_required_set() {
            commands.push(path.clone());
        }
        collect(inner, &path, commands);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_command_that_looks_shows_what_strangers_wrote_raw() {
    let scene = Scene::new().await;
    let end = CancellationToken::new();
    let (broker, topology, answering) = (scene.ground.broker.clone(), scene.ground.topology.clone(), end.clone());
    let worker = tokio::spawn(async move { worker_status::answer(&broker, &topology, status, answering).await });
    for (command, args) in LOOKS {
        scene.run(command, args).await;
    }
    let body = scene.on_a_terminal(&["dlq", "show", "{id}", "--body"]).await;
    scene.check("dlq show --body on a terminal", &body);
    scene.ground.status_of_workers(&["--no-look"], "owned").await;
    end.cancel();
    worker.await.expect("it ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_command_that_acts_shows_what_strangers_wrote_raw() {
    let scene = Scene::new().await;
    for (command, args) in OPERATIONS {
        scene.run(command, args).await;
    }
}

/// Queues and tables as strangers would have them.
struct Scene {
    ground: Ground,
    folder: TempDir,
    values: Vec<(&'static str, String)>,
}

impl Scene {
    async fn new() -> Self {
        let ground = Ground::new().await;
        for number in 0..12 {
            ground
                .publish(&ground.topology.dead_letter_exchange(), &post().to_body(), properties(&ground, number))
                .await;
        }
        let (id, shell) = (format!("{HOSTILE}0"), SHELL.to_owned());
        ground.foreign(&post().to_body(), Some(&shell)).await;
        let stored = post();
        store(&ground, &stored).await;
        let (held, decided) = (post(), post());
        let decision = reviewed(&ground, &held, &decided).await;
        let dead = [Dead::new("gone"), Dead::new("replayed")];
        ground.dead(&dead).await;
        until("all are there", async || ground.dead_letters().await == 15).await;
        let folder = TempDir::new().expect("a place for files");
        let file = |name: &str, text: String| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("it can be written");
            path.to_str().expect("a plain path").to_owned()
        };
        let rules = format!("[[block]]\nname = {0}\nwords = [{0}]\n", serde_json::json!(HOSTILE));
        let texts = serde_json::json!({ "text": HOSTILE, "expect": HOSTILE, "lang": HOSTILE });
        let sample = |number: u32| {
            let expect = if number.is_multiple_of(2) { "flag" } else { "clean" };
            let sample = serde_json::json!({ "text": format!("{HOSTILE} {number}"), "expect": expect });
            format!("{sample}\n")
        };
        let samples: String = (0..40).map(sample).collect();
        let site = "[categories.spam]\nhold = 50\n[[list]]\nid = \"ads\"\ncategory = \"spam\"\nterms = [\"owned\"]\n";
        let row = serde_json::json!({ "text": HOSTILE, "title": HOSTILE, "post": HOSTILE, "expect": "clean" });
        let dead_letters = ground.sluice(&["dlq", "export", "--limit", "2"]).await.ok().stdout;
        let values = vec![
            ("{receipts}", file("receipts", format!("{}\n{}\n", stored.id, dead[0].id))),
            ("{rules}", file("rules.toml", rules)),
            ("{texts}", file("texts", format!("{texts}\n{HOSTILE}\n"))),
            ("{samples}", file("samples", samples)),
            ("{site}", file("site.toml", site.to_owned())),
            ("{decided_rows}", file("decided_rows", format!("{row}\n"))),
            ("{dead_letters}", file("dead_letters", dead_letters)),
            ("{post}", stored.id.to_string()),
            ("{gone}", dead[0].id.to_string()),
            ("{op}", String::new()),
            ("{policies}", file("policies.toml", policies())),
            ("{held}", held.id.to_string()),
            ("{decided}", decided.id.to_string()),
            ("{decision}", decision.to_string()),
            ("{bidi}", BIDI.to_owned()),
            ("{shell}", shell),
            ("{id}", id),
            ("{hostile}", HOSTILE.to_owned()),
        ];
        let mut scene = Self { ground, folder, values };
        scene.pipe(&["dlq", "drop", "{gone}", "--yes", "--reason", "{hostile}"]).await;
        scene.pipe(&["dlq", "replay", &dead[1].id.to_string(), "--yes"]).await;
        let replays = scene.ground.sluice(&["replays", "--json"]).await.ok().lines();
        scene.values.iter_mut().find(|(name, _)| *name == "{op}").expect("a name").1 = text(&replays[0], "id");
        scene
    }

    fn fill(&self, args: &[&str]) -> Vec<String> {
        let fill =
            |arg: &&str| self.values.iter().fold((*arg).to_owned(), |arg, (name, value)| arg.replace(name, value));
        args.iter().map(fill).collect()
    }

    /// Runs it in a pipe as text and as JSON, and on a terminal.
    async fn run(&self, command: &str, args: &[&str]) {
        let words: Vec<&str> = command.split(' ').chain(args.iter().copied()).collect();
        let piped = self.pipe(&words).await;
        self.check(command, &piped);
        self.paste(&piped).await;
        if has_json(command) {
            // In front of what may follow two dashes.
            let place = command.split(' ').count();
            let words = [&words[..place], &["--json"], &words[place..]].concat();
            self.check(command, &self.pipe(&words).await);
        }
        let shown = self.on_a_terminal(&words).await;
        self.check(command, &shown);
    }

    async fn pipe(&self, words: &[&str]) -> String {
        let args = self.fill(words);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let mut command = self.ground.command(&args);
        let child = command.env("USER", HOSTILE).current_dir(self.folder.path()).spawn().expect("it was built");
        let ran = self.ground.finish(child).await;
        format!("{}\n{}", ran.stdout, ran.stderr)
    }

    /// What a terminal is sent, without what the program itself draws with.
    async fn on_a_terminal(&self, words: &[&str]) -> String {
        let args: Vec<String> = self.fill(words).iter().map(|arg| shell_word(arg)).collect();
        let line = format!("{} {}", env!("CARGO_BIN_EXE_sluice"), args.join(" "));
        let mut command = Command::new("script");
        for (name, value) in self.ground.command(&[]).as_std().get_envs() {
            if let Some(value) = value {
                command.env(name, value);
            }
        }
        command.args(["-qec", &line, "/dev/null"]).env("SHELL", "/bin/bash").env("USER", HOSTILE).env("TERM", "xterm");
        command.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let child = command.spawn().expect("script(1) is there");
        let sent = tokio::time::timeout(support::PATIENCE, child.wait_with_output()).await.expect("it comes to an end");
        without_drawing(&String::from_utf8_lossy(&sent.expect("its output can be read").stdout))
    }

    fn check(&self, command: &str, told: &str) {
        let raw: Vec<char> = told.chars().filter(|c| is_hidden(*c) && !matches!(c, '\n' | '\t')).collect();
        assert!(raw.is_empty(), "`sluice {command}` shows {raw:?} in {told:?}");
        assert!(!told.contains("panicked"), "{command}: {told}");
    }

    /// Runs each suggested command in a shell where the program does nothing.
    async fn paste(&self, told: &str) {
        let quoted = told.split('`').filter(|part| part.starts_with("sluice "));
        let alone = told.lines().map(str::trim).filter(|line| line.starts_with("sluice "));
        for hint in quoted.chain(alone) {
            let script = format!("sluice() {{ :; }}\n{hint}\n");
            let mut shell = Command::new("bash");
            shell.args(["--norc", "-c", &script]).current_dir(self.folder.path()).stdin(Stdio::null());
            shell.output().await.expect("bash is there");
            assert!(!Path::new(&self.folder.path().join("pwned")).exists(), "pasted: {hint}");
        }
    }
}

fn has_json(command: &str) -> bool {
    let mut found = sluice::cli::Cli::command();
    for word in command.split(' ') {
        match found.find_subcommand(word) {
            Some(inner) => found = inner.clone(),
            None => return false,
        }
    }
    found.get_arguments().any(|arg| arg.get_id() == "json")
}

/// Takes away a progress bar's movements of the cursor, the screen's clearing, and the terminal's own line ends.
fn without_drawing(sent: &str) -> String {
    let mut left = String::new();
    let mut rest = sent;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        left.push_str(before);
        let digits = after.trim_start_matches(|c: char| c.is_ascii_digit() || c == '?');
        match digits.chars().next() {
            Some('A'..='K' | 'h' | 'l' | 'm') => rest = &digits[1..],
            _ => {
                left.push_str("\u{1b}[");
                rest = after;
            }
        }
    }
    left.push_str(rest);
    left.replace("^D\u{8}\u{8}", "").replace('\r', "")
}

fn post() -> Post {
    let (title, content, author) = (HOSTILE.to_owned(), HOSTILE.to_owned(), Some(HOSTILE.to_owned()));
    Post { id: PostId::new(), title, content, author, submitted_at: OffsetDateTime::UNIX_EPOCH }
}

/// Half of them say themselves why they died, half have it from the broker, as far as anybody can tell.
fn properties(ground: &Ground, number: usize) -> BasicProperties {
    let mut headers = FieldTable::default();
    let hostile = || HOSTILE.to_owned();
    if number.is_multiple_of(2) {
        let origin = Origin { exchange: hostile(), routing_key: hostile(), queue: hostile() };
        let (code, message, fingerprint, worker) = (hostile(), hostile(), hostile(), hostile());
        let record =
            DeadLetterRecord { code, message, fingerprint, worker, origin, ..Dead::new("").record(&ground.topology) };
        headers.insert(FAILURE_HEADER.into(), AMQPValue::LongString(record.to_header().into()));
    } else {
        let mut death = FieldTable::default();
        for name in ["reason", "queue", "exchange", HOSTILE] {
            death.insert(name.into(), AMQPValue::LongString(HOSTILE.into()));
        }
        headers.insert("x-death".into(), AMQPValue::FieldArray(FieldArray::from(vec![AMQPValue::FieldTable(death)])));
    }
    headers.insert(USER_HEADER.into(), AMQPValue::LongString(HOSTILE.into()));
    headers.insert(HOSTILE.into(), AMQPValue::LongString(HOSTILE.into()));
    BasicProperties::default().with_message_id(format!("{HOSTILE}{number}").into()).with_headers(headers)
}

fn reason(field: &str) -> Reason {
    let (rule, category, field, text) = (HOSTILE.to_owned(), HOSTILE.to_owned(), field.to_owned(), HOSTILE.to_owned());
    let (matched, steps) = (HOSTILE.to_owned(), vec![HOSTILE.to_owned()]);
    Reason { rule, category, field, span: [0, HOSTILE.len()], text, matched, steps }
}

async fn store(ground: &Ground, post: &Post) {
    let review = Review {
        verdict: Verdict::Held,
        reasons: ["title", "content"].map(reason).to_vec(),
        scores: vec![Score { category: HOSTILE.to_owned(), sum: 60, hold: Some(50), reject: None, urgent: false }],
        shadow: Vec::new(),
        ruleset: HOSTILE.to_owned(),
    };
    let row = Row { post: post.clone(), review, reviewed_at: OffsetDateTime::now_utc(), attempts: 2, sender: None };
    ground.store.insert(&[row], HOSTILE).await.expect("it can be stored");
}

/// Two cases, with people whose names and texts are as hostile as the posts, and an endpoint that answers so. The first
/// is claimed, the second decided; gives the decision.
async fn reviewed(ground: &Ground, held: &Post, decided: &Post) -> Uuid {
    let store = &ground.store;
    self::store(ground, held).await;
    self::store(ground, decided).await;
    ground.sluice(&["review", "sweep"]).await.ok();
    let case = async |post: &Post| store.cases_of(post.id).await.expect("MySQL answers").remove(0).case;
    let (held, decided, decision) = (case(held).await, case(decided).await, Uuid::now_v7());
    let actor = Actor { name: HOSTILE, role: Role::Moderator, claim: None };
    let request = DecisionRequest {
        id: decision,
        case: decided,
        ruling: Ruling::Reject,
        actor,
        policies: &[HOSTILE.to_owned()],
        policyset: Some(HOSTILE),
        message: Some(HOSTILE),
        note: Some(HOSTILE),
        act: Some(decision),
        recheck: Recheck { appeals: Some(Duration::from_secs(3600)), ..Recheck::default() },
        expected: None,
    };
    store.decide(&request).await.expect("MySQL answers").expect("a case").expect("it is free");
    store.add_note(Uuid::now_v7(), held, HOSTILE, HOSTILE).await.expect("MySQL answers");
    store.add_endpoint("forum").await.expect("MySQL answers");
    while store.number_events(time::Duration::ZERO).await.expect("MySQL answers") > 0 {}
    store.enqueue_deliveries("forum").await.expect("MySQL answers");
    let (owner, lease) = (Uuid::now_v7(), Duration::from_secs(60));
    for due in store.due_deliveries("forum", owner, 10, lease).await.expect("MySQL answers") {
        let failed = Failed { status: Some(500), error: HOSTILE, again_in: lease };
        store.delivery_failed("forum", due.decision, owner, &failed).await.expect("MySQL answers");
    }
    store.pause_endpoint("forum", Some(HOSTILE)).await.expect("MySQL answers");
    let ask = Ask { by: HOSTILE, role: Role::Moderator, token: Uuid::now_v7(), queue: None };
    store.claim(held, ask).await.expect("MySQL answers").expect("a case").expect("it is free");
    decision
}

/// Policies as hostile as a file of them may be.
fn policies() -> String {
    let escaped: String = HOSTILE.chars().map(|c| format!("\\U{:08x}", u32::from(c))).collect();
    format!("[[policy]]\nid = \"ads\"\ntitle = \"{escaped}\"\nmessage = \"{escaped}\"\ncategories = [\"{escaped}\"]\n")
}

fn status() -> WorkerStatus {
    WorkerStatus {
        worker: HOSTILE.to_owned(),
        pid: 1,
        version: HOSTILE.to_owned(),
        ruleset: HOSTILE.to_owned(),
        started_at: OffsetDateTime::UNIX_EPOCH,
        state: State::Consuming,
        paused: None,
        consumers: 0,
        in_flight: 0,
        stored: 0,
        dead_lettered: 0,
        oldest_submitted_at: None,
        rules: None,
        scorer: None,
        reviewer: None,
    }
}
