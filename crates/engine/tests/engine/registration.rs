//! Trunks that want us to register, before simulated registrars.

use std::cell::{Cell, RefCell};
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use base::id::Leg;
use base::trunk::TrunkState;
use huihu_engine::Trunk;
use huihu_engine::trial::{Registered, Trial};
use huihu_engine::trunk::Registration;
use sip::digest::Credentials;
use sip::message::Message;

use crate::trunks::now;
use crate::world::{RTP_PORTS, World, code};

/// What a registrar does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// Asks for credentials, and grants so many seconds.
    Grants(u32),
    /// Asks for credentials, and answers what comes with this.
    Refuses(u16),
    /// Answers with this at once.
    Fails(u16),
    Silent,
}

/// A registrar that knows one account.
struct Registrar {
    socket: UdpSocket,
    manner: Cell<Manner>,
    /// For how many seconds, each time.
    granted: RefCell<Vec<u32>>,
    /// All that came.
    heard: RefCell<Vec<String>>,
    /// The address that it says to see us as.
    sees: Cell<Option<SocketAddr>>,
}

impl Registrar {
    fn new(manner: Manner) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        Self {
            socket,
            manner: Cell::new(manner),
            granted: RefCell::default(),
            heard: RefCell::default(),
            sees: Cell::default(),
        }
    }

    fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    fn trunk(&self) -> Trunk {
        let mut trunk = Trunk::new("wants", self.address());
        trunk.domain = Some("carrier.example".to_owned());
        trunk.credentials = Some(Credentials::new("us".to_owned(), "secret".to_owned()));
        trunk.registration = Some(Registration { user: "us".to_owned(), lasts: Duration::from_secs(600) });
        trunk
    }

    fn trial(&self) -> Trial {
        Trial {
            trunk: self.trunk(),
            peer: self.address().into(),
            local: SocketAddr::from(([127, 0, 0, 1], 0)),
            advertised: None,
            rtp_ports: RTP_PORTS,
            speaks: Duration::ZERO,
        }
    }

    /// Tries to register with it, beside the engine.
    fn tried(&self) -> Registered {
        let trial = self.trial();
        let trying = std::thread::spawn(move || trial.register().unwrap());
        while !trying.is_finished() {
            self.serve();
        }
        trying.join().unwrap().unwrap()
    }

    /// Answers what has come.
    fn serve(&self) {
        let mut buffer = [0; 4_096];
        while let Ok((length, from)) = self.socket.recv_from(&mut buffer) {
            let request = Message::parse(&buffer[..length]).unwrap();
            let text = String::from_utf8(buffer[..length].to_vec()).unwrap();
            self.heard.borrow_mut().push(text.clone());
            if !text.starts_with("REGISTER ") {
                continue;
            }
            let is_proved = text.contains("\r\nAuthorization: Digest ");
            let (status, lines) = match self.manner.get() {
                Manner::Silent => continue,
                Manner::Fails(status) => (status, String::new()),
                Manner::Refuses(401) => challenge(),
                Manner::Grants(_) | Manner::Refuses(_) if !is_proved => challenge(),
                Manner::Refuses(status) => (status, String::new()),
                Manner::Grants(secs) => {
                    let secs = request.expires().unwrap().min(secs);
                    self.granted.borrow_mut().push(secs);
                    (200, format!("Expires: {secs}\r\n"))
                }
            };
            let line = |name: &str| {
                let start = format!("{name}: ");
                text.split("\r\n").find(|line| line.starts_with(&start)).unwrap().to_owned()
            };
            let mut via = line("Via");
            if let Some(seen) = self.sees.get() {
                via = format!("{};rport={};received={}", via.replace(";rport", ""), seen.port(), seen.ip());
            }
            let kept = ["From", "Call-ID", "CSeq"].map(line).join("\r\n");
            let kept = format!("{via}\r\n{kept}");
            let answer = format!(
                "SIP/2.0 {status} So\r\n{kept}\r\n{};tag=1\r\n{lines}Content-Length: 0\r\n\r\n",
                line("To")
            );
            self.socket.send_to(answer.as_bytes(), from).unwrap();
        }
    }
}

fn challenge() -> (u16, String) {
    (401, "WWW-Authenticate: Digest realm=\"carrier.example\", nonce=\"n1\", qop=\"auth\"\r\n".to_owned())
}

/// The state of the only trunk, and the status of its last failure.
fn told(world: &World) -> (TrunkState, Option<u16>) {
    let condition = world.engine().trunks().views(now())[0].condition;
    (condition.state, condition.status)
}

#[test]
fn a_trunk_that_wants_it_is_registered_with_from_start_to_end() {
    let registrar = Registrar::new(Manner::Grants(600));
    let mut world = World::by(vec![registrar.trunk()]);
    assert_eq!(told(&world), (TrunkState::Unregistered, None));
    world.until("it works", |world| {
        registrar.serve();
        told(world) == (TrunkState::Working, None)
    });
    let first = registrar.heard.borrow()[0].clone();
    let here = world.engine().address();
    assert!(first.starts_with("REGISTER sip:carrier.example SIP/2.0\r\n"), "{first}");
    assert!(first.contains("\r\nTo: <sip:us@carrier.example>\r\n"), "{first}");
    assert!(first.contains(&format!("\r\nContact: <sip:us@{here}")), "{first}");
    world.launch(0, code);
    world.until("the INVITE", |_| {
        registrar.serve();
        registrar.heard.borrow().iter().any(|text| text.starts_with("INVITE "))
    });
    let engine = world.engine.take();
    let ending = std::thread::spawn(move || drop(engine));
    while !ending.is_finished() {
        registrar.serve();
    }
    assert_eq!(*registrar.granted.borrow(), [600, 0]);
}

