//! What a far end does with SIP.

use std::sync::Arc;
use std::time::Duration;

use huihu_tests::ears;
use huihu_tests::handset::Handset;
use huihu_tests::scenario::Scenario;

use crate::table::{Row, Told};

pub(crate) fn rows() -> Vec<Row> {
    [timers(), offers(), forks(), questions(), refusals()].into_iter().flatten().collect()
}

/// A-law and events at a telephone's port.
pub(crate) fn sdp(telephone: &Handset, version: u8, formats: &str, direction: &str) -> String {
    format!(
        "v=0\no=- 1 {version} IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\n\
         m=audio {} RTP/AVP {formats}\na=rtpmap:101 telephone-event/8000\na={direction}\n",
        telephone.address().port()
    )
}

fn plain(telephone: &Handset) -> String {
    sdp(telephone, 1, "8 101", "sendrecv")
}

/// A telephone, and a scenario in which it was picked up with these headers.
fn answered(headers: &str) -> (Arc<Handset>, Scenario) {
    let telephone = Arc::new(Handset::new());
    let scenario =
        Scenario::called().replies_as("1", "180 Ringing", "", "").answers(headers, &plain(&telephone));
    (telephone, scenario)
}

/// What a telephone tells that knows session timers and wants us, or itself, to refresh.
const WE_REFRESH: &str = "Require: timer\nSession-Expires: 90;refresher=uac\n";
const THEY_REFRESH: &str = "Require: timer\nSession-Expires: 90;refresher=uas\n";
const UPDATE: &str = "Allow: INVITE, ACK, BYE, CANCEL, UPDATE\n";
const NO_UPDATE: &str = "Allow: INVITE, ACK, BYE, CANCEL\n";

/// Session timers (RFC 4028).
fn timers() -> Vec<Row> {
    let mut rows = Vec::new();

    let (_, far) = answered(&[WE_REFRESH, UPDATE].concat());
    let far = far.hears("UPDATE").replies("200 OK", WE_REFRESH, "").hangs_up();
    rows.push(
        Row::new("session timer: we refresh by UPDATE", far, ">INVITE <180 <200 >ACK >UPDATE <200 <BYE >200")
            .and(|told| {
                assert_eq!(told.message("UPDATE", 0).header("Session-Expires"), "90;refresher=uac");
            }),
    );

    let (telephone, far) = answered(&[WE_REFRESH, NO_UPDATE].concat());
    let answer = sdp(&telephone, 1, "8 101", "sendrecv");
    let far = far.hears("INVITE").replies("200 OK", WE_REFRESH, &answer).hears("ACK").hangs_up();
    rows.push(Row::new(
        "session timer: we refresh by re-INVITE",
        far,
        ">INVITE <180 <200 >ACK >INVITE <200 >ACK <BYE >200",
    ));

    let (telephone, far) = answered(&[WE_REFRESH, NO_UPDATE].concat());
    let answer = plain(&telephone);
    let far = far
        .hears("INVITE")
        .replies("491 Request Pending", "", "")
        .hears("ACK")
        .hears("INVITE")
        .replies("200 OK", WE_REFRESH, &answer)
        .hears("ACK")
        .hangs_up();
    rows.push(Row::new(
        "glare: our re-INVITE meets theirs and comes again",
        far,
        ">INVITE <180 <200 >ACK >INVITE <491 >ACK >INVITE <200 >ACK <BYE >200",
    ));

    let (telephone, far) = answered(&[WE_REFRESH, NO_UPDATE].concat());
    let answer = plain(&telephone);
    let far = far
        .hears_first("INVITE")
        .asks("INVITE", "", &answer)
        .gets(491)
        .regrets()
        .replies_late("200 OK", WE_REFRESH, &answer)
        .hears("ACK")
        .hangs_up();
    rows.push(Row::new(
        "glare: their re-INVITE meets ours and is refused",
        far,
        ">INVITE <180 <200 >ACK >INVITE <INVITE >491 <ACK <200 >ACK <BYE >200",
    ));

    let (_, far) = answered(&[THEY_REFRESH, UPDATE].concat());
    let refresh = "Supported: timer\nSession-Expires: 90;refresher=uac\n";
    let far = far.asks("UPDATE", refresh, "").gets(200).hangs_up();
    rows.push(
        Row::new(
            "session timer: they refresh by UPDATE",
            far,
            ">INVITE <180 <200 >ACK <UPDATE >200 <BYE >200",
        )
        .and(|told| assert_eq!(told.message("SIP/2.0 200", 1).header("Session-Expires"), "90;refresher=uac")),
    );

    let (telephone, far) = answered(&[THEY_REFRESH, NO_UPDATE].concat());
    let far = far.asks("INVITE", refresh, &plain(&telephone)).gets(200).confirms("").hangs_up();
    rows.push(
        Row::new(
            "session timer: they refresh by re-INVITE",
            far,
            ">INVITE <180 <200 >ACK <INVITE >200 <ACK <BYE >200",
        )
        .and(|told| assert_eq!(told.message("SIP/2.0 200", 1).header("Session-Expires"), "90;refresher=uac")),
    );

    let (_, far) = answered(&[THEY_REFRESH, UPDATE].concat());
    rows.push(
        Row::new(
            "session timer: they do not refresh, and the call ends",
            far.is_hung_up(),
            ">INVITE <180 <200 >ACK >BYE <200",
        )
        .and(|told| assert!(told.ladder.contains("A gone"), "{}", told.ladder)),
    );

    let telephone = Handset::new();
    let far = Scenario::called().replies("422 Session Interval Too Small", "Min-SE: 3600\n", "").hears("ACK");
    let far = far
        .then(&Scenario::called())
        .answers("Require: timer\nSession-Expires: 3600;refresher=uas\n", &plain(&telephone))
        .hangs_up();
    rows.push(
        Row::new(
            "422: too short a session is asked for once more",
            far,
            ">INVITE <422 >ACK >INVITE <200 >ACK <BYE >200",
        )
        .and(|told| {
            let second = told.message("INVITE", 1);
            assert_eq!((second.header("Min-SE"), second.header("Session-Expires")), ("3600", "3600"));
        }),
    );

    let (_, far) = answered(UPDATE);
    let far = far.asks("UPDATE", "Supported: timer\nSession-Expires: 30\n", "").gets(422).hangs_up();
    rows.push(
        Row::new(
            "422: too short a session of theirs is refused",
            far,
            ">INVITE <180 <200 >ACK <UPDATE >422 <BYE >200",
        )
        .and(|told| assert_eq!(told.message("SIP/2.0 422", 0).header("Min-SE"), "90")),
    );
    rows
}

