//! The way to RabbitMQ: connections that come about in bounded time or not at all.
//!
//! The library's own recovery is never switched on: with it, confirms hang for the whole of an outage and consumers
//! become silent zombies. Without it everything fails at once and cleanly, and whoever owns a session builds a new one.
//! Every await of the library stands under `bounded`, because a frozen broker answers none of them.
//!
//! Below the library lies a transport of our own, for what strangers may send and the library cannot read:
//!
//! ```text
//!  lapin ◄── Wire ◄── TLS, if any ◄── TCP        made by Dial
//!             │
//!             ├ Valve      how much is read ahead, where that is bounded
//!             ├ Inbound    where frames begin and end; frame::clean makes each of them readable
//!             └ Outbound   the last words: from then on the wire does not wait for ever
//! ```

mod dial;
pub mod frame;
pub mod inbound;
mod outbound;
mod valve;
mod wire;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use deadpool_lapin::lapin::{Connection, ConnectionProperties};

use self::dial::Dial;
pub(crate) use self::valve::Valve;
use crate::failure::classify;
use sluice_core::address::{self, Parameter, is_within};
use sluice_core::config::{BrokerArgs, ConfigError, SecretUrl};
use sluice_core::failure::{Failure, Kind};

/// The longest wait for a connection.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How often both sides say that they are alive; after twice this a dead peer is noticed.
const HEARTBEAT_SECONDS: u16 = 10;

/// The largest frame, in bytes, where all messages are our own. RabbitMQ 4.3 refuses less than 8192.
const LEAN_FRAME_MAX: u32 = 16 * 1024;

/// What may be asked of a connection in its address. Bounds that are not the broker's own are those of what Sluice does
/// on one connection.
const PARAMETERS: [Parameter; 4] = [
    Parameter { name: "heartbeat", takes: "1 to 600 seconds", fits: |value| is_within(value, &(1..=600)) },
    Parameter { name: "frame_max", takes: "8192 to 1048576 bytes", fits: |value| is_within(value, &(8192..=1 << 20)) },
    Parameter { name: "channel_max", takes: "32 to 65535 channels", fits: |value| is_within(value, &(32..=65_535)) },
    Parameter {
        name: "auth_mechanism",
        takes: "`plain` or `amqplain`",
        fits: |value| matches!(value, "plain" | "amqplain"),
    },
];

/// Where the broker is and who we are there.
#[derive(Debug, Clone)]
pub struct Broker {
    /// What lapin is told: never with TLS, which is not its business here.
    url: SecretUrl,
    /// The name in the broker's certificate, where the address asks for TLS.
    tls: Option<String>,
    /// Host and port, for messages.
    at: String,
    /// The connection's name in RabbitMQ's own lists.
    name: String,
}

impl Broker {
    /// The broker these settings name. `name` is shown in RabbitMQ's list of connections.
    ///
    /// # Errors
    /// When `AMQP_URL` is no address of a broker.
    pub fn new(args: &BrokerArgs, name: impl Into<String>) -> Result<Self, ConfigError> {
        const EXAMPLE: &str = "amqp://user:password@host:5672/%2f";
        let refused = |problem: String| ConfigError::new("AMQP_URL", format!("{problem}; use the form {EXAMPLE}"));
        let mut url = args.amqp_url.parsed("AMQP_URL", &["amqp", "amqps"], EXAMPLE)?;
        address::check(&url, &PARAMETERS).map_err(refused)?;
        if url.path() == "/" {
            // By the dead letter a trailing slash is the virtual host "", which nobody has.
            url.set_path("/%2f");
        }
        if address::parameter(&url, "heartbeat").is_none() {
            url.query_pairs_mut().append_pair("heartbeat", &HEARTBEAT_SECONDS.to_string());
        }
        let port = url.port().unwrap_or(if url.scheme() == "amqps" { 5671 } else { 5672 });
        let (at, host) = (address::at(&url, port), address::host(&url));
        let tls = (url.scheme() == "amqps").then(|| host.clone());
        if tls.is_some() && (url.set_port(Some(port)).is_err() || url.set_scheme("amqp").is_err()) {
            return Err(refused("its port cannot be set".to_owned()));
        }
        // The library takes an address in brackets for no host at all, and then goes to localhost.
        if host.contains(':') && url.set_host(Some(&host.replace(':', "%3A"))).is_err() {
            return Err(refused("its host cannot be used".to_owned()));
        }
        Ok(Self { url: url.as_str().into(), tls, at, name: name.into() })
    }

    /// Host and port.
    #[must_use]
    pub fn at(&self) -> &str {
        &self.at
    }

