//! Clusters, for real: their nodes are one broker and one database, survive what a cluster survives, and leave nothing
//! behind.

mod brokers;
mod databases;
mod failover;
mod leaderless;
mod migrations;
mod owner;
mod replicas;
mod stage;
#[path = "../devstack/traces.rs"]
mod traces;
