//! Questions to the name server, and what of its answers is taken for an answer.
//!
//! The server is a stranger, and so is whoever answers in its place: only records of the name that was asked for count,
//! only so many of them, and only addresses that something can be sent to.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{LookupIpStrategy, ResolverConfig};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::rdata::{NAPTR, SRV};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use tokio::time::timeout;

/// Why a question has no answer. The sentences follow "the name … is not resolved: ".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// There is no such name, or nothing of what was asked for.
    #[error("there is no such name, or it has no address")]
    Nothing,
    /// It has addresses, but none that can be reached from where we listen.
    #[error("its addresses are of the other family of IP: listen for SIP on an address of theirs")]
    OtherFamily,
    /// The server does not know such questions.
    #[error("the name server refuses to answer")]
    Refused,
    /// Nothing came back in time.
    #[error("the name server does not answer")]
    Silent,
    /// Anything else, in the resolver's words.
    #[error("{0}")]
    Other(String),
}

impl From<NetError> for Fault {
    fn from(fault: NetError) -> Self {
        match fault {
            NetError::Timeout => Self::Silent,
            NetError::Dns(DnsError::NoRecordsFound(ref found)) => match found.response_code {
                ResponseCode::NoError | ResponseCode::NXDomain => Self::Nothing,
                code => Self::of_code(code),
            },
            NetError::Dns(DnsError::ResponseCode(code)) => Self::of_code(code),
            fault => Self::Other(fault.to_string()),
        }
    }
}

impl Fault {
    fn of_code(code: ResponseCode) -> Self {
        match code {
            ResponseCode::Refused | ResponseCode::NotImp | ResponseCode::FormErr => Self::Refused,
            code => Self::Other(format!("the name server says: {code}")),
        }
    }
}

/// An answer, and until when it holds.
#[derive(Debug)]
pub(super) struct Answer<T> {
    pub(super) records: Vec<T>,
    pub(super) until: Instant,
}

/// The name server, as the machine knows it at this moment.
#[derive(Debug)]
pub(super) struct Dns {
    resolver: TokioResolver,
}

impl Dns {
    /// The servers and hosts of this machine. They are read anew each time, because a machine that moves changes them.
    pub(super) fn of_this_machine() -> Result<Self, Fault> {
        Self::with(TokioResolver::builder_tokio()?)
    }

    /// These servers, and the hosts of this machine.
    pub(super) fn of(servers: ResolverConfig) -> Result<Self, Fault> {
        Self::with(TokioResolver::builder_with_config(servers, TokioRuntimeProvider::default()))
    }

    fn with(mut builder: hickory_resolver::ResolverBuilder<TokioRuntimeProvider>) -> Result<Self, Fault> {
        let options = builder.options_mut();
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        options.timeout = TRY;
        options.attempts = TRIES;
        options.try_tcp_on_error = true;
        Ok(Self { resolver: builder.build()? })
    }

    /// The addresses of a host, those of IPv4 first, each family in ascending order.
    pub(super) async fn addresses(&self, host: &str) -> Result<Answer<IpAddr>, Fault> {
        let found = patient(self.resolver.lookup_ip(absolute(host))).await?;
        let can_be_reached = |ip: &IpAddr| match ip {
            IpAddr::V4(ip) => !(ip.is_unspecified() || ip.is_multicast() || ip.is_broadcast()),
            IpAddr::V6(ip) => !(ip.is_unspecified() || ip.is_multicast()),
        };
        let mut answer = answer(found.as_lookup(), |data| data.ip_addr().filter(can_be_reached))?;
        answer.records.sort_unstable();
        answer.records.dedup();
        Ok(answer)
    }

    /// The services of a domain (RFC 3263 4.1).
    pub(super) async fn services(&self, domain: &str) -> Result<Answer<NAPTR>, Fault> {
        let found = patient(self.resolver.lookup(absolute(domain), RecordType::NAPTR)).await?;
        answer(&found, |data| if let RData::NAPTR(naptr) = data { Some(naptr.clone()) } else { None })
    }

    /// The servers of a service (RFC 2782).
    pub(super) async fn servers(&self, service: &str) -> Result<Answer<SRV>, Fault> {
        let found = patient(self.resolver.lookup(absolute(service), RecordType::SRV)).await?;
        answer(&found, |data| if let RData::SRV(srv) = data { Some(srv.clone()) } else { None })
    }
}

async fn patient<T>(question: impl Future<Output = Result<T, NetError>>) -> Result<T, Fault> {
    match timeout(PATIENCE, question).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Fault::Silent),
    }
}

/// A name with a dot is whole; another one is looked for in the domains of this machine too.
fn absolute(name: &str) -> String {
    let is_whole = !name.contains('.') || name.ends_with('.');
    if is_whole { name.to_owned() } else { format!("{name}.") }
}

/// The records that answer the question: those of its name, and of the names that it is another name of.
fn answer<T>(found: &Lookup, read: impl Fn(&RData) -> Option<T>) -> Result<Answer<T>, Fault> {
    let answers = || found.answers().iter().take(RECORDS_MAX);
    let mut names = vec![found.query().name()];
    let is_of = |record: &&Record, name: &Name| record.name == *name;
    for _ in 0..ALIASES_MAX {
        let last = names[names.len() - 1];
        let next = answers().filter(|record| is_of(record, last)).find_map(|record| match &record.data {
            RData::CNAME(cname) => Some(&cname.0),
            _ => None,
        });
        let Some(next) = next.filter(|next| !names.contains(next)) else { break };
        names.push(next);
    }
    let records: Vec<T> = answers()
        .filter(|record| names.contains(&&record.name))
        .filter_map(|record| read(&record.data))
        .collect();
    if records.is_empty() { Err(Fault::Nothing) } else { Ok(Answer { records, until: found.valid_until() }) }
}

/// How long one question may take, with all its tries.
const PATIENCE: Duration = Duration::from_secs(4);

/// How long one try may take.
const TRY: Duration = Duration::from_secs(2);

/// Tries after the first one.
const TRIES: usize = 1;

/// Records of one answer that are looked at: a domain with more is no carrier's.
const RECORDS_MAX: usize = 64;

/// Names that one name may lead to, one after the other.
const ALIASES_MAX: usize = 8;
