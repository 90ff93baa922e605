//! A private RabbitMQ, and the port mapper (epmd) that Erlang wants next to it.
//!
//! An Erlang node starts an epmd by itself if there is none, as a daemon that nobody owns and that stays. So ours is
//! started first, in the foreground and on its own port, and nodes are forbidden to start another.

use std::ffi::OsString;
use std::time::Duration;

use super::error::StackError;
use super::folder::Folder;
use super::ground::Ground;
use super::readiness::Greeting;
use super::recipe::Recipe;
use super::record::RabbitmqPorts;
use super::secrets::{self, BROKER_USER, Secrets};
use super::server::Server;
use super::tls::Tls;

/// The node's name, part of its data's path: it stays the same, or a restarted broker would begin with nothing. The
/// private epmd keeps nodes of the same name apart.
const NODE: &str = "sluice@localhost";
/// Who knows it may do anything with the node.
const COOKIE: &str = "home/.erlang.cookie";
/// Nodes look for consumers that hold a message too long this often by themselves.
const USUAL_TICK: Duration = Duration::from_secs(60);

/// The server with these ports.
pub(super) fn server(ground: &Ground, ports: RabbitmqPorts) -> Server {
    let epmd = Server::new(ground, epmd(ground, ports), None);
    Server::new(ground, rabbitmq(ground, ports), Some(epmd))
}

/// Writes the settings, and the cookie by which the broker knows its own tools. They are read when the server starts.
///
/// `consumer_timeout`: how long a consumer may hold a message unacknowledged; `None`: the broker's own 30 minutes.
pub(super) fn configure(
    folder: &Folder,
    ports: RabbitmqPorts,
    secrets: &Secrets,
    consumer_timeout: Option<Duration>,
) -> Result<(), StackError> {
    let RabbitmqPorts { amqp, management, amqps, .. } = ports;
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
         {}{}",
        secrets.broker(),
        timeout.unwrap_or_default(),
        tls.unwrap_or_default(),
    );
    // A timeout shorter than the tick would be noticed only with the tick.
    let tick =
        consumer_timeout.map_or(USUAL_TICK, |timeout| (timeout / 2).clamp(Duration::from_millis(100), USUAL_TICK));
    folder.write("rabbitmq/rabbitmq.conf", &text)?;
    // Erlang's own choice could be guessed from the time of its start.
    if !folder.path().join(COOKIE).exists() {
        folder.write_as(COOKIE, &secrets::random(), 0o400)?;
    }
    folder.write(
        "rabbitmq/advanced.config",
        &format!("[{{rabbit, [{{channel_tick_interval, {}}}]}}].\n", tick.as_millis()),
    )?;
    folder.write("rabbitmq/enabled_plugins", "[rabbitmq_management].\n").map(drop)
}

fn rabbitmq(ground: &Ground, ports: RabbitmqPorts) -> Recipe {
    let within = |name: &str| OsString::from(ground.folder.path().join(name));
    let envs = vec![
        ("RABBITMQ_NODENAME", NODE.into()),
        ("RABBITMQ_DIST_PORT", ports.distribution.to_string().into()),
        ("RABBITMQ_MNESIA_BASE", within("rabbitmq/data")),
        ("RABBITMQ_LOG_BASE", within("logs")),
        // To standard output, which is its log file: what it says before its own logging begins is there too.
        ("RABBITMQ_LOGS", "-".into()),
        ("RABBITMQ_PID_FILE", within("rabbitmq/pid")),
        ("RABBITMQ_CONFIG_FILE", within("rabbitmq/rabbitmq.conf")),
        ("RABBITMQ_ADVANCED_CONFIG_FILE", within("rabbitmq/advanced.config")),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", within("rabbitmq/enabled_plugins")),
        // There is none: it keeps the system's own settings out.
        ("RABBITMQ_CONF_ENV_FILE", within("rabbitmq/rabbitmq-env.conf")),
        ("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-kernel inet_dist_use_interface {127,0,0,1}".into()),
        // So the start script becomes the node instead of staying as its parent: one process, one id.
        ("RUNNING_UNDER_SYSTEMD", "true".into()),
        ("ERL_CRASH_DUMP", within("logs/erl_crash.dump")),
        ("ERL_EPMD_PORT", ports.epmd.to_string().into()),
        ("ERL_ZFLAGS", "-start_epmd false".into()),
    ];
    Recipe {
        name: "rabbitmq",
        program: ground.programs.rabbitmq_server.clone(),
        args: Vec::new(),
        envs,
        port: ports.amqp,
        other_ports: vec![ports.management, ports.distribution],
        greeting: Greeting::Amqp,
    }
}

fn epmd(ground: &Ground, ports: RabbitmqPorts) -> Recipe {
    Recipe {
        name: "epmd",
        program: ground.programs.epmd.clone(),
        args: ["-port", &ports.epmd.to_string(), "-address", "127.0.0.1"].map(OsString::from).into(),
        envs: Vec::new(),
        port: ports.epmd,
        other_ports: Vec::new(),
        greeting: Greeting::Accept,
    }
}
