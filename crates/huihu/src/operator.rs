//! What the operator's API asks of the running platform: the road, seen from the other side of the counter.

use std::net::IpAddr;

use admission::{Finding, Visit};
use base::account::Account;
use base::order::{Order, Placing};
use base::refusal::Refusal;
use base::time::Timestamp;
use base::trunk::TrunkView;
use console::{Asked, Explained, Host, HostCondition, House, Question, Trunk, Unexplained};
use delivery::HostState;
use dialects::{Dialect, Headers, WireRequest};
use rand::Rng;

use crate::config::ReadTrunk;
use crate::road::{Road, wall};

impl House for Road {
    fn live(&self) -> usize {
        self.engine.live()
    }

    fn trunks(&self) -> Vec<Trunk> {
        let views = self.engine.trunks().views(wall());
        let trunk = |(read, view): (&ReadTrunk, TrunkView)| Trunk {
            name: view.name,
            peers: read.peers.iter().map(|peer| peer.to_string().into()).collect(),
            domain: read.settings.domain.as_deref().map(Into::into),
            username: read.username.as_deref().map(Into::into),
            condition: view.condition,
            link: view.link,
            calls: view.calls,
            seen_as: view.seen_as,
            calls_max: read.settings.calls_max,
        };
        self.trunks.iter().zip(views).map(trunk).collect()
    }

    fn hosts(&self) -> Vec<Host> {
        let host = |state: HostState| Host {
            name: state.host,
            condition: match state.condition {
                delivery::HostCondition::Working => HostCondition::Working,
                delivery::HostCondition::Resting { until } => HostCondition::Resting { until },
                delivery::HostCondition::Probing => HostCondition::Probing,
            },
            failures: state.failures,
            failing_since: state.failing_since,
            last_fault: state.last_fault,
            taken: state.taken,
            failed: state.failed,
            in_flight: state.in_flight,
        };
        self.hosts.all().into_iter().map(host).collect()
    }

    fn bans(&self) -> Vec<(IpAddr, Timestamp)> {
        self.gate.bans(wall())
    }

    fn lift(&self, address: IpAddr) {
        self.gate.lift(address);
    }

    fn explain(&self, asked: &Asked) -> Result<Explained, Unexplained> {
        let account = self.accounts.by_app(asked.app, wall()).ok_or(Unexplained::NoAccount)?;
        match &asked.question {
            Question::Order { placing, phase } => {
                let visit = Visit {
                    peer: asked.from,
                    phase: *phase,
                    product: Some(placing.product.kind()),
                    now: wall(),
                    gate: &self.gate,
                };
                let findings = self.findings(placing, &account, &visit);
                Ok(Explained { unreadable: None, findings, answer: None })
            }
            Question::Request { method, path, query, body } => {
                let request = WireRequest {
                    id: rand::rng().random(),
                    method: method.clone(),
                    path: path.clone(),
                    query: query.clone(),
                    headers: Headers::from_iter([("Content-Type", content_type(body))]),
                    body: body.clone(),
                    peer: asked.from,
                };
                self.explain_request(&request, &account)
            }
        }
    }
}

impl Road {
    fn findings(&self, placing: &Placing, account: &Account, visit: &Visit<'_>) -> Vec<Finding> {
        let of_app = self.capacity.of(account.app.id);
        let desk = self.desk(&of_app, visit.now);
        admission::explain(placing, account, visit, &desk, rand::rng().random())
    }

    /// Judges a request as if it had been proven.
    fn explain_request(&self, request: &WireRequest, account: &Account) -> Result<Explained, Unexplained> {
        let dialect = dialects::owner(&request.path).ok_or(Unexplained::UnknownPath)?;
        let product = dialect.product(request).ok_or(Unexplained::NoCall)?;
        let phase = dialect.phase(request);
        let visit =
            Visit { peer: request.peer, phase, product: Some(product), now: wall(), gate: &self.gate };
        let placing = match dialect.read(request, account) {
            Ok(Order::Place(placing)) => placing,
            Ok(Order::Stop(_) | Order::Fetch(_) | Order::Check | Order::LogIn | Order::LogOut) => {
                return Err(Unexplained::NoCall);
            }
            Err(refusal) => {
                let answer = Some(self.answer(dialect, request, &refusal));
                return Ok(Explained { unreadable: Some(refusal), findings: Vec::new(), answer });
            }
        };
        let findings = self.findings(&placing, account, &visit);
        let first = findings.iter().find_map(|finding| finding.refusal.as_ref());
        let answer = first.map(|refusal| self.answer(dialect, request, refusal));
        Ok(Explained { unreadable: None, findings, answer })
    }

    /// What the customer would read.
    fn answer(&self, dialect: &dyn Dialect, request: &WireRequest, refusal: &Refusal) -> (u16, Vec<u8>) {
        let reply = dialect.write(request, Err(refusal), &self.settings);
        (reply.status, reply.body)
    }
}

/// What a body is taken for that comes without saying it: the dialects' requests are JSON objects or forms.
fn content_type(body: &[u8]) -> &'static str {
    match body.trim_ascii_start().first() {
        Some(b'{') => "application/json",
        Some(_) | None => "application/x-www-form-urlencoded",
    }
}
