//! MySQL has no room or no resources left: the gate closes until a post could be stored, and no post pays for it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sluice_lab::devstack::StackOptions;
use sluice_lab::testing::{Ground, eventually, in_time};

use crate::outage::{RESUMED, quiet, resumed};
use crate::stage::{Stage, all_stored, flood, number, posts};
use crate::support::start;
use crate::vital::page;

/// A folder of a limited size in the place of a database's own, as a full disk. Ends with its handle.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` where this user may not mount, or the database is not MariaDB.
    fn mount(at: &Path) -> Option<Self> {
        // What the server keeps there already is a note of the database's character set.
        let Ok(kept) = std::fs::read(at.join("db.opt")) else {
            // MySQL keeps its data elsewhere, and behind mounts of its own where it runs from a root.
            eprintln!("SKIPPED: the disk that is full: {} is not where MariaDB keeps its data", at.display());
            return None;
        };
        if !mount(&["-t", "tmpfs", "-o", "size=2m,mode=0777", "tmpfs"], at) {
            eprintln!("SKIPPED: the disk that is full: mounting a small one on {} is not permitted", at.display());
            return None;
        }
        let disk = Self(at.to_owned());
        std::fs::write(at.join("db.opt"), kept).expect("there is room");
        Some(disk)
    }

    fn grow(&self) {
        assert!(mount(&["-o", "remount,size=64m"], &self.0), "it cannot be made larger");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn mount(args: &[&str], at: &Path) -> bool {
    std::process::Command::new("mount").args(args).arg(at).status().is_ok_and(|status| status.success())
}

#[tokio::test]
async fn a_disk_that_is_full_pauses_the_work_and_costs_no_post_anything() {
    let Stage { ground, stack } = Stage::new(StackOptions::default()).await;
    let folder = stack.dir().join("mariadb/data").join(&ground.name);
    let Some(disk) = SmallDisk::mount(&folder) else { return };
    let worker = start(&ground.environment(), &["--hold", "60s", "--listen", "127.0.0.1:0"]);
    worker.says("consuming", 1).await;
    let mut load = posts(&ground, 30, "large");
    load.iter_mut().for_each(|post| post.content = "x".repeat(50_000));
    flood(&ground, &load).await;
    worker.says("paused: mysql", 1).await;
    // MariaDB 10.11 does not say so: it hangs, and in the end it crashes, so it is asked nothing.
    quiet(&worker, "disk full").await;
    let said = worker.said();
    println!("disk full: paused {} times", said.matches("paused: mysql").count());
    // A probe that opened the gate to the next failure would show here.
    assert!(said.matches("paused: mysql").count() <= 3, "{said}");
    assert_eq!(ground.dead().await.ready, 0, "{said}");
    assert_eq!(page(&worker, "/readyz").await.0, 503);
    disk.grow();
    // It goes on, or crashes and has to be started again; what is promised begins when it takes posts.
    eventually("MariaDB to take posts again", async || {
        stack.database().start().await.map_err(|error| error.to_string())?;
        ground.store().probe().await.map_err(|failure| failure.message)
    })
    .await;
    resumed(&ground, &worker, "disk full", &load).await;
    drop(worker);
    stack.database().kill().await.expect("it is ours to kill");
}

/// What a server says that has no room or no resources, in its own numbers.
const REFUSALS: [(u16, &str); 6] = [
    (1114, "free some space on the server's disk"),
    (1021, "free some space on the server's disk"),
    (1226, "raise the server's limit"),
    (1461, "is it running there"),
    (1927, "is it running there"),
    (1129, "FLUSH HOSTS"),
];

#[tokio::test]
async fn a_mysql_that_is_full_or_out_of_something_pauses_the_work_until_a_post_could_be_stored() {
    let ground = Ground::new().await;
    let worker = start(&ground.environment(), &[]);
    worker.says("consuming", 1).await;
    for (nth, (code, advice)) in REFUSALS.into_iter().enumerate() {
        // It meets every row, and no insert of no row.
        let refusal = format!("SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = {code}, MESSAGE_TEXT = 'said so'");
        ground.sql(&format!("CREATE TRIGGER refused BEFORE INSERT ON posts FOR EACH ROW {refusal}")).await;
        let posts = posts(&ground, 12, "refused");
        ground.publish(&posts).await;
        worker.says(&format!("code=mysql_{code}"), 1).await;
        worker.says(advice, 1).await;
        // The probe has asked by then.
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(worker.said().matches("resumed").count(), nth, "{code}: {}", worker.said());
        ground.sql("DROP TRIGGER refused").await;
        let took = all_stored(&ground, &posts).await;
        in_time(format!("{code}: resumed"), took, RESUMED);
    }
    assert_eq!(ground.dead().await.ready, 0, "{}", worker.said());
    assert_eq!(number(&ground, "SELECT MAX(attempts) FROM posts").await, 1);
}