    /// The same broker, for another purpose than posts, under another name.
    #[must_use]
    pub(crate) fn apart(&self, purpose: &str) -> Self {
        Self { name: format!("{} {purpose}", self.name), ..self.lean() }
    }

    /// The same broker, for messages of our own alone. A connection's buffers are 64 frames long, and in the smaller
    /// frames that suffice here they are 1 MiB instead of 8. Strangers' headers may need the larger ones: those of a
    /// message have to fit in one frame.
    #[must_use]
    pub fn lean(&self) -> Self {
        // There always is a query: the heartbeat's.
        let url = self.url.expose();
        let url = if url.contains("frame_max=") { url.to_owned() } else { format!("{url}&frame_max={LEAN_FRAME_MAX}") };
        Self { url: url.as_str().into(), ..self.clone() }
    }

    /// A new connection, or the reason why there is none within [`CONNECT_TIMEOUT`].
    ///
    /// # Errors
    /// [`BrokerError`], which says whose turn it is to do something.
    pub async fn connect(&self) -> Result<Connection, BrokerError> {
        self.connect_by(None).await
    }

    /// The same, with a bound on what is read before it is taken.
    ///
    /// # Errors
    /// [`BrokerError`].
    pub(crate) async fn connect_with(&self, valve: &Arc<Valve>) -> Result<Connection, BrokerError> {
        self.connect_by(Some(Arc::clone(valve))).await
    }

    async fn connect_by(&self, valve: Option<Arc<Valve>>) -> Result<Connection, BrokerError> {
        let runtime = Dial::runtime(self.tls.clone(), valve);
        let connect = Connection::connect_with_runtime(self.url.expose(), self.properties(), runtime);
        bounded("connecting", CONNECT_TIMEOUT, connect).await.map_err(|failure| self.with_context(failure))
    }

    /// A pool of connections for publishing. Consumers own theirs: a pool is no use to them.
    ///
    /// # Errors
    /// When the pool finds no runtime to work on.
    pub(crate) fn pool(&self, connections: usize) -> Result<deadpool_lapin::Pool, BrokerError> {
        let runtime = Dial::runtime(self.tls.clone(), None);
        let (broker, url) = (self.clone(), self.url.expose());
        let manager = deadpool_lapin::Manager::new(url, move || broker.properties(), runtime);
        deadpool_lapin::Pool::builder(manager)
            .max_size(connections)
            .runtime(deadpool_lapin::Runtime::Tokio1)
            .wait_timeout(Some(CONNECT_TIMEOUT))
            .create_timeout(Some(CONNECT_TIMEOUT))
            .recycle_timeout(Some(CONNECT_TIMEOUT))
            .build()
            .map_err(|error| self.with_context(Failure::new(Kind::Dependency, "amqp_pool", error.to_string())))
    }

    fn properties(&self) -> ConnectionProperties {
        ConnectionProperties::default().with_connection_name(self.name.as_str().into())
    }

    /// Adds to a failure where it happened and what can be done.
    #[must_use]
    pub fn with_context(&self, failure: Failure) -> BrokerError {
        BrokerError { at: self.at.clone(), failure }
    }
}

/// RabbitMQ cannot be used: where, why, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerError {
    /// Host and port.
    pub at: String,
    /// Why.
    pub failure: Failure,
}

impl BrokerError {
    /// Whether trying again is of no use before somebody changes the settings: wrong credentials, an unknown virtual
    /// host.
    #[must_use]
    pub fn needs_operator(&self) -> bool {
        self.failure.kind == Kind::Operator
    }
}

impl std::fmt::Display for BrokerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let advice = match self.failure.code.as_str() {
            "amqp_403" => "check the user, the password and the virtual host in AMQP_URL, and the user's permissions",
            "amqp_530" | "amqp_404" => {
                "check the virtual host in AMQP_URL (`/` is written %2f) and the user's permissions"
            }
            "amqp_tls" => {
                "check that this is its TLS port, and that its certificate is signed by an authority in this system or \
                 in SSL_CERT_FILE"
            }
            "amqp_foreign" => "check the host and the port in AMQP_URL, and whether the URL must begin with amqps://",
            "amqp_541" => "see RabbitMQ's log",
            _ => "is it running there? AMQP_URL sets the address",
        };
        write!(f, "cannot use RabbitMQ at {}: {}; {advice}", self.at, self.failure.message)
    }
}

impl std::error::Error for BrokerError {}

/// Waits for the library at most so long.
///
/// # Errors
/// The library's error, classified, or a timeout, which means that the call's fate is unknown.
pub(crate) async fn bounded<T>(
    what: &str,
    limit: Duration,
    call: impl Future<Output = lapin::Result<T>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(limit, call).await {
        Ok(answer) => answer.map_err(|error| classify(&error)),
        Err(_) => Err(Failure::timed_out("amqp", what, limit)),
    }
}

