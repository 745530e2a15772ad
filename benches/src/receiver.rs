//! The customer's receiver of pushes: takes each at once, counts what it says of which call.

use std::io::{ErrorKind, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Instant;

use anyhow::{Context, Result};
use serde::Deserialize;
use slab::Slab;

use crate::http::Incoming;
use crate::ledger::Ledger;

const THANKS: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 41\r\n\r\n\
    {\"resultcode\":\"0\",\"resultdesc\":\"Success\"}";

/// A listener and the connections of the server's push client.
#[derive(Debug)]
pub(crate) struct Receiver {
    pub(crate) listener: TcpListener,
    connections: Slab<(TcpStream, Incoming)>,
}

/// A push, as far as it says what it is and of which call.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    status_info: Option<Session>,
    #[serde(default)]
    fee_lst: Vec<Session>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Session {
    session_id: String,
}

impl Receiver {
    /// Listens on loopback.
    pub(crate) fn new() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot listen for pushes")?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener, connections: Slab::new() })
    }

    /// What requests give as the place for pushes.
    pub(crate) fn url(&self) -> Result<String> {
        Ok(format!("http://{}/push", self.listener.local_addr()?))
    }

    /// Takes a new connection, if there is one: the caller must watch it.
    pub(crate) fn accept(&mut self) -> Result<Option<(usize, &TcpStream)>> {
        let stream = match self.listener.accept() {
            Ok((stream, _)) => stream,
            Err(fault) if fault.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(fault) => return Err(fault).context("cannot accept a connection"),
        };
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        let place = self.connections.insert((stream, Incoming::default()));
        Ok(Some((place, &self.connections[place].0)))
    }

    /// Reads pushes, notes them and answers each.
    pub(crate) fn on_readable(&mut self, place: usize, ledger: &mut Ledger) -> Result<()> {
        let Some((stream, incoming)) = self.connections.get_mut(place) else { return Ok(()) };
        let mut is_open = incoming.read_from(stream)?;
        while let Some(push) = incoming.take()? {
            match serde_json::from_slice::<Body>(&push.body) {
                Ok(body) => body.note(ledger, Instant::now()),
                Err(fault) => ledger.complain(|| format!("a push is not what the vendor documents: {fault}")),
            }
            is_open &= stream.write_all(THANKS).is_ok();
        }
        if !is_open {
            self.connections.remove(place);
        }
        Ok(())
    }
}

impl Body {
    fn note(self, ledger: &mut Ledger, now: Instant) {
        if let Some(event) = self.status_info {
            ledger.pushed(&event.session_id, 1, 0, now);
        }
        for fee in self.fee_lst {
            ledger.pushed(&fee.session_id, 0, 1, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Parties;

    #[test]
    fn a_fee_push_may_carry_many_calls() {
        let now = Instant::now();
        let mut ledger = Ledger::new(Parties::One, None);
        for session in ["a", "b"] {
            let call = ledger.open(now);
            ledger.accepted(call, session.to_owned(), now);
        }
        let note = |text: &str, ledger: &mut Ledger| {
            serde_json::from_str::<Body>(text).unwrap().note(ledger, now);
        };
        note(r#"{"eventType":"fee","feeLst":[{"sessionId":"a","x":1},{"sessionId":"b"}]}"#, &mut ledger);
        note(r#"{"eventType":"answer","statusInfo":{"sessionId":"b","timestamp":"t"}}"#, &mut ledger);
        let seen: Vec<_> = ledger.calls.iter().map(|call| (call.statuses, call.fees)).collect();
        assert_eq!(seen, [(0, 1), (1, 1)]);
    }

    #[test]
    fn the_answer_says_its_length() {
        let mut incoming = Incoming::default();
        let (mut here, there) = pair();
        here.write_all(THANKS).unwrap();
        drop(here);
        let mut there = there;
        assert!(!incoming.read_from(&mut there).unwrap());
        let body = incoming.take().unwrap().unwrap().body;
        assert!(serde_json::from_slice::<serde_json::Value>(&body).is_ok());
    }

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let here = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (here, listener.accept().unwrap().0)
    }
}
