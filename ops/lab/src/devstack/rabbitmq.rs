//! A private RabbitMQ, a stack's only one or one of a cluster's, and the port mapper (epmd) that Erlang wants next to it.
//!
//! An Erlang node starts an epmd by itself if there is none, as a daemon that nobody owns and that stays. So ours is
//! started first, in the foreground and on its own port, and nodes are forbidden to start another.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use super::error::StackError;
use super::folder::{self, Folder};
use super::ground::Ground;
use super::readiness::Greeting;
use super::recipe::Recipe;
use super::record::RabbitmqPorts;
use super::secrets::{self, BROKER_USER, Secrets};
use super::server::Server;
use super::tls::Tls;

/// Who knows it may do anything with the node.
const COOKIE: &str = "home/.erlang.cookie";
/// Nodes look for consumers that hold a message too long this often by themselves.
const USUAL_TICK: Duration = Duration::from_secs(60);

/// One broker.
#[derive(Debug, Clone)]
pub(super) struct Broker {
    /// That of its log and of the folder with its settings and data.
    pub(super) name: &'static str,
    /// Its name among Erlang's nodes, part of its data's path: it stays the same, or a restarted broker would begin with
    /// nothing. The private epmd keeps nodes of the same name apart.
    pub(super) node: String,
    pub(super) ports: RabbitmqPorts,
}

/// What a broker is told beside where it is.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    /// How long a consumer may hold a message unacknowledged. `None`: the broker's own 30 minutes.
    pub(super) consumer_timeout: Option<Duration>,
    /// After how long a node of a cluster that says nothing counts as gone. `None`: Erlang's own 60 s.
    pub(super) net_ticktime: Option<Duration>,
    /// More lines of `rabbitmq.conf`.
    pub(super) lines: String,
}

impl Broker {
    /// A stack's only one.
    pub(super) fn alone(ports: RabbitmqPorts) -> Self {
        Self { name: "rabbitmq", node: "sluice@localhost".to_owned(), ports }
    }

    /// The server, with the epmd on its port.
    pub(super) fn server(&self, ground: &Ground, epmd: Arc<Server>) -> Server {
        Server::new(ground, recipe(ground, self), Some(epmd))
    }
}

/// The port mapper on this port.
pub(super) fn epmd(ground: &Ground, port: u16) -> Arc<Server> {
    Arc::new(Server::new(ground, epmd_recipe(ground, port), None))
}

/// Writes the settings, and the cookie by which the broker knows its own tools and the other nodes of its cluster. They
/// are read when the server starts.
pub(super) fn configure(
    folder: &Folder,
    broker: &Broker,
    secrets: &Secrets,
    settings: &Settings,
) -> Result<(), StackError> {
    let Broker { name, ports: RabbitmqPorts { amqp, management, amqps, .. }, .. } = broker;
    let Settings { consumer_timeout, net_ticktime, lines } = settings;
    folder::make(&folder.path().join(name))?;
    let timeout = consumer_timeout.map(|timeout| format!("consumer_timeout = {}\n", timeout.as_millis()));
    let tls = Tls::of(folder).map(|Tls { certificate, key }| {
        let (certificate, key) = (certificate.display(), key.display());
        format!(
            "listeners.ssl.local = 127.0.0.1:{amqps}\nssl_options.certfile = {certificate}\n\
             ssl_options.keyfile = {key}\nssl_options.verify = verify_none\n"
        )
    });
    let text = format!(
        "listeners.tcp.local = 127.0.0.1:{amqp}\n\
         management.tcp.ip = 127.0.0.1\n\
         management.tcp.port = {management}\n\
         default_user = {BROKER_USER}\n\
         default_pass = {}\n\
         disk_free_limit.absolute = 50MB\n\
         log.console.level = info\n\
         {}{}{lines}",
        secrets.broker(),
        timeout.unwrap_or_default(),
        tls.unwrap_or_default(),
    );
    // A timeout shorter than the tick would be noticed only with the tick.
    let tick =
        consumer_timeout.map_or(USUAL_TICK, |timeout| (timeout / 2).clamp(Duration::from_millis(100), USUAL_TICK));
    folder.write(&format!("{name}/rabbitmq.conf"), &text)?;
    // Erlang's own choice could be guessed from the time of its start.
    if !folder.path().join(COOKIE).exists() {
        folder.write_as(COOKIE, &secrets::random(), 0o400)?;
    }
    let kernel = net_ticktime.map(|time| format!(", {{kernel, [{{net_ticktime, {}}}]}}", time.as_secs().max(1)));
    let kernel = kernel.unwrap_or_default();
    folder.write(
        &format!("{name}/advanced.config"),
        &format!("[{{rabbit, [{{channel_tick_interval, {}}}]}}{kernel}].\n", tick.as_millis()),
    )?;
    folder.write(&format!("{name}/enabled_plugins"), "[rabbitmq_management].\n").map(drop)
}

fn recipe(ground: &Ground, broker: &Broker) -> Recipe {
    let Broker { name, node, ports } = broker;
    let within = |name: &str| OsString::from(ground.folder.path().join(name));
    let home = |file: &str| within(&format!("{name}/{file}"));
    let envs = vec![
        ("RABBITMQ_NODENAME", node.into()),
        ("RABBITMQ_DIST_PORT", ports.distribution.to_string().into()),
        ("RABBITMQ_MNESIA_BASE", home("data")),
        ("RABBITMQ_LOG_BASE", within("logs")),
        // To standard output, which is its log file: what it says before its own logging begins is there too.
        ("RABBITMQ_LOGS", "-".into()),
        ("RABBITMQ_PID_FILE", home("pid")),
        ("RABBITMQ_CONFIG_FILE", home("rabbitmq.conf")),
        ("RABBITMQ_ADVANCED_CONFIG_FILE", home("advanced.config")),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", home("enabled_plugins")),
        // There is none: it keeps the system's own settings out.
        ("RABBITMQ_CONF_ENV_FILE", home("rabbitmq-env.conf")),
        ("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-kernel inet_dist_use_interface {127,0,0,1}".into()),
        // So the start script becomes the node instead of staying as its parent: one process, one id.
        ("RUNNING_UNDER_SYSTEMD", "true".into()),
        ("ERL_CRASH_DUMP", within(&format!("logs/{name}.crash"))),
        ("ERL_EPMD_PORT", ports.epmd.to_string().into()),
        ("ERL_ZFLAGS", "-start_epmd false".into()),
    ];
    Recipe {
        name,
        program: ground.programs.rabbitmq_server.clone(),
        args: Vec::new(),
        envs,
        port: ports.amqp,
        other_ports: vec![ports.management, ports.distribution],
        greeting: Greeting::Amqp,
    }
}

fn epmd_recipe(ground: &Ground, port: u16) -> Recipe {
    Recipe {
        name: "epmd",
        program: ground.programs.epmd.clone(),
        args: ["-port", &port.to_string(), "-address", "127.0.0.1"].map(OsString::from).into(),
        envs: Vec::new(),
        port,
        other_ports: Vec::new(),
        greeting: Greeting::Accept,
    }
}
