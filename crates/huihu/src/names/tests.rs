//! Names of trunks before a name server that is told what to say.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use engine::trunk::Turn;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, CNAME, NAPTR, SRV};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use tokio::net::UdpSocket;

use super::*;

/// A name server that knows some records.
struct Server {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    records: Vec<Record>,
    manner: Manner,
    /// How often each kind of record was asked for.
    asked: HashMap<RecordType, usize>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Manner {
    #[default]
    Honest,
    Silent,
    /// Says this to every question of this kind.
    Fails(RecordType, ResponseCode),
    /// Adds addresses of names that nobody asked for, which are not those of the name.
    Poisons,
    /// Answers with bytes that are no message, and then with the answer to another question.
    Babbles,
}

impl Server {
    async fn new(zone: &str) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State { records: records(zone), ..State::default() }));
        let served = Arc::clone(&state);
        tokio::spawn(async move {
            let mut buffer = [0; 4_096];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                let Ok(question) = Message::from_vec(&buffer[..length]) else { continue };
                let answers = served.lock().unwrap().answers(&question);
                for answer in answers {
                    socket.send_to(&answer, from).await.unwrap();
                }
            }
        });
        Self { address, state }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn servers(&self) -> NameServers {
        let mut connection = ConnectionConfig::udp();
        connection.port = self.address.port();
        let server = NameServerConfig::new(self.address.ip(), true, vec![connection]);
        NameServers { own: Some(ResolverConfig::from_name_servers(vec![server])) }
    }

    /// What a name comes to: `rank address transport weight` of each gateway, and for how many seconds that holds.
    async fn locate(&self, host: &str, port: Option<u16>, transports: &[Transport]) -> (Vec<String>, u64) {
        let dns = Dns::of(self.servers().own.unwrap()).unwrap();
        let located = locate::locate(&dns, (host, port), transports, SocketAddr::is_ipv4).await;
        match located {
            Ok(Located { gateways, until }) => {
                let word = |gateway: &Gateway| {
                    let Gateway { hop, turn: Turn { rank, weight } } = gateway;
                    format!("{rank} {} {} {weight}", hop.address, hop.transport.as_str())
                };
                // Half a second and more of the second has passed on no machine that is worth a thought.
                let holds = until.saturating_duration_since(Instant::now()).as_secs_f64().round();
                (gateways.iter().map(word).collect(), holds as u64)
            }
            Err(fault) => (vec![fault.to_string()], 0),
        }
    }

    async fn gateways(&self, host: &str) -> Vec<String> {
        self.locate(host, None, &ALL).await.0
    }
}

impl State {
    fn answers(&mut self, question: &Message) -> Vec<Vec<u8>> {
        let query = question.queries[0].clone();
        *self.asked.entry(query.query_type()).or_default() += 1;
        let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
        answer.add_query(query.clone());
        let of_name: Vec<_> = self.records.iter().filter(|record| record.name == *query.name()).collect();
        let is_answer = |record: &&&Record| {
            record.record_type() == query.query_type() || record.record_type() == RecordType::CNAME
        };
        answer.add_answers(of_name.iter().filter(is_answer).map(|record| (*record).clone()));
        if of_name.is_empty() {
            answer.metadata.response_code = ResponseCode::NXDomain;
        }
        match self.manner {
            Manner::Honest => vec![answer.to_vec().unwrap()],
            Manner::Silent => Vec::new(),
            Manner::Fails(kind, code) => {
                if query.query_type() == kind {
                    answer.answers.clear();
                    answer.metadata.response_code = code;
                }
                vec![answer.to_vec().unwrap()]
            }
            Manner::Poisons => {
                let poison = records("elsewhere.example 9 A 198.51.100.66");
                answer.add_answers(poison.clone());
                answer.add_additionals(records(&format!("{} 9 A 198.51.100.67", query.name())));
                vec![answer.to_vec().unwrap()]
            }
            Manner::Babbles => {
                let mut other = answer.clone();
                other.metadata.id ^= 1;
                other.answers = records(&format!("{} 9 A 198.51.100.68", query.name()));
                vec![vec![0xff; 600], other.to_vec().unwrap(), answer.to_vec().unwrap()]
            }
        }
    }
}

