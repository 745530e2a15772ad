//! The paths that exist. Case matters and versions are part of the name; each path has a twin under `/sandbox`.

use base::account::Phase;
use base::order::ProductKind;

/// What stands before the paths of the sandbox.
const SANDBOX: &str = "/sandbox";

/// One of the vendor's APIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Click2Call,
    /// Voice files and templates.
    CallNotify,
    /// Voice files only: the version before templates.
    CallNotifyFiles,
    CallVerify,
    CallStop,
    /// Where a recording can be fetched.
    Record,
    FastLogin,
    Refresh,
    Logout,
}

/// The method and path of every route and of its twin in the sandbox, each once.
pub fn routes() -> impl Iterator<Item = (&'static str, String)> {
    Route::ALL
        .iter()
        .flat_map(|route| ["", SANDBOX].map(|prefix| (route.method(), format!("{prefix}{}", route.path()))))
}

/// Which world a path belongs to.
pub(super) fn phase(path: &str) -> Phase {
    if path.starts_with(SANDBOX) { Phase::Sandbox } else { Phase::Commercial }
}

impl Route {
    const ALL: &[Self] = &[
        Self::Click2Call,
        Self::CallNotify,
        Self::CallNotifyFiles,
        Self::CallVerify,
        Self::CallStop,
        Self::Record,
        Self::FastLogin,
        Self::Refresh,
        Self::Logout,
    ];

    pub(super) fn of(path: &str) -> Option<Self> {
        let path = path.strip_prefix(SANDBOX).unwrap_or(path);
        Self::ALL.iter().copied().find(|route| route.path() == path)
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Click2Call => "/rest/httpsessions/click2Call/v2.0",
            Self::CallNotify => "/rest/httpsessions/callnotify/v2.0",
            Self::CallNotifyFiles => "/rest/httpsessions/callnotify/v1.0",
            Self::CallVerify => "/rest/httpsessions/callVerify/v1.0",
            Self::CallStop => "/rest/httpsessions/callStop/v2.0",
            Self::Record => "/rest/provision/voice/record/v1.0",
            Self::FastLogin => "/rest/fastlogin/v1.0",
            Self::Refresh => "/omp/oauth/refresh",
            Self::Logout => "/rest/logout/v1.0",
        }
    }

    pub(super) const fn method(self) -> &'static str {
        match self {
            Self::Click2Call
            | Self::CallNotify
            | Self::CallNotifyFiles
            | Self::CallVerify
            | Self::CallStop
            | Self::FastLogin
            | Self::Refresh
            | Self::Logout => "POST",
            Self::Record => "GET",
        }
    }

    pub(super) const fn product(self) -> Option<ProductKind> {
        match self {
            Self::Click2Call => Some(ProductKind::Callback),
            Self::CallNotify | Self::CallNotifyFiles => Some(ProductKind::Notice),
            Self::CallVerify => Some(ProductKind::Code),
            Self::CallStop | Self::Record | Self::FastLogin | Self::Refresh | Self::Logout => None,
        }
    }

    /// Whether the route exists only where customers may log in with a password.
    pub(super) const fn is_of_login(self) -> bool {
        match self {
            Self::FastLogin | Self::Refresh | Self::Logout => true,
            Self::Click2Call
            | Self::CallNotify
            | Self::CallNotifyFiles
            | Self::CallVerify
            | Self::CallStop
            | Self::Record => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_has_a_twin_in_the_sandbox() {
        for (_, path) in routes() {
            assert!(Route::of(&path).is_some(), "{path}");
            let expected = if path.starts_with("/sandbox/") { Phase::Sandbox } else { Phase::Commercial };
            assert_eq!(phase(&path), expected, "{path}");
        }
        assert_eq!(Route::of("/sandbox/sandbox/rest/httpsessions/callStop/v2.0"), None);
        assert_eq!(Route::of("/sandboxrest/httpsessions/callStop/v2.0"), None);
        assert_eq!(Route::of("/sandbox"), None);
    }
}
