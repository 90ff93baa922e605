//! A private MariaDB, as this machine has it, a stack's only one or one of a cluster's. Only this machine can reach it, and only with its `root`'s password.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::data::Data;
use super::error::StackError;
use super::ground::Ground;
use super::readiness::Greeting;
use super::recipe::Recipe;
use super::secrets::Secrets;
use super::tls::Tls;

/// Its name, and that of its folder.
const NAME: &str = "mariadb";
/// The name of the program that makes the first data, in errors.
const INSTALL: &str = "mariadb-install-db";

/// Makes the first data, unless there are some. They give `root` no password: the statements do, at each start.
pub(super) async fn prepare(ground: &Ground, program: &Path, secrets: &Secrets) -> Result<(), StackError> {
    let data = Data::of(ground, NAME);
    make(ground, program, &data, &[]).await?;
    data.write_init(ground, include_str!("mariadb.sql"), secrets)
}

/// Makes the first data there, unless there are some, with these options beside its own.
pub(super) async fn make(ground: &Ground, program: &Path, data: &Data, options: &[OsString]) -> Result<(), StackError> {
    let make = |_: &Path| {
        let mut command = ground.command(program, INSTALL)?;
        // A relative path: the script does not quote its own. No --user: with it, the script changes the owner of a
        // folder of the system's.
        command.current_dir(&data.home).args([
            "--no-defaults",
            "--datadir=./fresh",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--skip-name-resolve",
        ]);
        command.args(options);
        Ok(command)
    };
    data.make(ground, INSTALL, make).await
}

/// How it is run on this port.
pub(super) fn recipe(ground: &Ground, program: &Path, port: u16) -> Recipe {
    named(ground, program, NAME, port, Vec::new())
}

/// How one with this name is run on this port, with these options beside its own.
pub(super) fn named(ground: &Ground, program: &Path, name: &'static str, port: u16, options: Vec<OsString>) -> Recipe {
    let data = Data::of(ground, name);
    let mut args = args(ground, &data, port);
    args.push(at("--init-file=", data.init()));
    args.extend(options);
    Recipe {
        name,
        program: program.to_owned(),
        args,
        envs: Vec::new(),
        port,
        other_ports: Vec::new(),
        greeting: Greeting::Mysql,
    }
}

/// An option whose value is a path.
pub(super) fn at(option: &str, path: PathBuf) -> OsString {
    let mut arg = OsString::from(option);
    arg.push(path);
    arg
}

/// What every MariaDB is told: where it is, and what keeps it apart.
pub(super) fn args(ground: &Ground, data: &Data, port: u16) -> Vec<OsString> {
    let mut args: Vec<OsString> = vec![
        "--no-defaults".into(),
        at("--datadir=", data.path()),
        at("--tmpdir=", ground.folder.path().join("tmp")),
        at("--pid-file=", data.home.join("pid")),
        at("--secure-file-priv=", data.files()),
        "--local-infile=0".into(),
        // Relative to the data: the path of a socket has room for a hundred characters only.
        "--socket=mariadb.sock".into(),
        format!("--port={port}").into(),
        "--bind-address=127.0.0.1".into(),
        "--skip-name-resolve".into(),
        // As the distributions' own settings have it.
        "--character-set-server=utf8mb4".into(),
        "--innodb-buffer-pool-size=128M".into(),
        // Several test programs, each with its pools.
        "--max-connections=500".into(),
    ];
    if nix::unistd::geteuid().is_root() {
        args.push("--user=root".into());
    }
    if let Some(Tls { certificate, key }) = Tls::of(&ground.folder) {
        args.extend([at("--ssl-cert=", certificate), at("--ssl-key=", key)]);
    }
    args
}
