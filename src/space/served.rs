//! What only a server is asked.

use super::{Host, Space, SpaceError};
use crate::operation::{Operation, Reply};

impl<H: Host> Space<H> {
    /// Does what is asked by others than the program that holds the memory.
    pub(super) async fn serve(&self, operation: Operation) -> Result<Reply, SpaceError> {
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
}
