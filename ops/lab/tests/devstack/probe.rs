//! What a stack is asked and what is left in it: messages, rows.

use std::time::{Duration, Instant};

use lapin::options::{BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};
use mysql_async::prelude::Queryable as _;
use sluice_lab::devstack::{Server, Stack};

/// A queue that a test declares.
pub(crate) const QUEUE: &str = "kept";

pub(crate) async fn kill_and_start(server: &Server) {
    let (pid, port) = (server.pid(), server.port());
    server.kill().await.expect("it is gone");
    assert_eq!(server.pid(), None);
    server.start().await.expect("it comes back");
    assert_ne!(server.pid(), pid);
    assert_eq!(server.port(), port);
}

pub(crate) async fn broker(stack: &Stack) -> (Connection, Channel) {
    let connection = Connection::connect(&stack.amqp_url(), ConnectionProperties::default()).await.expect("a broker");
    let channel = connection.create_channel().await.expect("a channel");
    (connection, channel)
}

pub(crate) async fn put_message(stack: &Stack) {
    let (_connection, channel) = broker(stack).await;
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    let mut quorum = FieldTable::default();
    quorum.insert("x-queue-type".into(), lapin::types::AMQPValue::LongString("quorum".into()));
    channel.queue_declare(QUEUE.into(), durable, quorum).await.expect("a queue");
    channel.confirm_select(ConfirmSelectOptions::default()).await.expect("confirms");
    let persistent = BasicProperties::default().with_delivery_mode(2);
    let publish =
        channel.basic_publish("".into(), QUEUE.into(), BasicPublishOptions::default(), b"a message", persistent);
    let confirm = publish.await.expect("a publish").await.expect("a confirm");
    assert_eq!(confirm, Confirmation::Ack(None));
}

pub(crate) async fn message(stack: &Stack) -> Vec<u8> {
    let (_connection, channel) = broker(stack).await;
    // A quorum queue elects its leader anew after a restart; until then it is empty to those who ask.
    let begun = Instant::now();
    loop {
        let got = channel.basic_get(QUEUE.into(), BasicGetOptions { no_ack: true }).await.expect("the queue is there");
        if let Some(got) = got {
            return got.delivery.data;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "the message is lost");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

pub(crate) async fn database(stack: &Stack, name: &str) -> mysql_async::Conn {
    mysql_async::Conn::from_url(stack.database_url(name)).await.expect("a database server")
}

pub(crate) async fn put_row(stack: &Stack) {
    let mut conn = database(stack, "").await;
    conn.query_drop("CREATE DATABASE kept").await.expect("a database");
    conn.query_drop("CREATE TABLE kept.rows_ (text VARCHAR(20))").await.expect("a table");
    conn.query_drop("INSERT INTO kept.rows_ VALUES ('a row')").await.expect("a row");
}

pub(crate) async fn row(stack: &Stack) -> String {
    let mut conn = database(stack, "kept").await;
    conn.query_first("SELECT text FROM rows_").await.expect("the table is there").expect("the row is there")
}

pub(crate) async fn http_status(url: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let (_, addr) = url.split_once('@').expect("a user and a password");
    let mut stream = tokio::net::TcpStream::connect(addr).await.expect("a listener");
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await.expect("a listener that reads");
    let mut head = [0; 32];
    stream.read_exact(&mut head).await.expect("an answer");
    String::from_utf8_lossy(&head).into_owned()
}
