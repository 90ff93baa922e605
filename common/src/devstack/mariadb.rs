//! A private MariaDB. Its `root` has no password, and only this machine can reach it.

use std::ffi::OsString;
use std::fs;

use super::error::StackError;
use super::folder::tail;
use super::readiness::Greeting;
use super::server::{Ground, Recipe, Server};

/// The name of the program that makes the first data, in errors.
const INSTALL: &str = "mariadb-install-db";
/// How many lines of its output an error shows: after the cause it goes on about other things.
const TAIL_LINES: usize = 40;

/// The server with this port.
pub(super) fn server(ground: &Ground, port: u16) -> Server {
    Server::new(ground, recipe(ground, port), None)
}

/// Makes the first data, unless there are some.
///
/// They are made aside and moved into place when complete: an owner killed in the midst of it leaves nothing that looks
/// like a database.
pub(super) async fn prepare(ground: &Ground) -> Result<(), StackError> {
    let home = ground.folder.path().join("mariadb");
    let (data, fresh) = (home.join("data"), home.join("fresh"));
    if data.is_dir() {
        return Ok(());
    }
    if fresh.exists() {
        fs::remove_dir_all(&fresh).map_err(StackError::folder(&fresh))?;
    }
    fs::create_dir(&fresh).map_err(StackError::folder(&fresh))?;
    let program = &ground.programs.mariadb_install_db;
    let mut command = ground.command(program, INSTALL)?;
    // A relative path: the script does not quote its own. No --user: with it, the script changes the owner of a folder
    // of the system's.
    command.current_dir(&home).args([
        "--no-defaults",
        "--datadir=./fresh",
        "--auth-root-authentication-method=normal",
        "--skip-test-db",
        "--skip-name-resolve",
    ]);
    let failed = |problem| StackError::Launch { program: program.clone(), problem };
    let mut child = tokio::process::Command::from(command).kill_on_drop(true).spawn().map_err(failed)?;
    let ended = tokio::time::timeout(ground.deadline, child.wait()).await;
    let log = ground.folder.log(INSTALL);
    let mut tail = tail(&log, 0, TAIL_LINES);
    match ended {
        Ok(status) => {
            if status.map_err(failed)?.success() {
                return fs::rename(&fresh, &data).map_err(StackError::folder(&data));
            }
        }
        Err(_) => tail.push_str(&format!("\n(killed: it took more than {} s)", ground.deadline.as_secs())),
    }
    Err(StackError::Died { server: INSTALL, tail, log })
}

fn recipe(ground: &Ground, port: u16) -> Recipe {
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
        name: "mariadb",
        program: ground.programs.mariadbd.clone(),
        args,
        envs: Vec::new(),
        port,
        other_ports: Vec::new(),
        greeting: Greeting::Mysql,
    }
}
