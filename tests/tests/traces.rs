//! Traces of calls: kept by a real server, drawn by the command line, and read by a tool that knows nothing of us.

use std::time::Duration;

use carrier::{Carrier, Settings};
use huihu_tests::huihu::Installation;
use huihu_tests::wait;
use pcap_parser::PcapCapture;
use serde_json::{Value, json};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

const A: &str = "+8613800000001";
const B: &str = "+8613800010002";

#[test]
fn a_call_is_drawn_with_its_messages_and_none_of_its_secrets() {
    let mut telephones = Settings::new("127.0.0.1:0".parse().expect("this is an address"));
    telephones.times = telephones.times.scaled(0.1);
    let carrier = Carrier::start(telephones).expect("a carrier can be started");
    let installation = Installation::new(carrier.address());
    installation.configure("\n[trace]\ncalls = \"all\"\nrtp_headers = true\n");
    let server = installation.serve();
    let customer = installation.customer(&server);
    let session = customer.callback(A, B, &json!({})).session();
    let show = |more: &[&str]| {
        let output = installation.run(&[&["record", "show", &session], more].concat());
        String::from_utf8(output.stdout).expect("what is printed is text")
    };
    // The trace is written a moment after the last fact.
    let text = wait::until("a ladder with all messages", PATIENCE, || {
        let text = show(&["--ladder"]);
        (text.contains("   over: ") && text.contains(": BYE")).then_some(text)
    });
    for line in [
        "A: INVITE with a body",
        "200 OK to INVITE",
        "B: ACK",
        "RTP from A: ",
        "RTP to B: ",
        "A and B hear each other",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    let ladder: Value = serde_json::from_str(&show(&["--ladder", "--json"])).expect("it is JSON");
    let rows = ladder["rows"].as_array().expect("there are rows");
    assert!(rows.iter().any(|row| row["kind"] == "message" && row["message"].as_str().is_some()));

    let (svg, pcap) = (installation.path("call.svg"), installation.path("call.pcap"));
    let paths = [&svg, &pcap].map(|path| path.to_string_lossy().into_owned());
    assert_eq!(show(&["--svg", &paths[0], "--pcap", &paths[1]]), "");
    let svg = std::fs::read_to_string(svg).expect("a picture is written");
    let file = std::fs::read(pcap).expect("a trace is written");
    let packets = PcapCapture::from_file(&file).expect("anybody can read it").blocks;
    assert!(packets.iter().any(|packet| packet.caplen < packet.origlen), "headers of RTP are in it");
    assert!(packets.is_sorted_by_key(|packet| (packet.ts_sec, packet.ts_usec)));
    let kept = [&file[..], svg.as_bytes(), text.as_bytes(), ladder.to_string().as_bytes()].concat();
    let kept = String::from_utf8_lossy(&kept);
    for number in [A, B] {
        assert!(!kept.contains(&number[1..]), "a number can be read");
    }
    let nobody = installation.complaint(&["record", "show", &"0".repeat(32), "--ladder"], &[]);
    assert!(nobody.contains("`huihu record list` shows the latest calls"), "{nobody}");
}

#[test]
fn who_wants_a_trace_that_was_not_kept_is_told_what_to_do() {
    let carrier = Carrier::start(Settings::new("127.0.0.1:0".parse().expect("this is an address")));
    let carrier = carrier.expect("a carrier can be started");
    let installation = Installation::new(carrier.address());
    let server = installation.serve();
    let session = installation.customer(&server).callback("+8613800000486", B, &json!({})).session();
    wait::until("the end of the call", PATIENCE, || {
        let drawn = installation.run(&["record", "show", &session, "--ladder"]);
        String::from_utf8_lossy(&drawn.stdout).contains("   over: ").then_some(())
    });
    let pcap = installation.path("call.pcap");
    let said = installation.complaint(&["record", "show", &session, "--pcap", &pcap.to_string_lossy()], &[]);
    assert!(said.contains("calls = \"all\" under [trace]") && !pcap.exists(), "{said}");
    assert!(
        !installation.path("data").join("traces").exists(),
        "nothing is kept unless somebody asks for it"
    );
}
