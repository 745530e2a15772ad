//! One HTTP exchange, byte by byte: what goes out can be wrong in any way, and what comes back is kept whole.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, `POST` or anything else.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Headers besides those of the connection.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The loopback address that it comes from; `None` leaves it to the system.
    pub from: Option<IpAddr>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub bytes: Vec<u8>,
    /// The body as JSON; null when it is none.
    pub body: Value,
}

impl Request {
    /// A request without headers and body.
    #[must_use]
    pub fn new(method: &str, path: &str) -> Self {
        let (method, path) = (method.to_owned(), path.to_owned());
        Self { method, path, headers: Vec::new(), body: Vec::new(), from: None }
    }

    /// With a header, in place of the one of that name if there is one.
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        let mut this = self.without(name);
        this.headers.push((name.to_owned(), value.to_owned()));
        this
    }

    /// Without a header.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    /// With a body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// From that address.
    #[must_use]
    pub const fn from(mut self, address: IpAddr) -> Self {
        self.from = Some(address);
        self
    }

    /// Sends it and reads the whole answer.
    ///
    /// # Panics
    /// When the server cannot be reached or does not speak HTTP.
    #[must_use]
    pub fn send(&self, address: &str) -> Answer {
        self.try_send(address).unwrap_or_else(|fault| panic!("{address} does not answer: {fault}"))
    }

    /// Sends it and reads the whole answer.
    ///
    /// # Errors
    /// When the server cannot be reached, breaks off, or does not speak HTTP.
    pub fn try_send(&self, address: &str) -> io::Result<Answer> {
        let mut stream = self.connect(address)?;
        stream.write_all(&self.head(address))?;
        stream.write_all(&self.body)?;
        read(stream)
    }

    /// Opens a connection for it.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub fn connect(&self, address: &str) -> io::Result<TcpStream> {
        let address: SocketAddr = address.parse().map_err(io::Error::other)?;
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        if let Some(from) = self.from {
            socket.bind(&SocketAddr::new(from, 0).into())?;
        }
        socket.connect(&address.into())?;
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(stream)
    }

    /// Everything before the body.
    #[must_use]
    pub fn head(&self, address: &str) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            head.push_str(&format!("Host: {address}\r\n"));
        }
        head.push_str(&format!("Connection: close\r\nContent-Length: {}\r\n", self.body.len()));
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        head.into_bytes()
    }
}

impl Answer {
    /// The session id of an accepted call.
    ///
    /// # Panics
    /// When the call was refused.
    #[must_use]
    pub fn session(&self) -> String {
        assert_eq!((self.status, &self.body["resultcode"]), (200, &json!("0")), "refused: {}", self.body);
        self.body["sessionId"].as_str().expect("an accepted call has a session id").to_owned()
    }

    /// The result code.
    #[must_use]
    pub fn code(&self) -> &str {
        self.body["resultcode"].as_str().unwrap_or("")
    }

    /// The text of the result code.
    #[must_use]
    pub fn text(&self) -> &str {
        self.body["resultdesc"].as_str().unwrap_or("")
    }
}

/// Sends a JSON request and reads the whole answer.
///
/// # Panics
/// When the server cannot be reached or does not speak HTTP.
#[must_use]
pub fn send(address: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    try_send(address, method, path, headers, body).expect("the server answers")
}

/// Sends a JSON request and reads the whole answer.
///
/// # Errors
/// When the server cannot be reached, breaks off, or does not speak HTTP.
pub fn try_send(
    address: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> io::Result<Answer> {
    let plain = Request::new(method, path).header("Content-Type", "application/json;charset=UTF-8");
    let request = headers.iter().fold(plain, |request, (name, value)| request.header(name, value));
    request.body(body).try_send(address)
}

/// Reads an answer to the end of the connection.
///
/// # Errors
/// When the server breaks off or does not speak HTTP.
pub fn read(mut stream: TcpStream) -> io::Result<Answer> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    parse(&bytes).ok_or_else(|| io::Error::other("this is no HTTP answer"))
}

fn parse(answer: &[u8]) -> Option<Answer> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let bytes = answer[end + 4..].to_vec();
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    };
    let headers = lines.filter_map(header).collect();
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Some(Answer { status, headers, bytes, body })
}