/// Closes a connection, waiting no longer than a moment: `close` hangs on a frozen broker, and what was in flight goes
/// back to the queue either way.
pub async fn close(connection: &Connection) {
    let _ = bounded("closing the connection", Duration::from_secs(1), connection.close(200, "done".into())).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broker(url: &str) -> Result<Broker, ConfigError> {
        let prefix = "post".parse().map_err(|problem: String| ConfigError::new("SLUICE_PREFIX", problem))?;
        Broker::new(&BrokerArgs { amqp_url: url.into(), prefix, max_length: None }, "test")
    }

    #[test]
    fn a_trailing_slash_means_the_default_virtual_host() {
        for url in ["amqp://h/", "amqp://h/%2f"] {
            let broker = broker(url).expect("a good address");
            assert!(broker.url.expose().starts_with("amqp://h/%2f?heartbeat=10"), "{}", broker.url.expose());
        }
    }

    #[test]
    fn an_address_of_ipv6_is_what_the_library_is_told_and_what_the_certificate_has_to_name() {
        let broker = broker("amqps://me:secret@[2001:db8::1]/v").expect("a good address");
        assert_eq!((broker.at(), broker.tls.as_deref()), ("[2001:db8::1]:5671", Some("2001:db8::1")));
        let told: lapin::uri::AMQPUri = broker.url.expose().parse().expect("what the library reads");
        assert_eq!((told.authority.host.as_str(), told.authority.port), ("2001:db8::1", 5671));
    }

    #[test]
    fn a_parameter_that_is_wrong_or_unknown_is_refused_by_its_name() {
        for (query, named) in [
            ("heartbeat=abc", "`heartbeat` is `abc`; it must be 1 to 600 seconds"),
            ("heartbeat=0", "heartbeat"),
            ("frame_max=1", "`frame_max` is `1`; it must be 8192 to 1048576 bytes"),
            ("frame_max=8191", "frame_max"),
            ("channel_max=1", "channel_max"),
            ("connection_timeout=30000", "`connection_timeout` is unknown; known parameters: heartbeat"),
            ("auth_mechanism=external", "auth_mechanism"),
            ("heartbeat=5&frame_max=8192&heartbeat=6", "`heartbeat` is given twice"),
            ("verify=none", "verify"),
        ] {
            let error = broker(&format!("amqp://h/%2f?{query}")).expect_err(query);
            assert!(error.setting == "AMQP_URL" && error.problem.contains(named), "{query}: {error}");
        }
        assert!(broker("amqp://h/%2f?heartbeat=5&frame_max=8192&channel_max=64&auth_mechanism=amqplain").is_ok());
    }

    #[test]
    fn the_default_port_depends_on_the_scheme() {
        assert_eq!(broker("amqp://h").map(|broker| broker.at), Ok("h:5672".to_owned()));
        assert_eq!(broker("amqps://h").map(|broker| broker.at), Ok("h:5671".to_owned()));
    }

    #[test]
    fn smaller_frames_are_asked_for_unless_the_address_says_how_large() {
        let lean = |url| broker(url).expect("a good address").lean().url.expose().to_owned();
        assert_eq!(lean("amqp://h/%2f"), "amqp://h/%2f?heartbeat=10&frame_max=16384");
        assert_eq!(lean("amqp://h/%2f?frame_max=9000"), "amqp://h/%2f?frame_max=9000&heartbeat=10");
    }

    #[test]
    fn tls_is_made_below_the_library_and_all_else_of_the_address_stays() {
        let secure = broker("amqps://me:secret@h/v?heartbeat=7").expect("a good address");
        assert_eq!((secure.url.expose(), secure.tls.as_deref()), ("amqp://me:secret@h:5671/v?heartbeat=7", Some("h")));
        let other = broker("amqps://h:7/%2f?heartbeat=7").expect("a good address");
        assert_eq!((other.url.expose(), other.tls.as_deref()), ("amqp://h:7/%2f?heartbeat=7", Some("h")));
        let plain = broker("amqp://h/%2f?heartbeat=7").expect("a good address");
        assert_eq!((plain.url.expose(), plain.tls), ("amqp://h/%2f?heartbeat=7", None));
    }

    #[test]
    fn no_error_and_no_debug_form_shows_the_password() {
        let broker = broker("amqp://me:hunter2@h/%2f").expect("a good address");
        let error = broker.with_context(Failure::new(Kind::Operator, "amqp_403", "ACCESS_REFUSED"));
        assert!(!format!("{broker:?} {error} {error:?}").contains("hunter2"));
    }
}
