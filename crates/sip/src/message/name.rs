//! Header names: the ones we know, with their compact forms, found by one hash and one comparison.

/// How a header may stand in a message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Once at most.
    Once,
    /// On one line or several, values divided by commas (RFC 3261 7.3.1).
    List,
    /// On one line or several, each line one value: a comma there belongs to the value.
    Lines,
}

macro_rules! names {
    ($($variant:ident $text:literal $compact:literal $form:ident,)+) => {
        /// The name of a header that we know, or [`Other`](Self::Other). Long and compact forms are the same name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Name {
            $(#[doc = concat!("`", $text, "`")] $variant,)+
            /// A name that we do not know.
            Other,
        }

        /// Spelling, compact form (empty when there is none) and form of each name, in the order of [`Name`].
        const TABLE: &[(Name, &str, &str, Form)] = &[
            $((Name::$variant, $text, $compact, Form::$form),)+
        ];
    };
}

names! {
    Accept "Accept" "" List,
    AcceptContact "Accept-Contact" "a" List,
    AcceptEncoding "Accept-Encoding" "" List,
    AcceptLanguage "Accept-Language" "" List,
    AlertInfo "Alert-Info" "" List,
    Allow "Allow" "" List,
    AllowEvents "Allow-Events" "u" List,
    AuthenticationInfo "Authentication-Info" "" Lines,
    Authorization "Authorization" "" Lines,
    CallId "Call-ID" "i" Once,
    CallInfo "Call-Info" "" List,
    Contact "Contact" "m" List,
    ContentDisposition "Content-Disposition" "" Once,
    ContentEncoding "Content-Encoding" "e" List,
    ContentLanguage "Content-Language" "" List,
    // Told twice the same is tolerated; told twice differently is a fault of its own.
    ContentLength "Content-Length" "l" Lines,
    ContentType "Content-Type" "c" Once,
    CSeq "CSeq" "" Once,
    Date "Date" "" Once,
    Diversion "Diversion" "" List,
    ErrorInfo "Error-Info" "" List,
    Event "Event" "o" Once,
    Expires "Expires" "" Once,
    From "From" "f" Once,
    HistoryInfo "History-Info" "" List,
    InReplyTo "In-Reply-To" "" List,
    MaxForwards "Max-Forwards" "" Once,
    MimeVersion "MIME-Version" "" Once,
    MinExpires "Min-Expires" "" Once,
    MinSe "Min-SE" "" Once,
    Organization "Organization" "" Once,
    PAccessNetworkInfo "P-Access-Network-Info" "" Lines,
    PAssertedIdentity "P-Asserted-Identity" "" List,
    PAssociatedUri "P-Associated-URI" "" List,
    PChargingVector "P-Charging-Vector" "" Lines,
    PEarlyMedia "P-Early-Media" "" List,
    PPreferredIdentity "P-Preferred-Identity" "" List,
    Path "Path" "" List,
    Priority "Priority" "" Once,
    Privacy "Privacy" "" Lines,
    ProxyAuthenticate "Proxy-Authenticate" "" Lines,
    ProxyAuthorization "Proxy-Authorization" "" Lines,
    ProxyRequire "Proxy-Require" "" List,
    RAck "RAck" "" Once,
    Reason "Reason" "" List,
    RecordRoute "Record-Route" "" List,
    ReferTo "Refer-To" "r" Once,
    ReferredBy "Referred-By" "b" Once,
    RemotePartyId "Remote-Party-ID" "" List,
    Replaces "Replaces" "" Once,
    ReplyTo "Reply-To" "" Once,
    Require "Require" "" List,
    RetryAfter "Retry-After" "" Once,
    Route "Route" "" List,
    RSeq "RSeq" "" Once,
    Server "Server" "" Once,
    ServiceRoute "Service-Route" "" List,
    SessionExpires "Session-Expires" "x" Once,
    SipEtag "SIP-ETag" "" Once,
    SipIfMatch "SIP-If-Match" "" Once,
    Subject "Subject" "s" Once,
    SubscriptionState "Subscription-State" "" Once,
    Supported "Supported" "k" List,
    Timestamp "Timestamp" "" Once,
    To "To" "t" Once,
    Unsupported "Unsupported" "" List,
    UserAgent "User-Agent" "" Once,
    UserToUser "User-to-User" "" Lines,
    Via "Via" "v" List,
    Warning "Warning" "" List,
    WwwAuthenticate "WWW-Authenticate" "" Lines,
}

