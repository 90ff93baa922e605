//! The database server of a stack: this machine's MariaDB, or a root's MySQL.

use super::error::StackError;
use super::ground::Ground;
use super::programs::DatabasePrograms;
use super::secrets::Secrets;
use super::server::Server;
use super::{mariadb, mysql};

/// The server with this port.
pub(super) fn server(ground: &Ground, port: u16) -> Server {
    let recipe = match &ground.programs.database {
        DatabasePrograms::Mariadb { mariadbd, .. } => mariadb::recipe(ground, mariadbd, port),
        DatabasePrograms::Mysql { mysqld } => mysql::recipe(ground, mysqld, port),
    };
    Server::new(ground, recipe, None)
}

/// Makes the first data, unless there are some, and writes down the password for the server.
pub(super) async fn prepare(ground: &Ground, secrets: &Secrets) -> Result<(), StackError> {
    match &ground.programs.database {
        DatabasePrograms::Mariadb { mariadb_install_db, .. } => {
            mariadb::prepare(ground, mariadb_install_db, secrets).await
        }
        DatabasePrograms::Mysql { mysqld } => mysql::prepare(ground, mysqld, secrets).await,
    }
}
