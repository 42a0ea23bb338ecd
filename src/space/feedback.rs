//! What an owner thinks of a memory, and several changes at once.

use futures_util::future::LocalBoxFuture;

use super::graph::{corrected, retire};
use super::{Host, Space, SpaceError};
use crate::memory::{Claim, Feedback, Id, Problem};
use crate::operation::{Judgement, Operation, Reply};
use crate::pipeline::graph::{Draft, Leaving, leave, resolve};
use crate::pipeline::knowledge::Known;

impl<H: Host> Space<H> {
    /// Stores what the owner thinks. A memory that is right wins the contradictions that it is part of, and
    /// one that is wrong is retired, with what only it supports, so that it loses them.
    pub(super) async fn judge(&self, judgement: Judgement) -> Result<Reply, SpaceError> {
        let now = self.host.now();
        let id = judgement.memory;
        let judged = self
            .commit(|state, mint| {
                let known = state.known.memory(&id).as_deref().cloned();
                let mut memory = known.ok_or(SpaceError::NoSuchMemory(id))?;
                memory.feedback = judgement.feedback;
                memory.feedback_reason = judgement.reason.clone();
                let mut draft = Draft::new(state.known.knowledge().graph(), now);
                let mut retired = Vec::new();
                match judgement.feedback {
                    Some(Feedback::Positive) => {
                        for (contradiction, claim) in claims_of(state.known, &id) {
                            // One whose sides both rest on this memory stays open.
                            if let Ok(gone) = resolve(&mut draft, contradiction, &claim) {
                                retired.extend(gone);
                            }
                        }
                    }
                    Some(Feedback::VeryNegative) if memory.is_current() => {
                        leave(&mut draft, &id, Leaving::Unbelieved, &|_, _| false);
                        retired.push(id);
                    }
                    _ => {}
                }
                let mut memories = vec![memory];
                let mut history = Vec::new();
                for other in retired.iter().filter(|other| **other != id) {
                    memories.extend(state.known.memory(other).as_deref().cloned());
                }
                for memory in &mut memories {
                    if retired.contains(&memory.id) {
                        history.extend(retire(memory, now, mint));
                    }
                }
                let mut changes = corrected(state, draft, memories);
                changes.history = history;
                Ok((changes, mint.id()))
            })
            .await?;
        Ok(Reply::Judged {
            id: judged,
            judgement,
        })
    }

    /// Does several things in order, each for itself.
    pub(super) fn batch(
        &self,
        operations: Vec<Operation>,
    ) -> LocalBoxFuture<'_, Result<Reply, SpaceError>> {
        Box::pin(async move {
            let mut replies = Vec::with_capacity(operations.len());
            for operation in operations {
                replies.push(match operation {
                    Operation::Update(_) | Operation::Delete { .. } => {
                        let reply = self.apply(operation).await;
                        reply.map_err(|error| error.problem())
                    }
                    _ => Err(Problem::new(
                        400,
                        "not_in_a_batch",
                        "a batch holds updates and deletions only",
                    )),
                });
            }
            Ok(Reply::Batch(replies))
        })
    }
}

/// The open contradictions that a memory is part of, each with the claim that rests on it.
fn claims_of(known: Known<'_>, id: &Id) -> Vec<(Id, Claim)> {
    let graph = known.graph();
    let open = graph.contradictions().filter(|one| one.is_open());
    let of_memory = open.filter_map(|contradiction| {
        let mut claims = contradiction.claims.iter();
        let claim = claims.find(|claim| graph.basis(claim).contains(id))?;
        Some((contradiction.id, claim.clone()))
    });
    of_memory.collect()
}
