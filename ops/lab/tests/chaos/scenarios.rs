//! All scenarios, and those of the short form.

use crate::fault::{Dice, Fault, NetworkLine, Server, Step};
use crate::scenario::{Bites, FLOOD, Form, Needs, PLAIN, PROXIED, Scenario, scenario};
use Fault::{
    Cut, Freeze, FreezeWorker, FullDisk, Kill, KillProducers, KillReplay, KillSupervisor, KillWorker, Malformed,
    MemoryAlarm, ReadOnly, Repair, Replay, Restart, RestartProducer, RestartWorkers, Slow, Stall, UsedUpConnections,
};
use NetworkLine::{ProducersToRabbitmq, WorkersToMysql, WorkersToRabbitmq};
use Server::{Mysql, Rabbitmq};

/// Those of the short form, with the number of worker processes.
pub(crate) const SHORT: [(&str, u16); 5] =
    [("worker_killed", 4), ("mysql_killed", 1), ("mysql_read_only", 4), ("producer_killed", 1), ("rabbitmq_killed", 4)];

/// All of them.
pub(crate) const ALL: [Scenario; 25] = [
    scenario(
        "worker_killed",
        FLOOD,
        "worker processes die by SIGKILL again and again; what was in their hands is delivered again",
        |dice, form| dice.rounds(form.of(3, 4), |dice| KillWorker(dice.below(4))),
    ),
    scenario(
        "supervisor_killed",
        FLOOD,
        "the process that watches over the workers dies by SIGKILL: the workers end with it, and a new one takes over",
        |dice, form| dice.rounds(form.of(1, 3), |dice| KillSupervisor { down_for: dice.seconds(0.2, 2.0) }),
    ),
    scenario(
        "worker_frozen",
        PLAIN.said(&["the session with RabbitMQ ended"]),
        "a worker stands still for longer than the broker's heartbeat allows, and goes on with posts that are no longer its",
        |dice, _| dice.rounds(1, |dice| FreezeWorker { victim: dice.below(4), lasting: dice.seconds(22.0, 25.0) }),
    ),
    scenario(
        "rolling_restart",
        FLOOD,
        "all workers are stopped by SIGTERM under load and started again: each ends with 0, no post is harmed",
        |dice, form| dice.rounds(form.of(2, 4), |dice| RestartWorkers { down_for: dice.seconds(0.0, 1.0) }),
    ),
    scenario(
        "producer_killed",
        PLAIN.bites(Bites::Breaks),
        "front door and file publisher die by SIGKILL; senders try again with the same id, the file is resumed by its receipts",
        |dice, form| dice.rounds(form.of(2, 4), |dice| KillProducers { down_for: dice.seconds(0.2, 1.5) }),
    ),
    scenario(
        "producer_restarted",
        PLAIN.bites(Bites::Breaks),
        "the front door is stopped by SIGTERM under load: what it took is kept, it ends with 0",
        |dice, form| dice.rounds(form.of(2, 4), |dice| RestartProducer { down_for: dice.seconds(0.0, 1.0) }),
    ),
    scenario(
        "mysql_killed",
        FLOOD.said(&["paused: mysql"]),
        "MySQL dies by SIGKILL in the midst of inserts whose fate nobody knows",
        |dice, form| dice.rounds(form.of(2, 3), |dice| Kill { server: Mysql, down_for: dice.seconds(0.5, 4.0) }),
    ),
    scenario(
        "mysql_restarted",
        PLAIN.said(&["paused: mysql"]),
        "MySQL is stopped in order and comes back",
        |dice, form| dice.rounds(form.of(1, 3), |dice| Restart { server: Mysql, down_for: dice.seconds(0.5, 4.0) }),
    ),
    scenario(
        "mysql_frozen",
        PLAIN,
        "MySQL hangs: it keeps its connections and answers nothing; timeouts notice it",
        |dice, form| dice.rounds(form.of(1, 2), |dice| Freeze { server: Mysql, lasting: dice.seconds(4.0, 11.0) }),
    ),
    scenario(
        "mysql_down_beyond_hold",
        Needs { hold: "2s", ..PLAIN }.said(&["paused: mysql"]),
        "MySQL is down for longer than posts are held: they go back to the queue and wait there",
        |dice, form| dice.rounds(form.of(1, 2), |dice| Restart { server: Mysql, down_for: dice.seconds(6.0, 9.0) }),
    ),
    scenario(
        "mysql_read_only",
        PLAIN.said(&["mysql_1290"]),
        "MySQL refuses every write, as a replica does after a failover",
        |dice, form| dice.rounds(form.of(1, 3), |dice| ReadOnly { lasting: dice.seconds(2.0, 5.0) }),
    ),
    scenario(
        "mysql_out_of_connections",
        PLAIN.said(&["mysql_1040"]),
        "all of MySQL's connections are taken by others, and the workers have lost theirs",
        |dice, form| dice.rounds(form.of(1, 3), |dice| UsedUpConnections { lasting: dice.seconds(2.0, 5.0) }),
    ),
    scenario(
        "mysql_connection_cut",
        PROXIED.said(&["paused: mysql"]),
        "connections to MySQL are reset, refused and left without an answer, while MySQL itself is well",
        |dice, form| {
            let mut steps = dice.rounds(form.of(2, 4), |dice| cut(dice, WorkersToMysql));
            steps.extend(dice.rounds(1, |dice| Stall { line: WorkersToMysql, lasting: dice.seconds(3.0, 7.0) }));
            steps
        },
    ),
    scenario("mysql_slow", PROXIED, "every answer of MySQL takes its time", |dice, form| {
        dice.rounds(form.of(1, 2), |dice| Slow {
            line: WorkersToMysql,
            delay: dice.seconds(0.05, 0.3),
            lasting: dice.seconds(4.0, 8.0),
        })
    }),
    scenario(
        "rabbitmq_killed",
        FLOOD.said(&["the session with RabbitMQ ended"]),
        "the broker dies by SIGKILL: what it has confirmed is on its disk",
        |dice, form| dice.rounds(form.of(1, 2), |dice| Kill { server: Rabbitmq, down_for: dice.seconds(0.2, 2.0) }),
    ),
    scenario(
        "rabbitmq_restarted",
        PLAIN.said(&["the session with RabbitMQ ended"]),
        "the broker is stopped in order and comes back",
        |dice, form| dice.rounds(form.of(1, 2), |dice| Restart { server: Rabbitmq, down_for: dice.seconds(0.2, 2.0) }),
    ),
    scenario(
        "rabbitmq_frozen",
        PLAIN.bites(Bites::Refusals),
        "the broker hangs, once shorter and once longer than its heartbeat: nobody waits for an answer for ever",
        |dice, form| {
            let mut steps = dice.rounds(1, |dice| Freeze { server: Rabbitmq, lasting: dice.seconds(4.0, 8.0) });
            let beyond = |dice: &mut Dice| Freeze { server: Rabbitmq, lasting: dice.seconds(22.0, 25.0) };
            steps.extend(dice.rounds(form.of(0, 1), beyond));
            steps
        },
    ),
    scenario(
        "rabbitmq_connection_cut",
        PROXIED.said(&["the session with RabbitMQ ended"]),
        "connections to the broker are reset, refused and left without an answer, on either side of the queue",
        |dice, form| {
            let mut steps = dice.rounds(form.of(1, 2), |dice| cut(dice, WorkersToRabbitmq));
            steps.extend(dice.rounds(form.of(1, 3), |dice| cut(dice, ProducersToRabbitmq)));
            let stall = |dice: &mut Dice| Stall { line: ProducersToRabbitmq, lasting: dice.seconds(3.0, 7.0) };
            steps.extend(dice.rounds(1, stall));
            steps
        },
    ),
    scenario(
        "rabbitmq_slow",
        PROXIED,
        "every answer of the broker takes its time, on either side of the queue",
        |dice, form| {
            dice.rounds(form.of(1, 3), |dice| {
                let line = [WorkersToRabbitmq, ProducersToRabbitmq][dice.below(2)];
                Slow { line, delay: dice.seconds(0.05, 0.3), lasting: dice.seconds(3.0, 6.0) }
            })
        },
    ),
    scenario(
        "memory_alarm",
        PLAIN.bites(Bites::Refusals),
        "the broker is short of memory and blocks those who publish; the workers go on",
        |dice, form| dice.rounds(form.of(1, 2), |dice| MemoryAlarm { lasting: dice.seconds(3.0, 6.0) }),
    ),
    scenario(
        "queue_full",
        Needs { max_length: Some(200), ..PLAIN }.bites(Bites::Refusals),
        "MySQL is down until the bounded queue is full: senders are refused at once, and taken again when there is room",
        |dice, form| dice.rounds(form.of(1, 2), |dice| Kill { server: Mysql, down_for: dice.seconds(5.0, 8.0) }),
    ),
    scenario(
        "disk_full",
        Needs { small_disk: true, text: 4000, ..PLAIN }.said(&["mysql_1114", "mysql_1021"]),
        "not a byte is left on MySQL's disk",
        |dice, form| dice.rounds(form.of(1, 2), |dice| FullDisk { lasting: dice.seconds(4.0, 7.0) }),
    ),
    scenario(
        "poison_among_healthy",
        Needs { one_sour_in: Some(20), stays_sour: true, ..PLAIN },
        "messages that are no posts, and posts that the table refuses, are dead-lettered with the right class; their neighbours are stored",
        |dice, form| {
            let mut steps = dice.rounds(form.of(1, 2), |dice| Malformed { messages: 5 + dice.below(20) });
            steps.extend(dice.rounds(1, |dice| KillWorker(dice.below(4))));
            steps.extend(dice.rounds(1, |dice| Malformed { messages: 5 + dice.below(20) }));
            steps.extend(dice.rounds(1, |dice| Kill { server: Mysql, down_for: dice.seconds(0.5, 3.0) }));
            steps
        },
    ),
    scenario(
        "dead_letters_replayed",
        Needs { one_sour_in: Some(4), ..PLAIN },
        "an operator's replay is killed in the midst, twice, with servers dying around it; the same command finishes it",
        |dice, _| {
            let mut steps = vec![Step { quiet: dice.seconds(4.0, 5.0), fault: Repair }];
            let replay = |dice: &mut Dice| KillReplay { after: dice.seconds(0.5, 1.5) };
            steps.extend(dice.rounds(1, replay));
            steps.extend(dice.rounds(1, |dice| Kill { server: Mysql, down_for: dice.seconds(0.5, 2.0) }));
            steps.extend(dice.rounds(1, replay));
            steps.extend(dice.rounds(1, |dice| KillWorker(dice.below(4))));
            steps.extend(dice.rounds(1, |_| Replay));
            steps
        },
    ),
    scenario(
        "everything",
        Needs { max_deliveries: 19, flood: 2, ..PROXIED },
        "whatever there is, in any order",
        |dice, form| dice.rounds(form.of(4, 9), anything),
    ),
];