/// New descriptions in the middle of a call.
fn offers() -> Vec<Row> {
    let mut rows = Vec::new();

    let (telephone, far) = answered("");
    let far = far
        .rests(500)
        .asks("INVITE", "", &sdp(&telephone, 2, "8 101", "sendonly"))
        .gets(200)
        .confirms("")
        .rests(1_500)
        .asks("INVITE", "", &sdp(&telephone, 3, "8 101", "sendrecv"))
        .gets(200)
        .confirms("")
        .rests(1_500)
        .hangs_up();
    rows.push(
        Row::new(
            "re-INVITE: hold and resume",
            far,
            ">INVITE <180 <200 >ACK <INVITE >200 <ACK <INVITE >200 <ACK <BYE >200",
        )
        .while_(move || {
            telephone.hears(PCMA, 60);
            assert!(telephone.longest_pause() > Duration::from_secs(1), "a held telephone hears nothing");
        })
        .and(|told| {
            assert!(told.message("SIP/2.0 200", 1).text.contains("a=recvonly"), "held");
            assert!(told.message("SIP/2.0 200", 2).text.contains("a=sendrecv"), "resumed");
        }),
    );

    let (telephone, far) = answered("");
    let far = far
        .rests(500)
        .asks("INVITE", "", &sdp(&telephone, 2, "0 101", "sendrecv"))
        .gets(200)
        .confirms("")
        .rests(1_500)
        .hangs_up();
    rows.push(
        Row::new("re-INVITE: another codec", far, ">INVITE <180 <200 >ACK <INVITE >200 <ACK <BYE >200")
            .while_(move || {
                telephone.hears(PCMA, 5);
                telephone.hears(PCMU, 20);
            })
            .and(|told| assert!(told.message("SIP/2.0 200", 1).text.contains("RTP/AVP 0"), "mu-law")),
    );

    let (telephone, far) = answered("");
    let elsewhere = Handset::new();
    let far = far
        .rests(500)
        .asks("INVITE", "", &sdp(&elsewhere, 2, "8 101", "sendrecv"))
        .gets(200)
        .confirms("")
        .rests(1_500)
        .hangs_up();
    rows.push(
        Row::new("re-INVITE: another address", far, ">INVITE <180 <200 >ACK <INVITE >200 <ACK <BYE >200")
            .while_(move || {
                telephone.hears(PCMA, 5);
                elsewhere.hears(PCMA, 40);
                assert!(ears::spoken(&elsewhere.heard()).len() > 100, "the prompt is heard there");
            }),
    );

    let (telephone, far) = answered("");
    let elsewhere = Handset::new();
    let far = far
        .asks("INVITE", "", "")
        .gets(200)
        .confirms(&sdp(&elsewhere, 2, "8 101", "sendrecv"))
        .rests(1_500)
        .hangs_up();
    rows.push(
        Row::new(
            "re-INVITE without SDP: we offer, the ACK answers",
            far,
            ">INVITE <180 <200 >ACK <INVITE >200 <ACK <BYE >200",
        )
        .while_(move || {
            elsewhere.hears(PCMA, 20);
            drop(telephone);
        })
        .and(|told| assert!(told.message("SIP/2.0 200", 1).text.contains("m=audio"), "an offer of ours")),
    );

    let (telephone, far) = answered(UPDATE);
    let elsewhere = Handset::new();
    let far =
        far.asks("UPDATE", "", &sdp(&elsewhere, 2, "8 101", "sendrecv")).gets(200).rests(1_500).hangs_up();
    rows.push(
        Row::new(
            "UPDATE after the answer: another address",
            far,
            ">INVITE <180 <200 >ACK <UPDATE >200 <BYE >200",
        )
        .while_(move || {
            elsewhere.hears(PCMA, 20);
            drop(telephone);
        }),
    );

    let (telephone, elsewhere) = (Handset::new(), Handset::new());
    let far = Scenario::called()
        .replies_as("1", "183 Session Progress", "Require: 100rel\nRSeq: 1\n", &plain(&telephone))
        .hears("PRACK")
        .replies("200 OK", "", "")
        .asks_early("UPDATE", "", &sdp(&elsewhere, 2, "8 101", "sendrecv"))
        .gets(200)
        .answers("", "")
        .rests(1_000)
        .hangs_up();
    rows.push(
        Row::new(
            "UPDATE before the answer, after a PRACK",
            far,
            ">INVITE <183 >PRACK <200 <UPDATE >200 <200 >ACK <BYE >200",
        )
        .while_(move || {
            elsewhere.hears(PCMA, 20);
            drop(telephone);
        }),
    );
    rows
}