impl Name {
    /// How many names there are, [`Other`](Self::Other) included.
    pub(crate) const COUNT: usize = TABLE.len() + 1;

    /// Finds the name that a header line begins with, in its long or compact form and in any case.
    #[must_use]
    pub fn of(token: &[u8]) -> Self {
        let (Some(&first), Some(&last)) = (token.first(), token.last()) else { return Self::Other };
        let mut slot = bucket(token.len(), first, last);
        while let Some(&(name, text, compact, _)) = TABLE.get(usize::from(BUCKETS[slot])) {
            let spelling = if token.len() == 1 { compact } else { text };
            // Nearly everybody spells as the RFC does, and comparing whole words is quicker than letter by letter.
            if token == spelling.as_bytes() || token.eq_ignore_ascii_case(spelling.as_bytes()) {
                return name;
            }
            slot = (slot + 1) % BUCKETS.len();
        }
        Self::Other
    }

    /// The spelling that we send. Empty for [`Other`](Self::Other), whose spelling only its message knows.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        TABLE.get(self as usize).map_or("", |row| row.1)
    }

    /// Whether commas divide its values.
    #[must_use]
    pub fn is_list(self) -> bool {
        self.form() == Some(Form::List)
    }

    /// Whether it may stand in a message once at most.
    #[must_use]
    pub fn is_single(self) -> bool {
        self.form() == Some(Form::Once)
    }

    fn form(self) -> Option<Form> {
        TABLE.get(self as usize).map(|row| row.3)
    }
}

/// Row numbers of [`TABLE`] by hash, each name under its long and its compact form.
static BUCKETS: [u8; 256] = buckets();

const EMPTY: u8 = u8::MAX;

const fn bucket(len: usize, first: u8, last: u8) -> usize {
    const LOWER: u8 = 0x20;
    let mixed =
        (len as u8).wrapping_mul(13) ^ (first | LOWER).wrapping_mul(37) ^ (last | LOWER).wrapping_mul(101);
    mixed as usize
}

const fn buckets() -> [u8; 256] {
    let mut table = [EMPTY; 256];
    let mut row = 0;
    while row < TABLE.len() {
        let spellings = [TABLE[row].1.as_bytes(), TABLE[row].2.as_bytes()];
        let mut which = 0;
        while which < spellings.len() {
            let text = spellings[which];
            if !text.is_empty() {
                let mut slot = bucket(text.len(), text[0], text[text.len() - 1]);
                while table[slot] != EMPTY {
                    slot = (slot + 1) % table.len();
                }
                table[slot] = row as u8;
            }
            which += 1;
        }
        row += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_in_both_forms_and_any_case() {
        for &(name, text, compact, _) in TABLE {
            assert_eq!(Name::of(text.as_bytes()), name);
            assert_eq!(Name::of(text.to_uppercase().as_bytes()), name);
            assert_eq!(Name::of(text.to_lowercase().as_bytes()), name);
            assert_eq!(name.as_str(), text);
            if !compact.is_empty() {
                assert_eq!(Name::of(compact.as_bytes()), name);
                assert_eq!(Name::of(compact.to_uppercase().as_bytes()), name);
            }
        }
    }

    #[test]
    fn names_that_nobody_taught_us_are_other() {
        for token in [&b""[..], b"z", b"X-Trunk", b"Froms", b"Viaa", b"-", b"\xff"] {
            assert_eq!(Name::of(token), Name::Other);
        }
        assert_eq!(Name::Other.as_str(), "");
        assert!(!Name::Other.is_list() && !Name::Other.is_single());
    }

    #[test]
    fn a_look_up_is_short() {
        let crowded = (0..256).filter(|&slot| BUCKETS[slot] != EMPTY).count();
        assert_eq!(crowded, TABLE.len() + TABLE.iter().filter(|row| !row.2.is_empty()).count());
        assert!(crowded < 128, "half of the table stays empty, so that probing stays short");
    }
}
