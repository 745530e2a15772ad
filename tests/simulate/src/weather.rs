//! What a network does to datagrams: it loses them, doubles them, holds them up, and now and then lets none through.

use std::time::Duration;

use base::time::Instant;
use rand::Rng;
use rand::rngs::SmallRng;
use smallvec::SmallVec;

/// The weather on one kind of road, drawn once for a world.
#[derive(Clone, Debug, Default)]
pub(crate) struct Weather {
    /// Of 1.
    loss: f64,
    twice: f64,
    delay: Duration,
    /// What a datagram may take longer: those that leave soon after each other overtake each other.
    jitter: Duration,
    /// How many come so late that nobody waits for them any more. Of 1.
    stray: f64,
    outages: Vec<(Instant, Instant)>,
}

impl Weather {
    /// Fair, rough or bad, and sometimes with outages.
    pub(crate) fn draw(rng: &mut SmallRng) -> Self {
        let badness = [0.0, 0.0, 0.02, 0.1, 0.3][rng.random_range(0..5)];
        let mut outages = Vec::new();
        if rng.random_bool(0.25) {
            let from = Instant::from_millis(rng.random_range(1_000..40_000));
            let length =
                Duration::from_millis(*[300, 2_000, 12_000].get(rng.random_range(0..3)).unwrap_or(&0));
            outages.push((from, from + length));
        }
        Self {
            loss: badness * rng.random::<f64>(),
            twice: badness * rng.random::<f64>() / 2.0,
            delay: Duration::from_millis(rng.random_range(0..60)),
            stray: badness / 50.0,
            jitter: Duration::from_millis([0, 5, 40, 300][rng.random_range(0..4)]),
            outages,
        }
    }

    /// Whether nothing is lost, and nothing late.
    pub(crate) fn is_calm(&self) -> bool {
        self.loss == 0.0 && self.outages.is_empty() && self.jitter < Duration::from_millis(100)
    }

    /// When a datagram that leaves now comes: mostly once.
    pub(crate) fn arrivals(&self, now: Instant, rng: &mut SmallRng) -> SmallVec<[Instant; 2]> {
        let mut arrivals = SmallVec::new();
        if self.outages.iter().any(|(from, to)| (*from..*to).contains(&now)) {
            return arrivals;
        }
        let copies = 1 + u8::from(rng.random_bool(self.twice));
        for _ in 0..copies {
            if !rng.random_bool(self.loss) {
                let mut late = self.delay + self.jitter.mul_f64(rng.random());
                if rng.random_bool(self.stray) {
                    late += LATE.mul_f64(rng.random());
                }
                arrivals.push(on_grid(now + late));
            }
        }
        arrivals.sort();
        arrivals
    }
}

/// How late strays come.
const LATE: Duration = Duration::from_secs(40);

/// The next whole millisecond after a moment: what comes in one is served in one turn.
fn on_grid(at: Instant) -> Instant {
    Instant::from_millis(at.micros() / 1_000 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn the_same_seed_brings_the_same_weather_and_bad_weather_takes_some_and_gives_some_twice() {
        let brings = |seed| {
            let mut rng = SmallRng::seed_from_u64(seed);
            let weather = Weather { loss: 0.3, twice: 0.3, ..Weather::draw(&mut rng) };
            let at = |millis: u64| Instant::from_millis(100_000 + millis);
            (0..1_000).map(|millis| weather.arrivals(at(millis), &mut rng)).collect::<Vec<_>>()
        };
        assert_eq!(brings(7), brings(7));
        for copies in 0..=2 {
            assert!(brings(7).iter().any(|came| came.len() == copies), "{copies}");
        }
    }
}
