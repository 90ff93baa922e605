//! `sluice grants`: what each user needs on the servers, and no more.

use std::io::{self, Write};

use clap::{Args, ValueEnum};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use sluice_core::config::{ConfigError, SecretUrl, ServerArgs};
use sluice_core::server_user::ServerUser;
use sluice_mysql::{Store, grants};
use sluice_rabbit::topology::{Permissions, Topology};
use sluice_runtime::exit::Exit;
use sluice_runtime::output;

/// What stands for the role in the names of users.
const ROLE: &str = "{role}";

/// Arguments of `sluice grants`.
#[derive(Debug, Args)]
pub struct GrantsArgs {
    /// Server to print them for [default: both]
    ///
    /// `sluice grants mysql | mysql` and `sluice grants rabbitmq | sh` carry them out. The users must be there, and for
    /// MySQL the tables too: run `sluice migrate` first.
    #[arg(value_enum)]
    server: Option<Server>,

    /// Print only this role; may be given more than once [default: all]
    #[arg(long, value_enum, value_name = "ROLE")]
    role: Vec<Role>,

    /// Name of the users; `{role}` stands for the role
    #[arg(long, value_name = "NAME", default_value = "sluice_{role}")]
    user: String,

    /// Host that the users connect to MySQL from
    #[arg(long, value_name = "HOST", default_value = "%")]
    host: String,

    /// The servers: the virtual host, the prefix and the database are taken from these settings; nothing is connected to.
    #[command(flatten)]
    servers: ServerArgs,

    /// Print one JSON object for each role, one per line
    ///
    /// Keys: role, user, mysql [the statements], rabbitmq {vhost, configure, write, read} (null if it needs none).
    #[arg(long, conflicts_with = "server")]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Server {
    Mysql,
    Rabbitmq,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Role {
    /// sluice-producer
    Producer,
    /// sluice-worker, with SLUICE_MIGRATE=off
    Worker,
    /// sluice in full, and sluice console
    Operator,
    /// sluice review
    Moderator,
    /// sluice status, dlq list, why, verify
    Viewer,
}

impl From<Role> for ServerUser {
    fn from(role: Role) -> Self {
        match role {
            Role::Producer => Self::Producer,
            Role::Worker => Self::Worker,
            Role::Operator => Self::Operator,
            Role::Moderator => Self::Moderator,
            Role::Viewer => Self::Viewer,
        }
    }
}

/// What one user needs.
#[derive(Serialize)]
struct Needs {
    role: &'static str,
    user: String,
    mysql: Vec<String>,
    rabbitmq: Option<InVhost>,
}

#[derive(Serialize)]
struct InVhost {
    vhost: String,
    #[serde(flatten)]
    permissions: Permissions,
}

/// Prints them.
///
/// # Errors
/// When a setting is wrong, or stdout cannot be written.
pub(crate) fn run(args: &GrantsArgs) -> anyhow::Result<Exit> {
    if !args.user.contains(ROLE) && args.role.len() != 1 {
        let problem = format!("{} is one name for several roles; put {ROLE} into it, or give one --role", args.user);
        return Err(ConfigError::new("--user", problem).into());
    }
    let roles = if args.role.is_empty() { Role::value_variants() } else { &args.role };
    let (store, topology) = (Store::new(&args.servers.database)?, Topology::new(&args.servers.broker));
    let vhost = vhost(&args.servers.broker.amqp_url);
    let needs = |role: &Role| {
        let server_user = ServerUser::from(*role);
        let user = args.user.replace(ROLE, server_user.as_str());
        let mysql = grants(server_user, store.database(), &user, &args.host);
        let permissions = topology.permissions(server_user);
        let rabbitmq = permissions.map(|permissions| InVhost { vhost: vhost.clone(), permissions });
        Needs { role: server_user.as_str(), user, mysql, rabbitmq }
    };
    output::print(|out| {
        for needs in roles.iter().map(needs) {
            if args.json {
                output::json_line(out, &needs)?;
                continue;
            }
            if args.server != Some(Server::Rabbitmq) {
                in_mysql(out, &needs)?;
            }
            if args.server != Some(Server::Mysql) {
                in_rabbitmq(out, &needs)?;
            }
        }
        Ok(())
    })?;
    Ok(Exit::Done)
}

fn in_mysql(out: &mut dyn Write, needs: &Needs) -> io::Result<()> {
    writeln!(out, "-- {} in MySQL{}", needs.role, if needs.mysql.is_empty() { ": nothing" } else { "" })?;
    needs.mysql.iter().try_for_each(|statement| writeln!(out, "{statement};"))
}

fn in_rabbitmq(out: &mut dyn Write, needs: &Needs) -> io::Result<()> {
    let Some(InVhost { vhost, permissions }) = &needs.rabbitmq else {
        return writeln!(out, "# {} in RabbitMQ: nothing", needs.role);
    };
    let Permissions { configure, write, read } = permissions;
    let words = [vhost, &needs.user, configure, write, read].map(|word| format!("'{}'", word.replace('\'', r"'\''")));
    let [vhost, user, configure, write, read] = words;
    writeln!(out, "# {} in RabbitMQ", needs.role)?;
    writeln!(out, "rabbitmqctl set_permissions -p {vhost} {user} {configure} {write} {read}")
}

/// The virtual host of an address, from its form without user and password.
fn vhost(url: &SecretUrl) -> String {
    let shown = url.to_string();
    let path = shown.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path);
    let name = percent_decode_str(path).decode_utf8_lossy().into_owned();
    if name.is_empty() { "/".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_virtual_host_is_read_from_the_address() {
        for (url, name) in [
            ("amqp://me:secret@h:5672/%2f", "/"),
            ("amqp://h", "/"),
            ("amqps://h/", "/"),
            ("amqp://h/my%20host?heartbeat=5", "my host"),
        ] {
            assert_eq!(vhost(&url.into()), name, "{url}");
        }
    }
}