#[test]
fn a_registrar_that_fails_is_followed_by_the_next_address() {
    let [first, second] = [Manner::Fails(503), Manner::Grants(600)].map(Registrar::new);
    let mut trunk = first.trunk();
    trunk.peers.push(second.address().into());
    let mut world = World::by(vec![trunk]);
    world.until("it works", |world| {
        first.serve();
        second.serve();
        told(world).0 == TrunkState::Working
    });
    assert_eq!((first.heard.borrow().len(), second.granted.borrow().len()), (1, 1));
    let engine = world.engine.take();
    let ending = std::thread::spawn(move || drop(engine));
    while !ending.is_finished() {
        second.serve();
    }
    assert_eq!(*second.granted.borrow(), [600, 0], "it is taken back where it was made");
}

#[test]
fn registrars_that_all_fail_are_each_asked_once_in_a_while() {
    let both = [503, 500].map(|status| Registrar::new(Manner::Fails(status)));
    let mut trunk = both[0].trunk();
    trunk.peers.push(both[1].address().into());
    let mut world = World::by(vec![trunk]);
    let began = Instant::now();
    world.until("a moment passes", |_| {
        both.iter().for_each(Registrar::serve);
        let asked = both.iter().all(|registrar| !registrar.heard.borrow().is_empty());
        asked && began.elapsed() > Duration::from_millis(700)
    });
    assert!(both.iter().all(|registrar| registrar.heard.borrow().len() == 1));
}

#[test]
fn the_address_that_the_registrar_sees_is_known() {
    let registrar = Registrar::new(Manner::Grants(600));
    let seen = "203.0.113.5:40000".parse().unwrap();
    registrar.sees.set(Some(seen));
    let mut world = World::by(vec![registrar.trunk()]);
    let seen_as = |world: &World| world.engine().trunks().views(now())[0].seen_as;
    world.until("it is told", |world| {
        registrar.serve();
        seen_as(world) == Some(seen)
    });
    assert!(matches!(registrar.tried(), Registered::Yes { seen_as: Some(told), .. } if told == seen));
}

#[test]
fn an_end_does_not_wait_for_a_silent_registrar() {
    let registrar = Registrar::new(Manner::Grants(600));
    let mut world = World::by(vec![registrar.trunk()]);
    world.until("it works", |world| {
        registrar.serve();
        told(world).0 == TrunkState::Working
    });
    let began = Instant::now();
    world.engine = None;
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[test]
fn a_registration_is_renewed_in_time_and_is_over_when_it_is_not() {
    let registrar = Registrar::new(Manner::Grants(1));
    let mut world = World::by(vec![registrar.trunk()]);
    world.until("two renewals", |world| {
        registrar.serve();
        let renewed = registrar.granted.borrow().len() > 1;
        assert!(!renewed || told(world).0 == TrunkState::Working);
        registrar.granted.borrow().len() == 3
    });
    registrar.manner.set(Manner::Silent);
    world.until("it is over", |world| told(world).0 == TrunkState::Unregistered);
}

#[test]
fn a_wrong_password_leaves_the_trunk_unregistered() {
    for status in [401, 403] {
        let registrar = Registrar::new(Manner::Refuses(status));
        let mut world = World::by(vec![registrar.trunk()]);
        world.until("it is refused", |world| {
            registrar.serve();
            told(world) == (TrunkState::Unregistered, Some(status))
        });
        assert_eq!(registrar.heard.borrow().len(), 2, "the password is not tried again and again");
    }
}

#[test]
fn a_registrar_that_fails_is_left_alone_and_calls_go_elsewhere() {
    let registrar = Registrar::new(Manner::Fails(503));
    let mut world = World::new();
    let other = Trunk::new("other", world.far.address());
    world.engine = None;
    world.settings.trunks = vec![registrar.trunk(), other];
    world.settings.trunks[1].routes[0].priority = 9;
    world.start();
    world.until("it fails", |world| {
        registrar.serve();
        told(world) == (TrunkState::Unregistered, Some(503))
    });
    world.launch(0, code);
    world.phone(0, Leg::A);
    let began = Instant::now();
    world.until("a moment passes", |_| {
        registrar.serve();
        began.elapsed() > Duration::from_millis(700)
    });
    assert_eq!(registrar.heard.borrow().len(), 1, "once in a while");
}

#[test]
fn a_trial_tells_what_the_registrar_says_and_leaves_nothing_there() {
    let registrar = Registrar::new(Manner::Grants(600));
    assert!(matches!(registrar.tried(), Registered::Yes { .. }));
    assert_eq!(registrar.granted.borrow().last(), Some(&0));
    for status in [401, 403] {
        registrar.manner.set(Manner::Refuses(status));
        assert!(matches!(registrar.tried(), Registered::No { status: told } if told == status));
    }
}
