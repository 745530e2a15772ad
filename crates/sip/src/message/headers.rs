//! Typed access to the headers of a message, and the full check of a stranger's request.

use base::time::Timestamp;

use super::charset::{leading_number, number, trim};
use super::parse::{Index, Rows};
use super::values::split_list;
use super::{
    CSeq, Fault, Message, Method, Name, NameAddr, RAck, Reason, SessionExpires, StartLine, Uri, Via,
};

impl<'a> Message<'a> {
    /// The method of the request, or of the request that this response answers.
    #[must_use]
    pub const fn method(&self) -> Method {
        self.cseq.method
    }

    /// The status of a response; `None` for a request.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self.start {
            StartLine::Request { .. } => None,
            StartLine::Response { status, .. } => Some(status),
        }
    }

    /// Whether it is a request.
    #[must_use]
    pub const fn is_request(&self) -> bool {
        matches!(self.start, StartLine::Request { .. })
    }

    /// The request URI; `None` for a response and for a malformed one.
    #[must_use]
    pub fn request_uri(&self) -> Option<Uri<'a>> {
        match self.start {
            StartLine::Request { uri, .. } => Uri::parse(uri),
            StartLine::Response { .. } => None,
        }
    }

    /// The number of CSeq.
    #[must_use]
    pub const fn cseq(&self) -> u32 {
        self.cseq.number
    }

    /// CSeq with the method's token as it came.
    #[must_use]
    pub const fn cseq_value(&self) -> CSeq<'a> {
        self.cseq
    }

    /// Call-ID.
    #[must_use]
    pub fn call_id(&self) -> &'a [u8] {
        self.index.value(Name::CallId).unwrap_or_default()
    }

    /// From.
    #[must_use]
    pub const fn from(&self) -> NameAddr<'a> {
        self.from
    }

    /// To.
    #[must_use]
    pub const fn to(&self) -> NameAddr<'a> {
        self.to
    }

    /// The topmost Via: who sent it to us, or for a response, we ourselves.
    #[must_use]
    pub const fn via(&self) -> Via<'a> {
        self.via
    }

    /// All Via values from the top, as they came, for a response to copy.
    #[must_use]
    pub fn vias(&self) -> Values<'_, 'a> {
        self.headers(Name::Via)
    }

    /// The value of the first header of this name as it came, folds included (see [`unfold`](super::unfold)).
    /// [`Name::Other`] gives the first unknown one.
    #[must_use]
    pub fn header(&self, name: Name) -> Option<&'a [u8]> {
        self.index.value(name)
    }

    /// The value of the first header with this spelling, for the names that [`Name`] does not know.
    #[must_use]
    pub fn header_named(&self, spelling: &str) -> Option<&'a [u8]> {
        let mut all = self.index.all();
        all.find(|(_, name, _)| name.eq_ignore_ascii_case(spelling.as_bytes())).map(|(_, _, value)| value)
    }

    /// All values of this name from the top: one for each line, and where commas divide values, one for each part.
    #[must_use]
    pub fn headers(&self, name: Name) -> Values<'_, 'a> {
        Values::of(&self.index, name)
    }

    /// Every header line in its order: name, spelling, value as they came.
    pub fn lines(&self) -> impl Iterator<Item = (Name, &'a [u8], &'a [u8])> + use<'a, '_> {
        self.index.all()
    }

    /// The first Contact that can be read; `None` for `*`.
    #[must_use]
    pub fn contact(&self) -> Option<NameAddr<'a>> {
        self.contacts().next()
    }

    /// Every Contact that can be read.
    pub fn contacts(&self) -> impl Iterator<Item = NameAddr<'a>> + use<'a, '_> {
        self.headers(Name::Contact).filter_map(NameAddr::parse).filter(|party| party.uri() != b"*")
    }

    /// Record-Route from the top; values that cannot be read are left out.
    pub fn record_routes(&self) -> impl Iterator<Item = NameAddr<'a>> + use<'a, '_> {
        self.headers(Name::RecordRoute).filter_map(NameAddr::parse)
    }

    /// Route from the top; values that cannot be read are left out.
    pub fn routes(&self) -> impl Iterator<Item = NameAddr<'a>> + use<'a, '_> {
        self.headers(Name::Route).filter_map(NameAddr::parse)
    }

    /// What the sender requires of the other end.
    #[must_use]
    pub fn require(&self) -> Values<'_, 'a> {
        self.headers(Name::Require)
    }

    /// What the sender is able to do.
    #[must_use]
    pub fn supported(&self) -> Values<'_, 'a> {
        self.headers(Name::Supported)
    }

    /// The methods that the sender takes.
    #[must_use]
    pub fn allow(&self) -> Values<'_, 'a> {
        self.headers(Name::Allow)
    }

    /// The number of a reliable provisional response (RFC 3262).
    #[must_use]
    pub fn rseq(&self) -> Option<u32> {
        self.whole_number(Name::RSeq)
    }

    /// What a PRACK acknowledges (RFC 3262).
    #[must_use]
    pub fn rack(&self) -> Option<RAck<'a>> {
        RAck::parse(self.header(Name::RAck)?)
    }

    /// The first Reason (RFC 3326).
    #[must_use]
    pub fn reason(&self) -> Option<Reason<'a>> {
        self.reasons().next()
    }

    /// Every Reason that can be read: a gateway may give a SIP and a Q.850 one.
    pub fn reasons(&self) -> impl Iterator<Item = Reason<'a>> + use<'a, '_> {
        self.headers(Name::Reason).filter_map(Reason::parse)
    }

    /// Date: what the clock of its sender says (RFC 3261 20.17).
    #[must_use]
    pub fn date(&self) -> Option<Timestamp> {
        let text = str::from_utf8(self.header(Name::Date)?).ok()?;
        Timestamp::parse(text.trim(), "%a, %d %b %Y %H:%M:%S GMT")
    }

    /// Seconds to wait before another try; the comment and parameters are left out.
    #[must_use]
    pub fn retry_after(&self) -> Option<u32> {
        self.leading_number(Name::RetryAfter)
    }

    /// The challenges of a 401 or 407, and whether a proxy asks.
    pub fn challenges(&self) -> impl Iterator<Item = (bool, &'a [u8])> + use<'a, '_> {
        let ours = self.headers(Name::WwwAuthenticate).map(|value| (false, value));
        ours.chain(self.headers(Name::ProxyAuthenticate).map(|value| (true, value)))
    }

    /// Content-Type as it came, with its parameters.
    #[must_use]
    pub fn content_type(&self) -> Option<&'a [u8]> {
        self.header(Name::ContentType)
    }

    /// Whether the body is of this media type, such as `application/sdp`. Without a Content-Type nothing is.
    #[must_use]
    pub fn is_content(&self, media_type: &str) -> bool {
        let Some(value) = self.content_type() else { return false };
        let mut essence =
            value.split(|&byte| byte == b';').next().unwrap_or_default().split(|&byte| byte == b'/');
        let mut wanted = media_type.split('/');
        let mut same = || match (essence.next(), wanted.next()) {
            (Some(found), Some(wanted)) => trim(found).eq_ignore_ascii_case(wanted.as_bytes()),
            (None, None) => true,
            _ => false,
        };
        same() && same() && same()
    }

    /// The session interval (RFC 4028).
    #[must_use]
    pub fn session_expires(&self) -> Option<SessionExpires> {
        SessionExpires::parse(self.header(Name::SessionExpires)?)
    }

    /// The smallest session interval that somebody on the way accepts, in seconds (RFC 4028).
    #[must_use]
    pub fn min_se(&self) -> Option<u32> {
        self.leading_number(Name::MinSe)
    }

    /// Seconds that a registration or subscription lasts; a number past 32 bits counts as the largest.
    #[must_use]
    pub fn expires(&self) -> Option<u32> {
        self.whole_number(Name::Expires)
    }

    /// The smallest registration that the registrar accepts, in seconds.
    #[must_use]
    pub fn min_expires(&self) -> Option<u32> {
        self.whole_number(Name::MinExpires)
    }

    /// How many more hops the request may take.
    #[must_use]
    pub fn max_forwards(&self) -> Option<u8> {
        number(self.header(Name::MaxForwards)?).and_then(|hops| u8::try_from(hops).ok())
    }

    /// The rest of the grammar, beyond what [`parse`](Self::parse) asks for: request URI, every Via, Contact and
    /// route, and that no header stands twice which may stand once.
    ///
    /// For requests from strangers, before they are acted upon. Not for responses and not inside a dialog: there
    /// it is better to understand a sloppy BYE than to refuse it.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check(&self) -> Result<(), Fault> {
        if self.is_request() && self.request_uri().is_none_or(|uri| !uri.headers().is_empty()) {
            return Err(Fault::RequestUri);
        }
        self.check_all(Name::Via, |value| {
            Via::parse(value).is_some_and(|via| via.params().are_well_formed())
        })?;
        for name in PARTIES {
            self.check_all(name, |value| NameAddr::parse(value).is_some_and(|party| party.is_well_formed()))?;
        }
        if self.header(Name::MaxForwards).is_some() && self.max_forwards().is_none() {
            return Err(Fault::Malformed(Name::MaxForwards));
        }
        let twice = self
            .index
            .all()
            .map(|(name, _, _)| name)
            .find(|&name| name.is_single() && self.index.count(name) > 1);
        twice.map_or(Ok(()), |name| Err(Fault::Repeated(name)))
    }

    fn check_all(&self, name: Name, is_sound: impl FnMut(&'a [u8]) -> bool) -> Result<(), Fault> {
        if self.headers(name).all(is_sound) { Ok(()) } else { Err(Fault::Malformed(name)) }
    }

    fn whole_number(&self, name: Name) -> Option<u32> {
        number(self.header(name)?).and_then(|value| u32::try_from(value).ok())
    }

    fn leading_number(&self, name: Name) -> Option<u32> {
        leading_number(self.header(name)?).and_then(|(value, _)| u32::try_from(value).ok())
    }
}