/// Several telephones before one answers.
fn forks() -> Vec<Row> {
    let mut rows = Vec::new();

    let (first, second) = (Handset::new(), Handset::new());
    let far = Scenario::called()
        .replies_as("1", "183 Session Progress", "", &plain(&first))
        .rests(300)
        .replies_as("2", "183 Session Progress", "", &plain(&second))
        .rests(300)
        .answers_as("2", "", &plain(&second))
        .rests(1_500)
        .hangs_up();
    rows.push(
        Row::new(
            "early media of two telephones, and the second one answers",
            far,
            ">INVITE <183 <183 <200 >ACK <BYE >200",
        )
        .while_(move || {
            second.hears(PCMA, 40);
            let before = first.packets(PCMA);
            second.hears(PCMA, 10);
            assert!(first.packets(PCMA) <= before + 1, "who did not answer hears nothing");
        }),
    );

    let telephone = Handset::new();
    let far = Scenario::called()
        .replies_as("1", "183 Session Progress", "P-Early-Media: inactive\n", &plain(&telephone))
        .rests(300)
        .replies_as("1", "183 Session Progress", "P-Early-Media: sendrecv\n", "")
        .rests(300)
        .answers("", "")
        .rests(1_000)
        .hangs_up();
    rows.push(
        Row::new(
            "P-Early-Media: inactive, then allowed, then answered without SDP",
            far,
            ">INVITE <183 <183 <200 >ACK <BYE >200",
        )
        .while_(move || telephone.hears(PCMA, 20)),
    );
    rows
}

