//! The actions that exist. All of them are asked by `POST /`; case matters, and the version is part of the name.

use base::order::ProductKind;

use super::codes::{self, Answer};
use super::fields::form::Parameters;

/// The only path.
pub(super) const PATH: &str = "/";

/// The name of the service, in `Service` and in the scope of a signature.
pub(super) const SERVICE: &str = "voice";

/// The only version of the service.
pub(super) const VERSION: &str = "2020-05-01";

/// One of the vendor's actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Verify,
    Notify,
    Ivr,
}

/// The name of every action, each once.
pub fn routes() -> impl Iterator<Item = &'static str> {
    Route::ALL.iter().map(|route| route.action())
}

impl Route {
    const ALL: &[Self] = &[Self::Verify, Self::Notify, Self::Ivr];

    /// The action of a request. `names_service`: whether its parameters must say for which service it is.
    pub(super) fn of(parameters: &Parameters, names_service: bool) -> Result<Self, Answer> {
        let required = |name| parameters.value(name).ok_or_else(|| codes::missing(name));
        let action = required("Action")?;
        let version = required("Version")?;
        let service = match parameters.value("Service") {
            None if names_service => return Err(codes::missing("Service")),
            None => SERVICE,
            Some(service) => service,
        };
        if service != SERVICE {
            return Err(codes::no_service());
        }
        let found = Self::ALL.iter().copied().find(|route| route.action() == action && version == VERSION);
        found.ok_or_else(codes::no_entity)
    }

    const fn action(self) -> &'static str {
        match self {
            Self::Verify => "CallVerify",
            Self::Notify => "CallNotify",
            Self::Ivr => "CallIvr",
        }
    }

    pub(super) const fn product(self) -> ProductKind {
        match self {
            Self::Verify => ProductKind::Code,
            Self::Notify => ProductKind::Notice,
            Self::Ivr => ProductKind::Menu,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(form: &str) -> Result<Route, &'static str> {
        let parameters = Parameters::of_form(form.as_bytes()).unwrap();
        Route::of(&parameters, true).map_err(|answer| answer.code.code)
    }

    #[test]
    fn an_action_is_named_exactly() {
        for (form, told) in [
            ("Action=CallIvr&Version=2020-05-01&Service=voice", Ok(Route::Ivr)),
            ("Version=2020-05-01&Service=voice", Err("MissingParameter")),
            ("Action=CallIvr&Service=voice", Err("MissingParameter")),
            ("Action=CallIvr&Version=2020-05-01", Err("MissingParameter")),
            ("Action=callivr&Version=2020-05-01&Service=voice", Err("NoSuchEntity")),
            ("Action=CallFoo&Version=2020-05-01&Service=voice", Err("NoSuchEntity")),
            ("Action=CallIvr&Version=2019-05-01&Service=voice", Err("NoSuchEntity")),
            ("Action=CallIvr&Version=2020-05-01&Service=ksms", Err("ServiceUnavailable")),
        ] {
            assert_eq!(route(form), told, "{form}");
        }
    }

    #[test]
    fn a_scope_may_name_the_service_alone() {
        let parameters = Parameters::of_form(b"Action=CallVerify&Version=2020-05-01").unwrap();
        assert_eq!(Route::of(&parameters, false), Ok(Route::Verify));
    }
}