/// Headers whose values are parties.
const PARTIES: [Name; 5] = [Name::From, Name::To, Name::Contact, Name::Route, Name::RecordRoute];

/// The values of one header from the top. Empty parts of a list are passed over.
#[derive(Clone)]
pub struct Values<'m, 'a> {
    rows: Rows<'m, 'a>,
    list: bool,
    rest: Option<&'a [u8]>,
}

impl<'m, 'a> Values<'m, 'a> {
    pub(super) fn of(index: &'m Index<'a>, name: Name) -> Self {
        Self { rows: index.rows(name), list: name.is_list(), rest: None }
    }

    /// What stands below the topmost value: the rest of its line, if there is any, and the lines after it.
    pub(super) fn below_top(mut self) -> (Option<&'a [u8]>, Rows<'m, 'a>) {
        self.next();
        (self.rest.map(trim).filter(|rest| !rest.is_empty()), self.rows)
    }

    /// Whether one of the values is this token in any case, parameters left aside.
    #[must_use]
    pub fn has_token(mut self, token: &str) -> bool {
        self.any(|value| {
            let bare = value.split(|&byte| byte == b';').next().unwrap_or_default();
            trim(bare).eq_ignore_ascii_case(token.as_bytes())
        })
    }
}

impl<'a> Iterator for Values<'_, 'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            let text = match self.rest.take() {
                Some(rest) => rest,
                None => self.rows.next()?,
            };
            if !self.list {
                return Some(text);
            }
            let (value, rest) = split_list(text);
            self.rest = rest;
            if !value.is_empty() {
                return Some(value);
            }
        }
    }
}
