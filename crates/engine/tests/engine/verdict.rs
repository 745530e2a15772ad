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
fn legs_that_hear_each_other_tell_so() {
    let mut world = World::new();
    let (a, b) = world.bridged(0);
    for first in 0..10 {
        world.at(a).say(&frame(first));
        world.at(b).say(&frame(100 + first));
    }
    world.until("all is heard", |world| {
        let heard = |phone: usize, last| world.far.phones[phone].voice().contains(&&frame(last)[..]);
        heard(a, 109) && heard(b, 9)
    });
    world.far.hang_up(a);
    world.over(0);
    for leg in [Leg::A, Leg::B] {
        let media = world.media(0, leg).unwrap();
        assert_eq!(
            (media.course(), media.heard.packets, media.heard.lost),
            (Course::BothWays, 10, 0),
            "{leg}"
        );
        assert!(media.first_after.is_some() && media.heard.mos.is_some(), "{leg}");
        assert_eq!(media.trouble, None, "{leg}");
    }
}

#[test]
fn a_leg_that_is_never_heard_tells_so() {
    let mut world = World::new();
    let (a, b) = world.bridged(0);
    for first in 0..10 {
        world.at(a).say(&frame(first));
    }
    world.until("all is heard", |world| world.far.phones[b].voice().len() >= 10);
    world.far.hang_up(a);
    world.over(0);
    let media = world.media(0, Leg::B).unwrap();
    assert_eq!((media.course(), media.first_after, media.heard.mos), (Course::OnlySaid, None, None));
    assert!(media.said.packets >= 10);
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
