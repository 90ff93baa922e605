//! A worker of a ground's own.

use std::net::ToSocketAddrs as _;
use std::path::Path;

use sluice_lab::testing::{Program, Proxy, eventually};

use super::Ground;

impl Ground {
    /// Starts a worker. It is killed when it is dropped.
    pub fn worker(&self, args: &[&str]) -> Program {
        self.worker_on(&self.database_url, args)
    }

    /// The same, with another way to the database.
    pub fn worker_on(&self, database_url: &str, args: &[&str]) -> Program {
        let program = Path::new(env!("CARGO_BIN_EXE_sluice")).with_file_name("sluice-worker");
        let environment = [
            ("AMQP_URL", self.amqp_url.clone()),
            ("DATABASE_URL", database_url.to_owned()),
            ("SLUICE_PREFIX", self.prefix.clone()),
        ];
        let args = [&["run", "--log-format", "json"], args].concat();
        Program::start(program.to_str().expect("a path in UTF-8"), &args, &environment)
    }

    /// Starts the operator's tool, so that what it says can be seen while it runs.
    pub fn spoken(&self, database_url: &str, args: &[&str]) -> Program {
        let environment = [
            ("AMQP_URL", self.amqp_url.clone()),
            ("DATABASE_URL", database_url.to_owned()),
            ("SLUICE_PREFIX", self.prefix.clone()),
        ];
        Program::start(env!("CARGO_BIN_EXE_sluice"), args, &environment)
    }

    /// What `sluice status` prints, once it holds these words of a worker. It listens for less than a second, and a
    /// worker of a busy machine may answer later.
    pub async fn status_of_workers(&self, args: &[&str], words: &str) -> String {
        eventually(&format!("the status to say {words:?}"), async || {
            let said = self.sluice(&[&["status"], args].concat()).await.ok().stdout;
            if said.contains(words) { Ok(said) } else { Err(said) }
        })
        .await
    }

    /// A way to the database that can be cut.
    pub fn database_proxy(&self) -> (Proxy, String) {
        let url = reqwest::Url::parse(&self.database_url).expect("a good address");
        let (host, port) = (url.host_str().expect("a host"), url.port().expect("a port"));
        let address = format!("{host}:{port}").to_socket_addrs().expect("a known host").next().expect("an address");
        let proxy = Proxy::start(address).expect("a free port");
        let mut by_proxy = url;
        by_proxy.set_ip_host(proxy.addr().ip()).expect("a host may be an address");
        by_proxy.set_port(Some(proxy.addr().port())).expect("it may have a port");
        (proxy, by_proxy.to_string())
    }
}
