//! A private MySQL, from a root. Only this machine can reach it, and only with its `root`'s password.

use std::ffi::OsString;
use std::path::Path;

use super::data::Data;
use super::error::StackError;
use super::ground::Ground;
use super::readiness::Greeting;
use super::recipe::Recipe;
use super::secrets::Secrets;
use super::tls::Tls;

/// Its name, and that of its folder.
const NAME: &str = "mysql";
/// The name of the step that makes the first data, in errors.
const INITIALIZE: &str = "mysqld-initialize";

/// Makes the first data, unless there are some. They give `root` no password: the statements do, at each start.
pub(super) async fn prepare(ground: &Ground, program: &Path, secrets: &Secrets) -> Result<(), StackError> {
    let make = |fresh: &Path| {
        let mut command = ground.command(program, INITIALIZE)?;
        command
            .args(["--no-defaults", "--initialize-insecure", "--user=root"])
            .arg(option("--datadir=", fresh))
            .arg(option("--tmpdir=", &ground.folder.path().join("tmp")));
        Ok(command)
    };
    let data = Data::of(ground, NAME);
    data.make(ground, INITIALIZE, make).await?;
    data.write_init(ground, include_str!("mysql.sql"), secrets)
}

/// How it is run on this port. Its own defaults but for what keeps it apart, so the binary log is on, as in production.
///
/// No `--skip-name-resolve`, unlike MariaDB: the only user there is, `root@localhost`, is found for a client from
/// 127.0.0.1 by that name.
pub(super) fn recipe(ground: &Ground, program: &Path, port: u16) -> Recipe {
    let data = Data::of(ground, NAME);
    let mut args = vec![
        "--no-defaults".into(),
        "--user=root".into(),
        option("--datadir=", &data.path()),
        option("--tmpdir=", &ground.folder.path().join("tmp")),
        option("--pid-file=", &data.home.join("pid")),
        option("--init-file=", &data.init()),
        option("--secure-file-priv=", &data.files()),
        "--local-infile=0".into(),
        // None: its lock would keep a killed server from coming back for as long as the killed process is a zombie.
        "--socket=".into(),
        format!("--port={port}").into(),
        "--bind-address=127.0.0.1".into(),
        // The other protocol, on a port of its own.
        "--mysqlx=0".into(),
        "--innodb-buffer-pool-size=128M".into(),
        // Several test programs, each with its pools.
        "--max-connections=500".into(),
    ];
    if let Some(Tls { certificate, key }) = Tls::of(&ground.folder) {
        args.extend([option("--ssl-cert=", &certificate), option("--ssl-key=", &key)]);
    }
    Recipe {
        name: NAME,
        program: program.to_owned(),
        args,
        envs: Vec::new(),
        port,
        other_ports: Vec::new(),
        greeting: Greeting::Mysql,
    }
}

fn option(name: &str, path: &Path) -> OsString {
    let mut option = OsString::from(name);
    option.push(path);
    option
}