/// Records as `name seconds TYPE data`, a line each.
fn records(zone: &str) -> Vec<Record> {
    let name = |text: &str| Name::from_ascii(format!("{}.", text.trim_end_matches('.'))).unwrap();
    let number = |text: &str| text.parse::<u16>().unwrap();
    let bytes = |text: &str| Box::from(text.as_bytes());
    let record = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let data = match words[2..] {
            ["A", ip] => RData::A(A(ip.parse().unwrap())),
            ["CNAME", target] => RData::CNAME(CNAME(name(target))),
            ["SRV", priority, weight, port, target] => {
                RData::SRV(SRV::new(number(priority), number(weight), number(port), name(target)))
            }
            ["NAPTR", order, preference, flags, service, target] => RData::NAPTR(NAPTR::new(
                number(order),
                number(preference),
                bytes(flags),
                bytes(service),
                bytes(""),
                name(target),
            )),
            _ => panic!("no record: {line}"),
        };
        Record::from_rdata(name(words[0]), words[1].parse().unwrap(), data)
    };
    zone.lines().map(str::trim).filter(|line| !line.is_empty()).map(record).collect()
}

const ALL: [Transport; 3] = [Transport::Udp, Transport::Tcp, Transport::Tls];

/// A carrier that prefers TLS, with two servers of one priority and one in reserve.
const CARRIER: &str = "
    carrier.example 600 NAPTR 20 50 s SIP+D2U _sip._udp.carrier.example
    carrier.example 600 NAPTR 10 50 s SIPS+D2T _sips._tcp.carrier.example
    carrier.example 600 NAPTR 5 50 s X-OTHER _other._udp.carrier.example
    _sips._tcp.carrier.example 500 SRV 1 0 5061 a.carrier.example
    _sip._udp.carrier.example 400 SRV 20 0 5060 c.carrier.example
    _sip._udp.carrier.example 400 SRV 10 30 5060 a.carrier.example
    _sip._udp.carrier.example 400 SRV 10 70 5062 b.carrier.example
    a.carrier.example 300 A 192.0.2.1
    b.carrier.example 300 A 192.0.2.2
    c.carrier.example 200 A 192.0.2.3
    c.carrier.example 200 A 192.0.2.4
";

#[tokio::test]
async fn a_domain_says_transport_priority_weight_and_for_how_long() {
    let server = Server::new(CARRIER).await;
    let (gateways, holds) = server.locate("carrier.example", None, &ALL).await;
    assert_eq!(
        gateways,
        [
            "0 192.0.2.1:5061 TLS 0",
            "1 192.0.2.2:5062 UDP 70",
            "1 192.0.2.1:5060 UDP 30",
            "2 192.0.2.3:5060 UDP 0",
            "2 192.0.2.4:5060 UDP 0",
        ]
    );
    assert_eq!(holds, 200, "the shortest time of all");
}

#[tokio::test]
async fn only_transports_that_we_may_speak_are_taken() {
    let server = Server::new(CARRIER).await;
    let (gateways, _) = server.locate("carrier.example", None, &[Transport::Udp]).await;
    assert_eq!(gateways[0], "0 192.0.2.2:5062 UDP 70");
    let (gateways, _) = server.locate("carrier.example", None, &[Transport::Tls]).await;
    assert_eq!(gateways, ["0 192.0.2.1:5061 TLS 0"]);
}

#[tokio::test]
async fn a_port_asks_for_addresses_only() {
    let server = Server::new(CARRIER).await;
    let (gateways, holds) = server.locate("c.carrier.example", Some(5_080), &ALL).await;
    assert_eq!(
        (gateways, holds),
        (vec!["0 192.0.2.3:5080 UDP 0".to_owned(), "0 192.0.2.4:5080 UDP 0".to_owned()], 200)
    );
    assert_eq!(server.state().asked.keys().filter(|kind| !kind.is_ip_addr()).count(), 0);
}

#[tokio::test]
async fn a_domain_without_services_has_servers_and_one_without_servers_addresses() {
    let server = Server::new(
        "_sip._tcp.half.example 60 SRV 1 1 5070 gate.half.example
         gate.half.example 60 CNAME real.half.example
         real.half.example 60 A 192.0.2.9
         plain.example 60 A 192.0.2.8",
    )
    .await;
    assert_eq!(server.gateways("half.example").await, ["0 192.0.2.9:5070 TCP 1"]);
    assert_eq!(server.gateways("plain.example").await, ["0 192.0.2.8:5060 UDP 0"]);
    server.state().manner = Manner::Fails(RecordType::NAPTR, ResponseCode::NotImp);
    assert_eq!(
        server.gateways("half.example").await,
        ["0 192.0.2.9:5070 TCP 1"],
        "NAPTR is not known to all servers"
    );
}

