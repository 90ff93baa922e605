//! A private MariaDB, as this machine has it. Its `root` has no password, and only this machine can reach it.

use std::ffi::OsString;
use std::path::Path;

use super::data::Data;
use super::error::StackError;
use super::readiness::Greeting;
use super::server::{Ground, Recipe};

/// Its name, and that of its folder.
const NAME: &str = "mariadb";
/// The name of the program that makes the first data, in errors.
const INSTALL: &str = "mariadb-install-db";

/// Makes the first data, unless there are some.
pub(super) async fn prepare(ground: &Ground, program: &Path) -> Result<(), StackError> {
    let data = Data::of(ground, NAME);
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
        Ok(command)
    };
    data.make(ground, INSTALL, make).await
}

/// How it is run on this port.
pub(super) fn recipe(ground: &Ground, program: &Path, port: u16) -> Recipe {
    let within = |option: &str, name: &str| {
        let mut arg = OsString::from(option);
        arg.push(ground.folder.path().join(name));
        arg
    };
    let mut args: Vec<OsString> = vec![
        "--no-defaults".into(),
        within("--datadir=", "mariadb/data"),
        within("--tmpdir=", "tmp"),
        within("--pid-file=", "mariadb/pid"),
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