fn cut(dice: &mut Dice, line: NetworkLine) -> Fault {
    Cut { line, lasting: dice.seconds(0.0, 2.0) }
}

fn anything(dice: &mut Dice) -> Fault {
    let line = [WorkersToMysql, WorkersToRabbitmq, ProducersToRabbitmq][dice.below(3)];
    let server = [Mysql, Mysql, Rabbitmq][dice.below(3)];
    let lasting = dice.seconds(0.3, 4.0);
    match dice.below(11) {
        0 => KillWorker(dice.below(4)),
        1 => KillSupervisor { down_for: lasting },
        2 => FreezeWorker { victim: dice.below(4), lasting },
        3 => RestartWorkers { down_for: lasting },
        4 => KillProducers { down_for: lasting },
        5 => RestartProducer { down_for: lasting },
        6 => Kill { server, down_for: lasting },
        7 => Freeze { server, lasting },
        8 => Cut { line, lasting },
        9 => Stall { line, lasting },
        _ => ReadOnly { lasting },
    }
}

#[test]
fn each_scenario_has_a_name_of_its_own_and_those_of_the_short_form_are_among_them() {
    let names: std::collections::BTreeSet<_> = ALL.iter().map(|scenario| scenario.name).collect();
    assert!(names.len() == ALL.len() && SHORT.iter().all(|(name, _)| names.contains(name)));
}

#[test]
fn no_post_can_come_back_as_often_as_makes_it_a_crash_loop() {
    // What ends a worker's session, or makes it give back what it has in flight.
    let gives_back = |fault: Fault| match fault {
        Cut { line, .. } | Stall { line, .. } => line == WorkersToRabbitmq,
        Kill { server, .. } | Restart { server, .. } | Freeze { server, .. } => server == Rabbitmq,
        other => other.ends_workers() || matches!(other, FreezeWorker { .. }),
    };
    for scenario in ALL {
        for seed in 0..200 {
            let steps = (scenario.plan)(&mut Dice::new(seed, scenario.name, 4), Form::Long);
            let times = steps.iter().filter(|step| gives_back(step.fault)).count();
            assert!(times < scenario.needs.max_deliveries as usize, "{} with seed {seed}", scenario.name);
        }
    }
}
