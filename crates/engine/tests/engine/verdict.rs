//! What the journal keeps of a leg's media.

use base::fact::Fact;
use base::id::Leg;
use base::quality::{Course, MediaReport};

use crate::world::{World, frame};

impl World {
    /// What the media of a leg came to, once it is gone.
    #[track_caller]
    fn media(&self, number: u32, of: Leg) -> Option<MediaReport> {
        let facts = self.facts(number).into_iter();
        let mut gone = facts.filter_map(|fact| match fact {
            Fact::Released { leg, media, .. } if leg == of => Some(media.as_deref().copied()),
            _ => None,
        });
        gone.next().expect("the leg is gone")
    }
}

#[test]
fn a_leg_tells_which_ways_its_media_went() {
    let mut world = World::new();
    let (a, b) = world.bridged(0);
    for first in 0..10 {
        world.at(a).say(&frame(first));
    }
    world.until("all is heard", |world| world.far.phones[b].voice().len() >= 10);
    world.far.hang_up(a);
    world.over(0);
    let (of_a, of_b) = (world.media(0, Leg::A).unwrap(), world.media(0, Leg::B).unwrap());
    assert_eq!((of_a.course(), of_a.heard.packets, of_a.heard.lost), (Course::BothWays, 10, 0));
    assert!(of_a.first_after.is_some() && of_a.heard.mos.is_some());
    assert_eq!((of_b.course(), of_b.first_after), (Course::OnlySaid, None), "B never said anything");
    assert!(of_b.said.packets >= 10);
}

#[test]
fn a_leg_that_never_answered_has_no_media() {
    let mut world = World::new();
    world.launch(0, crate::world::callback);
    let a = world.phone(0, Leg::A);
    world.far.reject(a, 486);
    world.over(0);
    assert_eq!(world.media(0, Leg::A), None);
}
