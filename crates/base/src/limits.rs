//! Every bound that more than one room must know, with its unit and its reason. Full means a refusal, never growth.

use std::time::Duration;

/// Bytes of an HTTP request's body. The largest documented body, five templates with parameters, is under 16 KiB.
pub const REQUEST_BODY_BYTES: usize = 64 * 1024;

/// Calls that the platform runs at once when the configuration does not say: as many callbacks as the default range of RTP
/// ports has room for.
pub const PLATFORM_PORTS: u32 = 2_500;

/// Calls that an app runs at once when nobody set it: the vendor's own default.
pub const APP_PORTS: u32 = 10;

/// Operations that wait for the journal's writer. At 20,000 a second this is a fifth of a second of work.
pub const JOURNAL_QUEUE: usize = 4_096;

/// Operations in one transaction of the journal's writer: past this the latency grows faster than the throughput.
pub const JOURNAL_BATCH: usize = 256;

/// Facts that a call may leave in the journal: a party that presses keys for a day stays below it.
pub const FACTS_PER_CALL: u32 = 4_096;

/// Letters in a shard's mailbox.
pub const SHARD_MAILBOX: usize = 4_096;

/// Messages that wait for the thread of the connections: half a second of a thousand calls a second.
pub const STREAM_MAILBOX: usize = 4_096;

/// Connections for SIP, ours and theirs: every address of every trunk, twice.
pub const STREAMS: usize = 1_024;

/// Connections that one address may open to us: a carrier's machine has one or two, and some that it forgot.
pub const STREAMS_PER_HOST: usize = 16;

/// Bytes that wait to be written to one connection: a thousand INVITEs.
pub const STREAM_BYTES: usize = 1 << 20;

/// How long a leg may ring before we give it up.
pub const RING: Duration = Duration::from_secs(60);

/// The longest call of any kind, so that a leg that nobody hangs up does not live for ever.
pub const CALL: Duration = Duration::from_secs(24 * 3600);

/// The longest call in which a machine speaks and nobody else does, such as a code that repeats for ever.
pub const ANNOUNCEMENT: Duration = Duration::from_secs(10 * 60);

/// How long a party has for a key after an item of a notice ends, or after its key before: as documented.
pub const KEY: Duration = Duration::from_secs(5);

/// The shortest recording that is kept: as documented.
pub const RECORDING_SHORTEST: Duration = Duration::from_secs(3);

/// How long a released leg may take to confirm before we forget it: RFC 3261's 64 × T1.
pub const RELEASE: Duration = Duration::from_secs(32);

/// Bytes read of a receiver's answer to a push.
pub const PUSH_REPLY_BYTES: usize = 64 * 1024;

/// How long one attempt of a push may take, from name resolution to the last byte read.
pub const PUSH_ATTEMPT: Duration = Duration::from_secs(10);

/// Pushes in flight to one host.
pub const PUSHES_PER_HOST: usize = 8;
