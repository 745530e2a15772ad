//! What a record says of losses is what got lost: the test loses a known part of each way between us and a telephone.

use huihu_tests::baresip::Baresip;
use huihu_tests::relay::{Relay, score};
use huihu_tests::wait;
use serde_json::Value;

use crate::conversation::{A, B, PATIENCE, Platform};

#[test]
fn the_figures_of_a_record_are_what_the_network_did() {
    let (a, mut b) = (Baresip::start(&[A]), Baresip::start(&[B]));
    let networks = [Relay::start(a.address(), [0.08, 0.06]), Relay::start(b.address(), [0.15, 0.0])];
    let trunks = networks.iter().zip([A, B]).map(|(network, line)| {
        format!(
            "[[trunks]]\nname = \"bad{}\"\npeers = [\"{}\"]\nsources = [\"127.0.0.1\"]\n\
             routes = [{{ prefixes = [\"{}\"] }}]\n",
            &line.number[1..],
            network.address(),
            line.number
        )
    });
    let platform = Platform::new(&trunks.collect::<String>());
    let session = platform.connect();
    b.rings(B.number);
    b.pick_up(B.number);
    b.talks(B.number);
    // Reports come every five seconds.
    wait::until("reports from both", 3 * PATIENCE, || {
        networks.iter().all(|network| network.lost()[0].reported.0 > 600).then_some(())
    });
    b.hang_up(B.number);
    a.is_released(A.number);
    let record = platform.record();
    assert_eq!(record["session"].as_str(), Some(&*session));
    let [of_a, of_b] = networks.each_ref().map(Relay::lost);
    for (leg, [said, heard], [_, passed_on]) in [("a", of_a, of_b), ("b", of_b, of_a)] {
        let media = &record["legs"][leg]["media"];
        println!("{leg}: {said:?}, {heard:?}: {media}");
        agrees(leg, "heard", &media["heard"], heard.lost);
        // Packets that a busy machine carries late are lost to a listener too, and lower the score.
        let (told, most) = (mos(&media["heard"]), score(share(heard.lost, heard.sent)));
        assert!(told <= 1.1 * most, "{leg} heard: MOS {told}, and not {most:.2}");
        // What we did not hear of the other one we could not pass on: his listener misses it too.
        let (sent, lost) = said.reported;
        let (sent, lost) = (sent + passed_on.lost, lost + passed_on.lost);
        agrees(leg, "said", &media["said"], lost);
        let (told, expected) = (mos(&media["said"]), score(share(lost, sent)));
        assert!((told - expected).abs() <= 0.1 * expected, "{leg} said: MOS {told}, and not {expected:.2}");
    }
}

/// So many packets of one direction are told to be lost.
#[track_caller]
fn agrees(leg: &str, way: &str, told: &Value, lost: u32) {
    let told_lost = told["lost"].as_f64().expect("a number of packets");
    let off = (told_lost - f64::from(lost)).abs();
    assert!(off <= 0.1 * f64::from(lost), "{leg} {way}: {told_lost} lost, and not {lost}: {told}");
}

fn mos(told: &Value) -> f64 {
    told["mos"].as_f64().expect("a score")
}

fn share(lost: u32, sent: u32) -> f64 {
    f64::from(lost) / f64::from(sent)
}
