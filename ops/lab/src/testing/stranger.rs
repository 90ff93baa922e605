//! A foreign program that publishes what no library would: it writes the frames by hand.

use lapin::uri::AMQPUri;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A channel of a connection that nobody checks, with confirms.
#[derive(Debug)]
pub struct Stranger {
    stream: TcpStream,
}

/// A message in bytes: nothing of it need be text.
#[derive(Debug, Clone, Default)]
pub struct Strange {
    /// Which properties there are: a bit for each, the highest for the first.
    pub flags: u16,
    /// The properties that the flags name, as they are on the wire.
    pub properties: Vec<u8>,
    /// The body.
    pub body: Vec<u8>,
}

impl Strange {
    /// With a message id of these bytes.
    #[must_use]
    pub fn named(id: &[u8], body: &[u8]) -> Self {
        Self { flags: 1 << 7, properties: short(id), body: body.to_vec() }
    }

    /// With one header of this name, which is true.
    #[must_use]
    pub fn with_header(name: &[u8], body: &[u8]) -> Self {
        Self { flags: 1 << 13, properties: long(&[short(name), b"t\x01".to_vec()].concat()), body: body.to_vec() }
    }

    /// With a header of so many tables in each other.
    #[must_use]
    pub fn nested(depth: usize, body: &[u8]) -> Self {
        let inner = (0..depth).fold(Vec::new(), |inner, _| [b"\x01nF", &long(&inner)[..]].concat());
        Self { flags: 1 << 13, properties: long(&inner), body: body.to_vec() }
    }
}

impl Stranger {
    /// Opens a connection and a channel.
    ///
    /// # Panics
    /// When the broker refuses, or answers with anything but what the protocol says.
    pub async fn connect(amqp_url: &str) -> Self {
        let uri: AMQPUri = amqp_url.parse().expect("a valid address");
        let at = (uri.authority.host.as_str(), uri.authority.port);
        let mut this = Self { stream: TcpStream::connect(at).await.expect("the test broker listens") };
        this.stream.write_all(b"AMQP\0\0\x09\x01").await.expect("it reads");
        this.receive((10, 10)).await;
        let user = uri.authority.userinfo;
        let secret = format!("\0{}\0{}", user.username, user.password);
        this.say(0, (10, 11), &[long(b""), short(b"PLAIN"), long(secret.as_bytes()), short(b"en_US")].concat()).await;
        // As many channels and as large frames as it likes, and no heartbeats.
        let tune = this.receive((10, 30)).await;
        this.say(0, (10, 31), &[&tune[..6], &[0, 0]].concat()).await;
        this.say(0, (10, 40), &[short(uri.vhost.as_bytes()), short(b""), vec![0]].concat()).await;
        this.receive((10, 41)).await;
        this.say(1, (20, 10), &short(b"")).await;
        this.receive((20, 11)).await;
        this.say(1, (85, 10), &[0]).await;
        this.receive((85, 11)).await;
        this
    }

    /// Publishes a message and waits until a queue has it.
    ///
    /// # Panics
    /// When no queue takes it.
    pub async fn publish(&mut self, exchange: &str, routing_key: &[u8], message: &Strange) {
        let mandatory = 1;
        let to = [vec![0, 0], short(exchange.as_bytes()), short(routing_key), vec![mandatory]].concat();
        self.say(1, (60, 40), &to).await;
        let size = u64::try_from(message.body.len()).expect("a short body").to_be_bytes();
        let header = [&[0, 60, 0, 0], &size[..], &message.flags.to_be_bytes(), &message.properties].concat();
        self.frame(2, 1, &header).await;
        self.frame(3, 1, &message.body).await;
        self.receive((60, 80)).await;
    }

    /// Ends the connection in order.
    pub async fn close(mut self) {
        self.say(0, (10, 50), &[0, 200, 0, 0, 0, 0, 0]).await;
        self.receive((10, 51)).await;
    }

    async fn say(&mut self, channel: u8, (class, id): (u8, u8), arguments: &[u8]) {
        self.frame(1, channel, &[&[0, class, 0, id], arguments].concat()).await;
    }

    async fn frame(&mut self, kind: u8, channel: u8, payload: &[u8]) {
        let frame = [&[kind, 0, channel][..], &long(payload), &[0xCE]].concat();
        self.stream.write_all(&frame).await.expect("the broker reads");
    }

    /// Waits for this method; gives its arguments.
    async fn receive(&mut self, (class, id): (u8, u8)) -> Vec<u8> {
        let mut head = [0; 7];
        self.stream.read_exact(&mut head).await.expect("the broker answers");
        let size = u32::from_be_bytes([head[3], head[4], head[5], head[6]]);
        let mut payload = vec![0; usize::try_from(size).expect("a short answer") + 1];
        self.stream.read_exact(&mut payload).await.expect("the broker answers");
        let said = String::from_utf8_lossy(&payload);
        assert!(payload.starts_with(&[0, class, 0, id]), "waited for {class}.{id}, got {head:?} {said:?}");
        payload[4..payload.len() - 1].to_vec()
    }
}

/// A short string.
fn short(bytes: &[u8]) -> Vec<u8> {
    [&[u8::try_from(bytes.len()).expect("a short string")], bytes].concat()
}

/// A long string, or a table.
fn long(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).expect("not that long").to_be_bytes(), bytes].concat()
}
