//! Where a request inside a dialog goes: route set, remote target, and the two ways to put them on the wire
//! (RFC 3261 12.2.1.1).

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use crate::message::{Scheme, Uri, uri_of};
use crate::transport::{Hop, Transport};

/// The proxies that want to stay in the path, in the order of sending. Each entry is a `name-addr` as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RouteSet(Box<[Box<str>]>);

/// Request URI and Route headers of one request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Path<'a> {
    pub(crate) request_uri: &'a str,
    pub(crate) routes: Vec<Cow<'a, str>>,
    /// The URI whose host gets the datagram.
    pub(crate) next: &'a str,
}

impl RouteSet {
    /// From the Record-Route values of a response to our request: reversed (RFC 3261 12.1.2).
    pub(crate) fn of_response(record_routes: Vec<String>) -> Self {
        Self(record_routes.into_iter().take(ROUTES_MAX).rev().map(String::into_boxed_str).collect())
    }

    /// From the Record-Route values of a request to us: as they stand (RFC 3261 12.1.1).
    pub(crate) fn of_request(record_routes: Vec<String>) -> Self {
        Self(record_routes.into_iter().take(ROUTES_MAX).map(String::into_boxed_str).collect())
    }

    /// From what was saved, in the order of sending.
    pub(crate) fn of_saved(routes: &[String]) -> Self {
        Self(routes.iter().take(ROUTES_MAX).map(|route| route.as_str().into()).collect())
    }

    /// The entries in the order of sending.
    pub(crate) fn to_strings(&self) -> Vec<String> {
        self.0.iter().map(|route| route.to_string()).collect()
    }

    /// The way to `target`. A first route without `lr` is a strict router: it becomes the request URI and the
    /// target the last route.
    pub(crate) fn path<'a>(&'a self, target: &'a str) -> Path<'a> {
        let Some((first, rest)) = self.0.split_first() else {
            return Path { request_uri: target, routes: Vec::new(), next: target };
        };
        let first_uri = uri_of(first);
        if is_loose(first_uri) {
            let routes = self.0.iter().map(|route| Cow::Borrowed(&**route)).collect();
            return Path { request_uri: target, routes, next: first_uri };
        }
        let rest = rest.iter().map(|route| Cow::Borrowed(&**route));
        let routes = rest.chain([Cow::Owned(format!("<{target}>"))]).collect();
        Path { request_uri: first_uri, routes, next: first_uri }
    }
}

/// The hop that a URI names by address; `None` for a host name or a scheme without a host. Where it says nothing of the
/// transport, or names one that is not among `ours`, the dialog stays with the one that it has.
pub(crate) fn hop_of(uri: &str, current: Transport, ours: &[Transport]) -> Option<Hop> {
    let uri = Uri::parse(uri.as_bytes()).filter(|uri| matches!(uri.scheme(), Scheme::Sip | Scheme::Sips))?;
    let told = match uri.scheme() {
        Scheme::Sips => Some(Transport::Tls),
        _ => uri.params().get("transport").and_then(Transport::of_param),
    };
    let transport = told.filter(|told| ours.contains(told)).unwrap_or(current);
    let host = str::from_utf8(uri.host()).ok()?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let socket =
        SocketAddr::new(host.parse::<IpAddr>().ok()?, uri.port().unwrap_or_else(|| transport.default_port()));
    // Nobody is reached there, and a datagram to it would leave by an interface of the system's choosing.
    let nobody = socket.port() == 0 || socket.ip().is_unspecified() || socket.ip().is_multicast();
    (!nobody).then_some(Hop::new(transport, socket))
}

/// Whether a route is a loose router.
fn is_loose(uri: &str) -> bool {
    Uri::parse(uri.as_bytes()).is_some_and(|uri| uri.is_loose())
}

/// Proxies in a path: a carrier has two or three; a longer list is a mistake or an attack on our datagram size.
const ROUTES_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(list: &[&str]) -> Vec<String> {
        list.iter().map(|route| (*route).to_owned()).collect()
    }

    fn shown(path: &Path<'_>) -> String {
        format!("{} | {} | {}", path.request_uri, path.routes.join(" "), path.next)
    }

    #[test]
    fn a_caller_reverses_the_record_routes() {
        let set = RouteSet::of_response(routes(&["<sip:10.0.0.3;lr>", "\"edge\" <sip:10.0.0.2;lr=on>"]));
        assert_eq!(
            shown(&set.path("sip:b@10.0.0.4")),
            "sip:b@10.0.0.4 | \"edge\" <sip:10.0.0.2;lr=on> <sip:10.0.0.3;lr> | sip:10.0.0.2;lr=on"
        );
    }

    #[test]
    fn a_strict_router_becomes_the_request_uri() {
        let set = RouteSet::of_request(routes(&["<sip:10.0.0.2>", "<sip:10.0.0.3;lr>"]));
        assert_eq!(
            shown(&set.path("sip:b@10.0.0.4")),
            "sip:10.0.0.2 | <sip:10.0.0.3;lr> <sip:b@10.0.0.4> | sip:10.0.0.2"
        );
    }

    #[test]
    fn without_routes_the_target_is_everything() {
        assert_eq!(shown(&RouteSet::default().path("sip:b@h")), "sip:b@h |  | sip:b@h");
    }

    #[test]
    fn addresses_are_sockets_and_names_are_not() {
        let socket = |uri| hop_of(uri, Transport::Udp, &[]).map(|hop| hop.address.to_string());
        assert_eq!(socket("sip:1@10.0.0.4:5070;lr"), Some("10.0.0.4:5070".to_owned()));
        assert_eq!(socket("sip:10.0.0.4"), Some("10.0.0.4:5060".to_owned()));
        assert_eq!(socket("sip:a:b@[2001:db8::1]:7;x=y?h=1"), Some("[2001:db8::1]:7".to_owned()));
        assert_eq!(socket("sip:a@[2001:db8::1]"), Some("[2001:db8::1]:5060".to_owned()));
        for nobody in
            ["sip:a@example.com", "tel:+8610", "sip:0.0.0.0", "sip:10.0.0.1:0", "sip:224.0.0.1", "", "sip:"]
        {
            assert_eq!(socket(nobody), None, "{nobody}");
        }
    }

    #[test]
    fn the_transport_is_what_the_uri_says_or_what_it_was() {
        let all = [Transport::Udp, Transport::Tcp, Transport::Tls];
        let hop = |uri, current| hop_of(uri, current, &all).map(|hop| hop.to_string()).unwrap_or_default();
        assert_eq!(hop("sip:10.0.0.4;transport=TCP", Transport::Udp), "10.0.0.4:5060 by TCP");
        assert_eq!(hop("sip:10.0.0.4", Transport::Tls), "10.0.0.4:5061 by TLS");
        assert_eq!(hop("sip:10.0.0.4:5060", Transport::Tcp), "10.0.0.4:5060 by TCP");
        assert_eq!(hop("sips:10.0.0.4;transport=tcp", Transport::Udp), "10.0.0.4:5061 by TLS");
        let datagrams = hop_of("sips:10.0.0.4", Transport::Udp, &[Transport::Udp]);
        assert_eq!(datagrams.map(|hop| hop.to_string()), Some("10.0.0.4:5060 by UDP".to_owned()));
        assert_eq!(hop("sip:10.0.0.4;transport=sctp", Transport::Udp), "10.0.0.4:5060 by UDP");
    }
}
