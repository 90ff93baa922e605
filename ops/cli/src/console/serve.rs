//! The console's start and end.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use sluice_core::config::ConfigError;
use sluice_mysql::Store;
use sluice_runtime::exit::Exit;
use sluice_runtime::health::{self, Metrics, Seldom};
use sluice_runtime::output::report;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::access::{Accounts, token};
use super::api::{self, Api, Parts};
use super::followed::Followed;
use super::sender::{self, Sender};
use super::settings::ServeArgs;
use super::sweep;
use crate::policies::{Policies, PolicyArgs};

/// The most open connections: forums, tools and, later, people.
const CONNECTIONS: usize = 1000;
/// How long requests under way may take to finish after the signal to stop.
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
    let (accounts, token) = accounts(&args)?;
    let accounts = Arc::new(accounts);
    let metrics = Metrics::install("sluice-console")?;
    let most = health::room_for(CONNECTIONS, "the console");
    let listener = health::bind(args.listen, "--listen or SLUICE_CONSOLE_LISTEN").await?;
    let listen = listener.local_addr().context("cannot tell which port was taken")?;
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

    let clients = accounts.now().len();
    tracing::info!(%listen, mysql = store.at(), clients, endpoints = names.join(", "), "serving");
    if let Some(token) = token {
        report!("no SLUICE_ACCOUNTS: until the console ends, this token may do everything: {token}");
    }
    let api = Api::new(Parts {
        store: Arc::clone(&store),
        accounts,
        policies,
        appeals: args.appeals.within(),
        feed,
        stop: stop.clone(),
        unusable: Seldom::default(),
        document: api::describe(),
    });
    health::serve(listener, api.routes(metrics), most, stop, GRACE).await;
    tasks.close();
    if tokio::time::timeout(LAST, tasks.wait()).await.is_err() {
        tracing::info!("deliveries were still under way at the end; their leases end by themselves");
    }
    store.close().await;
    tracing::info!("stopped");
    Ok(Exit::Done)
}

/// The clients; without a file, one of a token that is made now.
fn accounts(args: &ServeArgs) -> anyhow::Result<(Followed<Accounts>, Option<String>)> {
    match &args.accounts {
        Some(path) => Ok((Followed::read(path, Box::new(Accounts::read))?, None)),
        None => {
            let token = token::new().context("cannot draw a token from /dev/urandom")?;
            Ok((Followed::fixed(Accounts::of_one("console", &token)), Some(token)))
        }
    }
}

fn policies(args: &PolicyArgs) -> Result<Followed<Policies>, ConfigError> {
    match &args.policies {
        Some(path) => {
            let read = |path: &Path| PolicyArgs { policies: Some(path.to_owned()) }.read();
            Followed::read(path, Box::new(read))
        }
        None => Ok(Followed::fixed(Policies::default())),
    }
}
