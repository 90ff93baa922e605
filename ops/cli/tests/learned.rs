//! A scorer from people's decisions: learnt by `sluice rules learn`, followed by a worker, told of by `why` and `status`.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sluice_core::moderation::Role;
use sluice_core::moderation::act::Actor;
use sluice_core::post::{Post, PostId};
use sluice_core::verdict::{Reason, Score};
use sluice_lab::testing::{Program, eventually};
use sluice_mysql::StoredPost;
use sluice_mysql::review::{DecisionRequest, Recheck, Ruling};
use support::{Ground, Ran, post, text};
use tempfile::TempDir;
use uuid::Uuid;

/// What sellers of a made-up kind say.
const SELLING: &str = "discount wholesale order cheap gnomes today prices agent delivery stock bargain catalogue warehouse \
                       payment customers limited turnips genuine certificate shipping deals coupon rebate supplier";
/// What people say to one another.
const TALKING: &str = "yesterday walked rain mother laughed garden evening maybe tired kitchen friends listened quiet \
                       river thought holiday bench postcard tomorrow cousin watched birds supper windy";

/// Ten of these words, in an order that looks like chance.
fn words(of: &str, nth: usize) -> String {
    let of: Vec<&str> = of.split_whitespace().collect();
    let mut chance = nth as u64 + 1;
    let mut word = || {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        of[(chance >> 33) as usize % of.len()]
    };
    (0..10).map(|_| word()).collect::<Vec<_>>().join(" ")
}

/// Rows of both kinds; `selling` is what offers are.
fn rows(offers: usize, talks: usize, selling: &str, talking: &str) -> String {
    let row = |text: String, expect: &str| format!("{}\n", json!({ "text": text, "expect": expect }));
    let offers = (0..offers).map(|nth| row(words(SELLING, nth), selling));
    offers.chain((0..talks).map(|nth| row(words(TALKING, nth), talking))).collect()
}

/// A folder with files.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: &str) -> String {
        fs::write(self.at(name), content).expect("it can be written");
        shown(&self.at(name)).to_owned()
    }
}

