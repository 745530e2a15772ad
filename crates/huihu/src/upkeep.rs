//! Forgetting: recordings and traces that were kept long enough, and calls that nobody will ask for any more.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use base::id::CallId;
use store::{Admin, Pruned, Retention, Store};

use crate::road::wall;
use crate::traces::{self, Keeping};

/// What is forgotten, and where it lies.
pub(crate) struct Upkeep {
    pub(crate) store: Store,
    pub(crate) recordings: PathBuf,
    /// How long recordings are kept of apps that do not say.
    pub(crate) recordings_kept: Duration,
    pub(crate) retention: Retention,
    pub(crate) traces: PathBuf,
    pub(crate) traces_kept: Keeping,
}

impl Upkeep {
    /// Forgets, for ever. Run it in a task of its own.
    pub(crate) async fn keep(self) {
        loop {
            if let Err(fault) = self.forget().await {
                tracing::warn!("could not forget what is old: {fault:#}");
            }
            if let Err(fault) = self.forget_traces().await {
                tracing::warn!("could not remove old traces: {fault:#}");
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn forget(&self) -> Result<()> {
        let admin = Admin::new(&self.store);
        loop {
            let over = admin.recordings_over(self.recordings_kept, wall(), BATCH).await?;
            let removed = self.remove(&over).await;
            admin.recordings_removed(&removed).await?;
            // What could not be removed would only come again.
            if over.len() < BATCH as usize || removed.is_empty() {
                break;
            }
        }
        let mut pruned = Pruned::default();
        while !pruned.finished {
            pruned = self.store.prune(&self.retention, wall(), pruned).await?;
            tokio::time::sleep(BREATH).await;
        }
        if pruned.parked > 0 {
            tracing::warn!(
                pushes = pruned.parked,
                "parked pushes were forgotten with their calls, which were old"
            );
        }
        Ok(())
    }

    async fn forget_traces(&self) -> Result<()> {
        let (traces, keeping) = (self.traces.clone(), self.traces_kept);
        tokio::task::spawn_blocking(move || traces::sweep(&traces, keeping, wall())).await??;
        Ok(())
    }

    /// Removes the files of recordings. Gives those that are gone.
    async fn remove(&self, calls: &[CallId]) -> Vec<CallId> {
        let mut gone = Vec::with_capacity(calls.len());
        for call in calls {
            let path = engine::recording_path(&self.recordings, *call);
            match tokio::fs::remove_file(&path).await {
                Ok(()) => gone.push(*call),
                Err(fault) if fault.kind() == io::ErrorKind::NotFound => gone.push(*call),
                Err(fault) => tracing::warn!(call.id = %call, "cannot remove an old recording: {fault}"),
            }
        }
        gone
    }
}

/// How often there is something to forget.
const PAUSE: Duration = Duration::from_secs(600);

/// Files that are removed before the database hears of it.
const BATCH: u64 = 256;

/// How long the journal is left alone between two batches.
const BREATH: Duration = Duration::from_millis(50);
