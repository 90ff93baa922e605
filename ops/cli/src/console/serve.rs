//! The console's start and end.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::http::{Method, Uri};
use sluice_core::config::{ConfigError, ServerArgs};
use sluice_mysql::Store;
use sluice_runtime::exit::Exit;
use sluice_runtime::followed::Followed;
use sluice_runtime::health::{self, Metrics, Seldom};
use sluice_runtime::output::report;
use sluice_runtime::token;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::access::Accounts;
use super::api::{self, Api, Parts};
use super::pages::{
    self, Hosts, NowSource, Once, Pages, Plans, QueuesSource, Searches, SessionKey, SnapshotSource, Tries, Watched,
    Work,
};
use super::sender::{self, Sender};
use super::settings::ServeArgs;
use super::sweep;
use crate::browse::DeadLetters;
use crate::policies::{Policies, PolicyArgs};
use crate::status::dead::Look;
use crate::status::sample::Sampler;

/// The most open connections: forums, tools and people.
const CONNECTIONS: usize = 1000;
/// How long requests in progress may take to finish after the stop signal.
const GRACE: Duration = Duration::from_secs(5);
/// How long tasks may take after that.
const LAST: Duration = Duration::from_secs(1);

/// Serves until `stop`.
///
/// # Errors
/// When a setting is wrong, the port is taken, or the schema is an older one. A database that cannot be reached is no
/// error: requests are answered with 503 until it can.
pub(super) async fn run(args: ServeArgs, stop: CancellationToken) -> anyhow::Result<Exit> {
    args.check()?;
    let store = Arc::new(Store::new(&args.servers.database)?);
    let endpoints = args.endpoints.as_deref().map(sender::read_endpoints).transpose()?.unwrap_or_default();
    let policies = Arc::new(policies(&args.policies)?);
    let (accounts, local) = accounts(&args)?;
    let accounts = Arc::new(accounts);
    let key = match &args.session_key {
        Some(key) => key.clone(),
        None => SessionKey::draw().context("cannot draw a key from /dev/urandom")?,
    };
    let metrics = Metrics::install("sluice-console")?;
    let most = health::room_for(CONNECTIONS, "the console");
    let listener = health::bind(args.listen, "--listen or SLUICE_CONSOLE_LISTEN").await?;
    let listen = listener.local_addr().context("cannot read the listening port")?;
    match store.check_schema().await {
        Err(error) if error.is_outage() => {
            tracing::warn!(%error, "requests are answered with 503 until the database answers")
        }
        checked => checked?,
    }

    let tasks = TaskTracker::new();
    let names: Vec<String> = endpoints.iter().map(|endpoint| endpoint.name.clone()).collect();
    let delay = args.decision_delay.try_into().unwrap_or(time::Duration::MAX);
    let sender = Sender { store: Arc::clone(&store), endpoints, delay, waits: args.decision_waits.unwrap_or_default() };
    let feed = sender.start(&args.servers.broker, &tasks, &stop)?;
    tasks.spawn(sweep::run(Arc::clone(&store), stop.clone()));
    tasks.spawn(Arc::clone(&accounts).follow(stop.clone()));
    tasks.spawn(Arc::clone(&policies).follow(stop.clone()));

    let (clients, people) = accounts.now().count();
    tracing::info!(%listen, mysql = store.at(), clients, people, endpoints = names.join(", "), "serving");
    let once = local.map(|Local { token, once }| {
        report!("no SLUICE_ACCOUNTS: until the console ends, this token may do everything: {token}");
        report!("open this once to get in: http://{listen}{}", once.path());
        once
    });
    let api = Api::new(Parts {
        store: Arc::clone(&store),
        accounts: Arc::clone(&accounts),
        policies: Arc::clone(&policies),
        recheck: args.recheck.settings(),
        feed,
        stop: stop.clone(),
        unusable: Seldom::default(),
        document: api::describe(),
    });
    let hosts = Hosts::new(args.url.clone());
    let ServerArgs { broker, database } = &args.servers;
    let sampler = Sampler::new(broker, database, Look::Elsewhere, false, stop.clone())?;
    let dead = DeadLetters::briefly(broker, "console", stop.clone())?;
    let searches = Arc::new(Searches::default());
    let pages = Pages::new(pages::Parts {
        accounts,
        key,
        hosts,
        once,
        tries: Tries::default(),
        policies,
        recheck: args.recheck.settings(),
        store: Arc::clone(&store),
        servers: args.servers.clone(),
        rules: args.rules.clone(),
        plans: Plans::default(),
        work: Work::default(),
        tasks: tasks.clone(),
        stop: stop.clone(),
        dead: dead.clone(),
        queues: Watched::new(QueuesSource::new(Arc::clone(&store)), stop.clone()),
        now: Watched::new(NowSource::new(sampler), stop.clone()),
        snapshot: Watched::new(SnapshotSource::new(dead, Arc::clone(&searches)), stop.clone()),
        searches,
    });
    health::serve(listener, routes(api, pages, metrics), most, stop, GRACE).await;
    tasks.close();
    if tokio::time::timeout(LAST, tasks.wait()).await.is_err() {
        tracing::info!("deliveries were still under way at the end; their leases end by themselves");
    }
    store.close().await;
    tracing::info!("stopped");
    Ok(Exit::Done)
}

/// What lets one in where there is no file.
struct Local {
    token: String,
    once: Once,
}

/// Who may use the console; without a file, whoever has a token or a link that are made now.
fn accounts(args: &ServeArgs) -> anyhow::Result<(Followed<Accounts>, Option<Local>)> {
    match &args.accounts {
        Some(path) => Ok((Followed::read(path, Box::new(|path, _| Accounts::read(path)))?, None)),
        None => {
            let drawn = "cannot draw a token from /dev/urandom";
            let token = token::new().context(drawn)?;
            let accounts = Followed::fixed(Accounts::of_one("console", &token));
            Ok((accounts, Some(Local { token, once: Once::draw().context(drawn)? })))
        }
    }
}

/// The API, the pages and the health endpoints.
fn routes(api: Api, pages: Pages, metrics: Metrics) -> Router {
    let asked = api.clone();
    let ready = move || {
        let api = asked.clone();
        async move { api.ready().await }
    };
    let is_api = |at: &Uri| at.path().starts_with(api::BEGINS);
    let not_found = async move |at: Uri| if is_api(&at) { api::not_found(&at) } else { pages::not_found(&at) };
    let wrong_method = async |method: Method, at: Uri| api::wrong_method(&method, &at);
    Router::new()
        .merge(api.routes())
        .merge(pages.routes())
        .merge(health::routes(metrics, ready))
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
}

fn policies(args: &PolicyArgs) -> Result<Followed<Policies>, ConfigError> {
    match &args.policies {
        Some(path) => {
            let read = |path: &Path, _: Option<&Policies>| PolicyArgs { policies: Some(path.to_owned()) }.read();
            Followed::read(path, Box::new(read))
        }
        None => Ok(Followed::fixed(Policies::default())),
    }
}
