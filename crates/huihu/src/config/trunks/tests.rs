use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    trunk: OneTrunk,
    #[serde(default)]
    trunks: Vec<Trunk>,
}

fn read_text(text: &str) -> Result<Vec<ReadTrunk>> {
    let file: File = toml::from_str(text).map_err(|fault| anyhow!("{}", fault.message()))?;
    read(&file.trunk, &file.trunks)
}

/// The complaint about a trunk with these lines.
#[track_caller]
fn complaint(lines: &str) -> String {
    let text = format!("[[trunks]]\nname = \"near\"\npeers = [\"192.0.2.1:5060\"]\n{lines}\n");
    read_text(&text).unwrap_err().to_string()
}

#[test]
fn the_one_trunk_is_a_trunk_that_takes_everything() {
    let read = read_text("[trunk]\npeer = \"192.0.2.1:5060\"").unwrap();
    assert_eq!((&*read[0].settings.name, &read[0].settings.routes), ("trunk", &vec![Route::everything()]));
    assert_eq!(read[0].settings.probe, None, "it is not asked");
    assert!(read_text("").unwrap().is_empty());
}

#[test]
fn a_trunk_has_everything_that_stands_there() {
    let text = r#"
        [trunk]
        peer = "192.0.2.9:5060"
        [[trunks]]
        name = "mobile"
        peers = ["192.0.2.1:5060", "sip.example.com:5080", "[2001:db8::1]:5060"]
        domain = "ims.example.com"
        username = "us"
        password = "secret"
        register = true
        sources = ["192.0.2.2", "203.0.113.0/24", "2001:db8::/32"]
        max_calls = 200
        calls_per_second = 10
        dialled = ["national", { add = "9" }]
        shown = [{ strip = "+86" }, "digits"]
        from_host = "trunk"
        asserted_identity = true
        privacy = true
        srtp = "required"
        codecs = ["g722", "opus", "PCMA"]
        silence_secs = 3
        routes = [{ prefixes = ["+861"], weight = 7 }, { priority = 9 }]
    "#;
    let read = read_text(text).unwrap();
    let ReadTrunk { settings, peers, .. } = &read[1];
    assert_eq!(peers[1], Peer::Named { host: "sip.example.com".to_owned(), port: Some(5080) });
    let sources: Vec<String> = settings.sources.iter().map(ToString::to_string).collect();
    assert_eq!(sources, ["192.0.2.2/32", "203.0.113.0/24", "2001:db8::/32"]);
    assert_eq!(settings.dialled, [Step::National, Step::Add("9".into())]);
    assert_eq!(settings.shown, [Step::Strip("+86".into()), Step::Digits]);
    assert_eq!(settings.probe, Some(Probe { every: Duration::from_secs(30), misses: 3 }));
    let routes: Vec<_> =
        settings.routes.iter().map(|route| (&*route.prefixes[0], route.priority, route.weight)).collect();
    assert_eq!(routes, [("+861", 1, 7), ("+", 9, 1)]);
    assert_eq!((settings.calls_max, settings.calls_per_second), (Some(200), Some(10)));
    assert_eq!(
        settings.identity,
        Identity { host: FromHost::Trunk, asserted: true, privacy: Privacy::Withheld }
    );
    assert_eq!(settings.codecs, [Codec::G722, Codec::Opus, Codec::Pcma]);
    assert_eq!(read[0].settings.codecs, CODECS);
    assert_eq!((read[0].settings.srtp, settings.srtp), (Srtp::Off, Srtp::Required));
    let lasts = Duration::from_secs(3_600);
    assert_eq!(settings.registration, Some(Registration { user: "us".to_owned(), lasts }));
    assert!(settings.credentials.is_some() && !format!("{settings:?}").contains("secret"));
}

#[test]
fn a_gateways_certificate_is_for_what_was_said_or_its_name_or_the_domain() {
    let name = |lines: &str, host: Option<&str>| {
        let peers = "peers = [\"192.0.2.1:5061\"]\ntransport = \"tls\"";
        let read = read_text(&format!("[[trunks]]\nname = \"near\"\n{peers}\n{lines}\n")).unwrap().remove(0);
        assert!(read.settings.tls.is_some() && read.transports == [Transport::Tls] && !read.takes_tcp());
        read.certificate_name(host).unwrap_or_else(|| "its address".into()).to_string()
    };
    let domain = "domain = \"ims.example.com\"";
    assert_eq!(name("", None), "its address");
    assert_eq!(name(domain, None), "ims.example.com");
    assert_eq!(name(domain, Some("sip.example.com")), "sip.example.com");
    let told = format!("{domain}\ntls_name = \"sbc.example.com\"");
    assert_eq!(name(&told, Some("sip.example.com")), "sbc.example.com");
}

