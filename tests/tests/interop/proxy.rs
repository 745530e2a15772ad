//! Through Kamailio: we and the telephones register with it and prove who we are, requests follow its record routes, and
//! what one gateway does not take another one does.

use std::net::SocketAddr;

use huihu_tests::baresip::{Baresip, Line, Manner};
use huihu_tests::kamailio::{DOMAIN, Kamailio};
use huihu_tests::sipp::free_port;

use crate::conversation::{A, B, Platform};

/// A telephone that registers with a proxy, and is known there.
fn registered(proxy: &Kamailio, line: Line) -> Baresip {
    let manner = Manner { registrar: Some((proxy.address(), DOMAIN)), ..Manner::default() };
    let telephone = Baresip::start_as(&manner, &[line]);
    proxy.says(&format!("registered user {}", line.number));
    telephone
}

/// Nobody is there.
fn nowhere() -> SocketAddr {
    free_port()
}

#[test]
fn telephones_behind_a_proxy_hear_each_other() {
    let proxy = Kamailio::start(nowhere());
    let (a, mut b) = (registered(&proxy, A), registered(&proxy, B));
    let platform = Platform::new(&proxy.trunk("proxy", &[proxy.address()]));
    platform.trunk_is("working");
    let session = platform.connect();
    platform.they_talk(&session, &a, &mut b);
    let log = proxy.log();
    assert!(log.contains("asked REGISTER who it is") && log.contains("registered user huihu"), "{log}");
    assert!(log.contains("asked INVITE who it is"), "{log}");
    let relayed = |method: &str| log.matches(&format!("relayed {method} along its route")).count();
    assert_eq!((relayed("ACK"), relayed("BYE")), (2, 2), "{log}");
    assert!(!log.contains("turned"), "{log}");
}

#[test]
fn what_a_dead_telephone_does_not_take_the_second_gateway_does() {
    let mut second = Baresip::start(&[B]);
    let proxy = Kamailio::start(second.address());
    let a = registered(&proxy, A);
    drop(registered(&proxy, B));
    let platform = Platform::new(&proxy.trunk("proxy", &[proxy.address()]));
    let session = platform.connect();
    platform.they_talk(&session, &a, &mut second);
    assert!(proxy.log().contains("the telephone failed: the second gateway"), "{}", proxy.log());
}

#[test]
fn a_second_proxy_takes_what_the_first_one_does_not() {
    let first = Kamailio::start(nowhere());
    let second = Kamailio::start(nowhere());
    let (a, mut b) = (registered(&second, A), registered(&second, B));
    let platform = Platform::new(&first.trunk("proxy", &[first.address(), second.address()]));
    platform.trunk_is("working");
    drop(first);
    let session = platform.connect();
    platform.they_talk(&session, &a, &mut b);
}
