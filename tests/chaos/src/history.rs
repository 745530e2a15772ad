//! What everybody saw, each in a log of their own: the customers, the trunk, the receiver, the database.
//!
//! The logs are lists of plain things, so that they can be kept, read again and checked without anything that was there.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A whole run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// How many calls the platform was allowed to run at once.
    pub ports: usize,
    /// What customers asked for, and heard.
    pub orders: Vec<Order>,
    /// What telephones went through.
    pub legs: Vec<Leg>,
    /// What the receiver was told, in the order in which it came.
    pub posts: Vec<Post>,
    /// What the database says at the end.
    pub records: Vec<Record>,
}

/// What is sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Product {
    /// Two parties, told by events and a fee record.
    Callback,
    /// One party, told by events and a fee record.
    Code,
    /// One party, told by events and a fee record.
    Notice,
    /// One party, told by one report.
    Reported,
}

/// One order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// What was asked for.
    pub product: Product,
    /// The last ten digits of whom to call; no other order has them.
    pub parties: Vec<String>,
    /// What the customer heard.
    pub answer: Answer,
}

/// What a customer hears.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// The call will be placed, and has this name.
    Accepted(String),
    /// It will not, for this reason.
    Refused(String),
    /// The connection broke: it may be placed.
    InDoubt,
    /// Nobody was there to ask.
    NobodyThere,
}

/// One INVITE and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    /// Call-ID.
    pub call_id: String,
    /// The last ten digits of the number that was dialled.
    pub dialled: String,
    /// Whether it was picked up.
    pub answered: bool,
    /// Whether it was hung up, cancelled or refused in the end.
    pub ended: bool,
    /// When the INVITE came, in microseconds since 1970.
    pub from: i64,
    /// When it ended.
    pub until: Option<i64>,
}

/// One thing that a receiver was told of a call. A message with several of them is several of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    /// The call.
    pub call: String,
    /// Which news.
    pub news: News,
    /// The news itself, as it was written: the same one is the same text.
    pub text: String,
    /// Whether the receiver took it.
    pub taken: bool,
    /// Whether its signature is the customer's; news that are never signed have none.
    pub signature: Signature,
}

/// What a receiver is told of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum News {
    /// A status event of that name.
    Event(String),
    /// The fee record.
    Fee,
    /// The report.
    Report,
}

/// Who signed a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Signature {
    /// The customer's key.
    Good,
    /// Nobody, and nobody has to.
    None,
    /// Somebody else, or nobody where somebody has to.
    Bad,
}

/// A call record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The name of the call.
    pub call: String,
    /// Its parties: A, and B if there is one.
    pub parties: Vec<Party>,
}

/// How far a party of a call came, as recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// The last ten digits of the number.
    pub number: String,
    /// Whether it was dialled.
    pub dialled: bool,
    /// Whether it rang.
    pub rang: bool,
    /// Whether it answered.
    pub answered: bool,
}

impl History {
    /// How many orders were accepted.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.orders.iter().filter(|order| matches!(order.answer, Answer::Accepted(_))).count()
    }

    /// Writes the four logs into a folder, a line for each thing.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn save(&self, folder: &Path) -> Result<()> {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let Self { ports, orders, legs, posts, records } = self;
        save(&folder.join("ports.jsonl"), std::slice::from_ref(ports))?;
        save(&folder.join("client.jsonl"), orders)?;
        save(&folder.join("trunk.jsonl"), legs)?;
        save(&folder.join("receiver.jsonl"), posts)?;
        save(&folder.join("database.jsonl"), records)
    }

    /// Reads them again.
    ///
    /// # Errors
    /// When a log is missing or is none.
    pub fn load(folder: &Path) -> Result<Self> {
        Ok(Self {
            ports: load(&folder.join("ports.jsonl"))?.first().copied().unwrap_or(0),
            orders: load(&folder.join("client.jsonl"))?,
            legs: load(&folder.join("trunk.jsonl"))?,
            posts: load(&folder.join("receiver.jsonl"))?,
            records: load(&folder.join("database.jsonl"))?,
        })
    }
}

fn save<T: Serialize>(file: &Path, lines: &[T]) -> Result<()> {
    let fault = || format!("cannot write {}", file.display());
    let mut out = BufWriter::new(File::create(file).with_context(fault)?);
    for line in lines {
        writeln!(out, "{}", serde_json::to_string(line)?).with_context(fault)?;
    }
    out.flush().with_context(fault)
}

fn load<T: DeserializeOwned>(file: &Path) -> Result<Vec<T>> {
    let fault = || format!("cannot read {}", file.display());
    let lines = BufReader::new(File::open(file).with_context(fault)?).lines();
    lines.map(|line| serde_json::from_str(&line.with_context(fault)?).with_context(fault)).collect()
}