#[test]
fn what_cannot_be_a_trunk_is_a_sentence_with_the_fix() {
    for (lines, words) in [
        ("username = \"us\"", &["\"near\"", "set both"][..]),
        ("register = true", &["\"near\"", "username and password"]),
        ("register = true\nusername = \"us\"\npassword = \"x\"", &["\"near\"", "domain"]),
        (
            "register = true\nusername = \"us\"\npassword = \"x\"\ndomain = \"a.b\"\nexpires_secs = 9",
            &["expires_secs = 9", "60 to 86400"],
        ),
        ("transport = \"sctp\"", &["sctp", "udp"]),
        ("transport = \"any\"", &["\"near\"", "no domain", "without a port"]),
        ("transport = \"tcp\"\nlarge_by_tcp = true", &["\"near\"", "large_by_tcp", "leave it away"]),
        ("tls_ca = \"ca.pem\"", &["tls_ca", "transport = \"tls\""]),
        ("transport = \"tls\"\ntls_key = \"key.pem\"", &["tls_certificate", "set both"]),
        (
            "transport = \"tls\"\ntls_ca = \"/nowhere/ca.pem\"",
            &["tls_ca", "/nowhere/ca.pem", "cannot be read"],
        ),
        ("transport = \"tls\"\ntls_name = \"a b\"", &["tls_name", "a b"]),
        ("external = \"outside\"", &["IP address"]),
        ("domain = \"a b\"", &["domain", "a b"]),
        ("max_calls = 0", &["max_calls"]),
        ("calls_per_second = 10001", &["calls_per_second", "10000"]),
        ("options_misses = 0", &["options_misses", "1 to 100"]),
        ("options_secs = 86401", &["options_secs"]),
        ("silence_secs = 0", &["silence_secs", "1 to 32"]),
        ("dialled = [{ add = \"0#\" }]", &["dialled", "0#"]),
        ("shown = [{ strip = \"\" }]", &["shown"]),
        ("dialled = [\"nationale\"]", &["nationale", "national"]),
        ("routes = [{ prefixes = [] }]", &["[\"+\"]"]),
        ("routes = [{ prefixes = [\"86\"] }]", &["86", "+8610"]),
        ("routes = [{ weight = 0 }]", &["weight 0"]),
        ("codecs = [\"G729\"]", &["\"near\"", "G729", "PCMA, PCMU, G722, opus"]),
        ("codecs = [\"PCMA\", \"pcma\"]", &["pcma", "twice"]),
        ("codecs = []", &["no codecs"]),
        ("sources = [\"host\"]", &["\"near\"", "host", "203.0.113.0/24"]),
        ("sources = [\"203.0.113.0/33\"]", &["203.0.113.0/33", "no address"]),
        ("sources = [\"0.0.0.0/0\"]", &["0.0.0.0/0", "strangers"]),
        ("sources = [\"2000::/3\"]", &["2000::/3", "strangers"]),
        ("[[trunks]]\nname = \"near\"\npeers = [\"192.0.2.1:5060\"]", &["two trunks", "near"]),
        ("[[trunks]]\nname = \"a b\"\npeers = [\"192.0.2.1:5060\"]", &["a b", "letters"]),
        ("[[trunks]]\nname = \"far\"\npeers = []", &["\"far\"", "1 to 8"]),
        ("[trunk]\nusername = \"us\"", &["[trunk]", "set both"]),
    ] {
        let said = complaint(lines);
        assert!(words.iter().all(|word| said.contains(word)), "{lines}: {said}");
    }
    for bad in
        ["192.0.2.1", "192.0.2.256:5060", "sip.example.com:", "host:0", "host:x", "a b:5060", ":5060", "a b"]
    {
        let said = read_text(&format!("[[trunks]]\nname = \"far\"\npeers = [\"{bad}\"]")).unwrap_err();
        assert!(said.to_string().contains("write it as 203.0.113.9:5060"), "{bad}: {said}");
    }
    let crowd: String =
        (0..65).map(|at| format!("[[trunks]]\nname = \"t{at}\"\npeers = [\"192.0.2.1:5060\"]\n")).collect();
    assert!(read_text(&crowd).unwrap_err().to_string().contains("65 trunks"));
}
