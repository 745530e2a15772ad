//! Pushes may go where the order wants them. Only addresses that are written out are judged here; a name is judged
//! by what it resolves to, each time a push is sent. The app's own receivers were judged when they were set.

use base::order::Told;
use base::refusal::Refusal;
use base::url::PushUrl;

use crate::ask::Ask;

pub(super) fn check(ask: &Ask<'_>) -> Result<(), Refusal> {
    match &ask.placing.told {
        Told::Events { status_url, fee_url } => {
            allowed(ask, status_url.as_ref(), "status_url")?;
            allowed(ask, fee_url.as_ref(), "fee_url")
        }
        Told::Report => Ok(()),
    }
}

fn allowed(ask: &Ask<'_>, url: Option<&PushUrl>, name: &'static str) -> Result<(), Refusal> {
    match url.and_then(PushUrl::address) {
        Some(address) if !ask.desk.guard.permits(address) => Err(Refusal::BadReceiver { name }),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use base::address::Guard;

    use super::*;
    use crate::story::{self, Story};

    #[test]
    fn a_push_never_goes_to_a_private_address() {
        let mut story = Story::callback();
        story.told(story::url("http://127.0.0.1:9000/status"), None);
        assert_eq!(story.refused(), Some(Refusal::BadReceiver { name: "status_url" }));
        story.guard = Guard::new(vec!["127.0.0.0/8".parse().unwrap()]);
        assert_eq!(story.refused(), None);
        story.told(None, story::url("http://[::ffff:10.0.0.1]/fee"));
        assert_eq!(story.refused(), Some(Refusal::BadReceiver { name: "fee_url" }));
    }

    #[test]
    fn whoever_is_told_by_a_report_names_no_receiver() {
        assert_eq!(Story::menu().reported().refused(), None);
    }

    #[test]
    fn a_name_is_judged_later() {
        let mut story = Story::callback();
        story.told(story::url("http://receiver.example/status"), None);
        assert_eq!(story.refused(), None);
    }
}
