//! Addresses are used as they are written, and what is wrong with one is said in words that people understand.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use proptest::prelude::*;
use sluice_core::config::{BrokerArgs, DatabaseArgs};
use sluice_core::failure::Kind;
use sluice_lab::testing::{Ground, Proxy};
use sluice_mysql::Store;
use sluice_rabbit::broker::{Broker, BrokerError, close};

/// A proxy on IPv6's own loopback; none where this machine has no such address.
fn on_ipv6(target: SocketAddr) -> Option<Proxy> {
    match Proxy::start_on(IpAddr::V6(Ipv6Addr::LOCALHOST), target) {
        Ok(proxy) => Some(proxy),
        Err(error) => {
            eprintln!("NOT TESTED: this machine has no address ::1 ({error})");
            None
        }
    }
}

fn broker(ground: &Ground, amqp_url: &str) -> Broker {
    let args = BrokerArgs { amqp_url: amqp_url.into(), ..ground.broker_args() };
    Broker::new(&args, "test").expect("a valid address")
}

fn store(database_url: &str) -> Store {
    Store::new(&DatabaseArgs { database_url: database_url.into() }).expect("a valid address")
}

/// The test server's address with another host and port.
fn elsewhere(url: &str, from: SocketAddr, to: &str) -> String {
    url.replace(&from.to_string(), to)
}

async fn refused(broker: &Broker) -> BrokerError {
    match broker.connect().await {
        Ok(_) => panic!("nobody is there"),
        Err(error) => error,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_on_ipv6_are_reached_at_the_address_as_it_is_written() {
    let ground = Ground::new().await;
    let Some(rabbit) = on_ipv6(ground.broker_address()) else { return };
    let Some(mysql) = on_ipv6(ground.database_address()) else { return };
    let broker = broker(&ground, &ground.amqp_url_via(rabbit.addr()));
    assert_eq!(broker.at(), format!("[::1]:{}", rabbit.addr().port()));
    let connection = broker.connect().await.expect("the proxy leads to the broker");
    // The pool of publishers comes to its connections in another way.
    let publisher =
        sluice_rabbit::publisher::Publisher::new(&broker, &ground.topology(), std::time::Duration::from_secs(5))
            .expect("a pool");
    publisher.declare().await.expect("it leads there as well");
    close(&connection).await;
    let store = store(&ground.database_url_via(mysql.addr()));
    assert_eq!(store.at(), format!("[::1]:{}", mysql.addr().port()));
    store.migrate().await.expect("the proxy leads to the database");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_ipv6_that_nobody_has_is_never_taken_for_this_machine() {
    let ground = Ground::new().await;
    let (rabbit, mysql) = (ground.broker_address(), ground.database_address());
    let nobody = |port: u16| format!("[2001:db8::1]:{port}");
    let error = refused(&broker(&ground, &elsewhere(&ground.amqp_url, rabbit, &nobody(rabbit.port())))).await;
    assert!(error.to_string().contains(&nobody(rabbit.port())), "{error}");
    let store = store(&elsewhere(&ground.database_url, mysql, &nobody(mysql.port())));
    let error = store.migrate().await.expect_err("nobody is there");
    assert!(error.to_string().contains(&nobody(mysql.port())), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_of_another_server_is_said_in_words_and_not_tried_again() {
    let ground = Ground::new().await;
    let (rabbit, mysql) = (ground.broker_address(), ground.database_address());
    let error = refused(&broker(&ground, &elsewhere(&ground.amqp_url, rabbit, &mysql.to_string()))).await;
    assert!(error.needs_operator() && error.to_string().contains("speaks MySQL's protocol, not AMQP"), "{error}");
    let secure = elsewhere(&ground.amqp_url, rabbit, &rabbit.to_string()).replace("amqp://", "amqps://");
    let error = refused(&broker(&ground, &secure)).await;
    assert!(error.needs_operator() && error.to_string().contains("does not use TLS"), "{error}");
    let store = store(&elsewhere(&ground.database_url, mysql, &rabbit.to_string()));
    let failure = store.probe().await.expect_err("it is no database");
    assert_eq!(failure.kind, Kind::Operator, "{failure}");
    assert!(failure.message.contains("speaks AMQP, RabbitMQ's protocol"), "{failure}");
}

/// Passwords that people have and do not percent-encode.
fn passwords() -> impl Strategy<Value = String> {
    let piece = "[a-zA-Z0-9]{6,10}";
    let sign = prop_oneof![
        Just("/"),
        Just("?"),
        Just("#"),
        Just("@"),
        Just(":"),
        Just("%"),
        Just("["),
        Just("\\"),
        Just("&"),
        Just("="),
        Just("://"),
        Just(" "),
        Just("\n"),
        Just("'"),
        Just("é"),
        Just("@@/")
    ];
    (proptest::collection::vec((prop_oneof![Just(String::new()), Just("1".to_owned()), piece], sign), 1..4), piece)
        .prop_map(|(pieces, last)| {
            let mut password: String = pieces.into_iter().map(|(piece, sign)| format!("{piece}{sign}")).collect();
            password.push_str(&last);
            password
        })
}

/// What of a password nobody may read: each run of letters and digits that does not occur by chance.
fn parts(password: &str) -> impl Iterator<Item = &str> {
    password.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| part.len() >= 6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_part_of_a_password_is_in_any_text_however_it_is_written(
        password in passwords(), user in prop_oneof![Just("root"), Just("guest")], rest in prop_oneof![
            Just("@host:5672/%2f"), Just("@host/name"), Just("@host"), Just("@[::1]:7/name?heartbeat=abc"), Just("@host/name?x=y"),
        ],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let _within = runtime.enter();
        for scheme in ["amqp", "amqps", "mysql", "http", ""] {
            let url = format!("{scheme}{}{user}:{password}{rest}", if scheme.is_empty() { "" } else { "://" });
            let prefix = "post".parse().expect("a valid prefix");
            let broker_args = BrokerArgs { amqp_url: url.as_str().into(), prefix, max_length: None };
            let database_args = DatabaseArgs { database_url: url.as_str().into() };
            let mut said = format!("{broker_args:?} {database_args:?} {}", broker_args.amqp_url);
            match Broker::new(&broker_args, "test") {
                Ok(broker) => said += &format!("{broker:?} {}", broker.at()),
                Err(error) => said += &format!("{error} {error:?}"),
            }
            match Store::new(&database_args) {
                Ok(store) => said += &format!("{store:?} {}", store.at()),
                Err(error) => said += &format!("{error} {error:?}"),
            }
            for part in parts(&password) {
                prop_assert!(!said.contains(part), "{part} of {url} is in {said}");
            }
        }
    }
}
