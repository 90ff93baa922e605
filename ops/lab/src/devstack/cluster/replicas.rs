//! A MariaDB primary and its replicas.
//!
//! They know each other by global transaction ids. A replica begins with empty data, as the primary does, so it receives
//! all that was ever committed there.

use std::ffi::OsString;

use futures_util::future::try_join_all;

use super::galera::{LOGS, NAMES};
use super::{ClusterOptions, Replication};
use crate::devstack::data::Data;
use crate::devstack::error::StackError;
use crate::devstack::ground::Ground;
use crate::devstack::mariadb;
use crate::devstack::ports;
use crate::devstack::programs::{DatabasePrograms, Programs};
use crate::devstack::secrets::{DATABASE_USER, Secrets};
use crate::devstack::server::Server;

/// What each server does for itself at its start is not replicated.
const OWN: &str = "SET SESSION sql_log_bin = 0;\n";

/// Starts as many as the options say, the primary first. None if they are to be Galera's.
pub(super) async fn raise(
    ground: &Ground,
    options: &ClusterOptions,
    secrets: &Secrets,
) -> Result<Vec<Server>, StackError> {
    let ground = Ground { programs: Programs::find(None)?, ..ground.clone() };
    let DatabasePrograms::Mariadb { mariadbd, mariadb_install_db } = ground.programs.database.clone() else {
        return Ok(Vec::new());
    };
    let count = if options.replication == Replication::Galera { 0 } else { options.databases };
    let mut servers = Vec::with_capacity(count);
    for (name, number) in NAMES.into_iter().zip(1..).take(count) {
        let [port] = ports::draw()?;
        let data = Data::of(&ground, name);
        mariadb::make(&ground, &mariadb_install_db, &data, &[LOGS.into()]).await?;
        let primary = servers.first().map(Server::port);
        data.write_init(&ground, &statements(primary), secrets)?;
        let own = self::options(number, primary.is_some(), options.replication);
        servers.push(Server::new(&ground, mariadb::named(&ground, &mariadbd, name, port, own), None));
    }
    if let Some(primary) = servers.first() {
        primary.start().await?;
    }
    try_join_all(servers.iter().skip(1).map(Server::start)).await?;
    Ok(servers)
}

/// What a server reads at its start; a replica is told where its primary is.
fn statements(primary: Option<u16>) -> String {
    let replicate = primary.map(|port| {
        format!(
            "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {port}, MASTER_USER = '{DATABASE_USER}', \
             MASTER_PASSWORD = '{{password}}', MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 1;\nSTART SLAVE;\n"
        )
    });
    [OWN, include_str!("../mariadb.sql"), &replicate.unwrap_or_default()].concat()
}

/// The options of the server with this number.
fn options(number: u32, is_replica: bool, replication: Replication) -> Vec<OsString> {
    let mut options = vec![LOGS, "--log-bin=binlog", "--binlog-format=ROW", "--sync-binlog=1", "--log-slave-updates"];
    if is_replica {
        options.push("--read-only");
    }
    match (replication, is_replica) {
        (Replication::SemiSync, true) => options.push("--rpl-semi-sync-slave-enabled"),
        (Replication::SemiSync, false) => options.extend([
            "--rpl-semi-sync-master-enabled",
            "--rpl-semi-sync-master-wait-point=AFTER_SYNC",
            "--rpl-semi-sync-master-timeout=3600000",
        ]),
        (Replication::Galera | Replication::Asynchronous, _) => {}
    }
    options.into_iter().map(OsString::from).chain([format!("--server-id={number}").into()]).collect()
}
