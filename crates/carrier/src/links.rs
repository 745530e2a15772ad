//! The carrier's connections: TCP and TLS.
//!
//! Calls come by connections that others make. What the carrier has to say in such a call goes back by one of them, or by
//! TCP to wherever the caller said that he listens. What a link does not take at once is lost with it: this is a far end
//! for tests, not a queue.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection};
use sip::message::{Arrived, Inbox, PONG};
use sip::{Hop, Transport};
use slab::Slab;

use crate::poller::{Poller, Token};

/// Where connections are taken, and those that there are.
#[derive(Debug, Default)]
pub(crate) struct Links {
    listeners: Vec<Listener>,
    list: Slab<Link>,
    made: usize,
}

/// Where connections are taken, by TCP or, with something to show, by TLS.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: TcpListener,
    tls: Option<Arc<ServerConfig>>,
}

#[derive(Debug)]
struct Link {
    to: Hop,
    socket: TcpStream,
    tls: Option<Box<ServerConnection>>,
    inbox: Inbox,
}

impl Listener {
    pub(crate) fn open(address: SocketAddr, tls: Option<Arc<ServerConfig>>) -> io::Result<Self> {
        let socket = TcpListener::bind(address)?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket, tls })
    }

    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    pub(crate) fn transport(&self) -> Transport {
        if self.tls.is_some() { Transport::Tls } else { Transport::Tcp }
    }
}

impl Links {
    pub(crate) fn new(listeners: Vec<Listener>, poller: &Poller) -> io::Result<Self> {
        for (place, listener) in (0..).zip(&listeners) {
            poller.watch(listener.socket.as_fd(), Token::Listener(place))?;
        }
        Ok(Self { listeners, list: Slab::new(), made: 0 })
    }

    /// Breaks all connections.
    pub(crate) fn cut(&mut self) {
        self.list.clear();
    }

    /// How many connections were made so far.
    pub(crate) const fn made(&self) -> usize {
        self.made
    }

    /// Somebody wants to connect.
    pub(crate) fn accept(&mut self, place: u32, poller: &Poller) {
        let Some(listener) = self.listeners.get(place as usize) else { return };
        let Ok((socket, from)) = listener.socket.accept() else { return };
        let (transport, tls) = (listener.transport(), listener.tls.clone());
        let tls = match tls.map(ServerConnection::new) {
            Some(Ok(connection)) => Some(Box::new(connection)),
            Some(Err(_)) => return,
            None => None,
        };
        self.keep(Link { to: Hop::new(transport, from), socket, tls, inbox: Inbox::default() }, poller).ok();
    }

    fn keep(&mut self, link: Link, poller: &Poller) -> io::Result<usize> {
        link.socket.set_nonblocking(true)?;
        link.socket.set_nodelay(true)?;
        let entry = self.list.vacant_entry();
        let key = entry.key();
        let token = u32::try_from(key).map_err(io::Error::other)?;
        poller.watch(link.socket.as_fd(), Token::Link(token))?;
        entry.insert(link);
        self.made += 1;
        Ok(key)
    }

    /// Reads what has come by a link: whole messages, and whom they are from.
    pub(crate) fn read(&mut self, key: u32) -> Vec<(Hop, Vec<u8>)> {
        let Some(link) = self.list.get_mut(key as usize) else { return Vec::new() };
        let mut messages = Vec::new();
        if link.read(&mut messages).is_err() {
            self.list.remove(key as usize);
        }
        messages
    }

    /// Sends a message by the link to that hop, or by another one that leads to its machine.
    pub(crate) fn send(&mut self, to: Hop, message: &[u8], poller: &Poller) {
        let exact = self.list.iter().find(|(_, link)| link.to == to).map(|(key, _)| key);
        let found = exact.or_else(|| self.connect(to, poller)).or_else(|| {
            let leads =
                |link: &Link| link.to.transport == to.transport && link.to.address.ip() == to.address.ip();
            self.list.iter().rfind(|(_, link)| leads(link)).map(|(key, _)| key)
        });
        if let Some(key) = found
            && self.list[key].write(message).is_err()
        {
            self.list.remove(key);
        }
    }

    /// A link of our own, by TCP only: nobody told us whom to trust.
    fn connect(&mut self, to: Hop, poller: &Poller) -> Option<usize> {
        if to.transport != Transport::Tcp {
            return None;
        }
        let socket = TcpStream::connect_timeout(&to.address, CONNECT).ok()?;
        self.keep(Link { to, socket, tls: None, inbox: Inbox::default() }, poller).ok()
    }
}

impl Link {
    fn read(&mut self, messages: &mut Vec<(Hop, Vec<u8>)>) -> io::Result<()> {
        let mut buffer = [0; BUFFER_BYTES];
        loop {
            let got = match &mut self.tls {
                None => self.socket.read(&mut buffer),
                Some(tls) => tls.read_tls(&mut self.socket),
            };
            match got {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(bytes) if self.tls.is_none() => self.hear(&buffer[..bytes], messages)?,
                Ok(_) => self.decrypt(&mut buffer, messages)?,
                Err(fault) if fault.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(fault) => return Err(fault),
            }
        }
    }

    fn decrypt(&mut self, buffer: &mut [u8], messages: &mut Vec<(Hop, Vec<u8>)>) -> io::Result<()> {
        let Some(tls) = &mut self.tls else { return Ok(()) };
        let state = tls.process_new_packets();
        self.flush()?;
        state.map_err(io::Error::other)?;
        loop {
            let Some(tls) = &mut self.tls else { return Ok(()) };
            match tls.reader().read(buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(bytes) => self.hear(&buffer[..bytes], messages)?,
                Err(fault) if fault.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(fault) => return Err(fault),
            }
        }
    }

    fn hear(&mut self, bytes: &[u8], messages: &mut Vec<(Hop, Vec<u8>)>) -> io::Result<()> {
        let (from, mut asked) = (self.to, false);
        let taken = self.inbox.take(bytes, |arrived| match arrived {
            Arrived::Ping => asked = true,
            Arrived::Message(message) => messages.push((from, message.to_vec())),
        });
        taken.map_err(io::Error::other)?;
        if asked { self.write(PONG) } else { Ok(()) }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.tls {
            None => self.socket.write_all(bytes),
            Some(tls) => {
                tls.writer().write_all(bytes)?;
                self.flush()
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        while let Some(tls) = self.tls.as_mut().filter(|tls| tls.wants_write()) {
            tls.write_tls(&mut self.socket)?;
        }
        Ok(())
    }
}

/// How long a caller may take to accept a link of ours.
const CONNECT: Duration = Duration::from_millis(200);

/// Bytes read at once.
const BUFFER_BYTES: usize = 16_384;
