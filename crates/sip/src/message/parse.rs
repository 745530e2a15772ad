//! The one pass over the bytes: where each header line begins and ends. No value is looked into here.

use std::slice;

use memchr::{memchr, memchr2, memrchr};
use smallvec::SmallVec;

use super::charset::{is_token, is_token_byte, number, trim_end, trim_start};
use super::{Fault, HEADERS, MESSAGE_BYTES, Method, Name, StartLine};

/// Where one header line stands. Offsets fit because a message is at most [`MESSAGE_BYTES`] long.
#[derive(Clone, Copy)]
struct Line {
    name: Name,
    from: u16,
    name_end: u16,
    value: u16,
    end: u16,
}

/// The header lines of a message in their order, with the first of each name at hand.
#[derive(Clone)]
pub(super) struct Index<'a> {
    bytes: &'a [u8],
    first_line: &'a [u8],
    lines: SmallVec<[Line; USUAL_HEADERS]>,
    first: [u8; Name::COUNT],
    /// The first of the headers that identify a message which stood in it a second time.
    repeated: Option<Name>,
}

impl<'a> Index<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, first_line: &[], lines: SmallVec::new(), first: [ABSENT; Name::COUNT], repeated: None }
    }

    /// Finds all lines and returns the offset of what follows the blank one. What was found before a fault stays.
    pub(super) fn read(&mut self) -> Result<usize, Fault> {
        if self.bytes.len() > MESSAGE_BYTES {
            return Err(Fault::TooLong);
        }
        let mut at = self.bytes.iter().take_while(|&&byte| matches!(byte, b'\r' | b'\n')).count();
        if at == self.bytes.len() {
            return Err(Fault::Empty);
        }
        let (end, next) = self.line_end(at)?;
        self.first_line = &self.bytes[at..end];
        at = next;
        loop {
            match self.bytes[at..] {
                [b'\n', ..] => return Ok(at + 1),
                [b'\r', b'\n', ..] => return Ok(at + 2),
                [] | [b'\r'] => return Err(Fault::Unfinished),
                _ => at = self.read_line(at)?,
            }
        }
    }

    /// The first line, taken apart.
    pub(super) fn start(&self) -> Result<StartLine<'a>, Fault> {
        start_line(self.first_line)
    }

    /// The method's token of a request however malformed; `None` for a response.
    pub(super) fn method_token(&self) -> Option<&'a [u8]> {
        const PREFIX: usize = b"SIP/".len();
        let response = self.first_line.get(..PREFIX).is_some_and(|head| head.eq_ignore_ascii_case(b"SIP/"));
        let token = self.first_line.split(|&byte| byte == b' ').next().filter(|token| is_token(token));
        if response { None } else { token }
    }

    /// The value of a header that must stand exactly once.
    pub(super) fn single(&self, name: Name) -> Result<&'a [u8], Fault> {
        if self.repeated == Some(name) {
            return Err(Fault::Repeated(name));
        }
        self.value(name).ok_or(Fault::Missing(name))
    }

    /// The value of the first header of this name.
    pub(super) fn value(&self, name: Name) -> Option<&'a [u8]> {
        let line = self.lines.get(usize::from(self.first[name as usize]))?;
        Some(self.bytes_of(line.value, line.end))
    }

    /// How often a header stands in the message, counted by lines.
    pub(super) fn count(&self, name: Name) -> usize {
        self.rows(name).count()
    }

    /// The values of all headers of this name, one for each line.
    pub(super) fn rows(&self, name: Name) -> Rows<'_, 'a> {
        let first = usize::from(self.first[name as usize]).min(self.lines.len());
        Rows { bytes: self.bytes, name, lines: self.lines[first..].iter() }
    }

    /// All headers in their order: name, spelling, value.
    pub(super) fn all(&self) -> impl Iterator<Item = (Name, &'a [u8], &'a [u8])> + use<'a, '_> {
        self.lines.iter().map(|line| {
            (line.name, self.bytes_of(line.from, line.name_end), self.bytes_of(line.value, line.end))
        })
    }

    /// How many header lines there are.
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// The body, which begins at offset `rest`: as long as Content-Length says, or all there is (RFC 3261 18.3).
    pub(super) fn body(&self, rest: usize) -> Result<&'a [u8], Fault> {
        let rest = &self.bytes[rest..];
        match self.length()? {
            None => Ok(rest),
            Some(length) => rest.get(..length).ok_or(Fault::BodyCut),
        }
    }

    /// What the Content-Length headers say together.
    pub(super) fn length(&self) -> Result<Option<usize>, Fault> {
        let mut told = None;
        for value in self.rows(Name::ContentLength) {
            let length = number(value).ok_or(Fault::Malformed(Name::ContentLength))?;
            if told.is_some_and(|told| told != length) {
                return Err(Fault::TwoLengths);
            }
            told = Some(length);
        }
        told.map(|length| usize::try_from(length).map_err(|_| Fault::BodyCut)).transpose()
    }

    fn bytes_of(&self, from: u16, to: u16) -> &'a [u8] {
        &self.bytes[usize::from(from)..usize::from(to)]
    }

    /// Reads the header line at `at` with its continuation lines and returns where the next one begins.
    fn read_line(&mut self, at: usize) -> Result<usize, Fault> {
        let bytes = self.bytes;
        let name_end = at + bytes[at..].iter().take_while(|&&byte| is_token_byte(byte)).count();
        let blanks = bytes[name_end..].iter().take_while(|&&byte| matches!(byte, b' ' | b'\t')).count();
        let colon = name_end + blanks;
        match bytes.get(colon) {
            Some(b':') if name_end > at => {}
            None => return Err(Fault::Unfinished),
            Some(_) => return Err(Fault::HeaderLine),
        }
        let (mut end, mut next) = self.line_end(colon + 1)?;
        while let Some(b' ' | b'\t') = bytes.get(next) {
            (end, next) = self.line_end(next)?;
        }
        let value = trim_start(&bytes[colon + 1..end]);
        let from = end - value.len();
        let value = trim_end(value);
        self.push(Name::of(&bytes[at..name_end]), [at, name_end, from, from + value.len()])?;
        Ok(next)
    }

    fn push(&mut self, name: Name, offsets: [usize; 4]) -> Result<(), Fault> {
        const FITS: &str = "offsets stay below MESSAGE_BYTES, which is below 64 KiB";
        if self.lines.len() == HEADERS {
            return Err(Fault::TooManyHeaders);
        }
        let [from, name_end, value, end] = offsets.map(|offset| u16::try_from(offset).expect(FITS));
        let first = &mut self.first[name as usize];
        if *first == ABSENT {
            *first = self.lines.len() as u8;
        } else if IDENTIFYING.contains(&name) {
            self.repeated.get_or_insert(name);
        }
        self.lines.push(Line { name, from, name_end, value, end });
        Ok(())
    }

    /// Where the line with offset `at` ends, without its line end, and where the next one begins.
    fn line_end(&self, at: usize) -> Result<(usize, usize), Fault> {
        let stop = at + memchr2(b'\r', b'\n', &self.bytes[at..]).ok_or(Fault::Unfinished)?;
        match self.bytes[stop..] {
            [b'\n', ..] => Ok((stop, stop + 1)),
            [b'\r', b'\n', ..] => Ok((stop, stop + 2)),
            [b'\r'] => Err(Fault::Unfinished),
            _ => Err(Fault::LoneCr),
        }
    }
}

