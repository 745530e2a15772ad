//! Whoever does not know a key's secret gets nothing done in its name: signed requests are changed in every way that we
//! could think of, by the hundred thousand, and a judge that knows what was signed looks at each that is accepted.
//!
//! ```text
//! World: apps with keys ─▶ Genuine: what they signed ─ mutations ─▶ WireRequest ─claim · look-up · prove─▶ accepted?
//!                             └──────────────────────── judge: was that signed, by that key, and lately? ◀────┘
//! ```
//!
//! A change may be harmless, such as another order of headers; then the request is accepted and means what was signed.
//! `HUIHU_FORGERIES=1000000 cargo test --release -p huihu-dialects --test forgeries -- --nocapture` is the long run;
//! `HUIHU_FORGERIES_SEED` begins it elsewhere.

#![expect(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

mod genuine;
mod judge;
mod mutations;
mod text;

use std::collections::BTreeMap;
use std::env;

use base::refusal::Refusal;
use base::time::Timestamp;
use huihu_dialects::Settings;
use huihu_dialects::{Claim, Credentials, Dialect};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use genuine::World;
use mutations::{Attempt, MUTATIONS};

/// How a request is proven: the dialect itself, or something weaker that the judge has to see through.
type Prove = fn(&dyn Dialect, &Claim, Option<&Credentials<'_>>, Timestamp, &Settings) -> Result<(), Refusal>;

fn honestly(
    dialect: &dyn Dialect,
    claim: &Claim,
    known: Option<&Credentials<'_>>,
    now: Timestamp,
    settings: &Settings,
) -> Result<(), Refusal> {
    dialect.prove(claim, known, now, settings)
}

/// What came of all attempts.
#[derive(Default)]
struct Outcome {
    attempts: usize,
    accepted: usize,
    /// Accepted and refused attempts by what was done to them first.
    by_kind: BTreeMap<&'static str, [usize; 2]>,
    wrong: Vec<String>,
}

/// Makes so many attempts, in worlds that follow from the seed.
fn attempt(requests: usize, seed: u64, prove: Prove) -> Outcome {
    let mut outcome = Outcome::default();
    for seed in seed.. {
        let mut rng = SmallRng::seed_from_u64(seed);
        let world = World::new(&mut rng);
        for _ in 0..ATTEMPTS_PER_WORLD {
            if outcome.attempts == requests {
                return outcome;
            }
            let mut attempt = Attempt::new(&world, &mut rng);
            let (kind, mutate) = MUTATIONS[rng.random_range(0..MUTATIONS.len())];
            mutate(&mut attempt, &world, &mut rng);
            for _ in 0..rng.random_range(0..3) {
                let (_, mutate) = MUTATIONS[rng.random_range(0..MUTATIONS.len())];
                mutate(&mut attempt, &world, &mut rng);
            }
            let verdict = judge::judge(&attempt, &world, prove);
            outcome.attempts += 1;
            let of_kind = outcome.by_kind.entry(kind).or_default();
            of_kind[usize::from(verdict == judge::Verdict::Refused)] += 1;
            match verdict {
                judge::Verdict::Refused => {}
                judge::Verdict::Genuine => outcome.accepted += 1,
                judge::Verdict::Forged(why) => {
                    outcome.wrong.push(format!("{why}, after {kind}, in world {seed}: {}", attempt.shown()));
                }
            }
        }
    }
    unreachable!("there are more seeds than anybody attempts")
}

/// Attempts before other apps, keys and requests are made.
const ATTEMPTS_PER_WORLD: usize = 500;

/// Attempts of a run that takes some seconds.
const ATTEMPTS: usize = 20_000;

fn asked(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

#[test]
fn nothing_is_accepted_that_was_not_signed() {
    let requests = asked("HUIHU_FORGERIES").map_or(ATTEMPTS, |requests| usize::try_from(requests).unwrap());
    let outcome = attempt(requests, asked("HUIHU_FORGERIES_SEED").unwrap_or(1), honestly);
    println!("mutated={} accepted={} wrongly={}", outcome.attempts, outcome.accepted, outcome.wrong.len());
    for (kind, [accepted, refused]) in &outcome.by_kind {
        println!("  {kind:<28} accepted {accepted:>7} refused {refused:>7}");
    }
    assert_eq!(outcome.wrong, Vec::<String>::new());
    // Harmless changes are accepted, dangerous ones are not: otherwise something else refuses everything.
    assert!(outcome.accepted * 50 > outcome.attempts, "hardly anything is accepted");
    assert!(outcome.accepted * 2 < outcome.attempts, "hardly anything is changed");
}

#[test]
fn what_was_signed_is_accepted_as_it_was_signed() {
    for seed in 0..20 {
        let mut rng = SmallRng::seed_from_u64(seed);
        let world = World::new(&mut rng);
        for at in 0..world.genuine.len() {
            let attempt = Attempt::of(&world, at);
            let verdict = judge::judge(&attempt, &world, honestly);
            assert_eq!(verdict, judge::Verdict::Genuine, "{}", attempt.shown());
        }
    }
}

/// The judge is worth something: it finds each of these doors that stand open.
#[test]
fn a_weaker_proof_is_found_out() {
    let open: &[(&str, Prove)] = &[
        ("any signature is good", |_, _, known, _, _| known.map(drop).ok_or(Refusal::UnknownKey)),
        ("any time is good", |dialect, claim, known, now, settings| {
            match dialect.prove(claim, known, now, settings) {
                Err(Refusal::StaleRequest | Refusal::StaleToken) => Ok(()),
                told => told,
            }
        }),
        ("half a signature is enough", |dialect, claim, known, now, settings| {
            match dialect.prove(claim, known, now, settings) {
                Err(Refusal::BadSignature) if judge::is_half(claim) => Ok(()),
                told => told,
            }
        }),
        ("a temporary key needs no token", |dialect, claim, known, now, settings| {
            match dialect.prove(claim, known, now, settings) {
                Err(Refusal::UnknownToken) => Ok(()),
                told => told,
            }
        }),
    ];
    for (door, prove) in open {
        let outcome = attempt(ATTEMPTS / 10, 1, *prove);
        assert!(!outcome.wrong.is_empty(), "{door}");
    }
}
