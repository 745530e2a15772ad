//! What can be typed. The words only; what they do is in `commands/`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Huihu (回呼): place voice calls by the HTTP APIs you already use, on your own machine.
#[derive(Debug, Parser)]
#[command(name = "huihu", version, max_term_width = 100, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start everything on this machine alone, with a simulated carrier, and place two demo calls
    Dev(Dev),
    /// Run the platform
    Serve(Serve),
    /// Ask a running Huihu for a call, as a customer does
    #[command(subcommand)]
    Call(Call),
    /// Print the signed headers of a request
    #[command(subcommand)]
    Sign(Sign),
    /// Create, list, pause and resume apps
    #[command(subcommand)]
    App(App),
    /// Create, list and revoke the keys of an app
    #[command(subcommand)]
    Key(Key),
    /// Add, list, pause, resume and remove the numbers that an app may show
    #[command(subcommand)]
    Number(Number),
    /// Add, list, approve and reject voice files
    #[command(subcommand)]
    Clip(Clip),
    /// Look at calls
    #[command(subcommand)]
    Record(Record),
}

#[derive(Debug, Args)]
pub(crate) struct Dev {
    /// Where the database, the clips and the recordings of the simulated telephones live
    #[arg(long, default_value = "huihu-data")]
    pub(crate) data_dir: PathBuf,
    /// Where the APIs listen; a loopback address
    #[arg(long, default_value = "127.0.0.1:7080")]
    pub(crate) http: SocketAddr,
    /// Where SIP listens; a loopback address
    #[arg(long, default_value = "127.0.0.1:5060")]
    pub(crate) sip: SocketAddr,
    /// First and last RTP port
    #[arg(long, default_value = "20000-29999")]
    pub(crate) rtp_ports: String,
    /// Write addresses and keys as JSON into this file when ready (besides DATA_DIR/ready.json)
    #[arg(long)]
    pub(crate) ready_file: Option<PathBuf>,
    /// Place no demo calls
    #[arg(long)]
    pub(crate) no_demo: bool,
    /// End after the demo calls; exit status 0 only if every call and push went as it should
    #[arg(long, conflicts_with = "no_demo")]
    pub(crate) once: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Where the APIs listen; overrides the configuration
    #[arg(long)]
    pub(crate) http: Option<SocketAddr>,
    /// Where SIP listens; overrides the configuration
    #[arg(long)]
    pub(crate) sip: Option<SocketAddr>,
    /// Write the addresses as JSON into this file when ready
    #[arg(long)]
    pub(crate) ready_file: Option<PathBuf>,
}

/// Which installation a command is about.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// Configuration file; HUIHU_… variables override it
    #[arg(long, env = "HUIHU_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Where the database and the clips live; overrides the configuration
    #[arg(long)]
    pub(crate) data_dir: Option<PathBuf>,
}

/// Whom to ask, and in whose name. Without flags: the `huihu dev` that was started in this folder.
#[derive(Debug, Args)]
pub(crate) struct Customer {
    /// Where Huihu listens, such as http://127.0.0.1:7080
    #[arg(long)]
    pub(crate) url: Option<String>,
    /// The app key
    #[arg(long)]
    pub(crate) key: Option<String>,
    /// The app secret
    #[arg(long)]
    pub(crate) secret: Option<String>,
    /// Where `huihu dev` wrote its addresses and keys
    #[arg(long, default_value = "huihu-data/ready.json")]
    pub(crate) ready_file: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Call {
    /// Connect two parties: dial the caller, then the callee
    Callback {
        #[command(flatten)]
        customer: Customer,
        /// Who is dialled first, such as +8613800000001
        #[arg(long)]
        caller: String,
        /// Who is dialled then
        #[arg(long)]
        callee: String,
        /// The number that the caller's telephone shows
        #[arg(long)]
        display: Option<String>,
        /// The number that the callee's telephone shows
        #[arg(long)]
        display_callee: Option<String>,
        /// Minutes after which the conversation is ended
        #[arg(long)]
        max_minutes: Option<u16>,
        /// Where status events go
        #[arg(long)]
        status_url: Option<String>,
        /// Where the fee record goes
        #[arg(long)]
        fee_url: Option<String>,
    },
    /// Say a verification code
    Verify {
        #[command(flatten)]
        customer: Customer,
        /// Who is dialled
        #[arg(long)]
        callee: String,
        /// 2 to 8 digits
        #[arg(long)]
        code: String,
        /// The voice file that is played before the code
        #[arg(long, default_value = "welcome.wav")]
        pre_tone: String,
        /// How often the code is said; 0 repeats until the party hangs up
        #[arg(long, default_value_t = 3)]
        times: u8,
        /// The number that the telephone shows
        #[arg(long)]
        display: Option<String>,
        /// Where status events go
        #[arg(long)]
        status_url: Option<String>,
        /// Where the fee record goes
        #[arg(long)]
        fee_url: Option<String>,
    },
    /// End a running call
    Stop {
        #[command(flatten)]
        customer: Customer,
        /// The session id that the call was answered with
        session: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Sign {
    /// The headers of Huawei Cloud VoiceCall (X-AKSK)
    Huawei {
        #[command(flatten)]
        customer: Customer,
        /// Print a curl configuration instead of header lines: curl -K <(huihu sign huawei --curl) …
        #[arg(long)]
        curl: bool,
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
        /// The kinds of calls it may place
        #[arg(long, value_delimiter = ',', default_value = "callback,code")]
        products: Vec<ProductName>,
        /// Calls at once
        #[arg(long)]
        ports: Option<u32>,
        /// Where status events go when a request does not say
        #[arg(long)]
        status_url: Option<String>,
        /// Where fee records go when a request does not say
        #[arg(long)]
        fee_url: Option<String>,
        /// How its pushes are signed
        #[arg(long, value_enum, default_value_t = Signature::Joined)]
        push_signature: Signature,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List all apps
    List {
        #[command(flatten)]
        place: Place,
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
}

/// A kind of call.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ProductName {
    /// Two parties, connected
    Callback,
    /// A verification code
    Code,
}

/// A generation of push signatures.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Signature {
    /// No authentication headers
    Off,
    /// Address, nonce and UTC time joined (until 2025)
    Joined,
    /// Address, nonce and Beijing time on three lines (2026)
    Lines,
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
    /// List an app's numbers
    List {
        #[command(flatten)]
        place: Place,
        /// The app's name
        #[arg(long)]
        app: String,
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
    /// List an app's voice files
    List {
        #[command(flatten)]
        place: Place,
        /// The app's name
        #[arg(long)]
        app: String,
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
pub(crate) enum Record {
    /// List the latest calls
    List {
        #[command(flatten)]
        place: Place,
        /// How many
        #[arg(long, default_value_t = 20)]
        latest: u32,
        /// Only calls from or to this number
        #[arg(long)]
        number: Option<String>,
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
        /// Draw what happened on a time axis
        #[arg(long)]
        ladder: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}