/// The values of one header, line by line.
#[derive(Clone)]
pub(super) struct Rows<'m, 'a> {
    bytes: &'a [u8],
    name: Name,
    lines: slice::Iter<'m, Line>,
}

impl<'a> Iterator for Rows<'_, 'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let line = self.lines.find(|line| line.name == self.name)?;
        Some(&self.bytes[usize::from(line.value)..usize::from(line.end)])
    }
}

/// RFC 3261 7.1 and 7.2. One space between the parts, none around them: whoever cannot write this line cannot be
/// trusted with the others.
fn start_line(line: &[u8]) -> Result<StartLine<'_>, Fault> {
    let (head, rest) =
        memchr(b' ', line).map(|space| (&line[..space], &line[space + 1..])).ok_or(Fault::StartLine)?;
    if is_version(head) {
        return status_line(head, rest);
    }
    let (uri, version) =
        memrchr(b' ', rest).map(|space| (&rest[..space], &rest[space + 1..])).ok_or(Fault::StartLine)?;
    if !is_token(head) || uri.is_empty() || uri.iter().any(|&byte| matches!(byte, b' ' | b'\t')) {
        return Err(Fault::StartLine);
    }
    if !is_version(version) {
        return Err(Fault::StartLine);
    }
    if !version.eq_ignore_ascii_case(VERSION) {
        return Err(Fault::Version);
    }
    Ok(StartLine::Request { method: Method::of(head), token: head, uri })
}

fn status_line<'a>(version: &[u8], rest: &'a [u8]) -> Result<StartLine<'a>, Fault> {
    const DIGITS: usize = 3;
    if !version.eq_ignore_ascii_case(VERSION) {
        return Err(Fault::Version);
    }
    // The space before an empty reason phrase is often forgotten.
    let (code, reason) = rest.split_at_checked(DIGITS).ok_or(Fault::StartLine)?;
    let reason = match reason {
        [] => reason,
        [b' ', reason @ ..] => reason,
        _ => return Err(Fault::StartLine),
    };
    match number(code) {
        Some(status @ 100..=699) => Ok(StartLine::Response { status: status as u16, reason }),
        _ => Err(Fault::StartLine),
    }
}

/// Whether it looks like a version of SIP, whichever.
fn is_version(text: &[u8]) -> bool {
    text.get(..4).is_some_and(|head| head.eq_ignore_ascii_case(b"SIP/"))
        && text[4..].iter().all(|&byte| byte.is_ascii_digit() || byte == b'.')
        && text.len() > 4
}

const VERSION: &[u8] = b"SIP/2.0";

/// Header lines of a usual message, kept without allocation.
const USUAL_HEADERS: usize = 32;

/// In [`Index::first`]: no such header. Line numbers stay below [`HEADERS`].
const ABSENT: u8 = u8::MAX;

/// Headers that say which call a message belongs to: two of them and nobody can tell.
const IDENTIFYING: [Name; 4] = [Name::From, Name::To, Name::CallId, Name::CSeq];