#[tokio::test]
async fn a_server_without_an_address_is_left_out_and_a_service_may_be_away() {
    let server = Server::new(
        "_sip._udp.some.example 60 SRV 1 1 5060 gone.some.example
         _sip._udp.some.example 60 SRV 2 1 5060 here.some.example
         here.some.example 60 A 192.0.2.7
         _sip._udp.none.example 60 SRV 0 0 0 .
         none.example 60 A 192.0.2.6",
    )
    .await;
    assert_eq!(server.gateways("some.example").await, ["1 192.0.2.7:5060 UDP 1"]);
    assert_eq!(server.gateways("none.example").await, ["0 192.0.2.6:5060 UDP 0"]);
}

#[tokio::test]
async fn what_has_no_answer_is_told_in_words() {
    let server = Server::new("six.example 60 A 0.0.0.0\nsix.example 60 A 224.0.0.1").await;
    let none = "there is no such name, or it has no address";
    assert_eq!(server.gateways("nowhere.example").await, [none]);
    assert_eq!(server.gateways("six.example").await, [none], "nothing can be sent there");
    for kind in [RecordType::NAPTR, RecordType::SRV, RecordType::A] {
        server.state().manner = Manner::Fails(kind, ResponseCode::ServFail);
        let told = server.gateways("six.example").await;
        assert!(told[0].starts_with("the name server says"), "{kind}: {told:?}");
    }
    server.state().manner = Manner::Silent;
    assert_eq!(server.gateways("six.example").await, ["the name server does not answer"]);
}

#[tokio::test]
async fn what_nobody_asked_for_is_not_believed() {
    let server = Server::new(CARRIER).await;
    let honest = server.gateways("carrier.example").await;
    for manner in [Manner::Poisons, Manner::Babbles] {
        server.state().manner = manner;
        assert_eq!(server.gateways("carrier.example").await, honest);
    }
}

#[tokio::test]
async fn a_crowd_of_servers_is_cut_to_what_a_trunk_may_have() {
    let mut zone = String::from("_sip._udp.crowd.example 60 SRV 0 1 5060 many.example\n");
    for at in 0..200 {
        zone.push_str(&format!("many.example 60 A {}\n", Ipv4Addr::new(192, 0, 2, at)));
    }
    let server = Server::new(&zone).await;
    let told = server.gateways("crowd.example").await;
    // An answer beyond what fits a datagram may be refused as well, but does no harm.
    assert!(told.len() == TRUNK_ADDRESSES || told.len() == 1, "{told:?}");
    let ring = "one.example 60 CNAME two.example\ntwo.example 60 CNAME one.example";
    server.state().records = records(ring);
    assert_eq!(server.gateways("one.example").await.len(), 1, "a ring of names ends");
}

/// A trunk with these peers.
fn trunk(peers: Vec<Peer>) -> ReadTrunk {
    let settings = engine::Trunk::new("far", "192.0.2.1:5060".parse().unwrap());
    ReadTrunk { settings, peers, transports: &ALL, tls_name: None, username: None }
}

fn named(host: &str, port: Option<u16>) -> Peer {
    Peer::Named { host: host.to_owned(), port }
}

#[tokio::test]
async fn a_name_is_followed_and_keeps_its_last_good_answer() {
    let server = Server::new("gate.example 120 A 192.0.2.1\nother.example 3000 A 192.0.2.9").await;
    let ours = [Hop::from("127.0.0.1:0".parse::<SocketAddr>().unwrap())];
    let at = |text: &str| text.parse::<SocketAddr>().unwrap();
    let peers = vec![
        named("gate.example", Some(5_060)),
        Peer::At(at("192.0.2.5:5060")),
        named("other.example", Some(5_060)),
    ];
    let began = Instant::now();
    let mut names = Names::look_by(server.servers(), &[trunk(peers)], &ours).await;
    let first = [at("192.0.2.1:5060"), at("192.0.2.5:5060"), at("192.0.2.9:5060")];
    let addresses = |names: &Names| names.gateways(0).iter().map(|peer| peer.hop.address).collect::<Vec<_>>();
    assert_eq!(addresses(&names), first);
    server.state().records = records("gate.example 60 A 192.0.2.2");
    names.look_again(began + Duration::from_secs(90)).await;
    assert_eq!(addresses(&names), first, "it still holds");
    names.look_again(began + Duration::from_secs(125)).await;
    let second = [at("192.0.2.2:5060"), first[1], first[2]];
    assert_eq!(addresses(&names), second);
    server.state().records.clear();
    names.look_again(began + Duration::from_secs(10_000)).await;
    assert_eq!(addresses(&names), second, "a name that is gone keeps what it had");
}
