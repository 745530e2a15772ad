//! What operators lay down.

use clap::{Args, Subcommand};

use super::Place;

#[derive(Debug, Subcommand)]
pub(crate) enum List {
    /// Add values to a list
    Add {
        #[command(flatten)]
        place: Place,
        /// An app's own list; without it, the platform's
        #[arg(long)]
        app: Option<String>,
        /// caller_block, callee_block, callee_allow, address_block, area_block or word (words that nobody may speak)
        kind: String,
        /// Numbers, blocks of addresses or words
        #[arg(required = true)]
        values: Vec<String>,
        /// Why
        #[arg(long)]
        note: Option<String>,
    },
    /// Take values off a list
    Remove {
        #[command(flatten)]
        place: Place,
        /// An app's own list; without it, the platform's
        #[arg(long)]
        app: Option<String>,
        /// caller_block, callee_block, callee_allow, address_block, area_block or word (words that nobody may speak)
        kind: String,
        /// Numbers, blocks of addresses or words
        #[arg(required = true)]
        values: Vec<String>,
    },
    /// Show a list
    Show {
        #[command(flatten)]
        place: Place,
        /// An app's own list; without it, the platform's
        #[arg(long)]
        app: Option<String>,
        /// caller_block, callee_block, callee_allow, address_block, area_block or word (words that nobody may speak)
        kind: String,
        /// Print JSON, one value a line
        #[arg(long)]
        json: bool,
    },
    /// Say whether only people on the callee_allow list may be called
    Only {
        #[command(flatten)]
        place: Place,
        /// An app; without it, the whole platform
        #[arg(long)]
        app: Option<String>,
        /// true or false
        #[arg(action = clap::ArgAction::Set)]
        listed_only: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Limit {
    /// Allow so many calls in a window
    Set {
        #[command(flatten)]
        one: OneLimit,
        /// Calls
        calls: u32,
    },
    /// Lift a limit
    Lift(OneLimit),
    /// List the limits
    List {
        #[command(flatten)]
        place: Place,
        /// An app; without it, the platform
        #[arg(long)]
        app: Option<String>,
        /// Print JSON, one limit a line
        #[arg(long)]
        json: bool,
    },
    /// Say when nobody may be called, on the clocks of Beijing; without spans, show when
    Hours {
        #[command(flatten)]
        place: Place,
        /// An app; without it, the platform
        #[arg(long)]
        app: Option<String>,
        /// Spans such as 22:00-08:00, in place of those that were set
        spans: Vec<String>,
        /// Allow calls at all times
        #[arg(long, conflicts_with = "spans")]
        none: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct OneLimit {
    #[command(flatten)]
    pub(crate) place: Place,
    /// An app; without it, the platform
    #[arg(long)]
    pub(crate) app: Option<String>,
    /// What is counted by: account, app, shown_number, caller, callee, service_number or pair
    pub(crate) by: String,
    /// The window: minute, hour, day, month or ever
    pub(crate) per: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Trunk {
    /// List the trunks and whether they work
    List {
        #[command(flatten)]
        place: Place,
        /// Print JSON, one trunk a line
        #[arg(long)]
        json: bool,
    },
    /// Try a trunk out, and say in words what works: its name, OPTIONS, registration, and a call if you name somebody to be called
    Test {
        #[command(flatten)]
        place: Place,
        /// The trunk's name; that of [trunk] is "trunk"
        name: String,
        /// Call this number, say tones for eight seconds, and listen: best a number that echoes
        #[arg(long)]
        call: Option<String>,
        /// The number that is shown; without it, the one that is called
        #[arg(long, requires = "call")]
        shown: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Ban {
    /// List who is banned, and until when
    List {
        #[command(flatten)]
        place: Place,
        /// Print JSON, one ban a line
        #[arg(long)]
        json: bool,
    },
    /// Lift a ban
    Lift {
        #[command(flatten)]
        place: Place,
        /// The address, as the list shows it
        address: String,
    },
}
