//! The nouns that belong to customers.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Place;

#[derive(Debug, Subcommand)]
pub(crate) enum Enterprise {
    /// Create an enterprise
    Create {
        #[command(flatten)]
        place: Place,
        /// Its account name, unique
        account: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List all enterprises
    List {
        #[command(flatten)]
        place: Place,
        /// Print JSON, one enterprise a line
        #[arg(long)]
        json: bool,
    },
    /// Let an enterprise place calls, or not
    Set {
        #[command(flatten)]
        place: Place,
        /// Its account name
        account: String,
        /// active, in_arrears or suspended
        state: String,
    },
    /// Read the password of its oldest clients from standard input, or take it away
    Password {
        #[command(flatten)]
        place: Place,
        /// Its account name
        account: String,
        /// Take the password away
        #[arg(long)]
        none: bool,
    },
    /// Keep the parts of an enterprise that numbers are issued for
    #[command(subcommand)]
    Sub(Sub),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Sub {
    /// Create a sub-enterprise
    Create {
        #[command(flatten)]
        place: Place,
        /// The enterprise's account name
        #[arg(long)]
        account: String,
        /// Its name
        name: String,
    },
    /// List the sub-enterprises of an enterprise
    List {
        #[command(flatten)]
        place: Place,
        /// The enterprise's account name
        #[arg(long)]
        account: String,
        /// Print JSON, one sub-enterprise a line
        #[arg(long)]
        json: bool,
    },
    /// Let its numbers place calls, or not
    Set {
        #[command(flatten)]
        place: Place,
        /// The enterprise's account name
        #[arg(long)]
        account: String,
        /// Its name
        name: String,
        /// active or suspended
        state: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum App {
    /// Create an app
    Create {
        #[command(flatten)]
        place: Place,
        /// Its name, unique
        name: String,
        /// The account name of the enterprise it belongs to
        #[arg(long, default_value = "huihu")]
        account: String,
        #[command(flatten)]
        settings: Box<AppSettings>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List all apps
    List {
        #[command(flatten)]
        place: Place,
        /// Print JSON, one app a line
        #[arg(long)]
        json: bool,
    },
    /// Show one app with all its settings
    Show {
        #[command(flatten)]
        place: Place,
        /// The app's name
        name: String,
    },
    /// Change the settings of an app; what is not named stays as it is
    Set {
        #[command(flatten)]
        place: Place,
        /// The app's name
        name: String,
        #[command(flatten)]
        settings: Box<AppSettings>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Refuse the app's requests until it is resumed
    Pause {
        #[command(flatten)]
        place: Place,
        /// The app's name
        name: String,
    },
    /// Take the app's requests again
    Resume {
        #[command(flatten)]
        place: Place,
        /// The app's name
        name: String,
    },
    /// Refuse the app's requests as one that is frozen or not approved
    Freeze {
        #[command(flatten)]
        place: Place,
        /// The app's name
        name: String,
    },
    /// Delete an app; its numbers are free for another
    Delete {
        #[command(flatten)]
        place: Place,
        /// The app's name
        name: String,
    },
}

/// The settings of an app. `none` empties those that may be empty.
#[derive(Debug, Default, Args)]
pub(crate) struct AppSettings {
    /// The kinds of calls it may place: callback, code, notice, menu
    #[arg(long, value_delimiter = ',')]
    pub(crate) products: Option<Vec<String>>,
    /// Calls at once
    #[arg(long)]
    pub(crate) ports: Option<u32>,
    /// How the numbers begin that it may call, such as +86,+852; + for all, none for as the platform says
    #[arg(long, value_delimiter = ',')]
    pub(crate) destinations: Option<Vec<String>>,
    /// Where status events go when a request does not say, or none
    #[arg(long)]
    pub(crate) status_url: Option<String>,
    /// Where fee records go when a request does not say, or none
    #[arg(long)]
    pub(crate) fee_url: Option<String>,
    /// Where reports go, or none
    #[arg(long)]
    pub(crate) report_url: Option<String>,
    /// In which codes reports tell a failure: status (SIP) or detailed (the vendor's own)
    #[arg(long)]
    pub(crate) report_codes: Option<String>,
    /// How codes that are numbers are written in reports: number or text
    #[arg(long)]
    pub(crate) report_numbers: Option<String>,
    /// The number that reports give the kind of call that is a menu, 0 to 9
    #[arg(long)]
    pub(crate) menus_are: Option<u8>,
    /// How much may be said in templates with named places: wide (100 characters a value, 180 in all) or strict (50, 100)
    #[arg(long)]
    pub(crate) lengths: Option<String>,
    /// How its pushes are signed: off, joined (until 2025) or lines (2026)
    #[arg(long)]
    pub(crate) push_signature: Option<String>,
    /// How often its pushes are tried: compat or reliable
    #[arg(long)]
    pub(crate) push_profile: Option<String>,
    /// commercial, or sandbox for one that was not released
    #[arg(long)]
    pub(crate) phase: Option<String>,
    /// What security has against it: unspecified, abnormal_calls or none
    #[arg(long)]
    pub(crate) hold: Option<String>,
    /// Blocks of addresses that its requests may come from, or none for all
    #[arg(long, value_delimiter = ',')]
    pub(crate) addresses: Option<Vec<String>>,
    /// What is asked of the address of a request: any or ipv4
    #[arg(long)]
    pub(crate) origin: Option<String>,
    /// Requests in a minute, or none for as many as the platform takes
    #[arg(long)]
    pub(crate) requests_per_minute: Option<String>,
    /// Whether only people on its callee_allow list may be called
    #[arg(long)]
    pub(crate) listed_only: Option<bool>,
    /// Whether it may record
    #[arg(long)]
    pub(crate) recording: Option<bool>,
    /// Days for which its recordings are kept, or none for as long as the platform says
    #[arg(long)]
    pub(crate) recording_days: Option<String>,
    /// The share of calls that must have been answered, as PERCENT/CALLS such as 30/100, or none
    #[arg(long)]
    pub(crate) answered: Option<String>,
    /// The share of answered calls that may be short, as PERCENT/CALLS/SECS such as 80/50/6, or none
    #[arg(long)]
    pub(crate) short: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Create a key; its secret is shown this once
    Create {
        #[command(flatten)]
        place: Place,
        /// The app's name
        #[arg(long)]
        app: String,
        /// Take over a key that the customer uses already: its id; the secret is read from standard input
        #[arg(long)]
        existing: Option<String>,
        /// Make a temporary key that works for so many seconds; requests must show its token too
        #[arg(long, conflicts_with = "existing")]
        temporary_secs: Option<u64>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List the keys of an app, without their secrets
    List {
        #[command(flatten)]
        place: Place,
        /// The app's name
        #[arg(long)]
        app: String,
        /// Print JSON, one key a line
        #[arg(long)]
        json: bool,
    },
    /// Create a key in place of one, which still works for a while
    Rotate {
        #[command(flatten)]
        place: Place,
        /// The app key
        key: String,
        /// Seconds for which the old key still works
        #[arg(long, default_value_t = 24 * 3_600)]
        overlap_secs: u64,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a key unknown from now on
    Revoke {
        #[command(flatten)]
        place: Place,
        /// The app key
        key: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Number {
    /// Give an app a number
    Add(OneNumber),
    /// Show another of the app's numbers in its place until it is resumed
    Pause(OneNumber),
    /// Show the number again
    Resume(OneNumber),
    /// Take the number away
    Remove(OneNumber),
    /// Say which sub-enterprise the number was issued for; without --sub, the enterprise itself
    Assign {
        #[command(flatten)]
        one: OneNumber,
        /// The sub-enterprise's name
        #[arg(long)]
        sub: Option<String>,
    },
    /// List an app's numbers
    List {
        #[command(flatten)]
        place: Place,
        /// The app's name
        #[arg(long)]
        app: String,
        /// Print JSON, one number a line
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct OneNumber {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The app's name
    #[arg(long)]
    pub(crate) app: String,
    /// The number, such as +8675500000001
    pub(crate) number: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Clip {
    /// Upload a WAV file of any rate and width
    Add {
        #[command(flatten)]
        place: Place,
        /// The app's name
        #[arg(long)]
        app: String,
        /// The name that requests use, such as welcome.wav
        name: String,
        /// The file
        #[arg(long)]
        file: PathBuf,
        /// Approve it at once
        #[arg(long)]
        approve: bool,
    },
    /// Let requests use a voice file
    Approve(OneClip),
    /// Refuse a voice file
    Reject(OneClip),
    /// Remove a voice file
    Remove(OneClip),
    /// Write a voice file as telephones hear it
    Download {
        #[command(flatten)]
        one: OneClip,
        /// Where to
        #[arg(long)]
        file: PathBuf,
    },
    /// List an app's voice files
    List {
        #[command(flatten)]
        place: Place,
        /// The app's name
        #[arg(long)]
        app: String,
        /// Print JSON, one file a line
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct OneClip {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The app's name
    #[arg(long)]
    pub(crate) app: String,
    /// The voice file's name
    pub(crate) name: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Template {
    /// Create a template: 您的验证码是${NUM_6}。 or, with --kind named, 尊敬的{name}，订单{no}已发货
    Create {
        #[command(flatten)]
        place: Place,
        /// The enterprise's account name
        #[arg(long, default_value = "huihu")]
        account: String,
        /// Its name, for people
        #[arg(long)]
        name: String,
        /// The text with its places; of a menu, its JSON
        #[arg(required_unless_present = "file", conflicts_with = "file")]
        text: Option<String>,
        /// The file that the text is read from
        #[arg(long)]
        file: Option<PathBuf>,
        /// How its places are written: placed (${TXT_n}, in order), named ({name}) or menu (JSON of named texts)
        #[arg(long, default_value = "placed")]
        kind: String,
        /// How fast it is spoken, in percent: 50 to 200
        #[arg(long, default_value_t = 100)]
        speed: u8,
        /// Approve it at once
        #[arg(long)]
        approve: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List an enterprise's templates
    List {
        #[command(flatten)]
        place: Place,
        /// The enterprise's account name
        #[arg(long, default_value = "huihu")]
        account: String,
        /// Print JSON, one template a line
        #[arg(long)]
        json: bool,
    },
    /// Let requests use a template
    Approve(OneTemplate),
    /// Refuse a template
    Reject(OneTemplate),
    /// Remove a template
    Remove(OneTemplate),
}

#[derive(Debug, Args)]
pub(crate) struct OneTemplate {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The template's id
    pub(crate) id: String,
    /// What the reviewer has to say
    #[arg(long)]
    pub(crate) note: Option<String>,
}