/// Requests inside a call that change nothing.
fn questions() -> Vec<Row> {
    let mut rows = Vec::new();
    let allow = |told: &Told| {
        let refused = told.message("SIP/2.0 405", 0);
        assert!(refused.header("Allow").contains("INVITE, ACK"), "{}", refused.text);
    };
    for (item, method, headers) in [
        ("REFER is refused, and the call goes on", "REFER", "Refer-To: <sip:+8613800009999@127.0.0.1>\n"),
        ("an unknown method is refused, and the call goes on", "FROBNICATE", ""),
        ("MESSAGE is refused, and the call goes on", "MESSAGE", ""),
    ] {
        let (_, far) = answered("");
        let story = match method {
            "REFER" => ">INVITE <180 <200 >ACK <REFER >405 <BYE >200",
            "MESSAGE" => ">INVITE <180 <200 >ACK <MESSAGE >405 <BYE >200",
            _ => ">INVITE <180 <200 >ACK <FROBNICATE >405 <BYE >200",
        };
        rows.push(Row::new(item, far.asks(method, headers, "").gets(405).hangs_up(), story).and(allow));
    }

    let (_, far) = answered("");
    let far = far
        .asks("INFO", "", "")
        .gets(200)
        .asks("INFO", "Content-Type: application/media_control+xml\n", "<x/>")
        .gets(415)
        .hangs_up();
    rows.push(
        Row::new(
            "INFO without a key: a sign of life, and what we do not know",
            far,
            ">INVITE <180 <200 >ACK <INFO >200 <INFO >415 <BYE >200",
        )
        .and(|told| assert!(told.message("SIP/2.0 415", 0).header("Accept").contains("application/dtmf"))),
    );

    let (_, far) = answered("");
    let far = far.asks("OPTIONS", "", "").gets(200).hangs_up();
    rows.push(Row::new("OPTIONS in a call", far, ">INVITE <180 <200 >ACK <OPTIONS >200 <BYE >200"));

    let (_, far) = answered(&[THEY_REFRESH, UPDATE].concat());
    let challenge = "WWW-Authenticate: Digest realm=\"test\", nonce=\"abc\", qop=\"auth\", algorithm=MD5\n";
    let far = far.hears("BYE").replies("401 Unauthorized", challenge, "").is_hung_up();
    rows.push(
        Row::new(
            "a challenge inside the call is answered",
            far,
            ">INVITE <180 <200 >ACK >BYE <401 >BYE <200",
        )
        .and(|told| {
            let proof = told.message("BYE", 1).header("Authorization").to_owned();
            assert!(proof.contains("username=\"huihu\"") && proof.contains("nonce=\"abc\""), "{proof}");
        }),
    );
    rows
}

/// Calls that come to nothing by the first way.
fn refusals() -> Vec<Row> {
    let mut rows = Vec::new();

    let moved = Scenario::called()
        .replies("302 Moved Temporarily", "Contact: <sip:+8613800009999@127.0.0.1:9>\n", "")
        .hears("ACK");
    rows.push(
        Row::new("3xx: not followed, and told as the trunk's failure", moved.clone(), ">INVITE <302 >ACK")
            .and(|told| assert_eq!(told.record["legs"]["a"]["sip_status"], 302, "{}", told.record)),
    );

    let (_, next) = answered("");
    let mut row = Row::new("3xx: the next trunk is asked", moved, ">INVITE <180 <200 >ACK <BYE >200");
    row.next = Some(next.hangs_up());
    rows.push(row);

    let telephone = Handset::new();
    let far = Scenario::called()
        .replies_as("1", "183 Session Progress", "Reason: Q.850;cause=17\n", &plain(&telephone))
        .rests(500)
        .replies_as("1", "480 Temporarily Unavailable", "", "")
        .hears("ACK");
    rows.push(Row::new("Reason in a 183 tells why a 480 came", far, ">INVITE <183 <480 >ACK").and(|told| {
        let leg = &told.record["legs"]["a"];
        assert_eq!((leg["q850"].as_i64(), leg["cause"].as_str()), (Some(17), Some("busy")), "{leg}");
    }));
    rows
}

const PCMA: u8 = 8;
const PCMU: u8 = 0;
