//! What happened, and what would.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Place;

#[derive(Debug, Subcommand)]
pub(crate) enum Record {
    /// List the latest calls
    List {
        #[command(flatten)]
        place: Place,
        /// How many
        #[arg(long, default_value_t = 20)]
        latest: u32,
        /// Only calls in which this number was dialled or shown
        #[arg(long)]
        number: Option<String>,
        /// Only calls of this app
        #[arg(long)]
        app: Option<String>,
        /// Only calls with these words of the customer
        #[arg(long)]
        user_data: Option<String>,
        /// Only calls accepted at this moment or later, such as 2026-01-02T03:04:05+08:00
        #[arg(long)]
        from: Option<String>,
        /// Only calls accepted before this moment
        #[arg(long)]
        until: Option<String>,
        /// Print JSON, one call a line
        #[arg(long)]
        json: bool,
    },
    /// Show one call
    Show {
        #[command(flatten)]
        place: Place,
        /// The session id, or our own call id
        id: String,
        /// Draw what happened on a time axis: facts, SIP messages and RTP if a trace was kept, pushes
        #[arg(long)]
        ladder: bool,
        /// Print JSON: the record, or with --ladder the ladder
        #[arg(long)]
        json: bool,
        /// Write the ladder into a file, as a picture for browsers
        #[arg(long, value_name = "FILE")]
        svg: Option<PathBuf>,
        /// Write the call's trace into a file, for Wireshark
        #[arg(long, value_name = "FILE")]
        pcap: Option<PathBuf>,
    },
    /// Add up, day by day: every call that was accepted is under way or has one record, and its customer is owed what
    /// follows from the journal, once. Exit status 1 where that is not so
    Audit {
        #[command(flatten)]
        place: Place,
        /// The first day, such as 2026-01-02, on Beijing's clocks; without it, the first there is
        #[arg(long, value_name = "DAY")]
        from: Option<String>,
        /// The last day; without it, today
        #[arg(long, value_name = "DAY")]
        to: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List the calls that run
    Live {
        #[command(flatten)]
        place: Place,
        /// Print JSON, one call a line
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Push {
    /// List the latest pushes
    List {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        choice: PushChoice,
        /// How many
        #[arg(long, default_value_t = 20)]
        latest: u32,
        /// Print JSON, one push a line
        #[arg(long)]
        json: bool,
    },
    /// Show a push and its failed attempts
    Show {
        #[command(flatten)]
        place: Place,
        /// Its number
        id: i64,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List the hosts that pushes go to: how they fare, and what they do not have
    Hosts {
        #[command(flatten)]
        place: Place,
        /// Print JSON, one host a line
        #[arg(long)]
        json: bool,
    },
    /// Send pushes again that were delivered or parked: one by its number, or all that are chosen
    Replay {
        #[command(flatten)]
        place: Place,
        /// Its number
        #[arg(conflicts_with = "PushChoice")]
        id: Option<i64>,
        #[command(flatten)]
        choice: PushChoice,
        /// Only those of this number and later ones
        #[arg(long, conflicts_with = "id")]
        first: Option<i64>,
        /// Only those of this number and earlier ones
        #[arg(long, conflicts_with = "id")]
        last: Option<i64>,
    },
}

/// Which pushes.
#[derive(Debug, Args)]
#[group(id = "PushChoice", multiple = true)]
pub(crate) struct PushChoice {
    /// Only those that are fresh, deferred, delivered or parked
    #[arg(long)]
    pub(crate) state: Option<String>,
    /// Only those of this app
    #[arg(long)]
    pub(crate) app: Option<String>,
    /// Only those of this kind: status, fee or report
    #[arg(long)]
    pub(crate) channel: Option<String>,
    /// Only those of this call: its session id, or our own call id
    #[arg(long)]
    pub(crate) call: Option<String>,
    /// Only those that go to this host: a name or an address, without a port
    #[arg(long)]
    pub(crate) host: Option<String>,
    /// Only those due or settled at this moment or later, such as 2026-01-02T03:04:05+08:00
    #[arg(long)]
    pub(crate) from: Option<String>,
    /// Only those due or settled before this moment
    #[arg(long)]
    pub(crate) until: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// List what was changed, latest first
    List {
        #[command(flatten)]
        place: Place,
        /// How many
        #[arg(long, default_value_t = 20)]
        latest: u32,
        /// Print JSON, one change a line
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The app's name
    #[arg(long, global = true)]
    pub(crate) app: Option<String>,
    /// The address that the request is taken to come from
    #[arg(long, global = true)]
    pub(crate) from: Option<String>,
    /// Print JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) order: ExplainOrder,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExplainOrder {
    /// Connect two parties
    Callback {
        /// Who is dialled first
        #[arg(long)]
        caller: String,
        /// Who is dialled then
        #[arg(long)]
        callee: String,
        /// The number that both telephones show
        #[arg(long)]
        display: String,
    },
    /// Say a verification code
    Code {
        /// Who is dialled
        #[arg(long)]
        callee: String,
        /// The number that the telephone shows
        #[arg(long)]
        display: String,
    },
    /// Announce something
    Notice {
        /// Who is dialled
        #[arg(long)]
        callee: String,
        /// The number that the telephone shows
        #[arg(long)]
        display: String,
        /// The voice file that is played
        #[arg(long, conflicts_with = "template", required_unless_present = "template")]
        clip: Option<String>,
        /// The template that is spoken
        #[arg(long)]
        template: Option<String>,
        /// What stands in the template's places, in order, separated by commas
        #[arg(long, value_delimiter = ',')]
        values: Option<Vec<String>>,
        /// What stands in a place that has a name, as NAME=VALUE; repeat it for each
        #[arg(long = "param", value_parser = super::pair, conflicts_with = "values")]
        params: Vec<(String, String)>,
    },
    /// Let the party find its way through spoken choices
    Menu {
        /// Who is dialled
        #[arg(long)]
        callee: String,
        /// The number that the telephone shows
        #[arg(long)]
        display: String,
        /// The menu's template
        #[arg(long)]
        template: String,
        /// What stands in a place, as NAME=VALUE; repeat it for each
        #[arg(long = "param", value_parser = super::pair)]
        params: Vec<(String, String)>,
    },
    /// A customer's request as it comes over the wire
    Request {
        /// Its path
        path: String,
        /// The file with its body
        #[arg(long)]
        body: PathBuf,
        /// Its method
        #[arg(long, default_value = "POST")]
        method: String,
    },
}
