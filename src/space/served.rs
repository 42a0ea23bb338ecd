//! What only a server does. It comes in boxes: the states of an async function hold all that it may wait for, whatever
//! leads there, so code that is never reached would be linked. A box that is never made is not.

use std::future::ready;

use futures_util::future::LocalBoxFuture;

use super::{Host, Space, SpaceError};
use crate::compact::OrderedSet;
use crate::memory::{Id, Notice, Problem};
use crate::operation::{Operation, Reply};
use crate::store::records::{AddWork, Job};

type Boxed<'a, T> = LocalBoxFuture<'a, Result<T, SpaceError>>;

impl<H: Host> Space<H> {
    /// Does what is asked by others than the program that holds the memory.
    pub(super) fn serve(&self, operation: Operation) -> Boxed<'_, Reply> {
        match H::SERVES {
            true => Box::pin(self.served(operation)),
            false => Box::pin(ready(Err(SpaceError::NotServed))),
        }
    }

    async fn served(&self, operation: Operation) -> Result<Reply, SpaceError> {
        match operation {
            Operation::DeleteLinked { id } => self.delete_linked(id).await,
            Operation::Feedback(judgement) => self.judge(judgement).await,
            Operation::Batch { operations } => self.batch(operations).await,
            Operation::Export(export) => self.export(*export).await,
            Operation::Exported { id, purpose } => self.exported(id, purpose).await,
            Operation::Notices { limit } => self.notices(limit).await,
            Operation::Noticed { upto } => self.noticed(upto).await,
            Operation::Summaries { filter } => Ok(self.summaries(&filter)),
            _ => Err(SpaceError::NotServed),
        }
    }

    /// Runs the job of an export.
    pub(super) fn serve_export<'a>(&'a self, job: &'a Job, id: Id) -> Boxed<'a, ()> {
        match H::SERVES {
            true => Box::pin(self.run_export(job, id)),
            false => Box::pin(self.finish_job(job.key())),
        }
    }

    /// Reads the files of an add that wait; elsewhere none do.
    pub(super) fn serve_files<'a>(&'a self, job: &'a Job, work: &'a AddWork) -> Boxed<'a, AddWork> {
        match H::SERVES {
            true => Box::pin(self.read_files(job, work)),
            false => Box::pin(ready(Ok(work.clone()))),
        }
    }

    /// Notes why the job of an export failed.
    pub(super) fn serve_failed_export<'a>(
        &'a self,
        id: Id,
        given_up: bool,
        problem: &'a Problem,
    ) -> Boxed<'a, ()> {
        match H::SERVES {
            true => Box::pin(self.note_failed_export(id, given_up, problem)),
            false => Box::pin(ready(Ok(()))),
        }
    }

    /// What was not told yet of memories that are erased, without their words.
    pub(super) fn serve_untold<'a>(&'a self, gone: &'a OrderedSet<Id>) -> Boxed<'a, Vec<Notice>> {
        match H::SERVES && self.host.settings().notices {
            true => Box::pin(self.untold_of(gone)),
            false => Box::pin(ready(Ok(Vec::new()))),
        }
    }
}
