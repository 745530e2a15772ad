//! The vendor's own clients: Ksyun's Python packages place calls, and read what they are answered.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use carrier::{Carrier, Settings};
use huihu_tests::huihu::Installation;
use huihu_tests::operator::Operator;
use huihu_tests::receiver::{Receiver, Reply};
use serde_json::{Value, json};

#[test]
fn ksyuns_python_packages_place_calls_and_understand_refusals() {
    let carrier = Carrier::start(Settings::new("127.0.0.1:0".parse().expect("this is an address")));
    let carrier = carrier.expect("a carrier can be started");
    let installation = Installation::new(carrier.address());
    let server = installation.serve();
    let operator = Operator::of(&installation, &server);
    let receiver = Receiver::start();
    receiver.answer("report", |_| Reply::code(0));
    let demo = operator.app_named("demo");
    operator.open_all(&demo);
    operator.change_app(&demo, &json!({"report_url": receiver.url("report")}));
    let notice = operator.template_of("named", &demo, "尊敬的{name},订单{no}已发货", true);
    let menu = json!({"nodes": {"root": {"prompt": "您好{name}，结束请按零", "keys": {"0": "end"}}}});
    let menu = operator.template_of("menu", &demo, &menu.to_string(), true);
    let customer = installation.customer(&server);
    let (key, secret, token) = operator.temporary_key(&demo, 600);

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/ksyun/check.sh");
    let output = Command::new(script)
        .args([&server.http, &notice, &menu, BUSY])
        .envs([("ACCESS_KEY", customer.key), ("SECRET_KEY", customer.secret)])
        .envs([("TEMPORARY_KEY", key), ("TEMPORARY_SECRET", secret), ("TEMPORARY_TOKEN", token)])
        .output()
        .expect("there is a shell");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}\n{}", installation.log());

    let told: BTreeMap<String, Value> = String::from_utf8(output.stdout)
        .expect("what is printed is text")
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line is JSON"))
        .map(|told: Value| (told["call"].as_str().expect("a call has a name").to_owned(), told))
        .collect();
    let refused: BTreeMap<&str, &str> =
        told.iter().filter_map(|(call, told)| Some((call.as_str(), told["Code"].as_str()?))).collect();
    assert_eq!(
        refused,
        BTreeMap::from([
            ("sdk a wrong mobile", "InvalidMobile"),
            ("sdk a wrong secret", "SignatureDoesNotMatch"),
            ("sdk values as a dict", "MissingParameter"),
            ("kscore a wrong mobile", "InvalidMobile"),
        ])
    );
    let accepted: Vec<&str> = told.values().filter_map(|told| told["CallId"].as_str()).collect();
    assert_eq!(accepted.len(), 9, "three actions of two packages, and three more ways to ask: {told:#?}");
    for call in accepted {
        assert_eq!(receiver.report(call)["ErrCode"], 486, "{call}");
    }
    for call in ["sdk CallVerify", "kscore CallVerify"] {
        assert_eq!(told[call]["ExtId"], "sdk1");
    }
}

/// A mobile telephone that is busy.
const BUSY: &str = "13800000486";