fn shown(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// Runs `sluice rules …` without servers.
async fn rules(args: &[&str]) -> Ran {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_sluice"));
    command.arg("rules").args(args).env_remove("SLUICE_RULES").env_remove("SLUICE_SCORER");
    command.env("DATABASE_URL", "mysql://nobody@127.0.0.1:1/nothing");
    Ran::new(command.output().await.expect("the program was built"))
}

#[tokio::test]
async fn what_is_learnt_is_written_once_and_used_by_explain_and_eval() {
    let files = Files::new();
    let (set, out) = (files.write("set.jsonl", &rows(130, 130, "flag", "clean")), files.at("scorer"));
    let only_figures = rules(&["learn", &set, "--json"]).await.ok().object();
    assert_eq!((&only_figures["file"], &only_figures["in_shadow"]), (&Value::Null, &Value::Null), "{only_figures}");
    let learn = ["learn", set.as_str(), "--out", shown(&out)];
    let told = rules(&[&learn[..], &["--json"]].concat()).await.ok().object();
    assert_eq!((&told["flagged"], &told["clean"], &told["copies"]), (&json!(130), &json!(130), &json!(0)));
    assert!(told["by_folds"]["found"]["hits"].as_u64().is_some_and(|hits| hits > 120), "{told}");
    let bytes = fs::read(&out).expect("it is there");
    assert!(told["bytes"] == bytes.len() && bytes.len() < 2_000_000, "{told}");
    let refused = rules(&learn).await.exits(1);
    assert!(refused.stderr.contains("exists: give --force to replace it"), "{refused:?}");
    let page = rules(&[&learn[..], &["--force"]].concat()).await.ok().stdout;
    assert!(page.contains("It is good enough by its folds") && page.contains("Written to "), "{page}");

    assert!(text(&told, "scorer").starts_with("learned@"), "{told}");
    let offer = words(SELLING, 999);
    // Nothing but the scorer speaks of these.
    let lists = files.write("lists.toml", "extend = \"builtin\"\nsuspected = false\n");
    let scorer = ["--rules", &lists, "--scorer", shown(&out)];
    let explained = rules(&[&["explain", &offer, "--json"], &scorer[..]].concat()).await.ok().object();
    assert_eq!((&explained["verdict"], &explained["scores"][0]["category"]), (&json!("held"), &json!("learned")));
    assert!(explained["learned"]["points"].as_u64().is_some_and(|points| points >= 50), "{explained}");
    let page = rules(&[&["explain", &offer], &scorer[..]].concat()).await.ok().stdout;
    assert!(page.contains("points by the scorer learned@") && page.contains("^^^"), "{page}");
    let unseen: String =
        (500..520).map(|nth| format!("{}\n", json!({"text": words(SELLING, nth), "expect": "flag"}))).collect();
    let unseen = files.write("unseen.jsonl", &unseen);
    let alone = rules(&["eval", &unseen, "--json", "--rules", &lists]).await.ok().object();
    let with = rules(&[&["eval", &unseen, "--json"], &scorer[..]].concat()).await.ok().object();
    assert_eq!((&alone["flagged"], &with["flagged"]), (&json!(0), &json!(20)));
}

#[tokio::test]
async fn what_nothing_can_be_learnt_of_is_refused_with_the_counts_and_nothing_is_written() {
    let files = Files::new();
    let out = files.at("scorer");
    for (name, rows, why) in [
        ("one class", rows(60, 0, "flag", "clean"), "too few rows: 60 to be flagged and 0 clean ones"),
        ("ten rows", rows(5, 5, "flag", "clean"), "too few rows: 5 to be flagged and 5 clean ones"),
        (
            "both",
            rows(40, 40, "flag", "clean") + &rows(3, 0, "clean", ""),
            "3 texts are to be flagged in one row and clean",
        ),
    ] {
        let set = files.write("set.jsonl", &rows);
        let ran = rules(&["learn", &set, "--out", shown(&out)]).await.exits(1);
        assert!(ran.stderr.contains(why) && ran.stdout.is_empty(), "{name}: {ran:?}");
        assert!(!out.exists(), "{name}");
    }
    let set = files.write("set.jsonl", &(rows(40, 40, "flag", "clean") + &rows(3, 0, "clean", "")));
    let told = rules(&["learn", &set, "--drop-contradictions", "--json"]).await.ok().object();
    assert_eq!((&told["flagged"], &told["contradictions"]), (&json!(37), &json!(3)));
    assert!(
        told["in_shadow"].as_str().is_some_and(|why| why.contains("37 texts to be flagged and 40 clean")),
        "{told}"
    );
    let ordinary: String = (0..30).map(|nth| format!("{}\n", json!({ "text": words(TALKING, nth + 500) }))).collect();
    let ordinary = files.write("ordinary.jsonl", &ordinary);
    let told = rules(&["learn", &set, "--drop-contradictions", "--clean", &ordinary, "--json"]).await.ok().object();
    assert_eq!(told["clean"], 70, "ordinary texts of the site are clean ones");
    rules(&["learn"]).await.exits(2);
    rules(&["learn", &set, "--false-alarms", "0"]).await.exits(2);
    let unreachable = rules(&["learn", "--from-decisions"]).await.exits(1);
    assert!(unreachable.stderr.contains("127.0.0.1:1"), "{unreachable:?}");
}

#[tokio::test]
async fn a_wrong_file_is_refused_by_name_at_a_workers_start() {
    let files = Files::new();
    let wrong = files.write("scorer", "not one");
    let worker = Path::new(env!("CARGO_BIN_EXE_sluice")).with_file_name("sluice-worker");
    let mut command = tokio::process::Command::new(worker);
    let ran =
        Ran::new(command.args(["run", "--scorer", &wrong]).output().await.expect("the program was built")).exits(1);
    assert!(ran.stderr.contains("SLUICE_SCORER") && ran.stderr.contains("scorer is no scorer"), "{ran:?}");
}

/// A worker with rules that hold every offer and every talk that mentions the market, and its scorer.
struct Site {
    ground: Ground,
    files: Files,
    worker: Program,
}

impl Site {
    async fn new() -> Self {
        let (ground, files) = (Ground::new().await, Files::new());
        let site = "name = \"site\"\n[categories.market]\nhold = 50\n[[list]]\nid = \"market\"\ncategory = \"market\"\n\
                    weight = 60\nterms = [\"market\"]\n";
        let site = files.write("site.toml", site);
        // What is known at first is too little: it runs in shadow.
        let (set, scorer) = (files.write("first.jsonl", &rows(25, 25, "flag", "clean")), files.at("scorer"));
        rules(&["learn", &set, "--out", shown(&scorer)]).await.ok();
        let worker = ground.worker(&["--rules", &site, "--scorer", shown(&scorer), "--name", "w"]);
        worker.says("consuming", 1).await;
        Self { ground, files, worker }
    }

    /// Posts of this kind, as the worker stored them.
    async fn posted(&self, of: &str, numbers: std::ops::Range<usize>, with: &str) -> Vec<StoredPost> {
        let posts: Vec<Post> =
            numbers.map(|nth| Post { content: format!("{} {with}", words(of, nth)), ..post("a post") }).collect();
        for post in &posts {
            self.ground.submit(post).await;
        }
        let mut stored = Vec::new();
        for post in &posts {
            let row = eventually("the post to be stored", async || {
                self.ground.store.post(post.id).await.map_err(|error| error.to_string())?.ok_or("no row".to_owned())
            });
            stored.push(row.await);
        }
        stored
    }

    /// A person decides about the post's case.
    async fn decided(&self, post: &StoredPost, ruling: Ruling) {
        let post: PostId = post.id.parse().expect("an id");
        let case = eventually("a case", async || {
            let cases = self.ground.store.cases_of(post).await.map_err(|error| error.to_string())?;
            cases.first().map(|case| case.case).ok_or("no case".to_owned())
        });
        let request = DecisionRequest {
            id: Uuid::now_v7(),
            case: case.await,
            ruling,
            actor: Actor { name: "ann", role: Role::Moderator, claim: None },
            policies: &[],
            policyset: None,
            message: None,
            note: None,
            act: None,
            recheck: Recheck::default(),
            expected: Some(0),
        };
        self.ground.store.decide(&request).await.expect("MySQL answers").expect("a case").expect("nobody has it");
    }

    async fn status(&self, words: &str) -> String {
        self.ground.status_of_workers(&["--no-look"], words).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_decide_teaches_a_scorer_that_a_worker_takes_up_and_a_broken_one_changes_nothing() {
    let site = Site::new().await;
    let (ground, scorer) = (&site.ground, site.files.at("scorer"));
    let before = site.posted(SELLING, 900..901, "").await.remove(0);
    assert_eq!((before.verdict.as_str(), before.ruleset.starts_with("site@")), ("approved", true));
    assert!(!before.ruleset.contains("learned"), "in shadow it has no part in the verdict: {}", before.ruleset);
    site.worker.says("a shadow rule matched", 1).await;
    site.status("in shadow: it learnt from 25 texts to be flagged and 25 clean ones").await;

    for post in site.posted(SELLING, 0..100, "on the market").await {
        assert_eq!(post.verdict, "held", "the rules hold it");
        site.decided(&post, Ruling::Reject).await;
    }
    for post in site.posted(TALKING, 0..120, "at the market").await {
        site.decided(&post, Ruling::Approve).await;
    }
    let learn = ["rules", "learn", "--from-decisions", "--out", shown(&scorer), "--force", "--json"];
    let told = ground.sluice(&learn).await.ok().object();
    assert_eq!(
        (&told["flagged"], &told["clean"], &told["in_shadow"]),
        (&json!(100), &json!(120), &Value::Null),
        "{told}"
    );
    site.worker.says("a new scorer is in force", 1).await;

    let held = site.posted(SELLING, 901..902, "").await.remove(0);
    assert_eq!(held.verdict, "held");
    let id = told["scorer"].as_str().expect("an id");
    assert!(held.ruleset.starts_with("site@") && held.ruleset.ends_with(&format!("+{id}")), "{}", held.ruleset);
    let scores: Vec<Score> = serde_json::from_str(held.scores.as_deref().expect("scores")).expect("scores");
    assert_eq!((scores[0].category.as_str(), scores[0].hold), ("learned", Some(50)));
    let reasons: Vec<Reason> = serde_json::from_str(&held.reasons).expect("reasons");
    assert!(!reasons.is_empty() && reasons.iter().all(|reason| reason.rule == "learned"), "{reasons:?}");
    assert_eq!(held.content[reasons[0].span[0]..reasons[0].span[1]], reasons[0].text);
    let story = ground.sluice(&["why", &held.id.to_string()]).await.ok().stdout;
    assert!(story.contains(id) && story.contains(&format!("learned: {:?}", reasons[0].text)), "{story}");
    let post: PostId = held.id.parse().expect("an id");
    let case = eventually("a case", async || {
        let cases = ground.store.cases_of(post).await.map_err(|error| error.to_string())?;
        cases.into_iter().next().ok_or("no case".to_owned())
    });
    assert_eq!(case.await.queue, "learned");

    let talks = site.posted(TALKING, 500..560, "").await;
    assert!(talks.iter().all(|post| post.verdict == "approved"), "ordinary posts pass");

    // Half of a file: the old one stays, with the reason.
    let whole = fs::read(&scorer).expect("it is there");
    fs::write(&scorer, &whole[..whole.len() / 2]).expect("it can be written");
    site.worker.says("a new scorer is refused", 1).await;
    let status = site.status("w refused a newer scorer at").await;
    assert!(status.contains("is cut short"), "{status}");
    assert_eq!(site.posted(SELLING, 902..903, "").await[0].ruleset, held.ruleset);

    // One that would hold what people say to one another: the same gate as for rules.
    let turned = site.files.write("turned.jsonl", &rows(130, 130, "clean", "flag"));
    rules(&["learn", &turned, "--out", shown(&scorer), "--force"]).await.ok();
    site.worker.says("a new scorer is refused", 2).await;
    let status = site.status("would be held instead of").await;
    assert!(status.contains("SLUICE_RELOAD_MAX_SHIFT"), "{status}");
    assert_eq!(site.posted(TALKING, 560..561, "").await[0].verdict, "approved");

    fs::write(&scorer, &whole).expect("it can be written");
    site.worker.says("the scorer in the file is already in force", 1).await;
    eventually("a status of the worker without a refusal", async || {
        let status = site.status("  consuming").await;
        if status.contains("refused a newer scorer") { Err(status) } else { Ok(()) }
    })
    .await;
}
